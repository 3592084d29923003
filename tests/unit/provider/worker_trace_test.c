// SPDX-License-Identifier: MIT
/* What a run that was killed has left of its worker, as its note tells. A process that sleeps
 * stands for one that hangs; that one which cannot be killed is in hang_killed.bats. */
#include "working.h"

#include "base/child.h"
#include "base/clock.h"
#include "host/self.h"

#include <signal.h>
#include <sys/wait.h>

/* A session whose leader is gone, as a worker is that its parent's death has killed; one sleeper is
 * left in it. */
struct session {
	pid_t leader, sleeper;
	uint64_t leader_start, sleeper_start;
	int64_t began;
};

static struct session leave_one(void)
{
	struct session s = {.began = clock_ms()};
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	s.leader = fork();
	if (!s.leader) {
		setsid();
		s.sleeper = fork();
		if (!s.sleeper) {
			for (;;) {
				pause();
			}
		}
		_exit(write(pipes[1], &s.sleeper, sizeof s.sleeper) != sizeof s.sleeper);
	}
	assert_int_equal(read(pipes[0], &s.sleeper, sizeof s.sleeper), sizeof s.sleeper);
	close(pipes[0]);
	close(pipes[1]);
	s.leader_start = child_starttime(s.leader);
	s.sleeper_start = child_starttime(s.sleeper);
	assert_int_equal(waitpid(s.leader, NULL, 0), s.leader);
	return s;
}

static bool is_left(const struct session *s)
{
	return child_is_alive(s->sleeper, s->sleeper_start);
}

struct left_note {
	const char *boot_id; /* NULL: this boot */
	pid_t supervisor;
	bool keeps; /* what it was at may have left a process on purpose */
	bool mounts;
	int64_t later; /* ms: it began so long after the session did */
};

static const char *write_note(const struct session *s, const struct left_note *n)
{
	const char *path = arena_strdup(arena, scratch_path("run/stuck/77.at"));

	if (access(scratch_path("run/stuck"), F_OK)) {
		scratch_mkdir(scratch_path("run"), 0755);
		scratch_mkdir(scratch_path("run/stuck"), 0755);
	}
	scratch_write(
	    path,
	    arena_printf(arena,
	                 "{\"act\":\"mounting /proc\",\"began_ms\":%lld,\"boot_id\":\"%s\",\"ends\":%s,"
	                 "\"mounts\":%s,\"path\":\"/proc\",\"pid\":%d,\"starttime\":%llu,\"what\":"
	                 "\"mount:/proc\",\"worker\":%d,\"worker_starttime\":%llu}",
	                 (long long)(s->began + n->later),
	                 n->boot_id ? n->boot_id : self_boot_id(arena), n->keeps ? "false" : "true",
	                 n->mounts ? "true" : "false", (int)n->supervisor,
	                 (unsigned long long)child_starttime(n->supervisor), (int)s->leader,
	                 (unsigned long long)s->leader_start),
	    0600);
	return path;
}

/* Asks for anything; *ret_left: the one who was left still is. Whether the note is gone. */
static bool goes(const struct left_note *n, bool *ret_left)
{
	struct session s = leave_one();
	const char *path = write_note(&s, n);

	assert_true(is_left(&s));
	assert_int_equal(ask(KIND_DIRECTORY, "/")->state, STATE_PRESENT);
	*ret_left = is_left(&s);
	kill(s.sleeper, SIGKILL);
	return access(path, F_OK) != 0;
}

static void what_a_killed_run_left_is_ended(void **state)
{
	(void)state;
	bool left;

	assert_true(goes(&(struct left_note){0}, &left));
	assert_false(left);
}

static void a_run_that_is_still_there_looks_after_its_own(void **state)
{
	(void)state;
	bool left;

	assert_false(goes(&(struct left_note){.supervisor = getpid()}, &left));
	assert_true(left);
}

static void a_note_of_another_boot_is_none(void **state)
{
	(void)state;
	bool left;

	assert_true(goes(&(struct left_note){.boot_id = "another"}, &left));
	assert_true(left);
}

static void what_a_command_has_started_may_be_meant_to_stay(void **state)
{
	(void)state;
	bool left;

	assert_true(goes(&(struct left_note){.keeps = true}, &left));
	assert_true(left);
}

static void what_serves_a_mount_that_has_come_up_stays(void **state)
{
	(void)state;
	bool left;

	assert_true(goes(&(struct left_note){.mounts = true}, &left));
	assert_true(left);
}

static void what_was_started_before_stays(void **state)
{
	(void)state;
	bool left;

	assert_true(goes(&(struct left_note){.later = 1000}, &left));
	assert_true(left);
}

static void who_may_write_nothing_only_reports(void **state)
{
	(void)state;
	struct session s = leave_one();
	const char *path = write_note(&s, &(struct left_note){0});

	options.read_only = true;
	worker_free(worker);
	worker = worker_create(&options);
	const char *why = worker_held_up(worker, &kind_table[KIND_MOUNT], "/proc", arena);

	assert_null(why); /* nothing was read yet */
	assert_int_equal(ask(KIND_DIRECTORY, "/")->state, STATE_PRESENT);
	why = worker_held_up(worker, &kind_table[KIND_MOUNT], "/proc", arena);
	bool left = is_left(&s);

	kill(s.sleeper, SIGKILL);
	assert_true(left);
	assert_int_equal(access(path, F_OK), 0);
	assert_non_null(why);
	assert_non_null(strstr(why, "mounting /proc has not come to an end: process "));
}

static void half_a_note_is_none(void **state)
{
	(void)state;
	scratch_mkdir(scratch_path("run"), 0755);
	scratch_mkdir(scratch_path("run/stuck"), 0755);
	scratch_write(scratch_path("run/stuck/2147483646.at"), "{\"act\":", 0600);
	scratch_write(scratch_path("run/stuck/2147483645.at"), "", 0600);
	assert_int_equal(ask(KIND_DIRECTORY, "/")->state, STATE_PRESENT);
	assert_int_not_equal(access(scratch_path("run/stuck/2147483646.at"), F_OK), 0);
	assert_int_not_equal(access(scratch_path("run/stuck/2147483645.at"), F_OK), 0);
}

static void a_change_that_is_under_way_is_noted_and_nothing_stays(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct resource *want = resource_create(arena, &kind_table[KIND_COMMAND], "copies");
	struct worker_query q = {.kind = want->kind, .key = want->key, .want = want};
	const char *copy = arena_strdup(arena, scratch_path("copy"));
	const char *script = arena_printf(arena, "cat %s/*.at >%s", scratch_path("run/stuck"), copy);
	const char *argv[] = {"sh", "-c", script}, *unless[] = {"test", "-e", copy};
	const struct resource *have;
	struct applied applied = {0};
	struct err err;

	want->command.argv = (struct list){.set = true, .items = argv, .count = ARRAY_LEN(argv)};
	want->command.unless = (struct list){.set = true, .items = unless, .count = ARRAY_LEN(unless)};
	resource_complete(arena, want);
	assert_int_equal(worker_observe(worker, &q, 1, arena, &have, &err), 0);
	struct change change = {.kind = want->kind, .action = ACTION_RUN, .want = want, .have = have};

	assert_int_equal(worker_apply(worker, &change, arena, &applied, &err), 0);
	assert_null(applied.why);
	const char *text = scratch_read(copy);

	assert_non_null(strstr(text, "\"what\":\"command:copies\""));
	assert_non_null(strstr(text, "\"ends\":false"));
	const char *file = arena_printf(arena, "%s/%d.at", scratch_path("run/stuck"), (int)getpid());
	const char *now = scratch_read(file);

	assert_string_equal(now, "");
	worker_free(worker);
	worker = NULL;
	assert_int_not_equal(access(file, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_a_killed_run_left_is_ended),
	    TEST(a_run_that_is_still_there_looks_after_its_own),
	    TEST(a_note_of_another_boot_is_none),
	    TEST(what_a_command_has_started_may_be_meant_to_stay),
	    TEST(what_serves_a_mount_that_has_come_up_stays),
	    TEST(what_was_started_before_stays),
	    TEST(who_may_write_nothing_only_reports),
	    TEST(half_a_note_is_none),
	    TEST(a_change_that_is_under_way_is_noted_and_nothing_stays),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
