// SPDX-License-Identifier: MIT
/* See layer.h: one file against the tables of the model. Entries of collections are in entries.c.
 */
#include "desired/layer.h"

#include "base/str.h"
#include "desired/entries.h"

#include <string.h>

bool layer_place_of(struct arena *arena, const struct desired_file *file, struct faults *faults,
                    struct layer *ret_layer)
{
	static const struct {
		const char *folder;
		enum section_place place;
	} folders[] = {{"nodes/", IN_NODE}, {"roles/", IN_ROLE}};
	static const char suffix[] = ".yaml";
	const char *path = file->path;
	size_t n = strlen(path);

	*ret_layer = (struct layer){.file = file, .name = "defaults", .state = value_map()};
	if (strcmp(path, "defaults.yaml") == 0) {
		ret_layer->place = IN_DEFAULTS;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		size_t folder = strlen(folders[i].folder);

		if (text_starts(path, folders[i].folder) && text_ends(path, suffix) &&
		    n > folder + strlen(suffix) && !strchr(path + folder, '/')) {
			ret_layer->place = folders[i].place;
			ret_layer->name = arena_strndup(arena, path + folder, n - folder - strlen(suffix));
			return true;
		}
	}
	fault_add(faults, fault_top(file->name), NULL,
	          "desired state does not stand here: expected defaults.yaml, nodes/NAME.yaml or "
	          "roles/NAME.yaml");
	return false;
}

/* ---- fields ---- */

const char *layer_path(struct arena *arena, struct layer_place place, const char *field)
{
	enum { SHOWN = 80 };
	AUTO(str_free) struct str path = {0};

	str_add(&path, place.section);
	if (place.key) {
		str_addc(&path, '.');
		str_add_printable(&path, place.key, SHOWN);
	}
	if (field) {
		str_addc(&path, '.');
		str_add_printable(&path, field, SHOWN);
	}
	return arena_strdup(arena, str_text(&path));
}

/* Words that other readers of YAML take for a truth. */
static const char *truth_meant(const struct value *value)
{
	static const char *const trues[] = {"yes", "on", "y", "true"};
	static const char *const falses[] = {"no", "off", "n", "false"};

	for (size_t i = 0; value->type == VALUE_STRING && i < ARRAY_LEN(trues); i++) {
		if (strcasecmp(value->string, trues[i]) == 0) {
			return "write true, without quotes";
		}
		if (strcasecmp(value->string, falses[i]) == 0) {
			return "write false, without quotes";
		}
	}
	return NULL;
}

static const char *hint_for(const struct field *field, const struct value *value)
{
	if (field->type == FIELD_TRUTH) {
		return truth_meant(value);
	}
	if (field->type == FIELD_NUMBER && value->type == VALUE_STRING && value->quoted) {
		return "write the number without quotes";
	}
	if (field->type == FIELD_LIST && value->type == VALUE_STRING) {
		return "write a list of one: [VALUE]";
	}
	return NULL;
}

/* `value` is the whole value, or a list of one item of it. */
static bool check_value(struct layer_place place, const struct field *field,
                        const struct value *value, struct faults *faults)
{
	struct err err;

	if (field_check(field, value, &err) == 0) {
		return true;
	}
	/* Again with the whole path for a name: what is right, and that is most of it, needs no path.
	 */
	struct field named = *field;
	bool alone = !place.key && strcmp(place.section, field->name) == 0;

	named.name = layer_path(faults->diags->arena, place, alone ? NULL : field->name);
	if (field_check(&named, value, &err)) {
		fault_add_err(faults, &err, hint_for(field, value));
	}
	return false;
}

static bool has_spoilt(const struct value *value)
{
	bool spoilt = fault_is_spoilt(value);

	for (size_t i = 0; value->type == VALUE_LIST && i < value->count; i++) {
		spoilt = spoilt || fault_is_spoilt(&value->items[i]);
	}
	return spoilt;
}

static void say_empty(struct layer_place place, const struct field *field,
                      const struct value *value, struct faults *faults)
{
	struct arena *arena = faults->diags->arena;
	bool alone = !place.key && strcmp(place.section, field->name) == 0;

	fault_add(faults, value->at, "give it a value, or remove it", "%s: an empty value, expected %s",
	          layer_path(arena, place, alone ? NULL : field->name),
	          field_expectation(field, arena));
}

bool layer_check_field(struct layer_place place, const struct field *field,
                       const struct value *value, struct faults *faults)
{
	bool right = !has_spoilt(value);

	if (value->type == VALUE_NULL) {
		if (right) {
			say_empty(place, field, value, faults);
		}
		return false;
	}
	if (field->type != FIELD_LIST || value->type != VALUE_LIST) {
		return right && check_value(place, field, value, faults);
	}
	for (size_t i = 0; i < value->count && !fault_is_full(faults); i++) {
		struct value item = value->items[i];
		struct value one = {
		    .type = VALUE_LIST, .at = item.at, .count = 1, .cap = 1, .items = &item};

		if (item.type == VALUE_NULL) {
			right = false;
			if (!fault_is_spoilt(&item)) {
				say_empty(place, field, &item, faults);
			}
		} else {
			right = check_value(place, field, &one, faults) && right;
		}
	}
	return right;
}

/* ---- sections ---- */

struct sections {
	struct arena *arena;
	struct faults *faults;
	struct layer *layer;
};

static const char *places_of(struct arena *arena, unsigned places)
{
	return arena_printf(arena, "%s%s%s%s%s", places & IN_DEFAULTS ? "defaults.yaml" : "",
	                    places & IN_DEFAULTS && places & (IN_ROLE | IN_NODE) ? " or " : "",
	                    places & IN_ROLE ? "roles/*.yaml" : "",
	                    places & IN_ROLE && places & IN_NODE ? " or " : "",
	                    places & IN_NODE ? "nodes/*.yaml" : "");
}

static bool belongs(struct sections *s, const struct section *section,
                    const struct value_entry *entry)
{
	struct arena *arena = s->faults->diags->arena;

	if (!section) {
		const char *nearest = section_nearest(entry->key);

		fault_add(s->faults, entry->key_at,
		          nearest ? fault_nearest(s->faults, nearest) : entries_known_sections(arena),
		          "%s is no section of the desired state", fault_quote(s->faults, entry->key));
		return false;
	}
	if (!(section->places & s->layer->place)) {
		fault_add(s->faults, entry->key_at, NULL, "%s: this section stands only in %s",
		          section->name, places_of(arena, section->places));
		return false;
	}
	return true;
}

/* A section of the wrong shape; `right` says whether it has the one it should have. */
static bool has_shape(struct sections *s, const struct section *section, const struct value *value,
                      bool right)
{
	static const char *const expected[] = {
	    [SECTION_GROUP] = "a map of its fields",
	    [SECTION_COLLECTION] = "a map or list of entries",
	    [SECTION_RESOURCES] = "a list of resources",
	};

	if (fault_is_spoilt(value)) {
		return false;
	}
	if (value->type == VALUE_NULL) {
		fault_add(s->faults, value->at,
		          section->shape == SECTION_RESOURCES ? "remove the line, or write []"
		                                              : "remove the line, or write {}",
		          "%s: an empty value, expected %s", section->name, expected[section->shape]);
		return false;
	}
	if (!right) {
		fault_add(s->faults, value->at, NULL, "%s: expected %s, found %s", section->name,
		          expected[section->shape], value_type_name(value->type));
	}
	return right;
}

static void check_section(struct sections *s, const struct section *section,
                          const struct value_entry *entry)
{
	struct entries entries = {s->arena, s->faults, section};
	const struct value *value = &entry->value;
	bool map = value->type == VALUE_MAP, list = value->type == VALUE_LIST;
	struct value right = value_map();

	right.at = value->at;
	switch (section->shape) {
	case SECTION_VALUE:
		if (!layer_check_field((struct layer_place){section->name, NULL}, section->fields, value,
		                       s->faults)) {
			return;
		}
		right = *value;
		break;
	case SECTION_GROUP:
		if (!has_shape(s, section, value, map)) {
			return;
		}
		entries_group(&entries, value, &right);
		break;
	case SECTION_COLLECTION:
	case SECTION_RESOURCES:
		if (!has_shape(s, section, value, map || list)) {
			return;
		}
		entries_collection(&entries, value, &right);
		break;
	}
	value_put(s->arena, &s->layer->state, section->name, right);
	s->layer->state.entries[s->layer->state.count - 1].key_at = entry->key_at;
}

static void check_missing(struct sections *s, const struct value *root)
{
	struct pos start = {s->layer->file->name, 1, 1};

	/* By the root and not by the state: what stands there and is wrong was said already. */
	if (!value_entry(root, "version")) {
		fault_add(s->faults, start, "write version: 1 as the first line", "version is missing");
	}
	if (s->layer->place == IN_NODE && !value_entry(root, "nodes")) {
		fault_add(s->faults, start, "write nodes: [NAME]",
		          "nodes is missing: which nodes this file speaks of");
	}
}

void layer_check(struct arena *arena, const struct value *root, bool whole, struct faults *faults,
                 struct layer *layer)
{
	struct sections s = {arena, faults, layer};

	if (root->type != VALUE_MAP) {
		if (root->type == VALUE_NULL && !fault_is_spoilt(root)) {
			fault_add(faults, fault_top(root->at.file), NULL, "the file is empty, expected a map");
		} else if (!fault_is_spoilt(root) && whole) {
			fault_add(faults, root->at, "write version: 1 as the first line",
			          "expected a map of sections, found %s", value_type_name(root->type));
		}
		return;
	}
	for (size_t i = 0; i < root->count && !fault_is_full(faults); i++) {
		const struct section *section = section_find(root->entries[i].key);

		if (belongs(&s, section, &root->entries[i])) {
			check_section(&s, section, &root->entries[i]);
		}
	}
	if (whole) {
		check_missing(&s, root);
	}
	value_seal(&layer->state);
}
