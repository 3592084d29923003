// SPDX-License-Identifier: MIT
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>

static struct capture caught;
static struct output plain;
static const char *source;

static const char *line_of(const void *context, struct pos at, size_t *ret_length)
{
	(void)context;
	(void)at;
	*ret_length = source ? strlen(source) : 0;
	return source;
}

/* What is printed of a fault in this source line at this column. */
static const char *fault(const char *line, unsigned col)
{
	struct err err = {0};

	source = line;
	assert_int_equal(err_at(&err, ERR_INPUT, (struct pos){"a.yaml", 7, col}, "it is wrong"),
	                 -ERR_INPUT);
	CAPTURED(&caught, output_err(&plain, &err, line_of, NULL));
	assert_string_equal(caught.out, "");
	return caught.err;
}

static void a_fault_shows_its_line_and_a_caret(void **state)
{
	(void)state;
	assert_string_equal(fault("mode: x", 7), "a.yaml:7:7: error: it is wrong\n"
	                                         "     7 | mode: x\n"
	                                         "       |       ^\n");
	assert_string_equal(fault("x", 1), "a.yaml:7:1: error: it is wrong\n"
	                                   "     7 | x\n"
	                                   "       | ^\n");
	/* Behind the end: something is missing there. */
	assert_string_equal(fault("a:", 3), "a.yaml:7:3: error: it is wrong\n"
	                                    "     7 | a:\n"
	                                    "       |   ^\n");
	/* No column: the line alone. */
	assert_string_equal(fault("mode: x", 0), "a.yaml:7: error: it is wrong\n"
	                                         "     7 | mode: x\n");
	assert_string_equal(fault(NULL, 3), "a.yaml:7:3: error: it is wrong\n");
}

static void the_caret_stands_under_its_column_whatever_comes_before(void **state)
{
	(void)state;
	/* A tab is one column, for libyaml and for us. */
	assert_string_equal(strchr(fault("\ta: b", 5), '\n') + 1, "     7 |  a: b\n"
	                                                          "       |     ^\n");
	/* Letters of more than one byte count once. */
	assert_string_equal(strchr(fault("größe: x", 8), '\n') + 1, "     7 | größe: x\n"
	                                                            "       |        ^\n");
	/* What is shown as \xNN takes four columns. */
	assert_string_equal(strchr(fault("\033a: b", 5), '\n') + 1, "     7 | \\x1ba: b\n"
	                                                            "       |        ^\n");
	/* A byte that is no UTF-8 is a column of its own. */
	assert_string_equal(strchr(fault("\xff: b", 4), '\n') + 1, "     7 | \\xff: b\n"
	                                                           "       |       ^\n");
}

static void a_line_without_end_is_cut(void **state)
{
	(void)state;
	char line[5000];

	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	assert_true(strlen(fault(line, 4000)) < 400);
	assert_null(strchr(caught.err, '^'));
}

static void all_faults_come_with_their_hints(void **state)
{
	(void)state;
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct diags diags = {.arena = arena};

	source = NULL;
	diag_add(&diags, (struct pos){"a.yaml", 1, 2}, "did you mean mode?", "unknown key moed");
	diag_add(&diags, (struct pos){"b.yaml", 0, 0}, NULL, "empty");
	CAPTURED(&caught, output_diags(&plain, &diags, line_of, NULL));
	assert_string_equal(caught.err, "a.yaml:1:2: error: unknown key moed\n"
	                                "       = did you mean mode?\n"
	                                "b.yaml: error: empty\n");
}

static void what_comes_from_outside_reaches_no_terminal_raw(void **state)
{
	(void)state;
	struct err err = {0};

	assert_int_equal(err_set(&err, ERR_INPUT, 0, "bad\033[2J\nname"), -ERR_INPUT);
	CAPTURED(&caught, output_err(&plain, &err, NULL, NULL));
	assert_string_equal(caught.err, "reconcile: error: bad\\x1b[2J\\x0aname\n");
	CAPTURED(&caught, output_note(&plain, "%s", "a\rb"));
	assert_string_equal(caught.err, "reconcile: a\\x0db\n");
}

static void colour_is_for_terminals_and_who_asks(void **state)
{
	(void)state;
	struct output out;
	AUTO(str_free) struct str text = {0};

	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	CAPTURED(&caught, output_init(&out, COLOUR_AUTO)); /* files, no terminal */
	assert_false(out.colour || out.colour_err || out.progress);
	CAPTURED(&caught, output_init(&out, COLOUR_ALWAYS));
	assert_true(out.colour && out.colour_err);
	output_init(&out, COLOUR_NEVER);
	assert_false(out.colour || out.colour_err);
	setenv("NO_COLOR", "1", 1);
	output_init(&out, COLOUR_ALWAYS); /* who asks on the command line means it */
	assert_true(out.colour);
	output_init(&out, COLOUR_AUTO);
	assert_false(out.colour);
	unsetenv("NO_COLOR");
	output_paint(&text, true, COLOUR_RED, "x");
	output_paint(&text, false, COLOUR_RED, "y");
	output_paint(&text, true, COLOUR_NONE, "z");
	assert_string_equal(str_text(&text), "\033[31mx\033[0myz");
}

static void progress_is_drawn_over_and_taken_away(void **state)
{
	(void)state;
	struct output out = {.progress = true};

	CAPTURED(&caught, {
		output_progress(&out, "one");
		output_progress(&out, "two");
		output_note(&out, "said");
		output_progress(&out, "");
	});
	assert_string_equal(caught.err, "\r\033[Kone\r\033[Ktwo\r\033[Kreconcile: said\n");
	out = (struct output){0};
	CAPTURED(&caught, output_progress(&out, "never seen"));
	assert_string_equal(caught.err, "");
}

static void json_ends_with_a_newline(void **state)
{
	(void)state;
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct value map = value_map();
	bool done;

	value_put(arena, &map, "a", value_int(1));
	value_seal(&map);
	CAPTURED(&caught, done = output_json(&map));
	assert_true(done);
	assert_string_equal(caught.out, "{\n  \"a\": 1\n}\n");
}

static void a_full_disk_is_noticed_and_a_closed_pipe_is_no_error(void **state)
{
	(void)state;
	AUTO(str_free) struct str text = {0};
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), ends[2], before = dup(STDOUT_FILENO);
	bool on_full, on_pipe;

	str_add(&text, "text");
	assert_true(full >= 0 && before >= 0 && pipe(ends) == 0);
	fflush(stdout);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	dup2(ends[1], STDOUT_FILENO);
	on_pipe = output_text(&text);
	dup2(full, STDOUT_FILENO);
	int note = dup(STDERR_FILENO);

	dup2(full, STDERR_FILENO); /* not even that can be said */
	on_full = output_text(&text);
	dup2(note, STDERR_FILENO);
	dup2(before, STDOUT_FILENO);
	close(full);
	close(ends[1]);
	close(before);
	close(note);
	assert_true(on_pipe);
	assert_false(on_full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_fault_shows_its_line_and_a_caret),
	    cmocka_unit_test(the_caret_stands_under_its_column_whatever_comes_before),
	    cmocka_unit_test(a_line_without_end_is_cut),
	    cmocka_unit_test(all_faults_come_with_their_hints),
	    cmocka_unit_test(what_comes_from_outside_reaches_no_terminal_raw),
	    cmocka_unit_test(colour_is_for_terminals_and_who_asks),
	    cmocka_unit_test(progress_is_drawn_over_and_taken_away),
	    cmocka_unit_test(json_ends_with_a_newline),
	    cmocka_unit_test(a_full_disk_is_noticed_and_a_closed_pipe_is_no_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
