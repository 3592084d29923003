// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "base/clock.h"
#include "base/json.h"
#include "cli/run_log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOUR = 3600 * 1000 };

static struct arena *arena;
static struct run_log *journal;
static int64_t now;
static int fd;
static struct step steps[2];
static struct plan plan;
static struct engine_result result;

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	fd = open(scratch_path("log"), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	steps[0] = (struct step){.id = "directory:/a",
	                         .want = resource_create(arena, &kind_table[KIND_DIRECTORY], "/a")};
	steps[1] = (struct step){.id = "directory:/b",
	                         .want = resource_create(arena, &kind_table[KIND_DIRECTORY], "/b")};
	plan = (struct plan){.steps = steps, .step_count = 2};
	result = (struct engine_result){.plan = &plan, .run = 7};
	now = HOUR;
	journal = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	run_log_free(journal);
	close(fd);
	arena_free(arena);
	scratch_clear();
	return 0;
}

static void start(enum run_log_form form)
{
	journal = run_log_create(form, fd);
	run_log_set_clock(journal, now);
}

/* What was said since the last time. */
static const char *said(void)
{
	static char text[64 << 10];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_int_equal(ftruncate(fd, 0), 0);
	return text;
}

static const char *pass(void)
{
	run_log_begin(journal);
	run_log_pass(journal, &result);
	return said();
}

static void a_pass_that_finds_nothing_says_nothing(void **state)
{
	(void)state;
	start(RUN_LOG_PLAIN);
	for (int i = 0; i < 3; i++) {
		assert_string_equal(pass(), "");
	}
}

static void a_change_is_one_line_with_what_and_why(void **state)
{
	(void)state;
	struct differences d = {0};
	const struct origin origin = {.reason = "wanted by the test"};

	differences_add(arena, &d, "mode", "0700", "0755");
	steps[0].outcome = OUTCOME_CHANGED;
	steps[0].action = ACTION_UPDATE;
	steps[0].differences = d;
	steps[0].origins = &origin;
	steps[0].origin_count = 1;
	steps[0].duration_ms = 2500;
	start(RUN_LOG_JOURNAL);
	run_log_begin(journal);
	run_log_step(journal, &steps[0]);
	run_log_pass(journal, &result);
	assert_string_equal(said(), "<5>changed directory:/a (update) in 2.5s: mode 0700 → 0755; "
	                            "because wanted by the test\n");
}

static void what_goes_wrong_is_said_when_it_begins_and_when_it_ends(void **state)
{
	(void)state;
	start(RUN_LOG_JOURNAL);
	steps[0].outcome = OUTCOME_BLOCKED;
	steps[0].why = "it is in use by process 12";
	assert_string_equal(pass(), "<4>blocked directory:/a: it is in use by process 12\n");
	steps[0].why = "it is in use by process 4711"; /* the same, in other numbers */
	for (int i = 0; i < 5; i++) {
		run_log_set_clock(journal, now += 60000);
		assert_string_equal(pass(), "");
	}
	steps[0].outcome = OUTCOME_KEPT;
	assert_string_equal(pass(), "<6>recovered directory:/a: in sync again after 5m 0s\n");
	assert_string_equal(pass(), "");
}

static void what_stays_wrong_is_repeated_every_six_hours(void **state)
{
	(void)state;
	int times = 0;

	start(RUN_LOG_JOURNAL);
	steps[0].outcome = OUTCOME_UNDETERMINED;
	steps[0].why = "no answer";
	for (int i = 0; i < 24 * 12; i++) {
		times += *pass() != '\0';
		run_log_set_clock(journal, now += 300000);
	}
	assert_int_equal(times, 4);
}

static void another_reason_is_said(void **state)
{
	(void)state;
	start(RUN_LOG_JOURNAL);
	steps[0].outcome = OUTCOME_FAILED;
	steps[0].why = "no such device";
	assert_string_equal(pass(), "<3>failed directory:/a: no such device\n");
	steps[0].why = "permission denied";
	assert_string_equal(pass(), "<3>failed directory:/a: permission denied\n");
}

static void one_that_is_held_back_still_is_one_that_failed(void **state)
{
	(void)state;
	const struct retry retry = {1, "no such device", 0};

	start(RUN_LOG_JOURNAL);
	steps[0].outcome = OUTCOME_FAILED;
	steps[0].why = "no such device";
	steps[0].retry = &retry;
	assert_string_equal(pass(), "<3>failed directory:/a: no such device; next try 00:00:00Z\n");
	steps[0].outcome = OUTCOME_BLOCKED;
	steps[0].why = "backing off after 1 failure: no such device; next try 00:00:00Z";
	assert_string_equal(pass(), "");
	steps[0].outcome = OUTCOME_FAILED;
	steps[0].why = "no such device";
	assert_string_equal(pass(), "");
}

static void what_is_no_longer_wanted_ends_as_well(void **state)
{
	(void)state;
	start(RUN_LOG_JOURNAL);
	steps[1].outcome = OUTCOME_FAILED;
	steps[1].why = "x";
	pass();
	plan.step_count = 1;
	assert_non_null(strstr(pass(), "recovered directory:/b"));
}

static void an_error_is_said_once_and_all_else_stands_meanwhile(void **state)
{
	(void)state;
	struct diags diags = {.arena = arena};
	struct err err;

	start(RUN_LOG_JOURNAL);
	steps[0].outcome = OUTCOME_FAILED;
	steps[0].why = "x";
	pass();
	diag_add(&diags, (struct pos){"t.yaml", 3, 4}, "expected y", "unknown key 'z'");
	err_set(&err, ERR_INPUT, 0, "1 fault in the desired state");
	run_log_begin(journal);
	run_log_error(journal, &diags, &err);
	assert_string_equal(said(), "<3>error: t.yaml:3:4: unknown key 'z' (expected y)\n"
	                            "<3>error: 1 fault in the desired state\n");
	run_log_begin(journal);
	run_log_error(journal, &diags, &err);
	assert_string_equal(said(), "");
	const char *after = pass();

	assert_non_null(strstr(after, "<6>recovered run: possible again"));
	assert_null(strstr(after, "failed"));
}

static void a_lock_that_is_held_is_said_once(void **state)
{
	(void)state;
	struct err err;

	start(RUN_LOG_JOURNAL);
	err_set(&err, ERR_LOCKED, 0, "locked by process 12 (apply)");
	run_log_begin(journal);
	run_log_error(journal, NULL, &err);
	assert_string_equal(said(), "<6>skipped: locked by process 12 (apply)\n");
	run_log_begin(journal);
	run_log_error(journal, NULL, &err);
	assert_string_equal(said(), "");
	assert_string_equal(pass(), "");
}

static void a_note_is_said_again_after_six_hours_only(void **state)
{
	(void)state;
	start(RUN_LOG_JOURNAL);
	for (int i = 0; i < 3; i++) {
		run_log_begin(journal);
		run_log_note(journal, "history: it is full");
		run_log_pass(journal, &result);
		assert_string_equal(said(), i ? "" : "<5>note: history: it is full\n");
		assert_string_equal(pass(), ""); /* also when it is not repeated each time */
	}
	run_log_set_clock(journal, now + 7 * HOUR);
	run_log_begin(journal);
	run_log_note(journal, "history: it is full");
	run_log_pass(journal, &result);
	assert_string_equal(said(), "<5>note: history: it is full\n");
}

static void a_note_after_the_end_of_a_pass_is_remembered_too(void **state)
{
	(void)state;
	start(RUN_LOG_PLAIN);
	assert_string_equal(pass(), "");
	run_log_note(journal, "history: it cannot be tidied");
	assert_non_null(strstr(said(), "it cannot be tidied"));
	assert_string_equal(pass(), "");
	run_log_note(journal, "history: it cannot be tidied");
	assert_string_equal(said(), "");
}

static void a_pause_ends_with_a_word(void **state)
{
	(void)state;
	struct engine_result paused = {.exit_code = 7};

	start(RUN_LOG_JOURNAL);
	run_log_begin(journal);
	run_log_note(journal, "paused: maintenance");
	run_log_pass(journal, &paused);
	assert_string_equal(said(), "<5>note: paused: maintenance\n");
	run_log_set_clock(journal, now + 60000);
	assert_string_equal(pass(), "<6>recovered pause: resumed after 1m 0s\n");
}

static void what_is_not_recorded_ends_with_a_word(void **state)
{
	(void)state;
	start(RUN_LOG_JOURNAL);
	run_log_begin(journal);
	run_log_note(journal, "history: read-only");
	run_log_note(journal, "the tree could not be kept as the last good one: read-only");
	result.no_history = result.tree_not_kept = true;
	pass();
	result.no_history = result.tree_not_kept = false;
	run_log_set_clock(journal, now + 60000);
	assert_string_equal(pass(), "<6>recovered history: it can be written again after 1m 0s\n"
	                            "<6>recovered last good tree: it is kept again after 1m 0s\n");
	assert_string_equal(pass(), "");
}

static void a_change_has_its_run_and_how_long_it_took(void **state)
{
	(void)state;
	start(RUN_LOG_JSON);
	steps[0].outcome = OUTCOME_CHANGED;
	steps[0].action = ACTION_CREATE;
	steps[0].duration_ms = 0;
	run_log_begin(journal);
	run_log_run(journal, 7);
	run_log_step(journal, &steps[0]);
	const char *text = said();

	assert_non_null(strstr(text, "\"run\":7"));
	assert_non_null(strstr(text, "\"duration_ms\":0"));
}

static void json_lines_have_their_fields(void **state)
{
	(void)state;
	struct value v;
	struct err err;

	start(RUN_LOG_JSON);
	steps[0].outcome = OUTCOME_FAILED;
	steps[0].action = ACTION_CREATE;
	steps[0].why = "a\nb\"c";
	steps[0].duration_ms = 12;
	const char *text = pass();

	assert_int_equal(strchr(text, '\n') - text, strlen(text) - 1);
	assert_int_equal(json_parse(text, strlen(text), "log", arena, &v, &err), 0);
	assert_string_equal(value_text(&v, "level"), "err");
	assert_string_equal(value_text(&v, "event"), "failed");
	assert_string_equal(value_text(&v, "id"), "directory:/a");
	assert_string_equal(value_text(&v, "action"), "create");
	assert_string_equal(value_text(&v, "outcome"), "failed");
	assert_string_equal(value_text(&v, "reason"), "a\nb\"c");
	assert_int_equal(value_number(&v, "run", 0), 7);
	assert_int_equal(value_number(&v, "duration_ms", 0), 12);
	assert_int_equal(strlen(value_text(&v, "ts")), 20);
}

static void a_line_for_people_holds_no_control_characters(void **state)
{
	(void)state;
	start(RUN_LOG_JOURNAL);
	steps[0].outcome = OUTCOME_FAILED;
	steps[0].why = "a\n<0>forged\033[31m";
	assert_string_equal(pass(), "<3>failed directory:/a: a\\x0a<0>forged\\x1b[31m\n");
}

static void the_journal_is_known_by_its_stream(void **state)
{
	(void)state;
	char stream[64];
	struct stat st;

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
	         (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_true(run_log_is_journal());
	setenv("JOURNAL_STREAM", "1:2", 1);
	assert_false(run_log_is_journal());
	setenv("JOURNAL_STREAM", "x", 1);
	assert_false(run_log_is_journal());
	unsetenv("JOURNAL_STREAM");
	assert_false(run_log_is_journal());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void who_does_not_read_loses_lines_and_is_told_how_many(void **state)
{
	static char full[1 << 16], text[1 << 17];
	int pipe_ends[2];
	ssize_t n = 0;

	(void)state;
	assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
	assert_int_equal(fcntl(pipe_ends[1], F_SETFL, O_NONBLOCK), 0);
	while (write(pipe_ends[1], full, sizeof full) > 0) {
	}
	assert_int_equal(fcntl(pipe_ends[1], F_SETFL, 0), 0);
	journal = run_log_create(RUN_LOG_JOURNAL, pipe_ends[1]);
	alarm(30); /* it must not wait until somebody reads */
	run_log_say(journal, RUN_LOG_NOTICE, "note", "the first");
	run_log_say(journal, RUN_LOG_NOTICE, "note", "the second");
	alarm(0);
	assert_true(read(pipe_ends[0], text, sizeof text) > 0);
	run_log_say(journal, RUN_LOG_NOTICE, "note", "the third");
	n = read(pipe_ends[0], text, sizeof text - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text, "<4>warning: 2 lines of this log could not be written\n"
	                          "<5>note: the third\n");
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_pass_that_finds_nothing_says_nothing),
	    TEST(a_change_is_one_line_with_what_and_why),
	    TEST(what_goes_wrong_is_said_when_it_begins_and_when_it_ends),
	    TEST(what_stays_wrong_is_repeated_every_six_hours),
	    TEST(another_reason_is_said),
	    TEST(one_that_is_held_back_still_is_one_that_failed),
	    TEST(what_is_no_longer_wanted_ends_as_well),
	    TEST(an_error_is_said_once_and_all_else_stands_meanwhile),
	    TEST(a_lock_that_is_held_is_said_once),
	    TEST(a_note_is_said_again_after_six_hours_only),
	    TEST(a_note_after_the_end_of_a_pass_is_remembered_too),
	    TEST(a_pause_ends_with_a_word),
	    TEST(who_does_not_read_loses_lines_and_is_told_how_many),
	    TEST(what_is_not_recorded_ends_with_a_word),
	    TEST(a_change_has_its_run_and_how_long_it_took),
	    TEST(json_lines_have_their_fields),
	    TEST(a_line_for_people_holds_no_control_characters),
	    TEST(the_journal_is_known_by_its_stream),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
