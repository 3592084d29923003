// SPDX-License-Identifier: MIT
/* The section table is whole, and speaks of kinds as the kinds do. */
#include "model/section.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void section_table_is_whole(void **state)
{
	(void)state;
	assert_true(section_count > 0);
	for (size_t i = 0; i < section_count; i++) {
		const struct section *section = &section_table[i];

		assert_ptr_equal(section_find(section->name), section);
		assert_non_null(section->help);
		assert_true(section->places > 0 && section->places <= ANYWHERE);
		assert_true((section->shape == SECTION_COLLECTION) == (section->key_name != NULL));
		if (section->shape == SECTION_VALUE) {
			assert_int_equal(section->field_count, 1);
			assert_string_equal(section->fields[0].name, section->name);
		}
		if (section->shape == SECTION_GROUP) {
			assert_true(section->field_count > 0);
		}
	}
	assert_null(section_find("mount"));
}

static void section_rows_have_help_names_and_choices(void **state)
{
	(void)state;
	for (size_t i = 0; i < section_count; i++) {
		const struct section *section = &section_table[i];

		for (size_t f = 0; f < section->field_count; f++) {
			const struct field *field = &section->fields[f];

			assert_non_null(field->help);
			assert_ptr_equal(field_find(section->fields, section->field_count, field->name), field);
			assert_true((field->format == FORMAT_CHOICE) == (field->choices != NULL));
			assert_int_equal(field->offset, 0);
			assert_true(field->least <= field->most);
			assert_string_not_equal(field->name, "state");
		}
	}
}

static void section_speaks_of_a_kind_as_the_kind_does(void **state)
{
	static const struct {
		const char *section;
		enum kind_id kind;
	} pairs[] = {
	    {"mounts", KIND_MOUNT},
	    {"data_repositories", KIND_DATA_REPOSITORY},
	    {"packages", KIND_PACKAGE},
	    {"holds", KIND_HOLD},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		const struct section *section = section_find(pairs[i].section);
		const struct kind *kind = &kind_table[pairs[i].kind];

		assert_string_equal(section->key_name, kind->key_name);
		assert_int_equal(section->key_format, kind->key_format);
		for (size_t f = 0; f < section->field_count; f++) {
			const struct field *ours = &section->fields[f];
			const struct field *theirs = field_find(kind->fields, kind->field_count, ours->name);

			assert_non_null(theirs);
			assert_int_equal(ours->type, theirs->type);
			assert_int_equal(ours->format, theirs->format);
			assert_ptr_equal(ours->choices, theirs->choices);
			assert_int_equal(ours->flags, theirs->flags);
			assert_false(theirs->flags & FIELD_FACT);
		}
	}
}

static void section_of_the_engine_is_not_for_policies(void **state)
{
	static const char *const ours[] = {"version", "nodes",     "roles",
	                                   "mode",    "stale_max", "change_max",
	                                   "history", "accept",    "transaction_max"};
	static const char *const theirs[] = {
	    "kernel", "modules",   "mounts", "data_repositories", "packages",
	    "holds",  "resources", "reboot", "preflight",         "package_sources",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		assert_false(section_find(ours[i])->for_policies);
	}
	for (size_t i = 0; i < ARRAY_LEN(theirs); i++) {
		assert_true(section_find(theirs[i])->for_policies);
	}
	assert_int_equal(section_count, ARRAY_LEN(ours) + ARRAY_LEN(theirs));
	assert_int_equal(section_find("nodes")->places, IN_NODE);
	assert_int_equal(section_find("roles")->places, IN_NODE);
	assert_int_equal(section_find("mounts")->places, ANYWHERE);
}

static void section_version_is_exactly_1(void **state)
{
	const struct field *field = section_find("version")->fields;
	struct value one = value_int(1), two = value_int(2), text = value_string("1");
	struct err err;

	(void)state;
	assert_int_equal(field_check(field, &one, &err), 0);
	assert_int_equal(field_check(field, &two, &err), -ERR_INPUT);
	assert_string_equal(err.text, "version: expected the number 1, found the number 2");
	assert_int_equal(field_check(field, &text, &err), -ERR_INPUT);
	assert_string_equal(err.text, "version: expected the number 1, found \"1\"");
}

static void section_nearest_helps_with_a_slip(void **state)
{
	(void)state;
	assert_string_equal(section_nearest("mount"), "mounts");
	assert_string_equal(section_nearest("data_repository"), "data_repositories");
	assert_null(section_nearest("services_of_the_node"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(section_table_is_whole),
	    cmocka_unit_test(section_rows_have_help_names_and_choices),
	    cmocka_unit_test(section_speaks_of_a_kind_as_the_kind_does),
	    cmocka_unit_test(section_of_the_engine_is_not_for_policies),
	    cmocka_unit_test(section_version_is_exactly_1),
	    cmocka_unit_test(section_nearest_helps_with_a_slip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
