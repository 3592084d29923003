// SPDX-License-Identifier: MIT
/* What tests of facts share: one of this machine, asked for without a wish; and made-up ones
 * for the pure half. */
#ifndef PROVIDER_OBSERVING_H
#define PROVIDER_OBSERVING_H

#include "unit/support/scratch.h"

#include "unit/support/converging.h"

#include "base/json.h"
#include "base/str.h"

#include <string.h>

static struct arena *arena;

static inline int observing_setup(void **state)
{
	(void)state;
	arena = arena_create();
	return 0;
}

static inline int observing_teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static inline const struct resource *fact(enum kind_id kind, const char *key)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	struct resource *have = NULL;
	struct host host;
	struct err err;

	host_init(&host, &host_linux_ops, scratch);
	if (converge_observe(&host, &kind_table[kind], key, NULL, arena, &have, &err)) {
		fail_msg("%s", err.text);
	}
	host_done(&host);
	return have;
}

static inline struct keys keys_of(enum kind_id kind)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	struct keys keys = {0};
	struct host host;
	struct err err;

	host_init(&host, &host_linux_ops, scratch);
	if (converge_list(&host, &kind_table[kind], arena, &keys, &err)) {
		fail_msg("%s", err.text);
	}
	host_done(&host);
	return keys;
}

static inline bool has_key(struct keys keys, const char *key)
{
	for (size_t i = 0; i < keys.count; i++) {
		if (strcmp(keys.list[i], key) == 0) {
			return true;
		}
	}
	return false;
}

/* A fact as somebody recorded it. */
static inline const struct resource *recorded(const char *json)
{
	struct diags diags = {.arena = arena};
	struct value value;
	struct err err;

	if (json_parse(json, strlen(json), "test", arena, &value, &err)) {
		fail_msg("%s", err.text);
	}
	const struct resource *have = resource_from_value(arena, &value, USE_OBSERVED, &diags);

	if (!have) {
		fail_msg("%s", diags.list[0].err.text);
	}
	return have;
}

static inline struct verdict compare(const char *want, const char *have)
{
	struct verdict verdict;

	converge_diff(arena, converging_want(arena, want), recorded(have), &verdict);
	return verdict;
}

/* The difference in that field, as "FROM > TO"; "" when there is none. */
static inline const char *changes(const struct verdict *verdict, const char *field)
{
	for (size_t i = 0; i < verdict->differences.count; i++) {
		const struct difference *d = &verdict->differences.list[i];

		if (strcmp(d->field, field) == 0) {
			return arena_printf(arena, "%s > %s", d->from ? d->from : "", d->to ? d->to : "");
		}
	}
	return "";
}

static inline void assert_has(const char *text, const char *part)
{
	if (!text || !strstr(text, part)) {
		fail_msg("\"%s\" should hold \"%s\"", text ? text : "", part);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, observing_setup, observing_teardown)

#endif
