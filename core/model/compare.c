// SPDX-License-Identifier: MIT
/* See compare.h. */
#include "model/compare.h"

#include "base/digest.h"
#include "base/str.h"
#include "model/mount_options.h"
#include "model/setting.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

void differences_add(struct arena *arena, struct differences *differences, const char *field,
                     const char *from, const char *to)
{
	differences->list = arena_grow(arena, differences->list, differences->count, &differences->cap,
	                               sizeof *differences->list);
	differences->list[differences->count++] = (struct difference){field, from, to};
}

static const void *member(const struct field *field, const struct resource *r)
{
	return (const char *)r + field->offset;
}

static const char *text_of(const struct field *field, const struct resource *r)
{
	return *(const char *const *)member(field, r);
}

static const struct list *list_of(const struct field *field, const struct resource *r)
{
	return member(field, r);
}

static const char *join(struct arena *arena, const struct list *list)
{
	AUTO(str_free) struct str out = {0};

	for (size_t i = 0; i < list->count; i++) {
		str_add(&out, i ? "," : "");
		str_add(&out, list->items[i]);
	}
	return arena_strdup(arena, str_text(&out));
}

/* Enough of a digest to tell two contents apart by eye. */
enum { DIGITS = 12 };

const char *compare_show(struct arena *arena, const struct field *field, const struct resource *r)
{
	if (!field_is_set(field, r)) {
		return "";
	}
	switch (field->type) {
	case FIELD_TRUTH:
		return ((const struct truth *)member(field, r))->value ? "yes" : "no";
	case FIELD_NUMBER:
		return arena_printf(arena, "%lld",
		                    (long long)((const struct number *)member(field, r))->value);
	case FIELD_LIST:
		return join(arena, list_of(field, r));
	case FIELD_TEXT:
		break;
	}
	const char *text = text_of(field, r);

	if (field->format == FORMAT_DIGEST) {
		return arena_printf(arena, "sha256:%.*s", DIGITS, text);
	}
	if (field->format == FORMAT_CONTENT || (field->flags & FIELD_SECRET)) {
		struct digest digest = digest_bytes(text, strlen(text));

		return arena_printf(arena, "%zu bytes, sha256:%.*s", strlen(text), DIGITS, digest.hex);
	}
	return text;
}

/* ---- Rules for lists ---- */

static bool is_subset(const struct list *a, const struct list *b)
{
	for (size_t i = 0; i < a->count; i++) {
		if (!list_has(b, a->items[i])) {
			return false;
		}
	}
	return true;
}

static bool is_same_sequence(const struct list *a, const struct list *b)
{
	for (size_t i = 0; a->count == b->count && i < a->count; i++) {
		if (strcmp(a->items[i], b->items[i]) != 0) {
			return false;
		}
	}
	return a->count == b->count;
}

/* ---- Assertions: lists of which each item must hold ---- */

static bool is_asserting(const struct field *field)
{
	return field->match == MATCH_OPTIONS || field->match == MATCH_FSTAB ||
	       field->match == MATCH_SETTINGS || field->match == MATCH_ITEMS;
}

static bool is_item(const char *item, const struct list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], item) == 0) {
			return true;
		}
	}
	return false;
}

static struct list assertions(struct arena *arena, const struct field *field,
                              const struct resource *want)
{
	const struct list *list = list_of(field, want);

	return field->match == MATCH_SETTINGS || field->match == MATCH_ITEMS
	           ? *list
	           : mount_options_in_force(arena, list, field->match == MATCH_FSTAB);
}

static bool setting_holds(const char *setting, const struct list *list)
{
	const char *have = setting_find(list, setting);

	return have && setting_agrees(setting, have);
}

/* Of whom the list of options is: a unit's and a line's type may be others than what is mounted. */
static const char *type_beside(const struct field *field, const struct resource *have)
{
	if (field->match == MATCH_OPTIONS) {
		return have->mount.type;
	}
	return field->offset == offsetof(struct resource, mount.unit_options) ? have->mount.unit_type
	                                                                      : have->mount.fstab_type;
}

static bool item_holds(const struct field *field, const char *item, const struct resource *have)
{
	const struct list *list = list_of(field, have);

	switch (field->match) {
	case MATCH_OPTIONS:
		return mount_option_holds(item, list, have->mount.type);
	case MATCH_FSTAB:
		return mount_option_stands(item, list, type_beside(field, have));
	case MATCH_ITEMS:
		return is_item(item, list);
	default:
		return setting_holds(item, list);
	}
}

static const char *counterpart(const struct field *field, const char *item,
                               const struct resource *have)
{
	const struct list *list = list_of(field, have);

	if (field->match == MATCH_ITEMS) {
		return NULL;
	}
	return field->match == MATCH_SETTINGS
	           ? setting_find(list, item)
	           : mount_option_counterpart(item, list, field->match == MATCH_FSTAB,
	                                      type_beside(field, have));
}

static bool all_hold(const struct field *field, const struct resource *want,
                     const struct resource *have)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct list wanted = assertions(arena, field, want);

	for (size_t i = 0; i < wanted.count; i++) {
		if (!item_holds(field, wanted.items[i], have)) {
			return false;
		}
	}
	return true;
}

/* One difference that names only what does not hold, and what is there in its place. */
static void add_assertions(struct arena *arena, const struct field *field,
                           const struct resource *want, const struct resource *have,
                           struct differences *differences)
{
	AUTO(str_free) struct str from = {0}, to = {0};
	struct list wanted = assertions(arena, field, want);

	for (size_t i = 0; i < wanted.count; i++) {
		if (!item_holds(field, wanted.items[i], have)) {
			const char *there = counterpart(field, wanted.items[i], have);

			if (field->match != MATCH_ITEMS) {
				str_add(&from, from.length ? "," : "");
				str_add(&from, there ? there : "unset");
			}
			str_add(&to, to.length ? "," : "");
			str_add(&to, wanted.items[i]);
		}
	}
	differences_add(arena, differences, field->name, arena_strdup(arena, str_text(&from)),
	                arena_strdup(arena, str_text(&to)));
}

/* ---- Fields ---- */

/* What a live mount says in place of its source when it is a bind mount: the path within a file
 * system. Where that system is mounted, only the host can tell. */
static bool is_bind_source_same(const char *want, const struct resource *have)
{
	const char *root = have->mount.root;

	return !root || strcmp(root, "/") == 0 || text_ends(want, root) ||
	       text_equal(want, have->mount.source);
}

static bool is_source_same(const struct field *field, const struct resource *want,
                           const struct resource *have)
{
	const char *wanted = text_of(field, want), *found = text_of(field, have);
	bool in_fstab = field->offset == offsetof(struct resource, mount.fstab_source);

	if (!in_fstab && mount_options_bind(&want->mount.options)) {
		return is_bind_source_same(wanted, have);
	}
	return found && mount_source_same(wanted, found, want->mount.type, NULL);
}

static bool is_type_same(const struct field *field, const struct resource *want,
                         const struct resource *have)
{
	const char *found = text_of(field, have);

	return mount_options_bind(&want->mount.options) ||
	       (found && mount_type_same(text_of(field, want), found));
}

static bool is_text_same(const struct field *field, const char *want, const char *have)
{
	if (field->format == FORMAT_MODE) {
		return strtoul(want, NULL, 8) == strtoul(have, NULL, 8);
	}
	return strcmp(want, have) == 0;
}

static bool is_exact(const struct field *field, const struct resource *want,
                     const struct resource *have)
{
	const void *a = member(field, want), *b = member(field, have);

	switch (field->type) {
	case FIELD_TEXT:
		return is_text_same(field, text_of(field, want), text_of(field, have));
	case FIELD_LIST:
		return is_same_sequence(a, b);
	case FIELD_NUMBER:
		return ((const struct number *)a)->value == ((const struct number *)b)->value;
	case FIELD_TRUTH:
		return ((const struct truth *)a)->value == ((const struct truth *)b)->value;
	}
	return false;
}

/* What a mount that is not live (a line that is not in fstab) would say means nothing: that it is
 * not there is the difference. */
static bool is_moot(const struct field *field, const struct resource *have)
{
	const struct mount *mount = &have->mount;

	switch (field->match) {
	case MATCH_SOURCE:
	case MATCH_TYPE:
		if (field->offset == offsetof(struct resource, mount.fstab_source) ||
		    field->offset == offsetof(struct resource, mount.fstab_type)) {
			return mount->fstab.set && !mount->fstab.value;
		}
		return mount->live.set && !mount->live.value;
	case MATCH_OPTIONS:
		return mount->live.set && !mount->live.value;
	case MATCH_FSTAB:
		return mount->fstab.set && !mount->fstab.value;
	default:
		return false;
	}
}

bool compare_field(const struct field *field, const struct resource *want,
                   const struct resource *have)
{
	if (field->match == MATCH_NEVER || !field_is_set(field, want) || is_moot(field, have)) {
		return true;
	}
	if (is_asserting(field)) {
		return all_hold(field, want, have);
	}
	if (field->match == MATCH_SOURCE) {
		return is_source_same(field, want, have);
	}
	if (field->match == MATCH_TYPE) {
		return is_type_same(field, want, have);
	}
	if (!field_is_set(field, have)) {
		return false;
	}
	if (field->match == MATCH_GLOB) {
		return fnmatch(text_of(field, want), text_of(field, have), 0) == 0;
	}
	if (field->match == MATCH_SET) {
		return is_subset(list_of(field, want), list_of(field, have)) &&
		       is_subset(list_of(field, have), list_of(field, want));
	}
	return is_exact(field, want, have);
}

/* Whether a mount is wanted absent only as far as it is live: its fstab line is somebody else's. */
static bool is_gone_enough(const struct resource *want, const struct resource *have)
{
	return want->kind->id == KIND_MOUNT && want->state == STATE_ABSENT && have->mount.live.set &&
	       !have->mount.live.value && want->mount.manage && strcmp(want->mount.manage, "full") != 0;
}

void compare_resources(struct arena *arena, const struct resource *want,
                       const struct resource *have, struct differences *ret_differences)
{
	struct differences differences = {0};

	if (want->state != have->state) {
		if (!is_gone_enough(want, have)) {
			differences_add(arena, &differences, "state", state_name(have->state),
			                state_name(want->state));
		}
	} else if (want->state == STATE_PRESENT) {
		for (size_t i = 0; i < want->kind->field_count; i++) {
			const struct field *field = &want->kind->fields[i];

			if (compare_field(field, want, have)) {
				continue;
			}
			if (is_asserting(field)) {
				add_assertions(arena, field, want, have, &differences);
			} else {
				differences_add(arena, &differences, field->name,
				                field_is_set(field, have) ? compare_show(arena, field, have) : NULL,
				                compare_show(arena, field, want));
			}
		}
	}
	*ret_differences = differences;
}
