// SPDX-License-Identifier: MIT
/*
 * Overrides of operators: a kernel that preflight is to let pass, for a time, with a reason. Safety
 * state, no history: a small synced file, allow.json in the state folder, that the apt hook can
 * read without any engine. Expired ones are as good as none and go with the next change. Results
 * live in the arena that is passed, else in the engine's.
 */
#ifndef ENGINE_ALLOW_H
#define ENGINE_ALLOW_H

#include "engine/engine.h"

struct allowed {
	const char *release, *reason, *who;
	int64_t since, until; /* seconds since 1970 */
};

struct allowed_list {
	struct allowed *list; /* in force, in the order in which they were made */
	size_t count, cap;
};

/* What is in force at `now`. No file: none. ERR_INPUT: it is damaged. */
int allow_read(const char *state_dir, int64_t now, struct arena *arena,
               struct allowed_list *ret_list, struct err *err) MUST_CHECK;
/* The same of this run's state folder, which may lie on a file system that does not answer:
 * ERR_LIMIT. */
int allow_look(struct engine *engine, int64_t now, struct allowed_list *ret_list,
               struct err *err) MUST_CHECK;
/* As JSON shows it: a list. Sealed. */
struct value allow_to_value(struct arena *arena, const struct allowed_list *list);
/* The one for that kernel, or NULL. */
const struct allowed *allow_find(const struct allowed_list *list, const char *release);

/* Adds one, or replaces that of the same kernel; `remove` takes it away. Needs root. */
int allow_put(const struct engine_options *options, const struct allowed *allowed,
              struct arena *arena, struct err *err) MUST_CHECK;
int allow_remove(const struct engine_options *options, const char *release, struct arena *arena,
                 struct err *err) MUST_CHECK;
/* Begins a new ledger of reboots: what came of earlier ones counts no more. Needs root. */
int allow_reboots(const struct engine_options *options, struct arena *arena,
                  struct err *err) MUST_CHECK;

/* A row of its own in the history, `what` as its command. Trouble with the history is a note. */
void allow_record(struct engine *engine, const char *what);

#endif
