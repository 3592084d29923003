// SPDX-License-Identifier: MIT
/*
 * Kind service: a systemd unit that is enabled, active or masked, or is not. A unit is started by
 * queueing the job and looking until it has come to something; one that takes longer is pending and
 * found again by the next run. A mount unit is not stopped here: that would be unmounting.
 */
#include "base/clock.h"
#include "base/str.h"
#include "provider/systemd.h"
#include "provider/table.h"

#include <string.h>
#include <time.h>

enum {
	SETTLE_MS = 45000, /* within the deadline of an apply */
	LOOK_EVERY_MS = 200,
	/* Type=simple is active the moment it was forked: one that dies at once is seen to. */
	PROVE_MS = 1000,
};

static struct truth truth_of(bool value)
{
	return (struct truth){.set = true, .value = value};
}

static bool is_wanted(struct truth want, bool value)
{
	return want.set && want.value == value;
}

/* ---- Observe ---- */

/* A reload is a state of a unit that runs; whatever else is under way has not come to that yet. */
static bool is_active(const char *state)
{
	return text_equal(state, "active") || text_equal(state, "reloading") ||
	       text_equal(state, "refreshing");
}

/* Wanted by something at boot; static ones start when something else needs them and are neither. */
static bool is_enabled(const char *state)
{
	return text_equal(state, "enabled") || text_equal(state, "enabled-runtime") ||
	       text_equal(state, "alias");
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	const struct kind *kind = &kind_table[KIND_SERVICE];
	struct systemd_unit unit;
	const char *why;
	bool here;

	(void)want;
	if (systemd_is_here(host, &here, err)) {
		return -(int)err->code;
	}
	if (!here) {
		*ret_have = resource_undetermined(arena, kind, key, "systemd does not run here");
		return 0;
	}
	if (systemd_show(host, key, arena, &unit, &why, err)) {
		return -(int)err->code;
	}
	if (why) {
		*ret_have = resource_undetermined(arena, kind, key, "%s", why);
		return 0;
	}
	struct resource *have = resource_create(arena, kind, key);

	*ret_have = have;
	if (!unit.exists) {
		have->state = STATE_ABSENT;
		return 0;
	}
	have->service = (struct service){
	    .enabled = truth_of(is_enabled(unit.file)),
	    .active = truth_of(is_active(unit.active)),
	    .masked = truth_of(text_equal(unit.load, "masked") || text_starts(unit.file, "masked")),
	    .unit_state = arena_printf(arena, "%s/%s", *unit.file ? unit.file : unit.load, unit.active),
	    .needs_reload = truth_of(unit.needs_reload),
	};
	return 0;
}

/* ---- Rules and diff ---- */

static bool is_mount_unit(const char *unit)
{
	return text_ends(unit, ".mount") || text_ends(unit, ".automount");
}

static int check(const struct resource *want, struct err *err)
{
	const struct service *service = &want->service;

	if (is_wanted(service->masked, true) &&
	    (is_wanted(service->enabled, true) || is_wanted(service->active, true))) {
		return err_set(err, ERR_INPUT, 0, "a masked unit can be neither enabled nor active");
	}
	if (is_wanted(service->active, false) && is_mount_unit(want->key)) {
		return err_set(err, ERR_INPUT, 0,
		               "stopping a mount unit unmounts: want the mount absent instead");
	}
	return 0;
}

/* The word of the unit's file, or of its activity: "static/active". */
static bool has_word(const struct resource *have, const char *word, bool of_file)
{
	const char *state = have->service.unit_state ? have->service.unit_state : "";
	size_t n = strcspn(state, "/");

	return of_file ? strlen(word) == n && strncmp(state, word, n) == 0
	               : text_equal(state[n] ? state + n + 1 : "", word);
}

/* Why it cannot be enabled; NULL: it can. systemctl(1), "is-enabled". */
static const char *enable_obstacle(const struct resource *have)
{
	static const struct {
		const char *word, *why;
	} words[] = {
	    {"static",
	     "the unit has no [Install] section: it is started by others and cannot be enabled"},
	    {"generated", "the unit is generated (from fstab, for instance) and cannot be enabled"},
	    {"transient", "the unit is transient and cannot be enabled"},
	    {"indirect",
	     "the unit is enabled only through others that it names in its [Install] section: want "
	     "those"},
	    {"bad", "systemd cannot read the unit"},
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (has_word(have, words[i].word, true)) {
			return words[i].why;
		}
	}
	return NULL;
}

static void block(struct verdict *verdict, enum outcome outcome, const char *why)
{
	verdict->outcome = outcome;
	verdict->why = why;
}

/* What stands in the way of the differences there are, if anything. */
static void find_obstacle(const struct resource *want, const struct resource *have,
                          struct verdict *verdict)
{
	const struct service *w = &want->service, *h = &have->service;
	bool enables = is_wanted(w->enabled, true) && !h->enabled.value;
	bool starts = is_wanted(w->active, true) && !h->active.value;

	if (h->masked.value && !is_wanted(w->masked, false) && (enables || starts)) {
		block(verdict, OUTCOME_BLOCKED, "the unit is masked; masked: false would unmask it");
	} else if (enables && enable_obstacle(have)) {
		block(verdict, OUTCOME_BLOCKED, enable_obstacle(have));
	} else if (starts && has_word(have, "activating", false)) {
		block(verdict, OUTCOME_PENDING, "the unit is starting");
	} else if (is_wanted(w->active, false) && has_word(have, "deactivating", false)) {
		block(verdict, OUTCOME_PENDING, "the unit is stopping");
	}
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *verdict)
{
	if (have->state == STATE_ABSENT) {
		block(verdict, OUTCOME_BLOCKED, "there is no such unit");
		return;
	}
	compare_resources(arena, want, have, &verdict->differences);
	if (have->service.needs_reload.value) {
		differences_add(arena, &verdict->differences, "needs_reload", "yes", "no");
	}
	if (!verdict->differences.count) {
		return;
	}
	block(verdict, OUTCOME_CHANGE, NULL);
	verdict->action = ACTION_UPDATE;
	if (is_wanted(want->service.active, false) && have->service.active.value) {
		verdict->marks |= MARK_DISRUPTIVE;
	}
	find_obstacle(want, have, verdict);
}

/* ---- Apply ---- */

struct calls {
	const char *verb;
	bool with_unit;
};

/* What systemctl is to be told, in the order in which it makes sense. At most six. */
static size_t plan_calls(const struct resource *want, const struct resource *have,
                         struct calls *calls)
{
	const struct service *w = &want->service, *h = &have->service;
	size_t n = 0;

	if (h->needs_reload.value) {
		calls[n++] = (struct calls){"daemon-reload", false};
	}
	if (is_wanted(w->masked, false) && h->masked.value) {
		calls[n++] = (struct calls){"unmask", true};
	}
	if (w->enabled.set && w->enabled.value != h->enabled.value) {
		calls[n++] = (struct calls){w->enabled.value ? "enable" : "disable", true};
	}
	if (is_wanted(w->active, true) && !h->active.value) {
		if (has_word(have, "failed", false)) {
			calls[n++] = (struct calls){"reset-failed", true}; /* else its start limit holds */
		}
		calls[n++] = (struct calls){"start", true};
	} else if (is_wanted(w->active, false) && h->active.value) {
		calls[n++] = (struct calls){"stop", true};
	}
	if (is_wanted(w->masked, true) && !h->masked.value) {
		calls[n++] = (struct calls){"mask", true};
	}
	return n;
}

static void pause_for(int ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	while (nanosleep(&time, &time)) {
	}
}

static bool is_under_way(const struct systemd_unit *unit)
{
	return unit->has_job || text_equal(unit->active, "activating") ||
	       text_equal(unit->active, "deactivating");
}

/* Until the unit has come to something, or there is no time left for it. */
static int settle(struct host *host, const char *unit, struct arena *arena, bool starts,
                  struct applied *applied, struct err *err)
{
	int64_t end = clock_ms() + SETTLE_MS;
	struct systemd_unit state;
	const char *why;

	if (starts) {
		pause_for(PROVE_MS);
	}
	for (;;) {
		if (systemd_show(host, unit, arena, &state, &why, err)) {
			return -(int)err->code;
		}
		if (why || !is_under_way(&state)) {
			break;
		}
		if (clock_left(end) <= 0) {
			*applied = (struct applied){
			    .outcome = OUTCOME_PENDING,
			    .why = arena_printf(arena, "%s is still %s after %d s", unit, state.active,
			                        SETTLE_MS / 1000),
			};
			return 0;
		}
		pause_for(LOOK_EVERY_MS);
	}
	if (!why && starts && !is_active(state.active)) {
		*applied = (struct applied){
		    .outcome = OUTCOME_FAILED,
		    .why = arena_printf(arena, "%s was started and is %s%s%s", unit, state.active,
		                        *state.result ? ": " : "", state.result),
		    .detail = systemd_log(host, unit, arena),
		};
	}
	return 0;
}

static int apply(struct host *host, const struct change *change, struct arena *arena,
                 struct applied *applied, struct err *err)
{
	struct calls calls[8];
	size_t n = plan_calls(change->want, change->have, calls);
	const char *unit = change->want->key, *why = NULL;
	bool starts = false, waits = false;

	for (size_t i = 0; i < n; i++) {
		starts |= strcmp(calls[i].verb, "start") == 0;
		waits |= starts || strcmp(calls[i].verb, "stop") == 0;
		if (systemd_call(host, calls[i].verb, calls[i].with_unit ? unit : NULL, arena, &why, err)) {
			return -(int)err->code;
		}
		if (why) {
			*applied = (struct applied){.outcome = OUTCOME_FAILED, .why = why};
			return 0;
		}
	}
	return waits ? settle(host, unit, arena, starts, applied, err) : 0;
}

/* ---- Needs and predict ---- */

/* A unit that is written by the same plan comes before it is asked for. */
static void needs(struct arena *arena, const struct resource *want, struct keys *ret_ids)
{
	keys_add(arena, ret_ids, arena_printf(arena, "file:/etc/systemd/system/%s", want->key));
}

static const struct resource *predict(struct arena *arena, const struct change *change,
                                      bool *ret_exact)
{
	const struct service *w = &change->want->service;
	struct resource *after = resource_copy(arena, change->have);
	struct service *service = &after->service;

	(void)ret_exact;
	service->enabled = w->enabled.set ? w->enabled : service->enabled;
	service->active = w->active.set ? w->active : service->active;
	service->masked = w->masked.set ? w->masked : service->masked;
	service->needs_reload = truth_of(false);
	service->unit_state = NULL; /* systemd's word for it is not foreseen */
	return after;
}

const struct provider provider_service = {
    .kind = KIND_SERVICE,
    .check = check,
    .observe = observe,
    .diff = diff,
    .apply = apply,
    .needs = needs,
    .predict = predict,
};
