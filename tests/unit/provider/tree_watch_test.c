// SPDX-License-Identifier: MIT
// takes: 20
#include "unit/support/scratch.h"

#include "base/child.h"
#include "base/clock.h"
#include "provider/tree_watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HANG_MS = 20000, QUIET_MS = 300 };

static struct tree_watch *watch;

static int setup(void **state)
{
	(void)state;
	static const char *const folders[] = {"tree", "tree/state", "tree/state/nodes", "tree/policies",
	                                      "tree/policies/lib"};

	for (size_t i = 0; i < 5; i++) {
		scratch_mkdir(scratch_path(folders[i]), 0755);
	}
	scratch_write(scratch_path("tree/state/nodes/n.yaml"), "a\n", 0644);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_watch_free(watch);
	watch = NULL;
	scratch_clear();
	return 0;
}

static void start(int again_ms)
{
	static char tree[256];
	static char run[256];

	snprintf(tree, sizeof tree, "%s", scratch_path("tree"));
	snprintf(run, sizeof run, "%s", scratch_path("run"));
	const struct tree_watch_options options = {
	    .tree = tree, .run_dir = run, .again_ms = again_ms, .patience_ms = 5000};

	watch = tree_watch_create(&options);
	assert_null(tree_watch_trouble(watch));
	assert_true(tree_watch_fd(watch) >= 0);
}

/* Does it tell of a change within so long? */
static bool hears(int most_ms)
{
	int64_t until = clock_ms() + most_ms;

	while (clock_left(until)) {
		struct pollfd p = {.fd = tree_watch_fd(watch), .events = POLLIN};

		poll(&p, 1, clock_left(until) < 50 ? (int)clock_left(until) : 50);
		if (tree_watch_turn(watch)) {
			return true;
		}
	}
	return false;
}

/* What a change told of is over; then it is quiet. */
static void settle(void)
{
	while (hears(QUIET_MS)) {
	}
}

static void write_to(const char *name, const char *text)
{
	scratch_write(scratch_path(name), text, 0644);
}

static void a_file_that_is_written_changed_or_removed_is_told_of(void **state)
{
	(void)state;
	start(0);
	assert_false(hears(QUIET_MS));
	write_to("tree/state/nodes/n.yaml", "b\n");
	assert_true(hears(HANG_MS));
	settle();
	write_to("tree/policies/p.lua", "return {}\n");
	assert_true(hears(HANG_MS));
	settle();
	write_to("tree/policies/lib/l.lua", "return {}\n");
	assert_true(hears(HANG_MS));
	settle();
	assert_int_equal(chmod(scratch_path("tree/policies/p.lua"), 0666), 0);
	assert_true(hears(HANG_MS));
	settle();
	assert_int_equal(unlink(scratch_path("tree/policies/p.lua")), 0);
	assert_true(hears(HANG_MS));
}

static void an_editor_that_renames_is_told_of_and_its_own_files_are_not(void **state)
{
	(void)state;
	start(0);
	write_to("tree/state/nodes/.n.yaml.swp", "x");
	write_to("tree/state/nodes/n.yaml~", "x");
	write_to("tree/state/nodes/4913", "x");
	assert_false(hears(QUIET_MS));
	assert_int_equal(
	    rename(scratch_path("tree/state/nodes/4913"), scratch_path("tree/state/nodes/n.yaml")), 0);
	assert_true(hears(HANG_MS));
}

static void reading_is_no_change(void **state)
{
	(void)state;
	start(0);
	for (int i = 0; i < 10; i++) {
		assert_string_equal(scratch_read(scratch_path("tree/state/nodes/n.yaml")), "a\n");
	}
	assert_false(hears(QUIET_MS));
}

static void a_folder_that_comes_later_is_watched(void **state)
{
	(void)state;
	start(0);
	scratch_mkdir(scratch_path("tree/state/roles"), 0755);
	assert_true(hears(HANG_MS));
	settle();
	write_to("tree/state/roles/r.yaml", "x");
	assert_true(hears(HANG_MS));
}

static void folders_beside_the_tree_are_nothing_to_it(void **state)
{
	(void)state;
	start(0);
	settle();
	for (int i = 0; i < 20; i++) {
		scratch_mkdir(scratch_path("beside"), 0755);
		assert_int_equal(rmdir(scratch_path("beside")), 0);
	}
	struct pollfd p = {.fd = tree_watch_fd(watch), .events = POLLIN};

	/* Not even a word: it would be one for each. */
	assert_int_equal(poll(&p, 1, QUIET_MS), 0);
}

static void a_tree_that_vanished_and_came_back_is_seen_again(void **state)
{
	(void)state;
	start(0);
	assert_int_equal(rename(scratch_path("tree"), scratch_path("away")), 0);
	assert_true(hears(HANG_MS));
	settle();
	write_to("away/state/nodes/n.yaml", "elsewhere\n");
	assert_false(hears(QUIET_MS));
	assert_int_equal(rename(scratch_path("away"), scratch_path("tree")), 0);
	assert_true(hears(HANG_MS));
	settle();
	write_to("tree/state/nodes/n.yaml", "c\n");
	assert_true(hears(HANG_MS));
}

static void link_to(const char *target, const char *name)
{
	assert_int_equal(symlink(target, scratch_path(name)), 0);
}

static void exchange(const char *target, const char *name)
{
	char place[256];

	snprintf(place, sizeof place, "%s", scratch_path("exchange"));
	link_to(target, "exchange");
	assert_int_equal(rename(place, scratch_path(name)), 0);
}

static void a_file_that_a_link_leads_to_may_be_edited_or_exchanged(void **state)
{
	(void)state;
	scratch_mkdir(scratch_path("elsewhere"), 0755);
	write_to("elsewhere/m.yaml", "a\n");
	write_to("elsewhere/other", "a\n");
	link_to("../../../elsewhere/m.yaml", "tree/state/nodes/m.yaml");
	start(0);
	write_to("elsewhere/other", "b\n");
	assert_false(hears(QUIET_MS));
	write_to("elsewhere/m.yaml", "b\n");
	assert_true(hears(HANG_MS));
	settle();
	write_to("new", "c\n");
	char place[256];

	snprintf(place, sizeof place, "%s", scratch_path("new"));
	assert_int_equal(rename(place, scratch_path("elsewhere/m.yaml")), 0);
	assert_true(hears(HANG_MS));
}

static void a_link_in_the_middle_may_be_exchanged(void **state)
{
	(void)state;
	/* As a volume of a configuration map is: n.yaml -> ..data/n.yaml, ..data -> ..1 */
	scratch_mkdir(scratch_path("tree/state/nodes/..1"), 0755);
	scratch_mkdir(scratch_path("tree/state/nodes/..2"), 0755);
	write_to("tree/state/nodes/..1/m.yaml", "a\n");
	write_to("tree/state/nodes/..2/m.yaml", "b\n");
	link_to("..1", "tree/state/nodes/..data");
	link_to("..data/m.yaml", "tree/state/nodes/m.yaml");
	start(0);
	exchange("..2", "tree/state/nodes/..data");
	assert_true(hears(HANG_MS));
	settle();
	write_to("tree/state/nodes/..2/m.yaml", "c\n");
	assert_true(hears(HANG_MS));
}

static void a_link_above_the_tree_may_be_exchanged(void **state)
{
	static char tree[256], run[256];

	(void)state;
	snprintf(run, sizeof run, "%s", scratch_path("run"));
	scratch_mkdir(scratch_path("v1"), 0755);
	scratch_mkdir(scratch_path("v2"), 0755);
	link_to("../tree", "v1/tree");
	scratch_mkdir(scratch_path("v2/tree"), 0755);
	link_to("v1", "current");
	snprintf(tree, sizeof tree, "%s/tree", scratch_path("current"));
	const struct tree_watch_options options = {.tree = tree, .run_dir = run, .patience_ms = 5000};

	watch = tree_watch_create(&options);
	write_to("tree/state/nodes/n.yaml", "b\n");
	assert_true(hears(HANG_MS));
	settle();
	exchange("v2", "current");
	assert_true(hears(HANG_MS));
}

static void a_folder_of_the_tree_may_be_a_link(void **state)
{
	(void)state;
	scratch_mkdir(scratch_path("roles-1"), 0755);
	scratch_mkdir(scratch_path("roles-2"), 0755);
	link_to("../../roles-1", "tree/state/roles");
	start(0);
	write_to("roles-1/r.yaml", "a\n");
	assert_true(hears(HANG_MS));
	settle();
	exchange("../../roles-2", "tree/state/roles");
	assert_true(hears(HANG_MS));
	settle();
	write_to("roles-2/r.yaml", "a\n");
	assert_true(hears(HANG_MS));
}

static void links_in_a_circle_are_followed_to_no_end(void **state)
{
	(void)state;
	link_to("b.yaml", "tree/state/nodes/a.yaml");
	link_to("a.yaml", "tree/state/nodes/b.yaml");
	start(0);
	write_to("tree/state/nodes/n.yaml", "b\n");
	assert_true(hears(HANG_MS));
}

static void who_wakes_it_in_the_run_dir_is_heard(void **state)
{
	(void)state;
	start(0);
	write_to("run/other", "");
	assert_false(hears(QUIET_MS));
	write_to("run/wake", "");
	assert_true(hears(HANG_MS));
}

static void a_tree_that_is_a_link_may_be_exchanged(void **state)
{
	(void)state;
	assert_int_equal(rename(scratch_path("tree"), scratch_path("v1")), 0);
	scratch_mkdir(scratch_path("v2"), 0755);
	scratch_mkdir(scratch_path("v2/state"), 0755);
	assert_int_equal(symlink("v1", scratch_path("tree")), 0);
	start(0);
	assert_int_equal(symlink("v2", scratch_path("next")), 0);
	assert_int_equal(rename(scratch_path("next"), scratch_path("tree")), 0);
	assert_true(hears(HANG_MS));
	settle();
	write_to("v2/state/defaults.yaml", "x");
	assert_true(hears(HANG_MS));
}

static void a_mount_over_the_tree_is_found_when_told_to_look(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	start(0);
	assert_int_equal(mount("t", scratch_path("tree"), "tmpfs", 0, NULL), 0);
	tree_watch_look_again(watch);
	assert_true(hears(HANG_MS));
	settle();
	scratch_mkdir(scratch_path("tree/state"), 0755);
	assert_true(hears(HANG_MS));
	settle();
	write_to("tree/state/defaults.yaml", "x");
	assert_true(hears(HANG_MS));
}

static void a_path_below_the_current_folder_is_watched(void **state)
{
	(void)state;
	char here[4096];

	assert_non_null(getcwd(here, sizeof here));
	assert_int_equal(chdir(scratch_dir()), 0);
	const struct tree_watch_options options = {.tree = "tree"};

	watch = tree_watch_create(&options);
	assert_int_equal(chdir(here), 0);
	write_to("tree/state/nodes/n.yaml", "d\n");
	assert_true(hears(HANG_MS));
}

static void write_proc(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	/* What comes of it is looked at by the caller. */
	if (fd >= 0 && write(fd, text, strlen(text)) < 0) {
		perror(path);
	}
	close(fd);
}

/* In a user namespace of its own, in which there is no inotify to be had. */
static int watch_by_comparing(int fd, void *context)
{
	char word = 'q';

	(void)context;
	if (unshare(CLONE_NEWUSER)) {
		word = 's';
	} else {
		write_proc("/proc/self/setgroups", "deny");
		write_proc("/proc/self/uid_map", "0 0 1");
		write_proc("/proc/sys/user/max_inotify_instances", "0");
		if (inotify_init1(IN_CLOEXEC) >= 0) {
			return 1;
		}
		start(100);
		word = hears(QUIET_MS) ? 'n' : 'q';
		write_to("tree/state/nodes/n.yaml", "b, by another node\n");
		word = word == 'q' && hears(HANG_MS) ? 'y' : word;
		tree_watch_free(watch);
		watch = NULL;
	}
	return write(fd, &word, 1) == 1 ? 0 : 1;
}

static void where_inotify_does_not_help_names_sizes_and_times_are_compared(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct child child;
	struct err err;
	char word = '?';

	assert_int_equal(child_fork(watch_by_comparing, NULL, NULL, &child, &err), 0);
	assert_int_equal(read(child.fd, &word, 1), 1);
	assert_true(child_end(&child, HANG_MS, NULL));
	if (word == 's') {
		print_message("# skip: no user namespaces here\n");
		skip();
	}
	assert_int_equal(word, 'y');
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_file_that_is_written_changed_or_removed_is_told_of),
	    TEST(an_editor_that_renames_is_told_of_and_its_own_files_are_not),
	    TEST(reading_is_no_change),
	    TEST(a_folder_that_comes_later_is_watched),
	    TEST(folders_beside_the_tree_are_nothing_to_it),
	    TEST(a_tree_that_vanished_and_came_back_is_seen_again),
	    TEST(a_tree_that_is_a_link_may_be_exchanged),
	    TEST(a_file_that_a_link_leads_to_may_be_edited_or_exchanged),
	    TEST(a_link_in_the_middle_may_be_exchanged),
	    TEST(a_link_above_the_tree_may_be_exchanged),
	    TEST(a_folder_of_the_tree_may_be_a_link),
	    TEST(links_in_a_circle_are_followed_to_no_end),
	    TEST(who_wakes_it_in_the_run_dir_is_heard),
	    TEST(a_mount_over_the_tree_is_found_when_told_to_look),
	    TEST(a_path_below_the_current_folder_is_watched),
	    TEST(where_inotify_does_not_help_names_sizes_and_times_are_compared),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
