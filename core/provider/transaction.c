// SPDX-License-Identifier: MIT
/* See transaction.h. */
#include "provider/transaction.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/str.h"
#include "provider/lines.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { ASK_MS = 60000, BEGINNING_MS = 1000, SETTINGS = 8 };

/* Nobody is there to answer a question, to read a list of changes, or to agree to restarting
 * services (needrestart(1): l only lists). */
static const char *const environment[SETTINGS] = {
    "DEBIAN_FRONTEND=noninteractive",
    "DEBCONF_NONINTERACTIVE_SEEN=true",
    "LC_ALL=C.UTF-8",
    "NEEDRESTART_MODE=l",
    "UCF_FORCE_CONFFOLD=1",
    "APT_LISTCHANGES_FRONTEND=none",
    "HOME=/root",
    NULL,
};

/* " since 2026-11-21T09:14:30Z", or nothing. From the clocks of two readings the same second does
 * not always come out: in steps of ten, so that one and the same holder is told in the same words.
 */
static const char *since(struct arena *arena, pid_t pid)
{
	const int64_t ticks = sysconf(_SC_CLK_TCK), step = 10;
	uint64_t started = child_starttime(pid);
	char stamp[24];

	if (!started || ticks <= 0) {
		return "";
	}
	int64_t at = clock_now() - clock_ms() / 1000 + (int64_t)started / ticks;

	return arena_printf(arena, " since %s", clock_stamp((at + step / 2) / step * step, stamp));
}

int transaction_busy(struct host *host, struct arena *arena,
                     struct host_package_manager *ret_manager, const char **ret_busy,
                     struct err *err)
{
	struct host_package_manager manager;

	if (host->ops->package_manager(host, &manager, err)) {
		return -(int)err->code;
	}
	*ret_busy = NULL;
	if (manager.lock_pid > 0) {
		*ret_busy =
		    arena_printf(arena, "the package manager's lock is held by process %d%s%s%s%s",
		                 manager.lock_pid, *manager.lock_command ? " (" : "", manager.lock_command,
		                 *manager.lock_command ? ")" : "", since(arena, manager.lock_pid));
	} else if (manager.lock_pid) {
		*ret_busy = "the package manager's lock is held by a process outside of this container";
	}
	*ret_manager = manager;
	return 0;
}

/* apt marks its errors with E:, dpkg names itself. */
static bool is_complaint(const char *line)
{
	return text_starts(line, "E: ") || text_starts(line, "dpkg: error");
}

/* The first complaint of a tool, or its last words. What ends with a colon goes on in the next
 * line. */
static const char *complaint(struct arena *arena, const struct child_result *result)
{
	char *text = arena_printf(arena, "%s\n%s", str_text(&result->err), str_text(&result->out));
	const char *last = "", *found = NULL, *more = NULL;
	AUTO(str_free) struct str shown = {0};

	for (char *line; !found && (line = lines_next(&text));) {
		found = is_complaint(line) ? line : NULL;
		last = *line ? line : last;
	}
	if (found && text_ends(found, ":")) {
		more = lines_next(&text);
	}
	found = found ? found : last;
	str_add_printable(&shown, text_starts(found, "E: ") ? found + 3 : found, 300);
	if (more && *more == ' ') {
		str_add_printable(&shown, more, 300);
	}
	return arena_strdup(arena, str_text(&shown));
}

const char *transaction_join(struct arena *arena, const char *before, const char *now)
{
	if (!before || !now) {
		return before ? before : now;
	}
	return arena_printf(arena, "%s%s%s", before, text_ends(before, "\n") ? "" : "\n", now);
}

/* A stray NUL ends the text: it comes from a tool, and is for people. */
static const char *said(struct arena *arena, const struct child_result *result)
{
	const char *out = result->out.length ? str_text(&result->out) : NULL;
	const char *words = result->err.length ? str_text(&result->err) : NULL;
	const char *all = transaction_join(arena, out, words);

	return all ? arena_strdup(arena, all) : NULL;
}

/* The same command as a transient unit of systemd: in a control group of its own, so that
 * stopping ours does not take the package manager along (systemd-run(1), systemd.kill(5)). Asked to
 * stop, because the node is shut down, it is waited for: SIGCONT tells it nothing, where SIGTERM
 * would leave a package half configured. */
static const char **as_unit(struct arena *arena, const char *const *argv)
{
	static const char *const start[] = {"systemd-run",
	                                    "--quiet",
	                                    "--wait",
	                                    "--collect",
	                                    "--pipe",
	                                    "--service-type=exec",
	                                    "--property=KillMode=process",
	                                    "--property=KillSignal=SIGCONT",
	                                    "--property=TimeoutStopSec=900"};
	size_t n = 0, count = 0;

	while (argv[n]) {
		n++;
	}
	const char **all = arena_array(arena, ARRAY_LEN(start) + SETTINGS + n + 2, sizeof *all);

	for (size_t i = 0; i < ARRAY_LEN(start); i++) {
		all[count++] = start[i];
	}
	all[count++] = arena_printf(arena, "--unit=reconcile-package-%ld-%lld", (long)getpid(),
	                            (long long)clock_ms());
	for (size_t i = 0; environment[i]; i++) {
		all[count++] = arena_printf(arena, "--setenv=%s", environment[i]);
	}
	all[count++] = "--";
	for (size_t i = 0; i < n; i++) {
		all[count++] = argv[i];
	}
	return all;
}

static bool is_lock_trouble(const char *why)
{
	return strstr(why, "Could not get lock") || strstr(why, "is another process using it") ||
	       strstr(why, "locked by another process");
}

/* One change may need several of them; each is given time to begin at least. */
static int patience(const struct host *host)
{
	int64_t left = clock_left(host->patience);

	return !host->patience       ? TRANSACTION_MS
	       : left < BEGINNING_MS ? BEGINNING_MS
	       : left < INT_MAX      ? (int)left
	                             : INT_MAX;
}

int transaction_run(struct host *host, const struct host_package_manager *manager,
                    const char *const *argv, struct arena *arena,
                    struct transaction *ret_transaction, struct err *err)
{
	struct child_command command = {
	    .argv = manager->under_systemd ? as_unit(arena, argv) : argv,
	    .environment = environment,
	    .timeout_ms = patience(host),
	    .keep_at_deadline = true,
	};
	struct transaction done = {.outcome = OUTCOME_CHANGED};
	struct child_result result;

	if (host->ops->run(host, &command, &result, err)) {
		return -(int)err->code;
	}
	done.detail = said(arena, &result);
	if (result.running || result.timed_out) {
		done.outcome = OUTCOME_PENDING;
		done.why = arena_printf(arena, "%s still runs (process %ld) and is left alone", argv[0],
		                        (long)result.pid);
	} else if (result.signalled) {
		done.outcome = OUTCOME_FAILED;
		done.why = arena_printf(arena, "%s was ended by signal %d", argv[0], result.status);
	} else if (result.status) {
		done.why = complaint(arena, &result);
		done.outcome = is_lock_trouble(done.why) ? OUTCOME_BLOCKED : OUTCOME_FAILED;
		done.why = *done.why
		               ? arena_printf(arena, "%s: %s", argv[0], done.why)
		               : arena_printf(arena, "%s ended with status %d", argv[0], result.status);
	}
	child_result_free(&result);
	*ret_transaction = done;
	return 0;
}

int transaction_ask(struct host *host, const char *const *argv, struct arena *arena, char **ret_out,
                    const char **ret_why, struct err *err)
{
	return transaction_ask_for(host, argv, ASK_MS, arena, ret_out, ret_why, err);
}

/* As transaction.h says: one parameter more than others have. NOLINTNEXTLINE(*-function-size) */
int transaction_ask_for(struct host *host, const char *const *argv, int timeout_ms,
                        struct arena *arena, char **ret_out, const char **ret_why, struct err *err)
{
	struct child_command command = {
	    .argv = argv, .environment = environment, .timeout_ms = host_patience(host, timeout_ms)};
	struct child_result result;

	if (host->deadline && !clock_left(host->deadline)) {
		return err_set(err, ERR_LIMIT, 0, "no time was left to ask %s", argv[0]);
	}
	if (host->ops->run(host, &command, &result, err)) {
		return -(int)err->code;
	}
	*ret_out = arena_strdup(arena, str_text(&result.out));
	*ret_why = NULL;
	if (result.timed_out && host->deadline) {
		child_result_free(&result);
		return err_set(err, ERR_LIMIT, 0, "%s does not answer in time", argv[0]);
	}
	if (result.timed_out) {
		*ret_why = arena_printf(arena, "%s does not answer", argv[0]);
	} else if (result.signalled || result.status) {
		*ret_why = arena_printf(arena, "%s: %s", argv[0], complaint(arena, &result));
	}
	child_result_free(&result);
	return 0;
}
