// SPDX-License-Identifier: MIT
/* Kind port, a fact: does a TCP port of another host answer? (key HOST:PORT) Asked once, with a
 * deadline, and nothing is sent. */
#include "provider/resolve.h"
#include "provider/table.h"

#include <stdlib.h>
#include <string.h>

enum { ASK_MS = 2000 };

static const char *const answers[] = {
    [PORT_OPEN] = "open",
    [PORT_REFUSED] = "refused",
    [PORT_SILENT] = "silent",
    [PORT_UNREACHABLE] = "unreachable",
};

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_PORT], key);
	const char *colon = strrchr(key, ':'), *why;
	size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
	long number = digits && digits < 6 && !colon[1 + digits] ? strtol(colon + 1, NULL, 10) : 0;
	struct list addresses;

	(void)want;
	if (!colon || colon == key || number < 1 || number > 65535) {
		*ret_have = resource_undetermined(arena, have->kind, key, "not of the form HOST:PORT");
		return 0;
	}
	bool bracketed = *key == '[' && colon[-1] == ']'; /* an address with colons of its own */
	const char *name =
	    arena_strndup(arena, key + bracketed, (size_t)(colon - key) - 2 * (size_t)bracketed);
	struct port_query query = {.port = (unsigned short)number};

	if (resolve_host(host, name, arena, &addresses, &why, err)) {
		return -(int)err->code;
	}
	*ret_have = have;
	if (!addresses.count) {
		have->port.answer = "unknown host";
		have->port.why = why;
		return 0;
	}
	if (host->ops->ports(host, addresses.items[0], &query, 1, ASK_MS, err)) {
		return -(int)err->code;
	}
	have->port.answer = answers[query.answer];
	have->port.why =
	    query.answer == PORT_UNREACHABLE ? arena_strdup(arena, strerror(query.os)) : NULL;
	return 0;
}

const struct provider provider_port = {.kind = KIND_PORT, .observe = observe};
