// SPDX-License-Identifier: MIT
/* See list.h. */
#include "base/list.h"

#include <string.h>

bool list_has(const struct list *list, const char *item)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], item) == 0) {
			return true;
		}
	}
	return false;
}
