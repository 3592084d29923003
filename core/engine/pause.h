// SPDX-License-Identifier: MIT
/*
 * Pause: safety state, not history. A small synced file in the state folder that survives a reboot,
 * or /etc/reconcile/PAUSE, which anybody with root can touch when nothing else works.
 *
 * Damage never resumes: a file that is there and cannot be understood is a pause without an end.
 * Only one on a file system that does not answer is no pause: that file system may be what is to be
 * repaired. Both files are read by the worker, for that reason. Who may not read the state folder
 * is told what root has found there (pause_copy.h).
 */
#ifndef ENGINE_PAUSE_H
#define ENGINE_PAUSE_H

#include "engine/engine.h"

struct pause {
	bool paused;
	bool is_over;       /* one is written down whose end has come; then it is not paused */
	const char *unseen; /* why it cannot be told whether it is, or NULL ... */
	bool hidden;        /* ... and that is only for want of rights */
	int64_t seen;       /* seconds since 1970 of a copy that was left for ordinary users and may be
	                     * outdated; 0: it was looked up */
	const char *reason; /* NULL: none was given */
	const char *who;    /* NULL: not known */
	int64_t since;      /* seconds since 1970; 0: not known */
	int64_t until;      /* the same; 0: until somebody resumes */
	const char *path;   /* of the file that says so */
	bool touched;       /* it is /etc/reconcile/PAUSE */
};

/* How it stands now. Never fails: see `unseen`. */
void pause_look(struct engine *engine, struct pause *ret_pause);
/* One sentence without a full stop: why, who, since when, until when, how it ends. NULL when it is
 * not paused. */
const char *pause_text(struct arena *arena, const struct pause *pause);
/* For JSON: {paused, reason, who, since, until, file, as_of, cannot_tell}; as_of is `seen`.
 * Sealed. */
struct value pause_to_value(struct arena *arena, const struct pause *pause);

/* `span`: seconds, which a jump of the wall clock does not shorten before the next boot. `until`:
 * seconds since 1970, reached as soon as the wall clock says so. Neither lasts longer than it is
 * from now till then, whatever the wall clock says. Both 0: until somebody resumes. Needs root. */
struct pause_wish {
	const char *reason;
	int64_t span, until;
};
int pause_begin(const struct engine_options *options, const struct pause_wish *wish,
                struct arena *arena, struct err *err) MUST_CHECK;
/* Needs root. Refuses while /etc/reconcile/PAUSE is there. */
int pause_end(struct engine *engine, struct err *err) MUST_CHECK;
/* Leaves word for ordinary users of what the state folder says now (pause_copy.h). */
void pause_tell(struct engine *engine);
/* Forgets one whose end has come, so that no jump of the clock brings it back. Trouble is a
 * note. */
void pause_forget(struct engine *engine, const struct pause *pause);

/* When it is: by the wall clock (clock_now), and in which boot, how old that is (clock_ms). */
struct pause_moment {
	int64_t now, now_ms;
	const char *boot_id;
};
/* What the text of the state file says at that moment. Pure. */
void pause_parse(const char *text, size_t n, const struct pause_moment *at, struct arena *arena,
                 struct pause *ret_pause);

#endif
