// SPDX-License-Identifier: MIT
/* See entries.h. */
#include "desired/entries.h"

#include "base/str.h"
#include "base/strmap.h"
#include "model/resource.h"

#include <string.h>

/* One entry on its way: what its fields may be, and which names beside them belong to it. */
struct item {
	struct layer_place place;
	const struct field *fields;
	size_t field_count;
	bool has_state;      /* state: present | absent | unmanaged may stand in it */
	const char *also[3]; /* names that were read before: kind and key */
};

static const char *const choices_state[] = {"present", "absent", "unmanaged", NULL};
static const struct field field_state = {
    .name = "state", .type = FIELD_TEXT, .format = FORMAT_CHOICE, .choices = choices_state};

const char *entries_known_sections(struct arena *arena)
{
	AUTO(str_free) struct str known = {0};

	for (size_t i = 0; i < section_count; i++) {
		str_addf(&known, "%s%s", i ? ", " : "the sections are ", section_table[i].name);
	}
	return arena_strdup(arena, str_text(&known));
}

/* ---- fields of one entry ---- */

static bool is_also(const struct item *item, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(item->also); i++) {
		if (item->also[i] && strcmp(item->also[i], name) == 0) {
			return true;
		}
	}
	return false;
}

/* The nearest name that could be written here, else all of them. */
static const char *hint_of(struct entries *e, const struct item *item, const char *name)
{
	enum { MOST = 64 };
	AUTO(str_free) struct str known = {0};
	const char *names[MOST];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(item->also); i++) {
		if (item->also[i]) {
			names[n++] = item->also[i];
		}
	}
	for (size_t i = 0; i < item->field_count && n < MOST - 1; i++) {
		if (!(item->fields[i].flags & FIELD_FACT)) {
			names[n++] = item->fields[i].name;
		}
	}
	if (item->has_state) {
		names[n++] = "state";
	}
	const char *nearest = text_nearest(name, names, n);

	if (nearest) {
		return fault_nearest(e->faults, nearest);
	}
	for (size_t i = 0; i < n; i++) {
		str_addf(&known, "%s%s", i ? ", " : "expected ", names[i]);
	}
	return arena_strdup(e->faults->diags->arena, str_text(&known));
}

static const struct field *row_of(struct entries *e, const struct item *item,
                                  const struct value_entry *entry)
{
	const struct field *field = field_find(item->fields, item->field_count, entry->key);

	if (!field && item->has_state && strcmp(entry->key, field_state.name) == 0) {
		return &field_state;
	}
	if (!field) {
		fault_add(e->faults, entry->key_at, hint_of(e, item, entry->key), "%s: unknown key %s",
		          layer_path(e->faults->diags->arena, item->place, NULL),
		          fault_quote(e->faults, entry->key));
		return NULL;
	}
	if (field->flags & FIELD_FACT) {
		fault_add(e->faults, entry->key_at, NULL, "%s: is only observed, it cannot be wanted",
		          layer_path(e->faults->diags->arena, item->place, field->name));
		return NULL;
	}
	return field;
}

/* `{state: unmanaged}` drops what is inherited: a field beside it would be said and never heard. */
static void check_unmanaged(struct entries *e, const struct item *item, const struct value *fields)
{
	const char *state = value_text(fields, "state");

	for (size_t i = 0; item->has_state && state && i < fields->count; i++) {
		const struct value_entry *entry = &fields->entries[i];

		if (strcmp(state, "unmanaged") == 0 && strcmp(entry->key, "state") != 0) {
			fault_add(e->faults, entry->key_at, "remove it",
			          "%s: does nothing beside state: unmanaged, which drops the entry",
			          layer_path(e->faults->diags->arena, item->place, entry->key));
		}
	}
}

static void read_fields(struct entries *e, const struct item *item, const struct value *map,
                        struct value *ret_map)
{
	struct value fields = value_map();

	for (size_t i = 0; i < map->count && !fault_is_full(e->faults); i++) {
		const struct value_entry *entry = &map->entries[i];

		if (is_also(item, entry->key)) {
			continue;
		}
		const struct field *field = row_of(e, item, entry);

		if (field && layer_check_field(item->place, field, &entry->value, e->faults)) {
			value_put(e->arena, &fields, field->name, entry->value);
			fields.entries[fields.count - 1].key_at = entry->key_at;
		}
	}
	check_unmanaged(e, item, &fields);
	for (size_t i = 0; i < fields.count; i++) {
		value_put(e->arena, ret_map, fields.entries[i].key, fields.entries[i].value);
		ret_map->entries[ret_map->count - 1].key_at = fields.entries[i].key_at;
	}
}

void entries_group(struct entries *e, const struct value *map, struct value *ret_map)
{
	const struct item item = {
	    .place = {e->section->name, NULL},
	    .fields = e->section->fields,
	    .field_count = e->section->field_count,
	};

	read_fields(e, &item, map, ret_map);
}

/* ---- keys ---- */

/* The keys of one collection in one file, and where each stands. */
struct keys {
	struct strmap *table; /* key -> struct pos * */
};

static bool is_new(struct entries *e, struct keys *keys, const char *key, struct pos at)
{
	struct pos *place = arena_alloc(e->arena, sizeof *place);
	const struct pos *first = strmap_get(keys->table, key);

	if (first) {
		fault_add(e->faults, at, "remove one of them",
		          "%s: %s stands here a second time, first at %u:%u", e->section->name,
		          fault_quote(e->faults, key), first->line, first->col);
		return false;
	}
	*place = at;
	strmap_put(keys->table, key, place);
	return true;
}

static void add(struct entries *e, struct value *map, const char *key, struct pos key_at,
                struct value entry)
{
	value_put(e->arena, map, key, entry);
	map->entries[map->count - 1].key_at = key_at;
}

/* "mounts[3]", for what has no key; items count from 1. */
static const char *nameless(struct entries *e, size_t i)
{
	return arena_printf(e->faults->diags->arena, "%s[%zu]", e->section->name, i + 1);
}

static bool is_map_of_fields(struct entries *e, struct layer_place place, const struct value *value)
{
	const char *path = layer_path(e->faults->diags->arena, place, NULL);

	if (value->type == VALUE_MAP) {
		return true;
	}
	if (value->type == VALUE_NULL && !fault_is_spoilt(value)) {
		fault_add(e->faults, value->at, "write {} when there is nothing to say about it",
		          "%s: an empty value, expected a map of its fields", path);
	} else if (!fault_is_spoilt(value)) {
		fault_add(e->faults, value->at, "write {FIELD: VALUE}",
		          "%s: expected a map of its fields, found %s", path, value_type_name(value->type));
	}
	return false;
}

/* ---- a collection of one section ---- */

static struct field key_row(const struct section *section)
{
	return (struct field){
	    .name = section->key_name, .type = FIELD_TEXT, .format = section->key_format};
}

static void read_entry(struct entries *e, struct layer_place place, const struct value_entry *entry,
                       const char *key_name, struct value *ret_map)
{
	const struct item item = {
	    .place = place,
	    .fields = e->section->fields,
	    .field_count = e->section->field_count,
	    .has_state = true,
	    .also = {key_name},
	};
	struct value fields = value_map();

	fields.at = entry->value.at;
	read_fields(e, &item, &entry->value, &fields);
	add(e, ret_map, entry->key, entry->key_at, fields);
}

static void read_map(struct entries *e, const struct value *written, struct value *ret_map)
{
	const struct field row = key_row(e->section);

	for (size_t i = 0; i < written->count && !fault_is_full(e->faults); i++) {
		const struct value_entry *entry = &written->entries[i];
		const struct layer_place place = {e->section->name, entry->key};
		struct value key = value_string(entry->key);

		key.at = entry->key_at;
		key.quoted = true;
		(void)layer_check_field((struct layer_place){e->section->name, NULL}, &row, &key,
		                        e->faults);
		if (is_map_of_fields(e, place, &entry->value)) {
			read_entry(e, place, entry, NULL, ret_map);
		}
	}
}

/* The key that an item of a list carries: the item itself, or one of its fields. NULL: said. */
static const char *item_key(struct entries *e, struct keys *keys, const struct value *item,
                            size_t i)
{
	const struct field row = key_row(e->section);
	const struct layer_place place = {nameless(e, i), NULL};
	const struct value *key = item->type == VALUE_MAP ? value_get(item, row.name) : item;

	if (!key) {
		fault_add(e->faults, item->at, NULL, "%s: %s is missing", place.section, row.name);
		return NULL;
	}
	if (item->type == VALUE_NULL) {
		if (!fault_is_spoilt(item)) {
			fault_add(e->faults, item->at, "remove it",
			          "%s: an empty value, expected %s, or a map with %s", place.section,
			          field_expectation(&row, e->faults->diags->arena), row.name);
		}
		return NULL;
	}
	if (!layer_check_field(place, &row, key, e->faults) ||
	    !is_new(e, keys, key->string, item->at)) {
		return NULL;
	}
	return key->string;
}

static void read_list(struct entries *e, const struct value *written, struct value *ret_map)
{
	struct keys keys = {strmap_create(e->arena)};

	for (size_t i = 0; i < written->count && !fault_is_full(e->faults); i++) {
		const struct value *item = &written->items[i];
		const char *key = item_key(e, &keys, item, i);
		struct layer_place place = {key ? e->section->name : nameless(e, i), key};
		struct value_entry entry = {
		    .key = key ? key : place.section, .key_at = item->at, .value = *item};

		if (item->type != VALUE_MAP) {
			entry.value = value_map();
			entry.value.at = item->at;
		}
		/* Also without a key, for the faults in its fields: the tree is not used then. */
		read_entry(e, place, &entry, e->section->key_name, ret_map);
	}
}

/* ---- resources of any kind ---- */

static const struct kind *wanted_kind(struct entries *e, const char *path, const char *name,
                                      struct pos at)
{
	const struct kind *kind = kind_find(name);

	if (!kind) {
		fault_add(e->faults, at, fault_nearest(e->faults, kind_nearest(name)),
		          "%s: %s is no kind of resource", path, fault_quote(e->faults, name));
	} else if (kind->traits & KIND_FACT_ONLY) {
		fault_add(e->faults, at, NULL, "%s: a %s is only observed, it cannot be wanted", path,
		          name);
		kind = NULL;
	}
	return kind;
}

static const struct kind *item_kind(struct entries *e, const struct value *item, size_t i)
{
	static const struct field row = {.name = "kind", .type = FIELD_TEXT, .format = FORMAT_WORD};
	const struct value *kind = value_get(item, "kind");

	if (!kind) {
		fault_add(e->faults, item->at, "write {kind: KIND, ...}", "%s: kind is missing",
		          nameless(e, i));
		return NULL;
	}
	if (!layer_check_field((struct layer_place){nameless(e, i), NULL}, &row, kind, e->faults)) {
		return NULL;
	}
	return wanted_kind(e, nameless(e, i), kind->string, kind->at);
}

/* The value under the kind's own name for its key, or under `key`; of what there is one of on a
 * node, "". */
static const struct value *resource_key(struct entries *e, const struct value *item,
                                        const struct kind *kind, size_t i)
{
	static const struct value none = {.type = VALUE_STRING, .string = ""};
	const struct value *plain = value_get(item, "key");

	if (kind->traits & KIND_SINGLETON) {
		if (plain) {
			fault_add(e->faults, plain->at, "remove it",
			          "%s: %s has no key, there is one on a node", nameless(e, i), kind->name);
		}
		return plain ? NULL : &none;
	}
	const struct value *named = value_get(item, kind->key_name);

	if (!named && !plain) {
		fault_add(e->faults, item->at, NULL, "%s: a %s needs its %s", nameless(e, i), kind->name,
		          kind->key_name);
	} else if (named && plain) {
		fault_add(e->faults, plain->at, "remove it", "%s: key and %s say the same", nameless(e, i),
		          kind->key_name);
		return NULL;
	}
	return named ? named : plain;
}

/* entry: where it stands and what was written about it; `inside`: its kind and key stand there
 * too. Without a key only its fields are checked. */
static void read_resource(struct entries *e, const struct kind *kind, const struct value *key,
                          const struct value_entry *entry, bool inside, struct value *ret_map)
{
	const char *id = key ? resource_id(e->arena, kind, key->string) : NULL;
	const struct item item = {
	    .place = {key ? e->section->name : entry->key, id},
	    .fields = kind->fields,
	    .field_count = kind->field_count,
	    .has_state = true,
	    .also = {inside ? "kind" : NULL, inside ? "key" : NULL, inside ? kind->key_name : NULL},
	};
	struct value map = value_map(), name = value_string(kind->name);

	map.at = entry->value.at;
	name.at = entry->key_at;
	if (key) {
		value_put(e->arena, &map, "kind", name);
		if (kind->key_name) {
			value_put(e->arena, &map, kind->key_name, *key);
		}
	}
	read_fields(e, &item, &entry->value, &map);
	if (key) {
		add(e, ret_map, id, entry->key_at, map);
	}
}

static void read_resource_list(struct entries *e, const struct value *written,
                               struct value *ret_map)
{
	struct keys keys = {strmap_create(e->arena)};

	for (size_t i = 0; i < written->count && !fault_is_full(e->faults); i++) {
		const struct value *item = &written->items[i];
		const struct layer_place place = {nameless(e, i), NULL};
		const struct kind *kind = is_map_of_fields(e, place, item) ? item_kind(e, item, i) : NULL;

		if (!kind) {
			continue;
		}
		const struct value *key = resource_key(e, item, kind, i);
		const struct field row = kind_key_field(kind);
		struct value_entry entry = {.key = place.section, .key_at = item->at, .value = *item};

		if (key && ((kind->key_name && !layer_check_field(place, &row, key, e->faults)) ||
		            !is_new(e, &keys, resource_id(e->arena, kind, key->string), item->at))) {
			key = NULL;
		}
		read_resource(e, kind, key, &entry, true, ret_map);
	}
}

/* resources: {"file:/etc/motd": {...}}: the form in which they are merged and shown. */
static void read_resource_map(struct entries *e, const struct value *written, struct value *ret_map)
{
	for (size_t i = 0; i < written->count && !fault_is_full(e->faults); i++) {
		const struct value_entry *entry = &written->entries[i];
		const struct layer_place place = {e->section->name, entry->key};
		const char *colon = strchr(entry->key, ':');
		const size_t n = colon ? (size_t)(colon - entry->key) : strlen(entry->key);
		const char *name = arena_strndup(e->arena, entry->key, n);
		const struct kind *alone = kind_find(name);

		/* What there is one of on a node is named by its kind alone. */
		alone = alone && (alone->traits & (KIND_SINGLETON | KIND_FACT_ONLY)) == KIND_SINGLETON
		            ? alone
		            : NULL;
		if (!colon != !!alone) {
			fault_add(e->faults, entry->key_at, "write a list, or KIND:KEY before each",
			          "%s: expected KIND:KEY", layer_path(e->faults->diags->arena, place, NULL));
			continue;
		}
		const struct kind *kind = wanted_kind(e, e->section->name, name, entry->key_at);
		struct value key = value_string(colon ? colon + 1 : "");

		key.at = entry->key_at;
		key.quoted = true;
		if (!kind || !is_map_of_fields(e, place, &entry->value)) {
			continue;
		}
		const struct field row = kind_key_field(kind);

		if (alone || layer_check_field(place, &row, &key, e->faults)) {
			read_resource(e, kind, &key, entry, false, ret_map);
		}
	}
}

void entries_collection(struct entries *e, const struct value *written, struct value *ret_map)
{
	bool list = written->type == VALUE_LIST;

	if (e->section->shape == SECTION_RESOURCES) {
		(list ? read_resource_list : read_resource_map)(e, written, ret_map);
	} else {
		(list ? read_list : read_map)(e, written, ret_map);
	}
}
