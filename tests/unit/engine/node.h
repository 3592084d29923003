// SPDX-License-Identifier: MIT
/*
 * A node of the test's own: a tree, a history and a run-dir below the scratch folder, and an engine
 * that works on it for real. The node is called "n". Private members of the engine may be looked
 * at.
 */
#ifndef TEST_NODE_H
#define TEST_NODE_H

#include "unit/support/scratch.h"

#include "base/json.h"
#include "engine/inner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

struct own_node {
	struct arena *arena;
	struct engine_options options;
	struct engine_watch watch;
	struct engine *engine;
	struct str notes; /* a line each */
	struct engine_result result;
	struct err err;
	struct diags diags;
	void (*disturb)(void); /* called when the engine asks for consent */
	bool refuse;
	size_t shown; /* changes that the consent was asked for */
};

static struct own_node node; /* one per test: node_setup makes it anew */

static inline const char *node_path(const char *name)
{
	return arena_printf(node.arena, "%s/%s", scratch_dir(), name);
}

static inline void node_note(void *context, const char *text)
{
	(void)context;
	str_addf(&node.notes, "%s\n", text);
}

static inline bool node_noted(const char *part)
{
	return strstr(str_text(&node.notes), part) != NULL;
}

static inline bool node_consent(void *context, const struct plan *plan)
{
	(void)context;
	node.shown = plan_count(plan).of[OUTCOME_CHANGE];
	if (node.disturb) {
		node.disturb();
	}
	return !node.refuse;
}

/* Writes a file of the tree, with the folders above it; "$" in the text becomes the scratch folder.
 * */
static inline void node_tree(const char *path, const char *text)
{
	AUTO(str_free) struct str out = {0};
	char *full = arena_strdup(node.arena, node_path(arena_printf(node.arena, "tree/%s", path)));

	for (char *slash = strchr(full + strlen(scratch_dir()) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	for (; *text; text++) {
		if (*text == '$') {
			str_add(&out, scratch_dir());
		} else {
			str_addc(&out, *text);
		}
	}
	scratch_write(full, str_text(&out), 0644);
}

/* The node's file: what it wants, below version and nodes. */
static inline void node_wants(const char *sections)
{
	node_tree("state/nodes/n.yaml",
	          arena_printf(node.arena, "version: 1\nnodes: [n]\n%s", sections));
}

static inline int node_setup(void **state)
{
	(void)state;
	node = (struct own_node){.arena = arena_create()};
	node.options = (struct engine_options){
	    .command = "apply",
	    .version = "test",
	    .node = "n",
	    .tree = node_path("tree"),
	    .history = node_path("var/history.db"),
	    .run_dir = node_path("run"),
	    .state_dir = node_path("state"),
	    .write_state = true,
	};
	node.watch = (struct engine_watch){.note = node_note};
	return 0;
}

static inline void node_close(void)
{
	engine_close(node.engine);
	node.engine = NULL;
}

static inline int node_teardown(void **state)
{
	(void)state;
	node_close();
	str_free(&node.notes);
	arena_free(node.arena);
	scratch_clear();
	return 0;
}

/* A fresh engine; the one before is closed. Returns what engine_load does. */
static inline int node_load(void)
{
	node_close();
	str_clear(&node.notes);
	node.err = (struct err){0};
	node.diags = (struct diags){0};
	node.result = (struct engine_result){0};
	node.engine = engine_open(&node.options, &node.watch);
	return engine_load(node.engine, &node.diags, &node.err);
}

static inline void node_must_load(void)
{
	if (node_load()) {
		fail_msg("%s: %s", node.err.text, node.diags.count ? node.diags.list[0].err.text : "");
	}
}

static inline struct plan *node_plan(void)
{
	struct plan *plan;

	node_must_load();
	if (engine_plan(node.engine, &plan, &node.err)) {
		fail_msg("%s", node.err.text);
	}
	return plan;
}

/* Plans, expecting it to fail with that code. */
static inline void node_plan_fails(enum err_code code)
{
	struct plan *plan;

	node_must_load();
	assert_int_equal(engine_plan(node.engine, &plan, &node.err), -(int)code);
}

/* Loads and applies; returns the exit code, or 100 + the code of an error. */
static inline int node_apply(const struct value *saved)
{
	if (node_load() ||
	    engine_apply(node.engine, saved, node_consent, NULL, &node.result, &node.err)) {
		return 100 + (int)node.err.code;
	}
	return node.result.exit_code;
}

static inline const struct step *node_step(const struct plan *plan, const char *kind,
                                           const char *name)
{
	const char *id = arena_printf(node.arena, "%s:%s", kind, node_path(name));

	for (size_t i = 0; i < plan->step_count; i++) {
		if (strcmp(plan->steps[i].id, id) == 0) {
			return &plan->steps[i];
		}
	}
	fail_msg("no step %s", id);
	return NULL;
}

static inline bool node_has(const char *name)
{
	struct stat st;

	return lstat(node_path(name), &st) == 0;
}

/* The history, opened for reading; close it. */
static inline struct store *node_history(void)
{
	struct store_condition condition;
	struct store *store = NULL;
	struct err err;

	assert_int_equal(
	    store_open(node.options.history, STORE_READ, node.arena, &store, &condition, &err), 0);
	assert_non_null(store);
	return store;
}

/* Run number `run` as one line of JSON. */
static inline const char *node_run(int64_t run)
{
	struct store *store = node_history();
	AUTO(str_free) struct str text = {0};
	struct value value;
	struct err err;

	assert_int_equal(store_run(store, node.arena, run, &value, &err), 0);
	json_print(&text, &value, 0);
	store_close(store);
	return arena_strdup(node.arena, str_text(&text));
}

#define assert_has(text, part)                              \
	do {                                                    \
		if (!strstr((text), (part))) {                      \
			fail_msg("'%s' is not in: %s", (part), (text)); \
		}                                                   \
	} while (0)

#define node_test(f) cmocka_unit_test_setup_teardown(f, node_setup, node_teardown)

#endif
