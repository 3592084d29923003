// SPDX-License-Identifier: MIT
/* See worker.h: lists, trees and files, which come through the worker as well. */
#include "base/clock.h"
#include "base/path.h"
#include "provider/worker_link.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int worker_list(struct worker *worker, const struct kind *kind, struct arena *arena,
                struct keys *ret_keys, struct err *err)
{
	struct value question = value_map(), answer;
	struct keys keys = {0};

	value_put(arena, &question, "op", value_string("list"));
	value_put(arena, &question, "kind", value_string(kind->name));
	value_seal(&question);
	if (worker_refuse_what(worker, kind->name, err) || worker_request(worker, &question, err)) {
		return -(int)err->code;
	}
	if (worker_hear(worker, kind->name, clock_ms() + worker->options.observe_ms, arena, &answer,
	                err)) {
		return err->code == ERR_LIMIT ? worker_give_up(worker, kind->name, NULL, err)
		                              : -(int)err->code;
	}
	const struct value *list = value_get(&answer, "keys");

	for (size_t i = 0; list && list->type == VALUE_LIST && i < list->count; i++) {
		if (list->items[i].type == VALUE_STRING) {
			keys_add(arena, &keys, list->items[i].string);
		}
	}
	*ret_keys = keys;
	return 0;
}

/* ---- Trees and files ---- */

/* The path from "/" on, since the worker stands there. */
static int absolute(struct arena *arena, const char *path, const char **ret_path, struct err *err)
{
	char *folder;

	if (path[0] == '/') {
		*ret_path = path;
		return 0;
	}
	folder = getcwd(NULL, 0);
	if (!folder) {
		return err_set(err, ERR_HOST, errno, "cannot tell which folder this is");
	}
	*ret_path = path_join(arena, arena_strdup(arena, folder), path);
	free(folder);
	return 0;
}

/* Hears what was asked of a path; `shown` is how others called it. */
static int hear_of_path(struct worker *worker, const char *shown, const char *path,
                        struct arena *arena, struct value *ret_answer, struct err *err)
{
	worker->trace.path = path;
	int r =
	    worker_hear(worker, shown, clock_ms() + worker->options.observe_ms, arena, ret_answer, err);

	r = r == -ERR_LIMIT ? worker_give_up(worker, shown, path, err) : r;
	worker_trace_over(worker);
	return r;
}

static int read_file_answer(const struct value *answer, struct arena *arena,
                            struct tree_file *ret_file, struct err *err)
{
	const char *text = value_text(answer, "text"), *bytes;
	size_t length;

	bytes = text ? worker_unpack(arena, text, &length) : NULL;
	if (!bytes) {
		return err_set(err, ERR_GONE, 0, "the worker sent something that makes no sense");
	}
	ret_file->text = bytes;
	ret_file->length = length;
	return 0;
}

/* `path` is absolute, `dir` as typed. */
static int receive_tree(struct worker *worker, const char *path, const char *dir,
                        struct arena *arena, struct tree_files *files, struct err *err)
{
	for (;;) {
		AUTO(arena_auto) struct arena *scratch = arena_create();
		struct tree_file file = {0};
		struct value answer;

		if (hear_of_path(worker, dir, path, scratch, &answer, err)) {
			return -(int)err->code;
		}
		if (answer.type == VALUE_NULL) {
			return 0;
		}
		const char *name = value_text(&answer, "name"), *below = value_text(&answer, "path");

		if (text_equal(below, TREE_IS_REMOTE)) {
			files->remote = true;
			continue;
		}
		if (read_file_answer(&answer, arena, &file, err)) {
			return -(int)err->code;
		}
		file.name = arena_strdup(arena, name ? name : "");
		file.path = arena_strdup(arena, below ? below : "");
		files->list =
		    arena_grow(arena, files->list, files->count, &files->cap, sizeof *files->list);
		files->list[files->count++] = file;
	}
}

int worker_read_tree(struct worker *worker, const char *dir, bool trusted, struct arena *arena,
                     struct tree_files *ret_files, struct err *err)
{
	struct value question = value_map();
	struct tree_files files = {0};
	const char *path;

	if (absolute(arena, dir, &path, err)) {
		return -(int)err->code;
	}
	value_put(arena, &question, "op", value_string("tree"));
	value_put(arena, &question, "path", value_string(path));
	value_put(arena, &question, "shown", value_string(dir));
	value_put(arena, &question, "trusted", value_bool(trusted));
	value_seal(&question);
	if (worker_refuse_path(worker, path, dir, err) || worker_request(worker, &question, err) ||
	    receive_tree(worker, path, dir, arena, &files, err)) {
		return -(int)err->code;
	}
	*ret_files = files;
	return 0;
}

/* One parameter more than others have, as worker.h says. NOLINTNEXTLINE(*-function-size) */
int worker_read_file(struct worker *worker, const char *path, bool trusted, size_t most,
                     struct arena *arena, struct tree_file *ret_file, struct err *err)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	struct value question = value_map(), answer;
	struct tree_file file = {.name = arena_strdup(arena, path), .path = arena_strdup(arena, path)};
	const char *place;

	if (absolute(scratch, path, &place, err)) {
		return -(int)err->code;
	}
	value_put(scratch, &question, "op", value_string("file"));
	value_put(scratch, &question, "path", value_string(place));
	value_put(scratch, &question, "trusted", value_bool(trusted));
	value_put(scratch, &question, "most", value_int((int64_t)most));
	value_seal(&question);
	if (worker_refuse_path(worker, place, path, err) || worker_request(worker, &question, err)) {
		return -(int)err->code;
	}
	if (hear_of_path(worker, path, place, scratch, &answer, err)) {
		return -(int)err->code;
	}
	if (read_file_answer(&answer, arena, &file, err)) {
		return -(int)err->code;
	}
	*ret_file = file;
	return 0;
}

const char *worker_unanswered(struct worker *worker, const char *path, struct arena *arena)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	struct value question = value_map(), answer;
	struct err err = {0};
	const char *place;

	if (absolute(scratch, path, &place, &err)) {
		return arena_strdup(arena, err.text);
	}
	value_put(scratch, &question, "op", value_string("answers"));
	value_put(scratch, &question, "path", value_string(place));
	value_seal(&question);
	bool asked = !worker_refuse_path(worker, place, path, &err) &&
	             !worker_request(worker, &question, &err) &&
	             !hear_of_path(worker, path, place, scratch, &answer, &err);

	return !asked && err.code == ERR_LIMIT ? arena_strdup(arena, err.text) : NULL;
}
