// SPDX-License-Identifier: MIT
/* See packages.h. The order of Debian versions as deb-version(7) tells it; nothing here
 * allocates. */
#include "host/packages.h"

#include <string.h>

/* A part of a version: not terminated. */
struct part {
	const char *at, *end;
};

/* Letters sort before all else that is no digit, the tilde before everything, even the end. */
static int weight(const struct part *part)
{
	char c = part->at < part->end ? *part->at : '\0';

	if (c == '~') {
		return -1;
	}
	if (!c || (c >= '0' && c <= '9')) {
		return 0;
	}
	if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) {
		return (unsigned char)c;
	}
	return (unsigned char)c + 256;
}

static int digit(const struct part *part)
{
	return part->at < part->end && *part->at >= '0' && *part->at <= '9' ? *part->at : 0;
}

/* Numbers of any length: the first digit that differs counts, unless one number is longer. */
static int compare_number(struct part *a, struct part *b)
{
	int first = 0;

	while (digit(a) == '0') {
		a->at++;
	}
	while (digit(b) == '0') {
		b->at++;
	}
	for (; digit(a) && digit(b); a->at++, b->at++) {
		first = first ? first : *a->at - *b->at;
	}
	if (digit(a)) {
		return 1;
	}
	return digit(b) ? -1 : first;
}

static int compare_part(struct part a, struct part b)
{
	while (a.at < a.end || b.at < b.end) {
		while ((a.at < a.end && !digit(&a)) || (b.at < b.end && !digit(&b))) {
			int difference = weight(&a) - weight(&b);

			if (difference) {
				return difference;
			}
			a.at += a.at < a.end;
			b.at += b.at < b.end;
		}
		int difference = compare_number(&a, &b);

		if (difference) {
			return difference;
		}
	}
	return 0;
}

struct version {
	struct part epoch, upstream, revision;
};

static struct version split(const char *text)
{
	const char *end = text + strlen(text), *colon = strchr(text, ':'), *dash = strrchr(text, '-');
	const char *start = colon ? colon + 1 : text;

	dash = dash && dash >= start ? dash : NULL;
	return (struct version){
	    .epoch = {text, colon ? colon : text},
	    .upstream = {start, dash ? dash : end},
	    .revision = {dash ? dash + 1 : end, end},
	};
}

int packages_compare(const char *a, const char *b)
{
	struct version x = split(a), y = split(b);
	int difference = compare_number(&x.epoch, &y.epoch);

	if (!difference) {
		difference = compare_part(x.upstream, y.upstream);
	}
	if (!difference) {
		difference = compare_part(x.revision, y.revision);
	}
	return (difference > 0) - (difference < 0);
}
