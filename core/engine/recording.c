// SPDX-License-Identifier: MIT
/* See recording.h. */
#include "engine/recording.h"

#include "base/str.h"

#include <string.h>

/* Where `when` is true or says anything or, with `is`, says just that (NULL: of every fact that is
 * present), `field` is set as well. */
static const struct rule {
	enum kind_id kind;
	const char *when, *is, *field;
} rules[] = {
    {KIND_MOUNT, "live", NULL, "type"},
    {KIND_MOUNT, "live", NULL, "source"},
    {KIND_MOUNT, "fstab", NULL, "fstab_type"},
    {KIND_MOUNT, "fstab", NULL, "fstab_source"},
    {KIND_DKMS, NULL, NULL, "status"},
    {KIND_MODULE, "blacklisted", NULL, "blacklisted_by"},
    {KIND_REBOOT, NULL, NULL, "into"},
    {KIND_LOADABLE, NULL, NULL, "verdict"},
    {KIND_LOADABLE, "verdict", "no", "reason"},
    {KIND_LOADABLE, "verdict", "unproven", "reason"},
    {KIND_DATA_REPOSITORY, "association", NULL, "lifecycle"},
};

static bool is_set(const struct resource *fact, const char *name)
{
	return field_is_set(field_find(fact->kind->fields, fact->kind->field_count, name), fact);
}

static bool applies(const struct rule *rule, const struct resource *fact)
{
	if (!rule->when) {
		/* Whatever a recording says of what every node has. */
		return fact->state == STATE_PRESENT || (fact->kind->traits & KIND_SINGLETON);
	}
	const struct field *field = field_find(fact->kind->fields, fact->kind->field_count, rule->when);
	const void *value = (const char *)fact + field->offset;

	if (field->type == FIELD_TRUTH) {
		return ((const struct truth *)value)->value;
	}
	return rule->is ? text_equal(*(const char *const *)value, rule->is) : is_set(fact, rule->when);
}

/* A word that none of the field's choices is; NULL: there is none. */
static const char *strange_word(const struct field *field, const struct resource *fact)
{
	if (!field->choices || field->type != FIELD_TEXT || !field_is_set(field, fact)) {
		return NULL;
	}
	const char *word = *(const char *const *)(const void *)((const char *)fact + field->offset);

	for (size_t i = 0; field->choices[i]; i++) {
		if (text_equal(field->choices[i], word)) {
			return NULL;
		}
	}
	return word;
}

const struct resource *recording_checked(struct arena *arena, const struct resource *fact)
{
	for (size_t i = 0; fact->state != STATE_UNDETERMINED && i < ARRAY_LEN(rules); i++) {
		const struct rule *rule = &rules[i];

		if (rule->kind == fact->kind->id && applies(rule, fact) && !is_set(fact, rule->field)) {
			return resource_undetermined(arena, fact->kind, fact->key,
			                             "the recorded facts do not say its %s", rule->field);
		}
	}
	for (size_t i = 0; fact->state != STATE_UNDETERMINED && i < fact->kind->field_count; i++) {
		const char *word = strange_word(&fact->kind->fields[i], fact);

		if (word) {
			return resource_undetermined(arena, fact->kind, fact->key,
			                             "the recorded facts say '%s' for its %s, which is no %s",
			                             word, fact->kind->fields[i].name,
			                             fact->kind->fields[i].name);
		}
	}
	return fact;
}
