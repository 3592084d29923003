// SPDX-License-Identifier: MIT
/* See pause.h. */
#include "engine/pause.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/path.h"
#include "engine/inner.h"
#include "engine/pause_copy.h"
#include "host/self.h"
#include "provider/tree_watch.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERSION = 1, ROUNDING = 5, TEXT_MOST = 64 << 10, SHOWN_MOST = 400 };

static const char touched_file[] = "/etc/reconcile/PAUSE", version_key[] = "reconcile_pause";

static const char *state_file(const struct engine_options *options, struct arena *arena)
{
	return path_join(arena, options->state_dir, "pause");
}

/* ---- What the files say ---- */

/* As it is shown: one line, without what is not printable; NULL when nothing is left. */
static const char *tidy(struct arena *arena, const char *text, size_t n)
{
	AUTO(str_free) struct str s = {0};

	while (n && strchr(" \t\r\n", text[n - 1])) {
		n--;
	}
	while (n && strchr(" \t\r\n", *text)) {
		text++;
		n--;
	}
	const char *copy = arena_strndup(arena, text, n);

	for (char *at = (char *)copy; *at; at++) {
		*at = *at == '\n' || *at == '\r' || *at == '\t' ? ' ' : *at;
	}
	str_add_printable(&s, copy, SHOWN_MOST);
	return *copy ? arena_strdup(arena, str_text(&s)) : NULL;
}

/* When it ends, on the wall clock as it is now, and whether that was. In the boot in which it was
 * made, time is what has passed since; later there is only the wall clock, and that the boot is not
 * older than the pause. */
static void judge_end(const struct value *v, const struct pause_moment *at, struct pause *pause)
{
	int64_t span = pause->until - pause->since;
	bool same_boot = *at->boot_id && text_equal(value_text(v, "boot_id"), at->boot_id);
	int64_t began_ms = same_boot ? value_number(v, "since_ms", at->now_ms) : 0;
	int64_t passed = (at->now_ms - began_ms) / 1000;
	bool by_clock = !same_boot || value_truth(v, "at_time", false);

	if (passed >= span || (by_clock && at->now >= pause->until)) {
		pause->is_over = true;
		pause->paused = false;
	} else {
		int64_t until = at->now + span - passed, off = until - pause->until;

		/* Only where the clock has jumped: the same pause is told in the same words. */
		if (off < -ROUNDING || (off > ROUNDING && !by_clock)) {
			pause->until = until;
		}
	}
}

void pause_parse(const char *text, size_t n, const struct pause_moment *at, struct arena *arena,
                 struct pause *ret_pause)
{
	struct pause pause = {.paused = true};
	struct value v;
	struct err err;

	if (!n || *text != '{') {
		/* Earlier versions wrote the sentence itself. */
		pause.reason = tidy(arena, text, n);
		*ret_pause = pause;
		return;
	}
	if (json_parse(text, n, "pause", arena, &v, &err) || v.type != VALUE_MAP ||
	    value_number(&v, version_key, 0) != VERSION) {
		pause.reason = "the file that says so is damaged";
		*ret_pause = pause;
		return;
	}
	const char *reason = value_text(&v, "reason"), *who = value_text(&v, "who");
	const struct value *until = value_get(&v, "until");

	pause.reason = reason ? tidy(arena, reason, strlen(reason)) : NULL;
	pause.who = who ? tidy(arena, who, strlen(who)) : NULL;
	pause.since = value_number(&v, "since", 0);
	if (until && until->type == VALUE_INT && pause.since > 0 && until->integer > pause.since) {
		pause.until = until->integer;
		judge_end(&v, at, &pause);
	}
	*ret_pause = pause;
}

/* Reads one of the files through the worker. True when there is one, readable or not. */
static bool read_one(struct engine *engine, const char *path, struct tree_file *file,
                     struct pause *pause)
{
	struct err err = {0};

	*pause = (struct pause){.path = path};
	if (!worker_read_file(engine->worker, path, false, TEXT_MOST, engine->arena, file, &err)) {
		return true;
	}
	*file = (struct tree_file){.text = ""};
	if (err.os == ENOENT || err.os == ENOTDIR) {
		struct stat st;

		/* A link that leads nowhere: its file system has just answered. */
		pause->paused = err.os == ENOENT && !lstat(path, &st);
		pause->reason = pause->paused ? "a link that leads nowhere" : NULL;
		return pause->paused;
	}
	if (err.code != ERR_INPUT || err.os == EACCES) {
		/* No answer, no worker, no right: that is not damage. */
		pause->unseen = arena_strdup(engine->arena, err.text);
		pause->hidden = err.os == EACCES;
		return false;
	}
	pause->paused = true;
	pause->reason = arena_strdup(engine->arena, err.text);
	return true;
}

/* Its file system has just answered, so that a look does not hang. */
static void look_at_touched(struct pause *pause)
{
	struct stat st;

	if (!lstat(pause->path, &st)) {
		pause->since = st.st_mtime;
	}
}

/* A copy says what it says; where there is none, why it is missed. */
static void look_at_copy(struct engine *engine, const struct pause_moment *now, struct pause *pause)
{
	const char *run_dir = engine->options->run_dir, *path = pause->path;
	const char *copy = path_join(engine->arena, run_dir, PAUSE_COPY);
	struct tree_file file;
	struct err err = {0};

	if (!worker_read_file(engine->worker, copy, false, TEXT_MOST, engine->arena, &file, &err) &&
	    pause_copy_parse(file.text, file.length, now, engine->arena, pause)) {
		pause->path = path;
	} else {
		pause->unseen = arena_printf(engine->arena, "%s, and root has left no word of it in %s",
		                             pause->unseen, run_dir);
	}
}

static void look_at_state(struct engine *engine, struct pause *pause)
{
	const struct pause_moment now = {clock_now(), clock_ms(), engine->boot_id};
	const char *path = state_file(engine->options, engine->arena);
	struct tree_file file;

	if (read_one(engine, path, &file, pause) && !pause->paused) {
		pause_parse(file.text, file.length, &now, engine->arena, pause);
		pause->path = path;
	}
	/* Nothing that may change the node goes by a copy. */
	if (pause->hidden && geteuid() != 0) {
		look_at_copy(engine, &now, pause);
	}
}

void pause_look(struct engine *engine, struct pause *ret_pause)
{
	struct arena *arena = engine->arena;
	struct tree_file file;
	struct pause touched, pause;

	if (read_one(engine, touched_file, &file, &touched)) {
		touched.touched = true;
		if (!touched.paused) {
			touched.reason = tidy(arena, file.text, file.length);
		}
		touched.paused = true;
		look_at_touched(&touched);
		*ret_pause = touched;
		return;
	}
	look_at_state(engine, &pause);
	if (!pause.paused && !pause.unseen) {
		pause.unseen = touched.unseen;
	}
	*ret_pause = pause;
}

/* ---- Words ---- */

const char *pause_text(struct arena *arena, const struct pause *pause)
{
	AUTO(str_free) struct str s = {0};
	char stamp[24];
	const char *comma = "";

	if (!pause->paused) {
		return NULL;
	}
	if (pause->touched) {
		str_addf(&s, "%s is there%s", pause->path, pause->reason ? ": " : "");
	}
	str_add(&s, pause->reason ? pause->reason : pause->touched ? "" : "no reason was given");
	if (pause->who || pause->since || pause->until || pause->seen) {
		str_add(&s, " (");
		if (pause->who) {
			str_add(&s, pause->who);
			comma = ", ";
		}
		if (pause->since) {
			str_addf(&s, "%ssince %s", comma, clock_stamp(pause->since, stamp));
			comma = ", ";
		}
		if (pause->until) {
			str_addf(&s, "%suntil %s", comma, clock_stamp(pause->until, stamp));
			comma = ", ";
		}
		if (pause->seen) {
			str_addf(&s, "%sas of %s", comma, clock_stamp(pause->seen, stamp));
		}
		str_addc(&s, ')');
	}
	if (pause->touched) {
		str_addf(&s, "; `rm %s` ends it", pause->path);
	} else {
		str_add(&s, "; `reconcile resume` ends it");
	}
	return arena_strdup(arena, str_text(&s));
}

static struct value moment(int64_t seconds)
{
	return seconds ? value_int(seconds) : value_null();
}

struct value pause_to_value(struct arena *arena, const struct pause *pause)
{
	struct value map = value_map();

	value_put(arena, &map, "paused", value_bool(pause->paused));
	value_put(arena, &map, "reason", value_string(pause->paused ? pause->reason : NULL));
	value_put(arena, &map, "who", value_string(pause->paused ? pause->who : NULL));
	value_put(arena, &map, "since", moment(pause->paused ? pause->since : 0));
	value_put(arena, &map, "until", moment(pause->paused ? pause->until : 0));
	value_put(arena, &map, "file", value_string(pause->paused ? pause->path : NULL));
	value_put(arena, &map, "as_of", moment(pause->seen));
	value_put(arena, &map, "cannot_tell", value_string(pause->unseen));
	value_seal(&map);
	return map;
}

/* ---- Beginning and ending ---- */

/* The state folder may lie on a file system that dies, so `run` listens in the run-dir. Where that
 * cannot be written it finds out at its next pass. */
static void wake(const struct engine_options *options, struct arena *arena)
{
	struct err ignored;

	/* Others look into it, and what writes state makes its folder for root alone. */
	if (self_make_folder(options->run_dir, 0755, &ignored)) {
		return;
	}
	(void)!self_state_write(path_join(arena, options->run_dir, TREE_WATCH_WAKE), "", 0, &ignored);
}

int pause_begin(const struct engine_options *options, const struct pause_wish *wish,
                struct arena *arena, struct err *err)
{
	AUTO(str_free) struct str text = {0};
	struct value v = value_map();
	int64_t now = clock_now(), until = wish->until ? wish->until : now + wish->span;

	if (geteuid() != 0) {
		return err_set(err, ERR_INPUT, 0, "pause needs root");
	}
	if (until < now || (wish->until && until == now)) {
		return err_set(err, ERR_INPUT, 0, "the time until which to pause has passed");
	}
	value_put(arena, &v, version_key, value_int(VERSION));
	value_put(arena, &v, "reason", value_string(wish->reason));
	value_put(arena, &v, "who", value_string(self_user(arena)));
	value_put(arena, &v, "since", value_int(now));
	value_put(arena, &v, "until", until > now ? value_int(until) : value_null());
	value_put(arena, &v, "at_time", value_bool(wish->until != 0));
	value_put(arena, &v, "since_ms", value_int(clock_ms()));
	value_put(arena, &v, "boot_id", value_string(self_boot_id(arena)));
	value_seal(&v);
	json_print(&text, &v, 2);
	str_addc(&text, '\n');
	if (self_state_write(state_file(options, arena), str_text(&text), text.length, err)) {
		return -(int)err->code;
	}
	wake(options, arena);
	return 0;
}

int pause_end(struct engine *engine, struct err *err)
{
	struct pause pause;

	if (geteuid() != 0) {
		return err_set(err, ERR_INPUT, 0, "resume needs root");
	}
	pause_look(engine, &pause);
	if (pause.touched) {
		return err_set(err, ERR_INPUT, 0, "%s is there: remove it first (rm %s)", touched_file,
		               touched_file);
	}
	if (pause.unseen) {
		return err_set(err, ERR_INPUT, 0, "it cannot be told whether this node is paused: %s",
		               pause.unseen);
	}
	if (engine_reach_state(engine, err)) {
		return -(int)err->code;
	}
	if (self_state_remove(state_file(engine->options, engine->arena), err)) {
		return -(int)err->code;
	}
	wake(engine->options, engine->arena);
	return 0;
}

void pause_tell(struct engine *engine)
{
	struct pause pause;

	look_at_state(engine, &pause);
	pause_copy_write(engine->options->run_dir, engine->boot_id, &pause);
}

void pause_forget(struct engine *engine, const struct pause *pause)
{
	struct err err = {0};
	char stamp[24];

	engine_note(engine, "the pause of %s (%s) ended at %s; going on",
	            pause->who ? pause->who : "somebody", pause->reason ? pause->reason : "no reason",
	            clock_stamp(pause->until, stamp));
	if (engine_reach_state(engine, &err) || self_state_remove(pause->path, &err)) {
		engine_note(engine, "%s", err.text);
	}
}
