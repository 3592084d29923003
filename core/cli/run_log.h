// SPDX-License-Identifier: MIT
/*
 * What `run` says when nobody watches: a line for each change, for what goes wrong, once, and again
 * when it is over. What stays wrong is repeated every six hours; a pass that changes nothing and
 * finds nothing new says nothing.
 *
 * Three forms. For the journal a line begins with its level as sd-daemon(3) has it ("<4>"); plain,
 * it begins with the time; as JSON it is an object with ts, level, event and, where they apply, id,
 * action, outcome, reason, run, duration_ms.
 *
 * A pass is run_log_begin, then notes and steps as they come, then run_log_pass or run_log_error.
 */
#ifndef CLI_RUN_LOG_H
#define CLI_RUN_LOG_H

#include "engine/engine.h"

enum run_log_form { RUN_LOG_PLAIN, RUN_LOG_JOURNAL, RUN_LOG_JSON };

/* The numbers of syslog(3). */
enum run_log_level { RUN_LOG_ERR = 3, RUN_LOG_WARNING, RUN_LOG_NOTICE, RUN_LOG_INFO };

struct run_log;

struct run_log *run_log_create(enum run_log_form form, int fd);
/* NULL allowed. */
void run_log_free(struct run_log *log);

/* Is standard error connected to the journal (systemd.exec(5), JOURNAL_STREAM)? */
bool run_log_is_journal(void);

/* A line of its own. */
void run_log_say(struct run_log *log, enum run_log_level level, const char *event, const char *fmt,
                 ...) PRINTF(4, 5);

void run_log_begin(struct run_log *log);
/* Of the engine: said again only after six hours. */
void run_log_note(struct run_log *log, const char *text);
/* The number that the pass has in the history. */
void run_log_run(struct run_log *log, int64_t run);
/* A step that was carried out just now. */
void run_log_step(struct run_log *log, const struct step *step);
/* What came of the pass. */
void run_log_pass(struct run_log *log, const struct engine_result *result);
/* There was none: why. `diags` may be NULL or empty. */
void run_log_error(struct run_log *log, const struct diags *diags, const struct err *err);

/* Tests move the clock (milliseconds since boot); 0: the real one. */
void run_log_set_clock(struct run_log *log, int64_t now_ms);

#endif
