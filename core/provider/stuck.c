// SPDX-License-Identifier: MIT
/* See stuck.h. */
#include "provider/stuck.h"

#include "base/child.h"
#include "base/json.h"
#include "base/path.h"
#include "host/files.h"
#include "host/self.h"

#include <string.h>

static void append(struct stuck_list *list, const struct stuck *stuck)
{
	list->list = arena_grow(list->arena, list->list, list->count, &list->cap, sizeof *list->list);
	list->list[list->count++] = *stuck;
}

/* False: the record says nothing (any more) and can go. */
static bool read_record(struct stuck_list *list, const char *path, const char *boot_id)
{
	const char *text;
	struct value v;
	struct err err;

	if (self_state_read(path, list->arena, &text, &err) || !text ||
	    json_parse(text, strlen(text), path, list->arena, &v, &err)) {
		return false;
	}
	struct stuck stuck = {
	    .target = value_text(&v, "target"),
	    .mount_id = (uint64_t)value_number(&v, "mount_id", 0),
	    .what = value_text(&v, "what"),
	    .act = value_text(&v, "act"),
	    .since = value_number(&v, "since", 0),
	    .pid = (pid_t)value_number(&v, "pid", 0),
	    .starttime = (uint64_t)value_number(&v, "starttime", 0),
	};

	if (!text_equal(value_text(&v, "boot_id"), boot_id) || !stuck.what ||
	    !child_is_alive(stuck.pid, stuck.starttime)) {
		return false;
	}
	append(list, &stuck);
	return true;
}

void stuck_load(struct stuck_list *list, const char *run_dir)
{
	const char *dir = path_join(list->arena, run_dir, "stuck");
	const char *boot_id = self_boot_id(list->arena);
	struct file_names names;
	struct err err;

	if (files_own_list(dir, false, list->arena, &names, &err)) {
		return;
	}
	for (size_t i = 0; i < names.count; i++) {
		const char *path = path_join(list->arena, dir, names.list[i]);

		if (names.list[i][0] != '.' && text_ends(names.list[i], ".json") &&
		    !read_record(list, path, boot_id) && !list->read_only &&
		    self_state_remove(path, &err)) {
			continue; /* without root it stays, and is passed over each time */
		}
	}
}

void stuck_add(struct stuck_list *list, const struct stuck *stuck, const char *run_dir)
{
	AUTO(str_free) struct str text = {0};
	struct value v = value_map();
	struct err err;

	append(list, stuck);
	if (!stuck->pid || !run_dir || list->read_only) {
		return;
	}
	value_put(list->arena, &v, "act", value_string(stuck->act));
	value_put(list->arena, &v, "boot_id", value_string(self_boot_id(list->arena)));
	value_put(list->arena, &v, "mount_id", value_int((int64_t)stuck->mount_id));
	value_put(list->arena, &v, "pid", value_int(stuck->pid));
	value_put(list->arena, &v, "since", value_int(stuck->since));
	value_put(list->arena, &v, "starttime", value_int((int64_t)stuck->starttime));
	value_put(list->arena, &v, "target", value_string(stuck->target));
	value_put(list->arena, &v, "what", value_string(stuck->what));
	value_seal(&v);
	json_print(&text, &v, 2);
	const char *path = arena_printf(list->arena, "%s/stuck/%d.json", run_dir, (int)stuck->pid);

	if (self_state_write(path, str_text(&text), text.length, &err)) {
		return;
	}
}

const struct stuck *stuck_over(const struct stuck_list *list, const char *path, bool or_same)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct stuck *stuck = &list->list[i];

		if (stuck->target && path_is_below(path, stuck->target, or_same) &&
		    (!stuck->pid || child_is_alive(stuck->pid, stuck->starttime))) {
			return stuck;
		}
	}
	return NULL;
}

const struct stuck *stuck_at(const struct stuck_list *list, const char *what, bool acting)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct stuck *stuck = &list->list[i];

		if (stuck->pid && (acting || !stuck->act) && text_equal(stuck->what, what) &&
		    child_is_alive(stuck->pid, stuck->starttime)) {
			return stuck;
		}
	}
	return NULL;
}

size_t stuck_alive(const struct stuck_list *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct stuck *stuck = &list->list[i];

		n += stuck->pid && child_is_alive(stuck->pid, stuck->starttime);
	}
	return n;
}
