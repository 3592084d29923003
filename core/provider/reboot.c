// SPDX-License-Identifier: MIT
/*
 * Kind reboot: the node started anew, into a kernel. What was asked for stands in the ledger before
 * it is asked for, and only another boot id proves that it came. How it may happen is what the
 * desired state says in words (`when`); whatever speaks against it now is an obstacle. That the
 * wanted kernel is what will boot is looked at last of all, right before.
 */
#include "provider/converge.h"
#include "provider/reboot_fleet.h"
#include "provider/reboot_go.h"
#include "provider/slurm_node.h"
#include "provider/table.h"
#include "provider/window.h"

#include "base/clock.h"
#include "base/str.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

enum { PER_DAY = 1, PER_KERNEL = 2 }; /* when nothing is said */

static int64_t number_or(struct number number, int64_t otherwise)
{
	return number.set ? number.value : otherwise;
}

static void add_attempts(struct arena *arena, const struct reboot_ledger *ledger,
                         struct list *ret_list)
{
	const char **items = arena_array(arena, REBOOT_ENTRIES, sizeof *items);
	size_t count = 0;

	for (size_t i = 0; i < ledger->count; i++) {
		const char *into = ledger->list[i].into;
		bool again = false;

		for (size_t k = 0; k < i; k++) {
			again |= strcmp(ledger->list[k].into, into) == 0;
		}
		int64_t attempts = again ? 0 : reboot_ledger_attempts(ledger, into, NULL);

		if (attempts) {
			items[count++] = arena_printf(arena, "%s=%lld", into, (long long)attempts);
		}
	}
	*ret_list = (struct list){.set = true, .count = count, .items = items};
}

/* What the ledger says, as things are now. */
static void describe(struct arena *arena, const struct reboot_ledger *ledger, struct reboot *have)
{
	const struct reboot_entry *open = reboot_ledger_open(ledger);

	add_attempts(arena, ledger, &have->attempts);
	have->drained.set = true;
	have->drained.value = reboot_ledger_drained(ledger, have->into) != NULL;
	have->last_day =
	    (struct number){.set = true, .value = reboot_ledger_last_day(ledger, clock_now())};
	if (!open || (!open->result && !reboot_ledger_is_awaited(open, clock_ms() / 1000))) {
		return;
	}
	have->open = open->into;
	have->result = open->result ? open->result : "waiting";
	have->open_trial = (struct truth){.set = true, .value = open->trial};
	have->runs = (struct number){.set = true, .value = open->runs};
}

/* The way back from a trial is the second half of the reboot that was agreed to, no other one. */
static bool is_way_back(const struct reboot_ledger *ledger, const char *into)
{
	const struct reboot_entry *open = reboot_ledger_open(ledger);

	return open && open->trial && text_equal(open->result, REBOOT_ARRIVED) &&
	       text_equal(open->from, into);
}

static const char *limit_of(struct arena *arena, const struct reboot *want,
                            const struct reboot_ledger *ledger)
{
	int64_t attempts = reboot_ledger_attempts(ledger, want->into, want->renew);
	int64_t day = reboot_ledger_last_day(ledger, clock_now());

	if (attempts >= number_or(want->attempts_per_kernel, PER_KERNEL)) {
		return want->renew
		           ? arena_printf(arena,
		                          "%lld reboots did not put it right: %s (attempts_per_kernel)",
		                          (long long)attempts, want->renew)
		           : arena_printf(arena,
		                          "%lld reboots into %s did not come to a good end; no more are "
		                          "tried (attempts_per_kernel)",
		                          (long long)attempts, want->into);
	}
	if (day >= number_or(want->per_day, PER_DAY) && !is_way_back(ledger, want->into)) {
		return arena_printf(arena, "rebooted %lld times in 24 hours (per_day)", (long long)day);
	}
	return NULL;
}

static int closed_window(struct host *host, const char *text, struct arena *arena,
                         const char **ret_why, struct err *err)
{
	struct window window;
	int64_t opens;
	bool within;
	char stamp[24];

	if (window_parse(arena, text, &window, err) ||
	    window_holds(host, &window, clock_now(), &within, &opens, err)) {
		return -(int)err->code;
	}
	*ret_why = within  ? NULL
	           : opens ? arena_printf(arena, "waits for the window %s, which opens at %s", text,
	                                  clock_stamp(opens, stamp))
	                   : arena_printf(arena, "waits for the window %s", text);
	return 0;
}

/* Slurm itself waits for its jobs; everywhere else we do. */
static int running_jobs(struct host *host, struct arena *arena, const char **ret_why,
                        struct err *err)
{
	struct resource *scheduler;

	if (converge_observe(host, &kind_table[KIND_SCHEDULER], "", NULL, arena, &scheduler, err)) {
		return -(int)err->code;
	}
	if (scheduler->state == STATE_UNDETERMINED) {
		*ret_why =
		    arena_printf(arena, "cannot tell whether a job runs on this node: %s", scheduler->why);
	} else if (scheduler->state == STATE_PRESENT && scheduler->scheduler.jobs.value > 0) {
		*ret_why = arena_printf(arena, "waits until no job runs on this node (%lld now)",
		                        (long long)scheduler->scheduler.jobs.value);
	}
	return 0;
}

static const char *ask_slurm(struct host *host, struct arena *arena)
{
	struct slurm_node node;
	struct err fault = {0};

	return slurm_node_ask(host, SLURM_ASK_MS, arena, &node, &fault)
	           ? arena_printf(arena, "whether this node may be drained cannot be told: %s",
	                          fault.text)
	           : slurm_node_taken(&node, arena);
}

/* What speaks against this reboot now, beside the ledger's own state. */
static int find_obstacle(struct host *host, const struct reboot *want,
                         const struct reboot_ledger *ledger, struct arena *arena,
                         struct reboot *have, struct err *err)
{
	bool slurm = text_equal(want->when, "slurm");

	have->obstacle = limit_of(arena, want, ledger);
	if (!have->obstacle && have->fleet && !slurm && !want->force.value) {
		have->obstacle = arena_printf(arena, "not rebooted outside the scheduler: %s", have->fleet);
	}
	if (have->obstacle) {
		return 0;
	}
	if (slurm) {
		have->obstacle = ask_slurm(host, arena);
		return 0;
	}
	if (text_equal(want->when, "window") && want->window &&
	    closed_window(host, want->window, arena, &have->obstacle, err)) {
		return -(int)err->code;
	}
	return have->obstacle ? 0 : running_jobs(host, arena, &have->obstacle, err);
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_REBOOT], key);
	struct reboot_ledger ledger;
	struct utsname names;

	if (uname(&names)) {
		return err_set(err, ERR_HOST, errno, "uname");
	}
	have->reboot.into = arena_strdup(arena, names.release);
	if (reboot_fleet(host, arena, &have->reboot.fleet, err) ||
	    reboot_go_read(host, arena, &ledger, &have->reboot.obstacle, err)) {
		return -(int)err->code;
	}
	describe(arena, &ledger, &have->reboot);
	if (want && want->state == STATE_PRESENT && !have->reboot.obstacle &&
	    !text_equal(want->reboot.when, "never") &&
	    (want->reboot.renew || !text_equal(want->reboot.into, have->reboot.into)) &&
	    find_obstacle(host, &want->reboot, &ledger, arena, &have->reboot, err)) {
		return -(int)err->code;
	}
	*ret_have = have;
	return 0;
}

static int check(const struct resource *want, struct err *err)
{
	const struct reboot *w = &want->reboot;

	if (w->into && strpbrk(w->into, "*?")) {
		return err_set(err, ERR_INPUT, 0, "into is one kernel, not the glob '%s'", w->into);
	}
	return text_equal(w->when, "window") && !w->window
	           ? err_set(err, ERR_INPUT, 0, "when: window needs the window")
	           : 0;
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *ret_verdict)
{
	const struct reboot *h = &have->reboot, *w = &want->reboot;
	struct verdict verdict = {.action = ACTION_NONE, .outcome = OUTCOME_KEPT};

	if (text_equal(h->result, "waiting")) {
		verdict.outcome = OUTCOME_PENDING;
		verdict.why = arena_printf(arena, "the node is going down, to come up with %s", h->open);
		*ret_verdict = verdict;
		return;
	}
	converge_diff_fields(arena, want, have, &verdict);
	if (verdict.outcome != OUTCOME_CHANGE) {
		*ret_verdict = verdict;
		return;
	}
	verdict.marks = MARK_NEEDS_REBOOT | MARK_DISRUPTIVE;
	if (text_equal(w->when, "never")) {
		verdict.outcome = OUTCOME_PENDING;
		verdict.why =
		    arena_printf(arena, "%s%s; it takes a reboot into %s, and reboot.when is never",
		                 w->renew ? w->renew : h->into, w->renew ? "" : " runs", w->into);
	} else if (h->obstacle) {
		verdict.outcome = OUTCOME_BLOCKED;
		verdict.why = h->obstacle;
	}
	*ret_verdict = verdict;
}

static void needs(struct arena *arena, const struct resource *want, struct keys *ret_ids)
{
	(void)want;
	keys_add(arena, ret_ids, "kernel");
}

const struct provider provider_reboot = {
    .kind = KIND_REBOOT,
    .timeout_ms = 120000, /* several questions to Slurm, each with its own deadline */
    .check = check,
    .observe = observe,
    .diff = diff,
    .apply = reboot_go,
    .needs = needs,
};
