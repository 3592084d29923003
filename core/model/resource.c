// SPDX-License-Identifier: MIT
/* See resource.h. Everything generic goes through the field tables; what one kind means is in
 * check_rules() and resource_complete(). */
#include "model/resource.h"

#include "base/digest.h"
#include "base/str.h"
#include "model/mount_options.h"

#include <stdio.h>
#include <string.h>

struct resource *resource_create(struct arena *arena, const struct kind *kind, const char *key)
{
	struct resource *r = arena_alloc(arena, sizeof *r);

	r->kind = kind;
	r->key = arena_strdup(arena, key ? key : "");
	r->state = STATE_PRESENT;
	return r;
}

struct resource *resource_undetermined(struct arena *arena, const struct kind *kind,
                                       const char *key, const char *why_fmt, ...)
{
	struct resource *r = resource_create(arena, kind, key);
	char why[1024];
	va_list ap;

	va_start(ap, why_fmt);
	vsnprintf(why, sizeof why, why_fmt, ap);
	va_end(ap);
	r->state = STATE_UNDETERMINED;
	r->why = arena_strdup(arena, why);
	return r;
}

/* Sets the field from a value that may die before the resource. */
static void set_copy(const struct field *field, struct resource *r, const struct value *value,
                     struct arena *arena)
{
	struct value copy = value_copy(arena, value);

	field_set(field, r, &copy, arena);
}

struct resource *resource_copy(struct arena *arena, const struct resource *r)
{
	struct resource *copy = resource_create(arena, r->kind, r->key);

	copy->state = r->state;
	copy->why = r->why ? arena_strdup(arena, r->why) : NULL;
	for (size_t i = 0; i < r->kind->field_count; i++) {
		const struct field *field = &r->kind->fields[i];
		struct value value = field_get(field, r, arena);

		set_copy(field, copy, &value, arena);
	}
	return copy;
}

const char *state_name(enum state state)
{
	static const char *const names[] = {
	    [STATE_PRESENT] = "present",
	    [STATE_ABSENT] = "absent",
	    [STATE_UNDETERMINED] = "undetermined",
	};

	return names[state];
}

const char *resource_id(struct arena *arena, const struct kind *kind, const char *key)
{
	return kind->traits & KIND_SINGLETON ? kind->name
	                                     : arena_printf(arena, "%s:%s", kind->name, key);
}

static int check_key(const struct kind *kind, const char *key, struct err *err)
{
	struct field field = kind_key_field(kind);
	struct value value = value_string(key);

	return field_check(&field, &value, err);
}

int resource_parse_id(const char *id, struct arena *arena, const struct kind **ret_kind,
                      const char **ret_key, struct err *err)
{
	const char *colon = strchr(id, ':');
	const char *name = colon ? arena_strndup(arena, id, (size_t)(colon - id)) : id;
	const struct kind *kind = kind_find(name);

	if (!kind) {
		const char *near = kind_nearest(name);

		return near ? err_set(err, ERR_INPUT, 0, "%s: there is no such kind, did you mean %s", id,
		                      near)
		            : err_set(err, ERR_INPUT, 0, "%s: there is no such kind", id);
	}
	if (colon && (kind->traits & KIND_SINGLETON)) {
		return err_set(err, ERR_INPUT, 0, "%s: %s has no key, there is one on a node", id,
		               kind->name);
	}
	if (colon && check_key(kind, colon + 1, err)) {
		return err_wrap(err, "%s", id);
	}
	*ret_kind = kind;
	*ret_key = colon ? arena_strdup(arena, colon + 1) : kind->traits & KIND_SINGLETON ? "" : NULL;
	return 0;
}

struct value resource_to_value(struct arena *arena, const struct resource *r)
{
	struct value map = value_map();

	value_put(arena, &map, "kind", value_string(r->kind->name));
	value_put(arena, &map, "key", value_string(r->key));
	value_put(arena, &map, "state", value_string(state_name(r->state)));
	if (r->why) {
		value_put(arena, &map, "why", value_string(r->why));
	}
	for (size_t i = 0; i < r->kind->field_count; i++) {
		const struct field *field = &r->kind->fields[i];

		if (field_is_set(field, r)) {
			value_put(arena, &map, field->name, field_get(field, r, arena));
		}
	}
	value_seal(&map);
	return map;
}

/* ---- From a value ---- */

static const struct kind *read_kind(const struct value *value, struct diags *diags)
{
	if (value->type != VALUE_MAP) {
		diag_add(diags, value->at, NULL, "expected a resource, a map with its kind, found %s",
		         value_type_name(value->type));
		return NULL;
	}
	const struct value *name = value_get(value, "kind");

	if (!name) {
		diag_add(diags, value->at, NULL, "kind is missing, expected what the resource is");
		return NULL;
	}
	if (name->type != VALUE_STRING) {
		diag_add(diags, name->at, NULL, "kind: expected the name of a kind, found %s",
		         value_type_name(name->type));
		return NULL;
	}
	const struct kind *kind = kind_find(name->string);

	if (!kind) {
		diag_add(diags, name->at, kind_nearest(name->string), "kind: there is no kind %.60s",
		         name->string);
	}
	return kind;
}

/* The key from wherever it stands, "" for a singleton; NULL after a fault. */
static const char *read_key(const struct kind *kind, const struct value *value,
                            enum resource_use use, struct diags *diags)
{
	struct field field = kind_key_field(kind);
	const struct value *named = kind->key_name ? value_get(value, kind->key_name) : NULL;
	const struct value *plain = value_get(value, "key");
	const struct value *key = named ? named : plain;
	struct err err;

	if (kind->traits & KIND_SINGLETON) {
		if (plain && (plain->type != VALUE_STRING || *plain->string)) {
			diag_add(diags, plain->at, NULL, "key: %s has none, there is one on a node",
			         kind->name);
			return NULL;
		}
		return "";
	}
	if (!key) {
		diag_add(diags, value->at, NULL, "%s is missing: which %s", field.name, kind->name);
		return NULL;
	}
	if (named && plain && !value_equal(named, plain)) {
		diag_add(diags, plain->at, NULL, "key: is another than %s", field.name);
		return NULL;
	}
	if (use == USE_WANTED ? field_check(&field, key, &err) : field_check_type(&field, key, &err)) {
		diag_add_err(diags, &err, NULL);
		return NULL;
	}
	return key->string;
}

static void read_state(struct arena *arena, struct resource *r, const struct value *value,
                       enum resource_use use, struct diags *diags)
{
	const struct value *state = value_get(value, "state");
	const struct value *why = value_get(value, "why");
	bool is_text = state && state->type == VALUE_STRING;

	if (!state || (is_text && strcmp(state->string, "present") == 0)) {
		r->state = STATE_PRESENT;
	} else if (is_text && strcmp(state->string, "absent") == 0) {
		r->state = STATE_ABSENT;
		if (use == USE_WANTED && (r->kind->traits & KIND_NEVER_ABSENT)) {
			diag_add(diags, state->at, NULL, "state: a %s cannot be wanted absent", r->kind->name);
		}
	} else if (is_text && use == USE_OBSERVED && strcmp(state->string, "undetermined") == 0) {
		r->state = STATE_UNDETERMINED;
		r->why = "for a reason that was not recorded";
	} else {
		diag_add(diags, state->at, NULL, "state: expected %s",
		         use == USE_WANTED ? "present or absent" : "present, absent or undetermined");
	}
	if (use == USE_OBSERVED && why) {
		if (why->type == VALUE_STRING) {
			r->why = arena_strdup(arena, why->string);
		} else {
			diag_add(diags, why->at, NULL, "why: expected text, found %s",
			         value_type_name(why->type));
		}
	}
}

static bool is_common_name(const struct kind *kind, const char *name, enum resource_use use)
{
	return strcmp(name, "kind") == 0 || strcmp(name, "key") == 0 || strcmp(name, "state") == 0 ||
	       (kind->key_name && strcmp(name, kind->key_name) == 0) ||
	       (use == USE_OBSERVED && strcmp(name, "why") == 0);
}

/* ", expected path, state, mode, owner or group" */
static void add_names(struct str *s, const struct kind *kind, enum resource_use use)
{
	size_t last = kind->field_count;

	for (size_t i = 0; i < kind->field_count; i++) {
		if (use == USE_OBSERVED || !(kind->fields[i].flags & FIELD_FACT)) {
			last = i;
		}
	}
	str_addf(s, ", expected %s, state", kind->key_name ? kind->key_name : "key");
	for (size_t i = 0; i < kind->field_count; i++) {
		if (use == USE_OBSERVED || !(kind->fields[i].flags & FIELD_FACT)) {
			str_addf(s, "%s%s", i == last ? " or " : ", ", kind->fields[i].name);
		}
	}
}

static void read_field(struct arena *arena, struct resource *r, const struct value_entry *entry,
                       enum resource_use use, struct diags *diags)
{
	const struct kind *kind = r->kind;
	const struct field *field = field_find(kind->fields, kind->field_count, entry->key);
	struct err err;

	if (!field) {
		const char *nearest = field_nearest(kind->fields, kind->field_count, entry->key);
		AUTO(str_free) struct str names = {0};

		if (!nearest) {
			add_names(&names, kind, use);
		}
		diag_add(diags, entry->key_at, nearest, "%.60s: a %s has no such field%s", entry->key,
		         kind->name, str_text(&names));
	} else if (use == USE_WANTED && (field->flags & FIELD_FACT)) {
		diag_add(diags, entry->key_at, NULL, "%s: is only observed, it cannot be wanted",
		         entry->key);
	} else if (use == USE_WANTED ? field_check(field, &entry->value, &err)
	                             : field_check_type(field, &entry->value, &err)) {
		diag_add_err(diags, &err, NULL);
	} else {
		set_copy(field, r, &entry->value, arena);
	}
}

static bool is_only_reported(const struct resource *r)
{
	return r->kind->id == KIND_MOUNT && text_equal(r->mount.manage, "observe");
}

static struct pos place_of(const struct value *value, const char *name)
{
	const struct value *entry = value_get(value, name);

	return entry ? entry->at : value->at;
}

/* What must hold across the fields of a wanted, present resource. */
static void check_rules(const struct resource *r, const struct value *value, struct diags *diags)
{
	const char *second = NULL;

	for (size_t i = 0; i < r->kind->field_count && !is_only_reported(r); i++) {
		const struct field *field = &r->kind->fields[i];

		if ((field->flags & FIELD_REQUIRED) && !value_entry(value, field->name)) {
			diag_add(diags, value->at, NULL, "%s is missing: %s", field->name, field->help);
		}
	}
	switch (r->kind->id) {
	case KIND_COMMAND:
		if (r->command.argv.set && (!r->command.argv.count || !r->command.argv.items[0][0])) {
			diag_add(diags, place_of(value, "argv"), NULL, "argv: names no program");
		}
		if (!r->command.creates && !r->command.unless.count) {
			diag_add(diags, value->at, NULL,
			         "a command needs a guard: unless or creates says when there is nothing to do");
		} else if (r->command.unless.count && !r->command.unless.items[0][0]) {
			diag_add(diags, place_of(value, "unless"), NULL, "unless: names no program");
		}
		break;
	case KIND_MOUNT:
		second = mount_options_conflict(&r->mount.options);
		if (second) {
			diag_add(diags, place_of(value, "options"), NULL,
			         "options: %.60s contradicts an option before it", second);
		}
		break;
	case KIND_DATA_REPOSITORY:
		if (text_equal(r->data_repository.manage, "owner") && !r->data_repository.owner) {
			diag_add(diags, place_of(value, "manage"), NULL,
			         "manage: owner needs the field owner, the one node that writes");
		}
		break;
	default:
		break;
	}
}

struct resource *resource_from_value(struct arena *arena, const struct value *value,
                                     enum resource_use use, struct diags *diags)
{
	size_t before = diags->count;
	const struct kind *kind = read_kind(value, diags);

	if (!kind) {
		return NULL;
	}
	if (use == USE_WANTED && (kind->traits & KIND_FACT_ONLY)) {
		diag_add(diags, place_of(value, "kind"), NULL,
		         "kind: a %s can only be observed, it cannot be wanted", kind->name);
		return NULL;
	}
	const char *key = read_key(kind, value, use, diags);
	struct resource *r = resource_create(arena, kind, key);

	read_state(arena, r, value, use, diags);
	for (size_t i = 0; i < value->count; i++) {
		if (!is_common_name(kind, value->entries[i].key, use)) {
			read_field(arena, r, &value->entries[i], use, diags);
		}
	}
	if (use == USE_WANTED && r->state == STATE_PRESENT) {
		check_rules(r, value, diags);
	}
	return diags->count == before ? r : NULL;
}

/* ---- Completing and merging ---- */

/* The first of equal items goes: of two equal options the last is the one in force. */
static void without_duplicates(struct list *list, struct arena *arena)
{
	const char **items = arena_array(arena, list->count, sizeof *items);
	size_t n = 0;

	for (size_t i = 0; i < list->count; i++) {
		bool again = false;

		for (size_t k = i + 1; k < list->count && !again; k++) {
			again = strcmp(list->items[i], list->items[k]) == 0;
		}
		if (!again) {
			items[n++] = list->items[i];
		}
	}
	list->items = items;
	list->count = n;
}

static const struct truth wanted_true = {.set = true, .value = true};

static void complete_mount(struct arena *arena, struct resource *want)
{
	struct mount *mount = &want->mount;

	if (!mount->manage) {
		mount->manage = mount->service ? "live" : "full";
	}
	if (want->state != STATE_PRESENT) {
		return;
	}
	without_duplicates(&mount->options, arena);
	mount->live = wanted_true;
	if (strcmp(mount->manage, "full") == 0) {
		mount->fstab = wanted_true;
		mount->fstab_source = mount->source;
		mount->fstab_type = mount->type;
		mount->fstab_options = mount->options;
	}
}

void resource_complete(struct arena *arena, struct resource *want)
{
	if (want->kind->id == KIND_MOUNT) {
		complete_mount(arena, want);
	}
	if (want->state != STATE_PRESENT) {
		return;
	}
	switch (want->kind->id) {
	case KIND_FILE:
		want->file.type = "file";
		if (want->file.content) {
			struct digest digest = digest_bytes(want->file.content, strlen(want->file.content));

			want->file.digest = arena_strdup(arena, digest.hex);
		}
		break;
	case KIND_COMMAND:
		want->command.satisfied = wanted_true;
		break;
	case KIND_HOLD: /* or it would go by itself as soon as somebody lifts the hold */
		if (!want->hold.manual.set) {
			want->hold.manual = wanted_true;
		}
		break;
	case KIND_PACKAGE_INDEX:
		if (!want->package_index.max_age) {
			want->package_index.max_age = "1d";
		}
		break;
	case KIND_DATA_REPOSITORY:
		want->data_repository.directory = wanted_true;
		if (!want->data_repository.manage) {
			want->data_repository.manage = "observe";
		}
		break;
	default:
		break;
	}
}

static bool has_item(const struct value *list, const struct value *item)
{
	for (size_t i = 0; i < list->count; i++) {
		if (value_equal(&list->items[i], item)) {
			return true;
		}
	}
	return false;
}

/* Do two wishes for the field say the same? */
static bool is_same_wish(const struct field *field, const struct value *a, const struct value *b)
{
	bool ordered = field->match == MATCH_EXACT || field->match == MATCH_NEVER;

	if (field->type != FIELD_LIST || (ordered && field->format != FORMAT_CHOICE)) {
		return value_equal(a, b);
	}
	for (size_t i = 0; i < a->count; i++) {
		if (!has_item(b, &a->items[i])) {
			return false;
		}
	}
	for (size_t i = 0; i < b->count; i++) {
		if (!has_item(a, &b->items[i])) {
			return false;
		}
	}
	return true;
}

const char *resource_merge(struct arena *arena, struct resource *r, const struct resource *more)
{
	if (r->state != more->state) {
		return "state";
	}
	for (size_t i = 0; i < r->kind->field_count; i++) {
		const struct field *field = &r->kind->fields[i];

		if (field_is_set(field, r) && field_is_set(field, more)) {
			struct value a = field_get(field, r, arena), b = field_get(field, more, arena);

			if (!is_same_wish(field, &a, &b)) {
				return field->name;
			}
		}
	}
	for (size_t i = 0; i < r->kind->field_count; i++) {
		const struct field *field = &r->kind->fields[i];

		if (!field_is_set(field, r) && field_is_set(field, more)) {
			struct value value = field_get(field, more, arena);

			set_copy(field, r, &value, arena);
		}
	}
	return NULL;
}
