// SPDX-License-Identifier: MIT
/* What the program prints, caught: standard output and standard error as texts. */
#ifndef TEST_CAPTURE_H
#define TEST_CAPTURE_H

#include "unit/support/scratch.h"

#include "cli/cmd.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CAPTURE_MOST = 1 << 16 };

struct capture {
	FILE *files[2];
	int saved[2];
	char out[CAPTURE_MOST], err[CAPTURE_MOST];
};

static inline void capture_begin(struct capture *c)
{
	fflush(stdout);
	fflush(stderr);
	for (int i = 0; i < 2; i++) {
		c->files[i] = tmpfile();
		assert_non_null(c->files[i]);
		c->saved[i] = dup(i + 1);
		assert_true(dup2(fileno(c->files[i]), i + 1) == i + 1);
	}
}

static inline void capture_end(struct capture *c)
{
	char *texts[] = {c->out, c->err};

	fflush(stdout);
	fflush(stderr);
	for (int i = 0; i < 2; i++) {
		dup2(c->saved[i], i + 1);
		close(c->saved[i]);
		rewind(c->files[i]);
		size_t n = fread(texts[i], 1, CAPTURE_MOST - 1, c->files[i]);

		texts[i][n] = '\0';
		fclose(c->files[i]);
	}
}

/* Runs the statement with both caught. */
#define CAPTURED(c, statement) \
	do {                       \
		capture_begin(c);      \
		statement;             \
		capture_end(c);        \
	} while (0)

#define assert_has(text, part)                              \
	do {                                                    \
		if (!strstr((text), (part))) {                      \
			fail_msg("'%s' is not in: %s", (part), (text)); \
		}                                                   \
	} while (0)

#endif
