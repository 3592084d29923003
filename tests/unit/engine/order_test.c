// SPDX-License-Identifier: MIT
#include "sample.h"

#include "engine/order.h"

static struct wanted_set set_of(struct sample *s)
{
	struct wanted_set set;
	struct err err = {0};

	for (size_t i = 0; i < s->decision.proposal_count; i++) {
		resource_complete(s->arena, s->decision.proposals[i].want);
	}
	if (planner_wanted(s->arena, &s->decision, &set, &err)) {
		fail_msg("%s", err.text);
	}
	return set;
}

static size_t place(const struct wanted_set *set, const struct order *order, const char *id)
{
	for (size_t at = 0; at < set->count; at++) {
		if (strcmp(set->list[order->sequence[at]].id, id) == 0) {
			return at;
		}
	}
	fail_msg("no %s", id);
	return 0;
}

static void folders_come_from_the_top_down(void **state)
{
	(void)state;
	struct sample s = sample_create();
	struct order order;
	struct err err = {0};

	sample_want(&s, KIND_DIRECTORY, "/a/b/c");
	sample_want(&s, KIND_FILE, "/a/b/c/d");
	sample_want(&s, KIND_DIRECTORY, "/a");
	struct wanted_set set = set_of(&s);

	assert_int_equal(order_make(s.arena, &set, &order, &err), 0);
	assert_true(place(&set, &order, "directory:/a") < place(&set, &order, "directory:/a/b/c"));
	assert_true(place(&set, &order, "directory:/a/b/c") < place(&set, &order, "file:/a/b/c/d"));
	arena_free(s.arena);
}

static void folders_go_from_the_bottom_up(void **state)
{
	(void)state;
	struct sample s = sample_create();
	struct order order;
	struct err err = {0};

	sample_want(&s, KIND_DIRECTORY, "/a")->want->state = STATE_ABSENT;
	sample_want(&s, KIND_FILE, "/a/f")->want->state = STATE_ABSENT;
	struct wanted_set set = set_of(&s);

	assert_int_equal(order_make(s.arena, &set, &order, &err), 0);
	assert_true(place(&set, &order, "file:/a/f") < place(&set, &order, "directory:/a"));
	arena_free(s.arena);
}

static void a_mount_comes_before_its_root_and_what_lies_on_it(void **state)
{
	(void)state;
	struct sample s = sample_create();
	struct order order;
	struct err err = {0};

	sample_want(&s, KIND_DIRECTORY, "/m");
	sample_want(&s, KIND_DIRECTORY, "/m/d");
	struct proposal *mount = sample_want(&s, KIND_MOUNT, "/m");

	mount->want->mount.source = "tmpfs";
	mount->want->mount.type = "tmpfs";
	struct wanted_set set = set_of(&s);

	assert_int_equal(order_make(s.arena, &set, &order, &err), 0);
	assert_true(place(&set, &order, "mount:/m") < place(&set, &order, "directory:/m"));
	assert_true(place(&set, &order, "directory:/m") < place(&set, &order, "directory:/m/d"));
	arena_free(s.arena);
}

static void a_circle_is_an_error_that_prints_it(void **state)
{
	(void)state;
	struct sample s = sample_create();
	struct order order;
	struct err err = {0};
	static const char *const after_b[] = {"directory:/b"}, *const after_a[] = {"directory:/a"};
	struct proposal *a = sample_want(&s, KIND_DIRECTORY, "/a");

	a->after = after_b;
	a->after_count = 1;
	struct proposal *b = sample_want(&s, KIND_DIRECTORY, "/b");

	b->after = after_a;
	b->after_count = 1;
	struct wanted_set set = set_of(&s);

	assert_int_equal(order_make(s.arena, &set, &order, &err), -ERR_POLICY);
	assert_string_equal(err.text,
	                    "needs go in a circle: directory:/a needs directory:/b needs directory:/a");
	assert_int_equal(err.at.line, 1);
	arena_free(s.arena);
}

static void a_folder_wanted_gone_with_a_file_wanted_in_it_is_an_error(void **state)
{
	(void)state;
	struct sample s = sample_create();
	struct order order;
	struct err err = {0};

	sample_want(&s, KIND_DIRECTORY, "/a")->want->state = STATE_ABSENT;
	sample_want(&s, KIND_FILE, "/a/f");
	struct wanted_set set = set_of(&s);

	assert_int_equal(order_make(s.arena, &set, &order, &err), -ERR_INPUT);
	assert_non_null(strstr(err.text, "directory:/a is wanted absent, but file:/a/f lies in it"));
	arena_free(s.arena);
}

static void a_chain_as_long_as_the_plan_needs_no_stack(void **state)
{
	(void)state;
	enum { LENGTH = 50000 };
	struct sample s = sample_create();
	struct order order;
	struct err err = {0};

	for (unsigned i = 0; i < LENGTH; i++) {
		const char **after = arena_array(s.arena, 1, sizeof *after);
		struct proposal *p = sample_want(&s, KIND_DIRECTORY, arena_printf(s.arena, "/d%05u", i));

		after[0] = arena_printf(s.arena, "directory:/d%05u", i + 1);
		p->after = after;
		p->after_count = 1;
	}
	struct wanted_set set = set_of(&s);

	assert_int_equal(order_make(s.arena, &set, &order, &err), 0);
	assert_int_equal(place(&set, &order, "directory:/d00000"), LENGTH - 1);
	arena_free(s.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(folders_come_from_the_top_down),
	    cmocka_unit_test(folders_go_from_the_bottom_up),
	    cmocka_unit_test(a_mount_comes_before_its_root_and_what_lies_on_it),
	    cmocka_unit_test(a_circle_is_an_error_that_prints_it),
	    cmocka_unit_test(a_folder_wanted_gone_with_a_file_wanted_in_it_is_an_error),
	    cmocka_unit_test(a_chain_as_long_as_the_plan_needs_no_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
