// SPDX-License-Identifier: MIT
/* desired_identity_parse() of desired.h: the file that says who the node is. */
#include "desired/layer.h"
#include "desired/source.h"
#include "desired/yaml.h"

#include "base/str.h"

#include <string.h>

static const struct field rows[] = {
    {.name = "version", .type = FIELD_NUMBER, .least = 1, .most = 1, .help = "of this format"},
    {.name = "name", .type = FIELD_TEXT, .format = FORMAT_NAME, .help = "of the node"},
    {.name = "roles", .type = FIELD_LIST, .format = FORMAT_NAME, .help = "that the node has"},
};

static void check(const struct value *root, struct faults *faults)
{
	for (size_t i = 0; i < root->count; i++) {
		const struct value_entry *entry = &root->entries[i];
		const struct field *field = field_find(rows, ARRAY_LEN(rows), entry->key);

		if (field) {
			(void)layer_check_field((struct layer_place){field->name, NULL}, field, &entry->value,
			                        faults);
		} else {
			const char *nearest = field_nearest(rows, ARRAY_LEN(rows), entry->key);

			fault_add(faults, entry->key_at,
			          nearest ? fault_nearest(faults, nearest) : "expected name and roles",
			          "unknown key %s", fault_quote(faults, entry->key));
		}
	}
}

static void take_roles(struct arena *arena, const struct value *roles,
                       struct desired_identity *identity)
{
	const char **names = arena_array(arena, roles->count, sizeof *names);
	struct pos *at = arena_array(arena, roles->count, sizeof *at);

	for (size_t i = 0; i < roles->count; i++) {
		names[i] = roles->items[i].string;
		at[i] = roles->items[i].at;
	}
	identity->roles = names;
	identity->role_at = at;
	identity->role_count = roles->count;
}

int desired_identity_parse(struct arena *arena, const struct desired_file *file,
                           struct desired_identity *ret_identity, struct diags *diags)
{
	struct faults faults = {.diags = diags};
	struct desired_identity identity = {.source = file->name};
	bool whole = false;
	const struct value *root =
	    source_check(file, &faults) ? yaml_read(arena, file, &faults, &whole) : NULL;

	if (root && root->type == VALUE_MAP) {
		check(root, &faults);
		identity.name = value_text(root, "name");
		if (whole && !value_entry(root, "name")) {
			fault_add(&faults, root->at, "write name: NAME", "name is missing: of the node");
		}
	} else if (root && whole && !fault_is_spoilt(root)) {
		fault_add(&faults, root->at, "write name: NAME",
		          "expected a map with name and roles, found %s", value_type_name(root->type));
	}
	if (faults.count) {
		return -ERR_INPUT;
	}
	const struct value *roles = root ? value_get(root, "roles") : NULL;

	if (roles) {
		take_roles(arena, roles, &identity);
	}
	*ret_identity = identity;
	return 0;
}
