// SPDX-License-Identifier: MIT
/* See cmd.h: the table of commands, and parsing and help out of the tables. */
#include "cli/cmd.h"

#include "base/path.h"
#include "cli/cmds.h"
#include "cli/session.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

const struct cmd *const cmd_table[] = {
    &cmd_doctor, &cmd_import,  &cmd_check,  &cmd_plan,    &cmd_apply,    &cmd_run,
    &cmd_status, &cmd_history, &cmd_facts,  &cmd_show,    &cmd_validate, &cmd_preflight,
    &cmd_allow,  &cmd_pause,   &cmd_resume, &cmd_version, NULL,
};

static int take_tree(struct cli *cli, const char *value, struct err *err)
{
	(void)err;
	cli->engine.tree = value;
	cli->engine.tree_named = true;
	return 0;
}

static int take_node(struct cli *cli, const char *value, struct err *err)
{
	(void)err;
	cli->engine.node = value;
	return 0;
}

/* As seen from where we were started: what is read and written there is named in full. */
static int take_path(struct cli *cli, const char *value, const char **ret_path, struct err *err)
{
	char here[PATH_MAX];

	while (strncmp(value, "./", 2) == 0) {
		value += 2;
	}
	if (*value != '/' && !getcwd(here, sizeof here)) {
		return err_set(err, ERR_INPUT, errno, "%s: cannot tell the folder we are in", value);
	}
	*ret_path = *value == '/' ? value : path_join(cli->arena, here, value);
	return 0;
}

static int take_history(struct cli *cli, const char *value, struct err *err)
{
	return take_path(cli, value, &cli->engine.history, err);
}

static int take_run_dir(struct cli *cli, const char *value, struct err *err)
{
	return take_path(cli, value, &cli->engine.run_dir, err);
}

static int take_json(struct cli *cli, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	cli->json = true;
	return 0;
}

static int take_lock_timeout(struct cli *cli, const char *value, struct err *err)
{
	int64_t seconds = 0;
	int r = session_take_duration("--lock-timeout", value, 0, SESSION_YEAR, &seconds, err);

	cli->engine.lock_wait_ms = seconds * 1000;
	return r;
}

static int take_color(struct cli *cli, const char *value, struct err *err)
{
	static const char *const words[] = {"auto", "always", "never"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i], value) == 0) {
			output_init(&cli->out, (enum colour_choice)i);
			return 0;
		}
	}
	return err_set(err, ERR_INPUT, 0, "--color: '%s' is not one of auto, always, never", value);
}

static const struct option_row global_options[] = {
    {"--dir", 'C', "DIR", "the tree with state/ and policies/ (default /etc/reconcile)", take_tree},
    {"--node", 0, "NAME", "act as this node (default: /etc/reconcile/node.yaml, or the host name)",
     take_node},
    {"--history", 0, "FILE", "the history (default /var/lib/reconcile/history.db)", take_history},
    {"--run-dir", 0, "DIR", "lock and records of this boot (default /run/reconcile)", take_run_dir},
    {"--lock-timeout", 0, "DURATION", "how long to wait for another run to end (default 0)",
     take_lock_timeout},
    {"--json", 0, NULL, "print JSON", take_json},
    {"--color", 0, "WHEN", "auto, always or never", take_color},
    {NULL, 0, NULL, NULL, NULL},
};

const struct cmd *cmd_find(const char *name)
{
	for (size_t i = 0; cmd_table[i]; i++) {
		if (strcmp(cmd_table[i]->name, name) == 0) {
			return cmd_table[i];
		}
	}
	return NULL;
}

static void add_options(struct str *s, const struct option_row *options)
{
	for (; options && options->name; options++) {
		AUTO(str_free) struct str left = {0};

		if (options->letter) {
			str_addf(&left, "-%c, ", options->letter);
		}
		str_addf(&left, "%s%s%s", options->name, options->argument ? " " : "",
		         options->argument ? options->argument : "");
		str_addf(s, "  %-26s %s\n", str_text(&left), options->help);
	}
}

static void add_command_help(struct str *s, const struct cmd *command)
{
	str_addf(s, "Usage: reconcile %s %s%s[OPTIONS]\n\n%s\n\n%s\n", command->name,
	         command->arguments, *command->arguments ? " " : "", command->summary, command->help);
	if (command->options) {
		str_add(s, "\nOptions:\n");
		add_options(s, command->options);
	}
	str_add(s, "\nGlobal options:\n");
	add_options(s, global_options);
}

static void add_program_help(struct str *s)
{
	str_add(s,
	        "Usage: reconcile [OPTIONS] COMMAND [ARGUMENTS]\n\n"
	        "Keeps a node as its desired state says: kernel, modules, packages, mounts, files.\n\n"
	        "Commands:\n");
	for (size_t i = 0; cmd_table[i]; i++) {
		str_addf(s, "  %-12s %s\n", cmd_table[i]->name, cmd_table[i]->summary);
	}
	str_add(s, "\nGlobal options:\n");
	add_options(s, global_options);
	str_add(
	    s,
	    "\nExit codes of plan, apply, run --once and status: 0 in sync, 1 error, 2 changes can be\n"
	    "made now, 3 another run holds the lock, 4 blocked or pending, 5 failed,\n"
	    "6 undetermined, 7 paused. `reconcile COMMAND --help` says more.\n");
}

static int print_help(const struct cmd *command)
{
	AUTO(str_free) struct str s = {0};

	if (command) {
		add_command_help(&s, command);
	} else {
		add_program_help(&s);
	}
	return output_text(&s) ? EXIT_IN_SYNC : EXIT_ERROR;
}

static const struct option_row *find_option(const struct option_row *options, const char *word,
                                            size_t n)
{
	for (; options && options->name; options++) {
		if ((strlen(options->name) == n && strncmp(options->name, word, n) == 0) ||
		    (options->letter && n == 2 && word[0] == '-' && word[1] == options->letter)) {
			return options;
		}
	}
	return NULL;
}

static void collect_names(const struct option_row *options, const char **names, size_t *count)
{
	for (; options && options->name; options++) {
		names[(*count)++] = options->name;
	}
}

static int unknown_option(const struct cmd *command, const char *word, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *name = arena_strndup(arena, word, strcspn(word, "="));
	const char *names[64];
	size_t count = 0;

	collect_names(global_options, names, &count);
	collect_names(command ? command->options : NULL, names, &count);
	const char *nearest = text_nearest(name, names, count);

	return err_set(err, ERR_INPUT, 0, "unknown option %s%s%s%s", name,
	               nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

static int unknown_command(const char *word, struct err *err)
{
	const char *names[64];
	size_t count = 0;

	for (size_t i = 0; cmd_table[i]; i++) {
		names[count++] = cmd_table[i]->name;
	}
	const char *nearest = text_nearest(word, names, count);

	return err_set(err, ERR_INPUT, 0, "unknown command '%s'%s%s%s", word,
	               nearest ? "; did you mean '" : "", nearest ? nearest : "",
	               nearest ? "'?" : "; `reconcile --help` lists them");
}

/* The words of the command line on their way into struct cli. */
struct words {
	struct cli *cli;
	int argc, at;
	char **argv;
	const struct cmd *command;
	const char **arguments;
	bool no_more_options, help;
};

/* "--name=value", "--name value", "-C value", "-Cvalue", flags. */
static int take_option(struct words *w, const char *word, struct err *err)
{
	bool is_short = word[1] != '-';
	const char *equals = is_short ? NULL : strchr(word, '=');
	size_t n = equals ? (size_t)(equals - word) : is_short ? 2 : strlen(word);
	const struct option_row *row = find_option(global_options, word, n);
	const char *value = equals ? equals + 1 : is_short && word[2] ? word + 2 : NULL;

	row = row ? row : find_option(w->command ? w->command->options : NULL, word, n);
	if (!row) {
		return unknown_option(w->command, word, err);
	}
	if (row->argument && !value) {
		if (w->at >= w->argc) {
			return err_set(err, ERR_INPUT, 0, "%s needs a value: %s", row->name, row->argument);
		}
		value = w->argv[w->at++];
	}
	if (!row->argument && value) {
		return err_set(err, ERR_INPUT, 0, "%s takes no value", row->name);
	}
	return row->take(w->cli, value, err);
}

static int take_word(struct words *w, const char *word, struct err *err)
{
	if (!w->command) {
		if (strcmp(word, "help") == 0) {
			w->help = true;
			return 0;
		}
		w->command = cmd_find(word);
		return w->command ? 0 : unknown_command(word, err);
	}
	if (w->cli->argument_count == w->command->most_arguments) {
		return err_set(err, ERR_INPUT, 0, "one word too many: '%s'; usage: reconcile %s%s%s", word,
		               w->command->name, *w->command->arguments ? " " : "", w->command->arguments);
	}
	w->arguments[w->cli->argument_count++] = word;
	return 0;
}

static int parse(struct words *w, struct err *err)
{
	while (w->at < w->argc) {
		const char *word = w->argv[w->at++];
		bool option = word[0] == '-' && word[1] && !w->no_more_options;
		int r = 0;

		if (option && strcmp(word, "--") == 0) {
			w->no_more_options = true;
		} else if (option && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
			w->help = true;
		} else if (option && !w->command && strcmp(word, "--version") == 0) {
			w->command = cmd_find("version");
		} else {
			r = option ? take_option(w, word, err) : take_word(w, word, err);
		}
		if (r) {
			return r;
		}
	}
	return 0;
}

int cmd_parse(struct cli *cli, int argc, char **argv, const struct cmd **ret_command)
{
	struct err err = {0};
	struct words w = {
	    .cli = cli,
	    .argc = argc,
	    .at = 1,
	    .argv = argv,
	    .arguments = arena_array(cli->arena, (size_t)argc + 1, sizeof *w.arguments),
	};

	cli->arguments = w.arguments;
	if (parse(&w, &err)) {
		return session_fail(cli, NULL, &err);
	}
	if (w.help) {
		return print_help(w.command);
	}
	if (!w.command) {
		AUTO(str_free) struct str s = {0};

		add_program_help(&s);
		output_text(&s);
		return EXIT_ERROR;
	}
	cli->engine.command = w.command->name;
	*ret_command = w.command;
	return -1;
}
