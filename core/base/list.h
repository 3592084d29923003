// SPDX-License-Identifier: MIT
/* The members that a resource's struct is made of beside text. All zero means "not set". */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct list {
	bool set;
	size_t count;
	const char *const *items;
};

/* Is this text one of its items? */
bool list_has(const struct list *list, const char *item);

struct number {
	bool set;
	int64_t value;
};

struct truth {
	bool set;
	bool value;
};

#endif
