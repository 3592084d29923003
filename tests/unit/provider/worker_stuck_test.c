// SPDX-License-Identifier: MIT
/* What is not asked or done while a process of an earlier run is still at it. A process that is
 * alive stands for one that is stuck. */
#include "working.h"

#include "base/child.h"
#include "host/self.h"

#include <fcntl.h>
#include <sys/stat.h>

/* A record of this very process, so that it is alive. */
static void record(const char *what, const char *act, const char *target, uint64_t mount_id)
{
	const char *quoted = target ? arena_printf(arena, "\"%s\"", target) : "null";
	const char *acting = act ? arena_printf(arena, "\"%s\"", act) : "null";

	if (access(scratch_path("run/stuck"), F_OK)) {
		scratch_mkdir(scratch_path("run"), 0755);
		scratch_mkdir(scratch_path("run/stuck"), 0755);
	}
	scratch_write(scratch_path("run/stuck/1.json"),
	              arena_printf(arena,
	                           "{\"boot_id\": \"%s\", \"pid\": %d, \"starttime\": %llu, \"since\": "
	                           "1763712000, \"what\": \"%s\", \"act\": %s, \"target\": %s, "
	                           "\"mount_id\": %llu}",
	                           self_boot_id(arena), (int)getpid(),
	                           (unsigned long long)child_starttime(getpid()), what, acting, quoted,
	                           (unsigned long long)mount_id),
	              0600);
}

static struct applied apply_wanted(enum kind_id kind, const char *key)
{
	struct resource *want = resource_create(arena, &kind_table[kind], arena_strdup(arena, key));
	struct resource *have = resource_create(arena, want->kind, want->key);
	struct change change = {
	    .kind = want->kind, .action = ACTION_CREATE, .want = want, .have = have};
	struct applied applied = {0};
	struct err err;

	have->state = STATE_ABSENT;
	if (kind == KIND_MOUNT) {
		want->mount.source = want->mount.type = "tmpfs";
	}
	if (worker_apply(worker, &change, arena, &applied, &err)) {
		fail_msg("%s", err.text);
	}
	return applied;
}

static const char *held_up(enum kind_id kind, const char *key)
{
	return worker_held_up(worker, &kind_table[kind], key, arena);
}

static void a_module_that_is_still_loading_is_not_loaded_twice_but_looked_at(void **state)
{
	(void)state;
	record("module:stalls", "the last change of module:stalls", NULL, 0);
	assert_non_null(ask(KIND_MODULE, "stalls"));
	assert_false(ask(KIND_MODULE, "stalls")->why &&
	             strstr(ask(KIND_MODULE, "stalls")->why, "come to an end"));
	struct applied applied = apply_wanted(KIND_MODULE, "stalls");

	assert_int_equal(applied.outcome, OUTCOME_BLOCKED);
	assert_non_null(strstr(applied.why, "the last change of module:stalls has not come to an end: "
	                                    "process "));
	assert_non_null(strstr(applied.why, "since 2025-11-21T08:00:00Z"));
	assert_string_equal(held_up(KIND_MODULE, "stalls"), applied.why);
	assert_null(held_up(KIND_MODULE, "other"));
}

static void what_hung_when_it_was_looked_at_is_not_looked_at_again(void **state)
{
	(void)state;
	record("module:hangs", NULL, NULL, 0);
	const struct resource *fact = ask(KIND_MODULE, "hangs");

	assert_int_equal(fact->state, STATE_UNDETERMINED);
	assert_non_null(strstr(fact->why, "module:hangs does not answer: process "));
	assert_non_null(held_up(KIND_MODULE, "hangs"));
	assert_int_not_equal(ask(KIND_MODULE, "loop")->state, STATE_UNDETERMINED);
}

static void a_mount_that_has_not_come_to_an_end_is_seen_in_the_table_and_not_begun_again(
    void **state)
{
	(void)state;
	const char *target = arena_strdup(arena, scratch_path("m"));

	scratch_mkdir(target, 0755);
	record(arena_printf(arena, "mount:%s", target), arena_printf(arena, "mounting %s", target),
	       target, 0);
	assert_int_not_equal(ask(KIND_MOUNT, target)->state, STATE_UNDETERMINED);
	assert_int_equal(ask(KIND_DIRECTORY, path_join(arena, target, "d"))->state, STATE_UNDETERMINED);
	struct applied applied = apply_wanted(KIND_MOUNT, target);

	assert_int_equal(applied.outcome, OUTCOME_BLOCKED);
	assert_non_null(strstr(applied.why, "mounting "));
	assert_int_equal(ask(KIND_DIRECTORY, scratch_dir())->state, STATE_PRESENT);
}

static uint64_t mount_id_of(const char *path)
{
	struct statx stx;

	return statx(AT_FDCWD, path, 0, STATX_MNT_ID, &stx) ? 0 : stx.stx_mnt_id;
}

static void who_hangs_on_a_mount_that_is_gone_is_in_nobodys_way(void **state)
{
	(void)state;
	const char *target = arena_strdup(arena, scratch_path("m"));

	scratch_mkdir(target, 0755);
	uint64_t id = mount_id_of(target);

	record("file:/x", NULL, target, id);
	assert_int_equal(ask(KIND_DIRECTORY, target)->state, STATE_UNDETERMINED);
	worker_free(worker);
	worker = worker_create(&options);
	record("file:/x", NULL, target, id + 1000000);
	assert_int_equal(ask(KIND_DIRECTORY, target)->state, STATE_PRESENT);
}

static void a_tree_and_a_file_that_do_not_answer_are_refused_at_once(void **state)
{
	(void)state;
	const char *target = arena_strdup(arena, scratch_path("m"));
	struct tree_files files;
	struct tree_file file;
	struct err err;

	scratch_mkdir(target, 0755);
	record("tree", NULL, target, 0);
	assert_int_equal(worker_read_tree(worker, target, false, arena, &files, &err), -ERR_LIMIT);
	assert_non_null(strstr(err.text, "does not answer: process "));
	assert_int_equal(
	    worker_read_file(worker, path_join(arena, target, "f"), false, 100, arena, &file, &err),
	    -ERR_LIMIT);
	assert_int_equal(
	    worker_read_file(worker, scratch_path("run/stuck/1.json"), false, 1000, arena, &file, &err),
	    0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_module_that_is_still_loading_is_not_loaded_twice_but_looked_at),
	    TEST(what_hung_when_it_was_looked_at_is_not_looked_at_again),
	    TEST(a_mount_that_has_not_come_to_an_end_is_seen_in_the_table_and_not_begun_again),
	    TEST(who_hangs_on_a_mount_that_is_gone_is_in_nobodys_way),
	    TEST(a_tree_and_a_file_that_do_not_answer_are_refused_at_once),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
