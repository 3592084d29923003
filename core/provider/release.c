// SPDX-License-Identifier: MIT
/* See release.h. */
#include "provider/release.h"

#include "host/packages.h"

int release_compare(const char *a, const char *b)
{
	return packages_compare(a, b);
}
