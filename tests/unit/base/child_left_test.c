// SPDX-License-Identifier: MIT
/* What a child has started and what is left of it, once it had to be killed. */
#include "base/child.h"

#include "base/clock.h"
#include "hung.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { GRACE = 20000, MEMBERS = 4 }; /* ms, for what is sure to come */

static bool ends_soon(pid_t pid, uint64_t starttime)
{
	for (int64_t until = clock_ms() + GRACE; child_is_alive(pid, starttime); usleep(2000)) {
		if (clock_ms() > until) {
			return false;
		}
	}
	return true;
}

static _Noreturn void sleep_for_ever(void)
{
	for (;;) {
		pause();
	}
}

/* Tells by the socket who has been started: one of its own group, one with a group of its own, that
 * one's child, and one with a session of its own. */
static int start_some(int fd, void *context)
{
	pid_t pids[MEMBERS] = {0};
	int more[2];

	(void)context;
	if (pipe(more)) {
		return 1;
	}
	for (int i = 0; i < 3; i++) {
		pids[i] = fork();
		if (pids[i]) {
			continue;
		}
		if (i == 1) {
			setpgid(0, 0);
			pid_t pid = fork();

			if (!pid) {
				sleep_for_ever();
			}
			if (write(more[1], &pid, sizeof pid) != sizeof pid) {
				_exit(1);
			}
		} else if (i == 2) {
			setsid();
		}
		sleep_for_ever();
	}
	usleep(100000); /* who takes a session has it by now */
	if (read(more[0], &pids[3], sizeof pids[3]) != sizeof pids[3] ||
	    write(fd, pids, sizeof pids) != sizeof pids) {
		return 1;
	}
	sleep_for_ever();
}

static void what_a_child_has_started_goes_with_it_but_for_sessions(void **state)
{
	(void)state;
	struct child child;
	struct child_left left;
	struct err err;
	pid_t pids[MEMBERS];
	uint64_t starts[MEMBERS];

	assert_int_equal(child_fork(start_some, NULL, NULL, &child, &err), 0);
	assert_int_equal(recv(child.fd, pids, sizeof pids, MSG_WAITALL), sizeof pids);
	for (int i = 0; i < MEMBERS; i++) {
		starts[i] = child_starttime(pids[i]);
		assert_true(child_is_alive(pids[i], starts[i]));
	}
	assert_true(child_end_all(&child, 0, NULL, &left));
	bool session_lives = child_is_alive(pids[2], starts[2]);

	kill(pids[2], SIGKILL);
	assert_true(session_lives);
	assert_int_equal(left.count, 0);
	assert_true(ends_soon(pids[0], starts[0]));
	assert_true(ends_soon(pids[1], starts[1]));
	assert_true(ends_soon(pids[3], starts[3]));
}

static int start_one_and_die(int fd, void *context)
{
	pid_t pid = fork();

	(void)context;
	if (!pid) {
		sleep_for_ever();
	}
	if (write(fd, &pid, sizeof pid) != sizeof pid) {
		return 1;
	}
	raise(SIGKILL);
	return 0;
}

/* A library that aborts in the middle leaves its helper without a parent. */
static void orphan_of_a_child_that_died_is_found_by_its_group(void **state)
{
	(void)state;
	struct child child;
	struct child_left left;
	struct err err;
	pid_t pid;
	int status = 0;

	assert_int_equal(child_fork(start_one_and_die, NULL, NULL, &child, &err), 0);
	assert_int_equal(recv(child.fd, &pid, sizeof pid, MSG_WAITALL), sizeof pid);
	uint64_t started = child_starttime(pid);

	assert_true(child_end_all(&child, GRACE, &status, &left));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(left.count, 0);
	assert_true(ends_soon(pid, started));
}

/* Starts a sleeper, one in a process group of its own and one in a session of its own. */
static void start_three(int fd)
{
	pid_t pids[3];

	for (int i = 0; i < 3; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			if ((i == 1 && setpgid(0, 0)) || (i == 2 && setsid() < 0)) {
				_exit(1);
			}
			sleep_for_ever();
		}
	}
	if (write(fd, pids, sizeof pids) != sizeof pids) {
		_exit(1);
	}
}

/* One whose parent, which is to be killed, has forked it. */
static int start_three_and_wait(int fd, void *context)
{
	(void)context;
	start_three(fd);
	pause();
	return 0;
}

static int fork_such_a_one(int fd, void *context)
{
	struct child child;
	struct err err;
	pid_t pids[3];

	(void)context;
	if (child_fork(start_three_and_wait, NULL, NULL, &child, &err) ||
	    recv(child.fd, pids, sizeof pids, MSG_WAITALL) != sizeof pids ||
	    write(fd, pids, sizeof pids) != sizeof pids ||
	    write(fd, &child.pid, sizeof child.pid) != sizeof child.pid ||
	    write(fd, &child.starttime, sizeof child.starttime) != sizeof child.starttime) {
		return 1;
	}
	pause();
	return 0;
}

static void orphans_of_a_child_whose_parent_was_killed_are_found_and_ended(void **state)
{
	(void)state;
	int64_t before = clock_ms();
	struct child child;
	struct child_left left;
	struct err err;
	pid_t pids[3], worker;
	uint64_t started, starts[3];

	assert_int_equal(child_fork(fork_such_a_one, NULL, NULL, &child, &err), 0);
	assert_int_equal(recv(child.fd, pids, sizeof pids, MSG_WAITALL), sizeof pids);
	assert_int_equal(recv(child.fd, &worker, sizeof worker, MSG_WAITALL), sizeof worker);
	assert_int_equal(recv(child.fd, &started, sizeof started, MSG_WAITALL), sizeof started);
	for (int i = 0; i < 3; i++) {
		starts[i] = child_starttime(pids[i]);
	}
	while (getpgid(pids[1]) != pids[1] || getsid(pids[2]) != pids[2]) {
		usleep(1000);
	}
	assert_true(child_kill(&child, NULL));
	assert_true(ends_soon(worker, started));
	/* Nothing that was started before, and nobody when the number is another's by now. */
	child_orphans(worker, started, clock_ms() + 1000, &left);
	assert_int_equal(left.count, 0);
	child_orphans(getsid(0), child_starttime(getsid(0)) + 1, 0, &left);
	assert_int_equal(left.count, 0);
	child_orphans(worker, started, before, &left);
	assert_int_equal(left.count, 2);
	child_orphans_end(&left);
	assert_int_equal(left.count, 0);
	bool session_lives = child_is_alive(pids[2], starts[2]);

	kill(pids[2], SIGKILL);
	assert_true(session_lives);
	assert_true(ends_soon(pids[0], starts[0]));
	assert_true(ends_soon(pids[1], starts[1]));
}

static int end_at_once(int fd, void *context)
{
	char c;

	(void)context;
	return read(fd, &c, 1) == 0 ? 7 : 1;
}

static void child_that_ends_well_leaves_nothing(void **state)
{
	(void)state;
	struct child child;
	struct child_left left;
	struct err err;
	int status = 0;

	assert_int_equal(child_fork(end_at_once, NULL, NULL, &child, &err), 0);
	assert_true(child_end_all(&child, GRACE, &status, &left));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(left.count, 0);
	assert_int_equal(child.pid, 0);
	child_abandon(&child); /* of nothing: nothing happens */
}

/* As libmount does: a helper is started and waited for. */
static int wait_for_helper(int fd, void *context)
{
	AUTO(str_free) struct str path = {0};
	struct stat st;
	pid_t pid;

	str_addf(&path, "%s/name", (const char *)context);
	pid = fork();
	if (!pid) {
		_exit(stat(str_text(&path), &st) == 0 ? 0 : 1);
	}
	if (write(fd, &pid, sizeof pid) != sizeof pid) {
		return 1;
	}
	waitpid(pid, NULL, 0);
	return 0;
}

static void helper_stuck_in_the_kernel_is_told_of_when_its_parent_can_be_killed(void **state)
{
	(void)state;
	struct child_left left;
	struct child child;
	struct hung hung;
	struct err err;
	pid_t pid = 0;

	if (!hung_begin(&hung)) {
		skip();
	}
	bool started = !child_fork(wait_for_helper, hung.folder, NULL, &child, &err) &&
	               recv(child.fd, &pid, sizeof pid, MSG_WAITALL) == sizeof pid;
	uint64_t starttime = child_starttime(pid);

	usleep(200000); /* by now it waits for an answer */
	bool ended = child_end_all(&child, 0, NULL, &left);

	hung_end(&hung);
	assert_true(started);
	assert_true(ended);
	assert_int_equal(left.count, 1);
	assert_int_equal(left.list[0].pid, pid);
	assert_true(left.list[0].starttime == starttime);
	assert_true(ends_soon(pid, starttime));
}

static int look_into(int fd, void *context)
{
	AUTO(str_free) struct str path = {0};
	struct stat st;

	str_addf(&path, "%s/name", (const char *)context);
	return write(fd, "x", 1) == 1 && stat(str_text(&path), &st) == 0;
}

static bool is_zombie_of_ours(pid_t pid)
{
	siginfo_t info = {0};

	return !waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid == pid;
}

/* A program that runs for months would gather zombies. */
static void child_given_up_is_reaped_once_it_ends(void **state)
{
	(void)state;
	struct child child, next;
	struct child_left left;
	struct hung hung;
	struct err err;
	char c;

	if (!hung_begin(&hung)) {
		skip();
	}
	assert_int_equal(child_fork(look_into, hung.folder, NULL, &child, &err), 0);
	assert_int_equal(recv(child.fd, &c, 1, 0), 1);
	usleep(200000);
	pid_t pid = child.pid;
	bool ended = child_end_all(&child, 0, NULL, &left);

	child_abandon(&child);
	hung_end(&hung);
	assert_false(ended);
	assert_int_equal(left.list[0].pid, pid);
	assert_int_equal(child.pid, 0);
	assert_true(ends_soon(pid, left.list[0].starttime));
	assert_true(is_zombie_of_ours(pid));
	assert_int_equal(child_fork(end_at_once, NULL, NULL, &next, &err), 0);
	assert_false(is_zombie_of_ours(pid));
	assert_true(child_end(&next, GRACE, NULL));
}

static void program_that_was_kept_is_told_of_once(void **state)
{
	(void)state;
	const char *argv[] = {"sleep", "20", NULL};
	struct child_command command = {.argv = argv, .timeout_ms = 50, .keep_at_deadline = true};
	struct child_result result;
	struct child_left left, again;
	struct err err;

	assert_int_equal(child_run(&command, &result, &err), 0);
	child_run_left(&left);
	child_run_left(&again);
	kill(result.pid, SIGKILL);
	assert_true(result.running);
	assert_int_equal(left.count, 1);
	assert_int_equal(left.list[0].pid, result.pid);
	assert_int_equal(again.count, 0);
	child_result_free(&result);
}

/* The script can be killed, what it waits for cannot. */
static void what_a_program_had_started_is_told_of_when_it_is_stuck(void **state)
{
	(void)state;
	AUTO(str_free) struct str text = {0};
	struct child_left left;
	struct hung hung;
	struct err err;

	if (!hung_begin(&hung)) {
		skip();
	}
	str_addf(&text, "trap '' TERM; stat %s/name; true", hung.folder);
	const char *argv[] = {"sh", "-c", str_text(&text), NULL};
	struct child_command command = {.argv = argv, .timeout_ms = 300};
	struct child_result result;
	int r = child_run(&command, &result, &err);

	child_run_left(&left);
	hung_end(&hung);
	assert_int_equal(r, 0);
	assert_true(result.timed_out);
	assert_false(result.running);
	assert_int_equal(left.count, 1);
	assert_int_not_equal(left.list[0].pid, result.pid);
	assert_true(ends_soon(left.list[0].pid, left.list[0].starttime));
	child_result_free(&result);
}

static void program_that_was_killed_leaves_nothing(void **state)
{
	(void)state;
	const char *argv[] = {"sleep", "20", NULL};
	struct child_command command = {.argv = argv, .timeout_ms = 50};
	struct child_result result;
	struct child_left left;
	struct err err;

	assert_int_equal(child_run(&command, &result, &err), 0);
	child_run_left(&left);
	assert_true(result.timed_out);
	assert_int_equal(left.count, 0);
	child_result_free(&result);
}

/* The program was told to end and did, before its own parent has to be given up as well. */
static int run_and_hang(int fd, void *context)
{
	AUTO(str_free) struct str text = {0};
	struct child_result result;
	struct err err;

	str_addf(&text, "stat %s/name; true", (const char *)context);
	const char *argv[] = {"sh", "-c", str_text(&text), NULL};
	struct child_command command = {.argv = argv, .timeout_ms = 300};

	if (write(fd, "x", 1) != 1 || child_run(&command, &result, &err)) {
		return 1;
	}
	sleep_for_ever();
}

static void what_a_program_that_has_ended_left_stuck_is_found_by_its_group(void **state)
{
	(void)state;
	struct child_left left;
	struct child child;
	struct hung hung;
	struct err err;
	char c;

	if (!hung_begin(&hung)) {
		skip();
	}
	assert_int_equal(child_fork(run_and_hang, hung.folder, NULL, &child, &err), 0);
	assert_int_equal(recv(child.fd, &c, 1, 0), 1);
	usleep(1000000); /* told to end after 300 ms; the group is asked for 2 s more */
	bool ended = child_end_all(&child, 0, NULL, &left);

	hung_end(&hung);
	assert_true(ended);
	assert_int_equal(left.count, 1);
	assert_true(ends_soon(left.list[0].pid, left.list[0].starttime));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_a_child_has_started_goes_with_it_but_for_sessions),
	    cmocka_unit_test(orphan_of_a_child_that_died_is_found_by_its_group),
	    cmocka_unit_test(child_that_ends_well_leaves_nothing),
	    cmocka_unit_test(orphans_of_a_child_whose_parent_was_killed_are_found_and_ended),
	    cmocka_unit_test(helper_stuck_in_the_kernel_is_told_of_when_its_parent_can_be_killed),
	    cmocka_unit_test(child_given_up_is_reaped_once_it_ends),
	    cmocka_unit_test(program_that_was_kept_is_told_of_once),
	    cmocka_unit_test(what_a_program_had_started_is_told_of_when_it_is_stuck),
	    cmocka_unit_test(program_that_was_killed_leaves_nothing),
	    cmocka_unit_test(what_a_program_that_has_ended_left_stuck_is_found_by_its_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
