// SPDX-License-Identifier: MIT
/*
 * What child.c (the one fork), child_run.c (exec) and child_left.c (/proc) share; nobody else
 * includes this.
 *
 * Whether a child has ended is always asked with waitid(WNOWAIT): a pidfd only wakes a poll up, and
 * where the kernel has none (before 5.3) the poll looks again every 20 ms.
 */
#ifndef BASE_CHILD_INNER_H
#define BASE_CHILD_INNER_H

#include "base/child.h"

enum {
	CHILD_KILL_MS = 200, /* from SIGKILL to giving up: more is a process stuck in the kernel */
	CHILD_CHANNEL = 3,   /* where a child finds its one descriptor beside 0, 1 and 2 */
};

struct child_birth {
	pid_t parent;
	bool session;   /* a session of its own, else a process group */
	bool outlives;  /* no death signal: it goes on when we die */
	int streams[3]; /* what becomes 0, 1 and 2 */
	int channel;    /* what becomes CHILD_CHANNEL, and says so from then on */
};

/* Forks with all signals blocked: no handler of ours runs in the child. Returns as fork(2). */
pid_t child_fork_quietly(void);
/* First thing in the child: group, death signal, default signals, descriptors, empty mask. False
 * with errno. */
bool child_be_born(struct child_birth *birth);

/* A descriptor that becomes readable when the process ends, or -1; the caller closes it. */
int child_pidfd(pid_t pid);
/* For how many milliseconds one poll may sleep so that it misses neither the deadline (of clock_ms)
 * nor an end that no pidfd tells of. */
int child_nap(int64_t deadline, bool has_pidfd);
/* Does not reap. */
bool child_has_ended(pid_t pid);
/* Of a child that has ended: its wait status, -1 when somebody else reaped it. */
int child_reap(pid_t pid);
/* Signals the process group. Only before the child is reaped: nobody else can have got its number
 * yet. */
void child_signal(pid_t pid, int number);

/* What descends from a process, or is of its process group, whoever its parent is by now; without
 * what took a session of its own, and that one's descendants. */
struct child_family {
	struct child_process *list;
	size_t count, cap;
};

/* Adds who belongs to it now; of a process that is at most a zombie, or nothing is known any more.
 */
void child_family_add(struct child_family *family, pid_t pid);
void child_family_kill(const struct child_family *family);
/* Waits until all of them are gone or the deadline (of clock_ms), and adds those who are not. */
void child_family_left(const struct child_family *family, int64_t deadline,
                       struct child_left *left);
void child_family_free(struct child_family *family);
void child_left_add(struct child_left *left, pid_t pid, uint64_t starttime);

/* A child that is not waited for any more, and the reaping of those that have ended since. */
void child_give_up(pid_t pid);
void child_reap_given_up(void);

#endif
