// SPDX-License-Identifier: MIT
#include "recorded.h"

static const struct doctor_mount *only_mount(const char *fact)
{
	struct doctor *d;

	if (doctor_look_at_mounts(recorded_engine(fact), NULL, &d, &node.err)) {
		fail_msg("%s", node.err.text);
	}
	return d->count == 1 ? &d->list[0] : NULL;
}

static void what_is_wanted_comes_from_fstab_units_and_live_storage(void **state)
{
	(void)state;
	assert_string_equal(only_mount(MOUNTED(""))->wanted_by, "fstab");
	assert_string_equal(
	    only_mount("{\"kind\": \"mount\", \"key\": \"/s\", \"state\": \"present\", \"live\": true, "
	               "\"source\": \"s:/x\", \"type\": \"nfs4\"}")
	        ->wanted_by,
	    "mounted");
	assert_string_equal(
	    only_mount("{\"kind\": \"mount\", \"key\": \"/s\", \"state\": \"present\", \"live\": "
	               "false, \"unit\": \"s.mount\", \"unit_source\": \"s:/x\", \"unit_type\": "
	               "\"nfs\"}")
	        ->wanted_by,
	    "unit s.mount");
}

static void what_nobody_lays_data_on_is_not_wanted(void **state)
{
	static const char *const facts[] = {
	    "\"type\": \"tmpfs\", \"live\": true",
	    "\"type\": \"proc\", \"live\": true",
	    "\"type\": \"fuse.lxcfs\", \"live\": true",
	    "\"type\": \"ext4\", \"live\": true",
	    "\"fstab\": true, \"fstab_type\": \"swap\", \"fstab_source\": \"x\"",
	    "\"fstab\": true, \"fstab_type\": \"proc\", \"fstab_source\": \"proc\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		if (only_mount(arena_printf(node.arena,
		                            "{\"kind\": \"mount\", \"key\": \"/x\", \"state\": "
		                            "\"present\", \"source\": \"x\", %s}",
		                            facts[i]))) {
			fail_msg("wanted: %s", facts[i]);
		}
	}
}

static void another_file_system_than_written_is_critical(void **state)
{
	(void)state;
	assert_int_equal(only_mount(MOUNTED(""))->health, DOCTOR_OK);
	const struct doctor_mount *m = only_mount(
	    "{\"kind\": \"mount\", \"key\": \"/lustre\", \"state\": \"present\", \"live\": true, "
	    "\"source\": \"10.1.30.23@tcp:/other\", \"type\": \"lustre\", " FSTAB_LUSTRE "}");

	assert_int_equal(m->standing, DOCTOR_MOUNTED);
	assert_int_equal(m->health, DOCTOR_CRITICAL);
	assert_has(m->why, "something else is mounted");
}

#define OVER(live_type, rest)                                                              \
	"{\"kind\": \"mount\", \"key\": \"/lustre\", \"state\": \"present\", \"live\": true, " \
	"\"source\": \"x\", \"type\": \"" live_type "\", \"fstab\": true, \"fstab_source\": "  \
	"\"10.1.30.23@tcp:/czrc3amv\", " rest "}"

static void what_is_mounted_over_a_line_does_not_hide_what_the_line_wants(void **state)
{
	static const char *const facts[] = {
	    OVER("tmpfs", "\"fstab_type\": \"lustre\""),
	    OVER("ext4", "\"fstab_type\": \"lustre\""),
	    OVER("nfs4", "\"fstab_type\": \"lustre\""),
	    OVER("tmpfs", "\"fstab_type\": \"nfs\""),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		const struct doctor_mount *m = only_mount(facts[i]);

		assert_int_equal(m->health, DOCTOR_CRITICAL);
		assert_true(m->replaced);
		assert_string_equal(m->module, i == 3 ? "nfs" : "lustre");
		assert_has(m->why, "something else is mounted");
		assert_has(m->why, m->type);
	}
	/* what leaves it open, and other names of the same */
	assert_int_equal(only_mount(OVER("tmpfs", "\"fstab_type\": \"auto\""))->health, DOCTOR_OK);
	assert_int_equal(only_mount(OVER("lustre", "\"fstab_type\": \"none\", \"fstab_options\": "
	                                           "[\"bind\"]"))
	                     ->health,
	                 DOCTOR_OK);
	assert_false(only_mount(OVER("nfs4", "\"fstab_type\": \"nfs\""))->replaced);
	assert_false(only_mount(OVER("fuse", "\"fstab_type\": \"davfs\""))->replaced);
}

static void a_recorded_look_that_found_no_end_is_hung(void **state)
{
	const struct doctor_mount *m =
	    only_mount(MOUNTED("") ",{\"kind\": \"space\", \"key\": \"/lustre\", \"state\": "
	                           "\"undetermined\", \"why\": \"no answer within 1 s\"}");

	(void)state;
	assert_int_equal(m->standing, DOCTOR_HUNG);
	assert_string_equal(m->why, "no answer within 1 s");
	assert_int_equal(only_mount(MOUNTED(""))->standing, DOCTOR_MOUNTED);
}

#define NOAUTO ", \"fstab_options\": [\"noauto\"]"

static void a_mount_on_request_is_blamed_on_its_module_also_where_mounts_alone_are_asked_for(
    void **state)
{
	(void)state;
	assert_int_equal(
	    only_mount(KERNEL("6.8.0-1042-aws", "6.8.0-1042-aws") "," NOT_NEW "," UNMOUNTED(NOAUTO))
	        ->health,
	    DOCTOR_CRITICAL);
	assert_int_equal(
	    only_mount(KERNEL("6.8.0-1039-aws", "6.8.0-1039-aws") "," LOADS_OLD "," UNMOUNTED(NOAUTO))
	        ->health,
	    DOCTOR_OK);
}

static void noauto_is_no_fault_and_a_missing_automount_is(void **state)
{
	(void)state;
	assert_int_equal(only_mount(UNMOUNTED(""))->health, DOCTOR_CRITICAL);
	assert_int_equal(only_mount(UNMOUNTED(", \"fstab_options\": [\"noauto\"]"))->health, DOCTOR_OK);
	const struct doctor_mount *m =
	    only_mount(UNMOUNTED(", \"fstab_options\": [\"noauto\", \"x-systemd.automount\"]"));

	assert_int_equal(m->health, DOCTOR_CRITICAL);
	assert_has(m->why, "none is armed");
}

static void an_error_is_broken_and_no_permission_is_not(void **state)
{
	(void)state;
#define SPACE(error) \
	MOUNTED("")      \
	",{\"kind\": \"space\", \"key\": \"/lustre\", \"state\": \"present\", \"error\": \"" error "\"}"
	assert_int_equal(only_mount(SPACE("Input/output error"))->standing, DOCTOR_BROKEN);
	assert_int_equal(only_mount(SPACE("Input/output error"))->health, DOCTOR_CRITICAL);
	assert_int_equal(only_mount(SPACE("Permission denied"))->standing, DOCTOR_MOUNTED);
}

static void only_what_is_named_is_looked_at(void **state)
{
	const char *const only[] = {"/b", NULL};
	struct doctor *d;

	(void)state;
	assert_int_equal(
	    doctor_look_at_mounts(
	        recorded_engine("{\"kind\": \"mount\", \"key\": \"/a\", \"state\": \"present\", "
	                        "\"live\": true, \"source\": \"s:/a\", \"type\": \"nfs\"},"
	                        "{\"kind\": \"mount\", \"key\": \"/b\", \"state\": \"present\", "
	                        "\"live\": true, \"source\": \"s:/b\", \"type\": \"nfs\"}"),
	        only, &d, &node.err),
	    0);
	assert_int_equal(d->count, 1);
	assert_string_equal(d->list[0].target, "/b");
}

static void one_that_nobody_knows_is_not_called_well(void **state)
{
	const char *const only[] = {"/fsx", "/lustre/", "/fsx", NULL};
	struct doctor *d;

	(void)state;
	assert_int_equal(doctor_look_at_mounts(recorded_engine(MOUNTED("")), only, &d, &node.err), 0);
	assert_int_equal(d->count, 2);
	assert_string_equal(d->list[0].target, "/fsx");
	assert_int_equal(d->list[0].standing, DOCTOR_UNTOLD);
	assert_has(d->list[0].why, "neither fstab nor a unit names it");
	assert_string_equal(d->list[1].target, "/lustre");
	assert_int_equal(d->list[1].health, DOCTOR_OK);
	assert_int_equal(d->health, DOCTOR_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(what_is_wanted_comes_from_fstab_units_and_live_storage),
	    node_test(what_nobody_lays_data_on_is_not_wanted),
	    node_test(another_file_system_than_written_is_critical),
	    node_test(what_is_mounted_over_a_line_does_not_hide_what_the_line_wants),
	    node_test(a_recorded_look_that_found_no_end_is_hung),
	    node_test(a_mount_on_request_is_blamed_on_its_module_also_where_mounts_alone_are_asked_for),
	    node_test(noauto_is_no_fault_and_a_missing_automount_is),
	    node_test(an_error_is_broken_and_no_permission_is_not),
	    node_test(only_what_is_named_is_looked_at),
	    node_test(one_that_nobody_knows_is_not_called_well),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
