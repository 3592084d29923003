// SPDX-License-Identifier: MIT
/* Mount options of the form key=value, compared by what they mean; for mount_options.c. Pure
 * text. */
#ifndef MODEL_MOUNT_VALUE_H
#define MODEL_MOUNT_VALUE_H

#include <stdbool.h>
#include <stddef.h>

/* How long the key before the equals sign is; 0 of an option that is a word. */
size_t mount_value_key(const char *option);

/* Do both have a value for the same key? vers and nfsvers are one key. */
bool mount_value_same_key(const char *a, const char *b);

/* Two options of one key: does the second make the first true? Sizes with their suffixes and
 * octal modes are compared as numbers. Unless both are `as_written` the second is what a live
 * mount shows, and what it shows in other terms (a user by number, a percentage as a size, a size
 * that NFS negotiated) is taken as true. */
bool mount_value_same(const char *want_option, const char *have_option, bool as_written);

#endif
