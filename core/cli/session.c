// SPDX-License-Identifier: MIT
/* See session.h. */
#include "cli/session.h"

#include "base/clock.h"
#include "base/path.h"
#include "cli/render.h"
#include "cli/run_log.h"
#include "host/self.h"
#include "provider/worker.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void tick(struct cli *cli, const char *what, int64_t elapsed_ms)
{
	if (cli->tick) {
		cli->tick(cli, what, elapsed_ms);
	}
}

static void waiting(void *context, const char *what, int64_t elapsed_ms)
{
	struct cli *cli = context;
	AUTO(str_free) struct str text = {0};

	tick(cli, what, elapsed_ms);
	if (elapsed_ms >= 500) {
		str_addf(&text, "%s ... ", what);
		clock_add_span(&text, elapsed_ms);
		output_progress(&cli->out, str_text(&text));
	}
}

static void note(void *context, const char *text)
{
	struct cli *cli = context;

	tick(cli, "", 0);
	if (cli->log) {
		run_log_note(cli->log, text);
	} else {
		output_note(&cli->out, "%s", text);
	}
}

static void step_begin(void *context, const struct step *step, size_t i, size_t n)
{
	struct cli *cli = context;
	AUTO(str_free) struct str text = {0};

	tick(cli, step->id, 0);
	str_addf(&text, "[%zu/%zu] ", i + 1, n);
	render_id(&text, step->want);
	str_add(&text, " ...");
	output_progress(&cli->out, str_text(&text));
}

static void step_end(void *context, const struct step *step, size_t i, size_t n)
{
	struct cli *cli = context;
	AUTO(str_free) struct str text = {0};

	(void)i;
	(void)n;
	tick(cli, "", 0);
	if (cli->step_done) {
		cli->step_done(cli, step);
	}
	output_progress(&cli->out, "");
	if (cli->log) {
		run_log_step(cli->log, step);
	} else if (!cli->json) {
		render_done(&text, cli->out.colour, step, cli->id_width);
		output_text(&text);
	}
}

static void begun(void *context, int64_t run)
{
	struct cli *cli = context;

	if (cli->log) {
		run_log_run(cli->log, run);
	}
}

struct engine *session_open(struct cli *cli)
{
	cli->watch = (struct engine_watch){
	    .begun = begun,
	    .waiting = waiting,
	    .step_begin = step_begin,
	    .step_end = step_end,
	    .note = note,
	    .context = cli,
	};
	cli->engine.only = cli->only;
	return engine_open(&cli->engine, &cli->watch);
}

static const char *line_of(const void *context, struct pos at, size_t *ret_length)
{
	return engine_source_line(context, at, ret_length);
}

struct value session_fault(struct arena *arena, const struct err *err, const char *hint)
{
	struct value fault = value_map();

	value_put(arena, &fault, "error", value_string(err->text));
	value_put(arena, &fault, "file", value_string(err->at.file));
	value_put(arena, &fault, "line", err->at.line ? value_int(err->at.line) : value_null());
	value_put(arena, &fault, "column", err->at.col ? value_int(err->at.col) : value_null());
	if (hint) {
		value_put(arena, &fault, "hint", value_string(hint));
	}
	value_seal(&fault);
	return fault;
}

static void print_faults_json(struct cli *cli, const struct diags *diags, const struct err *err)
{
	struct value document = value_map(), list = value_list();

	for (size_t i = 0; diags && i < diags->count; i++) {
		value_append(cli->arena, &list,
		             session_fault(cli->arena, &diags->list[i].err, diags->list[i].hint));
	}
	if (!list.count) {
		value_append(cli->arena, &list, session_fault(cli->arena, err, NULL));
	}
	value_put(cli->arena, &document, "errors", list);
	value_put(cli->arena, &document, "exit_code",
	          value_int(err->code == ERR_LOCKED ? EXIT_LOCKED : EXIT_ERROR));
	value_seal(&document);
	output_json(&document);
}

/* What `run` tells the service manager of a pass that failed. */
static void keep_why(struct cli *cli, const struct err *err)
{
	AUTO(str_free) struct str text = {0};

	str_add_printable(&text, err->text, sizeof cli->pass.why - 1);
	snprintf(cli->pass.why, sizeof cli->pass.why, "%s", str_text(&text));
}

int session_fail(struct cli *cli, struct engine *engine, const struct err *err)
{
	keep_why(cli, err);
	if (cli->log && self_stop_signal() && err->code == ERR_HOST && !err->os) {
		/* As asked: before it had the lock. */
		run_log_say(cli->log, RUN_LOG_INFO, "skipped", "%s", err->text);
		return EXIT_ERROR;
	}
	if (cli->log) {
		run_log_error(cli->log, NULL, err);
		return err->code == ERR_LOCKED ? EXIT_LOCKED : EXIT_ERROR;
	}
	output_err(&cli->out, err, engine ? line_of : NULL, engine);
	if (cli->json) {
		print_faults_json(cli, NULL, err);
	}
	return err->code == ERR_LOCKED ? EXIT_LOCKED : EXIT_ERROR;
}

struct engine *session_load(struct cli *cli, int *ret_code)
{
	struct diags diags = {0};
	struct err err = {0};
	struct engine *engine = session_open(cli);

	if (!engine_load(engine, &diags, &err)) {
		return engine;
	}
	keep_why(cli, diags.count ? &diags.list[0].err : &err);
	if (cli->log) {
		run_log_error(cli->log, &diags, &err);
	} else {
		output_diags(&cli->out, &diags, line_of, engine);
		output_err(&cli->out, &err, diags.count ? NULL : line_of, engine);
	}
	if (cli->json && !cli->log) {
		print_faults_json(cli, &diags, &err);
	}
	*ret_code = EXIT_ERROR;
	engine_close(engine);
	return NULL;
}

static bool is_trusted(struct cli *cli, const char *what)
{
	struct err err = {0};

	if (!self_check_run_dir(cli->engine.run_dir, &err)) {
		return true;
	}
	err_wrap(&err, "%s", what);
	session_fail(cli, NULL, &err);
	return false;
}

bool session_reach_run_dir(struct cli *cli)
{
	/* Who hangs is recorded in the usual place, which is memory. */
	const struct worker_options options = {
	    .run_dir = CLI_RUN_DIR,
	    .read_only = !self_is_root(),
	    .own_dir = self_is_root() ? NULL : self_own_run_dir(cli->arena),
	    .observe_ms = cli->engine.observe_ms,
	};
	const char *run_dir = cli->engine.run_dir, *why;
	struct err err = {0};

	if (strcmp(run_dir, CLI_RUN_DIR) == 0) {
		return is_trusted(cli, "the run-dir");
	}
	struct worker *worker = worker_create(&options);

	why = worker_unanswered(worker, path_join(cli->arena, run_dir, "lock"), cli->arena);
	worker_free(worker);
	if (why) {
		err_set(&err, ERR_LIMIT, 0, "--run-dir: %s", why);
		session_fail(cli, NULL, &err);
	}
	return !why && is_trusted(cli, "--run-dir");
}

void session_free(struct engine **engine)
{
	engine_close(*engine);
}

int session_take_facts(struct cli *cli, const char *value, struct err *err)
{
	(void)err;
	cli->engine.facts = value;
	return 0;
}

int session_take_only(struct cli *cli, const char *value, struct err *err)
{
	const struct kind *kind;
	const char *key;

	if (resource_parse_id(value, cli->arena, &kind, &key, err)) {
		return err_wrap(err, "--only");
	}
	const size_t size = sizeof *cli->only;

	cli->only = arena_grow(cli->arena, cli->only, cli->only_count, &cli->only_cap, size);
	cli->only[cli->only_count++] = value;
	cli->only = arena_grow(cli->arena, cli->only, cli->only_count, &cli->only_cap, size);
	cli->only[cli->only_count] = NULL;
	return 0;
}

int session_take_allow(struct cli *cli, const char *value, struct err *err)
{
	static const struct {
		const char *word;
		enum mark mark;
	} words[] = {
	    {"disruptive", MARK_DISRUPTIVE},
	    {"irreversible", MARK_IRREVERSIBLE},
	    {"reboot", MARK_NEEDS_REBOOT},
	};

	for (const char *word = value; word;) {
		size_t n = strcspn(word, ","), i = 0;

		while (i < ARRAY_LEN(words) &&
		       (strlen(words[i].word) != n || strncmp(words[i].word, word, n) != 0)) {
			i++;
		}
		if (i == ARRAY_LEN(words)) {
			return err_set(err, ERR_INPUT, 0,
			               "--allow: '%.*s' is not one of disruptive, irreversible, reboot", (int)n,
			               word);
		}
		cli->engine.allow |= words[i].mark;
		word = word[n] ? word + n + 1 : NULL;
	}
	return 0;
}

int session_take_all(struct cli *cli, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	cli->all = true;
	return 0;
}

int session_take_duration(const char *option, const char *value, int64_t least, int64_t most,
                          int64_t *ret_seconds, struct err *err)
{
	int64_t seconds = clock_duration(value);

	if (seconds < 0) {
		return err_set(err, ERR_INPUT, 0, "%s: '%s' is no duration, expected 90s, 5m, 2h or 7d",
		               option, value);
	}
	if (seconds < least) {
		return err_set(err, ERR_INPUT, 0, "%s: '%s' is too short, expected %" PRId64 "s or more",
		               option, value, least);
	}
	if (seconds > most) {
		return err_set(err, ERR_INPUT, 0, "%s: '%s' is too long, expected %" PRId64 "d or less",
		               option, value, most / 86400);
	}
	*ret_seconds = seconds;
	return 0;
}

/* The kernel's own build allows 63 bytes (utsname.h); what stands in them becomes part of paths and
 * of what is shown. */
int session_check_release(const char *text, struct err *err)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+~-";
	AUTO(str_free) struct str shown = {0};
	size_t n = strlen(text);

	if (n && n < 64 && text[0] != '.' && text[0] != '-' && strspn(text, allowed) == n) {
		return 0;
	}
	str_add_printable(&shown, text, 64);
	return err_set(err, ERR_INPUT, 0, "'%s' is no kernel release, expected one like 6.8.0-1042-aws",
	               str_text(&shown));
}
