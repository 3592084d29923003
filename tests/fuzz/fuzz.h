// SPDX-License-Identifier: MIT
/*
 * What the fuzz targets share. Each is fed bytes by libFuzzer, cuts them into texts with its own
 * arena, and aborts when something that is promised does not hold; the sanitizers find the rest.
 * An arena is freed by the run that made it.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "base/mem.h"

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

/* Called by libFuzzer. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLDS(condition)                                                            \
	do {                                                                            \
		if (!(condition)) {                                                         \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                \
		}                                                                           \
	} while (0)

/* One of several texts of an input, which are parted by NUL bytes (tests/fuzz/seeds writes them
 * so). NULL when there are no more. A text of its own in the arena: reading past its end shows. */
struct fuzz_rest {
	const uint8_t *data;
	size_t size;
};

static inline char *fuzz_text(struct arena *arena, struct fuzz_rest *rest)
{
	if (!rest->data) {
		return NULL;
	}
	const uint8_t *end = memchr(rest->data, 0, rest->size);
	size_t n = end ? (size_t)(end - rest->data) : rest->size;
	char *text = arena_strndup(arena, (const char *)rest->data, n);

	rest->size -= n + (end ? 1 : 0);
	rest->data = end ? end + 1 : NULL;
	return text;
}

/* A folder that is empty and ours alone, for what opens its files itself. Ends the target where
 * that cannot be had. */
static inline void fuzz_own(const char *folder)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNS) ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) ||
	    mount("fuzz", folder, "tmpfs", 0, "mode=0755")) {
		puts("skipped: needs root for a mount namespace");
		exit(0);
	}
}

static inline void fuzz_write(const char *path, const void *bytes, size_t n)
{
	AUTO(fd_auto) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	HOLDS(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
}

#endif
