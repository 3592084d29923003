// SPDX-License-Identifier: MIT
/* See worker_link.h: workers and what they have started that cannot be ended, and what is not asked
 * or done because of them. */
#include "base/clock.h"
#include "provider/worker_link.h"

#include <string.h>

enum { OVER_MS = 2000 };

const char *worker_record_dir(const struct worker *worker)
{
	return worker->options.read_only && worker->options.own_dir ? worker->options.own_dir
	                                                            : worker->options.run_dir;
}

bool worker_is_path(const struct kind *kind)
{
	return !(kind->traits & KIND_SINGLETON) && kind->key_format == FORMAT_PATH;
}

/* ---- Where something lies ---- */

bool worker_ask_over(struct worker *worker, const char *path, struct arena *arena,
                     const char **ret_target, uint64_t *ret_id)
{
	struct value request = value_map(), answer;
	int64_t deadline = clock_ms() + OVER_MS;
	struct child_left left;
	struct err err = {0};

	value_put(arena, &request, "op", value_string("over"));
	value_put(arena, &request, "path", value_string(path));
	value_seal(&request);
	if (worker_ensure(worker, &err) || wire_send(worker->child.fd, &request, deadline, &err) ||
	    worker_receive(worker, path, deadline, arena, &answer, &err)) {
		child_end_all(&worker->child, 0, NULL, &left);
		child_abandon(&worker->child);
		return false;
	}
	*ret_target = value_text(&answer, "target");
	*ret_id = (uint64_t)value_number(&answer, "id", 0);
	return *ret_target && *ret_id;
}

/* Which mount is to be left alone? A fresh worker reads it from the mount table. What hangs while
 * it is being mounted is that mount and nothing that it lies on. */
void worker_find_mount(struct worker *worker, struct stuck *stuck, const char *path, bool mounting)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *target;

	stuck->target = arena_strdup(worker->arena, path);
	/* The root holds everything: then it was this path alone. */
	if (worker_ask_over(worker, path, arena, &target, &stuck->mount_id) && !mounting &&
	    strcmp(target, "/") != 0) {
		stuck->target = arena_strdup(worker->arena, target);
	}
}

void worker_load_stuck(struct worker *worker)
{
	if (worker->options.run_dir) {
		stuck_load(&worker->stuck, worker->options.run_dir);
	}
	if (worker->options.read_only && worker->options.own_dir) {
		worker->stuck.read_only = false;
		stuck_load(&worker->stuck, worker->options.own_dir);
	}
}

/* A mount that has been taken away, or has another one over it, stands in nobody's way any more,
 * whoever still hangs on it. */
void worker_check_stuck(struct worker *worker)
{
	AUTO(arena_auto) struct arena *arena = arena_create();

	for (size_t i = 0; i < worker->stuck.count; i++) {
		struct stuck *stuck = &worker->stuck.list[i];
		const char *target;
		uint64_t id;

		if (stuck->target && stuck->mount_id &&
		    worker_ask_over(worker, stuck->target, arena, &target, &id) && id != stuck->mount_id) {
			stuck->target = NULL;
		}
	}
}

/* ---- What is left ---- */

void worker_unwrap(struct worker *worker, struct value *answer)
{
	const struct value *left = value_get(answer, "left"), *inner = value_get(answer, "answer");

	worker->left = (struct child_left){0};
	if (answer->type != VALUE_MAP || !left || left->type != VALUE_LIST || !inner) {
		return;
	}
	for (size_t i = 0; i < left->count && i < CHILD_LEFT_MOST; i++) {
		worker->left.list[worker->left.count++] = (struct child_process){
		    .pid = (pid_t)value_number(&left->items[i], "pid", 0),
		    .starttime = (uint64_t)value_number(&left->items[i], "starttime", 0),
		};
	}
	*answer = *inner;
}

static void note(struct worker *worker, const struct worker_deed *deed, bool whole_run)
{
	struct child_left *left = &worker->left;
	struct stuck stuck = {
	    .what = resource_id(worker->arena, deed->kind, deed->key),
	    .act = deed->act ? arena_strdup(worker->arena, deed->act) : NULL,
	    .since = clock_now() - (clock_ms() - deed->began) / 1000,
	};
	struct child_left found = *left;

	*left = (struct child_left){0};
	if (worker_is_path(deed->kind) && (found.count || whole_run)) {
		worker_find_mount(worker, &stuck, deed->key, deed->act && deed->kind->id == KIND_MOUNT);
	}
	if (!found.count && stuck.target) {
		stuck_add(&worker->stuck, &stuck, worker_record_dir(worker));
	}
	for (size_t i = 0; i < found.count; i++) {
		stuck.pid = found.list[i].pid;
		stuck.starttime = found.list[i].starttime;
		stuck_add(&worker->stuck, &stuck, worker_record_dir(worker));
	}
}

void worker_note_left(struct worker *worker, const struct worker_deed *deed)
{
	if (worker->left.count) {
		note(worker, deed, false);
	}
}

const char *worker_left_behind(struct worker *worker, const struct worker_deed *deed,
                               struct arena *arena)
{
	AUTO(str_free) struct str span = {0};
	pid_t pid = worker->left.count ? worker->left.list[0].pid : 0;

	clock_add_span(&span, clock_ms() - deed->began);
	note(worker, deed, true);
	if (pid) {
		return arena_printf(arena,
		                    "no answer within %s; process %d hangs on it and cannot be killed",
		                    str_text(&span), (int)pid);
	}
	return arena_printf(arena, "no answer within %s", str_text(&span));
}

const char *worker_abandon(struct worker *worker, const struct worker_deed *deed,
                           struct arena *arena)
{
	child_end_all(&worker->child, 0, NULL, &worker->left);
	child_abandon(&worker->child);
	return worker_left_behind(worker, deed, arena);
}

int worker_give_up(struct worker *worker, const char *what, const char *path, struct err *err)
{
	struct stuck stuck = {.what = arena_strdup(worker->arena, what), .since = clock_now()};
	struct child_left left;

	child_end_all(&worker->child, 0, NULL, &left);
	child_abandon(&worker->child);
	if (path) {
		worker_find_mount(worker, &stuck, path, false);
	}
	for (size_t i = 0; i < left.count; i++) {
		stuck.pid = left.list[i].pid;
		stuck.starttime = left.list[i].starttime;
		stuck_add(&worker->stuck, &stuck, worker_record_dir(worker));
	}
	return err_set(err, ERR_LIMIT, 0, "%s: no answer in time", what);
}

/* ---- What is not asked ---- */

static const char *words(const struct stuck *stuck, struct arena *arena)
{
	char stamp[24];

	clock_stamp(stuck->since, stamp);
	if (stuck->act) {
		return arena_printf(arena, "%s has not come to an end: process %d has been at it since %s",
		                    stuck->act, (int)stuck->pid, stamp);
	}
	return arena_printf(arena, "%s does not answer: process %d has hung on it since %s",
	                    stuck->target ? stuck->target : stuck->what, (int)stuck->pid, stamp);
}

/* A mount is told from the mount table, which never hangs: to look at it only its target's folder
 * is out of bounds. */
static const char *forbidden_path(struct worker *worker, const char *path, bool from_table,
                                  struct arena *arena)
{
	const struct stuck *stuck = stuck_over(&worker->stuck, path, !from_table);

	if (stuck && stuck->pid) {
		return words(stuck, arena);
	}
	if (stuck) {
		return arena_printf(arena, "%s did not answer when %s was asked for", stuck->target,
		                    stuck->what);
	}
	if (!from_table && stuck_alive(&worker->stuck) >= STUCK_MOST) {
		return arena_printf(arena, "%d processes hang on dead file systems: no more are started",
		                    STUCK_MOST);
	}
	return NULL;
}

const char *worker_forbidden(struct worker *worker, const struct kind *kind, const char *key,
                             bool acting, struct arena *arena)
{
	if (!worker->stuck.count) {
		return NULL;
	}
	if (worker_is_path(kind)) {
		return forbidden_path(worker, key, kind->id == KIND_MOUNT && !acting, arena);
	}
	const struct stuck *stuck = stuck_at(&worker->stuck, resource_id(arena, kind, key), acting);

	return stuck ? words(stuck, arena) : NULL;
}

const char *worker_held_up(struct worker *worker, const struct kind *kind, const char *key,
                           struct arena *arena)
{
	return worker_forbidden(worker, kind, key, true, arena);
}

int worker_refuse_path(struct worker *worker, const char *path, const char *shown, struct err *err)
{
	if (worker_ensure(worker, err)) {
		return -(int)err->code;
	}
	const struct stuck *stuck = stuck_over(&worker->stuck, path, true);

	return stuck && stuck->pid
	           ? err_set(err, ERR_LIMIT, 0, "%s: %s", shown, words(stuck, worker->arena))
	           : 0;
}

int worker_refuse_what(struct worker *worker, const char *what, struct err *err)
{
	if (worker_ensure(worker, err)) {
		return -(int)err->code;
	}
	const struct stuck *stuck = stuck_at(&worker->stuck, what, false);

	return stuck ? err_set(err, ERR_LIMIT, 0, "%s", words(stuck, worker->arena)) : 0;
}
