// SPDX-License-Identifier: MIT
/* See grub_once.h. */
#include "provider/grub_once.h"

#include "base/str.h"
#include "provider/grub.h"
#include "provider/lines.h"

#include <errno.h>
#include <string.h>

#define BLOCK BOOT_LOADER_GRUB "/grubenv"
#define COPY "/run/reconcile-grubenv"

enum { TOOL_MS = 20000, BLOCK_MOST = 64 << 10 };

/* ---- Tools ---- */

/* Runs it to its end: *ret_out is what it printed, *ret_why what is wrong with it, or NULL. */
static int run(struct host *host, const char *const *argv, struct arena *arena, char **ret_out,
               const char **ret_why, struct err *err)
{
	struct child_command command = {.argv = argv, .timeout_ms = TOOL_MS};
	AUTO(str_free) struct str words = {0};
	struct child_result result;

	if (host->ops->run(host, &command, &result, err)) {
		return -(int)err->code;
	}
	str_add_printable(&words, str_text(&result.err), 300);
	*ret_out = arena_strdup(arena, str_text(&result.out));
	*ret_why = NULL;
	if (result.timed_out) {
		*ret_why = arena_printf(arena, "%s does not answer", argv[0]);
	} else if (result.signalled || result.status) {
		*ret_why = arena_printf(arena, "%s failed: %s", argv[0], str_text(&words));
	}
	child_result_free(&result);
	return 0;
}

static int probe(struct host *host, const char *target, struct arena *arena, char **ret_out,
                 const char **ret_why, struct err *err)
{
	const char *const argv[] = {"grub-probe", target, BOOT_LOADER_GRUB, NULL};

	return run(host, argv, arena, ret_out, ret_why, err);
}

int grub_once_probe(struct host *host, struct arena *arena, const char **ret_obstacle,
                    struct err *err)
{
	static const char *const types[] = {"ext2", "fat", "xfs"};
	char *out;

	if (probe(host, "--target=abstraction", arena, &out, ret_obstacle, err)) {
		return -(int)err->code;
	}
	const char *layer = *ret_obstacle ? NULL : lines_word(&(char *){lines_next(&out)});

	if (layer) {
		*ret_obstacle = arena_printf(arena,
		                             "GRUB cannot write through %s, so that it could not forget "
		                             "the entry once it was started",
		                             layer);
	}
	if (*ret_obstacle) {
		return 0;
	}
	if (probe(host, "--target=fs", arena, &out, ret_obstacle, err)) {
		return -(int)err->code;
	}
	const char *type = *ret_obstacle ? NULL : lines_next(&out);

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (type && strcmp(type, types[i]) == 0) {
			return 0;
		}
	}
	if (!*ret_obstacle) {
		*ret_obstacle = arena_printf(arena,
		                             "GRUB cannot write to %s, so that it could not forget the "
		                             "entry once it was started",
		                             type ? type : "a file system that grub-probe has no name for");
	}
	return 0;
}

/* ---- The block ---- */

struct block {
	const char *text;
	size_t length;
	unsigned mode, uid, gid;
	bool valid;
};

static int read_block(struct host *host, const char *path, struct arena *arena,
                      struct block *ret_block, struct err *err)
{
	struct file_bytes bytes;
	struct err fault = {0};

	*ret_block = (struct block){.text = "", .mode = 0600};
	if (host->ops->read(host, path, BLOCK_MOST, arena, &bytes, &fault)) {
		return fault.os == ENOENT ? 0 : err_copy(err, &fault);
	}
	*ret_block = (struct block){
	    .text = bytes.data,
	    .length = bytes.length,
	    .mode = bytes.look.mode,
	    .uid = bytes.look.uid,
	    .gid = bytes.look.gid,
	    /* As GRUB takes it: by how it starts. What is none, it passes over. */
	    .valid = text_starts(bytes.data, "# GRUB Environment Block\n"),
	};
	return 0;
}

static int write_block(struct host *host, const char *path, const struct block *block,
                       struct err *err)
{
	struct file_write write = {
	    .data = block->text,
	    .length = block->length,
	    .mode = block->mode,
	    .uid = block->uid,
	    .gid = block->gid,
	};

	return host->ops->write(host, path, &write, err);
}

/* The copy to work on; an empty or broken block makes room for a new one. */
static int copy_block(struct host *host, const struct block *block, struct arena *arena,
                      const char **ret_why, struct err *err)
{
	const char *const argv[] = {"grub-editenv", COPY, "create", NULL};
	char *out;

	*ret_why = NULL;
	return block->valid ? write_block(host, COPY, block, err)
	                    : run(host, argv, arena, &out, ret_why, err);
}

/* `path` NULL: unset. */
static int edit(struct host *host, const char *path, struct arena *arena, const char **ret_why,
                struct err *err)
{
	const char *const argv[] = {
	    "grub-editenv",
	    COPY,
	    path ? "set" : "unset",
	    path ? arena_printf(arena, "next_entry=%s", path) : "next_entry",
	    NULL,
	};
	struct block old, new;
	char *out;

	if (read_block(host, BLOCK, arena, &old, err) || copy_block(host, &old, arena, ret_why, err)) {
		return -(int)err->code;
	}
	if (*ret_why) {
		return 0;
	}
	if (run(host, argv, arena, &out, ret_why, err) || *ret_why ||
	    read_block(host, COPY, arena, &new, err)) {
		return *ret_why ? 0 : -(int)err->code;
	}
	if (!new.valid || !text_equal(grub_env_value(arena, new.text, "next_entry"), path)) {
		*ret_why = "grub-editenv made no environment block of it";
		return 0;
	}
	new.mode = old.mode;
	new.uid = old.uid;
	new.gid = old.gid;
	return write_block(host, BLOCK, &new, err) || host->ops->remove_file(host, COPY, err)
	           ? -(int)err->code
	           : 0;
}

int grub_once_set(struct host *host, const char *release, struct arena *arena,
                  struct applied *applied, struct err *err)
{
	const struct boot_choice *choice = NULL;
	struct boot_loader loader;
	const char *why = NULL;

	if (*release) {
		if (boot_loader_read(host, arena, &loader, err)) {
			return -(int)err->code;
		}
		choice = boot_loader_choice(&loader, release);
		if (!choice) {
			why = arena_printf(arena, "no id of GRUB's menu names %s", release);
		}
	}
	if (!why && edit(host, choice ? choice->path : NULL, arena, &why, err)) {
		return -(int)err->code;
	}
	if (why) {
		applied->outcome = OUTCOME_FAILED;
		applied->why = why;
	}
	return 0;
}
