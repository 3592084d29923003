// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "cli/agent.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[256];

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "%s", scratch_path("run"));
	scratch_mkdir(folder, 0755);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_clear();
	return 0;
}

static void who_runs_is_told_with_its_next_pass_until_it_ends(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(agent_look(folder).pid, 0);
	agent_tell(folder, 1234);
	assert_int_equal(agent_look(folder).pid, getpid());
	assert_int_equal(agent_look(folder).next, 1234);
	assert_int_equal(stat(scratch_path("run/agent.json"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	agent_tell(folder, 0);
	assert_int_equal(agent_look(folder).pid, getpid());
	assert_int_equal(agent_look(folder).next, 0);
	agent_forget(folder);
	assert_int_equal(agent_look(folder).pid, 0);
	assert_int_not_equal(stat(scratch_path("run/agent.json"), &st), 0);
}

static void one_that_has_died_is_not_running(void **state)
{
	(void)state;
	pid_t pid = fork();

	if (!pid) {
		agent_tell(folder, 1234);
		pause();
		_exit(0);
	}
	while (!agent_look(folder).pid) {
		usleep(1000);
	}
	assert_int_equal(agent_look(folder).pid, pid);
	agent_forget(folder); /* it is not ours */
	assert_int_equal(agent_look(folder).pid, pid);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(agent_look(folder).pid, 0);
}

static void what_makes_no_sense_is_nobody(void **state)
{
	(void)state;
	for (const char *const *text = (const char *const[]){"", "{", "[]", "{\"pid\": -1}", NULL};
	     *text; text++) {
		scratch_write(scratch_path("run/agent.json"), *text, 0644);
		assert_int_equal(agent_look(folder).pid, 0);
	}
	agent_tell(scratch_path("none"), 1);
	assert_int_equal(agent_look(scratch_path("none")).pid, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(who_runs_is_told_with_its_next_pass_until_it_ends, setup,
	                                    teardown),
	    cmocka_unit_test_setup_teardown(one_that_has_died_is_not_running, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_makes_no_sense_is_nobody, setup, teardown),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
