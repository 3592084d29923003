// SPDX-License-Identifier: MIT
/* See setting.h. */
#include "model/setting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_same_name(const char *a, const char *b)
{
	for (; *a && *a != '=' && *b && *b != '='; a++, b++) {
		if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b)) {
			return false;
		}
	}
	return (!*a || *a == '=') && (!*b || *b == '=');
}

const char *setting_find(const struct list *settings, const char *setting)
{
	for (size_t i = settings->count; i-- > 0;) {
		if (is_same_name(settings->items[i], setting)) {
			return settings->items[i];
		}
	}
	return NULL;
}

/* What kstrtobool() makes of a word: it looks at the first letter alone, at two of on and off; -1:
 * it is no truth. */
static int truth_of(const char *word)
{
	if (*word == 'o' || *word == 'O') {
		word++;
		return *word == 'n' || *word == 'N' ? 1 : *word == 'f' || *word == 'F' ? 0 : -1;
	}
	if (!*word) {
		return -1;
	}
	return strchr("1yYtT", *word) ? 1 : strchr("0nNfF", *word) ? 0 : -1;
}

static bool is_number(const char *text, long long *ret_number)
{
	char *end;

	errno = 0;
	*ret_number = strtoll(text, &end, 0);
	return *text && !*end && !errno;
}

static const char *value_of(const char *setting)
{
	const char *equals = strchr(setting, '=');

	return equals ? equals + 1 : "1"; /* a bare name is a truth that holds */
}

bool setting_agrees(const char *wanted, const char *observed)
{
	const char *a = value_of(wanted), *b = value_of(observed);
	long long x, y;

	if (strcmp(a, b) == 0) {
		return true;
	}
	/* Only against a shown Y or N: a number 1 is not the same as a truth. */
	if (strcmp(b, "Y") == 0 || strcmp(b, "N") == 0) {
		return truth_of(a) == truth_of(b);
	}
	return is_number(a, &x) && is_number(b, &y) && x == y;
}
