// SPDX-License-Identifier: MIT
/* See recording.h. */
#include "engine/recording.h"

#include <string.h>

/* Where `when` is true (NULL: of every one that is present), `field` is set as well. */
static const struct rule {
	enum kind_id kind;
	const char *when, *field;
} rules[] = {
    {KIND_MOUNT, "live", "type"},        {KIND_MOUNT, "live", "source"},
    {KIND_MOUNT, "fstab", "fstab_type"}, {KIND_MOUNT, "fstab", "fstab_source"},
    {KIND_DKMS, NULL, "status"},         {KIND_MODULE, "blacklisted", "blacklisted_by"},
    {KIND_REBOOT, NULL, "into"},
};

static bool is_true(const struct resource *fact, const char *name)
{
	const struct field *field = field_find(fact->kind->fields, fact->kind->field_count, name);

	return ((const struct truth *)((const char *)fact + field->offset))->value;
}

static bool is_set(const struct resource *fact, const char *name)
{
	return field_is_set(field_find(fact->kind->fields, fact->kind->field_count, name), fact);
}

const struct resource *recording_checked(struct arena *arena, const struct resource *fact)
{
	for (size_t i = 0; fact->state != STATE_UNDETERMINED && i < ARRAY_LEN(rules); i++) {
		const struct rule *rule = &rules[i];

		if (rule->kind == fact->kind->id && !is_set(fact, rule->field) &&
		    (rule->when ? is_true(fact, rule->when) : fact->state == STATE_PRESENT)) {
			return resource_undetermined(arena, fact->kind, fact->key,
			                             "the recorded facts do not say its %s", rule->field);
		}
	}
	return fact;
}
