// SPDX-License-Identifier: MIT
#include "working.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { MANY = 10000 };

static void facts_come_back_in_order(void **state)
{
	(void)state;
	scratch_write(scratch_path("a"), "A", 0644);
	scratch_mkdir(scratch_path("b"), 0750);
	struct worker_query queries[] = {
	    query(KIND_FILE, scratch_path("a")),
	    query(KIND_DIRECTORY, scratch_path("b")),
	    query(KIND_FILE, scratch_path("c")),
	    query(KIND_MOUNT, "/proc"),
	};
	const struct resource *facts[ARRAY_LEN(queries)];
	struct err err;

	assert_int_equal(worker_observe(worker, queries, ARRAY_LEN(queries), arena, facts, &err), 0);
	assert_string_equal(facts[0]->file.content, "A");
	assert_string_equal(facts[1]->directory.mode, "0750");
	assert_int_equal(facts[2]->state, STATE_ABSENT);
	assert_true(facts[3]->mount.live.value);
	assert_string_equal(facts[3]->mount.type, "proc");
}

static void many_are_observed_in_one_go(void **state)
{
	(void)state;
	struct worker_query *queries = arena_array(arena, MANY, sizeof *queries);
	const struct resource **facts = arena_array(arena, MANY, sizeof(struct resource *));
	struct err err;

	for (int i = 0; i < MANY; i++) {
		queries[i] = query(KIND_FILE, arena_printf(arena, "%s/%d", scratch_dir(), i));
		if (i % 2) {
			scratch_write(queries[i].key, "odd", 0644);
		}
	}
	assert_int_equal(worker_observe(worker, queries, MANY, arena, facts, &err), 0);
	for (int i = 0; i < MANY; i++) {
		assert_string_equal(facts[i]->key, queries[i].key);
		assert_int_equal(facts[i]->state, i % 2 ? STATE_PRESENT : STATE_ABSENT);
	}
}

static void a_worker_killed_while_idle_is_replaced_unnoticed(void **state)
{
	(void)state;
	scratch_write(scratch_path("a"), "A", 0644);
	assert_int_equal(ask(KIND_FILE, scratch_path("a"))->state, STATE_PRESENT);
	pid_t pid = child_now();

	assert_true(pid > 0);
	kill(pid, SIGKILL);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(ask(KIND_FILE, scratch_path("a"))->state, STATE_PRESENT);
	assert_int_not_equal(child_now(), pid);
}

static void a_name_that_is_no_utf8_does_not_break_the_answer(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("\377odd");
	struct keys keys;
	struct err err;
	bool found = false;

	scratch_mkdir(path, 0755);
	assert_int_equal(mount("odd", path, "tmpfs", 0, NULL), 0);
	assert_int_equal(worker_list(worker, &kind_table[KIND_MOUNT], arena, &keys, &err), 0);
	for (size_t i = 0; i < keys.count; i++) {
		found |= strcmp(keys.list[i], scratch_path("\\xffodd")) == 0;
	}
	assert_true(found);
}

static void a_change_is_carried_out_and_seen(void **state)
{
	(void)state;
	struct resource *want = resource_create(arena, &kind_table[KIND_FILE], scratch_path("new"));
	struct worker_query q = {.kind = want->kind, .key = want->key, .want = want};
	const struct resource *have;
	struct applied applied;
	struct err err;

	want->file.content = "hello";
	resource_complete(arena, want);
	assert_int_equal(worker_observe(worker, &q, 1, arena, &have, &err), 0);
	struct change change = {
	    .kind = want->kind, .action = ACTION_CREATE, .want = want, .have = have};

	assert_int_equal(worker_apply(worker, &change, arena, &applied, &err), 0);
	assert_int_equal(applied.outcome, OUTCOME_CHANGED);
	assert_int_equal(worker_observe_fresh(worker, &q, arena, &have, &err), 0);
	assert_string_equal(have->file.content, "hello");
	assert_string_equal(scratch_read(scratch_path("new")), "hello");
}

static void an_owner_is_told_by_the_name_that_is_wanted(void **state)
{
	(void)state;
	struct resource *wanted =
	    resource_create(arena, &kind_table[KIND_DIRECTORY], scratch_path("d"));
	const struct resource *fact;
	struct worker_query q;
	char number[16];
	struct err err;

	snprintf(number, sizeof number, "%u", (unsigned)geteuid());
	wanted->directory.owner = number;
	q = query(KIND_DIRECTORY, wanted->key);
	q.want = wanted;
	scratch_mkdir(wanted->key, 0755);
	assert_int_equal(worker_observe(worker, &q, 1, arena, &fact, &err), 0);
	assert_string_equal(fact->directory.owner, number);
}

static void a_kind_that_cannot_be_listed_says_so(void **state)
{
	(void)state;
	struct keys keys;
	struct err err;

	assert_int_equal(worker_list(worker, &kind_table[KIND_FILE], arena, &keys, &err), -ERR_INPUT);
	assert_non_null(strstr(err.text, "file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(facts_come_back_in_order),
	    TEST(many_are_observed_in_one_go),
	    TEST(a_worker_killed_while_idle_is_replaced_unnoticed),
	    TEST(a_name_that_is_no_utf8_does_not_break_the_answer),
	    TEST(a_change_is_carried_out_and_seen),
	    TEST(a_kind_that_cannot_be_listed_says_so),
	    TEST(an_owner_is_told_by_the_name_that_is_wanted),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
