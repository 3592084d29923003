// SPDX-License-Identifier: MIT
/*
 * Kind scheduler, a fact: does Slurm run here, and how many job steps. Counted from the processes
 * alone: slurmd starts one slurmstepd for each step, and a question to slurmctld may hang. Looking
 * at each process is not free: the engine asks only when a change that must wait for jobs is
 * planned.
 */
#include "base/str.h"
#include "provider/lines.h"
#include "provider/table.h"

#include <string.h>

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

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_SCHEDULER], key);
	struct file_names names;
	struct count count = {0};

	(void)want;
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
	*ret_have = have;
	return 0;
}

const struct provider provider_scheduler = {.kind = KIND_SCHEDULER, .observe = observe};
