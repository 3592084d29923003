// SPDX-License-Identifier: MIT
#include "node.h"

#include "base/child.h"
#include "engine/timer.h"

#include <poll.h>
#include <signal.h>
#include <time.h>

enum { HANG_MS = 20000 }; /* when a test has failed */

static void the_time_passes(void **state)
{
	(void)state;
	int64_t start = clock_ms();

	timer_start();
	assert_false(timer_wait(1, "n"));
	assert_true(clock_ms() - start >= 900);
}

/* Waits for an hour, in a child. */
static int wait_long(int fd, void *context)
{
	(void)context;
	timer_start();
	if (write(fd, "w", 1) != 1) {
		return 9;
	}
	return timer_wait(3600, "n") ? 1 : 0;
}

static struct child start(void)
{
	struct child child;
	struct err err;
	char ready;

	assert_int_equal(child_fork(wait_long, NULL, NULL, &child, &err), 0);
	assert_int_equal(read(child.fd, &ready, 1), 1);
	return child;
}

/* Does it end by itself, and with what? */
static int outcome_of(struct child *child)
{
	struct pollfd p = {.fd = child->fd, .events = POLLIN};
	int status = -1;

	assert_true(poll(&p, 1, HANG_MS) > 0);
	assert_true(child_end(child, HANG_MS, &status));
	return status;
}

static void a_stop_ends_the_wait(void **state)
{
	(void)state;
	struct child child = start();

	assert_int_equal(kill(child.pid, SIGTERM), 0);
	assert_int_equal(outcome_of(&child) >> 8, 1);
}

static void a_change_of_the_mount_table_ends_it_early(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct child child = start();
	struct timespec t = {.tv_nsec = 200000000};

	/* It says that it is ready just before it waits. */
	nanosleep(&t, NULL);
	scratch_mkdir(node_path("m"), 0755);
	assert_int_equal(mount("m", node_path("m"), "tmpfs", 0, NULL), 0);
	assert_int_equal(outcome_of(&child), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    node_test(the_time_passes),
	    node_test(a_stop_ends_the_wait),
	    node_test(a_change_of_the_mount_table_ends_it_early),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
