// SPDX-License-Identifier: MIT
/*
 * reconcile run: converge again and again, unattended; or once, for a timer; or until in sync.
 *
 * The loop of the supervisor. It touches no managed path itself, so it may promise to be alive: the
 * watchdog hears from it while it waits for the next pass, and within a pass whenever there is word
 * of it, at least once a second while a worker is waited for. No thread and no signal handler
 * promises in its place.
 */
#include "cli/agent.h"
#include "cli/applying.h"
#include "cli/cmds.h"
#include "cli/run_log.h"
#include "cli/session.h"

#include "base/clock.h"
#include "engine/timer.h"
#include "host/self.h"
#include "host/self_notify.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	INTERVAL = 300,         /* seconds */
	LOCKED_MS = 5000,       /* before it is tried again while somebody else holds the lock */
	STATUS_MS = 1000,       /* between two words on what is waited for */
	EXTEND_EVERY_MS = 5000, /* and, while stopping, two requests for more time, ... */
	EXTEND_MS = 30000,      /* ... of so much */
	UNTIL_FIRST_MS = 1000,  /* --until-in-sync: between two passes at first, ... */
	UNTIL_MOST_MS = 15000,  /* ... and at most */
	UNTIL_BACKOFF_MS = 2000,
	BOOT_MS = 240000,     /* --boot: others wait for us. No pass is begun later, ... */
	BOOT_FAILURES = 3,    /* ... nor after so many that failed */
	BOOT_GAP_MS = 2000,   /* before what went wrong is tried again */
	BOOT_LOOK_MS = 20000, /* everybody reads from the disk just then */
};

/* Some of what is told to be waited for says so itself. */
#define WAITING "waiting for "

struct supervisor {
	struct cli *cli;
	struct self_notify notify;
	struct timer *timer;
	int64_t pinged, said, extended; /* clock_ms */
	int64_t deadline, gap;          /* of --until-in-sync; 0: none */
	int64_t boot_ends;              /* clock_ms */
	int boot_failures;              /* passes that failed */
	int64_t ended;                  /* clock_now: when the last pass did */
	const char *reason;             /* of the pass under way; NULL: the first */
	bool ready, stopping, idle;
	bool blind; /* changes of the tree are not noticed, and that was said */
};

/* ---- The service manager ---- */

static void ping(struct supervisor *s)
{
	int64_t now = clock_ms();

	/* Twice as often as is asked for (sd_watchdog_enabled(3): half of it), since a word may be lost
	 * and the next is not always on time. */
	if (s->notify.watchdog_ms && now - s->pinged >= s->notify.watchdog_ms / 4) {
		s->pinged = now;
		self_notify_send(&s->notify, "WATCHDOG=1");
	}
}

static void say_stopping(struct supervisor *s, const char *what)
{
	int64_t now = clock_ms();

	if (!s->stopping) {
		s->stopping = true;
		if (text_starts(what, WAITING)) {
			what += strlen(WAITING);
		}
		self_notify_send(&s->notify, "STOPPING=1\nSTATUS=Stopping%s%s",
		                 *what ? "; waiting for " : "", what);
		if (*what && s->cli->log) {
			run_log_say(s->cli->log, RUN_LOG_INFO, "stopping",
			            "waiting for %s; another signal stops at once", what);
		} else if (*what) {
			output_note(&s->cli->out, "stopping after %s; once more stops at once", what);
		}
	}
	if (now - s->extended >= EXTEND_EVERY_MS) {
		s->extended = now;
		self_notify_send(&s->notify, "EXTEND_TIMEOUT_USEC=%d", EXTEND_MS * 1000);
	}
}

/* Within a pass. */
static void tick(struct cli *cli, const char *what, int64_t elapsed_ms)
{
	struct supervisor *s = cli->supervisor;
	AUTO(str_free) struct str span = {0};
	int64_t now = clock_ms();

	ping(s);
	if (self_stop_signal()) {
		say_stopping(s, what);
	} else if (elapsed_ms >= STATUS_MS && now - s->said >= STATUS_MS) {
		s->said = now;
		clock_add_span(&span, elapsed_ms);
		what += text_starts(what, WAITING) ? strlen(WAITING) : 0;
		self_notify_send(&s->notify, "STATUS=Waiting for %s (%s)", what, str_text(&span));
	}
}

static void step_done(struct cli *cli, const struct step *step)
{
	struct supervisor *s = cli->supervisor;
	enum kind_id kind = step->want->kind->id;
	bool may_remount =
	    kind == KIND_COMMAND || (kind == KIND_MOUNT && step->action == ACTION_UPDATE);

	/* Between the change and the plan made afterwards: what others do from now on is not ours. */
	if (s->timer && step->outcome == OUTCOME_CHANGED) {
		timer_settle(s->timer, may_remount);
	}
}

/* One that ends by itself may stand beside the agent, whose word it is to leave alone. */
static void tell(const struct supervisor *s, int64_t next_pass)
{
	if (!s->cli->once && !s->cli->until) {
		agent_tell(s->cli->engine.run_dir, next_pass);
	}
}

/* Between two passes. */
static void idle(void *context)
{
	struct supervisor *s = context;
	const char *trouble = timer_trouble(s->timer);
	char last[24], next[24];
	int64_t next_pass = clock_now() + (clock_left(timer_next(s->timer)) + 999) / 1000;

	ping(s);
	if (s->idle && s->blind == (trouble != NULL)) {
		return;
	}
	if (trouble && !s->blind && s->cli->log) {
		run_log_say(s->cli->log, RUN_LOG_WARNING, "note", "%s", trouble);
	}
	s->idle = true;
	s->blind = trouble != NULL;
	tell(s, next_pass);
	self_notify_send(&s->notify, "STATUS=%s at %s%s%s; next pass at %s%s%s", s->cli->pass.summary,
	                 clock_stamp(s->ended, last), *s->cli->pass.why ? ": " : "", s->cli->pass.why,
	                 clock_stamp(next_pass, next), trouble ? "; " : "", trouble ? trouble : "");
}

/* ---- Passes ---- */

/* One pass with everything loaded afresh. */
static int pass(struct supervisor *s)
{
	struct cli *cli = s->cli;
	int code;

	cli->pass.next_try = 0;
	cli->pass.more = false;
	cli->pass.why[0] = '\0';
	str_clear(&cli->pass.left);
	if (cli->log) {
		run_log_begin(cli->log);
	}
	if (s->ready) {
		self_notify_send(&s->notify, "STATUS=Converging%s%s", s->reason ? ": " : "",
		                 s->reason ? s->reason : "");
	}
	tell(s, 0);
	AUTO(session_free) struct engine *engine = session_load(cli, &code);

	if (!s->ready) {
		/* Whoever is ordered after us waits for one that listens and knows what it is to do, not
		 * for a node in sync: that may take as long as a package needs, and may be waiting for just
		 * that unit. For a converged node there is reconcile-boot.service. */
		s->ready = true;
		self_notify_send(&s->notify, "READY=1\nSTATUS=Converging");
	}
	if (engine) {
		code = cli->log ? applying_run_quietly(cli, engine) : applying_run(cli, engine, NULL);
	}
	s->ended = clock_now();
	s->idle = false;
	if (!engine || code == EXIT_ERROR || code == EXIT_LOCKED) {
		snprintf(cli->pass.summary, sizeof cli->pass.summary, "%s",
		         code == EXIT_LOCKED ? "another run held the lock" : "the last pass failed");
	}
	return code;
}

static bool is_over(const struct supervisor *s, int code)
{
	return s->deadline && (code == EXIT_IN_SYNC || !clock_left(s->deadline));
}

/* What is to be done after a pass, before the interval is over. */
static void plan_next(struct supervisor *s, int code)
{
	int64_t by = 0;

	if (s->cli->pass.more) {
		timer_more(s->timer);
	}
	if (code == EXIT_LOCKED) {
		by = clock_ms() + LOCKED_MS;
	}
	if (s->deadline) {
		by = clock_ms() + s->gap;
		by = s->deadline < by ? s->deadline : by;
		s->gap = s->gap * 2 < UNTIL_MOST_MS ? s->gap * 2 : UNTIL_MOST_MS;
	}
	timer_by(s->timer, by);
}

/* Somebody did something about it: then it is worth trying. */
static void forget_failures(struct supervisor *s)
{
	struct err err = {0};

	if (engine_forget_failures(&s->cli->engine, &err) && s->cli->log) {
		run_log_say(s->cli->log, RUN_LOG_WARNING, "note", "%s", err.text);
	}
}

/* What is blocked stays so for now, and the boot does not wait for it. All else may come right: the
 * network, the lock, and a disk from which everybody reads. */
static bool boot_goes_on(struct supervisor *s, int code)
{
	s->boot_failures += code == EXIT_FAILED;
	if (!clock_left(s->boot_ends) || s->boot_failures >= BOOT_FAILURES) {
		return false;
	}
	if (code != EXIT_LOCKED && code != EXIT_FAILED && code != EXIT_UNDETERMINED &&
	    code != EXIT_CHANGES) {
		return false;
	}
	poll(NULL, 0, code == EXIT_CHANGES ? BOOT_GAP_MS / 10 : BOOT_GAP_MS);
	return !self_stop_signal();
}

static int passes(struct supervisor *s)
{
	for (;;) {
		int code = pass(s);

		if (s->cli->engine.boot && boot_goes_on(s, code)) {
			continue;
		}
		if (s->cli->once || is_over(s, code)) {
			return code;
		}
		plan_next(s, code);
		enum wake wake = timer_wait(s->timer, s->cli->pass.next_try);

		if (wake == WAKE_STOP) {
			/* As asked; of --until-in-sync it is what the last pass left. */
			return s->deadline ? code : EXIT_IN_SYNC;
		}
		s->reason = wake_text(wake);
		s->cli->engine.trigger = wake_word(wake);
		if (is_over(s, code)) {
			return code;
		}
		if (wake == WAKE_HANG_UP || wake == WAKE_TREE) {
			forget_failures(s);
		}
	}
}

/* ---- Beginning and end ---- */

/* NULL: what is printed is for whoever looks at it. */
static struct run_log *open_log(const struct cli *cli)
{
	if (cli->json && !cli->once) {
		return run_log_create(RUN_LOG_JSON, STDOUT_FILENO);
	}
	if (!cli->json && run_log_is_journal()) {
		return run_log_create(RUN_LOG_JOURNAL, STDERR_FILENO);
	}
	return cli->once || isatty(STDERR_FILENO) ? NULL : run_log_create(RUN_LOG_PLAIN, STDERR_FILENO);
}

static void begin(struct supervisor *s)
{
	struct cli *cli = s->cli;
	int64_t interval_ms = (cli->interval ? cli->interval : INTERVAL) * 1000;
	const struct timer_options options = {
	    .interval_ms = interval_ms,
	    .splay_ms = cli->splay < 0 ? interval_ms / 10 : cli->splay * 1000,
	    .node = cli->engine.node,
	    .tree = cli->engine.tree,
	    .run_dir = cli->engine.run_dir,
	    .tick = idle,
	    .context = s,
	    .tick_ms = s->notify.watchdog_ms ? s->notify.watchdog_ms / 4 : (int64_t)3600 * 1000,
	};

	if (cli->until) {
		s->deadline = clock_ms() + cli->until * 1000;
		s->gap = UNTIL_FIRST_MS;
		cli->engine.backoff_base_ms = UNTIL_BACKOFF_MS;
		cli->engine.backoff_most_ms = UNTIL_MOST_MS;
	}
	s->boot_ends = clock_ms() + BOOT_MS;
	if (!cli->once) {
		s->timer = timer_create(&options);
	}
	if (cli->log && !cli->once && !cli->until) {
		run_log_say(cli->log, RUN_LOG_INFO, "started", "every %" PRId64 " s, tree %s",
		            interval_ms / 1000, cli->engine.tree);
	}
}

static void end(struct supervisor *s, int code)
{
	struct cli *cli = s->cli;

	if (self_stop_signal()) {
		say_stopping(s, "");
		if (cli->log && !cli->once) {
			run_log_say(cli->log, RUN_LOG_INFO, "stopped", "%s", strsignal(self_stop_signal()));
		}
	}
	if (cli->until && code != EXIT_IN_SYNC && cli->pass.left.length) {
		if (cli->log) {
			run_log_say(cli->log, RUN_LOG_WARNING, "left", "%s", str_text(&cli->pass.left));
		} else {
			output_note(&cli->out, "not in sync: %s", str_text(&cli->pass.left));
		}
	}
	timer_free(s->timer);
	agent_forget(cli->engine.run_dir);
	self_notify_close(&s->notify);
	run_log_free(cli->log);
	cli->log = NULL;
	str_free(&cli->pass.left);
}

/* Of the first pass, or the only one. */
static const char *first_trigger(const struct cli *cli)
{
	if (!cli->once) {
		return "start";
	}
	if (self_is_unit()) {
		return "timer";
	}
	return isatty(STDIN_FILENO) ? "terminal" : "script";
}

/* What would silently mean nothing, or something else. */
static int check_options(const struct cli *cli, struct err *err)
{
	int64_t interval = cli->interval ? cli->interval : INTERVAL;
	const char *once = cli->engine.boot ? "--boot" : "--once";

	if (cli->once && cli->until) {
		return err_set(err, ERR_INPUT, 0, "%s and --until-in-sync exclude each other", once);
	}
	if (cli->once && (cli->interval || cli->splay >= 0)) {
		return err_set(err, ERR_INPUT, 0, "%s makes one pass: %s means nothing with it", once,
		               cli->interval ? "--interval" : "--splay");
	}
	if (cli->splay > interval) {
		return err_set(err, ERR_INPUT, 0,
		               "--splay is longer than the interval, expected %" PRId64 "s or less",
		               interval);
	}
	return 0;
}

static int run(struct cli *cli)
{
	struct supervisor *s = arena_alloc(cli->arena, sizeof *s);
	struct err err = {0};

	s->cli = cli;
	cli->engine.write_state = true;
	cli->engine.stale_ok = true;
	cli->engine.backs_off = !cli->engine.boot;
	cli->engine.person = false; /* the mode binds, whoever started it */
	cli->engine.trigger = first_trigger(cli);
	if (geteuid() != 0) {
		/* Trying again and again would not change that. */
		err_set(&err, ERR_INPUT, 0, "run changes the node and needs root; plan does not");
		return session_fail(cli, NULL, &err);
	}
	if (check_options(cli, &err)) {
		return session_fail(cli, NULL, &err);
	}
	self_notify_open(&s->notify);
	self_catch_stop();
	cli->log = open_log(cli);
	cli->supervisor = s;
	cli->tick = tick;
	cli->step_done = step_done;
	begin(s);
	int code = passes(s);

	end(s, code);
	return code;
}

/* ---- The command ---- */

static int take_once(struct cli *cli, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	cli->once = true;
	return 0;
}

static int take_boot(struct cli *cli, const char *value, struct err *err)
{
	cli->engine.boot = true;
	cli->engine.observe_ms = BOOT_LOOK_MS;
	return take_once(cli, value, err);
}

static int take_interval(struct cli *cli, const char *value, struct err *err)
{
	return session_take_duration("--interval", value, 1, SESSION_YEAR, &cli->interval, err);
}

static int take_splay(struct cli *cli, const char *value, struct err *err)
{
	return session_take_duration("--splay", value, 0, SESSION_YEAR, &cli->splay, err);
}

static int take_until(struct cli *cli, const char *value, struct err *err)
{
	return session_take_duration("--until-in-sync", value, 1, SESSION_YEAR, &cli->until, err);
}

static const struct option_row options[] = {
    {"--once", 0, NULL, "one pass, then exit with its code", take_once},
    {"--until-in-sync", 0, "DURATION",
     "passes until in sync or the time is over; exits as the last one did", take_until},
    {"--boot", 0, NULL, "only modules, installed, built and loaded; then exit", take_boot},
    {"--interval", 0, "DURATION", "time between two passes (5m)", take_interval},
    {"--splay", 0, "DURATION", "give or take so much each time (a tenth of the interval)",
     take_splay},
    {"--allow", 0, "MARKS", "disruptive,irreversible,reboot: consent when nobody is there to ask",
     session_take_allow},
    {"--only", 0, "KIND[:KEY]", "only this, and what it needs; may stand more than once",
     session_take_only},
    {NULL, 0, NULL, NULL, NULL},
};

const struct cmd cmd_run = {
    .name = "run",
    .arguments = "",
    .summary = "converge unattended: again and again, once, or until in sync",
    .help =
        "Like apply, but bound by the tree's mode whoever starts it, and going on with the\n"
        "last good tree when this one does not load (for at most stale_max). The first pass is\n"
        "at once. A change of the mount table or of the tree, and SIGHUP, wake it early. What\n"
        "failed is tried again after 30 s, then twice as long each time up to an hour, and at\n"
        "once after a change of the tree or SIGHUP. SIGTERM ends it after the step under way\n"
        "(a package manager is waited for up to 90 s, then left to itself), a second one at\n"
        "once. Speaks sd_notify(3). Where nobody watches it logs a line for each change and\n"
        "each trouble; with --json these are objects. --once prints its plan as apply does, and\n"
        "off a terminal nothing when nothing was changed and nothing is wrong. Needs root. Exit\n"
        "codes of --once and --until-in-sync as of apply; else 0 when it was asked to stop.",
    .options = options,
    .run = run,
};
