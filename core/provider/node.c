// SPDX-License-Identifier: MIT
/* Kind node, a fact: what machine this is. Sources: uname(2), os-release(5), the kernel's boot
 * id. */
#include "base/str.h"
#include "host/self.h"
#include "provider/lines.h"
#include "provider/table.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

/* A value of os-release: quotes are those of a shell, of which only the outermost pair is in
 * use in practice. */
static const char *unquoted(char *value)
{
	size_t n = strlen(value);

	if (n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n - 1] == value[0]) {
		value[n - 1] = '\0';
		return value + 1;
	}
	return value;
}

static int read_os(struct host *host, struct arena *arena, struct node *node, struct err *err)
{
	/* The first is mostly a link to the second, and the host follows no link at the end of a
	 * path. */
	static const char *const places[] = {"/etc/os-release", "/usr/lib/os-release"};
	char *text = NULL;
	struct err fault = {0};

	for (size_t i = 0; i < ARRAY_LEN(places) && !text; i++) {
		if (lines_read(host, places[i], arena, &text, &fault) && fault.os != ELOOP) {
			return err_copy(err, &fault);
		}
	}
	for (char *line; (line = lines_next(&text));) {
		if (text_starts(line, "ID=")) {
			node->os = unquoted(line + strlen("ID="));
		} else if (text_starts(line, "VERSION_ID=")) {
			node->os_version = unquoted(line + strlen("VERSION_ID="));
		}
	}
	return 0;
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_NODE], key);
	struct utsname names;

	(void)want;
	if (read_os(host, arena, &have->node, err)) {
		return -(int)err->code;
	}
	if (uname(&names)) {
		return err_set(err, ERR_HOST, errno, "uname");
	}
	have->node.name = self_host_name(arena);
	have->node.architecture = arena_strdup(arena, names.machine);
	have->node.boot_id = self_boot_id(arena);
	*ret_have = have;
	return 0;
}

const struct provider provider_node = {.kind = KIND_NODE, .observe = observe};
