// SPDX-License-Identifier: MIT
/*
 * Kind package: what dpkg has installed, changed by apt-get. A version is a condition on what is
 * installed, never a wish to upgrade, so the index is asked only when the condition does not hold;
 * then the version that a change would bring is settled here, with all that apt-get would do
 * besides (package_change.c).
 */
#include "provider/package_change.h"

#include "base/str.h"
#include "provider/table.h"

enum { OFFERED_SHOWN = 4 };

/* ---- What is there ---- */

static bool is_there(const struct host_package *package)
{
	return package->known && !text_equal(package->status, "not-installed") &&
	       !text_equal(package->status, "config-files");
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_PACKAGE], key);
	struct host_package package;
	const char *why;

	if (host->ops->package(host, key, &package, err)) {
		return -(int)err->code;
	}
	have->state = is_there(&package) ? STATE_PRESENT : STATE_ABSENT;
	have->package.status = package.status;
	if (have->state == STATE_PRESENT) {
		have->package.version = package.version;
		have->package.architecture = package.architecture;
	}
	if (text_equal(package.flag, "reinstreq")) {
		have->package.obstacle =
		    "dpkg says that it must be installed anew (reinst-required): that needs a person";
	}
	if (package_look_at_files(host, want, arena, have, &why, err)) {
		return -(int)err->code;
	}
	if (why) {
		*ret_have = resource_undetermined(arena, have->kind, key,
		                                  "whether its files are as installed: %s", why);
		return 0;
	}
	if (want && !package_is_settled(want, have) && package_foresee(host, want, arena, have, err)) {
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
		keys_add(arena, ret_keys, names.items[i]);
	}
	return 0;
}

/* ---- What would be done ---- */

/* Why no version can be had, from what the index offers. */
static const char *not_offered(struct arena *arena, const struct resource *want,
                               const struct list *offered)
{
	AUTO(str_free) struct str text = {0};

	if (!offered->count) {
		return arena_printf(arena, "%s is not published: the package index does not have it",
		                    want->key);
	}
	for (size_t i = 0; i < offered->count && i < OFFERED_SHOWN; i++) {
		str_addf(&text, "%s%s", i ? ", " : "", offered->items[i]);
	}
	if (offered->count > OFFERED_SHOWN) {
		str_addf(&text, " and %zu older", offered->count - OFFERED_SHOWN);
	}
	return want->package.version
	           ? arena_printf(arena, "version %s is not published: the package index has only %s",
	                          want->package.version, str_text(&text))
	           : arena_printf(arena, "apt's preferences allow none of the published versions: %s",
	                          str_text(&text));
}

static void diff_removal(struct arena *arena, const struct resource *have, struct verdict *verdict)
{
	differences_add(arena, &verdict->differences, "state", state_name(have->state),
	                state_name(STATE_ABSENT));
	verdict->action = ACTION_REMOVE;
	verdict->marks |= MARK_IRREVERSIBLE;
}

static void diff_install(struct arena *arena, const struct resource *want,
                         const struct resource *have, struct verdict *verdict)
{
	const struct package *package = &have->package;
	bool is_present = have->state == STATE_PRESENT;

	if (!is_present) {
		differences_add(arena, &verdict->differences, "state", state_name(have->state),
		                state_name(STATE_PRESENT));
	} else if (!text_equal(package->status, "installed")) {
		differences_add(arena, &verdict->differences, "status", package->status, "installed");
	}
	if (package->candidate && !text_equal(package->candidate, package->version)) {
		differences_add(arena, &verdict->differences, "version", package->version,
		                package->candidate);
	} else if (!package->candidate && want->package.version && !package_is_damaged(want, have)) {
		differences_add(arena, &verdict->differences, "version", package->version,
		                want->package.version);
	}
	if (package_is_damaged(want, have)) {
		differences_add(arena, &verdict->differences, "damaged", package->damaged, "as installed");
	}
	if (package->candidate && package->from) {
		differences_add(arena, &verdict->differences, "from", NULL, package->from);
	}
	if (is_present && package->candidate && package->version &&
	    packages_compare(package->candidate, package->version) < 0) {
		verdict->marks |= MARK_DISRUPTIVE;
	}
	verdict->action = is_present ? ACTION_UPDATE : ACTION_CREATE;
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *verdict)
{
	const struct package *package = &have->package;

	if (package_is_settled(want, have)) {
		return;
	}
	verdict->outcome = OUTCOME_CHANGE;
	if (want->state == STATE_ABSENT) {
		diff_removal(arena, have, verdict);
	} else {
		diff_install(arena, want, have, verdict);
	}
	if (package->obstacle) {
		verdict->outcome = OUTCOME_BLOCKED;
		verdict->why = package->obstacle;
	} else if (want->state == STATE_PRESENT && !package->candidate) {
		verdict->outcome = package->offered.set ? OUTCOME_BLOCKED : OUTCOME_UNDETERMINED;
		verdict->why = package->offered.set
		                   ? not_offered(arena, want, &package->offered)
		                   : "what could be installed is not known: there is no package index";
	} else if (package->repair) {
		differences_add(arena, &verdict->differences, "repair", package->repair,
		                "finished by dpkg --configure -a first");
	}
}

static void needs(struct arena *arena, const struct resource *want, struct keys *ret_ids)
{
	if (want->state == STATE_PRESENT) {
		keys_add(arena, ret_ids, resource_id(arena, &kind_table[KIND_PACKAGE_INDEX], "apt"));
	}
}

static const struct resource *predict(struct arena *arena, const struct change *change,
                                      bool *ret_exact)
{
	struct resource *after = resource_create(arena, change->kind, change->want->key);
	const struct package *had = &change->have->package;

	*ret_exact = true;
	after->state = change->want->state;
	after->package.status = after->state == STATE_PRESENT ? "installed" : "config-files";
	if (after->state == STATE_PRESENT) {
		after->package.version = had->candidate;
		after->package.intact = change->want->package.intact;
		after->package.architecture = had->architecture;
	}
	return after;
}

static int check(const struct resource *want, struct err *err)
{
	if (want->package.intact.set && !want->package.intact.value) {
		return err_set(err, ERR_INPUT, 0, "intact: false, expected true (or no such line)");
	}
	return 0;
}

const struct provider provider_package = {
    .kind = KIND_PACKAGE,
    .waits_at_deadline = true,
    .check = check,
    .observe = observe,
    .list = list,
    .diff = diff,
    .apply = package_apply,
    .needs = needs,
    .predict = predict,
};
