// SPDX-License-Identifier: MIT
/* A mount that a service makes, where the test stands in for systemd. A real one is in
 * tests/behaviour/services.bats. */
#include "unit/provider/answering.h"

#include "provider/mount.h"

#include <sys/mount.h>

#define UNIT(active, job) \
	"LoadState=loaded\nUnitFileState=enabled\nActiveState=" active "\nJob=" job "\n"
#define TOLD "systemctl --no-ask-password --no-block --quiet "

static const char *path;

static void mount_it(void)
{
	assert_int_equal(mount("beegfs_nodev", path, "tmpfs", 0, NULL), 0);
}

/* Asks the service for its mount below the scratch folder. */
static int make(struct applied *ret_applied, struct err *err)
{
	const struct resource *want = converging_want(
	    arena, arena_printf(arena,
	                        "{\"kind\": \"mount\", \"target\": \"%s\", \"source\": "
	                        "\"beegfs_nodev\", \"type\": \"tmpfs\", \"service\": \"c.service\"}",
	                        path));

	*ret_applied = (struct applied){.outcome = OUTCOME_CHANGED};
	return mount_through_service(&answering_host, want, arena, ret_applied, err);
}

static struct applied made(void)
{
	struct applied applied;
	struct err err;

	if (make(&applied, &err)) {
		fail_msg("%s", err.text);
	}
	return applied;
}

static int mount_service_setup(void **state)
{
	answering_setup(state);
	path = arena_strdup(arena, scratch_path("beegfs"));
	scratch_mkdir(path, 0755);
	return 0;
}

static int mount_service_teardown(void **state)
{
	scratch_clear();
	return answering_teardown(state);
}

static void without_systemd_or_the_unit_nothing_is_started(void **state)
{
	struct applied applied;
	struct err err;

	(void)state;
	systemd_folder = FILE_NONE;
	assert_int_equal(make(&applied, &err), -ERR_HOST);
	assert_has(err.text, "systemd does not run here");
	systemd_folder = FILE_DIRECTORY;
	ANSWER({.words = "show", .out = "LoadState=not-found\nActiveState=inactive\n"});
	assert_int_equal(make(&applied, &err), -ERR_HOST);
	assert_has(err.text, "there is no such unit");
	assert_string_equal(asked_with(TOLD), "");
}

static void a_failed_service_is_forgiven_started_and_its_mount_awaited(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	ANSWER({.words = "show", .times = 1, .out = UNIT("failed", "")},
	       {.words = "show", .times = 1, .out = UNIT("inactive", "12")},
	       {.words = "show", .times = 1, .out = UNIT("activating", ""), .act = mount_it},
	       {.words = "show", .out = UNIT("activating", "")});
	assert_int_equal(made().outcome, OUTCOME_CHANGED);
	assert_string_equal(asked_with(TOLD),
	                    TOLD "reset-failed -- c.service\n" TOLD "start -- c.service\n");
}

/* Whatever systemd has to say besides. */
static void a_mount_that_is_there_is_what_counts(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	ANSWER({.words = "show", .out = UNIT("inactive", "")}, {.words = "start", .act = mount_it});
	assert_int_equal(made().outcome, OUTCOME_CHANGED);
	assert_string_equal(asked_with(TOLD), TOLD "start -- c.service\n");
}

static void a_service_that_runs_without_its_mount_is_not_restarted(void **state)
{
	(void)state;
	ANSWER({.words = "show", .out = UNIT("active", "")},
	       {.words = "journalctl", .out = "no management host\n"});
	struct applied applied = made();

	assert_int_equal(applied.outcome, OUTCOME_FAILED);
	assert_has(applied.why, "systemctl restart c.service");
	assert_string_equal(applied.detail, "no management host\n");
	assert_string_equal(asked_with(TOLD), "");
}

static void a_service_that_does_not_start_says_why(void **state)
{
	(void)state;
	ANSWER({.words = "show", .times = 1, .out = UNIT("inactive", "")},
	       {.words = "show", .out = UNIT("failed", "")},
	       {.words = "journalctl", .out = "no module\n"});
	struct applied applied = made();

	assert_int_equal(applied.outcome, OUTCOME_FAILED);
	assert_string_equal(applied.why, "c.service was started and is failed");
	assert_string_equal(applied.detail, "no module\n");
}

static void what_systemd_refuses_is_said_in_its_words(void **state)
{
	(void)state;
	ANSWER({.words = "show", .out = UNIT("inactive", "")},
	       {.words = "start", .status = 1, .err = "Unit c.service is masked.\n"});
	struct applied applied = made();

	assert_int_equal(applied.outcome, OUTCOME_FAILED);
	assert_string_equal(applied.why, "systemctl start failed: Unit c.service is masked.");
	ANSWER({.words = "show", .times = 1, .out = UNIT("inactive", "")},
	       {.words = "show", .timed_out = true});
	assert_string_equal(made().why, "systemd does not answer: systemctl show");
}

#undef TEST
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, mount_service_setup, mount_service_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(without_systemd_or_the_unit_nothing_is_started),
	    TEST(a_failed_service_is_forgiven_started_and_its_mount_awaited),
	    TEST(a_mount_that_is_there_is_what_counts),
	    TEST(a_service_that_runs_without_its_mount_is_not_restarted),
	    TEST(a_service_that_does_not_start_says_why),
	    TEST(what_systemd_refuses_is_said_in_its_words),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
