// SPDX-License-Identifier: MIT
/* See package_change.h. */
#include "provider/package_change.h"

#include "base/str.h"
#include "provider/lines.h"
#include "provider/simulate.h"
#include "provider/transaction.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/utsname.h>

enum { NAMES_SHOWN = 6, ARGUMENTS = 32 };

static bool is_version_right(const struct resource *want, const char *version)
{
	return version && (!want->package.version || fnmatch(want->package.version, version, 0) == 0);
}

bool package_is_settled(const struct resource *want, const struct resource *have)
{
	if (want->state != have->state) {
		return false;
	}
	return want->state == STATE_ABSENT || (text_equal(have->package.status, "installed") &&
	                                       is_version_right(want, have->package.version));
}

/* The version is there as wanted, and dpkg --configure -a will do the rest. */
static bool is_mended_by_repair(const struct resource *want, const struct resource *have)
{
	return want->state == STATE_PRESENT && have->state == STATE_PRESENT &&
	       !text_equal(have->package.status, "installed") &&
	       !text_equal(have->package.status, "half-installed") &&
	       is_version_right(want, have->package.version);
}

static const char *some_names(struct arena *arena, const struct list *names)
{
	AUTO(str_free) struct str text = {0};

	for (size_t i = 0; i < names->count && i < NAMES_SHOWN; i++) {
		str_addf(&text, "%s%s", i ? ", " : "", names->items[i]);
	}
	if (names->count > NAMES_SHOWN) {
		str_addf(&text, " and %zu more", names->count - NAMES_SHOWN);
	}
	return arena_strdup(arena, str_text(&text));
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

static int find_candidate(struct host *host, const struct resource *want, struct resource *have,
                          struct err *err)
{
	struct host_candidate candidate;
	int64_t age;

	if (is_mended_by_repair(want, have)) {
		have->package.candidate = have->package.version;
		return 0;
	}
	if (host->ops->package_index_age(host, &age, err)) {
		return -(int)err->code;
	}
	if (age < 0) {
		return 0;
	}
	if (host->ops->candidate(host, want->key, &candidate, err)) {
		return -(int)err->code;
	}
	have->package.offered = candidate.versions;
	have->package.candidate = choose(want, &candidate);
	return 0;
}

/* ---- What apt-get would do ---- */

struct arguments {
	const char *list[ARGUMENTS];
	size_t count;
};

static void add(struct arguments *arguments, const char *const *words)
{
	for (size_t i = 0; words[i]; i++) {
		arguments->list[arguments->count++] = words[i];
	}
}

/* Ours last: what was set here holds whatever apt.conf says. */
static void make_arguments(struct arena *arena, const struct resource *want,
                           const struct resource *have, bool simulate, struct arguments *arguments)
{
	static const char *const look[] = {"-s", "--allow-change-held-packages",
	                                   "-o", "Debug::NoLocking=true",
	                                   "-o", "APT::Get::Show-User-Simulation-Note=false",
	                                   "-o", "Dir::Cache::pkgcache=",
	                                   "-o", "Dir::Cache::srcpkgcache=",
	                                   "-o", "Dir::Log::Planner=/dev/null",
	                                   NULL};
	static const char *const act[] = {"-o", "Dpkg::Options::=--force-confdef",
	                                  "-o", "Dpkg::Options::=--force-confold",
	                                  "-o", "Dpkg::Use-Pty=0",
	                                  "-o", "DPkg::Lock::Timeout=60",
	                                  "-o", "Acquire::Retries=3",
	                                  NULL};
	static const char *const common[] = {"-q", "-y", "--no-install-recommends", "--no-auto-remove",
	                                     NULL};
	const struct package *package = &have->package;

	*arguments = (struct arguments){.list = {"apt-get"}, .count = 1};
	add(arguments, common);
	add(arguments, simulate ? look : act);
	if (want->state == STATE_ABSENT) {
		add(arguments, (const char *const[]){"remove", "--", want->key, NULL});
		return;
	}
	if (!simulate) {
		add(arguments, (const char *const[]){"--no-remove", NULL});
	}
	if (package->version && packages_compare(package->candidate, package->version) < 0) {
		add(arguments, (const char *const[]){"--allow-downgrades", NULL});
	}
	add(arguments,
	    (const char *const[]){"install", "--",
	                          arena_printf(arena, "%s=%s", want->key, package->candidate), NULL});
}

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
		return arena_printf(arena, "it would remove %s", some_names(arena, &f->removes));
	}
	if (f->kernels.count) {
		return arena_printf(arena, "it would bring in another kernel, which nobody asked for: %s",
		                    some_names(arena, &f->kernels));
	}
	if (f->held.count) {
		return arena_printf(arena, "it would change packages that are held: %s",
		                    some_names(arena, &f->held));
	}
	return f->is_done ? NULL : "apt-get would not do it";
}

static int simulate(struct host *host, const struct resource *want, struct arena *arena,
                    struct resource *have, struct err *err)
{
	struct arguments arguments;
	struct simulation simulation;
	struct foreseen f = {0};
	char *out;

	make_arguments(arena, want, have, true, &arguments);
	if (transaction_ask(host, arguments.list, arena, &out, &have->package.obstacle, err)) {
		return -(int)err->code;
	}
	if (have->package.obstacle) {
		return 0;
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

static const char *what_to_repair(struct arena *arena, const struct host_package_manager *manager)
{
	if (manager->unconfigured.count) {
		return arena_printf(arena, "not configured: %s", some_names(arena, &manager->unconfigured));
	}
	return manager->interrupted ? "dpkg was interrupted" : NULL;
}

int package_foresee(struct host *host, const struct resource *want, struct arena *arena,
                    struct resource *have, struct err *err)
{
	struct package *package = &have->package;
	struct host_package_manager manager;
	const char *busy;

	if (transaction_busy(host, arena, &manager, &busy, err)) {
		return -(int)err->code;
	}
	package->obstacle = busy ? busy : package->obstacle;
	package->repair = busy ? NULL : what_to_repair(arena, &manager);
	if (!package->obstacle && find_running_kernel(want, have, err)) {
		return -(int)err->code;
	}
	if (package->obstacle) {
		return 0;
	}
	if (want->state == STATE_PRESENT && find_candidate(host, want, have, err)) {
		return -(int)err->code;
	}
	/* As long as something is to be repaired, apt-get may say anything: it is asked again after
	 * that. */
	if (package->repair || (want->state == STATE_PRESENT && !package->candidate)) {
		return 0;
	}
	return simulate(host, want, arena, have, err);
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
	*ret_go_on = !package_is_settled(w->want, w->have);
	if (!*ret_go_on) {
		return 0;
	}
	if (package_foresee(w->host, w->want, w->arena, w->have, err)) {
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

static int repair(struct work *w, bool *ret_go_on, struct err *err)
{
	static const char *const argv[] = {
	    "dpkg", "--force-confdef", "--force-confold", "--configure", "-a", NULL};

	if (run(w, argv, ret_go_on, err)) {
		return -(int)err->code;
	}
	return *ret_go_on ? look_again(w, ret_go_on, err) : 0;
}

static int mark(struct work *w, const char *verb, bool *ret_went_well, struct err *err)
{
	const char *const argv[] = {"apt-mark", verb, w->want->key, NULL};
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

/* apt refuses to touch what is held: the hold is lifted, and put back however this ends. */
static int act(struct work *w, struct err *err)
{
	struct host_package package;
	struct arguments arguments;
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
	make_arguments(w->arena, w->want, w->have, false, &arguments);
	int r = run(w, arguments.list, &went_well, err);

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
