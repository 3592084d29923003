// SPDX-License-Identifier: MIT
// alone: it runs what others would count as jobs on this node, or as the controller of a cluster
#include "unit/provider/rebooting.h"

#include <sys/prctl.h>

static void a_node_that_others_need_is_left_to_the_scheduler(void **state)
{
	const char *why;

	(void)state;
	PREPARE();
	scratch_write("/etc/exports", "# none\n\n", 0644);
	assert_null(have(NOW)->fleet);
	scratch_write("/etc/exports", "# one\n/home *(rw)\n", 0644);
	assert_has(have(NOW)->fleet, "NFS");
	assert_int_equal(converge(NOW, &why), OUTCOME_BLOCKED);
	assert_has(why, "NFS");
	assert_string_equal(words(), "");
	assert_int_equal(converge(WANT("\"when\": \"now\", \"force\": true"), &why), OUTCOME_PENDING);
	assert_string_equal(words(), "systemctl reboot\n");
}

static void a_cluster_replaces_what_reboots_by_itself(void **state)
{
	(void)state;
	PREPARE();
	scratch_mkdir("/etc/parallelcluster", 0755);
	assert_has(have(NOW)->fleet, "ParallelCluster");
	rmdir("/etc/parallelcluster");
}

static int pose(int fd, void *name)
{
	char byte = 'x';

	prctl(PR_SET_NAME, name);
	return write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 0 ? 0 : 1;
}

static void start(const char *name, struct child *ret_child)
{
	struct err err;
	char byte;

	assert_int_equal(child_fork(pose, (void *)name, NULL, ret_child, &err), 0);
	assert_int_equal(read(ret_child->fd, &byte, 1), 1);
}

static void jobs_are_waited_for_and_a_controller_stays(void **state)
{
	struct child job, controller;
	const char *why;

	(void)state;
	PREPARE();
	start("slurmstepd", &job);
	assert_int_equal(converge(NOW, &why), OUTCOME_BLOCKED);
	assert_has(why, "no job runs");
	assert_true(child_end(&job, 5000, NULL));
	start("slurmctld", &controller);
	assert_int_equal(converge(NOW, &why), OUTCOME_BLOCKED);
	assert_has(why, "slurmctld");
	assert_true(child_end(&controller, 5000, NULL));
	assert_string_equal(words(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_node_that_others_need_is_left_to_the_scheduler),
	    TEST(a_cluster_replaces_what_reboots_by_itself),
	    TEST(jobs_are_waited_for_and_a_controller_stays),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
