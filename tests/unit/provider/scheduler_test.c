// SPDX-License-Identifier: MIT
// alone: it runs what others would count as jobs on this node, or as the controller of a cluster
#include "unit/provider/observing.h"

#include <sys/prctl.h>
#include <unistd.h>

/* A process of that name, for as long as the other end listens. */
static int pose(int fd, void *name)
{
	char byte = 'x';

	prctl(PR_SET_NAME, name);
	return write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 0 ? 0 : 1;
}

static struct child start(const char *name)
{
	struct child child;
	struct err err;
	char byte;

	assert_int_equal(child_fork(pose, (void *)name, NULL, &child, &err), 0);
	assert_int_equal(read(child.fd, &byte, 1), 1);
	return child;
}

static bool is_here(void)
{
	return fact(KIND_SCHEDULER, "")->state == STATE_PRESENT;
}

static void each_step_of_a_job_is_counted(void **state)
{
	(void)state;
	if (is_here()) {
		skip(); /* a node of a cluster */
	}
	struct child one = start("slurmstepd"), two = start("slurmstepd"), other = start("slurmstep");
	const struct resource *have = fact(KIND_SCHEDULER, "");

	assert_true(child_end(&one, 5000, NULL) && child_end(&two, 5000, NULL) &&
	            child_end(&other, 5000, NULL));
	assert_int_equal(have->state, STATE_PRESENT);
	assert_string_equal(have->scheduler.name, "slurm");
	assert_int_equal(have->scheduler.jobs.value, 2);
	assert_false(is_here());
}

static void the_daemon_alone_has_no_jobs(void **state)
{
	(void)state;
	if (is_here()) {
		skip();
	}
	struct child daemon = start("slurmd");
	const struct resource *have = fact(KIND_SCHEDULER, "");

	assert_true(child_end(&daemon, 5000, NULL));
	assert_int_equal(have->state, STATE_PRESENT);
	assert_true(have->scheduler.jobs.set);
	assert_int_equal(have->scheduler.jobs.value, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(each_step_of_a_job_is_counted),
	    TEST(the_daemon_alone_has_no_jobs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
