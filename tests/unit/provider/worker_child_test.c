// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "base/child.h"
#include "base/clock.h"
#include "provider/worker_inner.h"

#include <string.h>
#include <sys/wait.h>

static struct arena *arena;
static struct err err;

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

static struct child child;

static struct value ask(struct value question)
{
	int64_t deadline = clock_ms() + 10000;
	struct value answer;

	value_seal(&question);
	if (wire_send(child.fd, &question, deadline, &err) ||
	    wire_receive(child.fd, arena, deadline, &answer, &err)) {
		fail_msg("%s", err.text);
	}
	return answer;
}

static void begin(void)
{
	assert_int_equal(child_fork(worker_child, NULL, NULL, &child, &err), 0);
}

static int end(void)
{
	int status = -1;

	assert_true(child_end(&child, 2000, &status));
	return status;
}

static void what_it_does_not_understand_is_a_defect_and_it_goes_on(void **state)
{
	(void)state;
	struct value question = value_map();
	struct err got;

	begin();
	struct value answer = ask(value_null());

	assert_int_equal(worker_error_of(&answer, &got), -ERR_BUG);
	value_put(arena, &question, "op", value_string("dance"));
	answer = ask(question);
	assert_int_equal(worker_error_of(&answer, &got), -ERR_BUG);
	question = value_map();
	value_put(arena, &question, "op", value_string("over"));
	value_put(arena, &question, "path", value_string("/proc/self"));
	answer = ask(question);
	assert_string_equal(value_text(&answer, "target"), "/proc");
	assert_int_equal(end(), 0);
}

static void one_bad_question_among_several_does_not_spoil_the_others(void **state)
{
	(void)state;
	struct value question = value_map(), items = value_list(), bad = value_map(),
	             good = value_map();
	struct err got;

	value_put(arena, &bad, "kind", value_string("nonsense"));
	value_put(arena, &bad, "key", value_string("x"));
	value_put(arena, &good, "kind", value_string("directory"));
	value_put(arena, &good, "key", value_string("/"));
	value_append(arena, &items, bad);
	value_append(arena, &items, good);
	value_put(arena, &question, "op", value_string("observe"));
	value_put(arena, &question, "items", items);
	begin();
	struct value answer = ask(question);

	assert_int_equal(worker_error_of(&answer, &got), -ERR_BUG);
	assert_int_equal(wire_receive(child.fd, arena, clock_ms() + 10000, &answer, &err), 0);
	assert_string_equal(value_text(&answer, "state"), "present");
	assert_int_equal(end(), 0);
}

static void it_ends_when_nobody_listens(void **state)
{
	(void)state;
	begin();
	assert_int_equal(end(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_it_does_not_understand_is_a_defect_and_it_goes_on),
	    TEST(one_bad_question_among_several_does_not_spoil_the_others),
	    TEST(it_ends_when_nobody_listens),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
