// SPDX-License-Identifier: MIT
/*
 * child_run of child.h: exec of a foreign program, its streams and its deadline. Nothing here waits
 * without a bound, unless the caller gave the command no deadline.
 */
#include "base/capture.h"
#include "base/child_inner.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	TERM_MS = 2000,  /* from SIGTERM to SIGKILL */
	DRAIN_MS = 1000, /* a daemon the command left behind may hold its pipes for ever */
};

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u /* memfd_create(2), since Linux 6.3 */
#endif

/* A stream of the command: a pipe that is read while it runs, or (keep_at_deadline) a file in
 * memory that is read once at the end. */
struct stream {
	int fd;
	struct capture kept;
};

struct run {
	pid_t pid;
	int pidfd;
	int exec_fd; /* an errno comes through here, or the end of file when exec went well */
	int exec_errno;
	bool files; /* the streams are files, not pipes */
	struct stream streams[2];
};

/* Reads once; what is left is there for the next turn, after the other stream and the clock. Closes
 * the descriptor at the end of the stream. */
static void drain(struct stream *s)
{
	char bytes[16 << 10];
	ssize_t n = s->fd < 0 ? -1 : read(s->fd, bytes, sizeof bytes);

	if (n > 0) {
		capture_add(&s->kept, bytes, (size_t)n);
	} else if (s->fd >= 0 && (n == 0 || (errno != EINTR && errno != EAGAIN))) {
		close(s->fd);
		s->fd = -1;
	}
}

static void hear_exec(struct run *run)
{
	int os = 0;
	ssize_t n = run->exec_fd < 0 ? -1 : read(run->exec_fd, &os, sizeof os);

	if (n >= 0) {
		run->exec_errno = n == (ssize_t)sizeof os ? os : 0;
		close(run->exec_fd);
		run->exec_fd = -1;
	}
}

/* Keeps both streams flowing until the child has ended or the deadline; with `to_end_of_file`,
 * until both streams are closed. Returns whether that came before the deadline. */
static bool pump(struct run *run, int64_t deadline, bool to_end_of_file)
{
	for (;;) {
		int left = child_nap(deadline, to_end_of_file || run->pidfd >= 0);
		struct pollfd p[] = {
		    {.fd = to_end_of_file ? -1 : run->pidfd, .events = POLLIN},
		    {.fd = run->exec_fd, .events = POLLIN},
		    {.fd = run->files ? -1 : run->streams[0].fd, .events = POLLIN},
		    {.fd = run->files ? -1 : run->streams[1].fd, .events = POLLIN},
		};

		if (to_end_of_file ? p[2].fd < 0 && p[3].fd < 0 : child_has_ended(run->pid)) {
			return true;
		}
		if (!left) {
			return false;
		}
		poll(p, ARRAY_LEN(p), left);
		hear_exec(run);
		if (!run->files) {
			drain(&run->streams[0]);
			drain(&run->streams[1]);
		}
	}
}

/* From a file the child writes to: with pread, because the two share one file position. */
static void read_file(struct stream *s)
{
	struct stat st;

	if (fstat(s->fd, &st)) {
		return;
	}
	for (off_t at = 0; at < st.st_size;) {
		char bytes[16 << 10];

		if (at >= CAPTURE_HALF && st.st_size - at > CAPTURE_HALF) {
			capture_skip(&s->kept, (uint64_t)(st.st_size - CAPTURE_HALF - at));
			at = st.st_size - CAPTURE_HALF;
		}
		ssize_t n = pread(s->fd, bytes, sizeof bytes, at);

		if (n <= 0) {
			return; /* shortened meanwhile */
		}
		capture_add(&s->kept, bytes, (size_t)n);
		at += n;
	}
}

/* Tries every folder of PATH, as execvp does, but never hands a script without #! to a shell. */
static int exec_in_path(const struct child_command *command, char *const *environment)
{
	const char *name = command->argv[0], *folder = environment[0] + strlen("PATH=");
	char *const *argv = (char *const *)command->argv; /* execve changes neither (POSIX, exec) */
	int os = ENOENT;

	if (strchr(name, '/')) {
		execve(name, argv, environment);
		return errno;
	}
	for (size_t n; *name && *folder; folder += n + (folder[n] == ':')) {
		char path[4096];

		n = strcspn(folder, ":");
		if ((size_t)snprintf(path, sizeof path, "%.*s/%s", (int)n, folder, name) >= sizeof path) {
			return ENAMETOOLONG;
		}
		execve(path, argv, environment);
		if (errno != ENOENT && errno != ENOTDIR) {
			os = errno;
		}
		if (os != ENOENT && os != EACCES) {
			return os;
		}
	}
	return os;
}

/* PATH always comes first. Freed with free(); the texts are borrowed. */
static char **clean_environment(const char *const *given)
{
	static const char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	size_t n = 0, count = 0;
	const char *locale = "LC_ALL=C.UTF-8";

	while (given && given[n]) {
		n++;
	}
	const char **environment = mem_alloc((n + 3) * sizeof *environment);

	environment[count++] = path;
	for (size_t i = 0; i < n; i++) {
		if (text_starts(given[i], "PATH=")) {
			environment[0] = given[i];
		} else if (text_starts(given[i], "LC_ALL=")) {
			locale = given[i];
		} else {
			environment[count++] = given[i];
		}
	}
	environment[count] = locale;
	return (char **)environment;
}

static _Noreturn void become(const struct child_command *command, struct child_birth *birth,
                             char *const *environment)
{
	/* The folder we stand in may be on a dead file system, and would be kept busy. */
	int os = child_be_born(birth) && !chdir("/") ? 0 : errno;

	if (!os) {
		umask(022);
		os = exec_in_path(command, environment);
	}
	if (write(birth->channel, &os, sizeof os) != (ssize_t)sizeof os) {
		abort(); /* cannot be: the pipe is empty. A signal is a failed command at least */
	}
	_exit(CHILD_UNBORN);
}

/* Both ends of what will be a stream of the command. */
static bool open_stream(bool file, int ends[2])
{
	if (!file) {
		return !pipe2(ends, O_CLOEXEC) && !fcntl(ends[0], F_SETFL, O_NONBLOCK);
	}
	/* Nobody may be left to read a pipe when the deadline has passed or we have died: the next word
	 * of the package manager would kill it. A file takes it all. */
	ends[1] = memfd_create("output", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	if (ends[1] < 0 && errno == EINVAL) {
		ends[1] = memfd_create("output", MFD_CLOEXEC);
	}
	ends[0] = ends[1] < 0 ? -1 : fcntl(ends[1], F_DUPFD_CLOEXEC, 0);
	return ends[0] >= 0;
}

/* The ends the command has now, and all of them if there is none. */
static void close_ends(int ends[3][2], bool all)
{
	for (int i = 0; i < 3; i++) {
		fd_auto(&ends[i][1]);
		if (all) {
			fd_auto(&ends[i][0]);
		}
	}
}

/* Starts the command; on success the run holds its pid and our ends of its streams. */
static int start(const struct child_command *command, int null, struct run *run, struct err *err)
{
	int ends[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
	AUTO(mem_auto) char **environment = clean_environment(command->environment);
	bool keep = command->keep_at_deadline;
	bool open =
	    open_stream(keep, ends[0]) && open_stream(keep, ends[1]) && open_stream(false, ends[2]);
	pid_t pid = -1;

	if (open) {
		struct child_birth birth = {
		    .parent = getpid(),
		    .session = keep,
		    .outlives = keep,
		    .streams = {null, ends[0][1], ends[1][1]},
		    .channel = ends[2][1],
		};

		child_reap_given_up();
		pid = child_fork_quietly();
		if (pid == 0) {
			become(command, &birth, environment);
		}
	}
	int os = errno;

	close_ends(ends, pid < 0);
	if (pid < 0) {
		return err_set(err, ERR_HOST, os, "cannot start %s", command->argv[0]);
	}
	if (!keep) {
		setpgid(pid, pid);
	}
	*run = (struct run){
	    .pid = pid,
	    .pidfd = child_pidfd(pid),
	    .exec_fd = ends[2][0],
	    .files = keep,
	    .streams = {{.fd = ends[0][0]}, {.fd = ends[1][0]}},
	};
	return 0;
}

/* Handed over by child_run_left. */
static struct child_left left;

void child_run_left(struct child_left *ret_left)
{
	*ret_left = left;
	left = (struct child_left){0};
}

/* At its deadline. Returns whether it ended. */
static bool put_an_end(struct run *run, uint64_t starttime)
{
	struct child_family family = {0};

	child_family_add(&family, run->pid);
	child_signal(run->pid, SIGTERM);
	pump(run, clock_ms() + TERM_MS, false);
	child_family_add(&family, run->pid); /* what of its group did not go with it */
	child_signal(run->pid, SIGKILL);
	child_family_kill(&family);
	int64_t deadline = clock_ms() + CHILD_KILL_MS;
	bool ended = pump(run, deadline, false);

	if (!ended) {
		child_left_add(&left, run->pid, starttime);
	}
	child_family_left(&family, deadline, &left);
	child_family_free(&family);
	return ended;
}

/* Waits for the end, and sees to it at the deadline unless the command may go on. */
static bool run_to_end(struct run *run, const struct child_command *command, uint64_t starttime,
                       bool *ret_timed_out)
{
	int64_t deadline = command->timeout_ms ? clock_ms() + command->timeout_ms : INT64_MAX;
	bool ended = pump(run, deadline, false);

	*ret_timed_out = !ended;
	if (!ended && command->keep_at_deadline) {
		child_left_add(&left, run->pid, starttime);
	} else if (!ended) {
		ended = put_an_end(run, starttime);
	}
	if (!ended) {
		child_give_up(run->pid);
	}
	if (run->files) {
		read_file(&run->streams[0]);
		read_file(&run->streams[1]);
	} else {
		pump(run, clock_ms() + (ended ? DRAIN_MS : 0), true);
	}
	hear_exec(run);
	return ended;
}

int child_run(const struct child_command *command, struct child_result *ret_result, struct err *err)
{
	AUTO(fd_auto) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct run run;

	if (null < 0) {
		return err_set(err, ERR_HOST, errno, "cannot open /dev/null");
	}
	if (start(command, null, &run, err)) {
		return -(int)err->code;
	}
	run.streams[0].kept.head_most = run.streams[1].kept.head_most = command->output_most;
	struct child_result result = {.pid = run.pid, .starttime = child_starttime(run.pid)};
	bool ended = run_to_end(&run, command, result.starttime, &result.timed_out);
	int status = ended ? child_reap(run.pid) : -1;

	result.running = !ended;
	result.signalled = WIFSIGNALED(status);
	result.status = result.signalled    ? WTERMSIG(status)
	                : WIFEXITED(status) ? WEXITSTATUS(status)
	                                    : -1;
	result.out = capture_text(&run.streams[0].kept);
	result.err = capture_text(&run.streams[1].kept);
	fd_auto(&run.pidfd);
	fd_auto(&run.exec_fd);
	fd_auto(&run.streams[0].fd);
	fd_auto(&run.streams[1].fd);
	if (run.exec_errno) {
		child_result_free(&result);
		return err_set(err, ERR_HOST, run.exec_errno, "cannot run %s", command->argv[0]);
	}
	*ret_result = result;
	return 0;
}

void child_result_free(struct child_result *result)
{
	str_free(&result->out);
	str_free(&result->err);
}
