// SPDX-License-Identifier: MIT
/* Kind candidate, a fact: what the package index offers. Without an index nothing is known, and
 * nothing is absent. */
#include "provider/table.h"

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_CANDIDATE], key);
	struct host_candidate candidate;
	int64_t age;

	(void)want;
	if (host->ops->package_index_age(host, &age, err)) {
		return -(int)err->code;
	}
	if (age < 0) {
		*ret_have = resource_undetermined(
		    arena, have->kind, key, "there is no package index: apt-get update was never run");
		return 0;
	}
	if (host->ops->candidate(host, key, &candidate, err)) {
		return -(int)err->code;
	}
	have->state = candidate.known ? STATE_PRESENT : STATE_ABSENT;
	have->candidate.index_age = (struct number){.set = true, .value = age};
	if (candidate.known) {
		have->candidate.version = candidate.version;
		have->candidate.origin = candidate.origin;
		have->candidate.versions = candidate.versions;
	}
	*ret_have = resource_copy(arena, have); /* its texts may be the host's */
	return 0;
}

const struct provider provider_candidate = {.kind = KIND_CANDIDATE, .observe = observe};
