// SPDX-License-Identifier: MIT
/*
 * Pause: safety state, not history. A small synced file that survives a reboot, or a file that
 * anybody with root can touch when nothing else works.
 */
#include "engine/inner.h"

#include "base/clock.h"
#include "base/path.h"
#include "host/self.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char touched_file[] = "/etc/reconcile/PAUSE";

static const char *pause_file(const struct engine_options *options, struct arena *arena)
{
	return path_join(arena, options->state_dir, "pause");
}

const char *engine_paused(const struct engine_options *options, struct arena *arena,
                          bool *ret_unseen)
{
	struct stat st;
	struct err err = {0};
	const char *text = NULL;
	bool unseen = false;

	ret_unseen = ret_unseen ? ret_unseen : &unseen;
	*ret_unseen = false;
	if (lstat(touched_file, &st) == 0) {
		return arena_printf(arena, "%s is there", touched_file);
	}
	if (self_state_read(pause_file(options, arena), arena, &text, &err)) {
		/* Unreadable is not resumed: a pause that cannot be read still is one. */
		*ret_unseen = err.os == EACCES;
		return *ret_unseen ? NULL : arena_strdup(arena, err.text);
	}
	return text && !*text ? "no reason was given" : text;
}

int engine_pause(const struct engine_options *options, const char *reason, struct arena *arena,
                 struct err *err)
{
	char stamp[24];

	if (geteuid() != 0) {
		return err_set(err, ERR_INPUT, 0, "pause needs root");
	}
	const char *text = arena_printf(arena, "%s (%s, %s)", reason, self_user(arena),
	                                clock_stamp(clock_now(), stamp));

	return self_state_write(pause_file(options, arena), text, strlen(text), err);
}

int engine_resume(const struct engine_options *options, struct arena *arena, struct err *err)
{
	struct stat st;

	if (geteuid() != 0) {
		return err_set(err, ERR_INPUT, 0, "resume needs root");
	}
	if (lstat(touched_file, &st) == 0) {
		return err_set(err, ERR_INPUT, 0, "%s is there: remove it first", touched_file);
	}
	return self_state_remove(pause_file(options, arena), err);
}
