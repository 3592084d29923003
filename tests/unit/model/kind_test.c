// SPDX-License-Identifier: MIT
/* The kind table has no holes, and each row can do what its flags say. */
#include "model/resource.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Words that a map of a resource uses itself, or that a policy adds to it. */
static const char *const reserved[] = {"kind", "key", "state", "why", NULL};
static const char *const added[] = {"reason", "after", "provides", NULL};

static void kind_table_has_no_holes(void **state)
{
	(void)state;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kind *kind = &kind_table[i];

		assert_non_null(kind->name);
		assert_int_equal(kind->id, i);
		assert_ptr_equal(kind_find(kind->name), kind);
		assert_non_null(kind->help);
		assert_true(kind->field_count > 0);
		assert_true((kind->traits & KIND_SINGLETON) ? !kind->key_name : kind->key_name != NULL);
	}
	assert_null(kind_find("mounts"));
	assert_null(kind_find(""));
}

static void kind_names_are_different(void **state)
{
	(void)state;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(kind_table[i].name, kind_table[k].name);
		}
	}
}

static void kind_rows_have_a_help_and_a_name_of_their_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kind *kind = &kind_table[i];

		for (size_t f = 0; f < kind->field_count; f++) {
			const struct field *field = &kind->fields[f];

			assert_non_null(field->help);
			assert_true(strlen(field->help) > 5);
			assert_ptr_equal(field_find(kind->fields, kind->field_count, field->name), field);
			assert_false(text_equal(kind->key_name, field->name));
			for (size_t k = 0; reserved[k]; k++) {
				assert_string_not_equal(field->name, reserved[k]);
			}
			/* No policy wants one that can only be observed. */
			for (size_t k = 0; added[k] && !(kind->traits & KIND_FACT_ONLY); k++) {
				assert_string_not_equal(field->name, added[k]);
			}
		}
	}
}

static void kind_rows_say_their_choices(void **state)
{
	(void)state;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kind *kind = &kind_table[i];

		assert_true((kind->key_format == FORMAT_CHOICE) == (kind->key_choices != NULL));
		for (size_t f = 0; f < kind->field_count; f++) {
			const struct field *field = &kind->fields[f];

			assert_true((field->format == FORMAT_CHOICE) == (field->choices != NULL));
		}
	}
}

static void kind_rows_lie_within_the_resource_and_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kind *kind = &kind_table[i];

		for (size_t f = 0; f < kind->field_count; f++) {
			assert_true(kind->fields[f].offset >= offsetof(struct resource, node));
			assert_true(kind->fields[f].offset < sizeof(struct resource));
			for (size_t k = 0; k < f; k++) {
				assert_true(kind->fields[f].offset != kind->fields[k].offset);
			}
		}
	}
}

/* A rule of comparison asks for a member of the right type; mount rules for a mount. */
static void kind_rows_are_compared_as_their_type_allows(void **state)
{
	(void)state;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kind *kind = &kind_table[i];

		for (size_t f = 0; f < kind->field_count; f++) {
			const struct field *field = &kind->fields[f];

			switch (field->match) {
			case MATCH_GLOB:
				assert_int_equal(field->type, FIELD_TEXT);
				break;
			case MATCH_SET:
			case MATCH_ITEMS:
			case MATCH_SETTINGS:
				assert_int_equal(field->type, FIELD_LIST);
				break;
			case MATCH_OPTIONS:
			case MATCH_FSTAB:
				assert_int_equal(field->type, FIELD_LIST);
				assert_int_equal(kind->id, KIND_MOUNT);
				break;
			case MATCH_SOURCE:
			case MATCH_TYPE:
				assert_int_equal(field->type, FIELD_TEXT);
				assert_int_equal(kind->id, KIND_MOUNT);
				break;
			case MATCH_EXACT:
			case MATCH_NEVER:
				break;
			}
		}
	}
}

static void kind_of_facts_only_has_nothing_to_want(void **state)
{
	(void)state;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct kind *kind = &kind_table[i];

		for (size_t f = 0; f < kind->field_count; f++) {
			if (kind->traits & KIND_FACT_ONLY) {
				assert_true(kind->fields[f].flags & FIELD_FACT);
			}
			if (kind->fields[f].flags & FIELD_REQUIRED) {
				assert_false(kind->fields[f].flags & FIELD_FACT);
			}
		}
	}
}

static void kind_nearest_helps_with_a_slip(void **state)
{
	(void)state;
	assert_string_equal(kind_nearest("muont"), "mount");
	assert_string_equal(kind_nearest("directroy"), "directory");
	assert_null(kind_nearest("xylophone"));
}

static void kind_key_field_checks_keys(void **state)
{
	static const struct {
		enum kind_id kind;
		const char *key;
		bool right;
	} cases[] = {
	    {KIND_MOUNT, "/fsx", true},
	    {KIND_MOUNT, "/", true},
	    {KIND_MOUNT, "fsx", false},
	    {KIND_MOUNT, "/fsx/", false},
	    {KIND_PACKAGE, "lustre-client-modules-6.8.0-1039-aws", true},
	    {KIND_PACKAGE, "lustre-client-modules-{kernel}", false},
	    {KIND_PACKAGE, "Lustre", false},
	    {KIND_PACKAGE_INDEX, "apt", true},
	    {KIND_PACKAGE_INDEX, "dnf", false},
	    {KIND_MODULE, "lustre", true},
	    {KIND_MODULE, "../lustre", false},
	    {KIND_SERVICE, "beegfs-client.service", true},
	    {KIND_SERVICE, "beegfs-client", false},
	    {KIND_COMMAND, "tune", true},
	    {KIND_COMMAND, "tune it", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct field field = kind_key_field(&kind_table[cases[i].kind]);
		struct value value = value_string(cases[i].key);
		struct err err;

		if ((field_check(&field, &value, &err) == 0) != cases[i].right) {
			fail_msg("%s:%s", kind_table[cases[i].kind].name, cases[i].key);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kind_table_has_no_holes),
	    cmocka_unit_test(kind_names_are_different),
	    cmocka_unit_test(kind_rows_have_a_help_and_a_name_of_their_own),
	    cmocka_unit_test(kind_rows_say_their_choices),
	    cmocka_unit_test(kind_rows_lie_within_the_resource_and_apart),
	    cmocka_unit_test(kind_rows_are_compared_as_their_type_allows),
	    cmocka_unit_test(kind_of_facts_only_has_nothing_to_want),
	    cmocka_unit_test(kind_nearest_helps_with_a_slip),
	    cmocka_unit_test(kind_key_field_checks_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
