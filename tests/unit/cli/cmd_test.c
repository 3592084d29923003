// SPDX-License-Identifier: MIT
#include "capture.h"

#include "model/plan.h"

enum { WORDS = 12 };

static struct capture caught;
static struct arena *arena;
static struct cli cli;
static const struct cmd *command;

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	cli = (struct cli){.arena = arena};
	command = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* Parses the words of one line, split at blanks. */
static int parse(const char *line)
{
	char program[] = "reconcile", *argv[WORDS + 2] = {program}, *text = arena_strdup(arena, line);
	int argc = 1, code;

	for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
		assert_true(argc <= WORDS);
		argv[argc++] = word;
	}
	cli = (struct cli){.arena = arena};
	command = NULL;
	CAPTURED(&caught, code = cmd_parse(&cli, argc, argv, &command));
	return code;
}

static void must_parse(const char *line)
{
	if (parse(line) != -1) {
		fail_msg("%s: %s", line, caught.err);
	}
	assert_string_equal(caught.out, "");
}

static void an_option_takes_its_value_in_every_usual_way(void **state)
{
	(void)state;
	static const char *const lines[] = {
	    "plan --dir /tree", "plan --dir=/tree", "plan -C /tree",
	    "plan -C/tree",     "--dir /tree plan", "-C/tree plan",
	    "-C /tree plan",    "--dir=/tree plan", "-C /other plan -C /tree",
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		must_parse(lines[i]);
		assert_string_equal(command->name, "plan");
		assert_string_equal(cli.engine.command, "plan");
		assert_string_equal(cli.engine.tree, "/tree");
	}
	must_parse("plan --node=a=b"); /* only the first = divides */
	assert_string_equal(cli.engine.node, "a=b");
	must_parse("plan --node=");
	assert_string_equal(cli.engine.node, "");
}

static void global_options_reach_their_places(void **state)
{
	(void)state;
	must_parse("--json --history /h.db apply --run-dir /run --lock-timeout 2m --color never");
	assert_true(cli.json);
	assert_string_equal(cli.engine.history, "/h.db");
	assert_string_equal(cli.engine.run_dir, "/run");
	assert_int_equal(cli.engine.lock_wait_ms, 120000);
	assert_false(cli.out.colour);
}

static void options_of_commands_reach_their_places(void **state)
{
	(void)state;
	must_parse("apply -y --only mount:/a --only file --allow disruptive,reboot --prune "
	           "--ignore-pause --accept-shrink plan.json");
	assert_true(cli.yes && cli.engine.prune && cli.engine.ignore_pause && cli.engine.accept_shrink);
	assert_int_equal(cli.engine.allow, MARK_DISRUPTIVE | MARK_NEEDS_REBOOT);
	assert_string_equal(cli.only[0], "mount:/a");
	assert_string_equal(cli.only[1], "file");
	assert_null(cli.only[2]);
	assert_int_equal(cli.argument_count, 1);
	assert_string_equal(cli.arguments[0], "plan.json");
	must_parse("run --once --interval=90s");
	assert_true(cli.once);
	assert_int_equal(cli.interval, 90);
	must_parse("history -n 3");
	assert_int_equal(cli.limit, 3);
}

static void many_times_only_is_kept_whole(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		char program[] = "reconcile", plan[] = "plan", only[] = "--only";
		char *argv[] = {program, plan, only, arena_printf(arena, "file:/%d", i), NULL};

		/* Onto the same list each time. */
		assert_int_equal(cmd_parse(&cli, 4, argv, &command), -1);
	}
	assert_int_equal(cli.only_count, 100);
	assert_string_equal(cli.only[99], "file:/99");
	assert_null(cli.only[100]);
}

static void two_dashes_end_the_options(void **state)
{
	(void)state;
	must_parse("pause -- --json");
	assert_false(cli.json);
	assert_string_equal(cli.arguments[0], "--json");
	must_parse("apply -"); /* a single one is a word */
	assert_string_equal(cli.arguments[0], "-");
}

static void a_mistake_is_told_with_what_was_meant(void **state)
{
	(void)state;
	static const struct {
		const char *line, *says;
	} cases[] = {
	    {"plan --jsno", "unknown option --jsno; did you mean --json?"},
	    {"plan --nod=x", "unknown option --nod; did you mean --node?"},
	    {"plan -x", "unknown option -x"},
	    {"--yes apply", "unknown option --yes"},
	    {"plan --yes", "unknown option --yes"},
	    {"aply", "unknown command 'aply'; did you mean 'apply'?"},
	    {"xyzzyx", "unknown command 'xyzzyx'; `reconcile --help` lists them"},
	    {"plan --node", "--node needs a value: NAME"},
	    {"plan -C", "--dir needs a value: DIR"},
	    {"plan --json=1", "--json takes no value"},
	    {"apply -yes", "--yes takes no value"},
	    {"plan word", "one word too many: 'word'"},
	    {"history show 1 2", "one word too many: '2'"},
	    {"apply --lock-timeout soon", "'soon' is no duration"},
	    {"plan --color red", "'red' is not one of auto, always, never"},
	    {"plan --only nothing:/x", "--only: "},
	    {"apply --allow all", "'all' is not one of disruptive, irreversible, reboot"},
	    {"apply --allow disruptive,", "'' is not one of"},
	    {"apply --prune-only file", "expected KIND:KEY"},
	    {"run --interval 0", "--interval: '0' is too short, expected 1s or more"},
	    {"run --interval soon", "--interval: 'soon' is no duration, expected 90s"},
	    {"run --splay 400d", "--splay: '400d' is too long, expected 366d or less"},
	    {"run --until-in-sync 0s", "--until-in-sync: '0s' is too short"},
	    {"check --max-age 0", "--max-age: '0' is too short, expected 1s or more"},
	    {"pause r --for 0", "--for: '0' is too short, expected 1s or more"},
	    {"pause r --for 9999d", "--for: '9999d' is too long, expected 3650d or less"},
	    {"pause r --until 2099-02-30T10:00Z", "'2099-02-30T10:00Z' is no time, expected 18:30"},
	    {"allow --for 91d", "--for: '91d' is too long, expected 90d or less"},
	    {"history --limit 0", "'0' is no number from 1"},
	    {"history --limit x", "'x' is no number from 1"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(parse(cases[i].line), EXIT_ERROR);
		assert_string_equal(caught.out, "");
		assert_has(caught.err, cases[i].says);
	}
}

static void a_usage_error_is_json_where_json_was_asked_for(void **state)
{
	(void)state;
	assert_int_equal(parse("--json plan --nosuch"), EXIT_ERROR);
	assert_has(caught.out, "\"exit_code\": 1");
	assert_has(caught.out, "unknown option --nosuch");
	assert_has(caught.err, "unknown option --nosuch");
}

/* "--name": a whole word of the help. */
static void assert_lists(const char *help, const char *name)
{
	const char *at = help;
	size_t n = strlen(name);

	while ((at = strstr(at, name)) && at[n] != ' ' && at[n] != '\n') {
		at += n;
	}
	if (!at) {
		fail_msg("the help does not list %s: %s", name, help);
	}
}

static void every_command_has_help_that_lists_its_options(void **state)
{
	(void)state;
	for (size_t i = 0; cmd_table[i]; i++) {
		const struct cmd *c = cmd_table[i];

		assert_non_null(c->run);
		assert_true(c->summary[0] && c->help[0] && c->arguments);
		assert_ptr_equal(cmd_find(c->name), c);
		assert_int_equal(parse(arena_printf(arena, "%s --help", c->name)), 0);
		assert_has(caught.out, arena_printf(arena, "Usage: reconcile %s ", c->name));
		assert_has(caught.out, c->help);
		for (const struct option_row *o = c->options; o && o->name; o++) {
			assert_lists(caught.out, o->name);
			assert_has(caught.out, o->help);
		}
		assert_lists(caught.out, "--json");
		assert_lists(caught.out, "--lock-timeout");
		assert_string_equal(caught.err, "");
		/* The same by another way, and in any company. */
		assert_int_equal(parse(arena_printf(arena, "help %s", c->name)), 0);
		assert_int_equal(parse(arena_printf(arena, "%s -h --json", c->name)), 0);
	}
}

static void no_line_of_help_is_wider_than_a_terminal(void **state)
{
	(void)state;
	for (size_t i = 0; cmd_table[i]; i++) {
		assert_int_equal(parse(arena_printf(arena, "%s --help", cmd_table[i]->name)), 0);
		for (const char *line = caught.out; line; line = strchr(line, '\n')) {
			line += *line == '\n';
			if (strcspn(line, "\n") > 100) {
				fail_msg("%.*s", (int)strcspn(line, "\n"), line);
			}
		}
	}
}

static void the_program_s_help_lists_every_command(void **state)
{
	(void)state;
	assert_int_equal(parse("--help"), 0);
	for (size_t i = 0; cmd_table[i]; i++) {
		assert_has(caught.out, arena_printf(arena, "\n  %-12s %s\n", cmd_table[i]->name,
		                                    cmd_table[i]->summary));
	}
	assert_int_equal(parse("help"), 0);
	assert_int_equal(parse(""), EXIT_ERROR); /* no command is an error */
}

static void the_version_is_a_command_and_an_option(void **state)
{
	(void)state;
	must_parse("--version");
	assert_string_equal(command->name, "version");
	must_parse("version --json");
	assert_string_equal(command->name, "version");
}

static void no_two_options_share_a_name_or_letter(void **state)
{
	(void)state;
	for (size_t i = 0; cmd_table[i]; i++) {
		for (const struct option_row *a = cmd_table[i]->options; a && a->name; a++) {
			for (const struct option_row *b = a + 1; b->name; b++) {
				assert_string_not_equal(a->name, b->name);
				assert_true(!a->letter || a->letter != b->letter);
			}
			assert_int_not_equal(a->letter, 'C');
			assert_int_not_equal(a->letter, 'h');
		}
	}
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(an_option_takes_its_value_in_every_usual_way),
	    test(global_options_reach_their_places),
	    test(options_of_commands_reach_their_places),
	    test(many_times_only_is_kept_whole),
	    test(two_dashes_end_the_options),
	    test(a_mistake_is_told_with_what_was_meant),
	    test(a_usage_error_is_json_where_json_was_asked_for),
	    test(every_command_has_help_that_lists_its_options),
	    test(no_line_of_help_is_wider_than_a_terminal),
	    test(the_program_s_help_lists_every_command),
	    test(the_version_is_a_command_and_an_option),
	    test(no_two_options_share_a_name_or_letter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
