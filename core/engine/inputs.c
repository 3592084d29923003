// SPDX-License-Identifier: MIT
/* The tree an operator owns, as texts: read from the node or taken from history; and whose node
 * this is. */
#include "engine/inner.h"

#include "base/digest.h"
#include "base/embedded.h"
#include "engine/last_good.h"
#include "host/self.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char node_file[] = "/etc/reconcile/node.yaml";

enum { NODE_FILE_MOST = 64 << 10 };

struct policy_list {
	struct policy_source *list;
	size_t count, cap;
};

static bool has_policy(const struct policy_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->list[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

static void add_policy(struct engine *engine, struct policy_list *list, const char *path,
                       const char *file, const char *text, size_t length)
{
	const char *stem = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

	if (!text_ends(stem, ".lua")) {
		return; /* of a tree that came from history */
	}
	char *name = arena_strndup(engine->arena, stem, strlen(stem) - strlen(".lua"));

	if (has_policy(list, name)) {
		return;
	}
	list->list = arena_grow(engine->arena, list->list, list->count, &list->cap, sizeof *list->list);
	list->list[list->count++] =
	    (struct policy_source){.name = name, .file = file, .text = text, .length = length};
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct policy_source *)a)->name, ((const struct policy_source *)b)->name);
}

/* The tree's own policies first; a shipped one serves where the tree has none of that name. */
static void gather_policies(struct engine *engine)
{
	struct policy_list policies = {0}, libraries = {0};
	AUTO(str_free) struct str all = {0};

	for (size_t i = 0; i < engine->files.count; i++) {
		const struct tree_file *f = &engine->files.list[i];

		if (text_starts(f->path, "policies/lib/")) {
			add_policy(engine, &libraries, f->path, f->name, f->text, f->length);
		} else if (text_starts(f->path, "policies/")) {
			add_policy(engine, &policies, f->path, f->name, f->text, f->length);
		}
	}
	for (size_t i = 0; i < embedded_policies_count; i++) {
		const struct embedded *e = &embedded_policies[i];
		bool library = text_starts(e->name, "lib/");

		add_policy(engine, library ? &libraries : &policies, e->name,
		           arena_printf(engine->arena, "shipped:policies/%s", e->name), e->text, e->length);
	}
	struct policy_list *both[] = {&policies, &libraries};

	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		if (both[i]->count) {
			qsort(both[i]->list, both[i]->count, sizeof *both[i]->list, by_name);
		}
		for (size_t k = 0; k < both[i]->count; k++) {
			str_addf(&all, "%s %zu\n", both[i]->list[k].name, both[i]->list[k].length);
			str_addn(&all, both[i]->list[k].text, both[i]->list[k].length);
		}
	}
	engine->policies = (struct policy_set){
	    .policies = policies.list,
	    .count = policies.count,
	    .libraries = libraries.list,
	    .library_count = libraries.count,
	};
	memcpy(engine->policies_digest, digest_bytes(str_text(&all), all.length).hex,
	       sizeof engine->policies_digest);
}

static void use_files(struct engine *engine)
{
	struct value document = inputs_document(engine);

	engine->desired_files =
	    arena_array(engine->arena, engine->files.count + 1, sizeof *engine->desired_files);
	engine->desired_file_count = 0;
	for (size_t i = 0; i < engine->files.count; i++) {
		const struct tree_file *f = &engine->files.list[i];

		if (text_starts(f->path, "state/")) {
			engine->desired_files[engine->desired_file_count++] = (struct desired_file){
			    .name = f->name,
			    .path = f->path + strlen("state/"),
			    .text = f->text,
			    .length = f->length,
			};
		}
	}
	memcpy(engine->tree_digest, digest_value(&document).hex, sizeof engine->tree_digest);
	gather_policies(engine);
}

static int read_once(struct engine *engine, struct err *err)
{
	if (worker_read_tree(engine->worker, engine->options->tree, self_is_root(), engine->arena,
	                     &engine->files, err)) {
		return -(int)err->code;
	}
	use_files(engine);
	return 0;
}

/* ---- Readings that agree ---- */

/* A set of files is saved one after the other, and what one client of a network file system sees of
 * that is not what another does: a tree that is not the one of last time is used once two readings
 * in a row were the same. */
enum { READINGS_MOST = 6, LOCAL_MS = 200, REMOTE_MS = 2000 };

struct reading {
	bool read;
	char digest[65];
	struct err err; /* when it was not */
};

static struct reading read_again(struct engine *engine)
{
	struct reading reading = {0};

	reading.read = !read_once(engine, &reading.err);
	if (reading.read) {
		memcpy(reading.digest, engine->tree_digest, sizeof reading.digest);
	}
	return reading;
}

static bool agree(const struct reading *a, const struct reading *b)
{
	return a->read == b->read &&
	       strcmp(a->read ? a->digest : a->err.text, b->read ? b->digest : b->err.text) == 0;
}

/* False: asked to stop. */
static bool wait_between(struct engine *engine)
{
	int64_t began = clock_ms(), left;
	int64_t end = began + (engine->files.remote ? REMOTE_MS : LOCAL_MS);

	while ((left = clock_left(end)) > 0 && !self_stop_signal()) {
		if (engine->watch->waiting) {
			engine->watch->waiting(engine->watch->context, "the tree, read once more",
			                       clock_ms() - began);
		}
		poll(NULL, 0, (int)left);
	}
	return !self_stop_signal();
}

static int read_settled(struct engine *engine, struct err *err)
{
	const char *path = history_last_good_path(engine);
	struct reading last = read_again(engine), next;
	char known[65];

	if (last.read && path && last_good_digest(path, known) && strcmp(known, last.digest) == 0) {
		return 0;
	}
	/* What hangs is not asked twice. */
	for (int i = 1; i < READINGS_MOST && (last.read || last.err.code != ERR_LIMIT); i++) {
		if (!wait_between(engine)) {
			return err_set(err, ERR_HOST, 0, "stopped by a signal");
		}
		next = read_again(engine);
		if (agree(&last, &next)) {
			return next.read ? 0 : err_copy(err, &next.err);
		}
		last = next;
	}
	return last.read ? err_set(err, ERR_INPUT, 0,
	                           "%s keeps changing: of %d readings no two in a row were the same",
	                           engine->options->tree, READINGS_MOST)
	                 : err_copy(err, &last.err);
}

int inputs_read(struct engine *engine, struct err *err)
{
	/* Who applies by hand takes what lies there. */
	return engine->options->stale_ok && engine->options->write_state ? read_settled(engine, err)
	                                                                 : read_once(engine, err);
}

/* Path within the tree → text. */
struct value inputs_document(struct engine *engine)
{
	struct value map = value_map();

	for (size_t i = 0; i < engine->files.count; i++) {
		value_put(engine->arena, &map, engine->files.list[i].path,
		          value_string(engine->files.list[i].text));
	}
	value_seal(&map);
	return map;
}

struct value inputs_manifest(struct engine *engine)
{
	struct value map = value_map();

	for (size_t i = 0; i < engine->files.count; i++) {
		const struct tree_file *f = &engine->files.list[i];
		struct digest digest = digest_bytes(f->text, f->length);

		value_put(engine->arena, &map, f->path,
		          value_string(arena_strdup(engine->arena, digest.hex)));
	}
	value_seal(&map);
	return map;
}

int inputs_from_document(struct engine *engine, const struct value *document, struct err *err)
{
	struct tree_files files = {0};

	if (document->type != VALUE_MAP) {
		return err_set(err, ERR_STORE, 0, "history kept no tree");
	}
	for (size_t i = 0; i < document->count; i++) {
		const struct value_entry *e = &document->entries[i];

		if (e->value.type != VALUE_STRING) {
			return err_set(err, ERR_STORE, 0, "history kept a broken tree");
		}
		files.list =
		    arena_grow(engine->arena, files.list, files.count, &files.cap, sizeof *files.list);
		files.list[files.count++] = (struct tree_file){
		    .name = arena_printf(engine->arena, "last-good:%s", e->key),
		    .path = e->key,
		    .text = e->value.string,
		    .length = strlen(e->value.string),
		};
	}
	engine->files = files;
	use_files(engine);
	return 0;
}

/* A recorded node plans under its own name. */
static const char *recorded_name(const struct engine *engine)
{
	const struct resource *node = engine->recorded ? strmap_get(engine->recorded, "node") : NULL;

	return node && node->state == STATE_PRESENT ? node->node.name : NULL;
}

static int parse_identity(struct engine *engine, const char *name, const char *text, size_t length,
                          struct diags *diags, struct err *err)
{
	struct desired_file *own = &engine->desired_files[engine->desired_file_count];

	*own = (struct desired_file){name, "node.yaml", text, length};
	/* For the caret of its faults; it is not handed to desired_load. */
	engine->desired_file_count++;
	if (desired_identity_parse(engine->arena, own, &engine->identity, diags)) {
		return err_set(err, ERR_INPUT, 0, "%s does not say who this node is", name);
	}
	return 0;
}

int inputs_identify(struct engine *engine, struct diags *diags, struct err *err)
{
	struct tree_file file;
	struct err fault = {0};

	if (engine->options->node || recorded_name(engine)) {
		engine->identity = (struct desired_identity){
		    .name = engine->options->node ? engine->options->node : recorded_name(engine),
		    .source = engine->options->node ? "--node" : "the recorded facts",
		};
		return 0;
	}
	engine->node_text = NULL;
	if (worker_read_file(engine->worker, node_file, self_is_root(), NODE_FILE_MOST, engine->arena,
	                     &file, &fault)) {
		if (engine->kept_node) {
			/* It went, or does not answer, with the tree: this node is still who it was. */
			return parse_identity(engine, "last-good:node.yaml", engine->kept_node,
			                      strlen(engine->kept_node), diags, err);
		}
		if (fault.os != ENOENT) {
			return err_copy(err, &fault);
		}
		engine->identity = (struct desired_identity){
		    .name = self_host_name(engine->arena),
		    .source = "the host name",
		};
		return 0;
	}
	engine->node_text = file.text;
	return parse_identity(engine, node_file, file.text, file.length, diags, err);
}
