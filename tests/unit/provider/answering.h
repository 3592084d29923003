// SPDX-License-Identifier: MIT
/*
 * The machine, but no program is run and no other machine asked: what would be is noted, and the
 * test answers for it. Whether systemd is there, and who holds the lock of the package manager, is
 * for the test to say too.
 */
#ifndef PROVIDER_ANSWERING_H
#define PROVIDER_ANSWERING_H

#include "unit/provider/observing.h"

#include "host/self.h"

#include <errno.h>
#include <limits.h>
#include <sys/mount.h>

struct answer {
	const char *words;     /* it is meant by a call in which they stand; NULL ends the list */
	const char *out, *err; /* what it prints; NULL: nothing */
	int status;
	bool timed_out, signalled;
	unsigned times;    /* so often, then the next that fits; 0: always */
	void (*act)(void); /* what it does before it answers, or NULL */
};

static struct host answering_host;
static struct answer *answers; /* of the test at hand; a call that none fits ends well and silent */
static struct str asked;       /* the calls, a line each */
static struct str handed_on;   /* of the last call: its environment, a line each */
static int asked_ms;           /* and its deadline */
static enum file_type systemd_folder;
static struct host_package_manager answering_manager;
/* What the ports of a call answer, one after the other; PORT_SILENT further on. */
static enum port_answer answering_ports[8];

static inline int answering_look(struct host *host, const char *path, struct file_look *ret_look,
                                 struct err *err)
{
	if (strcmp(path, "/run/systemd/system") != 0) {
		return host_linux_ops.look(host, path, ret_look, err);
	}
	*ret_look = (struct file_look){.type = systemd_folder};
	return 0;
}

static inline struct answer *answering_find(const char *call)
{
	for (struct answer *a = answers; a && a->words; a++) {
		if (a->times != UINT_MAX && strstr(call, a->words)) {
			if (a->times && --a->times == 0) {
				a->times = UINT_MAX;
			}
			return a;
		}
	}
	return NULL;
}

static inline int answering_run(struct host *host, const struct child_command *command,
                                struct child_result *ret_result, struct err *err)
{
	AUTO(str_free) struct str call = {0};

	(void)host;
	(void)err;
	for (const char *const *word = command->argv; *word; word++) {
		str_addf(&call, "%s%s", call.length ? " " : "", *word);
	}
	str_addf(&asked, "%s\n", str_text(&call));
	asked_ms = command->timeout_ms;
	str_clear(&handed_on);
	for (const char *const *pair = command->environment; pair && *pair; pair++) {
		str_addf(&handed_on, "%s\n", *pair);
	}
	const struct answer *answer = answering_find(str_text(&call));

	*ret_result = (struct child_result){0};
	if (!answer) {
		return 0;
	}
	if (answer->act) {
		answer->act();
	}
	ret_result->status = answer->status;
	ret_result->timed_out = answer->timed_out;
	ret_result->signalled = answer->signalled;
	str_add(&ret_result->out, answer->out ? answer->out : "");
	str_add(&ret_result->err, answer->err ? answer->err : "");
	return 0;
}

static inline int answering_package_manager(struct host *host, struct host_package_manager *ret,
                                            struct err *err)
{
	(void)host;
	(void)err;
	*ret = answering_manager;
	return 0;
}

static inline int answering_ask(struct host *host, const char *address, struct port_query *queries,
                                size_t n, int timeout_ms, struct err *err)
{
	(void)host;
	(void)timeout_ms;
	(void)err;
	str_addf(&asked, "ports of %s\n", address);
	for (size_t i = 0; i < n; i++) {
		queries[i].answer = i < ARRAY_LEN(answering_ports) ? answering_ports[i] : PORT_SILENT;
		queries[i].os = queries[i].answer == PORT_UNREACHABLE ? EHOSTUNREACH : 0;
	}
	return 0;
}

static inline int answering_setup(void **state)
{
	static struct host_ops ops;

	observing_setup(state);
	ops = host_linux_ops;
	ops.look = answering_look;
	ops.run = answering_run;
	ops.package_manager = answering_package_manager;
	ops.ports = answering_ask;
	host_init(&answering_host, &ops, arena);
	answers = NULL;
	systemd_folder = FILE_DIRECTORY;
	for (size_t i = 0; i < ARRAY_LEN(answering_ports); i++) {
		answering_ports[i] = PORT_SILENT;
	}
	answering_manager = (struct host_package_manager){.lock_command = ""};
	return 0;
}

static inline int answering_teardown(void **state)
{
	host_done(&answering_host);
	str_free(&asked);
	str_free(&handed_on);
	return observing_teardown(state);
}

#define ANSWERED(name) cmocka_unit_test_setup_teardown(name, answering_setup, answering_teardown)
/* For one test: the answers, in the order in which they are tried. */
#define ANSWER(...) (answers = (struct answer[]){__VA_ARGS__, {0}})

/* Puts a program of ours, which is never run, where the installed one would be: beside this one.
 * Needs a namespace. */
static inline void answering_program(const char *name)
{
	const char *folder = self_program_folder(arena);

	assert_int_equal(mount("tmpfs", folder, "tmpfs", 0, "mode=0755"), 0);
	scratch_write(arena_printf(arena, "%s/%s", folder, name), "", 0755);
}

static inline void answering_no_program(void)
{
	assert_int_equal(umount2(self_program_folder(arena), MNT_DETACH), 0);
}

static inline const struct resource *answering_fact(enum kind_id kind, const char *key)
{
	struct resource *have = NULL;
	struct err err;

	if (converge_observe(&answering_host, &kind_table[kind], key, NULL, arena, &have, &err)) {
		fail_msg("%s", err.text);
	}
	return have;
}

/* The change that brings a wish about, as it was planned by what was seen. */
static inline struct applied answering_apply(const char *wanted, const char *found)
{
	const struct resource *want = converging_want(arena, wanted);
	struct change change = {.kind = want->kind, .want = want, .have = recorded(found)};
	struct verdict verdict;
	struct applied applied;
	struct err err;

	converge_diff(arena, want, change.have, &verdict);
	assert_int_equal(verdict.outcome, OUTCOME_CHANGE);
	change.action = verdict.action;
	if (converge_apply(&answering_host, &change, arena, &applied, &err)) {
		fail_msg("%s", err.text);
	}
	return applied;
}

/* The calls in which these words stand, a line each. */
static inline const char *asked_with(const char *words)
{
	AUTO(str_free) struct str text = {0};
	char *rest = arena_strdup(arena, str_text(&asked));

	for (char *line; (line = strsep(&rest, "\n"));) {
		if (*line && strstr(line, words)) {
			str_addf(&text, "%s\n", line);
		}
	}
	return arena_strdup(arena, str_text(&text));
}

#endif
