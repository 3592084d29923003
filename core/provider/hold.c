// SPDX-License-Identifier: MIT
/*
 * Kind hold: dpkg's selection of a package, so that nobody else upgrades or removes it; and apt's
 * mark, since what came in automatically goes automatically as soon as it is held no more (dpkg -i
 * lifts a hold without a word). Both are set by apt-mark: dpkg --set-selections passes over a
 * package that it does not know and says that all is well.
 */
#include "base/str.h"
#include "provider/lines.h"
#include "provider/table.h"
#include "provider/transaction.h"

#include <string.h>

#define EXTENDED_STATES "/var/lib/apt/extended_states"

/* Can apt-mark hold what dpkg does not know? Only what the index offers. */
static int find_obstacle(struct host *host, const char *key, struct arena *arena,
                         const char **ret_obstacle, struct err *err)
{
	struct host_candidate candidate;
	int64_t age;

	if (host->ops->package_index_age(host, &age, err)) {
		return -(int)err->code;
	}
	if (age < 0) {
		*ret_obstacle = arena_printf(
		    arena, "%s is not installed, and there is no package index that would know it", key);
		return 0;
	}
	if (host->ops->candidate(host, key, &candidate, err)) {
		return -(int)err->code;
	}
	if (!candidate.known) {
		*ret_obstacle =
		    arena_printf(arena, "%s is neither installed nor published: apt does not know it", key);
	}
	return 0;
}

/* ---- apt's mark ---- */

/* A stanza of extended_states: three lines that matter, in any order. */
struct stanza {
	const char *package, *architecture;
	bool automatic;
};

static void read_stanza_line(char *line, struct stanza *stanza)
{
	char *value = strchr(line, ':');

	if (!value) {
		return;
	}
	*value++ = '\0';
	value += strspn(value, " \t");
	if (strcmp(line, "Package") == 0) {
		stanza->package = value;
	} else if (strcmp(line, "Architecture") == 0) {
		stanza->architecture = value;
	} else if (strcmp(line, "Auto-Installed") == 0) {
		stanza->automatic = strcmp(value, "1") == 0;
	}
}

/* A package of all architectures is listed under the machine's own. */
static bool is_about(const struct stanza *stanza, const char *key, const char *architecture)
{
	size_t n = strcspn(key, ":");

	return stanza->package && strlen(stanza->package) == n &&
	       strncmp(stanza->package, key, n) == 0 &&
	       (!stanza->architecture || text_equal(architecture, "all") ||
	        text_equal(stanza->architecture, architecture));
}

/* What is not in the file was installed by somebody's wish (apt-mark(8)). */
static int is_automatic(struct host *host, const char *key, const char *architecture,
                        bool *ret_automatic, struct err *err)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	struct stanza stanza = {0};
	char *rest;

	*ret_automatic = false;
	if (lines_read(host, EXTENDED_STATES, scratch, &rest, err)) {
		return -(int)err->code;
	}
	for (char *line; rest && (line = lines_next(&rest));) {
		if (*line) {
			read_stanza_line(line, &stanza);
		}
		if ((!*line || !rest) && is_about(&stanza, key, architecture)) {
			*ret_automatic = stanza.automatic;
			return 0;
		}
		stanza = *line ? stanza : (struct stanza){0};
	}
	return 0;
}

/* Only what is installed has the mark. */
static int find_mark(struct host *host, const char *key, const struct host_package *package,
                     struct truth *ret_manual, struct err *err)
{
	bool automatic;

	if (!package->known || text_equal(package->status, "not-installed") ||
	    text_equal(package->status, "config-files")) {
		return 0;
	}
	if (is_automatic(host, key, package->architecture, &automatic, err)) {
		return -(int)err->code;
	}
	*ret_manual = (struct truth){.set = true, .value = !automatic};
	return 0;
}

/* ---- What is there ---- */

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_HOLD], key);
	struct host_package package;

	if (host->ops->package(host, key, &package, err)) {
		return -(int)err->code;
	}
	have->state = package.held ? STATE_PRESENT : STATE_ABSENT;
	have->hold.selection = package.want;
	if (find_mark(host, key, &package, &have->hold.manual, err) ||
	    (want && want->state == STATE_PRESENT && !package.known &&
	     find_obstacle(host, key, arena, &have->hold.obstacle, err))) {
		return -(int)err->code;
	}
	*ret_have = resource_copy(arena, have); /* its texts may be the host's */
	return 0;
}

static int list(struct host *host, struct arena *arena, struct keys *ret_keys, struct err *err)
{
	struct list names;

	if (host->ops->package_list(host, &names, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < names.count; i++) {
		struct host_package package;

		if (host->ops->package(host, names.items[i], &package, err)) {
			return -(int)err->code;
		}
		if (package.held) {
			keys_add(arena, ret_keys, names.items[i]);
		}
	}
	return 0;
}

/* ---- What would be done ---- */

/* What is not installed gets its mark with the installation that somebody wants. */
static bool is_marked_otherwise(const struct resource *want, const struct resource *have)
{
	return want->hold.manual.set && have->hold.manual.set &&
	       want->hold.manual.value != have->hold.manual.value;
}

static const char *mark_name(bool manual)
{
	return manual ? "manual" : "automatic";
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *verdict)
{
	if (want->state != have->state) {
		differences_add(arena, &verdict->differences, "state",
		                have->state == STATE_PRESENT ? "held" : "not held",
		                want->state == STATE_PRESENT ? "held" : "not held");
		verdict->action = want->state == STATE_PRESENT ? ACTION_CREATE : ACTION_REMOVE;
	}
	if (is_marked_otherwise(want, have)) {
		differences_add(arena, &verdict->differences, "manual", mark_name(have->hold.manual.value),
		                mark_name(want->hold.manual.value));
		verdict->action = verdict->action ? verdict->action : ACTION_UPDATE;
	}
	if (!verdict->differences.count) {
		return;
	}
	verdict->outcome = OUTCOME_CHANGE;
	if (want->state == STATE_PRESENT && have->hold.obstacle) {
		verdict->outcome = OUTCOME_BLOCKED;
		verdict->why = have->hold.obstacle;
	}
}

static const struct resource *predict(struct arena *arena, const struct change *change,
                                      bool *ret_exact)
{
	struct resource *after = resource_copy(arena, change->want);

	(void)ret_exact;
	if (change->action != ACTION_UPDATE) {
		after->hold.selection = after->state == STATE_PRESENT ? "hold" : "install";
	} else {
		after->hold.selection = change->have->hold.selection;
	}
	if (!after->hold.manual.set || !change->have->hold.manual.set) {
		after->hold.manual = change->have->hold.manual;
	}
	return after;
}

static void needs(struct arena *arena, const struct resource *want, struct keys *ret_ids)
{
	keys_add(arena, ret_ids, resource_id(arena, &kind_table[KIND_PACKAGE], want->key));
}

/* ---- The change ---- */

static int run(struct host *host, const struct host_package_manager *manager,
               const char *const *argv, struct arena *arena, struct applied *applied,
               struct err *err)
{
	struct transaction done;

	if (transaction_run(host, manager, argv, arena, &done, err)) {
		return -(int)err->code;
	}
	applied->outcome = done.outcome;
	applied->why = done.why;
	applied->detail = transaction_join(arena, applied->detail, done.detail);
	return 0;
}

static int apply(struct host *host, const struct change *change, struct arena *arena,
                 struct applied *applied, struct err *err)
{
	const struct resource *want = change->want, *have = change->have;
	const char *const mark[] = {
	    "apt-mark", "-o", PACKAGES_EXACT, want->hold.manual.value ? "manual" : "auto", "--",
	    want->key,  NULL};
	const char *const hold[] = {
	    "apt-mark", "-o", PACKAGES_EXACT, want->state == STATE_PRESENT ? "hold" : "unhold", "--",
	    want->key,  NULL};
	struct host_package_manager manager;
	const char *busy;

	if (transaction_busy(host, arena, &manager, &busy, err)) {
		return -(int)err->code;
	}
	if (busy) {
		applied->outcome = OUTCOME_BLOCKED;
		applied->why = busy;
		return 0;
	}
	manager.under_systemd = false; /* over in a moment */
	/* The mark first: it protects also while there is no hold. */
	if (is_marked_otherwise(want, have) && run(host, &manager, mark, arena, applied, err)) {
		return -(int)err->code;
	}
	if (want->state == have->state || applied->outcome != OUTCOME_CHANGED) {
		return 0;
	}
	return run(host, &manager, hold, arena, applied, err);
}

const struct provider provider_hold = {
    .kind = KIND_HOLD,
    .waits_at_deadline = true,
    .observe = observe,
    .list = list,
    .diff = diff,
    .apply = apply,
    .needs = needs,
    .predict = predict,
};
