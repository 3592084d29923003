// SPDX-License-Identifier: MIT
/*
 * Errors are values: a code, the errno behind it, a position in a file the user wrote, and a
 * sentence.
 *
 * The caller owns the struct; it has a fixed size, so reporting an error can neither fail nor need
 * a free. A function that can fail returns 0 or the negative code, takes `struct err *` last, and
 * leaves the struct and its `ret_` parameters untouched on success and on failure respectively. An
 * error is set once, where it happens, and wrapped once per boundary (resource, file, policy).
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

/* What kind of trouble it is; decides the exit code and what the caller may do about it. */
enum err_code {
	ERR_INPUT = 1, /* what the operator wrote or typed is wrong */
	ERR_POLICY,    /* a policy failed: syntax, runtime, limit, garbage */
	ERR_HOST,      /* the machine refused; `os` says how */
	ERR_STORE,     /* the history refused */
	ERR_LIMIT,     /* a bound of ours was reached: time, size, depth */
	ERR_LOCKED,    /* another run holds the lock */
	ERR_BUSY,      /* in use: the same call may succeed later */
	ERR_GONE,      /* the process at the other end of a pipe died or hung up */
	ERR_BUG,       /* a promise inside the program was broken */
};

/* A place in a text the user can open. line and col count from 1; 0 = not known. The name is
 * borrowed from whoever loaded the text (an arena that lives as long as the run). */
struct pos {
	const char *file;
	unsigned line, col;
};

struct err {
	enum err_code code;
	int os; /* errno, or 0 */
	struct pos at;
	char text[512];
};

/* Sets *err and returns -code, so that failing reads `return err_set(err, ...)`. With `os`, the
 * text of that errno is appended after ": ". */
int err_set(struct err *err, enum err_code code, int os, const char *fmt, ...) PRINTF(4, 5);

/* As err_set, with a position. */
int err_at(struct err *err, enum err_code code, struct pos at, const char *fmt, ...) PRINTF(4, 5);

/* As err_at, for callers with arguments of their own. */
int err_vat(struct err *err, enum err_code code, struct pos at, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));

/* Puts "prefix: " before the text; code and position stay. Returns -code. Where both do not fit,
 * the prefix is cut to what the text leaves, but to no less than half of the room. */
int err_wrap(struct err *err, const char *fmt, ...) PRINTF(2, 3);

/* Moves *from into *to; returns -code. For handing an error on without wrapping it. */
int err_copy(struct err *to, const struct err *from);

#endif
