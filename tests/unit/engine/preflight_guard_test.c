// SPDX-License-Identifier: MIT
#include "node.h"

#include "engine/preflight_guard.h"

/* A /boot of our own whose newest kernel is the default; the tools of GRUB are used in
 * tests/behaviour/preflight.bats. */
static void boot_folder(void)
{
	assert_int_equal(mount("boot", "/boot", "tmpfs", 0, "mode=0755"), 0);
	assert_int_equal(mkdir("/boot/grub", 0755), 0);
	scratch_write("/boot/vmlinuz-9.9.9-new", "x", 0600);
	scratch_write("/boot/initrd.img-9.9.9-new", "x", 0600);
	scratch_write("/boot/grub/grub.cfg",
	              "set default=\"0\"\nmenuentry 'a' $menuentry_id_option 'a' {\n"
	              " linux /boot/vmlinuz-9.9.9-new\n initrd /boot/initrd.img-9.9.9-new\n}\n",
	              0600);
}

static struct preflight_guard guard(const char *mode, const char *release,
                                    const struct allowed_list *allowed)
{
	struct worker_options options = {.run_dir = node.options.run_dir};
	struct preflight_wants wants = {.mode = mode};
	struct worker *worker = worker_create(&options);
	const struct preflight_guard_case c = {&wants, allowed, release};
	struct preflight_guard result;
	struct err err;

	next_boot_wants_add(node.arena, &wants.wants, "no_such_module", "/fsx");
	if (preflight_guard(worker, &c, node.arena, &result, &err)) {
		fail_msg("%s", err.text);
	}
	worker_free(worker);
	return result;
}

static void a_kernel_that_does_not_boot_is_left_alone(void **state)
{
	const struct allowed_list none = {0};

	(void)state;
	SCRATCH_NEEDS_ROOT();
	boot_folder();
	assert_int_equal(guard("guard", "9.9.9-other", &none).what, GUARD_NOTHING);
	assert_int_equal(guard("off", "9.9.9-new", &none).what, GUARD_NOTHING);
	umount2("/boot", MNT_DETACH);
}

static void a_kernel_under_which_something_is_lost_is_named_when_no_other_is_better(void **state)
{
	const struct allowed_list none = {0};

	(void)state;
	SCRATCH_NEEDS_ROOT();
	boot_folder();
	struct preflight_guard g = guard("guard", "9.9.9-new", &none);

	assert_int_equal(g.what, GUARD_LOST);
	assert_has(g.sentence, "/fsx");
	assert_has(g.why, "no other kernel");
	umount2("/boot", MNT_DETACH);
}

static void an_override_lets_it_boot(void **state)
{
	static struct allowed one = {.release = "9.9.9-new", .reason = "why", .who = "root"};
	const struct allowed_list list = {.list = &one, .count = 1};

	(void)state;
	struct preflight_guard g = guard("guard", "9.9.9-new", &list);

	assert_int_equal(g.what, GUARD_ALLOWED);
	assert_string_equal(g.why, "root: why");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_kernel_that_does_not_boot_is_left_alone, node_setup,
	                                    node_teardown),
	    cmocka_unit_test_setup_teardown(
	        a_kernel_under_which_something_is_lost_is_named_when_no_other_is_better, node_setup,
	        node_teardown),
	    cmocka_unit_test_setup_teardown(an_override_lets_it_boot, node_setup, node_teardown),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
