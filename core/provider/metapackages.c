// SPDX-License-Identifier: MIT
/*
 * See metapackages.h. Depends is that of deb-control(5), read from dpkg's status file, in which
 * each stanza starts with its Package and ends with an empty line. What is installed the host says,
 * who also knows what dpkg has not written there yet.
 */
#include "provider/metapackages.h"

#include "base/str.h"
#include "provider/lines.h"

#include <errno.h>
#include <string.h>

#define STATUS "/var/lib/dpkg/status"

enum { STATUS_MOST = 64 << 20 };

/* ---- Those that follow the kernel ---- */

struct known {
	const char *name;
	char *depends;
	bool follows;
};

/* Is it the package of one kernel: its image, its modules, its headers, a vendor's modules? What
 * stands behind the prefix starts with a version of three parts and a dash. */
static bool is_of_kernel(const char *name)
{
	const char *at = strpbrk(name, "0123456789");

	for (; at; at = strpbrk(at + strspn(at, "0123456789"), "0123456789")) {
		size_t n = strspn(at, "0123456789");
		size_t m = at[n] == '.' ? strspn(at + n + 1, "0123456789") : 0;
		size_t p = m && at[n + 1 + m] == '.' ? strspn(at + n + m + 2, "0123456789") : 0;

		if (at > name && at[-1] == '-' && p && strpbrk(at + n + m + p + 2, "-+")) {
			return text_starts(name, "linux-image-") || text_starts(name, "linux-headers-") ||
			       text_starts(name, "linux-modules-") || strstr(name, "-modules-");
		}
	}
	return false;
}

/* Is `name` one of those that already count? */
static bool is_following(const struct known *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].follows && strcmp(list[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

/* "a (= 1) | b:any, c": any name of those. */
static bool leads_to_kernel(struct arena *arena, const struct known *list, size_t n,
                            const char *depends)
{
	char *rest = arena_strdup(arena, depends);

	for (char *name = strtok_r(rest, ",|", &rest); name; name = strtok_r(NULL, ",|", &rest)) {
		name += strspn(name, " ");
		name[strcspn(name, " (:")] = '\0';
		if (is_of_kernel(name) || is_following(list, n, name)) {
			return true;
		}
	}
	return false;
}

/* The file may have megabytes: nothing here looks further than the stanza at hand. */
struct stanza {
	const char *at;
	size_t length;
};

/* What stands behind this field, to the end of its line. Lines that go on start with a blank:
 * Depends is one line in this file. */
static char *value_in(struct arena *arena, struct stanza stanza, const char *field)
{
	const char *end = stanza.at + stanza.length, *at;

	at = memmem(stanza.at, stanza.length, field, strlen(field));
	if (!at) {
		return arena_strdup(arena, "");
	}
	at += strlen(field);
	const char *line_end = memchr(at, '\n', (size_t)(end - at));

	return arena_strndup(arena, at, (size_t)((line_end ? line_end : end) - at));
}

static struct stanza next_stanza(const struct file_bytes *bytes, size_t *at)
{
	struct stanza stanza = {.at = bytes->data + *at, .length = bytes->length - *at};
	const char *end = memmem(stanza.at, stanza.length, "\n\n", 2);

	if (end) {
		stanza.length = (size_t)(end + 2 - stanza.at);
	}
	*at += stanza.length;
	return stanza;
}

static struct known *parse(struct arena *arena, const struct file_bytes *bytes, size_t *ret_count)
{
	static const char start[] = "Package: ";
	struct known *list = NULL;
	size_t count = 0, cap = 0;

	for (size_t at = 0; at < bytes->length;) {
		struct stanza stanza = next_stanza(bytes, &at);
		size_t n = strlen(start);

		if (stanza.length <= n || memcmp(stanza.at, start, n) != 0) {
			continue;
		}
		struct known known = {.name = value_in(arena, stanza, start)};

		if ((text_starts(known.name, "linux-") || strstr(known.name, "-modules-")) &&
		    !is_of_kernel(known.name)) {
			known.depends = value_in(arena, stanza, "\nDepends: ");
			list = arena_grow(arena, list, count, &cap, sizeof *list);
			list[count++] = known;
		}
	}
	*ret_count = count;
	return list;
}

static void follow(struct arena *arena, struct known *list, size_t n)
{
	for (bool again = true; again;) {
		again = false;
		for (size_t i = 0; i < n; i++) {
			if (!list[i].follows && leads_to_kernel(arena, list, n, list[i].depends)) {
				list[i].follows = again = true;
			}
		}
	}
}

static bool is_there(const struct host_package *package)
{
	return package->known && package->status && strcmp(package->status, "not-installed") != 0 &&
	       strcmp(package->status, "config-files") != 0;
}

int metapackages_find(struct host *host, struct arena *arena, struct list *ret_list,
                      struct err *err)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	struct host_package package;
	struct file_bytes bytes;
	struct err fault = {0};
	size_t n, cap = 0;

	*ret_list = (struct list){0};
	if (host->ops->read(host, STATUS, STATUS_MOST, scratch, &bytes, &fault)) {
		return fault.os == ENOENT || fault.os == ENOTDIR ? 0 : err_copy(err, &fault);
	}
	struct known *list = parse(scratch, &bytes, &n);

	follow(scratch, list, n);
	ret_list->set = true;
	for (size_t i = 0; i < n; i++) {
		if (!list[i].follows || list_has(ret_list, list[i].name)) {
			continue;
		}
		if (host->ops->package(host, list[i].name, &package, err)) {
			return -(int)err->code;
		}
		if (is_there(&package)) {
			lines_add(arena, ret_list, &cap, arena_strdup(arena, list[i].name));
		}
	}
	return 0;
}

/* ---- Those of one kernel ---- */

/* "linux-image-RELEASE", also "linux-image-RELEASE-unsigned". */
static bool is_of(const char *name, const char *release)
{
	static const char *const tails[] = {"", "-unsigned", "-dbg", "-dbgsym"};
	const char *at = strstr(name, release);

	for (; at; at = strstr(at + 1, release)) {
		for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
			if (at > name && at[-1] == '-' && strcmp(at + strlen(release), tails[i]) == 0) {
				return true;
			}
		}
	}
	return false;
}

int metapackages_of_release(struct host *host, const char *release, struct arena *arena,
                            struct list *ret_list, struct err *err)
{
	struct list names, list = {.set = true};
	struct host_package package;
	size_t cap = 0;

	if (host->ops->package_list(host, &names, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < names.count; i++) {
		if (!is_of(names.items[i], release)) {
			continue;
		}
		if (host->ops->package(host, names.items[i], &package, err)) {
			return -(int)err->code;
		}
		if (is_there(&package)) {
			lines_add(arena, &list, &cap, arena_strdup(arena, names.items[i]));
		}
	}
	*ret_list = list;
	return 0;
}
