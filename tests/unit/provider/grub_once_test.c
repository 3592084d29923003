// SPDX-License-Identifier: MIT
#include "unit/provider/booting.h"

#include "base/clock.h"
#include "provider/grub_once.h"

#define ENV "/boot/grub/grubenv"

static struct applied set(const char *release)
{
	struct applied applied = {.outcome = OUTCOME_CHANGED};
	struct err err;

	if (grub_once_set(booting_host(), release, arena, &applied, &err)) {
		fail_msg("%s", err.text);
	}
	return applied;
}

static void an_entry_is_started_once_and_forgotten(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	assert_int_equal(set(OLD).outcome, OUTCOME_CHANGED);
	assert_has(scratch_read(ENV), "\nnext_entry=" ID_OF(OLD) "\n");
	assert_int_equal(set("").outcome, OUTCOME_CHANGED);
	assert_null(strstr(scratch_read(ENV), "next_entry"));
	assert_int_equal(access("/run/reconcile-grubenv", F_OK), -1);
}

static void what_else_the_block_holds_stays(void **state)
{
	struct stat st;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	scratch_write(ENV, BLOCK "saved_entry=mine\n####", 0640);
	set(OLD);
	assert_has(scratch_read(ENV), "\nsaved_entry=mine\n");
	stat(ENV, &st);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void a_broken_block_is_made_anew(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	scratch_write(ENV, "", 0600);
	assert_int_equal(set(OLD).outcome, OUTCOME_CHANGED);
	assert_has(scratch_read(ENV), BLOCK "next_entry=" ID_OF(OLD));
}

static void a_tool_that_fails_or_does_nothing_changes_nothing(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	scratch_write(ENV, BLOCK "saved_entry=mine\n####", 0600);
	scratch_write("/run/broken", "", 0644);
	struct applied applied = set(OLD);

	assert_int_equal(applied.outcome, OUTCOME_FAILED);
	assert_has(applied.why, "grub-editenv failed");
	scratch_write("/usr/sbin/grub-editenv", "#!/bin/sh\n", 0755);
	applied = set(OLD);
	assert_int_equal(applied.outcome, OUTCOME_FAILED);
	assert_has(applied.why, "made no environment block");
	assert_string_equal(scratch_read(ENV), BLOCK "saved_entry=mine\n####");
	applied = set("6.12.1");
	assert_has(applied.why, "no id of GRUB's menu names 6.12.1");
}

/* A block that somebody is cut off from is never half a block. */
static void whatever_fails_the_block_is_whole(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_tools();
	for (enum fault_when when = FAULT_BEFORE; when <= FAULT_AFTER; when++) {
		for (unsigned n = 1;; n++) {
			struct applied applied = {.outcome = OUTCOME_CHANGED};
			struct host host;
			struct err err;

			assert_true(n < 60);
			booting_fresh();
			scratch_write(ENV, BLOCK "saved_entry=mine\n####", 0600);
			host_init(&host, fault_host_table(n, when), arena);
			int r = grub_once_set(&host, OLD, arena, &applied, &err);

			host_done(&host);

			assert_has(scratch_read(ENV), BLOCK);
			assert_has(scratch_read(ENV), "\nsaved_entry=mine\n");
			if (!fault_host_hit()) {
				assert_int_equal(r, 0);
				assert_true(n > 8);
				break;
			}
			assert_int_equal(set(OLD).outcome, OUTCOME_CHANGED);
			assert_has(scratch_read(ENV), "\nnext_entry=" ID_OF(OLD) "\n");
		}
	}
}

static const char *probe(void)
{
	const char *obstacle;
	struct err err;

	assert_int_equal(grub_once_probe(booting_host(), arena, &obstacle, &err), 0);
	return obstacle;
}

static void grub_probe_has_the_last_word(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	assert_null(probe());
	scratch_write("/run/fs", "btrfs\n", 0644);
	assert_has(probe(), "GRUB cannot write to btrfs");
	scratch_write("/run/fs", "", 0644);
	assert_has(probe(), "no name for");
	scratch_write("/run/fs", "xfs\n", 0644);
	scratch_write("/run/abstraction", "lvm mdraid1x\n", 0644);
	assert_has(probe(), "GRUB cannot write through lvm");
	scratch_write("/usr/sbin/grub-probe", "#!/bin/sh\necho 'no such disk' >&2\nexit 1\n", 0755);
	assert_has(probe(), "grub-probe failed: no such disk");
	unlink("/usr/sbin/grub-probe");
	assert_has(probe(), "no grub-probe here");
}

static void a_grub_probe_that_does_not_answer_is_not_awaited(void **state)
{
	int64_t start = clock_ms();

	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_open();
	booting_slow("grub-probe");
	assert_has(probe(), "grub-probe does not answer");
	assert_true(clock_ms() - start < 4500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_entry_is_started_once_and_forgotten),
	    TEST(what_else_the_block_holds_stays),
	    TEST(a_broken_block_is_made_anew),
	    TEST(a_tool_that_fails_or_does_nothing_changes_nothing),
	    TEST(whatever_fails_the_block_is_whole),
	    TEST(grub_probe_has_the_last_word),
	    TEST(a_grub_probe_that_does_not_answer_is_not_awaited),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
