// SPDX-License-Identifier: MIT
/*
 * See worker_link.h: should we be killed while a worker of ours hangs, nobody is left to record it,
 * or what it has started. So what is under way stands in a small file, RUN_DIR/stuck/PID.at: a
 * change before it begins, a look once it has taken a tenth of a second (most take none, and a file
 * for each would cost more than they do). Whoever comes next, and finds the file of one who is no
 * more, ends what is left of that worker's session, as its deadline would have done, and records
 * what cannot be ended.
 */
#include "base/child.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/path.h"
#include "host/self.h"
#include "provider/worker_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char suffix[] = ".at";

/* ---- Ours ---- */

static void print(const struct worker *worker, struct str *text)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const struct worker_deed *deed = worker->trace.deed;
	struct value v = value_map();

	value_put(arena, &v, "act", value_string(deed ? deed->act : NULL));
	value_put(arena, &v, "began_ms", value_int(deed ? deed->began : clock_ms()));
	value_put(arena, &v, "boot_id", value_string(worker->trace.boot_id));
	value_put(arena, &v, "ends", value_bool(!deed || !deed->act || deed->kind->id != KIND_COMMAND));
	value_put(arena, &v, "mounts", value_bool(deed && deed->mounts));
	value_put(arena, &v, "path",
	          value_string(!deed                        ? worker->trace.path
	                       : worker_is_path(deed->kind) ? deed->key
	                                                    : NULL));
	value_put(arena, &v, "pid", value_int(getpid()));
	value_put(arena, &v, "starttime", value_int((int64_t)worker->trace.starttime));
	value_put(arena, &v, "what",
	          value_string(deed ? resource_id(arena, deed->kind, deed->key) : worker->trace.path));
	value_put(arena, &v, "worker", value_int(worker->child.pid));
	value_put(arena, &v, "worker_starttime", value_int((int64_t)worker->child.starttime));
	value_seal(&v);
	json_print(text, &v, 0);
}

static bool open_file(struct worker *worker)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
	struct worker_trace *trace = &worker->trace;
	const char *run_dir = worker_record_dir(worker);
	struct err err;

	if (trace->fd >= 0 || !run_dir || worker->stuck.read_only) {
		return trace->fd >= 0;
	}
	const char *folder = path_join(worker->arena, run_dir, "stuck");

	if (!trace->file) {
		trace->file = arena_printf(worker->arena, "%s/%d%s", folder, (int)getpid(), suffix);
	}
	trace->fd = open(trace->file, flags, 0600);
	if (trace->fd < 0 && errno == ENOENT && !self_make_folder(folder, 0700, &err)) {
		trace->fd = open(trace->file, flags, 0600);
	}
	trace->boot_id = self_boot_id(worker->arena);
	trace->starttime = child_starttime(getpid());
	return trace->fd >= 0;
}

void worker_trace_tell(struct worker *worker)
{
	struct worker_trace *trace = &worker->trace;
	AUTO(str_free) struct str text = {0};

	if (trace->is_told || !(trace->deed || trace->path) || !open_file(worker)) {
		return;
	}
	print(worker, &text);
	/* Half of it is none: it cannot be read. */
	trace->is_told = pwrite(trace->fd, str_text(&text), text.length, 0) == (ssize_t)text.length;
}

void worker_trace_over(struct worker *worker)
{
	struct worker_trace *trace = &worker->trace;

	trace->deed = NULL;
	trace->path = NULL;
	if (trace->is_told && ftruncate(trace->fd, 0)) {
		worker_trace_end(worker);
	}
	trace->is_told = false;
}

void worker_trace_end(struct worker *worker)
{
	struct worker_trace *trace = &worker->trace;

	if (trace->fd >= 0) {
		unlink(trace->file);
		close(trace->fd);
		trace->fd = -1;
	}
}

/* ---- Those of others ---- */

/* What was mounted may need a process of its own, which is not to be ended for having come up a
 * moment before we were killed. */
static bool has_come_up(struct worker *worker, const char *target)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *over;
	uint64_t id;

	return target && worker_ask_over(worker, target, arena, &over, &id) &&
	       strcmp(over, target) == 0;
}

static void end_orphans(struct worker *worker, const struct value *v)
{
	const char *path = value_text(v, "path");
	int64_t began = value_number(v, "began_ms", 0);
	pid_t pid = (pid_t)value_number(v, "worker", 0);
	bool mounts = value_truth(v, "mounts", false), read_only = worker->stuck.read_only;
	struct child_left left;
	struct stuck stuck = {
	    .what = value_text(v, "what"),
	    .act = value_text(v, "act"),
	    .since = clock_now() - (clock_ms() - began) / 1000,
	};

	if ((mounts && has_come_up(worker, path)) || !value_truth(v, "ends", false)) {
		began = INT64_MAX; /* only the worker itself */
	}
	child_orphans(pid, (uint64_t)value_number(v, "worker_starttime", 0), began, &left);
	if (!read_only) {
		child_orphans_end(&left);
	}
	if (left.count && path) {
		worker_find_mount(worker, &stuck, path, mounts);
	}
	for (size_t i = 0; stuck.what && i < left.count; i++) {
		stuck.pid = left.list[i].pid;
		stuck.starttime = left.list[i].starttime;
		stuck_add(&worker->stuck, &stuck, worker_record_dir(worker));
	}
}

/* True when it is of no use any more. */
static bool read_trace(struct worker *worker, const char *path)
{
	struct arena *arena = worker->arena;
	const char *text;
	struct value v;
	struct err err;

	if (self_state_read(path, arena, &text, &err)) {
		return false;
	}
	if (!text || json_parse(text, strlen(text), path, arena, &v, &err)) {
		/* Nothing is under way, and its name says whose it is. */
		return !text || !child_starttime((pid_t)strtol(path_name(path), NULL, 10));
	}
	if (!text_equal(value_text(&v, "boot_id"), self_boot_id(arena))) {
		return true;
	}
	if (child_is_alive((pid_t)value_number(&v, "pid", 0),
	                   (uint64_t)value_number(&v, "starttime", 0))) {
		return false;
	}
	end_orphans(worker, &v);
	return true;
}

void worker_trace_load(struct worker *worker)
{
	const char *dirs[] = {worker->options.run_dir,
	                      worker->options.read_only ? worker->options.own_dir : NULL};

	for (size_t k = 0; k < ARRAY_LEN(dirs); k++) {
		struct file_names names;
		struct err err;
		const char *dir = dirs[k] ? path_join(worker->arena, dirs[k], "stuck") : NULL;

		if (!dir || files_own_list(dir, false, worker->arena, &names, &err)) {
			continue;
		}
		for (size_t i = 0; i < names.count; i++) {
			const char *path = path_join(worker->arena, dir, names.list[i]);

			if (text_ends(names.list[i], suffix) && read_trace(worker, path) &&
			    !worker->stuck.read_only) {
				unlink(path);
			}
		}
	}
}
