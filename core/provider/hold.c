// SPDX-License-Identifier: MIT
/*
 * Kind hold: dpkg's selection of a package, so that nobody else upgrades or removes it. Set by
 * apt-mark, since dpkg --set-selections passes over a package that it does not know and says that
 * all is well.
 */
#include "base/str.h"
#include "provider/table.h"
#include "provider/transaction.h"

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
	if (want && want->state == STATE_PRESENT && !package.known &&
	    find_obstacle(host, key, arena, &have->hold.obstacle, err)) {
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

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *verdict)
{
	if (want->state == have->state) {
		return;
	}
	differences_add(arena, &verdict->differences, "state",
	                have->state == STATE_PRESENT ? "held" : "not held",
	                want->state == STATE_PRESENT ? "held" : "not held");
	if (want->state == STATE_PRESENT && have->hold.obstacle) {
		verdict->outcome = OUTCOME_BLOCKED;
		verdict->why = have->hold.obstacle;
		return;
	}
	verdict->outcome = OUTCOME_CHANGE;
	verdict->action = want->state == STATE_PRESENT ? ACTION_CREATE : ACTION_REMOVE;
}

static int apply(struct host *host, const struct change *change, struct arena *arena,
                 struct applied *applied, struct err *err)
{
	const char *const argv[] = {"apt-mark", change->action == ACTION_REMOVE ? "unhold" : "hold",
	                            change->want->key, NULL};
	struct host_package_manager manager;
	struct transaction done;
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
	if (transaction_run(host, &manager, argv, arena, &done, err)) {
		return -(int)err->code;
	}
	*applied = (struct applied){.outcome = done.outcome, .why = done.why, .detail = done.detail};
	return 0;
}

static void needs(struct arena *arena, const struct resource *want, struct keys *ret_ids)
{
	keys_add(arena, ret_ids, resource_id(arena, &kind_table[KIND_PACKAGE], want->key));
}

static const struct resource *predict(struct arena *arena, const struct change *change,
                                      bool *ret_exact)
{
	struct resource *after = resource_copy(arena, change->want);

	(void)ret_exact;
	after->hold.selection = after->state == STATE_PRESENT ? "hold" : "install";
	return after;
}

const struct provider provider_hold = {
    .kind = KIND_HOLD,
    .timeout_ms = TRANSACTION_MS + 60000,
    .waits_at_deadline = true,
    .observe = observe,
    .list = list,
    .diff = diff,
    .apply = apply,
    .needs = needs,
    .predict = predict,
};
