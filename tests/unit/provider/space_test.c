// SPDX-License-Identifier: MIT
#include "observing.h"

#include <errno.h>
#include <sys/mount.h>

static void what_is_mounted_has_a_size_and_a_share(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");
	char bytes[5000] = {0};

	memset(bytes, 'x', sizeof bytes - 1);
	scratch_mkdir(path, 0755);
	assert_int_equal(mount("x", path, "tmpfs", 0, "size=16k"), 0);
	scratch_write(scratch_path("m/f"), bytes, 0644);
	const struct space *space = &fact(KIND_SPACE, path)->space;

	assert_int_equal(space->size.value, 16384);
	assert_int_equal(space->used.value, 8192);
	assert_int_equal(space->available.value, 8192);
	assert_int_equal(space->percent.value, 50);
	assert_true(has_key(keys_of(KIND_SPACE), path));
}

static void a_share_is_rounded_up_and_an_empty_one_is_none(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");

	scratch_mkdir(path, 0755);
	assert_int_equal(mount("x", path, "tmpfs", 0, "size=4m"), 0);
	assert_int_equal(fact(KIND_SPACE, path)->space.percent.value, 0);
	scratch_write(scratch_path("m/f"), "one page of a thousand", 0644);
	assert_int_equal(fact(KIND_SPACE, path)->space.percent.value, 1);
	assert_false(fact(KIND_SPACE, "/proc")->space.percent.set);
}

static void nothing_mounted_is_absent(void **state)
{
	(void)state;
	scratch_mkdir(scratch_path("d"), 0755);
	assert_int_equal(fact(KIND_SPACE, scratch_path("d"))->state, STATE_ABSENT);
	assert_false(has_key(keys_of(KIND_SPACE), scratch_path("d")));
}

/* ---- A file system that answers with an error, one that is armed ---- */

static struct err refusal;

static int refuse(struct host *host, const char *target, struct host_space *ret_space,
                  struct err *err)
{
	(void)host;
	(void)target;
	(void)ret_space;
	return err_copy(err, &refusal);
}

static int observe_refused(struct resource **ret_have, struct err *err)
{
	struct host_ops ops = host_linux_ops;
	struct host host;

	ops.space = refuse;
	host_init(&host, &ops, arena);
	int r = converge_observe(&host, &kind_table[KIND_SPACE], "/lustre", NULL, arena, ret_have, err);

	host_done(&host);
	return r;
}

static void an_error_is_an_answer_and_a_refusal_to_look_is_none(void **state)
{
	(void)state;
	struct resource *have = NULL;
	struct err err = {0};

	(void)!err_set(&refusal, ERR_HOST, ESHUTDOWN, "cannot ask");
	assert_int_equal(observe_refused(&have, &err), 0);
	assert_int_equal(have->state, STATE_PRESENT);
	assert_string_equal(have->space.error, strerror(ESHUTDOWN));
	assert_false(have->space.size.set);
	(void)!err_set(&refusal, ERR_BUSY, 0, "the automount /lustre is armed");
	have = NULL;
	if (!observe_refused(&have, &err)) {
		assert_int_equal(have->state, STATE_UNDETERMINED);
		assert_non_null(strstr(have->why, "armed"));
	} else {
		assert_non_null(strstr(err.text, "armed"));
	}
}

static int observing_end(void **state)
{
	observing_teardown(state);
	scratch_clear();
	return 0;
}

#define CLEAN(name) cmocka_unit_test_setup_teardown(name, observing_setup, observing_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CLEAN(what_is_mounted_has_a_size_and_a_share),
	    CLEAN(a_share_is_rounded_up_and_an_empty_one_is_none),
	    CLEAN(nothing_mounted_is_absent),
	    CLEAN(an_error_is_an_answer_and_a_refusal_to_look_is_none),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
