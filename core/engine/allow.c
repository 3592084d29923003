// SPDX-License-Identifier: MIT
/* See allow.h. */
#include "engine/allow.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/path.h"
#include "engine/inner.h"
#include "engine/reboots.h"
#include "host/self.h"

#include <string.h>
#include <unistd.h>

enum { VERSION = 1 };

static const char version_key[] = "reconcile_allow";

static const char *file_of(const char *state_dir, struct arena *arena)
{
	return path_join(arena, state_dir, "allow.json");
}

static void add(struct arena *arena, struct allowed_list *list, const struct allowed *allowed)
{
	list->list = arena_grow(arena, list->list, list->count, &list->cap, sizeof *list->list);
	list->list[list->count++] = *allowed;
}

static int take(const struct value *item, struct allowed *ret_allowed)
{
	*ret_allowed = (struct allowed){
	    .release = value_text(item, "kernel"),
	    .reason = value_text(item, "reason"),
	    .who = value_text(item, "who"),
	    .since = value_number(item, "since", -1),
	    .until = value_number(item, "until", -1),
	};
	return ret_allowed->release && ret_allowed->reason && ret_allowed->who &&
	               ret_allowed->since >= 0 && ret_allowed->until >= 0
	           ? 0
	           : -1;
}

int allow_read(const char *state_dir, int64_t now, struct arena *arena,
               struct allowed_list *ret_list, struct err *err)
{
	const char *path = file_of(state_dir, arena), *text;
	struct allowed_list list = {0};
	struct value document;

	if (self_state_read(path, arena, &text, err)) {
		return -(int)err->code;
	}
	if (!text) {
		*ret_list = list;
		return 0;
	}
	if (json_parse(text, strlen(text), path, arena, &document, err)) {
		return -(int)err->code;
	}
	const struct value *items = value_get(&document, "allowed");

	if (value_number(&document, version_key, 0) != VERSION || !items || items->type != VALUE_LIST) {
		return err_set(err, ERR_INPUT, 0,
		               "%s: not a list of overrides of this version; without the file nothing is "
		               "allowed beyond the tree, and `reconcile allow` works again",
		               path);
	}
	for (size_t i = 0; i < items->count; i++) {
		struct allowed allowed;

		if (take(&items->items[i], &allowed)) {
			return err_set(err, ERR_INPUT, 0,
			               "%s: its entry %zu is damaged, expected kernel, reason, who, since and "
			               "until; without the file nothing is allowed beyond the tree, and "
			               "`reconcile allow` works again",
			               path, i + 1);
		}
		if (allowed.until > now) {
			add(arena, &list, &allowed);
		}
	}
	*ret_list = list;
	return 0;
}

const struct allowed *allow_find(const struct allowed_list *list, const char *release)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->list[i].release, release) == 0) {
			return &list->list[i];
		}
	}
	return NULL;
}

static int need_root(struct err *err)
{
	return geteuid() == 0 ? 0 : err_set(err, ERR_INPUT, 0, "allow needs root to change something");
}

struct value allow_to_value(struct arena *arena, const struct allowed_list *list)
{
	struct value items = value_list();

	for (size_t i = 0; i < list->count; i++) {
		struct value item = value_map();

		value_put(arena, &item, "kernel", value_string(list->list[i].release));
		value_put(arena, &item, "reason", value_string(list->list[i].reason));
		value_put(arena, &item, "who", value_string(list->list[i].who));
		value_put(arena, &item, "since", value_int(list->list[i].since));
		value_put(arena, &item, "until", value_int(list->list[i].until));
		value_seal(&item);
		value_append(arena, &items, item);
	}
	return items;
}

int allow_look(struct engine *engine, int64_t now, struct allowed_list *ret_list, struct err *err)
{
	return engine_reach_state(engine, err)
	           ? -(int)err->code
	           : allow_read(engine->options->state_dir, now, engine->arena, ret_list, err);
}

static int write_list(const char *state_dir, const struct allowed_list *list, struct arena *arena,
                      struct err *err)
{
	struct value document = value_map();
	AUTO(str_free) struct str text = {0};

	value_put(arena, &document, version_key, value_int(VERSION));
	value_put(arena, &document, "allowed", allow_to_value(arena, list));
	value_seal(&document);
	json_print(&text, &document, 1);
	str_addc(&text, '\n');
	return self_state_write(file_of(state_dir, arena), str_text(&text), text.length, err);
}

/* All that are in force but that one. */
static int read_others(const struct engine_options *options, const char *release,
                       struct arena *arena, struct allowed_list *ret_others, bool *ret_was_there,
                       struct err *err)
{
	struct allowed_list all;

	if (need_root(err) || allow_read(options->state_dir, clock_now(), arena, &all, err)) {
		return -(int)err->code;
	}
	*ret_others = (struct allowed_list){0};
	*ret_was_there = false;
	for (size_t i = 0; i < all.count; i++) {
		if (strcmp(all.list[i].release, release) == 0) {
			*ret_was_there = true;
		} else {
			add(arena, ret_others, &all.list[i]);
		}
	}
	return 0;
}

int allow_put(const struct engine_options *options, const struct allowed *allowed,
              struct arena *arena, struct err *err)
{
	struct allowed_list list;
	bool was_there;

	if (read_others(options, allowed->release, arena, &list, &was_there, err)) {
		return -(int)err->code;
	}
	add(arena, &list, allowed);
	return write_list(options->state_dir, &list, arena, err);
}

int allow_remove(const struct engine_options *options, const char *release, struct arena *arena,
                 struct err *err)
{
	struct allowed_list list;
	bool was_there;

	if (read_others(options, release, arena, &list, &was_there, err)) {
		return -(int)err->code;
	}
	return was_there ? write_list(options->state_dir, &list, arena, err)
	                 : err_set(err, ERR_INPUT, 0,
	                           "%s is not allowed, so there is nothing to remove", release);
}

int allow_reboots(const struct engine_options *options, struct arena *arena, struct err *err)
{
	return need_root(err) ? -(int)err->code : reboots_begin(options->state_dir, arena, err);
}

void allow_record(struct engine *engine, const char *what)
{
	struct store_run_start start = {
	    .command = what,
	    .trigger = engine->options->person ? "terminal" : "script",
	    .who = self_user(engine->arena),
	    .version = engine->options->version,
	    .node = engine->options->node ? engine->options->node : self_host_name(engine->arena),
	    .boot_id = engine->boot_id,
	    .tree_path = engine->options->tree,
	    .partial = true,
	};
	struct err err = {0};
	int64_t run;

	history_open(engine, STORE_WRITE);
	if (engine->store && (store_run_begin(engine->store, &start, &run, &err) ||
	                      store_run_end(engine->store, run, 0, NULL, NULL, &err))) {
		engine_note(engine, "history: %s", err.text);
	}
}
