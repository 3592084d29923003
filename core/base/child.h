// SPDX-License-Identifier: MIT
/*
 * Child processes: the only place that forks. Two forms, and both start by closing every descriptor
 * they were not given, taking a process group of their own (child_fork: a session) and default
 * signals.
 *
 *  - child_fork: this program goes on in a child with a function of ours and one end of a socket
 *    (the worker, the policy sandbox). It may be abandoned: a child stuck in the kernel cannot be
 *    waited for.
 *  - child_run: a foreign program with an argv, a clean environment, no standard input and a
 *    deadline; of its output, head and tail are kept (64 KiB of each stream, see capture.h).
 *
 * No shell anywhere. waitpid is only ever called for our own pids, so libraries may fork beside us.
 */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include "base/str.h"

#include <stdint.h>
#include <sys/types.h>

struct child {
	pid_t pid; /* 0: none */
	int fd;    /* our end of the socket, or -1 */
	/* In clock ticks since boot (proc(5), field 22 of stat): with the pid it names one process. */
	uint64_t starttime;
};

struct child_limits {
	uint64_t memory;      /* RLIMIT_AS in bytes, 0 = none (ignored under AddressSanitizer) */
	unsigned cpu_seconds; /* RLIMIT_CPU, 0 = none */
	bool no_files; /* RLIMIT_NOFILE: it opens nothing more, and polls one descriptor at a time */
};

/* What a child of child_fork exits with that could not be set up (a limit, a descriptor), or for
 * which there was no more memory (mem_exhausted). */
enum { CHILD_UNBORN = 126, CHILD_STARVED = 125 };

/* Forks a child that runs function(fd, context) and _exits with what it returns; everything it had
 * in memory is its own copy. 0, 1 and 2 are /dev/null there (stderr stays under AddressSanitizer),
 * no core is dumped. `limits` may be NULL. On success *ret_child is ours: end it with child_end or
 * child_kill. The child dies with the thread that forked it (PR_SET_PDEATHSIG). ERR_HOST. */
int child_fork(int (*function)(int fd, void *context), void *context,
               const struct child_limits *limits, struct child *ret_child,
               struct err *err) MUST_CHECK;

/* Closes the socket, which tells a healthy child to end, gives it `grace_ms`, then kills its
 * process group and waits another 200 ms. Returns true when it is gone: pid is 0 then, and
 * *ret_status (if not NULL) its wait status, or -1 when somebody else reaped it. Returns false when
 * it is stuck in the kernel: pid and starttime stay for the caller to record, and child_kill may be
 * tried again later, until it is left to itself (child_abandon). */
bool child_end(struct child *child, int grace_ms, int *ret_status);
/* Kills the process group at once and waits at most 200 ms; otherwise as child_end. */
bool child_kill(struct child *child, int *ret_status);

/* A process; its number may be given to another one day, the start time not. */
struct child_process {
	pid_t pid;
	uint64_t starttime;
};

/* What could not be ended, or was to go on: the first few of them. */
enum { CHILD_LEFT_MOST = 8 };
struct child_left {
	struct child_process list[CHILD_LEFT_MOST];
	size_t count;
};

/* As child_end, for a child that starts programs: when it has to be killed, or was, so is all that
 * it has started, at any depth; what took a session of its own (a daemon, a package manager) goes
 * on. *ret_left says what is stuck in the kernel: first the child itself, if it is, then the
 * others, which nobody else would tell of. */
bool child_end_all(struct child *child, int grace_ms, int *ret_status, struct child_left *ret_left);
/* Gives up a child that child_end, child_kill or child_end_all could not end. When it ends after
 * all, the next child_fork or child_run reaps it. */
void child_abandon(struct child *child);

/* Who is left of a child of child_fork (pid, start time) whose parent has died: itself, and what of
 * its session was started at `since` (of clock_ms) or later. Nothing else tells any more whose
 * children they were. */
void child_orphans(pid_t pid, uint64_t starttime, int64_t since, struct child_left *ret_left);
/* Kills them and waits at most 200 ms; who is stuck in the kernel stays in *left. */
void child_orphans_end(struct child_left *left);

/* Is the process of that pid and start time still there, and no zombie? */
bool child_is_alive(pid_t pid, uint64_t starttime);
/* Start time of a process in clock ticks since boot, 0 when there is none. */
uint64_t child_starttime(pid_t pid);

struct child_command {
	/* Ends with NULL. argv[0] is a full path, or a name looked up in the PATH it will have. */
	const char *const *argv;
	/* "NAME=value", ends with NULL, may be NULL. Beside or instead of LC_ALL=C.UTF-8 and
	 * PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; nothing of our own is
	 * handed on. */
	const char *const *environment;
	int timeout_ms;        /* 0 = none */
	size_t output_most;    /* bytes of each stream that are kept whole, when that is to be more than
	                        * 64 KiB; not with keep_at_deadline. 0 = head and tail */
	bool keep_at_deadline; /* own session, no death signal, never killed: a package manager. At the
	                        * deadline, and when we die, it goes on; its output goes to a file in
	                        * memory, so that nobody has to be left to read it. */
};

struct child_result {
	bool timed_out; /* its deadline passed: killed, or going on */
	bool running;   /* still there when we stopped waiting: kept, or stuck in the kernel */
	bool signalled; /* ended by a signal; status is its number */
	int status;     /* exit status; -1 when it is not known (running, or reaped by somebody else) */
	pid_t pid;
	uint64_t starttime;  /* with pid for child_is_alive */
	struct str out, err; /* what it printed until then, any bytes; child_result_free */
};

/* Runs a program to its end or its deadline, in "/" with umask 022. At the deadline its process
 * group gets SIGTERM, 2 s later SIGKILL, 200 ms later it is given up. Output is awaited for 1 s
 * after its end: a daemon it left behind may hold the pipes for ever. An error only when it could
 * not be started at all (ERR_HOST with the errno of exec). The caller frees the result with
 * child_result_free. */
int child_run(const struct child_command *command, struct child_result *ret_result,
              struct err *err) MUST_CHECK;
void child_result_free(struct child_result *result);

/* What child_run has left running in this process since this was last asked: kept at its deadline,
 * or stuck in the kernel, itself or something it had started. */
void child_run_left(struct child_left *ret_left);

#endif
