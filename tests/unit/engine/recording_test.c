// SPDX-License-Identifier: MIT
#include "engine/recording.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void a_live_mount_has_source_and_type(void **state)
{
	struct resource *mount = resource_create(arena, &kind_table[KIND_MOUNT], "/fsx");
	const struct resource *checked;

	(void)state;
	assert_ptr_equal(recording_checked(arena, mount), mount);
	mount->mount.live = (struct truth){.set = true, .value = true};
	mount->mount.source = "a";
	checked = recording_checked(arena, mount);
	assert_int_equal(checked->state, STATE_UNDETERMINED);
	assert_string_equal(checked->why, "the recorded facts do not say its type");
	assert_string_equal(checked->key, "/fsx");
	mount->mount.type = "nfs4";
	assert_ptr_equal(recording_checked(arena, mount), mount);
	/* Whatever it is called: the fields are what is believed. */
	mount->state = STATE_ABSENT;
	mount->mount.fstab = (struct truth){.set = true, .value = true};
	assert_int_equal(recording_checked(arena, mount)->state, STATE_UNDETERMINED);
}

static void what_is_absent_or_unknown_needs_nothing(void **state)
{
	struct resource *dkms = resource_create(arena, &kind_table[KIND_DKMS], "x@1");

	(void)state;
	assert_int_equal(recording_checked(arena, dkms)->state, STATE_UNDETERMINED);
	dkms->state = STATE_ABSENT;
	assert_ptr_equal(recording_checked(arena, dkms), dkms);
	dkms->state = STATE_UNDETERMINED;
	dkms->why = "so";
	assert_ptr_equal(recording_checked(arena, dkms), dkms);
}

static void what_every_node_has_is_not_absent(void **state)
{
	struct resource *reboot = resource_create(arena, &kind_table[KIND_REBOOT], "");

	(void)state;
	reboot->state = STATE_ABSENT;
	assert_int_equal(recording_checked(arena, reboot)->state, STATE_UNDETERMINED);
}

static void a_word_is_one_of_its_choices(void **state)
{
	struct resource *loadable = resource_create(arena, &kind_table[KIND_LOADABLE], "lustre@6.1");

	(void)state;
	loadable->loadable.verdict = "maybe";
	assert_int_equal(recording_checked(arena, loadable)->state, STATE_UNDETERMINED);
	loadable->loadable.verdict = "yes";
	assert_ptr_equal(recording_checked(arena, loadable), loadable);
}

static void a_verdict_has_a_reason_and_an_association_a_state(void **state)
{
	struct resource *loadable = resource_create(arena, &kind_table[KIND_LOADABLE], "lustre@6.1");
	struct resource *data = resource_create(arena, &kind_table[KIND_DATA_REPOSITORY], "/l/data");

	(void)state;
	assert_int_equal(recording_checked(arena, loadable)->state, STATE_UNDETERMINED);
	loadable->loadable.verdict = "yes";
	assert_ptr_equal(recording_checked(arena, loadable), loadable);
	loadable->loadable.verdict = "no";
	assert_string_equal(recording_checked(arena, loadable)->why,
	                    "the recorded facts do not say its reason");
	loadable->loadable.reason = "truncated";
	assert_ptr_equal(recording_checked(arena, loadable), loadable);
	assert_ptr_equal(recording_checked(arena, data), data);
	data->data_repository.association = "dra-1";
	assert_int_equal(recording_checked(arena, data)->state, STATE_UNDETERMINED);
	data->data_repository.lifecycle = "AVAILABLE";
	assert_ptr_equal(recording_checked(arena, data), data);
}

static void fields_of_the_rules_are_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		struct resource *fact = resource_create(arena, &kind_table[i], "x");

		assert_non_null(recording_checked(arena, fact));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_live_mount_has_source_and_type),
	    TEST(what_is_absent_or_unknown_needs_nothing),
	    TEST(what_every_node_has_is_not_absent),
	    TEST(a_word_is_one_of_its_choices),
	    TEST(a_verdict_has_a_reason_and_an_association_a_state),
	    TEST(fields_of_the_rules_are_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
