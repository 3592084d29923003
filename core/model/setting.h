// SPDX-License-Identifier: MIT
/*
 * Settings of a module, "debug=1": by which name they are found, and whether two say the same. Pure
 * text; source of the facts: kernel/params.c and lib/kstrtox.c of the kernel.
 */
#ifndef MODEL_SETTING_H
#define MODEL_SETTING_H

#include "model/field.h"

/* Of the settings the one with the name of this setting, by either dash as the kernel takes it;
 * NULL: there is none. The last one counts. Borrowed from the list. */
const char *setting_find(const struct list *settings, const char *setting);

/* Do they say the same? The kernel shows a truth as Y or N, whatever word it was given, and a
 * number in decimal. The names are not looked at. */
bool setting_agrees(const char *wanted, const char *observed);

#endif
