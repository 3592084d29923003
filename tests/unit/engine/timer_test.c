// SPDX-License-Identifier: MIT
#include "node.h"

#include "base/child.h"
#include "engine/timer.h"

#include <poll.h>
#include <signal.h>

enum { HANG_MS = 20000 }; /* when a test has failed */

static struct timer_options options(int64_t interval_ms)
{
	return (struct timer_options){
	    .interval_ms = interval_ms,
	    .node = "n",
	    .tree = node_path("tree"),
	    .run_dir = node_path("run"),
	};
}

static void the_time_passes(void **state)
{
	(void)state;
	const struct timer_options o = options(300);
	struct timer *timer = timer_create(&o);
	int64_t start = clock_ms();

	assert_int_equal(timer_wait(timer, 0), WAKE_TIME);
	assert_true(clock_ms() - start >= 300);
	timer_free(timer);
}

static void what_failed_is_due_before_the_interval_is_over(void **state)
{
	(void)state;
	const struct timer_options o = options(3600 * 1000);
	struct timer *timer = timer_create(&o);

	assert_int_equal(timer_wait(timer, clock_ms() + 50), WAKE_RETRY);
	timer_by(timer, clock_ms() + 50);
	assert_int_equal(timer_wait(timer, 0), WAKE_RETRY);
	timer_free(timer);
}

static void more_to_do_is_soon(void **state)
{
	(void)state;
	const struct timer_options o = options(3600 * 1000);
	struct timer *timer = timer_create(&o);

	timer_more(timer);
	assert_int_equal(timer_wait(timer, 0), WAKE_MORE);
	timer_free(timer);
}

static void note_tick(void *context)
{
	(*(int *)context)++;
}

static void it_ticks_while_it_waits(void **state)
{
	(void)state;
	int ticks = 0;
	struct timer_options o = options(400);

	o.tick = note_tick;
	o.context = &ticks;
	o.tick_ms = 50;
	struct timer *timer = timer_create(&o);

	assert_int_equal(timer_wait(timer, 0), WAKE_TIME);
	assert_true(ticks >= 3);
	timer_free(timer);
}

/* Waits for an hour, in a child, as often as is asked for; each time it says why it woke. */
static int wait_long(int fd, void *context)
{
	const struct timer_options o = options(3600 * 1000);
	struct timer *timer = timer_create(&o);
	char word = 'w';

	(void)context;
	while (write(fd, &word, 1) == 1 && word != 'A' + WAKE_STOP) {
		word = (char)('A' + timer_wait(timer, 0));
	}
	timer_free(timer);
	return 0;
}

static char hear(struct child *child)
{
	struct pollfd p = {.fd = child->fd, .events = POLLIN};
	char word = '?';

	assert_true(poll(&p, 1, HANG_MS) > 0);
	assert_int_equal(read(child->fd, &word, 1), 1);
	return word;
}

static struct child start(void)
{
	struct child child;
	struct err err;

	assert_int_equal(child_fork(wait_long, NULL, NULL, &child, &err), 0);
	assert_int_equal(hear(&child), 'w');
	return child;
}

static void stop(struct child *child)
{
	int status = -1;

	assert_int_equal(kill(child->pid, SIGTERM), 0);
	assert_int_equal(hear(child), 'A' + WAKE_STOP);
	assert_true(child_end(child, HANG_MS, &status));
	assert_int_equal(status, 0);
}

static void a_stop_ends_the_wait(void **state)
{
	(void)state;
	struct child child = start();

	stop(&child);
}

static void a_hang_up_ends_it_early(void **state)
{
	(void)state;
	struct child child = start();

	assert_int_equal(kill(child.pid, SIGHUP), 0);
	assert_int_equal(hear(&child), 'A' + WAKE_HANG_UP);
	stop(&child);
}

static void a_change_of_the_mount_table_ends_it_early(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct child child = start();

	scratch_mkdir(node_path("m"), 0755);
	assert_int_equal(mount("m", node_path("m"), "tmpfs", 0, NULL), 0);
	assert_int_equal(hear(&child), 'A' + WAKE_MOUNTS);
	assert_int_equal(umount(node_path("m")), 0);
	assert_int_equal(hear(&child), 'A' + WAKE_MOUNTS);
	stop(&child);
}

static void an_edit_of_the_tree_ends_it_early(void **state)
{
	(void)state;
	node_wants("mode: safe\n");
	struct child child = start();

	node_wants("mode: observe\n");
	assert_int_equal(hear(&child), 'A' + WAKE_TREE);
	stop(&child);
}

static void our_own_changes_of_the_mount_table_wake_nobody(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const struct timer_options o = options(700);
	struct timer *timer = timer_create(&o);

	scratch_mkdir(node_path("m"), 0755);
	assert_int_equal(mount("m", node_path("m"), "tmpfs", 0, NULL), 0);
	timer_settle(timer, false);
	assert_int_equal(timer_wait(timer, 0), WAKE_TIME);
	/* What others do after that does. */
	assert_int_equal(mount("m", node_path("m"), "tmpfs", 0, NULL), 0);
	timer_settle(timer, false);
	assert_int_equal(umount(node_path("m")), 0);
	assert_int_equal(timer_wait(timer, 0), WAKE_MOUNTS);
	timer_free(timer);
}

static void what_came_and_went_wakes_nobody(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const struct timer_options o = options(700);
	struct timer *timer = timer_create(&o);
	const char *m = node_path("m");

	scratch_mkdir(m, 0755);
	assert_int_equal(mount("m", m, "tmpfs", 0, NULL), 0);
	assert_int_equal(umount(m), 0);
	assert_int_equal(timer_wait(timer, 0), WAKE_TIME);
	timer_free(timer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(the_time_passes),
	    node_test(what_failed_is_due_before_the_interval_is_over),
	    node_test(more_to_do_is_soon),
	    node_test(it_ticks_while_it_waits),
	    node_test(a_stop_ends_the_wait),
	    node_test(a_hang_up_ends_it_early),
	    node_test(a_change_of_the_mount_table_ends_it_early),
	    node_test(an_edit_of_the_tree_ends_it_early),
	    node_test(our_own_changes_of_the_mount_table_wake_nobody),
	    node_test(what_came_and_went_wakes_nobody),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
