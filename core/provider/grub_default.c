// SPDX-License-Identifier: MIT
/*
 * See grub_default.h. Why not update-grub itself: it writes into the grub.cfg in use, so that to be
 * stopped in the middle leaves half a menu, and what came out can be looked at only afterwards.
 */
#include "provider/grub_default.h"

#include "base/str.h"
#include "provider/grub.h"
#include "provider/lines.h"

#include <errno.h>
#include <string.h>

#define CONFIG BOOT_LOADER_GRUB "/grub.cfg"
#define OWN_FILE BOOT_LOADER_FOLDER "/" BOOT_LOADER_FILE
#define MADE "/run/reconcile-grub.cfg"

enum {
	MAKE_MS = 5 * 60 * 1000, /* os-prober looks into every partition */
	CONFIG_MOST = 4 << 20,
	TRIES = 3,
};

struct work {
	struct host *host;
	const char *release; /* NULL: give it back */
	struct arena *arena;
	struct applied *applied;
	struct file_bytes made;
	struct grub_answer answer;
};

static int failed(struct work *w, const char *why)
{
	w->applied->outcome = OUTCOME_FAILED;
	w->applied->why = why;
	return 0;
}

/* ---- Our file ---- */

static int write_own(struct work *w, const char *text, struct err *err)
{
	struct file_write write = {.data = text, .length = strlen(text), .mode = 0644};
	struct file_look look;

	if (w->host->ops->look(w->host, BOOT_LOADER_FOLDER, &look, err) ||
	    (look.type == FILE_NONE &&
	     w->host->ops->make_directory(w->host, BOOT_LOADER_FOLDER, 0755, err))) {
		return -(int)err->code;
	}
	return w->host->ops->write(w->host, OWN_FILE, &write, err);
}

/* Ids hold what device names and releases do. Anything else could be a command for the shell that
 * reads our file. */
static bool is_plain(const char *path)
{
	return strspn(path, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	                    "-._>/:+~=@,") == strlen(path);
}

static const char *own_text(struct work *w, const char *path)
{
	static const char head[] =
	    "# Written by reconcile, which keeps the kernel that boots by default. Changes made here\n"
	    "# do not last; what it should be is said in the desired state.\n";

	return path ? arena_printf(w->arena, "%s# kernel %s\nGRUB_DEFAULT=\"%s\"\n", head, w->release,
	                           path)
	            : arena_printf(w->arena, "%s# Given back: this file is about to go.\n", head);
}

/* As it was before, so that nobody else's update-grub takes a default that proved wrong. */
static int put_back(struct work *w, const char *before, struct err *err)
{
	if (before) {
		return write_own(w, before, err);
	}
	return w->host->ops->remove_file(w->host, OWN_FILE, err);
}

/* ---- A new grub.cfg ---- */

static const char *last_words(struct work *w, const struct child_result *result)
{
	AUTO(str_free) struct str words = {0};
	char *rest = arena_strdup(w->arena, str_text(&result->err)), *last = NULL;

	for (char *line; (line = lines_next(&rest));) {
		last = *line ? line : last;
	}
	str_add_printable(&words, last ? last : "it said nothing", 300);
	return arena_strdup(w->arena, str_text(&words));
}

/* *ret_made: there is one, in w. */
static int make(struct work *w, bool *ret_made, struct err *err)
{
	const char *const argv[] = {"grub-mkconfig", "-o", MADE, NULL};
	struct child_command command = {.argv = argv, .timeout_ms = MAKE_MS};
	struct child_result result;

	*ret_made = false;
	if (w->host->ops->run(w->host, &command, &result, err)) {
		return -(int)err->code;
	}
	bool well = !result.timed_out && !result.signalled && result.status == 0;
	const char *why = result.timed_out ? "grub-mkconfig did not end in time and was stopped"
	                                   : arena_printf(w->arena, "grub-mkconfig failed: %s",
	                                                  last_words(w, &result));

	w->applied->detail = well ? w->applied->detail : arena_strdup(w->arena, str_text(&result.err));
	child_result_free(&result);
	if (!well) {
		return failed(w, why);
	}
	if (w->host->ops->read(w->host, MADE, CONFIG_MOST, w->arena, &w->made, err)) {
		return -(int)err->code;
	}
	/* What grubenv says does not matter here: only what the file itself has as default. */
	grub_read(w->arena, arena_strndup(w->arena, w->made.data, w->made.length), NULL, &w->answer);
	*ret_made = true;
	return 0;
}

static bool is_same(const struct file_look *a, const struct file_look *b)
{
	return a->type == b->type && a->inode == b->inode && a->size == b->size &&
	       a->modified_ns == b->modified_ns;
}

/* The file that GRUB reads, replaced whole; its mode may keep a password from being read. */
static int install(struct work *w, const struct file_look *old, struct err *err)
{
	struct file_write write = {
	    .data = w->made.data,
	    .length = w->made.length,
	    .mode = old->type == FILE_REGULAR ? old->mode : 0600,
	    .uid = old->uid,
	    .gid = old->gid,
	};

	struct err ignored = {0};

	if (w->host->ops->write(w->host, CONFIG, &write, err)) {
		return -(int)err->code;
	}
	/* It lies in /run: what stays there is written over next time. */
	(void)!w->host->ops->remove_file(w->host, MADE, &ignored);
	return 0;
}

/* Is it what we want GRUB to read? Else *ret_path is the id path to try next, NULL when there is
 * none to try, and *ret_why says why not. */
static bool is_right(struct work *w, const char *asked, const char **ret_path, const char **ret_why)
{
	const struct grub_answer *a = &w->answer;

	*ret_path = NULL;
	if (!w->release) {
		*ret_why = "the grub.cfg that was made has no entry for any kernel";
		return a->count > 0;
	}
	const struct grub_entry *entry = grub_entry_of(a, w->release);

	if (!entry) {
		*ret_why =
		    arena_printf(w->arena, "the grub.cfg that was made has no entry for %s", w->release);
		return false;
	}
	if (text_equal(a->preset, entry->path) && text_equal(a->default_entry, entry->path)) {
		return true;
	}
	/* Ids hold the name of a device: they change with what grub-probe finds. */
	*ret_path = !text_equal(asked, entry->path) && is_plain(entry->path) ? entry->path : NULL;
	*ret_why = arena_printf(
	    w->arena, "the grub.cfg that was made has %s as its default, not what " OWN_FILE " says",
	    a->preset ? a->preset : "nothing");
	return false;
}

/* One after the other until a grub.cfg that is right has taken its place: an id may move, and
 * somebody else may write a grub.cfg meanwhile. */
static int converge(struct work *w, const char *path, bool *ret_done, struct err *err)
{
	const char *why = "somebody else keeps writing " CONFIG;
	struct file_look old, now;
	const char *next;
	bool made;

	*ret_done = false;
	for (int i = 0; i < TRIES; i++) {
		if (w->host->ops->look(w->host, CONFIG, &old, err) ||
		    write_own(w, own_text(w, path), err) || make(w, &made, err)) {
			return -(int)err->code;
		}
		if (!made) {
			return 0;
		}
		if (!is_right(w, path, &next, &why)) {
			if (!next) {
				break;
			}
			path = next;
			continue;
		}
		if (w->host->ops->look(w->host, CONFIG, &now, err)) {
			return -(int)err->code;
		}
		if (is_same(&old, &now)) {
			*ret_done = install(w, &old, err) == 0;
			return *ret_done ? 0 : -(int)err->code;
		}
		why = "somebody else keeps writing " CONFIG;
	}
	return failed(w, why);
}

int grub_default_set(struct host *host, const char *release, struct arena *arena,
                     struct applied *applied, struct err *err)
{
	struct work w = {.host = host, .release = release, .arena = arena, .applied = applied};
	const struct boot_choice *choice;
	struct boot_loader loader;
	bool done;
	char *before;

	if (boot_loader_read(host, arena, &loader, err) ||
	    lines_read(host, OWN_FILE, arena, &before, err)) {
		return -(int)err->code;
	}
	choice = release ? boot_loader_choice(&loader, release) : NULL;
	if (release && (!choice || !is_plain(choice->path))) {
		return failed(&w, arena_printf(arena, "no id of GRUB's menu names %s", release));
	}
	if (converge(&w, choice ? choice->path : NULL, &done, err)) {
		struct err ignored = {0};

		(void)!put_back(&w, before, &ignored); /* what went wrong first is what is told */
		return -(int)err->code;
	}
	if (!done) {
		return put_back(&w, before, err);
	}
	return release ? 0 : host->ops->remove_file(host, OWN_FILE, err);
}
