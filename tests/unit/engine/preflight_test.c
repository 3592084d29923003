// SPDX-License-Identifier: MIT
#include "node.h"

#include "engine/preflight.h"

static const char tree[] =
    "preflight: warn\n"
    "modules:\n"
    "  lustre: {package: \"lustre-client-modules-{kernel}\", filesystem: lustre}\n"
    "  beegfs: {dkms: beegfs}\n"
    "  gone: {state: absent}\n"
    "mounts:\n"
    "  /fsx: {source: \"10.0.0.1@tcp:/x\", type: lustre, manage: live}\n"
    "  /home: {source: \"srv:/home\", type: nfs, manage: observe}\n"
    "  /old: {state: absent}\n";

static struct preflight_wants of_tree(void)
{
	struct preflight_wants wants;

	node_wants(tree);
	assert_int_equal(node_load(), 0);
	preflight_wants_of(node.arena, &engine_desired(node.engine)->state, &wants);
	return wants;
}

static void what_is_wanted_survives_the_file(void **state)
{
	struct preflight_wants wants = of_tree(), back;
	struct err err;

	(void)state;
	assert_int_equal(
	    preflight_parse(preflight_text(node.arena, &wants), "p.json", node.arena, &back, &err), 0);
	assert_string_equal(back.mode, "warn");
	assert_int_equal(back.wants.count, 2);
	assert_int_equal(back.module_count, 2);
	assert_int_equal(back.mount_count, 2);
	assert_string_equal(preflight_package(node.arena, &back, "lustre", "6.8.0-1039-aws"),
	                    "lustre-client-modules-6.8.0-1039-aws");
	assert_null(preflight_package(node.arena, &back, "beegfs", "6.8.0-1039-aws"));
	for (size_t i = 0; i < back.module_count; i++) {
		assert_true(back.modules[i].built == (strcmp(back.modules[i].name, "beegfs") == 0));
	}
	assert_string_equal(preflight_text(node.arena, &back), preflight_text(node.arena, &wants));
}

static void a_damaged_file_is_refused_wherever_it_is_cut(void **state)
{
	struct preflight_wants wants = of_tree(), back;
	const char *text = preflight_text(node.arena, &wants);
	struct err err;

	(void)state;
	for (size_t n = 0; n + 2 < strlen(text); n += 7) {
		assert_int_equal(
		    preflight_parse(arena_strndup(node.arena, text, n), "p.json", node.arena, &back, &err),
		    -ERR_INPUT);
	}
	assert_int_equal(
	    preflight_parse("{\"reconcile_preflight\": 2}", "p.json", node.arena, &back, &err),
	    -ERR_INPUT);
	wants.mode = "reject"; /* no word of ours: to judge nothing for it has to be said */
	assert_int_equal(
	    preflight_parse(preflight_text(node.arena, &wants), "p.json", node.arena, &back, &err),
	    -ERR_INPUT);
	assert_non_null(strstr(err.text, "`reconcile apply` writes it anew"));
}

static void without_a_file_it_is_off(void **state)
{
	struct preflight_wants wants;
	struct err err;

	(void)state;
	assert_int_equal(preflight_read(node.options.state_dir, node.arena, &wants, &err), 0);
	assert_string_equal(wants.mode, "off");
}

static void keep(const char *hook)
{
	struct resource *want = resource_create(node.arena, &kind_table[KIND_FILE], hook);
	struct step step = {.id = "file", .want = want};
	struct plan plan = {.steps = &step, .step_count = 1};

	preflight_keep(node.engine, &plan);
}

static void it_is_kept_while_a_hook_is_wanted_and_touched_only_when_it_changes(void **state)
{
	const char *path = node_path("state/preflight.json");

	(void)state;
	SCRATCH_NEEDS_ROOT();
	of_tree();
	keep("/etc/motd");
	assert_int_not_equal(access(path, F_OK), 0);
	keep(PREFLIGHT_KERNEL_HOOK);
	uint64_t stamp = scratch_stamp(path);

	keep(PREFLIGHT_APT_HOOK);
	assert_true(scratch_stamp(path) == stamp);
	scratch_write(path, "{", 0600);
	keep(PREFLIGHT_KERNEL_HOOK);
	assert_has(scratch_read(path), "\"mode\": \"warn\"");
	keep("/etc/motd");
	assert_int_not_equal(access(path, F_OK), 0);
}

static void a_kernel_that_nobody_has_is_not_called_lost(void **state)
{
	struct next_boot *next;

	(void)state;
	node_wants("modules:\n  nosuch: {package: \"no-such-modules-{kernel}\"}\n");
	assert_int_equal(node_load(), 0);
	if (preflight_kernel(node.engine, "9.9.9-none", &next, &node.err)) {
		assert_has(node.err.text, "9.9.9-none: no such kernel is installed or published");
		return;
	}
	/* Where there is no apt to ask it cannot be told. */
	assert_string_equal(next->release, "9.9.9-none");
	assert_int_equal(next->loss_count, 1);
	assert_string_equal(next->losses[0].verdict, "unproven");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_is_wanted_survives_the_file, node_setup,
	                                    node_teardown),
	    cmocka_unit_test_setup_teardown(a_damaged_file_is_refused_wherever_it_is_cut, node_setup,
	                                    node_teardown),
	    cmocka_unit_test_setup_teardown(without_a_file_it_is_off, node_setup, node_teardown),
	    cmocka_unit_test_setup_teardown(
	        it_is_kept_while_a_hook_is_wanted_and_touched_only_when_it_changes, node_setup,
	        node_teardown),
	    cmocka_unit_test_setup_teardown(a_kernel_that_nobody_has_is_not_called_lost, node_setup,
	                                    node_teardown),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
