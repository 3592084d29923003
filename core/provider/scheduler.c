// SPDX-License-Identifier: MIT
/*
 * Kind scheduler: does Slurm run here, and how many job steps. Counted from the processes alone:
 * slurmd starts one slurmstepd for each step, and a question to slurmctld may hang. Looking at each
 * process is not free: the engine asks only when a change that must wait for jobs is planned.
 *
 * Wanted is that a node which we had drained for a reboot gets work again; only then Slurm is
 * asked.
 * A drain counts as ours by its reason alone, word for word; whoever changes that takes it over.
 */
#include "provider/converge.h"
#include "provider/slurm_node.h"
#include "provider/table.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

enum { RESUME_MS = 10000 };

struct count {
	bool has_daemon;
	int64_t steps;
};

/* Since 22.05 there is one "slurmstepd infinity" on nodes with cgroup v2: it keeps the cgroup
 * and is no step. */
static bool is_step(struct host *host, const char *pid, struct arena *arena)
{
	struct file_bytes bytes;
	struct err fault = {0};
	const char *path = arena_printf(arena, "/proc/%s/cmdline", pid);

	if (host->ops->read(host, path, 4096, arena, &bytes, &fault)) {
		return true; /* it may be one: rather wait for nothing than disturb a job */
	}
	size_t first = strlen(bytes.data);

	return first + 1 >= bytes.length || strcmp(bytes.data + first + 1, "infinity") != 0;
}

/* A process that is gone by now is none. */
static void look(struct host *host, const char *pid, struct arena *arena, struct count *count)
{
	struct file_bytes bytes;
	struct err fault = {0};
	const char *path = arena_printf(arena, "/proc/%s/comm", pid);

	if (host->ops->read(host, path, 64, arena, &bytes, &fault)) {
		return;
	}
	if (strcmp(bytes.data, "slurmstepd\n") == 0) {
		count->steps += is_step(host, pid, arena);
	} else if (strcmp(bytes.data, "slurmd\n") == 0) {
		count->has_daemon = true;
	}
}

/* Asked only of a wanted one, and with less time than an observation has: it may hang. */
static void ask_slurm(struct host *host, struct arena *arena, struct scheduler *have)
{
	struct slurm_node node;
	struct utsname names;
	struct err fault = {0};

	if (uname(&names) || slurm_node_ask(host, SLURM_ASK_MS, arena, &node, &fault)) {
		have->unasked =
		    arena_printf(arena, "Slurm does not say whether it keeps this node from work: %s",
		                 *fault.text ? fault.text : "the node has no name");
		return;
	}
	bool ours = node.drained && slurm_node_is_ours(&node, names.release);

	have->drained = (struct truth){.set = true, .value = ours};
	have->drain_reason = node.reason;
	if (ours && node.reboots) {
		have->awaits = "Slurm has not noticed yet that the node is back";
	}
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_SCHEDULER], key);
	struct file_names names;
	struct count count = {0};

	if (host->ops->list(host, "/proc", arena, &names, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < names.count; i++) {
		if (names.list[i][0] >= '0' && names.list[i][0] <= '9') {
			look(host, names.list[i], arena, &count);
		}
	}
	if (count.has_daemon || count.steps) {
		have->scheduler.name = "slurm";
		have->scheduler.jobs = (struct number){.set = true, .value = count.steps};
	} else {
		have->state = STATE_ABSENT;
	}
	if (want) {
		ask_slurm(host, arena, &have->scheduler);
		have->state = have->scheduler.drained.set ? STATE_PRESENT : have->state;
	}
	*ret_have = have;
	return 0;
}

static int check(const struct resource *want, struct err *err)
{
	return want->scheduler.drained.value
	           ? err_set(err, ERR_INPUT, 0, "drained can only be wanted false")
	           : 0;
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *ret_verdict)
{
	struct verdict verdict = {.outcome = OUTCOME_KEPT};

	if (!have->scheduler.drained.set) {
		verdict.outcome = OUTCOME_UNDETERMINED;
		verdict.why = have->scheduler.unasked ? have->scheduler.unasked : "Slurm was not asked";
	} else {
		converge_diff_fields(arena, want, have, &verdict);
	}
	if (verdict.outcome == OUTCOME_CHANGE && have->scheduler.awaits) {
		verdict.outcome = OUTCOME_PENDING;
		verdict.why = have->scheduler.awaits;
	}
	*ret_verdict = verdict;
}

/* Only a drain of ours comes here, as looked at right before. */
static int apply(struct host *host, const struct change *change, struct arena *arena,
                 struct applied *ret_applied, struct err *err)
{
	struct slurm_node node;
	struct utsname names;

	(void)change;
	if (uname(&names)) {
		return err_set(err, ERR_HOST, errno, "uname");
	}
	if (slurm_node_ask(host, RESUME_MS, arena, &node, err)) {
		return -(int)err->code;
	}
	if (!node.drained || !slurm_node_is_ours(&node, names.release)) {
		ret_applied->outcome = OUTCOME_KEPT; /* somebody has taken it over meanwhile */
		return 0;
	}
	const char *const resume[] = {node.scontrol, "update",
	                              arena_printf(arena, "NodeName=%s", node.name), "State=RESUME",
	                              NULL};

	return slurm_node_run(host, resume, RESUME_MS, arena, &ret_applied->detail, err);
}

const struct provider provider_scheduler = {
    .kind = KIND_SCHEDULER,
    .check = check,
    .observe = observe,
    .diff = diff,
    .apply = apply,
};
