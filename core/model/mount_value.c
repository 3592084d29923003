// SPDX-License-Identifier: MIT
/* See mount_value.h. */
#include "model/mount_value.h"

#include "base/mem.h"
#include "base/str.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

size_t mount_value_key(const char *option)
{
	const char *equals = strchr(option, '=');

	return equals ? (size_t)(equals - option) : 0;
}

bool mount_value_same_key(const char *a, const char *b)
{
	/* nfs(5): nfsvers is vers. The kernel shows vers. */
	a += text_starts(a, "nfsvers=") ? strlen("nfs") : 0;
	b += text_starts(b, "nfsvers=") ? strlen("nfs") : 0;
	size_t n = mount_value_key(a);

	return n && n == mount_value_key(b) && strncmp(a, b, n) == 0;
}

static const char *value_of(const char *option)
{
	return strchr(option, '=') + 1;
}

static bool key_is(const char *option, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (mount_value_key(option) == strlen(keys[i]) && text_starts(option, keys[i])) {
			return true;
		}
	}
	return false;
}

/* A whole number with a suffix as the kernel's memparse() takes it: k, m, g, t, p, e. */
static bool parse_size(const char *text, unsigned long long *ret_size)
{
	static const char suffixes[] = "kmgtpe";
	char *end;

	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 19) {
		return false;
	}
	unsigned long long size = strtoull(text, &end, 10);

	if (*end) {
		const char *suffix = strchr(suffixes, tolower((unsigned char)*end));

		if (!suffix || end[1]) {
			return false;
		}
		for (const char *p = suffixes; p <= suffix; p++) {
			if (__builtin_mul_overflow(size, 1024ULL, &size)) {
				return false;
			}
		}
	}
	*ret_size = size;
	return true;
}

static bool parse_octal(const char *text, unsigned long *ret_mode)
{
	char *end;

	if (!isdigit((unsigned char)*text)) {
		return false;
	}
	*ret_mode = strtoul(text, &end, 8);
	return !*end;
}

bool mount_value_same(const char *want_option, const char *have_option, bool as_written)
{
	static const char *const octal[] = {"mode", "umask", "dmask", "fmask", "file_mode", "dir_mode"};
	static const char *const owners[] = {"uid", "gid", "forceuid", "forcegid"};
	static const char *const ceilings[] = {"rsize", "wsize"};
	static const char *const versions[] = {"vers", "nfsvers"};
	const char *want = value_of(want_option), *have = value_of(have_option);
	unsigned long long want_size, have_size;
	unsigned long want_mode, have_mode;

	if (strcmp(want, have) == 0) {
		return true;
	}
	if (key_is(want_option, octal, ARRAY_LEN(octal))) {
		return parse_octal(want, &want_mode) && parse_octal(have, &have_mode) &&
		       want_mode == have_mode;
	}
	if (key_is(want_option, owners, ARRAY_LEN(owners))) {
		/* mount(8) turns a name into a number, which only the host could turn back. */
		return !as_written && !isdigit((unsigned char)*want) && isdigit((unsigned char)*have);
	}
	if (key_is(want_option, versions, ARRAY_LEN(versions))) {
		/* vers=4 leaves the minor version to client and server. */
		return text_starts(have, want) && have[strlen(want)] == '.';
	}
	if (!as_written && text_ends(want, "%")) {
		return true; /* of the memory there is: shown as a number */
	}
	if (!parse_size(want, &want_size) || !parse_size(have, &have_size)) {
		return false;
	}
	/* nfs(5): client and server negotiate the largest size that both support. */
	if (!as_written && key_is(want_option, ceilings, ARRAY_LEN(ceilings))) {
		return have_size <= want_size;
	}
	return have_size == want_size;
}
