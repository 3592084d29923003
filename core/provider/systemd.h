// SPDX-License-Identifier: MIT
/*
 * systemd, through systemctl(1): what it says of a unit, and telling it to do something. Nothing
 * here waits for a job: whoever starts a unit from within a unit must not (a start job may wait for
 * us). Runs in a worker; texts live in the arena.
 */
#ifndef PROVIDER_SYSTEMD_H
#define PROVIDER_SYSTEMD_H

#include "provider/provider.h"

/* systemctl(1), "show"; systemd.unit(5). All words are systemd's own. */
struct systemd_unit {
	bool exists;
	const char *load;   /* loaded, masked, bad-setting, ... */
	const char *file;   /* enabled, disabled, static, generated, masked, ...; "" of none */
	const char *active; /* active, activating, failed, ... */
	const char *result; /* of the last run: success, exit-code, ... */
	bool needs_reload;  /* its files changed since they were read */
	bool has_job;       /* something is under way for it */
};

/* Whether systemd is PID 1 here: /run/systemd/system is there (sd_booted(3)). */
int systemd_is_here(struct host *host, bool *ret_here, struct err *err);

/* 0 with *ret_why set when systemd does not answer or complains; then *ret_unit means nothing. */
int systemd_show(struct host *host, const char *unit, struct arena *arena,
                 struct systemd_unit *ret_unit, const char **ret_why, struct err *err);

/* systemctl VERB [UNIT]; `unit` may be NULL. 0 with *ret_why set (one sentence) when it failed.
 * start and stop only queue the job (--no-block). */
int systemd_call(struct host *host, const char *verb, const char *unit, struct arena *arena,
                 const char **ret_why, struct err *err);

/* The last lines of a unit's log, or NULL when there are none to be had. */
const char *systemd_log(struct host *host, const char *unit, struct arena *arena);

#endif
