// SPDX-License-Identifier: MIT
/* See resolve.h. */
#include "provider/resolve.h"

#include "base/clock.h"
#include "base/str.h"
#include "provider/lines.h"

#include <arpa/inet.h>
#include <string.h>

/* SOURCE: all servers of one source together. */
enum { RESOLVE_MS = 1500, SOURCE_MS = 2500 };

static bool is_address(const char *name)
{
	struct in6_addr any;

	return inet_pton(AF_INET, name, &any) == 1 || inet_pton(AF_INET6, name, &any) == 1;
}

struct resolver {
	struct host *host;
	struct arena *arena;
	int64_t end; /* of the time there is for it */
};

/* The same as resolve_host. */
static int find(const struct resolver *r, const char *name, struct list *ret_list,
                const char **ret_why, struct err *err)
{
	const char *const argv[] = {"getent", "ahosts", "--", name, NULL};
	int64_t left = clock_left(r->end);
	struct child_command command = {.argv = argv, .timeout_ms = left > 0 ? (int)left : 1};
	struct list list = {.set = true};
	struct arena *arena = r->arena;
	struct child_result result;
	size_t cap = 0;

	*ret_why = NULL;
	if (is_address(name)) {
		lines_add(arena, &list, &cap, arena_strdup(arena, name));
		*ret_list = list;
		return 0;
	}
	if (r->host->ops->run(r->host, &command, &result, err)) {
		return -(int)err->code;
	}
	char *text = arena_strdup(arena, str_text(&result.out));

	/* "10.1.30.23      STREAM fs-0123.fsx.eu-west-1.amazonaws.com", thrice for each address */
	for (char *line; !result.timed_out && (line = lines_next(&text));) {
		const char *address = lines_word(&line);

		if (address && is_address(address) && !list_has(&list, address)) {
			lines_add(arena, &list, &cap, address);
		}
	}
	if (!list.count) {
		*ret_why = result.timed_out
		               ? arena_printf(arena, "the resolver does not answer for %s", name)
		               : arena_printf(arena, "there is no address for %s", name);
	}
	child_result_free(&result);
	*ret_list = list;
	return 0;
}

int resolve_host(struct host *host, const char *name, struct arena *arena, struct list *ret_list,
                 const char **ret_why, struct err *err)
{
	const struct resolver r = {.host = host, .arena = arena, .end = clock_ms() + RESOLVE_MS};

	return find(&r, name, ret_list, ret_why, err);
}

/* One server, "HOST[@NETWORK]": the same with each of its addresses, commas between. */
static int add_server(const struct resolver *r, const char *server, struct str *text,
                      bool *ret_known, struct err *err)
{
	const char *at = strchr(server, '@');
	const char *name = at ? arena_strndup(r->arena, server, (size_t)(at - server)) : server;
	struct list addresses;
	const char *why;

	if (find(r, name, &addresses, &why, err)) {
		return -(int)err->code;
	}
	*ret_known = addresses.count > 0;
	for (size_t i = 0; i < addresses.count; i++) {
		str_addf(text, "%s%s%s", i ? "," : "", addresses.items[i], at ? at : "");
	}
	return 0;
}

int resolve_source(struct host *host, const char *source, const char *type, struct arena *arena,
                   const char **ret_source, struct err *err)
{
	const struct resolver r = {.host = host, .arena = arena, .end = clock_ms() + SOURCE_MS};
	bool lustre = text_equal(type, "lustre");
	const char *end = NULL;
	AUTO(str_free) struct str text = {0};

	*ret_source = NULL;
	for (const char *p = strstr(source, ":/"); p; p = strstr(p + 1, ":/")) {
		end = p;
	}
	if (!end || *source == '[') {
		return 0;
	}
	/* Servers of Lustre stand between commas and colons; NFS has one. */
	for (const char *at = source; at < end;) {
		size_t n = lustre ? strcspn(at, ",:") : (size_t)(end - at);
		bool known = false;

		n = n < (size_t)(end - at) ? n : (size_t)(end - at);
		if (add_server(&r, arena_strndup(arena, at, n), &text, &known, err)) {
			return -(int)err->code;
		}
		if (!known) {
			return 0;
		}
		at += n;
		if (at < end) {
			str_addc(&text, *at++);
		}
	}
	str_add(&text, end);
	*ret_source = arena_strdup(arena, str_text(&text));
	return 0;
}
