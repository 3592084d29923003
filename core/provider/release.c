// SPDX-License-Identifier: MIT
/* See release.h. */
#include "provider/release.h"

#include "base/mem.h"
#include "host/packages.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What GRUB takes for a mark of something that comes before its release. */
static bool is_early(const char *text)
{
	static const char *const marks[] = {"pre", "rc", "test", "git", "old", "trunk"};

	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		if (strncmp(text, marks[i], strlen(marks[i])) == 0) {
			return true;
		}
	}
	return false;
}

/* "6.9.0-rc1" as "6.9.0~rc1": a tilde sorts before all else, even before the end. */
static void as_version(const char *release, char text[NAME_MAX + 1])
{
	snprintf(text, NAME_MAX + 1, "%s", release);
	for (char *at = text; *at; at++) {
		if (strchr("._-", *at) && is_early(at + 1)) {
			*at = '~';
		}
	}
}

int release_compare(const char *a, const char *b)
{
	char x[NAME_MAX + 1], y[NAME_MAX + 1];

	as_version(a, x);
	as_version(b, y);
	return packages_compare(x, y);
}
