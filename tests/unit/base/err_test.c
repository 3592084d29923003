// SPDX-License-Identifier: MIT
/* Errors as values: what they say, and what is cut when they say too much. */
#include "base/err.h"

#include "base/str.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void err_set_returns_the_negative_code(void **state)
{
	(void)state;
	struct err err;

	assert_int_equal(err_set(&err, ERR_STORE, 0, "no %s", "room"), -ERR_STORE);
	assert_int_equal(err.code, ERR_STORE);
	assert_int_equal(err.os, 0);
	assert_null(err.at.file);
	assert_string_equal(err.text, "no room");
}

static void err_set_says_what_the_errno_means(void **state)
{
	(void)state;
	struct err err;

	assert_int_equal(err_set(&err, ERR_HOST, ENOENT, "cannot open %s", "/x"), -ERR_HOST);
	assert_int_equal(err.os, ENOENT);
	assert_string_equal(err.text, "cannot open /x: No such file or directory");
	(void)err_set(&err, ERR_HOST, 99999, "odd");
	assert_string_equal(err.text, "odd: error 99999");
}

static void err_at_keeps_the_place(void **state)
{
	(void)state;
	struct err err;
	struct pos at = {"node.yaml", 14, 3};

	assert_int_equal(err_at(&err, ERR_INPUT, at, "unknown key"), -ERR_INPUT);
	assert_string_equal(err.at.file, "node.yaml");
	assert_int_equal(err.at.line, 14);
	assert_int_equal(err_wrap(&err, "mounts[%d]", 2), -ERR_INPUT);
	assert_int_equal(err.at.col, 3);
	assert_string_equal(err.text, "mounts[2]: unknown key");
}

/* A mount with a long source, told by the helper in many words, below a long target. */
static void what_is_wrapped_keeps_how_it_ends(void **state)
{
	(void)state;
	char words[400], target[300];
	struct err err;

	memset(words, 'w', sizeof words - 1);
	memset(target, 't', sizeof target - 1);
	words[sizeof words - 1] = target[sizeof target - 1] = '\0';
	(void)err_set(&err, ERR_HOST, ETIMEDOUT, "mount.lustre: %s", words);
	(void)err_wrap(&err, "mount:/%s", target);
	(void)err_wrap(&err, "%s", target);
	assert_true(text_starts(err.text, "ttt"));
	assert_true(text_ends(err.text, ": Connection timed out"));
	assert_non_null(strstr(err.text, "..."));
	assert_true(strlen(err.text) < sizeof err.text);
	/* never within a character */
	for (size_t i = 0; i + 2 < sizeof words; i += 2) {
		memcpy(words + i, "\xc3\xa4", 2);
	}
	(void)err_set(&err, ERR_HOST, ETIMEDOUT, "%s", words);
	(void)err_wrap(&err, "%s", target);
	assert_int_equal(text_utf8_until(err.text, strlen(err.text)), strlen(err.text));
}

static void err_copy_hands_everything_on(void **state)
{
	(void)state;
	struct err from, to;

	(void)err_set(&from, ERR_BUSY, EBUSY, "umount");
	assert_int_equal(err_copy(&to, &from), -ERR_BUSY);
	assert_int_equal(to.os, EBUSY);
	assert_string_equal(to.text, from.text);
}

static void err_may_be_told_with_its_own_text(void **state)
{
	(void)state;
	struct err err;

	(void)err_set(&err, ERR_HOST, 0, "inner");
	(void)err_set(&err, ERR_POLICY, 0, "outer (%s)", err.text);
	assert_string_equal(err.text, "outer (inner)");
	(void)err_wrap(&err, "%s", err.text);
	assert_string_equal(err.text, "outer (inner): outer (inner)");
}

static void repeat(char *text, const char *piece, size_t n)
{
	*text = '\0';
	while (n--) {
		text = stpcpy(text, piece);
	}
}

static void err_text_that_just_fits_is_not_cut(void **state)
{
	(void)state;
	struct err err;
	char name[sizeof err.text];

	memset(name, 'x', sizeof name);
	name[sizeof name - 1] = '\0';
	(void)err_set(&err, ERR_HOST, 0, "%s", name);
	assert_string_equal(err.text, name);
	name[sizeof name - 1 - strlen(": a")] = '\0';
	(void)err_set(&err, ERR_HOST, 0, "a");
	(void)err_wrap(&err, "%s", name);
	assert_int_equal(strlen(err.text), sizeof err.text - 1);
	assert_null(strstr(err.text, "..."));
}

static void err_of_a_long_name_still_says_why(void **state)
{
	(void)state;
	struct err err;
	char name[4096];

	repeat(name, "/abc", 1023);
	(void)err_set(&err, ERR_HOST, ENOSPC, "cannot write %s", name);
	assert_true(strlen(err.text) < sizeof err.text);
	assert_true(text_starts(err.text, "cannot write /abc"));
	assert_true(text_ends(err.text, "...: No space left on device"));
}

static void err_wrap_leaves_room_for_both(void **state)
{
	(void)state;
	struct err err;
	char name[4096];

	repeat(name, "/abc", 1023);
	(void)err_set(&err, ERR_HOST, EIO, "read");
	(void)err_wrap(&err, "file %s", name);
	assert_true(text_starts(err.text, "file /abc/abc"));
	assert_true(text_ends(err.text, "...: read: Input/output error"));

	(void)err_set(&err, ERR_HOST, 0, "because %s", name);
	(void)err_wrap(&err, "file %s", name);
	assert_true(text_starts(err.text, "file /abc/abc"));
	assert_non_null(strstr(err.text, "...: because /abc/abc"));
	assert_true(text_ends(err.text, "..."));
	assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void err_is_never_cut_within_a_character(void **state)
{
	(void)state;
	struct err err;
	char name[4096], pad[8];

	repeat(name, "ä€", 500);
	for (size_t shift = 0; shift < 5; shift++) {
		memset(pad, 'x', shift);
		pad[shift] = '\0';
		(void)err_set(&err, ERR_HOST, 0, "%s%s", pad, name);
		assert_int_equal(text_utf8_until(err.text, strlen(err.text)), strlen(err.text));
		assert_true(text_ends(err.text, "..."));
		(void)err_wrap(&err, "%s%s", pad, name);
		assert_int_equal(text_utf8_until(err.text, strlen(err.text)), strlen(err.text));
		assert_true(strlen(err.text) > sizeof err.text - 8);
	}
}

static void err_keeps_bytes_that_are_no_utf8(void **state)
{
	(void)state;
	struct err err;
	char name[4096];

	repeat(name, "\xff/", 1000);
	(void)err_set(&err, ERR_HOST, 0, "file %s", name);
	assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(err_set_returns_the_negative_code),
	    cmocka_unit_test(err_set_says_what_the_errno_means),
	    cmocka_unit_test(err_at_keeps_the_place),
	    cmocka_unit_test(what_is_wrapped_keeps_how_it_ends),
	    cmocka_unit_test(err_copy_hands_everything_on),
	    cmocka_unit_test(err_may_be_told_with_its_own_text),
	    cmocka_unit_test(err_text_that_just_fits_is_not_cut),
	    cmocka_unit_test(err_of_a_long_name_still_says_why),
	    cmocka_unit_test(err_wrap_leaves_room_for_both),
	    cmocka_unit_test(err_is_never_cut_within_a_character),
	    cmocka_unit_test(err_keeps_bytes_that_are_no_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
