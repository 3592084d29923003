// SPDX-License-Identifier: MIT
/* What apt-get -s and apt-cache policy print. */
#include "fuzz/fuzz.h"

#include "host/packages_inner.h"
#include "provider/simulate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *text = arena_strndup(arena, (const char *)data, size);
	struct host_candidate candidate = {0};
	struct simulation simulation;
	struct unmet unmet;

	simulate_parse(arena, arena_strdup(arena, text), &simulation);
	for (size_t i = 0; i < simulation.count; i++) {
		const struct simulated *s = &simulation.list[i];

		HOLDS(*s->name);
		simulate_is_asked(s->name, s->name);
		HOLDS(!s->version || packages_compare(s->version, s->version) == 0);
		if (s->version && s->before) {
			HOLDS(packages_compare(s->version, s->before) ==
			      -packages_compare(s->before, s->version));
		}
	}
	if (simulate_unmet(arena, arena_strdup(arena, text), &unmet)) {
		HOLDS(unmet.name && unmet.dependency && unmet.needed);
	}
	packages_policy_parse(arena, arena_strdup(arena, text), "tool", &candidate);
	HOLDS(!candidate.known || candidate.versions.count > 0);
	return 0;
}
