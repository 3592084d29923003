// SPDX-License-Identifier: MIT
/* See mount.h: lines of fstab. */
#include "provider/mount.h"

#include "base/str.h"
#include "host/self.h"
#include "model/mount_options.h"

#include <string.h>

enum { RELOAD_MS = 30000 };

struct words {
	const char **items;
	size_t count;
};

static bool has(const struct words *words, const char *option)
{
	for (size_t i = 0; i < words->count; i++) {
		if (strcmp(words->items[i], option) == 0) {
			return true;
		}
	}
	return false;
}

/* Makes one wanted option true: in the place of what contradicts it, else at the end. */
static void assert_option(struct words *words, const char *option, const char *type)
{
	struct list list = {.set = true, .count = words->count, .items = words->items};

	if (mount_option_stands(option, &list, type)) {
		return;
	}
	const char *other = mount_option_counterpart(option, &list, true, type);

	for (size_t i = words->count; other && i-- > 0;) {
		if (strcmp(words->items[i], other) == 0) {
			words->items[i] = option;
			return;
		}
	}
	words->items[words->count++] = option;
}

int mount_compose_line(struct host *host, const struct resource *want, struct arena *arena,
                       struct fstab_line *ret_line, struct err *err)
{
	const struct fstab *fstab;

	if (host->ops->fstab(host, &fstab, err)) {
		return -(int)err->code;
	}
	const struct fstab_line *old = fstab_find(fstab, want->key, NULL);
	struct list wanted = mount_options_in_force(arena, &want->mount.options, true);
	size_t had = old ? old->options.count : 0;
	struct words words = {.items = arena_array(arena, had + wanted.count + 1, sizeof *words.items)};

	for (size_t i = 0; i < had; i++) {
		words.items[words.count++] = old->options.items[i];
	}
	if (!old) {
		/* As it was written, so that the line reads like the wish. */
		for (size_t i = 0; i < want->mount.options.count; i++) {
			words.items[words.count++] = want->mount.options.items[i];
		}
	}
	for (size_t i = 0; i < wanted.count; i++) {
		assert_option(&words, wanted.items[i], want->mount.type);
	}
	/* Not every type is known as one of the network to whoever orders the boot: Lustre and BeeGFS
	 * are not. */
	if (!old && mount_type_is_remote(want->mount.type) && !has(&words, "_netdev")) {
		words.items[words.count++] = "_netdev";
	}
	*ret_line = (struct fstab_line){
	    .source = want->mount.source,
	    .target = want->key,
	    .type = want->mount.type,
	    .options = {.set = true, .count = words.count, .items = words.items},
	    .dump = old ? old->dump : 0,
	    .pass = old ? old->pass : 0,
	};
	return 0;
}

void mount_tell_systemd(struct host *host, struct arena *arena, struct applied *applied)
{
	const char *argv[] = {"systemctl", "daemon-reload", NULL};
	struct child_command command = {.argv = argv, .timeout_ms = RELOAD_MS};
	struct child_result result;
	struct file_look look;
	struct err err;

	if (self_mount_namespace_is_init() != 1 ||
	    host->ops->look(host, "/run/systemd/system", &look, &err) || look.type != FILE_DIRECTORY) {
		return;
	}
	if (host->ops->run(host, &command, &result, &err)) {
		applied->detail =
		    arena_printf(arena, "systemd was not told of the new fstab: %s", err.text);
		return;
	}
	if (result.status != 0 || result.timed_out) {
		applied->detail =
		    arena_printf(arena, "systemctl daemon-reload failed: %s", str_text(&result.err));
	}
	child_result_free(&result);
}
