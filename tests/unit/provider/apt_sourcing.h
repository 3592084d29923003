// SPDX-License-Identifier: MIT
/* What the tests of apt's sources share: a file that is read, and lists of words. */
#ifndef PROVIDER_APT_SOURCING_H
#define PROVIDER_APT_SOURCING_H

#include "unit/provider/observing.h"

#include "provider/apt_sources_inner.h"
#include "provider/lines.h"

static inline struct apt_entries parse(const char *path, const char *text)
{
	struct apt_entries entries = {0};

	apt_sources_parse(arena, path, text, &entries);
	return entries;
}

static inline struct list words(const char *a, const char *b)
{
	struct list list = {0};
	size_t cap = 0;

	lines_add(arena, &list, &cap, a);
	if (b) {
		lines_add(arena, &list, &cap, b);
	}
	return list;
}

#endif
