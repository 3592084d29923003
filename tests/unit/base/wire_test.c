// SPDX-License-Identifier: MIT
/* Values as bytes and frames: there and back, and what hostile bytes cannot do. */
#include "base/wire.h"

#include "base/clock.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct arena *arena;
static int pair[2];

static int set_up(void **state)
{
	(void)state;
	arena = arena_create();
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	close(pair[0]);
	return close(pair[1]);
}

static struct value placed(struct value value, const char *file, unsigned line)
{
	value.at = (struct pos){file, line, line + 1};
	return value;
}

static struct value sample(void)
{
	struct value list = value_list(), map = value_map(), quoted = value_string("\xc3\xa4");

	quoted.quoted = true;
	value_append(arena, &list, value_int(INT64_MIN));
	value_append(arena, &list, placed(value_null(), "a.yaml", 7));
	value_append(arena, &list, placed(quoted, "b.yaml", 8));
	value_append(arena, &list, placed(value_bool(true), "b.yaml", 9));
	value_append(arena, &list, placed(value_bool(false), NULL, 9));
	value_put(arena, &map, "list", placed(list, "a.yaml", 3));
	value_put(arena, &map, "", value_string(""));
	value_put(arena, &map, "map", value_map());
	map.entries[1].key_at = (struct pos){"a.yaml", 20, 21};
	value_seal(&map);
	return map;
}

static void check_same(const struct value *a, const struct value *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->quoted, b->quoted);
	assert_int_equal(a->at.line, b->at.line);
	assert_int_equal(a->at.col, b->at.col);
	assert_string_equal(a->at.file ? a->at.file : "-", b->at.file ? b->at.file : "-");
	if (a->type == VALUE_LIST) {
		assert_int_equal(a->count, b->count);
		for (size_t i = 0; i < a->count; i++) {
			check_same(&a->items[i], &b->items[i]);
		}
	} else if (a->type == VALUE_MAP) {
		assert_int_equal(a->count, b->count);
		for (size_t i = 0; i < a->count; i++) {
			assert_string_equal(a->entries[i].key, b->entries[i].key);
			assert_int_equal(a->entries[i].key_at.line, b->entries[i].key_at.line);
			check_same(&a->entries[i].value, &b->entries[i].value);
		}
	} else {
		assert_true(value_equal(a, b));
	}
}

/* The bytes get memory of their own, so that reading past them is seen. */
static int decode(const void *bytes, size_t n, struct value *ret_value, struct err *err)
{
	char *own = mem_alloc(n);

	memcpy(own, bytes, n);
	int r = wire_decode(own, n, arena, ret_value, err);

	memset(own, '?', n);
	free(own);
	return r;
}

static void check_refused(const void *bytes, size_t n, int code, const char *part)
{
	struct value value = value_int(77);
	struct err err = {0};

	assert_int_equal(decode(bytes, n, &value, &err), -code);
	assert_int_equal(err.code, code);
	assert_int_equal(value.integer, 77);
	if (!strstr(err.text, part)) {
		fail_msg("\"%s\" does not say \"%s\"", err.text, part);
	}
}

static void value_comes_back_with_places_and_quotes(void **state)
{
	(void)state;
	AUTO(str_free) struct str bytes = {0};
	struct value value = sample(), back;
	struct err err;

	wire_encode(&bytes, &value);
	assert_int_equal(decode(bytes.data, bytes.length, &back, &err), 0);
	check_same(&value, &back);
	assert_true(back.sealed);
	assert_int_equal(value_entry(&back, "list")->key_at.line, 3);
}

static void maps_come_back_sealed(void **state)
{
	(void)state;
	AUTO(str_free) struct str bytes = {0};
	struct value map = value_map(), back;
	struct err err;

	value_put(arena, &map, "z", value_int(1));
	value_put(arena, &map, "a", value_int(2));
	wire_encode(&bytes, &map);
	assert_int_equal(decode(bytes.data, bytes.length, &back, &err), 0);
	assert_true(back.sealed);
	assert_string_equal(back.entries[0].key, "a");
	assert_int_equal(value_number(&back, "z", 0), 1);
	value_put(arena, &back, "more", value_int(3));
	assert_int_equal(value_number(&back, "more", 0), 3);
}

static void file_name_travels_once(void **state)
{
	(void)state;
	AUTO(str_free) struct str bytes = {0};
	struct value list = value_list();

	for (unsigned i = 0; i < 100; i++) {
		value_append(arena, &list,
		             placed(value_int(1), "a-rather-long-name-of-a-file.yaml", i + 1));
	}
	wire_encode(&bytes, &list);
	assert_true(bytes.length < 100 * 20 + 100);
}

static void message_cut_anywhere_is_refused(void **state)
{
	(void)state;
	AUTO(str_free) struct str bytes = {0};
	struct value value = sample();

	wire_encode(&bytes, &value);
	for (size_t n = 0; n < bytes.length; n++) {
		check_refused(bytes.data, n, ERR_INPUT, "broken message");
	}
	str_addc(&bytes, '\0');
	check_refused(bytes.data, bytes.length, ERR_INPUT, "left over");
}

/* Whatever one flipped byte makes of a message: an error or a value that holds what values promise.
 * */
static void message_with_a_wrong_byte_does_no_harm(void **state)
{
	(void)state;
	AUTO(str_free) struct str bytes = {0};
	struct value value = sample();

	wire_encode(&bytes, &value);
	for (size_t at = 0; at < bytes.length; at++) {
		for (int other = 0; other < 256; other++) {
			AUTO(str_free) struct str again = {0};
			char was = bytes.data[at];
			struct value back, third;
			struct err err;

			bytes.data[at] = (char)other;
			if (decode(bytes.data, bytes.length, &back, &err) == 0) {
				wire_encode(&again, &back);
				assert_int_equal(decode(again.data, again.length, &third, &err), 0);
				check_same(&back, &third);
			}
			bytes.data[at] = was;
		}
	}
}

static void random_bytes_do_no_harm(void **state)
{
	(void)state;
	uint64_t random = 88172645463325252u;

	for (int round = 0; round < 100000; round++) {
		unsigned char bytes[48];
		size_t n = (size_t)round % sizeof bytes;
		struct value value;
		struct err err;

		for (size_t i = 0; i < n; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			/* Mostly small numbers: types and lengths that lead somewhere. */
			bytes[i] = random % 3 ? (unsigned char)(random >> 8 & 7) : (unsigned char)(random >> 8);
		}
		(void)!decode(bytes, n, &value, &err);
	}
}

static void put_count(struct str *out, int type, uint32_t n)
{
	str_addc(out, (char)type);
	str_addn(out, &n, sizeof n);
}

static void nesting_is_bounded(void **state)
{
	(void)state;
	struct value back;
	struct err err;

	for (unsigned levels = WIRE_DEPTH - 2; levels < WIRE_DEPTH + 3; levels++) {
		AUTO(str_free) struct str bytes = {0};

		for (unsigned i = 0; i + 1 < levels; i++) {
			put_count(&bytes, VALUE_LIST, 1);
		}
		str_addc(&bytes, VALUE_NULL);
		if (levels <= WIRE_DEPTH) {
			assert_int_equal(decode(bytes.data, bytes.length, &back, &err), 0);
		} else {
			check_refused(bytes.data, bytes.length, ERR_LIMIT, "nested deeper");
		}
	}
	AUTO(str_free) struct str deep = {0};

	for (unsigned i = 0; i < 1000000; i++) {
		put_count(&deep, VALUE_MAP, 1);
		put_count(&deep, VALUE_STRING, 0);
	}
	check_refused(deep.data, deep.length, ERR_LIMIT, "nested deeper");
}

/* What the C library has taken from the system; 0 where a sanitizer stands in for it. */
static size_t taken(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.arena + info.hblkhd;
}

static void announced_items_that_cannot_come_cost_nothing(void **state)
{
	(void)state;
	static const int types[] = {VALUE_LIST, VALUE_MAP};
	size_t before = taken();

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		AUTO(str_free) struct str bytes = {0};

		put_count(&bytes, types[i], UINT32_MAX);
		check_refused(bytes.data, bytes.length, ERR_INPUT, "more items");
		str_pad(&bytes, VALUE_NULL, 5000);
		check_refused(bytes.data, bytes.length, ERR_INPUT, "more items");
	}
	assert_true(taken() < before + (1 << 20));
}

static void number_of_values_is_bounded(void **state)
{
	(void)state;
	AUTO(str_free) struct str bytes = {0};
	size_t before = taken();

	put_count(&bytes, VALUE_LIST, WIRE_VALUES_MOST + 1);
	str_pad(&bytes, VALUE_NULL, WIRE_VALUES_MOST + 1);
	check_refused(bytes.data, bytes.length, ERR_LIMIT, "more than 8388608 values");
	assert_true(taken() < before + 4 * (size_t)WIRE_VALUES_MOST);
	str_clear(&bytes);
	/* Each within the bound, both together not. */
	put_count(&bytes, VALUE_LIST, 2);
	put_count(&bytes, VALUE_LIST, 1000);
	str_pad(&bytes, VALUE_NULL, 1000);
	put_count(&bytes, VALUE_LIST, WIRE_VALUES_MOST - 1000);
	str_pad(&bytes, VALUE_NULL, WIRE_VALUES_MOST);
	check_refused(bytes.data, bytes.length, ERR_LIMIT, "more than 8388608 values");
}

static void text_that_is_none_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t n;
		const char *why;
	} cases[] = {
	    {"\x03\x02\0\0\0a\0", 7, "holds a NUL"},
	    {"\x03\x02\0\0\0a\xff", 7, "not UTF-8"},
	    {"\x03\xff\xff\xff\xff"
	     "a",
	     6, "longer than the message"},
	    {"\x0f", 1, "unknown type"},
	    {"\x06", 1, "unknown type"},
	    {"\x01\x02", 2, "neither"},
	    {"\x60\x01\0\0\0\x01\0\0\0", 9, "without a file"},
	    {"\x05\x01\0\0\0\x02\0\0\0\0\0\0\0\0\0", 15, "no text"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		check_refused(cases[i].bytes, cases[i].n, ERR_INPUT, cases[i].why);
	}
}

static void key_that_stands_twice_is_refused(void **state)
{
	(void)state;
	AUTO(str_free) struct str bytes = {0};
	struct value map = value_map();

	value_put(arena, &map, "a", value_int(1));
	value_put(arena, &map, "b", value_int(1));
	value_put(arena, &map, "a", value_int(2));
	wire_encode(&bytes, &map);
	check_refused(bytes.data, bytes.length, ERR_INPUT, "twice");
}

static void frames_arrive_one_by_one(void **state)
{
	(void)state;
	struct value value = sample(), number = value_int(5), back;
	struct err err;

	assert_int_equal(wire_send(pair[0], &value, 0, &err), 0);
	assert_int_equal(wire_send(pair[0], &number, 0, &err), 0);
	assert_int_equal(wire_receive(pair[1], arena, 0, &back, &err), 0);
	check_same(&value, &back);
	assert_int_equal(wire_receive(pair[1], arena, clock_ms() + 10000, &back, &err), 0);
	assert_int_equal(back.integer, 5);
}

static void silence_ends_at_the_deadline(void **state)
{
	(void)state;
	struct value back = value_int(77);
	struct err err;

	assert_int_equal(wire_receive(pair[1], arena, clock_ms() + 30, &back, &err), -ERR_LIMIT);
	assert_int_equal(write(pair[0], "\x05\0\0", 3), 3);
	assert_int_equal(wire_receive(pair[1], arena, clock_ms() + 30, &back, &err), -ERR_LIMIT);
	assert_int_equal(wire_receive(pair[1], arena, 1, &back, &err), -ERR_LIMIT);
	assert_int_equal(back.integer, 77);
}

static void reader_that_does_not_read_ends_at_the_deadline(void **state)
{
	(void)state;
	AUTO(mem_auto) char *text = mem_alloc(8 << 20);
	struct err err;

	memset(text, 'x', (8 << 20) - 1);
	struct value value = value_string(text);

	assert_int_equal(wire_send(pair[0], &value, clock_ms() + 30, &err), -ERR_LIMIT);
}

static void other_end_that_is_gone_is_told(void **state)
{
	(void)state;
	struct value back, value = sample();
	struct err err;

	assert_int_equal(write(pair[0], "\x05\0\0\0\x03", 5), 5);
	shutdown(pair[0], SHUT_WR);
	assert_int_equal(wire_receive(pair[1], arena, 0, &back, &err), -ERR_GONE);
	assert_int_equal(wire_receive(pair[1], arena, 0, &back, &err), -ERR_GONE);
	shutdown(pair[0], SHUT_RD);
	assert_int_equal(wire_send(pair[1], &value, 0, &err), -ERR_GONE);
}

static void frame_that_is_too_long_is_refused_unread(void **state)
{
	(void)state;
	uint32_t n = WIRE_FRAME_MOST + 1;
	struct value back, value = sample();
	struct err err;

	assert_int_equal(write(pair[0], &n, sizeof n), sizeof n);
	assert_int_equal(wire_receive(pair[1], arena, 0, &back, &err), -ERR_INPUT);
	assert_int_equal(wire_send(pair[0], &value, 0, &err), 0);
	assert_int_equal(wire_receive_most(pair[1], 10, arena, 0, &back, &err), -ERR_INPUT);
}

static void frame_of_nothing_is_refused(void **state)
{
	(void)state;
	struct value back;
	struct err err;

	assert_int_equal(write(pair[0], "\0\0\0\0", 4), 4);
	assert_int_equal(wire_receive(pair[1], arena, 0, &back, &err), -ERR_INPUT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(value_comes_back_with_places_and_quotes),
	    TEST(maps_come_back_sealed),
	    TEST(file_name_travels_once),
	    TEST(message_cut_anywhere_is_refused),
	    TEST(message_with_a_wrong_byte_does_no_harm),
	    TEST(random_bytes_do_no_harm),
	    TEST(nesting_is_bounded),
	    TEST(announced_items_that_cannot_come_cost_nothing),
	    TEST(number_of_values_is_bounded),
	    TEST(text_that_is_none_is_refused),
	    TEST(key_that_stands_twice_is_refused),
	    TEST(frames_arrive_one_by_one),
	    TEST(silence_ends_at_the_deadline),
	    TEST(reader_that_does_not_read_ends_at_the_deadline),
	    TEST(other_end_that_is_gone_is_told),
	    TEST(frame_that_is_too_long_is_refused_unread),
	    TEST(frame_of_nothing_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
