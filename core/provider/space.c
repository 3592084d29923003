// SPDX-License-Identifier: MIT
/*
 * Kind space, a fact: how full a mounted file system is. One that does not answer is undetermined,
 * by the worker's deadline. What nobody has mounted has no space, and an armed automount is left
 * alone. An error is an answer too: a client that lost its server for good says so at once.
 */
#include "provider/table.h"

#include "base/str.h"

#include <string.h>

static struct number bytes(uint64_t value)
{
	return (struct number){.set = true, .value = value > INT64_MAX ? INT64_MAX : (int64_t)value};
}

/* As df(1) has it: of what is used and what may still be, rounded up. */
static int64_t percent(const struct host_space *space)
{
	long double used = (long double)space->used, all = used + (long double)space->available;

	if (all <= 0) {
		return 0;
	}
	int64_t whole = (int64_t)(used * 100 / all);

	return (long double)whole * all < used * 100 ? whole + 1 : whole;
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_SPACE], key);
	struct host_space space;
	struct err fault = {0};

	(void)want;
	if (host->ops->space(host, key, &space, &fault)) {
		if (fault.code != ERR_HOST || !fault.os) {
			return err_copy(err, &fault);
		}
		have->space.error = arena_strdup(arena, strerror(fault.os));
		*ret_have = have;
		return 0;
	}
	if (!space.mounted) {
		have->state = STATE_ABSENT;
	} else {
		have->space.size = bytes(space.size);
		have->space.used = bytes(space.used);
		have->space.available = bytes(space.available);
		/* proc and the like hold nothing: no share of it is used. */
		if (space.size) {
			have->space.percent = (struct number){.set = true, .value = percent(&space)};
		}
	}
	*ret_have = have;
	return 0;
}

static int list(struct host *host, struct arena *arena, struct keys *ret_keys, struct err *err)
{
	const struct mount_table *table;

	if (host->ops->mounts(host, &table, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < mount_table_count(table); i++) {
		const struct mount_row *row = mount_table_row(table, i);

		if (mount_table_at(table, row->target) == row && !text_equal(row->type, "autofs")) {
			keys_add(arena, ret_keys, row->target);
		}
	}
	return 0;
}

const struct provider provider_space = {.kind = KIND_SPACE, .observe = observe, .list = list};
