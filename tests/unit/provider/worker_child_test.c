// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "base/child.h"
#include "base/clock.h"
#include "provider/worker_inner.h"

#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void begin(struct worker_options *options)
{
	assert_int_equal(child_fork(worker_child, options, NULL, &child, &err), 0);
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

	begin(NULL);
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
	begin(NULL);
	struct value answer = ask(question);

	assert_int_equal(worker_error_of(&answer, &got), -ERR_BUG);
	assert_int_equal(wire_receive(child.fd, arena, clock_ms() + 10000, &answer, &err), 0);
	assert_string_equal(value_text(&answer, "state"), "present");
	assert_int_equal(end(), 0);
}

static const char *look_at_archive(int observe_ms)
{
	struct worker_options options = {.observe_ms = observe_ms};
	struct value question = value_map(), items = value_list(), item = value_map();

	value_put(arena, &item, "kind", value_string("archive"));
	value_put(arena, &item, "key", value_string(scratch_path("x.deb")));
	value_append(arena, &items, item);
	value_put(arena, &question, "op", value_string("observe"));
	value_put(arena, &question, "items", items);
	begin(&options);
	struct value answer = ask(question);

	assert_int_equal(end(), 0);
	return arena_strdup(arena, value_text(&answer, "state"));
}

static void a_look_is_told_before_whoever_asks_gives_up(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	if (access("/usr/bin/dpkg-deb", X_OK)) {
		skip();
	}
	scratch_write(scratch_path("x.deb"), "", 0644);
	scratch_write(scratch_path("slow"), "#!/bin/sh\nexec sleep 1\n", 0755);
	assert_int_equal(mount(scratch_path("slow"), "/usr/bin/dpkg-deb", NULL, MS_BIND, NULL), 0);
	assert_string_equal(look_at_archive(500), "undetermined");
	assert_string_equal(look_at_archive(20000), "present");
	assert_int_equal(umount2("/usr/bin/dpkg-deb", MNT_DETACH), 0);
}

static void it_ends_when_nobody_listens(void **state)
{
	(void)state;
	begin(NULL);
	assert_int_equal(end(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_it_does_not_understand_is_a_defect_and_it_goes_on),
	    TEST(one_bad_question_among_several_does_not_spoil_the_others),
	    TEST(a_look_is_told_before_whoever_asks_gives_up),
	    TEST(it_ends_when_nobody_listens),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
