// SPDX-License-Identifier: MIT
/* See next_boot.h. */
#include "model/next_boot.h"

static void put_text(struct arena *arena, struct value *map, const char *key, const char *text)
{
	if (text) {
		value_put(arena, map, key, value_string(text));
	}
}

static struct value loss_value(struct arena *arena, const struct next_boot_loss *loss)
{
	struct value map = value_map();

	put_text(arena, &map, "id", loss->id);
	put_text(arena, &map, "verdict", loss->verdict);
	put_text(arena, &map, "cause", loss->cause);
	put_text(arena, &map, "reason", loss->reason);
	return map;
}

struct value next_boot_to_value(struct arena *arena, const struct next_boot *next)
{
	struct value map = value_map(), losses = value_list();

	for (size_t i = 0; i < next->loss_count; i++) {
		value_append(arena, &losses, loss_value(arena, &next->losses[i]));
	}
	put_text(arena, &map, "release", next->release);
	put_text(arena, &map, "why", next->why);
	put_text(arena, &map, "running", next->running);
	value_put(arena, &map, "once", value_bool(next->once));
	put_text(arena, &map, "installed", next->installed);
	put_text(arena, &map, "brought", next->brought);
	value_put(arena, &map, "losses", losses);
	value_put(arena, &map, "lost", value_int((int64_t)next->lost));
	value_put(arena, &map, "remedied", value_bool(next->remedied));
	put_text(arena, &map, "sentence", next->sentence);
	value_seal(&map);
	return map;
}
