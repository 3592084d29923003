// SPDX-License-Identifier: MIT
/*
 * Mounts that a service makes: BeeGFS 7 mounts through beegfs-client.service, which also builds and
 * loads its module, so that mount(8) alone cannot. The service is started and the mount awaited; a
 * service that runs and has not made its mount is never restarted unasked: stopping it unmounts
 * whatever else it has made, and unloads the module.
 */
#include "base/clock.h"
#include "base/str.h"
#include "provider/mount.h"
#include "provider/systemd.h"

#include <time.h>

enum { AWAIT_MS = 45000, LOOK_EVERY_MS = 250 };

static void pause_for(int ms)
{
	struct timespec time = {.tv_nsec = ms * 1000000L};

	while (nanosleep(&time, &time)) {
	}
}

struct awaited {
	struct systemd_unit unit;
	bool is_right;   /* the mount */
	const char *why; /* systemd does not say */
};

/* Until the mount is there, or the service has come to an end without it, or time is up. */
static int await(struct host *host, const struct resource *want, struct arena *arena,
                 struct awaited *ret_awaited, struct err *err)
{
	int64_t end = clock_ms() + AWAIT_MS;

	for (;;) {
		struct resource *have;

		host_forget(host);
		if (mount_observe(host, want->key, want, arena, &have, err) ||
		    systemd_show(host, want->mount.service, arena, &ret_awaited->unit, &ret_awaited->why,
		                 err)) {
			return -(int)err->code;
		}
		ret_awaited->is_right = mount_is_right(want, have);
		bool under_way =
		    ret_awaited->unit.has_job || text_equal(ret_awaited->unit.active, "activating");

		if (ret_awaited->is_right || ret_awaited->why || !under_way || clock_left(end) <= 0) {
			return 0;
		}
		pause_for(LOOK_EVERY_MS);
	}
}

/* What is to be said of a service that was started, and of the mount it should have made. */
static struct applied judge(struct host *host, const struct resource *want, struct arena *arena,
                            const struct systemd_unit *unit)
{
	const char *name = want->mount.service;

	if (unit->has_job || text_equal(unit->active, "activating")) {
		return (struct applied){
		    .outcome = OUTCOME_PENDING,
		    .why = arena_printf(arena,
		                        "%s is still starting after %d s (it may be building its module)",
		                        name, AWAIT_MS / 1000),
		};
	}
	if (text_equal(unit->active, "active")) {
		return (struct applied){
		    .outcome = OUTCOME_FAILED,
		    .why =
		        arena_printf(arena,
		                     "%s runs and has not mounted %s; restarting it would unmount whatever "
		                     "else it has mounted: systemctl restart %s",
		                     name, want->key, name),
		    .detail = systemd_log(host, name, arena),
		};
	}
	return (struct applied){
	    .outcome = OUTCOME_FAILED,
	    .why = arena_printf(arena, "%s was started and is %s", name, unit->active),
	    .detail = systemd_log(host, name, arena),
	};
}

int mount_through_service(struct host *host, const struct resource *want, struct arena *arena,
                          struct applied *applied, struct err *err)
{
	const char *name = want->mount.service, *why;
	struct awaited awaited = {0};
	struct systemd_unit unit;
	bool here;

	if (systemd_is_here(host, &here, err)) {
		return -(int)err->code;
	}
	if (!here) {
		return err_set(err, ERR_HOST, 0, "%s makes this mount, and systemd does not run here",
		               name);
	}
	if (systemd_show(host, name, arena, &unit, &why, err)) {
		return -(int)err->code;
	}
	if (!why && !unit.exists) {
		return err_set(err, ERR_HOST, 0, "%s makes this mount, and there is no such unit", name);
	}
	if (!why && !text_equal(unit.active, "active")) {
		const char *const verbs[] = {"reset-failed", "start"};
		bool failed = text_equal(unit.active, "failed");

		for (size_t i = failed ? 0 : 1; i < ARRAY_LEN(verbs) && !why; i++) {
			if (systemd_call(host, verbs[i], name, arena, &why, err)) {
				return -(int)err->code;
			}
		}
	}
	if (!why && await(host, want, arena, &awaited, err)) {
		return -(int)err->code;
	}
	if (awaited.is_right) {
		return 0; /* whatever systemd had to say besides */
	}
	why = why ? why : awaited.why;
	if (why) {
		*applied = (struct applied){.outcome = OUTCOME_FAILED, .why = why};
	} else {
		*applied = judge(host, want, arena, &awaited.unit);
	}
	return 0;
}
