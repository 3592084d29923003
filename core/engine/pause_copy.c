// SPDX-License-Identifier: MIT
/* See pause_copy.h. */
#include "engine/pause_copy.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/path.h"
#include "host/self.h"

#include <fcntl.h>
#include <unistd.h>

static const char seen_key[] = "seen";

/* In the words of the state file, so that one reader does for both; judged by the clocks of now. */
static struct value document(struct arena *arena, const char *boot_id, const struct pause *pause)
{
	struct value v = value_map();
	int64_t now = clock_now();

	value_put(arena, &v, "boot_id", value_string(boot_id));
	value_put(arena, &v, seen_key, value_int(now));
	value_put(arena, &v, "paused", value_bool(pause->paused));
	if (pause->paused) {
		value_put(arena, &v, "reconcile_pause", value_int(1));
		value_put(arena, &v, "reason", value_string(pause->reason));
		value_put(arena, &v, "who", value_string(pause->who));
		value_put(arena, &v, "since", value_int(pause->since));
		value_put(arena, &v, "until", pause->until ? value_int(pause->until) : value_null());
		value_put(arena, &v, "since_ms", value_int(clock_ms() - (now - pause->since) * 1000));
	}
	value_seal(&v);
	return v;
}

void pause_copy_write(const char *run_dir, const char *boot_id, const struct pause *pause)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	AUTO(str_free) struct str text = {0};
	struct err ignored;

	if (self_make_folder(run_dir, 0755, &ignored)) {
		return;
	}
	AUTO(fd_auto) int folder = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct value v = document(arena, boot_id, pause);

	json_print(&text, &v, 2);
	str_addc(&text, '\n');
	if (folder >= 0 &&
	    (pause->unseen || !self_show(folder, PAUSE_COPY, str_text(&text), text.length))) {
		unlinkat(folder, PAUSE_COPY, 0);
	}
}

bool pause_copy_parse(const char *text, size_t n, const struct pause_moment *at,
                      struct arena *arena, struct pause *ret_pause)
{
	struct pause pause = {0};
	struct value v;
	struct err err;

	if (json_parse(text, n, PAUSE_COPY, arena, &v, &err) || v.type != VALUE_MAP || !*at->boot_id ||
	    !text_equal(value_text(&v, "boot_id"), at->boot_id)) {
		return false;
	}
	if (value_truth(&v, "paused", true)) {
		pause_parse(text, n, at, arena, &pause);
	}
	pause.seen = value_number(&v, seen_key, 0);
	*ret_pause = pause;
	return true;
}
