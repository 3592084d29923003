// SPDX-License-Identifier: MIT
/* Children of our own: what they start with, what they may, and how they end. */
#include "base/child.h"

#include "base/clock.h"
#include "hung.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

enum { GRACE = 20000 }; /* ms, for what is sure to come */

static struct child start(int (*function)(int, void *), void *context,
                          const struct child_limits *limits)
{
	struct child child;
	struct err err = {0};

	if (child_fork(function, context, limits, &child, &err)) {
		fail_msg("%s", err.text);
	}
	return child;
}

/* The exit status of a function run in a child, or 1000 + the signal that ended it. */
static int outcome(int (*function)(int, void *), void *context, const struct child_limits *limits)
{
	struct child child = start(function, context, limits);
	int status = -1;

	assert_true(child_end(&child, GRACE, &status));
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static bool ends_soon(pid_t pid, uint64_t starttime)
{
	for (int64_t until = clock_ms() + GRACE; child_is_alive(pid, starttime); usleep(2000)) {
		if (clock_ms() > until) {
			return false;
		}
	}
	return true;
}

static int answer(int fd, void *context)
{
	char c;

	while (read(fd, &c, 1) == 1) {
		c = (char)(c + 1);
		if (write(fd, &c, 1) != 1) {
			return 1;
		}
	}
	return *(int *)context;
}

static void child_answers_at_the_other_end_of_its_socket(void **state)
{
	(void)state;
	int status = 42, got;
	char c = 'a';
	struct child child = start(answer, &status, NULL);

	assert_true(child.pid > 0);
	assert_int_equal(write(child.fd, &c, 1), 1);
	assert_int_equal(read(child.fd, &c, 1), 1);
	assert_int_equal(c, 'b');
	assert_int_equal(fcntl(child.fd, F_GETFD), FD_CLOEXEC);
	assert_true(child_end(&child, GRACE, &got));
	assert_int_equal(WEXITSTATUS(got), 42);
	assert_int_equal(child.pid, 0);
	assert_int_equal(child.fd, -1);
	assert_true(child_end(&child, GRACE, NULL));
	assert_true(child_kill(&child, NULL));
}

static int deaf(int fd, void *context)
{
	(void)context;
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (write(fd, "x", 1) != 1) {
		return 1;
	}
	for (;;) {
		pause();
	}
	return 0;
}

static void child_that_does_not_end_is_killed(void **state)
{
	(void)state;
	struct child child = start(deaf, NULL, NULL);
	int status;
	char c;

	assert_int_equal(read(child.fd, &c, 1), 1);
	assert_true(child_end(&child, 20, &status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	child = start(deaf, NULL, NULL);
	assert_true(child_kill(&child, &status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static int with_a_child(int fd, void *context)
{
	pid_t pid = fork();

	(void)context;
	if (pid && write(fd, &pid, sizeof pid) != (ssize_t)sizeof pid) {
		return 1;
	}
	for (;;) {
		pause();
	}
	return 0;
}

static void child_kill_takes_the_whole_group(void **state)
{
	(void)state;
	struct child child = start(with_a_child, NULL, NULL);
	pid_t grandchild;

	assert_int_equal(read(child.fd, &grandchild, sizeof grandchild), sizeof grandchild);
	uint64_t starttime = child_starttime(grandchild);

	assert_true(child_is_alive(grandchild, starttime));
	assert_true(child_kill(&child, NULL));
	assert_true(ends_soon(grandchild, starttime));
}

static int count_descriptors(int fd, void *context)
{
	int open = 0;

	(void)context;
	if (fd != 3 || fcntl(fd, F_GETFD) != FD_CLOEXEC) {
		return 100;
	}
	for (int i = 0; i < 4096; i++) {
		open += fcntl(i, F_GETFD) >= 0;
	}
	return open;
}

static void child_has_no_descriptor_but_its_own(void **state)
{
	(void)state;
	int more = open("/dev/null", O_RDONLY), high = fcntl(more, F_DUPFD, 900);

	assert_int_equal(outcome(count_descriptors, NULL, NULL), 4);
	close(more);
	close(high);
}

static int without_streams(int fd, void *context)
{
	(void)fd;
	(void)context;
	close(0);
	close(1);
	close(2);
	return outcome(count_descriptors, NULL, NULL);
}

static void child_can_be_had_without_standard_streams(void **state)
{
	(void)state;
	assert_int_equal(outcome(without_streams, NULL, NULL), 4);
}

static int look_at_streams(int fd, void *context)
{
	char c;

	(void)fd;
	(void)context;
	return read(0, &c, 1) == 0 && write(1, "x", 1) == 1 && (SANITIZED || write(2, "x", 1) == 1) ? 7
	                                                                                            : 1;
}

static void child_reads_and_writes_dev_null(void **state)
{
	(void)state;
	assert_int_equal(outcome(look_at_streams, NULL, NULL), 7);
}

static void on_signal(int number)
{
	(void)number;
}

static int look_at_signals(int fd, void *context)
{
	sigset_t mask;
	struct sigaction action;

	(void)fd;
	(void)context;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int i = 1; i < 32; i++) {
		if (sigismember(&mask, i) || sigaction(i, NULL, &action) || action.sa_handler != SIG_DFL) {
			return i;
		}
	}
	return getpgrp() == getpid() ? 77 : 78;
}

static void child_has_default_signals_and_a_group_of_its_own(void **state)
{
	(void)state;
	sigset_t some, before;

	sigemptyset(&some);
	sigaddset(&some, SIGTERM);
	sigaddset(&some, SIGCHLD);
	sigprocmask(SIG_BLOCK, &some, &before);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, on_signal);
	assert_int_equal(outcome(look_at_signals, NULL, NULL), 77);
	sigprocmask(SIG_BLOCK, NULL, &some);
	assert_true(sigismember(&some, SIGTERM));
	signal(SIGPIPE, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static int leave_a_child(int fd, void *context)
{
	struct child child = start(deaf, context, NULL);
	char c;

	/* Once it has spoken, our end of the socket cannot end it any more. */
	return read(child.fd, &c, 1) == 1 && write(fd, &child, sizeof child) == (ssize_t)sizeof child
	           ? 0
	           : 1;
}

static void child_dies_with_its_parent(void **state)
{
	(void)state;
	struct child parent = start(leave_a_child, NULL, NULL), child;

	assert_int_equal(read(parent.fd, &child, sizeof child), sizeof child);
	assert_true(child_end(&parent, GRACE, NULL));
	assert_true(ends_soon(child.pid, child.starttime));
}

static int try_to_open(int fd, void *context)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int ends[2];

	(void)context;
	if (open("/dev/null", O_RDONLY) >= 0 || errno != EMFILE || !pipe(ends) || dup(fd) >= 0 ||
	    socket(AF_INET, SOCK_STREAM, 0) >= 0) {
		return 1;
	}
	return poll(&p, 1, 0) == 1 ? 7 : 2;
}

static void child_without_files_opens_nothing_but_polls(void **state)
{
	(void)state;
	assert_int_equal(outcome(try_to_open, NULL, &(struct child_limits){.no_files = true}), 7);
}

static int burn(int fd, void *context)
{
	(void)fd;
	(void)context;
	for (volatile unsigned i = 0;; i = i + 1) {
	}
	return 0;
}

static void child_ends_with_its_cpu_time(void **state)
{
	(void)state;
	assert_int_equal(outcome(burn, NULL, &(struct child_limits){.cpu_seconds = 1}), 1000 + SIGXCPU);
}

static int take_memory(int fd, void *context)
{
	char *p = malloc(*(size_t *)context);

	(void)fd;
	if (!p) {
		return 5;
	}
	p[0] = 1;
	free(p);
	return 6;
}

static void child_gets_no_more_memory_than_allowed(void **state)
{
	(void)state;
	size_t much = 512 << 20, little = 1 << 20;
	struct child_limits limits = {.memory = 256 << 20};

	if (SANITIZED) {
		printf("# skip: the address sanitizer needs its terabytes\n");
		skip();
	}
	assert_int_equal(outcome(take_memory, &much, &limits), 5);
	assert_int_equal(outcome(take_memory, &little, &limits), 6);
	assert_int_equal(outcome(take_memory, &much, NULL), 6);
}

static int want_too_much(int fd, void *context)
{
	(void)fd;
	(void)context;
	mem_exhausted();
}

static void child_that_is_out_of_memory_is_known_by_its_status(void **state)
{
	(void)state;
	assert_int_equal(outcome(want_too_much, NULL, NULL), CHILD_STARVED);
}

static int look_at_core_limit(int fd, void *context)
{
	struct rlimit limit;

	(void)fd;
	(void)context;
	return !getrlimit(RLIMIT_CORE, &limit) && limit.rlim_cur == 0 && limit.rlim_max == 0 ? 7 : 1;
}

static void child_leaves_no_core(void **state)
{
	(void)state;
	assert_int_equal(outcome(look_at_core_limit, NULL, NULL), 7);
}

static void child_is_alive_knows_a_process_by_its_start(void **state)
{
	(void)state;
	pid_t pid = getpid();
	uint64_t starttime = child_starttime(pid);

	assert_true(starttime > 0);
	assert_true(child_is_alive(pid, starttime));
	assert_false(child_is_alive(pid, starttime + 1));
	assert_false(child_is_alive(0, 0));
	assert_false(child_is_alive(-1, starttime));
	assert_int_equal(child_starttime(0x7ffffff0), 0);
	assert_false(child_is_alive(0x7ffffff0, 0));
}

static void child_that_is_a_zombie_is_not_alive(void **state)
{
	(void)state;
	int status = 3;
	struct child child = start(answer, &status, NULL);

	assert_true(child_is_alive(child.pid, child.starttime));
	shutdown(child.fd, SHUT_WR);
	assert_true(ends_soon(child.pid, child.starttime));
	assert_int_equal(child_starttime(child.pid), child.starttime);
	assert_true(child_end(&child, GRACE, &status));
	assert_int_equal(WEXITSTATUS(status), 3);
}

static int with_an_odd_name(int fd, void *context)
{
	prctl(PR_SET_NAME, ") Z 1 (2) 3");
	return deaf(fd, context);
}

static void child_starttime_survives_an_odd_name(void **state)
{
	(void)state;
	struct child child = start(with_an_odd_name, NULL, NULL);
	char c;

	assert_int_equal(read(child.fd, &c, 1), 1);
	assert_int_equal(child_starttime(child.pid), child.starttime);
	assert_true(child_is_alive(child.pid, child.starttime));
	assert_true(child_kill(&child, NULL));
}

static void child_reaped_by_others_is_gone_all_the_same(void **state)
{
	(void)state;
	int status = 3;
	struct child child = start(answer, &status, NULL);

	shutdown(child.fd, SHUT_WR);
	assert_int_equal(waitpid(child.pid, NULL, 0), child.pid);
	assert_true(child_end(&child, GRACE, &status));
	assert_int_equal(status, -1);
	assert_false(WIFEXITED(status) || WIFSIGNALED(status));
}

static int look_into(int fd, void *context)
{
	AUTO(str_free) struct str path = {0};
	struct stat st;

	str_addf(&path, "%s/name", (const char *)context);
	if (write(fd, "x", 1) != 1) {
		return 1;
	}
	return stat(str_text(&path), &st) == 0 ? 0 : 2;
}

static void child_stuck_in_the_kernel_is_not_waited_for(void **state)
{
	(void)state;
	struct hung hung;
	char c;

	if (!hung_begin(&hung)) {
		skip();
	}
	struct child child = start(look_into, hung.folder, NULL);
	int64_t begun = clock_ms();

	assert_int_equal(read(child.fd, &c, 1), 1);
	bool ended = child_end(&child, 300, NULL), killed = child_kill(&child, NULL);
	int64_t spent = clock_ms() - begun;
	bool alive = child_is_alive(child.pid, child.starttime);

	hung_end(&hung);
	assert_false(ended);
	assert_false(killed);
	assert_true(alive);
	assert_true(spent < GRACE);
	assert_true(ends_soon(child.pid, child.starttime));
	assert_true(child_kill(&child, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(child_answers_at_the_other_end_of_its_socket),
	    cmocka_unit_test(child_that_does_not_end_is_killed),
	    cmocka_unit_test(child_kill_takes_the_whole_group),
	    cmocka_unit_test(child_has_no_descriptor_but_its_own),
	    cmocka_unit_test(child_can_be_had_without_standard_streams),
	    cmocka_unit_test(child_reads_and_writes_dev_null),
	    cmocka_unit_test(child_has_default_signals_and_a_group_of_its_own),
	    cmocka_unit_test(child_dies_with_its_parent),
	    cmocka_unit_test(child_without_files_opens_nothing_but_polls),
	    cmocka_unit_test(child_ends_with_its_cpu_time),
	    cmocka_unit_test(child_gets_no_more_memory_than_allowed),
	    cmocka_unit_test(child_that_is_out_of_memory_is_known_by_its_status),
	    cmocka_unit_test(child_leaves_no_core),
	    cmocka_unit_test(child_is_alive_knows_a_process_by_its_start),
	    cmocka_unit_test(child_that_is_a_zombie_is_not_alive),
	    cmocka_unit_test(child_starttime_survives_an_odd_name),
	    cmocka_unit_test(child_reaped_by_others_is_gone_all_the_same),
	    cmocka_unit_test(child_stuck_in_the_kernel_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
