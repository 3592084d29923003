// SPDX-License-Identifier: MIT
/* Reads the files of a tree, in a worker: a tree may lie on the file system that has died. What is
 * in them is for others to judge. */
#include "provider/worker_inner.h"

#include "base/path.h"
#include "base/remote_fs.h"

#include <errno.h>

enum { FILE_MOST = 16 << 20 };

struct reading {
	const char *dir, *shown;
	bool trusted;
	const struct tree_sink *sink;
	struct err *err;
};

static bool is_missing(const struct err *err)
{
	return err->os == ENOENT || err->os == ENOTDIR;
}

/* An error of the machine becomes one of what the operator named. */
static int refuse(struct reading *in, const struct err *fault)
{
	err_copy(in->err, fault);
	if (fault->code == ERR_HOST) {
		in->err->code = ERR_INPUT;
	}
	return -(int)in->err->code;
}

static int read_one(struct reading *in, const char *path)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct file_bytes bytes;
	struct err fault = {0};

	if (files_own_read(path_join(arena, in->dir, path), in->trusted, FILE_MOST, arena, &bytes,
	                   &fault)) {
		if (fault.code == ERR_LIMIT) {
			return err_set(in->err, ERR_INPUT, 0, "%s/%s: is larger than 16 MiB", in->shown, path);
		}
		return refuse(in, &fault);
	}
	struct tree_file file = {
	    .name = path_join(arena, in->shown, path),
	    .path = path,
	    .text = bytes.data,
	    .length = bytes.length,
	};

	return in->sink->take(in->sink->context, &file, in->err);
}

/* Is it one of the files a folder holds? default.yaml and NAME.yml are no place for desired state,
 * but somebody meant them to be: they are read as well, for the loader to say so. */
static bool belongs(const char *name, const char *suffix)
{
	/* Hidden ones are what editors leave. */
	return name[0] != '.' &&
	       (text_ends(name, suffix) || (text_equal(suffix, ".yaml") && text_ends(name, ".yml")));
}

static int read_folder(struct reading *in, const char *folder, const char *suffix)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct file_names names;
	struct err fault = {0};

	if (files_own_list(path_join(arena, in->dir, folder), in->trusted, arena, &names, &fault)) {
		return is_missing(&fault) ? 0 : refuse(in, &fault);
	}
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.list[i];

		if (belongs(name, suffix) && read_one(in, path_join(arena, folder, name))) {
			return -(int)in->err->code;
		}
	}
	return 0;
}

static int find_tree(struct reading *in)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct file_names names;
	struct err fault = {0};

	if (!files_own_list(path_join(arena, in->dir, "state"), in->trusted, arena, &names, &fault)) {
		return 0;
	}
	if (!is_missing(&fault)) {
		return refuse(in, &fault);
	}
	return err_set(in->err, ERR_INPUT, fault.os,
	               "there is no tree in %s: expected a folder %s/state", in->shown, in->shown);
}

/* Said first, as a file that is none. Either folder may be a mount or a link of its own. */
static int tell_remote(struct reading *in)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const struct tree_file mark = {.name = "", .path = TREE_IS_REMOTE, .text = ""};

	return remote_fs_at(path_join(arena, in->dir, "state")) ||
	               remote_fs_at(path_join(arena, in->dir, "policies"))
	           ? in->sink->take(in->sink->context, &mark, in->err)
	           : 0;
}

int tree_read(const char *dir, const char *shown, bool trusted, const struct tree_sink *sink,
              struct err *err)
{
	struct reading in = {dir, shown, trusted, sink, err};

	if (find_tree(&in) || tell_remote(&in) || read_folder(&in, "state", ".yaml") ||
	    read_folder(&in, "state/nodes", ".yaml") || read_folder(&in, "state/roles", ".yaml") ||
	    read_folder(&in, "policies", ".lua") || read_folder(&in, "policies/lib", ".lua")) {
		return -(int)err->code;
	}
	return 0;
}
