// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "provider/worker_inner.h"

#include <errno.h>
#include <string.h>

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	scratch_clear();
	return 0;
}

static void any_bytes_come_back_as_they_were(void **state)
{
	(void)state;
	char bytes[512];
	size_t n;

	for (size_t i = 0; i < sizeof bytes; i++) {
		bytes[i] = (char)i;
	}
	const char *packed = worker_pack(arena, bytes, sizeof bytes);

	assert_int_equal(text_utf8_until(packed, strlen(packed)), strlen(packed));
	const char *back = worker_unpack(arena, packed, &n);

	assert_int_equal(n, sizeof bytes);
	assert_memory_equal(back, bytes, sizeof bytes);
}

static void what_was_never_packed_is_refused(void **state)
{
	(void)state;
	size_t n;

	assert_null(worker_unpack(arena, "\xe2\x82\xac", &n));
	assert_null(worker_unpack(arena, "\xc3", &n));
	assert_null(worker_unpack(arena, "\xc4\x81", &n));
	assert_null(worker_unpack(arena, "\x80", &n));
}

static void an_error_travels_with_code_and_errno(void **state)
{
	(void)state;
	struct err sent, got = {0};

	err_set(&sent, ERR_BUSY, EBUSY, "cannot: \xff");
	struct value value = worker_error(arena, &sent);

	assert_int_equal(worker_error_of(&value, &got), -ERR_BUSY);
	assert_int_equal(got.os, EBUSY);
	assert_non_null(strstr(got.text, "\\xff"));
	value = value_map();
	assert_int_equal(worker_error_of(&value, &got), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(any_bytes_come_back_as_they_were),
	    TEST(what_was_never_packed_is_refused),
	    TEST(an_error_travels_with_code_and_errno),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
