// SPDX-License-Identifier: MIT
/* Head and tail of a stream in bounded memory. */
#include "base/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* How many bytes it was given. */
static uint64_t total(const struct capture *capture)
{
	return capture->head.length + capture->beyond;
}

static void check(struct capture *capture, const char *wanted, size_t n)
{
	AUTO(str_free) struct str text = capture_text(capture);

	assert_int_equal(text.length, n);
	assert_memory_equal(str_text(&text), wanted, n);
	assert_int_equal(total(capture), 0);
}

static void capture_of_nothing_is_empty(void **state)
{
	(void)state;
	struct capture capture = {0};

	check(&capture, "", 0);
}

static void capture_keeps_more_of_the_head_where_that_is_asked_for(void **state)
{
	(void)state;
	struct capture capture = {.head_most = 3 * CAPTURE_HALF};
	AUTO(mem_auto) char *bytes = mem_alloc(5 * CAPTURE_HALF);

	memset(bytes, 'x', 5 * CAPTURE_HALF);
	capture_add(&capture, bytes, 4 * CAPTURE_HALF);
	check(&capture, bytes, 4 * CAPTURE_HALF);
	capture.head_most = 3 * CAPTURE_HALF;
	capture_add(&capture, bytes, 5 * CAPTURE_HALF);

	AUTO(str_free) struct str text = capture_text(&capture);

	assert_non_null(strstr(str_text(&text) + 3 * CAPTURE_HALF, "\n[32768" CAPTURE_CUT "\n"));
}

static void capture_keeps_a_short_stream_whole(void **state)
{
	(void)state;
	struct capture capture = {0};

	capture_add(&capture, "one\n", 4);
	capture_add(&capture, "", 0);
	capture_add(&capture, "t\0o\n", 4);
	assert_int_equal(total(&capture), 8);
	check(&capture, "one\nt\0o\n", 8);
}

/* Adds n bytes that tell where they stood, in pieces of `piece`; returns them. */
static char *fill(struct capture *capture, size_t n, size_t piece)
{
	char *all = mem_alloc(n + 1);

	for (size_t i = 0; i < n; i++) {
		all[i] = (char)('!' + (i * 31 + i / 94) % 94);
	}
	for (size_t i = 0; i < n; i += piece) {
		capture_add(capture, all + i, piece < n - i ? piece : n - i);
	}
	return all;
}

static void capture_keeps_exactly_two_halves_whole(void **state)
{
	(void)state;
	static const size_t pieces[] = {1, 1000, CAPTURE_HALF, 2 * CAPTURE_HALF};

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		struct capture capture = {0};
		AUTO(mem_auto) char *all = fill(&capture, 2 * CAPTURE_HALF, pieces[i]);

		check(&capture, all, 2 * CAPTURE_HALF);
	}
}

static void capture_leaves_out_the_middle_and_says_how_much(void **state)
{
	(void)state;
	static const size_t lengths[] = {2 * CAPTURE_HALF + 1, 3 * CAPTURE_HALF,
	                                 10 * CAPTURE_HALF + 77};
	static const size_t pieces[] = {1, 4096, 5000, 1 << 20};

	for (size_t i = 0; i < ARRAY_LEN(lengths) * ARRAY_LEN(pieces); i++) {
		size_t n = lengths[i % ARRAY_LEN(lengths)];
		struct capture capture = {0};
		AUTO(mem_auto) char *all = fill(&capture, n, pieces[i / ARRAY_LEN(lengths)]);
		AUTO(str_free) struct str wanted = {0};

		str_addn(&wanted, all, CAPTURE_HALF);
		str_addf(&wanted, "\n[%zu bytes left out]\n", n - 2 * CAPTURE_HALF);
		str_addn(&wanted, all + n - CAPTURE_HALF, CAPTURE_HALF);
		assert_int_equal(total(&capture), n);
		check(&capture, wanted.data, wanted.length);
	}
}

static void capture_counts_what_nobody_read(void **state)
{
	(void)state;
	struct capture capture = {0};
	AUTO(mem_auto) char *head = fill(&capture, CAPTURE_HALF, 4096);

	capture_skip(&capture, 1000003);
	AUTO(mem_auto) char *tail = fill(&capture, CAPTURE_HALF, 4096);
	AUTO(str_free) struct str wanted = {0};

	str_addn(&wanted, head, CAPTURE_HALF);
	str_add(&wanted, "\n[1000003 bytes left out]\n");
	str_addn(&wanted, tail, CAPTURE_HALF);
	check(&capture, wanted.data, wanted.length);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(capture_of_nothing_is_empty),
	    cmocka_unit_test(capture_keeps_a_short_stream_whole),
	    cmocka_unit_test(capture_keeps_more_of_the_head_where_that_is_asked_for),
	    cmocka_unit_test(capture_keeps_exactly_two_halves_whole),
	    cmocka_unit_test(capture_leaves_out_the_middle_and_says_how_much),
	    cmocka_unit_test(capture_counts_what_nobody_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
