// SPDX-License-Identifier: MIT
/* Kind filesystem, a fact: the types that the kernel has registered, by /proc/filesystems
 * (proc(5)). */
#include "base/str.h"
#include "provider/lines.h"
#include "provider/table.h"

/* The next registered type, NULL at the end. */
static const char *next_type(char **rest, bool *ret_nodev)
{
	char *line = lines_next(rest), *first = line ? lines_word(&line) : NULL;
	char *second = first ? lines_word(&line) : NULL;

	*ret_nodev = second != NULL;
	return second ? second : first;
}

static int read_types(struct host *host, struct arena *arena, char **ret_text, struct err *err)
{
	if (lines_read(host, "/proc/filesystems", arena, ret_text, err)) {
		return -(int)err->code;
	}
	return *ret_text
	           ? 0
	           : err_set(err, ERR_HOST, 0, "there is no /proc/filesystems: is /proc mounted?");
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_FILESYSTEM], key);
	const char *type;
	char *rest;
	bool nodev;

	(void)want;
	if (read_types(host, arena, &rest, err)) {
		return -(int)err->code;
	}
	have->state = STATE_ABSENT;
	while ((type = next_type(&rest, &nodev))) {
		if (text_equal(type, key)) {
			have->state = STATE_PRESENT;
			have->filesystem.nodev = (struct truth){.set = true, .value = nodev};
		}
	}
	*ret_have = have;
	return 0;
}

static int list(struct host *host, struct arena *arena, struct keys *ret_keys, struct err *err)
{
	const char *type;
	char *rest;
	bool nodev;

	if (read_types(host, arena, &rest, err)) {
		return -(int)err->code;
	}
	while ((type = next_type(&rest, &nodev))) {
		keys_add(arena, ret_keys, type);
	}
	return 0;
}

const struct provider provider_filesystem = {
    .kind = KIND_FILESYSTEM,
    .observe = observe,
    .list = list,
};
