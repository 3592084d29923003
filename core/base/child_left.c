// SPDX-License-Identifier: MIT
/* What /proc tells of processes: whether one is still there, what it has started, and what of that
 * is left after it was killed. */
#include "base/child_inner.h"
#include "base/clock.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_MS = 5 };

/* Of /proc/PID/stat (proc(5)): fields 3 to 6, and 22. */
struct stat_line {
	pid_t pid, parent, group, session;
	uint64_t starttime;
	char state;
};

/* Field 2, the name, may hold spaces and parentheses itself; what counts is the last ')'. */
static bool read_stat(pid_t pid, struct stat_line *ret_line)
{
	char name[32], text[1024];

	snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
	AUTO(fd_auto) int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (n <= 0) {
		return false;
	}
	text[n] = '\0';
	const char *after = strrchr(text, ')');
	struct stat_line line = {.pid = pid};

	if (!after ||
	    sscanf(after,
	           ") %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
	           "%*d %" SCNu64,
	           &line.state, &line.parent, &line.group, &line.session, &line.starttime) != 5) {
		return false;
	}
	*ret_line = line;
	return true;
}

/* A zombie holds nothing and does nothing; in a container it may stay for ever. */
static bool is_there(const struct stat_line *line)
{
	return line->state != 'Z' && line->state != 'X';
}

uint64_t child_starttime(pid_t pid)
{
	struct stat_line line;

	return pid > 0 && read_stat(pid, &line) ? line.starttime : 0;
}

bool child_is_alive(pid_t pid, uint64_t starttime)
{
	struct stat_line line;

	return pid > 0 && read_stat(pid, &line) && line.starttime == starttime && is_there(&line);
}

/* ---- The family of a process ---- */

static bool is_member(const struct child_family *family, pid_t pid)
{
	for (size_t i = 0; i < family->count; i++) {
		if (family->list[i].pid == pid) {
			return true;
		}
	}
	return false;
}

static void add(struct child_family *family, const struct stat_line *line)
{
	if (family->count == family->cap) {
		family->cap = family->cap ? 2 * family->cap : 16;
		family->list = mem_realloc(family->list, family->cap * sizeof *family->list);
	}
	family->list[family->count++] = (struct child_process){line->pid, line->starttime};
}

/* Everything that runs, as far as we may see it, zombies as well: the group of one that has gone
 * ahead tells whose the others are. Freed with free(). */
static struct stat_line *read_all(size_t *ret_count)
{
	struct stat_line *all = NULL;
	size_t count = 0, cap = 0;
	DIR *proc = opendir("/proc");

	for (struct dirent *entry; proc && (entry = readdir(proc));) {
		struct stat_line line;

		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    !read_stat((pid_t)strtol(entry->d_name, NULL, 10), &line)) {
			continue;
		}
		if (count == cap) {
			cap = cap ? 2 * cap : 256;
			all = mem_realloc(all, cap * sizeof *all);
		}
		all[count++] = line;
	}
	if (proc) {
		closedir(proc);
	}
	*ret_count = count;
	return all;
}

void child_family_add(struct child_family *family, pid_t pid)
{
	struct stat_line head;
	size_t count, before;

	if (!read_stat(pid, &head)) {
		return;
	}
	AUTO(mem_auto) struct stat_line *all = read_all(&count);

	/* A child may have a lower number than its parent: again until nobody is found. */
	do {
		before = family->count;
		for (size_t i = 0; i < count; i++) {
			const struct stat_line *line = &all[i];
			bool is_kin = line->group == pid || line->parent == pid ||
			              is_member(family, line->parent) || is_member(family, line->group);

			if (is_kin && line->pid != pid && line->session == head.session &&
			    !is_member(family, line->pid)) {
				add(family, line);
			}
		}
	} while (family->count > before);
}

void child_family_kill(const struct child_family *family)
{
	for (size_t i = 0; i < family->count; i++) {
		const struct child_process *p = &family->list[i];
		/* Taken before the look, the descriptor stands for the process that was looked at. */
		AUTO(fd_auto) int pidfd = child_pidfd(p->pid);

		if (!child_is_alive(p->pid, p->starttime)) {
			continue;
		}
		if (pidfd >= 0) {
			syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0u);
		} else {
			kill(p->pid, SIGKILL);
		}
	}
}

void child_left_add(struct child_left *left, pid_t pid, uint64_t starttime)
{
	if (left->count < CHILD_LEFT_MOST) {
		left->list[left->count++] = (struct child_process){pid, starttime};
	}
}

void child_family_left(const struct child_family *family, int64_t deadline, struct child_left *left)
{
	for (;;) {
		struct child_left found = *left;

		for (size_t i = 0; i < family->count; i++) {
			const struct child_process *p = &family->list[i];

			if (child_is_alive(p->pid, p->starttime)) {
				child_left_add(&found, p->pid, p->starttime);
			}
		}
		if (found.count == left->count || !clock_left(deadline)) {
			*left = found;
			return;
		}
		poll(NULL, 0, LOOK_MS);
	}
}

void child_family_free(struct child_family *family)
{
	free(family->list);
	*family = (struct child_family){0};
}

/* ---- Orphans ---- */

void child_orphans(pid_t pid, uint64_t starttime, int64_t since, struct child_left *ret_left)
{
	/* In ticks of the same clock (proc(5)), rounded down as those are. */
	int64_t ticks = sysconf(_SC_CLK_TCK);
	uint64_t first = (uint64_t)(since / 1000 * ticks + since % 1000 * ticks / 1000);
	struct stat_line head;
	size_t count;

	*ret_left = (struct child_left){0};
	/* As long as anybody is in a session its number is given to nobody else. */
	if (pid <= 0 || (read_stat(pid, &head) && head.starttime != starttime)) {
		return;
	}
	AUTO(mem_auto) struct stat_line *all = read_all(&count);

	for (size_t i = 0; i < count; i++) {
		const struct stat_line *line = &all[i];

		if (line->session == pid && is_there(line) &&
		    (line->pid == pid || line->starttime >= first)) {
			child_left_add(ret_left, line->pid, line->starttime);
		}
	}
}

void child_orphans_end(struct child_left *left)
{
	struct child_family family = {.list = left->list, .count = left->count};
	struct child_left stuck = {0};

	child_family_kill(&family);
	for (int64_t deadline = clock_ms() + CHILD_KILL_MS;; poll(NULL, 0, LOOK_MS)) {
		stuck.count = 0;
		for (size_t i = 0; i < left->count; i++) {
			if (child_is_alive(left->list[i].pid, left->list[i].starttime)) {
				child_left_add(&stuck, left->list[i].pid, left->list[i].starttime);
			}
		}
		if (!stuck.count || !clock_left(deadline)) {
			break;
		}
	}
	*left = stuck;
}

/* ---- Children that were given up ---- */

/* They can only be reaped by us, and only one day: until then their numbers are theirs. */
static pid_t *given_up;
static size_t given_up_count, given_up_cap;

void child_give_up(pid_t pid)
{
	if (given_up_count == given_up_cap) {
		given_up_cap = given_up_cap ? 2 * given_up_cap : 8;
		given_up = mem_realloc(given_up, given_up_cap * sizeof *given_up);
	}
	given_up[given_up_count++] = pid;
}

void child_reap_given_up(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < given_up_count; i++) {
		if (waitpid(given_up[i], NULL, WNOHANG) == 0) {
			given_up[kept++] = given_up[i];
		}
	}
	given_up_count = kept;
}
