// SPDX-License-Identifier: MIT
/* See child.h. The one fork, what a child does first, and waiting for it; exec is in child_run.c.
 */
#include "base/child_inner.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

/* An address sanitizer maps terabytes and reports on stderr; both must be left to it. */
#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

enum { LOOK_AGAIN_MS = 20 }; /* without pidfds */

static bool own_descriptors(struct child_birth *birth)
{
	int moved[4];

	/* First out of the way: any of them may lie in 0..3 when we were started with those closed. */
	for (int i = 0; i < 4; i++) {
		moved[i] = fcntl(i < CHILD_CHANNEL ? birth->streams[i] : birth->channel, F_DUPFD_CLOEXEC,
		                 CHILD_CHANNEL + 1);
		if (moved[i] < 0) {
			return false;
		}
	}
	for (int i = 0; i < 4; i++) {
		if (dup3(moved[i], i, i == CHILD_CHANNEL ? O_CLOEXEC : 0) < 0) {
			return false;
		}
	}
	/* Close-on-exec is not enough: a child that hangs before exec, or never does it, would keep our
	 * locks and the other children's sockets. closefrom falls back to /proc where close_range is
	 * missing. */
	closefrom(CHILD_CHANNEL + 1);
	birth->channel = CHILD_CHANNEL;
	return true;
}

bool child_be_born(struct child_birth *birth)
{
	struct sigaction fresh = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int i = 1; i < NSIG; i++) {
		sigaction(i, &fresh, NULL); /* refused for SIGKILL, SIGSTOP and libc's own two */
	}
	if (birth->session ? setsid() < 0 : setpgid(0, 0) != 0) {
		return false;
	}
	if (!birth->outlives) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL)) {
			return false;
		}
		/* The parent may have died before the signal was asked for: then nobody would send it. */
		if (getppid() != birth->parent) {
			_exit(CHILD_UNBORN);
		}
	}
	sigemptyset(&none);
	return own_descriptors(birth) && !sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool set_limit(__rlimit_resource_t what, rlim_t soft, rlim_t hard)
{
	struct rlimit now;

	if (getrlimit(what, &now)) {
		return false;
	}
	now.rlim_max = hard < now.rlim_max ? hard : now.rlim_max;
	now.rlim_cur = soft < now.rlim_max ? soft : now.rlim_max;
	return !setrlimit(what, &now);
}

static bool set_limits(const struct child_limits *limits)
{
	if (!set_limit(RLIMIT_CORE, 0, 0)) {
		return false;
	}
	if (!limits) {
		return true;
	}
	if (limits->cpu_seconds &&
	    !set_limit(RLIMIT_CPU, limits->cpu_seconds, limits->cpu_seconds + 1)) {
		return false;
	}
	/* Not 0: poll(2) refuses to watch more descriptors than the limit. With 1 the only number left
	 * to open is 0, which is taken. */
	/* Under valgrind the hard limit cannot be lowered. */
	if (limits->no_files && !set_limit(RLIMIT_NOFILE, 1, 1) &&
	    !set_limit(RLIMIT_NOFILE, 1, RLIM_INFINITY)) {
		return false;
	}
	return SANITIZED || !limits->memory || set_limit(RLIMIT_AS, limits->memory, limits->memory);
}

pid_t child_fork_quietly(void)
{
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();

	if (pid != 0) {
		int os = errno;

		sigprocmask(SIG_SETMASK, &before, NULL);
		errno = os;
	}
	return pid;
}

int child_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0u); /* close-on-exec by itself */
}

int child_nap(int64_t deadline, bool has_pidfd)
{
	int64_t left = clock_left(deadline);
	int64_t most = has_pidfd ? INT32_MAX : LOOK_AGAIN_MS;

	return (int)(left < most ? left : most);
}

/* ECHILD counts as ended: somebody else reaped it, or SIGCHLD is ignored. */
bool child_has_ended(pid_t pid)
{
	siginfo_t info = {0};

	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT)) {
		return errno == ECHILD;
	}
	return info.si_pid == pid;
}

static bool wait_until(pid_t pid, int64_t deadline)
{
	AUTO(fd_auto) int pidfd = child_pidfd(pid);

	while (!child_has_ended(pid)) {
		if (!clock_left(deadline)) {
			return false;
		}
		struct pollfd p = {.fd = pidfd, .events = POLLIN};

		poll(&p, 1, child_nap(deadline, pidfd >= 0));
	}
	return true;
}

int child_reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			return -1;
		}
	}
	return status;
}

void child_signal(pid_t pid, int number)
{
	if (kill(-pid, number)) {
		kill(pid, number);
	}
}

int child_fork(int (*function)(int fd, void *context), void *context,
               const struct child_limits *limits, struct child *ret_child, struct err *err)
{
	AUTO(fd_auto) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int pair[2];

	if (null < 0) {
		return err_set(err, ERR_HOST, errno, "cannot open /dev/null");
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		return err_set(err, ERR_HOST, errno, "cannot make a socket for a child process");
	}
	/* Not even stderr is handed on: a stuck child would keep a login session's pipe open. */
	bool loud = SANITIZED && fcntl(STDERR_FILENO, F_GETFD) >= 0;
	struct child_birth birth = {
	    .parent = getpid(),
	    .session = true,
	    .streams = {null, null, loud ? STDERR_FILENO : null},
	    .channel = pair[1],
	};
	child_reap_given_up();
	pid_t pid = child_fork_quietly();

	if (pid == 0) {
		if (!child_be_born(&birth) || !set_limits(limits)) {
			_exit(CHILD_UNBORN);
		}
		mem_exhausted_status(CHILD_STARVED);
		_exit(function(CHILD_CHANNEL, context));
	}
	int os = errno;

	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return err_set(err, ERR_HOST, os, "cannot start a child process");
	}
	*ret_child = (struct child){.pid = pid, .fd = pair[0], .starttime = child_starttime(pid)};
	return 0;
}

static void close_socket(struct child *child)
{
	fd_auto(&child->fd);
	child->fd = -1;
}

/* Of a child that has ended. */
static bool is_gone(struct child *child, int *ret_status)
{
	int status = child_reap(child->pid);

	child->pid = 0;
	if (ret_status) {
		*ret_status = status;
	}
	return true;
}

bool child_kill(struct child *child, int *ret_status)
{
	close_socket(child);
	if (!child->pid) {
		return true;
	}
	child_signal(child->pid, SIGKILL);
	return wait_until(child->pid, clock_ms() + CHILD_KILL_MS) && is_gone(child, ret_status);
}

bool child_end(struct child *child, int grace_ms, int *ret_status)
{
	close_socket(child);
	if (child->pid && wait_until(child->pid, clock_ms() + grace_ms)) {
		return is_gone(child, ret_status);
	}
	return child_kill(child, ret_status);
}

/* Ended of its own accord; otherwise it may have left something under way. */
static bool has_exited(pid_t pid)
{
	siginfo_t info = {0};

	return !waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid == pid &&
	       info.si_code == CLD_EXITED;
}

bool child_end_all(struct child *child, int grace_ms, int *ret_status, struct child_left *ret_left)
{
	struct child_family family = {0};

	*ret_left = (struct child_left){0};
	close_socket(child);
	if (!child->pid) {
		return true;
	}
	wait_until(child->pid, clock_ms() + grace_ms);
	if (has_exited(child->pid)) {
		return is_gone(child, ret_status);
	}
	/* Before it dies: afterwards nothing tells whose children they were. */
	child_family_add(&family, child->pid);
	child_signal(child->pid, SIGKILL);
	child_family_kill(&family);
	int64_t deadline = clock_ms() + CHILD_KILL_MS;
	bool ended = wait_until(child->pid, deadline);

	if (!ended) {
		child_left_add(ret_left, child->pid, child->starttime);
	}
	child_family_left(&family, deadline, ret_left);
	child_family_free(&family);
	return ended && is_gone(child, ret_status);
}

void child_abandon(struct child *child)
{
	close_socket(child);
	if (child->pid) {
		child_give_up(child->pid);
	}
	child->pid = 0;
}
