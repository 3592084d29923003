// SPDX-License-Identifier: MIT
/*
 * scarce: a library to preload (ld.so(8), LD_PRELOAD) that makes memory or processes run out at a
 * chosen moment.
 *
 *	SCARCE_MALLOC=N		the N-th allocation fails, counted over the program and what it forks
 *	SCARCE_MALLOC=N+	that one and each after it, in the process that it happens in
 *	SCARCE_FORK=N, N+	the same of fork
 *
 * With N = 0 nothing fails. At the end of the program itself SCARCE_COUNT, a file, gets a line with
 * how many allocations and forks there were.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);

struct shortage {
	long at;       /* 0: never */
	bool for_good; /* from then on, in the process that it happens in */
	bool begun;
};

static struct shortage memory, processes;
/* One for all processes. */
static struct {
	atomic_long allocations, forks;
} * counts;
static pid_t program;
static const char *report;

static void read_wish(const char *name, struct shortage *shortage)
{
	const char *text = getenv(name);
	char *end = NULL;

	if (text) {
		shortage->at = strtol(text, &end, 10);
		shortage->for_good = *end == '+';
	}
}

__attribute__((constructor)) static void begin(void)
{
	void *page =
	    mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED) {
		_exit(127);
	}
	program = getpid();
	report = getenv("SCARCE_COUNT");
	read_wish("SCARCE_MALLOC", &memory);
	read_wish("SCARCE_FORK", &processes);
	counts = page;
}

__attribute__((destructor)) static void end(void)
{
	char line[64];
	int fd, n;

	if (!report || getpid() != program) {
		return;
	}
	n = snprintf(line, sizeof line, "%ld %ld\n", (long)counts->allocations, (long)counts->forks);
	fd = open(report, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, line, (size_t)n) != n) {
		_exit(127);
	}
	close(fd);
}

static bool fails(struct shortage *shortage, atomic_long *count)
{
	long nth = atomic_fetch_add(count, 1) + 1;

	if (shortage->begun || (shortage->at && nth == shortage->at)) {
		shortage->begun = shortage->for_good;
		return true;
	}
	return false;
}

static bool is_out_of_memory(void)
{
	if (counts && fails(&memory, &counts->allocations)) {
		errno = ENOMEM;
		return true;
	}
	return false;
}

void *malloc(size_t size)
{
	return is_out_of_memory() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return is_out_of_memory() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return is_out_of_memory() ? NULL : __libc_realloc(p, size);
}

pid_t fork(void)
{
	static pid_t (*real)(void);

	if (counts && fails(&processes, &counts->forks)) {
		errno = EAGAIN;
		return -1;
	}
	if (!real) {
		*(void **)&real = dlsym(RTLD_NEXT, "fork");
	}
	return real();
}
