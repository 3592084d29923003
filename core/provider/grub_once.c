// SPDX-License-Identifier: MIT
/* See grub_once.h. */
#include "provider/grub_once.h"

#include "base/clock.h"
#include "base/str.h"
#include "provider/grub.h"
#include "provider/lines.h"

#include <errno.h>
#include <string.h>

#define BLOCK BOOT_LOADER_GRUB "/grubenv"
#define COPY "/run/reconcile-grubenv"

enum {
	TOOL_MS = 20000,
	PROBE_MS = 2500, /* both questions together, within the deadline of an observation */
	BLOCK_MOST = 64 << 10,
};

/* ---- Tools ---- */

/* Runs it to its end: *ret_out is what it printed, *ret_why what is wrong with it, or NULL. */
static int run(struct host *host, const struct child_command *command, struct arena *arena,
               char **ret_out, const char **ret_why, struct err *err)
{
	const char *name = command->argv[0];
	AUTO(str_free) struct str words = {0};
	struct child_result result;
	struct err fault = {0};

	if (host->ops->run(host, command, &result, &fault)) {
		*ret_out = arena_strdup(arena, "");
		*ret_why = arena_printf(arena, "there is no %s here", name);
		return fault.os == ENOENT ? 0 : err_copy(err, &fault);
	}
	str_add_words(&words, str_text(&result.err), 300);
	*ret_out = arena_strdup(arena, str_text(&result.out));
	*ret_why = NULL;
	if (result.timed_out) {
		*ret_why = arena_printf(arena, "%s does not answer", name);
	} else if (result.signalled || result.status) {
		*ret_why = arena_printf(arena, "%s failed: %s", name, str_text(&words));
	}
	child_result_free(&result);
	return 0;
}

struct probing {
	struct host *host;
	struct arena *arena;
	int64_t end;
	const char *obstacle;
};

/* The first line of what grub-probe says; NULL when there is none, or an obstacle now. */
static int probe(struct probing *p, const char *target, char **ret_line, struct err *err)
{
	const char *const argv[] = {"grub-probe", target, BOOT_LOADER_GRUB, NULL};
	int64_t left = clock_left(p->end);
	struct child_command command = {.argv = argv, .timeout_ms = left > 0 ? (int)left : 1};
	char *out;

	*ret_line = NULL;
	if (run(p->host, &command, p->arena, &out, &p->obstacle, err)) {
		return -(int)err->code;
	}
	*ret_line = p->obstacle ? NULL : lines_next(&out);
	return 0;
}

/* Is it one that GRUB can write to? */
static bool is_writable(const char *type)
{
	static const char *const types[] = {"ext2", "fat", "xfs"};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (text_equal(type, types[i])) {
			return true;
		}
	}
	return false;
}

int grub_once_probe(struct host *host, struct arena *arena, const char **ret_obstacle,
                    struct err *err)
{
	struct probing p = {.host = host, .arena = arena, .end = clock_ms() + PROBE_MS};
	char *layers, *type = NULL;

	if (probe(&p, "--target=abstraction", &layers, err)) {
		return -(int)err->code;
	}
	const char *layer = lines_word(&layers);

	if (layer) {
		p.obstacle = arena_printf(arena,
		                          "GRUB cannot write through %s, so that it could not forget "
		                          "the entry once it was started",
		                          layer);
	}
	if (!p.obstacle && probe(&p, "--target=fs", &type, err)) {
		return -(int)err->code;
	}
	if (!p.obstacle && !is_writable(type)) {
		p.obstacle = arena_printf(arena,
		                          "GRUB cannot write to %s, so that it could not forget the "
		                          "entry once it was started",
		                          type ? type : "a file system that grub-probe has no name for");
	}
	*ret_obstacle = p.obstacle;
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
	const struct child_command command = {.argv = argv, .timeout_ms = TOOL_MS};
	char *out;

	*ret_why = NULL;
	return block->valid ? write_block(host, COPY, block, err)
	                    : run(host, &command, arena, &out, ret_why, err);
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
	const struct child_command command = {.argv = argv, .timeout_ms = TOOL_MS};
	struct block old, new;
	char *out;

	if (read_block(host, BLOCK, arena, &old, err) || copy_block(host, &old, arena, ret_why, err)) {
		return -(int)err->code;
	}
	if (*ret_why) {
		return 0;
	}
	if (run(host, &command, arena, &out, ret_why, err) || *ret_why ||
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
