// SPDX-License-Identifier: MIT
/* The arena: zeroed, aligned, growing; and what frees itself. */
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void arena_gives_zeroed_aligned_memory_of_its_own(void **state)
{
	(void)state;
	AUTO(arena_auto) struct arena *arena = arena_create();
	static const size_t sizes[] = {1, 0, 7, 16, 100, 3000, 5000, 70000, 1, 4096, 3 << 20, 33};
	char *taken[300];

	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		size_t n = sizes[i % ARRAY_LEN(sizes)];

		taken[i] = arena_alloc(arena, n);
		assert_non_null(taken[i]);
		assert_int_equal((uintptr_t)taken[i] % alignof(max_align_t), 0);
		for (size_t k = 0; k < n; k += n / 64 + 1) {
			assert_int_equal(taken[i][k], 0);
		}
		memset(taken[i], (int)(i % 255 + 1), n);
	}
	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		size_t n = sizes[i % ARRAY_LEN(sizes)];

		if (n) {
			assert_int_equal((unsigned char)taken[i][0], i % 255 + 1);
			assert_int_equal((unsigned char)taken[i][n - 1], i % 255 + 1);
		}
	}
}

static void arena_free_of_nothing_does_nothing(void **state)
{
	(void)state;
	arena_free(NULL);
}

static void arena_copies_texts(void **state)
{
	(void)state;
	AUTO(arena_auto) struct arena *arena = arena_create();
	char text[] = "reconcile";
	char *copy = arena_strdup(arena, text), *part = arena_strndup(arena, text, 3);

	text[0] = '?';
	assert_string_equal(copy, "reconcile");
	assert_string_equal(part, "rec");
	assert_string_equal(arena_strndup(arena, NULL, 0), "");
	assert_memory_equal(arena_strndup(arena, "a\0b", 3), "a\0b", 4);
	assert_string_equal(arena_printf(arena, "%s-%d", "x", 7), "x-7");
	assert_int_equal(strlen(arena_printf(arena, "%5000s", "")), 5000);
}

static void arena_grow_keeps_what_was_there(void **state)
{
	(void)state;
	AUTO(arena_auto) struct arena *arena = arena_create();
	int *list = NULL;
	size_t n = 0, cap = 0;

	while (n < 10000) {
		list = arena_grow(arena, list, n, &cap, sizeof *list);
		assert_true(cap > n);
		list[n] = (int)n * 3;
		n++;
	}
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(list[i], (int)i * 3);
	}
}

/* An array that came from elsewhere may be fuller than its capacity says. */
static void arena_grow_believes_the_count(void **state)
{
	(void)state;
	AUTO(arena_auto) struct arena *arena = arena_create();
	int given[100];
	size_t cap = 0;

	for (int i = 0; i < 100; i++) {
		given[i] = i;
	}
	int *list = arena_grow(arena, given, 100, &cap, sizeof *list);

	assert_true(cap >= 101);
	assert_memory_equal(list, given, sizeof given);
	assert_int_equal(list[100], 0);
}

/* In a child: running out of memory ends the process. */
static int status_of(void (*function)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDERR_FILENO);
		function();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void take_too_much(void)
{
	(void)arena_array(arena_create(), SIZE_MAX / 8, 16);
}

static void take_more_than_there_is(void)
{
	(void)arena_alloc(arena_create(), SIZE_MAX - 10);
}

static void exhaust(void)
{
	mem_exhausted();
}

static void exhaust_as_a_child(void)
{
	mem_exhausted_status(42);
	mem_exhausted();
}

static int exit_of(void (*function)(void))
{
	int status = status_of(function);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void memory_that_is_not_there_ends_the_process(void **state)
{
	(void)state;
	assert_int_equal(exit_of(take_too_much), 1);
	assert_int_equal(exit_of(take_more_than_there_is), 1);
	assert_int_equal(exit_of(exhaust), 1);
	assert_int_equal(exit_of(exhaust_as_a_child), 42);
}

static void mem_alloc_is_zeroed_and_grows(void **state)
{
	(void)state;
	AUTO(mem_auto) char *p = mem_alloc(10);

	for (size_t i = 0; i < 10; i++) {
		assert_int_equal(p[i], 0);
	}
	p[0] = 'a';
	p = mem_realloc(p, 100000);
	assert_int_equal(p[0], 'a');
	AUTO(mem_auto) char *copy = mem_strdup("abc");

	assert_string_equal(copy, "abc");
	AUTO(mem_auto) char *nothing = mem_alloc(0);

	assert_non_null(nothing);
}

static void fd_auto_closes_and_keeps_errno(void **state)
{
	(void)state;
	int number;

	{
		AUTO(fd_auto) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		AUTO(fd_auto) int none = -1;

		assert_true(fd >= 0);
		(void)none;
		number = fd;
		errno = ELOOP;
	}
	assert_int_equal(errno, ELOOP);
	assert_int_equal(fcntl(number, F_GETFD), -1);
	int closed = number;

	errno = ELOOP;
	fd_auto(&closed);
	assert_int_equal(errno, ELOOP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(arena_gives_zeroed_aligned_memory_of_its_own),
	    cmocka_unit_test(arena_free_of_nothing_does_nothing),
	    cmocka_unit_test(arena_copies_texts),
	    cmocka_unit_test(arena_grow_keeps_what_was_there),
	    cmocka_unit_test(arena_grow_believes_the_count),
	    cmocka_unit_test(memory_that_is_not_there_ends_the_process),
	    cmocka_unit_test(mem_alloc_is_zeroed_and_grows),
	    cmocka_unit_test(fd_auto_closes_and_keeps_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
