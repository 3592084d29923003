// SPDX-License-Identifier: MIT
/*
 * reconcile preflight: would a kernel, or a package transaction, keep the node whole? By hand, and
 * as two hooks of the package manager. The hooks never stop it by a fault of ours: only a proved
 * loss makes them exit with 10, which is the only code that apt's hook line lets through.
 */
#include "cli/cmds.h"
#include "cli/session.h"

#include "base/clock.h"
#include "base/path.h"
#include "engine/preflight_apt.h"
#include "engine/preflight_guard.h"
#include "host/self.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

/* The hook is called while apt holds its locks: one look may take so long, and all of it. */
enum { LOOK_MS = 8000, HANG_SECONDS = 40, INPUT_MOST = 16 << 20 };

static int take_kernel(struct cli *cli, const char *value, struct err *err)
{
	if (cli->release) {
		return err_set(err, ERR_INPUT, 0, "--kernel and --guard: expected one of them, once");
	}
	cli->release = value;
	return session_check_release(value, err);
}

static int take_guard(struct cli *cli, const char *value, struct err *err)
{
	cli->guard = true;
	return take_kernel(cli, value, err);
}

static int take_apt(struct cli *cli, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	cli->apt = true;
	return 0;
}

/* On standard error, where whoever runs apt sees it, and in the journal for all others. */
static void say(struct cli *cli, int priority, const char *text)
{
	AUTO(str_free) struct str clean = {0};

	str_add_printable(&clean, text, 1000);
	output_note(&cli->out, "%s", str_text(&clean));
	openlog("reconcile", LOG_PID, LOG_DAEMON);
	syslog(priority, "preflight: %s", str_text(&clean));
	closelog();
}

/* Nothing but what a signal handler may do (signal-safety(7)). */
static void too_long(int signal)
{
	static const char text[] = "reconcile: not judged, let pass: it took too long\n";
	ssize_t said = write(STDERR_FILENO, text, sizeof text - 1);

	(void)signal;
	(void)said;
	_exit(EXIT_IN_SYNC);
}

static int let_pass(struct cli *cli, const struct err *err)
{
	const char *where =
	    err->at.file && err->at.line
	        ? arena_printf(cli->arena, "%s:%u:%u: ", err->at.file, err->at.line, err->at.col)
	        : "";

	say(cli, LOG_WARNING, arena_printf(cli->arena, "not judged, let pass: %s%s", where, err->text));
	return EXIT_IN_SYNC;
}

/* ---- apt's hook ---- */

/* All of it, whatever it is: apt waits for its reader. */
static int read_input(int fd, struct str *text, struct err *err)
{
	char buffer[1 << 16];
	ssize_t n;

	while ((n = read(fd, buffer, sizeof buffer)) != 0) {
		if (n < 0 && errno != EINTR) {
			return err_set(err, ERR_HOST, errno, "cannot read apt's list of packages");
		}
		if (n > 0 && text->length <= INPUT_MOST) {
			str_addn(text, buffer, (size_t)n);
		}
	}
	if (text->length > INPUT_MOST || memchr(str_text(text), '\0', text->length)) {
		return err_set(err, ERR_INPUT, 0, "apt's list of packages is too long, or no text");
	}
	return 0;
}

/* apt.conf(5), InfoFD: the descriptor's number is in the environment; otherwise standard input. */
static int input_descriptor(void)
{
	const char *text = getenv("APT_HOOK_INFO_FD");
	char *end = NULL;
	long fd = text && *text ? strtol(text, &end, 10) : 0;

	return end && !*end && fd > 2 && fd < 1024 ? (int)fd : STDIN_FILENO;
}

static struct worker *start_worker(struct cli *cli)
{
	const struct worker_options options = {
	    .run_dir = cli->engine.run_dir,
	    .read_only = !self_is_root(),
	    .own_dir = self_is_root() ? NULL : self_own_run_dir(cli->arena),
	    .observe_ms = LOOK_MS,
	};

	return worker_create(&options);
}

static void stop_worker(struct worker **worker)
{
	worker_free(*worker);
}

/* What the hooks rest on; the folder that it lies in may be dead. */
static int read_state(struct cli *cli, struct worker *worker, struct preflight_wants *ret_wants,
                      struct allowed_list *ret_allowed, struct err *err)
{
	const char *folder = cli->engine.state_dir;
	const char *why = worker_unanswered(worker, path_join(cli->arena, folder, "x"), cli->arena);

	if (why) {
		return err_set(err, ERR_LIMIT, 0, "%s", why);
	}
	return preflight_read(folder, cli->arena, ret_wants, err) ||
	               allow_read(folder, clock_now(), cli->arena, ret_allowed, err)
	           ? -(int)err->code
	           : 0;
}

/* Where a hook is in place somebody wants it to protect something. */
static void tell_gone(struct cli *cli, const struct preflight_wants *wants)
{
	if (wants->gone) {
		say(cli, LOG_WARNING,
		    arena_printf(cli->arena,
		                 "%s is not there: this hook protects nothing until `reconcile apply` "
		                 "writes it",
		                 wants->gone));
	}
}

static int print_verdict(struct cli *cli, const struct preflight_apt *result, bool refuses)
{
	for (size_t i = 0; i < result->allowed_count; i++) {
		say(cli, LOG_NOTICE, result->allowed[i]);
	}
	for (size_t i = 0; i < result->loss_count; i++) {
		say(cli, LOG_WARNING, result->losses[i]);
	}
	if (!result->loss_count) {
		return EXIT_IN_SYNC;
	}
	say(cli, LOG_WARNING,
	    arena_printf(cli->arena,
	                 "%s; `reconcile allow kernel %s --for 1d --reason WHY` lets it pass",
	                 refuses ? "this transaction is refused" : "only a warning (preflight: warn)",
	                 result->release ? result->release : "RELEASE"));
	return refuses ? EXIT_VETO : EXIT_IN_SYNC;
}

static int judge_transaction(struct cli *cli, struct worker *worker,
                             const struct preflight_wants *wants,
                             const struct allowed_list *allowed, char *text)
{
	struct transaction_list transaction;
	struct preflight_apt result;
	struct err err = {0};

	if (transaction_list_parse(text, cli->arena, &transaction, &err)) {
		return let_pass(cli, &err);
	}
	const struct preflight_case c = {
	    .wants = wants, .allowed = allowed, .transaction = &transaction};

	return preflight_apt_live(worker, &c, cli->arena, &result, &err)
	           ? let_pass(cli, &err)
	           : print_verdict(cli, &result, strcmp(wants->mode, "refuse") == 0);
}

static int run_apt(struct cli *cli)
{
	AUTO(str_free) struct str text = {0};
	AUTO(stop_worker) struct worker *worker = start_worker(cli);
	struct preflight_wants wants;
	struct allowed_list allowed;
	struct err err = {0};

	signal(SIGALRM, too_long);
	alarm(HANG_SECONDS);
	if (read_input(input_descriptor(), &text, &err) ||
	    read_state(cli, worker, &wants, &allowed, &err)) {
		return let_pass(cli, &err);
	}
	tell_gone(cli, &wants);
	if (strcmp(wants.mode, "refuse") != 0 && strcmp(wants.mode, "warn") != 0) {
		return EXIT_IN_SYNC;
	}
	return judge_transaction(cli, worker, &wants, &allowed,
	                         arena_strdup(cli->arena, str_text(&text)));
}

/* ---- The hook of a new kernel ---- */

static int print_guard(struct cli *cli, const struct preflight_guard *guard)
{
	switch (guard->what) {
	case GUARD_NOTHING:
	case GUARD_PROVEN:
		break;
	case GUARD_ALLOWED:
		say(cli, LOG_NOTICE,
		    arena_printf(cli->arena, "%s may boot, allowed by %s", cli->release, guard->why));
		break;
	case GUARD_KEPT:
		say(cli, LOG_WARNING,
		    arena_printf(cli->arena, "%s. The boot default stays %s.", guard->sentence,
		                 guard->keep));
		break;
	case GUARD_LOST:
		say(cli, LOG_ERR,
		    arena_printf(cli->arena, "%s. The boot default cannot be kept elsewhere: %s.",
		                 guard->sentence, guard->why));
		return EXIT_BLOCKED;
	}
	return EXIT_IN_SYNC;
}

static int run_guard(struct cli *cli)
{
	struct preflight_guard guard;
	struct preflight_wants wants;
	struct allowed_list allowed;
	struct err err = {0};
	AUTO(stop_worker) struct worker *worker = start_worker(cli);

	if (read_state(cli, worker, &wants, &allowed, &err)) {
		return session_fail(cli, NULL, &err);
	}
	tell_gone(cli, &wants);
	const struct preflight_guard_case c = {&wants, &allowed, cli->release};

	return preflight_guard(worker, &c, cli->arena, &guard, &err) ? session_fail(cli, NULL, &err)
	                                                             : print_guard(cli, &guard);
}

/* ---- By hand ---- */

static void add_text(struct str *s, struct cli *cli, const struct next_boot *next)
{
	str_add_printable(s, next->sentence, 1000);
	str_addc(s, '\n');
	for (size_t i = 0; i < next->loss_count; i++) {
		const struct next_boot_loss *loss = &next->losses[i];
		bool is_lost = strcmp(loss->verdict, "no") == 0;

		str_add(s, "  ");
		output_paint(s, cli->out.colour, is_lost ? COLOUR_RED : COLOUR_YELLOW,
		             is_lost ? "lost" : "unproven");
		str_addf(s, "  %s  %s: ", loss->id, loss->cause ? loss->cause : "");
		str_add_printable(s, loss->reason ? loss->reason : "", 400);
		str_addc(s, '\n');
	}
}

static int print(struct cli *cli, const struct next_boot *next)
{
	int code = !next || !next->loss_count ? EXIT_IN_SYNC
	           : next->lost               ? EXIT_VETO
	                                      : EXIT_UNDETERMINED;
	AUTO(str_free) struct str s = {0};

	if (cli->json) {
		struct value document = value_map();

		value_put(cli->arena, &document, "kernel", value_string(cli->release));
		value_put(cli->arena, &document, "verdict",
		          value_string(code == EXIT_IN_SYNC ? "whole"
		                       : code == EXIT_VETO  ? "lost"
		                                            : "unproven"));
		value_put(cli->arena, &document, "next_boot",
		          next ? next_boot_to_value(cli->arena, next) : value_null());
		value_put(cli->arena, &document, "exit_code", value_int(code));
		value_seal(&document);
		return output_json(&document) ? code : EXIT_ERROR;
	}
	if (next) {
		add_text(&s, cli, next);
	} else {
		str_add(&s, "Nothing is wanted on this node that a kernel could take away.\n");
	}
	return output_text(&s) ? code : EXIT_ERROR;
}

static int run_kernel(struct cli *cli)
{
	struct next_boot *next = NULL;
	struct err err = {0};
	int code;
	AUTO(session_free) struct engine *engine = session_load(cli, &code);

	if (!engine) {
		return code;
	}
	if (preflight_kernel(engine, cli->release, &next, &err)) {
		return session_fail(cli, engine, &err);
	}
	output_progress(&cli->out, "");
	return print(cli, next);
}

static int run(struct cli *cli)
{
	struct err err = {0};

	if (cli->apt + (cli->release != NULL) != 1) {
		err_set(&err, ERR_INPUT, 0, "expected one of --kernel RELEASE, --apt, --guard RELEASE");
		return session_fail(cli, NULL, &err);
	}
	return cli->apt ? run_apt(cli) : cli->guard ? run_guard(cli) : run_kernel(cli);
}

static const struct option_row options[] = {
    {"--kernel", 0, "RELEASE", "judge this kernel, installed or not", take_kernel},
    {"--apt", 0, NULL, "judge the package transaction that apt hands to its hooks", take_apt},
    {"--guard", 0, "RELEASE", "after that kernel was installed: keep the boot default if need be",
     take_guard},
    {NULL, 0, NULL, NULL, NULL},
};

const struct cmd cmd_preflight = {
    .name = "preflight",
    .arguments = "",
    .summary = "would this kernel, or this package transaction, keep the node whole?",
    .help =
        "--kernel: what becomes of the wanted modules and mounts under a kernel. Exit codes: 0\n"
        "all come up, 10 one is lost for certain, 6 it cannot be told, 1 error.\n"
        "--apt and --guard are called by the hooks that `preflight: warn|guard|refuse` puts in\n"
        "place. --apt exits 10, and apt then changes nothing, only for a proved loss and only\n"
        "with `preflight: refuse`; on any fault of its own it says so and exits 0. --guard exits\n"
        "4 when the boot default could not be kept. `reconcile allow` overrides both.",
    .options = options,
    .run = run,
};
