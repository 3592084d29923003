// SPDX-License-Identifier: MIT
/* See package_change.h. */
#include "provider/package_change.h"

#include "base/str.h"
#include "provider/lines.h"
#include "provider/package_cache.h"
#include "provider/package_command.h"
#include "provider/package_explain.h"
#include "provider/package_files.h"
#include "provider/package_repair.h"
#include "provider/simulate.h"
#include "provider/transaction.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/utsname.h>

static const char from_cache[] = "the cache, " PACKAGE_CACHE;

static bool is_version_right(const struct resource *want, const char *version)
{
	return version && (!want->package.version || fnmatch(want->package.version, version, 0) == 0);
}

bool package_is_settled(const struct resource *want, const struct resource *have)
{
	if (want->state != have->state) {
		return false;
	}
	return want->state == STATE_ABSENT ||
	       (text_equal(have->package.status, "installed") &&
	        is_version_right(want, have->package.version) && !package_is_damaged(want, have));
}

bool package_is_damaged(const struct resource *want, const struct resource *have)
{
	return want->state == STATE_PRESENT && want->package.intact.set && want->package.intact.value &&
	       have->package.intact.set && !have->package.intact.value &&
	       text_equal(have->package.status, "installed") &&
	       is_version_right(want, have->package.version);
}

int package_look_at_files(struct host *host, const struct resource *want, struct arena *arena,
                          struct resource *have, const char **ret_why, struct err *err)
{
	struct list damaged;

	*ret_why = NULL;
	if (!want || !want->package.intact.set || have->state != STATE_PRESENT ||
	    !text_equal(have->package.status, "installed")) {
		return 0;
	}
	if (package_files_damaged(host, want->key, arena, &damaged, ret_why, err)) {
		return -(int)err->code;
	}
	have->package.intact = (struct truth){.set = !*ret_why, .value = !damaged.count};
	have->package.damaged = damaged.count ? package_repair_names(arena, &damaged) : NULL;
	return 0;
}

/* The version is there as wanted, and dpkg --configure -a will do the rest. */
static bool is_mended_by_repair(const struct resource *want, const struct resource *have)
{
	return want->state == STATE_PRESENT && have->state == STATE_PRESENT &&
	       !text_equal(have->package.status, "installed") &&
	       !text_equal(have->package.status, "half-installed") &&
	       is_version_right(want, have->package.version);
}

/* ---- The version ---- */

/* The newest one on offer that is as wanted; of any version the one that apt prefers. */
static const char *choose(const struct resource *want, const struct host_candidate *candidate)
{
	if (!want->package.version || is_version_right(want, candidate->version)) {
		return candidate->version;
	}
	for (size_t i = 0; i < candidate->versions.count; i++) {
		if (is_version_right(want, candidate->versions.items[i])) {
			return candidate->versions.items[i];
		}
	}
	return NULL;
}

/* What the index does not have may have been kept. */
static void look_into_cache(struct host *host, const struct resource *want, const char *version,
                            struct arena *arena, struct resource *have)
{
	const char *damage;
	const struct cached_set *set = package_cache_offer(host, want->key, version, arena, &damage);

	if (set) {
		have->package.candidate = set->version;
		have->package.from = from_cache;
	} else if (damage) {
		have->package.obstacle = arena_printf(
		    arena, "the package index does not have it, and what was kept of it is not used: %s",
		    damage);
	}
}

static int find_candidate(struct host *host, const struct resource *want, struct arena *arena,
                          struct resource *have, struct err *err)
{
	struct host_candidate candidate;
	int64_t age;

	if (is_mended_by_repair(want, have)) {
		have->package.candidate = have->package.version;
		return 0;
	}
	/* To put files back is no wish for another version. */
	const char *version = package_is_damaged(want, have) ? have->package.version : NULL;

	if (host->ops->package_index_age(host, &age, err)) {
		return -(int)err->code;
	}
	if (age >= 0) {
		if (host->ops->candidate(host, want->key, &candidate, err)) {
			return -(int)err->code;
		}
		have->package.offered = candidate.versions;
		have->package.candidate = !version ? choose(want, &candidate)
		                          : list_has(&candidate.versions, version) ? version
		                                                                   : NULL;
	}
	if (!have->package.candidate) {
		look_into_cache(host, want, version ? version : want->package.version, arena, have);
	}
	if (version && !have->package.candidate && !have->package.obstacle) {
		have->package.obstacle = arena_printf(
		    arena,
		    "damaged: %s; version %s, which would put it right, is neither published nor kept",
		    have->package.damaged, version);
	}
	return 0;
}

/* ---- What apt-get would do ---- */

/* apt names a package of the machine's own architecture without it. */
static bool is_itself(const struct resource *want, const char *name)
{
	size_t n = strcspn(name, ":");

	return strcmp(name, want->key) == 0 ||
	       (strncmp(name, want->key, n) == 0 && want->key[n] == ':');
}

struct foreseen {
	struct list brings, removes, kernels, held;
	size_t brings_cap, removes_cap, kernels_cap, held_cap;
	bool is_done; /* what is wanted would be done */
};

static int sort_out(struct host *host, const struct resource *want, const struct simulated *s,
                    struct arena *arena, struct foreseen *f, struct err *err)
{
	struct host_package package = {0};

	if (is_itself(want, s->name)) {
		f->is_done |= (s->version != NULL) == (want->state == STATE_PRESENT);
		return 0;
	}
	if (!s->version) {
		lines_add(arena, &f->removes, &f->removes_cap, s->name);
		return 0;
	}
	lines_add(arena, &f->brings, &f->brings_cap, arena_printf(arena, "%s=%s", s->name, s->version));
	if (!s->before && simulate_is_kernel(s->name) && !simulate_is_asked(want->key, s->name)) {
		lines_add(arena, &f->kernels, &f->kernels_cap, s->name);
	}
	if (host->ops->package(host, s->name, &package, err)) {
		return -(int)err->code;
	}
	if (package.held) {
		lines_add(arena, &f->held, &f->held_cap, s->name);
	}
	return 0;
}

static const char *judge(struct arena *arena, const struct simulation *simulation,
                         const struct foreseen *f)
{
	if (simulation->cut_short) {
		return "apt-get would change more packages than can be looked through";
	}
	if (f->removes.count) {
		return arena_printf(arena, "it would remove %s", package_repair_names(arena, &f->removes));
	}
	if (f->kernels.count) {
		return arena_printf(arena, "it would bring in another kernel, which nobody asked for: %s",
		                    package_repair_names(arena, &f->kernels));
	}
	if (f->held.count) {
		return arena_printf(arena, "it would change packages that are held: %s",
		                    package_repair_names(arena, &f->held));
	}
	return f->is_done ? NULL : "apt-get would not do it";
}

static int simulate(struct host *host, const struct resource *want, struct arena *arena,
                    struct resource *have, struct err *err)
{
	struct package_command command;
	struct simulation simulation;
	struct foreseen f = {0};
	char *out;

	package_command_make(arena, want, have, true, &command);
	if (have->package.from &&
	    package_command_add_kept(host, want, arena, &command, &have->package.obstacle, err)) {
		return -(int)err->code;
	}
	if (have->package.obstacle) {
		return 0;
	}
	if (transaction_ask(host, command.list, arena, &out, &have->package.obstacle, err)) {
		return -(int)err->code;
	}
	if (have->package.obstacle) {
		return package_explain(host, want->key, out, arena, &have->package.obstacle, err);
	}
	simulate_parse(arena, out, &simulation);
	for (size_t i = 0; i < simulation.count; i++) {
		if (sort_out(host, want, &simulation.list[i], arena, &f, err)) {
			return -(int)err->code;
		}
	}
	have->package.brings = f.brings;
	have->package.obstacle = judge(arena, &simulation, &f);
	return 0;
}

/* ---- What stands in the way ---- */

static int find_running_kernel(const struct resource *want, struct resource *have, struct err *err)
{
	struct utsname names;

	if (uname(&names)) {
		return err_set(err, ERR_HOST, errno, "uname");
	}
	if (want->state == STATE_ABSENT && simulate_is_kernel(want->key) &&
	    text_ends(want->key, names.release)) {
		have->package.obstacle = "it belongs to the running kernel";
	}
	return 0;
}

/* `repaired`: dpkg --configure -a has been run just now. */
static int foresee(struct host *host, const struct resource *want, bool repaired,
                   struct arena *arena, struct resource *have, struct err *err)
{
	struct package *package = &have->package;
	/* To be removed or replaced it need not be configured. */
	const char *key = is_mended_by_repair(want, have) ? want->key : "";
	struct host_package_manager manager;
	const char *busy;

	if (transaction_busy(host, arena, &manager, &busy, err) ||
	    (!busy && package_repair_find(host, &manager, key, repaired, &package->repair, err))) {
		return -(int)err->code;
	}
	package->obstacle = busy ? busy : package->obstacle;
	if (!package->obstacle && find_running_kernel(want, have, err)) {
		return -(int)err->code;
	}
	if (package->obstacle) {
		return 0;
	}
	if (want->state == STATE_PRESENT && find_candidate(host, want, arena, have, err)) {
		return -(int)err->code;
	}
	/* As long as something is to be repaired, apt-get may say anything: it is asked again after
	 * that. */
	if (package->repair || (want->state == STATE_PRESENT && !package->candidate)) {
		return 0;
	}
	return simulate(host, want, arena, have, err);
}

int package_foresee(struct host *host, const struct resource *want, struct arena *arena,
                    struct resource *have, struct err *err)
{
	return foresee(host, want, false, arena, have, err);
}

/* ---- The change ---- */

struct work {
	struct host *host;
	const struct resource *want;
	struct resource *have;
	struct arena *arena;
	struct host_package_manager manager;
	struct applied *applied;
};

/* Runs a tool; false when that is the end of the work, with the reason in *applied. */
static int run(struct work *w, const char *const *argv, bool *ret_went_well, struct err *err)
{
	struct transaction done;

	if (transaction_run(w->host, &w->manager, argv, w->arena, &done, err)) {
		return -(int)err->code;
	}
	w->applied->outcome = done.outcome;
	w->applied->why = done.why;
	w->applied->detail = transaction_join(w->arena, w->applied->detail, done.detail);
	*ret_went_well = done.outcome == OUTCOME_CHANGED;
	return 0;
}

/* Looks at everything anew; true when there is something left to do and nothing in the way. */
static int look_again(struct work *w, bool *ret_go_on, struct err *err)
{
	struct host_package package;
	const char *unclear;

	host_forget(w->host);
	if (w->host->ops->package(w->host, w->want->key, &package, err)) {
		return -(int)err->code;
	}
	bool is_there = package.known && !text_equal(package.status, "not-installed") &&
	                !text_equal(package.status, "config-files");

	w->have = resource_create(w->arena, w->want->kind, w->want->key);
	w->have->state = is_there ? STATE_PRESENT : STATE_ABSENT;
	w->have->package.status = package.status;
	w->have->package.version = is_there ? package.version : NULL;
	if (package_look_at_files(w->host, w->want, w->arena, w->have, &unclear, err)) {
		return -(int)err->code;
	}
	*ret_go_on = !package_is_settled(w->want, w->have);
	if (!*ret_go_on) {
		return 0;
	}
	if (foresee(w->host, w->want, true, w->arena, w->have, err)) {
		return -(int)err->code;
	}
	const char *why = w->have->package.obstacle ? w->have->package.obstacle
	                  : w->have->package.repair ? w->have->package.repair
	                  : w->want->state == STATE_PRESENT && !w->have->package.candidate
	                      ? "no such version can be had any more"
	                      : NULL;

	if (why) {
		w->applied->outcome = w->have->package.repair ? OUTCOME_FAILED : OUTCOME_BLOCKED;
		w->applied->why = why;
		*ret_go_on = false;
	}
	return 0;
}

/* When another package cannot be configured, this one is none the worse for it: it goes on. */
static int repair(struct work *w, bool *ret_go_on, struct err *err)
{
	if (run(w, package_repair_argv, ret_go_on, err)) {
		return -(int)err->code;
	}
	if (!*ret_go_on && w->applied->outcome != OUTCOME_FAILED) {
		return 0; /* it still runs, or somebody else was quicker */
	}
	const char *complaint = w->applied->why;

	if (look_again(w, ret_go_on, err)) {
		return -(int)err->code;
	}
	if (!*ret_go_on && complaint) {
		w->applied->outcome = OUTCOME_FAILED;
		w->applied->why = complaint;
	}
	return 0;
}

static int mark(struct work *w, const char *verb, bool *ret_went_well, struct err *err)
{
	const char *const argv[] = {"apt-mark", "-o", PACKAGES_EXACT, verb, "--", w->want->key, NULL};
	struct host_package_manager here = w->manager;
	struct transaction done;

	here.under_systemd = false; /* over in a moment */
	if (transaction_run(w->host, &here, argv, w->arena, &done, err)) {
		return -(int)err->code;
	}
	w->applied->detail = transaction_join(w->arena, w->applied->detail, done.detail);
	*ret_went_well = done.outcome == OUTCOME_CHANGED;
	if (!*ret_went_well && w->applied->outcome == OUTCOME_CHANGED) {
		w->applied->outcome = done.outcome;
		w->applied->why = arena_printf(w->arena, "its hold: %s", done.why);
	}
	return 0;
}

/* With the files that were kept, if they are what they were. */
static int install_kept(struct work *w, bool *ret_went_well, struct err *err)
{
	struct package_command command;
	const char *why;

	package_command_make(w->arena, w->want, w->have, false, &command);
	if (package_command_add_kept(w->host, w->want, w->arena, &command, &why, err)) {
		return -(int)err->code;
	}
	if (why) {
		w->applied->outcome = OUTCOME_FAILED;
		w->applied->why = arena_printf(w->arena, "what was kept of it is not used: %s", why);
		*ret_went_well = false;
		return 0;
	}
	return run(w, command.list, ret_went_well, err);
}

/* apt's words when a source does not give what its index has. */
static bool is_out_of_reach(const struct applied *applied)
{
	return applied->outcome == OUTCOME_FAILED && applied->why &&
	       (strstr(applied->why, "Failed to fetch") || strstr(applied->why, "Unable to fetch"));
}

/* From where it was planned; the same version from the cache when its source is out of reach. */
static int install(struct work *w, bool *ret_went_well, struct err *err)
{
	struct package_command command;
	const char *damage;

	if (w->have->package.from) {
		return install_kept(w, ret_went_well, err);
	}
	package_command_make(w->arena, w->want, w->have, false, &command);
	if (run(w, command.list, ret_went_well, err)) {
		return -(int)err->code;
	}
	const char *unreached = w->applied->why;
	const struct cached_set *set =
	    w->want->state == STATE_PRESENT && is_out_of_reach(w->applied)
	        ? package_cache_offer(w->host, w->want->key, w->have->package.candidate, w->arena,
	                              &damage)
	        : NULL;

	if (!set || strcmp(set->version, w->have->package.candidate) != 0) {
		return 0;
	}
	w->have->package.from = from_cache;
	w->applied->detail = transaction_join(w->arena, w->applied->detail,
	                                      "its source is out of reach: taken from the cache");
	if (install_kept(w, ret_went_well, err)) {
		return -(int)err->code;
	}
	if (!*ret_went_well && w->applied->why) {
		w->applied->why = arena_printf(w->arena, "%s; %s", unreached, w->applied->why);
	}
	return 0;
}

/* apt refuses to touch what is held: the hold is lifted, and put back however this ends. */
static int act(struct work *w, struct err *err)
{
	struct host_package package;
	struct err fault = {0};
	bool went_well = true, still_runs;

	if (w->host->ops->package(w->host, w->want->key, &package, err)) {
		return -(int)err->code;
	}
	if (package.held && mark(w, "unhold", &went_well, err)) {
		return -(int)err->code;
	}
	if (!went_well) {
		return 0;
	}
	int r = install(w, &went_well, err);

	still_runs = !r && w->applied->outcome == OUTCOME_PENDING;
	if (!package.held || w->want->state == STATE_ABSENT) {
		return r;
	}
	if (still_runs) {
		w->applied->why =
		    arena_printf(w->arena, "%s; its hold is lifted until it has ended", w->applied->why);
	} else if (mark(w, "hold", &went_well, &fault)) {
		return r ? r : err_copy(err, &fault);
	}
	return r;
}

int package_apply(struct host *host, const struct change *change, struct arena *arena,
                  struct applied *applied, struct err *err)
{
	struct work w = {
	    .host = host,
	    .want = change->want,
	    .have = resource_copy(arena, change->have),
	    .arena = arena,
	    .applied = applied,
	};
	const char *busy;
	bool go_on = true;

	if (transaction_busy(host, arena, &w.manager, &busy, err)) {
		return -(int)err->code;
	}
	if (busy) {
		applied->outcome = OUTCOME_BLOCKED;
		applied->why = busy;
		return 0;
	}
	if (w.have->package.repair && repair(&w, &go_on, err)) {
		return -(int)err->code;
	}
	return go_on ? act(&w, err) : 0;
}
