// SPDX-License-Identifier: MIT
/*
 * A machine of its own for a test: a private mount namespace with a tmpfs as scratch folder and an
 * /etc that may be written. Group setup and teardown; what the tests leave behind dies with the
 * process.
 */
#ifndef SUPPORT_SCRATCH_H
#define SUPPORT_SCRATCH_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

/* For cmocka_run_group_tests. Without root the scratch folder is an ordinary one. */
int scratch_setup(void **state);
int scratch_teardown(void **state);
/* The folder, "/tmp/..."; and a path in it ("%s/a"), of which a few are kept at a time. */
const char *scratch_dir(void);
const char *scratch_path(const char *name);
/* Is there a namespace of our own? */
bool scratch_is_private(void);
/* First line of a test that needs it: skips with the reason. */
#define SCRATCH_NEEDS_ROOT()                                             \
	do {                                                                 \
		if (!scratch_is_private()) {                                     \
			print_message("# skip: needs root for a mount namespace\n"); \
			skip();                                                      \
		}                                                                \
	} while (0)

/* Small things that must work, or the test fails. */
void scratch_write(const char *path, const char *text, unsigned mode);
void scratch_mkdir(const char *path, unsigned mode);
/* The file's text, in a buffer that lives until the next call. */
const char *scratch_read(const char *path);
/* Inode and times of what lies there (not followed), for "nothing was touched". */
uint64_t scratch_stamp(const char *path);
/* Removes everything below the scratch folder, unmounting what is mounted there. */
void scratch_clear(void);

#endif
