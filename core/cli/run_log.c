// SPDX-License-Identifier: MIT
/* See run_log.h. */
#include "cli/run_log.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/strmap.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	AGAIN_MS = 6 * 3600 * 1000,
	TEXT_MOST = 800,
	PATIENCE_MS = 2000, /* with who reads the lines, before the run goes on without */
};

/* Something that is not as it should be, for as long as it is so. */
struct standing {
	const char *key;    /* an id, or what else it is about */
	const char *word;   /* "failed", "blocked", ... */
	const char *reason; /* with its numbers made alike: they may change and it be the same */
	const char *over;   /* how its end is told; NULL: not at all */
	int64_t since, said;
	bool is_note; /* nobody tells when it is over */
};

struct run_log {
	enum run_log_form form;
	int fd;
	int64_t clock;
	int64_t run;         /* of the pass under way; 0: none */
	int64_t lost;        /* lines since the last that could be written */
	bool torn;           /* that one was cut off */
	struct arena *arena; /* of what stands now */
	struct strmap *standing;
	struct arena *next_arena; /* of what the pass under way has found */
	struct strmap *next;
};

struct line {
	enum run_log_level level;
	const char *event, *id, *action, *outcome, *reason;
	int64_t run, duration_ms; /* 0: does not apply, ... */
	bool was_done;            /* ... unless something took no time at all */
};

struct run_log *run_log_create(enum run_log_form form, int fd)
{
	struct run_log *log = mem_alloc(sizeof *log);

	*log = (struct run_log){.form = form, .fd = fd, .arena = arena_create()};
	log->standing = strmap_create(log->arena);
	return log;
}

void run_log_free(struct run_log *log)
{
	if (log) {
		arena_free(log->next_arena);
		arena_free(log->arena);
		free(log);
	}
}

void run_log_set_clock(struct run_log *log, int64_t now_ms)
{
	log->clock = now_ms;
}

static int64_t now_of(const struct run_log *log)
{
	return log->clock ? log->clock : clock_ms();
}

/* systemd.exec(5): device and inode of the stream it connected. */
bool run_log_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device = 0, inode = 0;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       !fstat(STDERR_FILENO, &st) && st.st_dev == device && st.st_ino == inode;
}

/* ---- Lines ---- */

static void add_json(struct str *s, const struct line *line)
{
	static const char *const levels[] = {[RUN_LOG_ERR] = "err",
	                                     [RUN_LOG_WARNING] = "warning",
	                                     [RUN_LOG_NOTICE] = "notice",
	                                     [RUN_LOG_INFO] = "info"};
	AUTO(arena_auto) struct arena *arena = arena_create();
	const struct {
		const char *key, *text;
	} texts[] = {{"event", line->event},
	             {"id", line->id},
	             {"action", line->action},
	             {"outcome", line->outcome},
	             {"reason", line->reason}};
	struct value map = value_map();
	char stamp[24];

	value_put(arena, &map, "ts", value_string(clock_stamp(clock_now(), stamp)));
	value_put(arena, &map, "level", value_string(levels[line->level]));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (texts[i].text) {
			value_put(arena, &map, texts[i].key, value_string(texts[i].text));
		}
	}
	if (line->run) {
		value_put(arena, &map, "run", value_int(line->run));
	}
	if (line->duration_ms || line->was_done) {
		value_put(arena, &map, "duration_ms", value_int(line->duration_ms));
	}
	value_seal(&map);
	json_print(s, &map, 0);
}

/* "changed mount:/x (create): wanted by ... in 0.4s" */
static void add_text(struct str *s, const struct line *line)
{
	str_add(s, line->event);
	if (line->id) {
		str_addc(s, ' ');
		str_add_printable(s, line->id, TEXT_MOST);
	}
	if (line->action) {
		str_addf(s, " (%s)", line->action);
	}
	if (line->duration_ms >= 1000) {
		str_add(s, " in ");
		clock_add_span(s, line->duration_ms);
	}
	if (line->reason) {
		str_add(s, ": ");
		str_add_printable(s, line->reason, TEXT_MOST);
	}
}

/* A journal that hangs on a dead disk, or a pipe that nobody reads, must not stop the run. The
 * descriptor is shared with others, so it stays as it is: what has room (poll(2)) takes PIPE_BUF
 * bytes without waiting (pipe(7)). */
static bool put(struct run_log *log, const char *text, size_t length)
{
	int64_t end = clock_ms() + (log->lost ? 0 : PATIENCE_MS);

	for (size_t at = 0; at < length;) {
		struct pollfd room = {.fd = log->fd, .events = POLLOUT};
		int ready = poll(&room, 1, (int)clock_left(end));

		if (ready < 0 && errno == EINTR && clock_left(end)) {
			continue;
		}
		size_t left = length - at;
		ssize_t n = ready > 0 ? write(log->fd, text + at, left < PIPE_BUF ? left : PIPE_BUF) : -1;

		if (n < 0 && (ready <= 0 || errno != EINTR)) {
			log->torn = log->torn || at > 0;
			return false; /* nowhere to say it; the history knows */
		}
		at += n > 0 ? (size_t)n : 0;
	}
	log->torn = false;
	return true;
}

static bool put_line(struct run_log *log, const struct line *line)
{
	AUTO(str_free) struct str s = {0};
	char stamp[24];

	if (log->torn) {
		str_addc(&s, '\n');
	}
	if (log->form == RUN_LOG_JSON) {
		add_json(&s, line);
	} else if (log->form == RUN_LOG_JOURNAL) {
		str_addf(&s, "<%d>", (int)line->level);
		add_text(&s, line);
	} else {
		str_addf(&s, "%s ", clock_stamp(clock_now(), stamp));
		add_text(&s, line);
	}
	str_addc(&s, '\n');
	return put(log, str_text(&s), s.length);
}

static void write_line(struct run_log *log, const struct line *line)
{
	char text[64];

	if (log->lost) {
		snprintf(text, sizeof text, "%lld line%s of this log could not be written",
		         (long long)log->lost, log->lost == 1 ? "" : "s");
		if (put_line(log, &(struct line){
		                      .level = RUN_LOG_WARNING, .event = "warning", .reason = text})) {
			log->lost = 0;
		}
	}
	if (log->lost || !put_line(log, line)) {
		log->lost++;
	}
}

void run_log_say(struct run_log *log, enum run_log_level level, const char *event, const char *fmt,
                 ...)
{
	char text[TEXT_MOST];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	write_line(log, &(struct line){.level = level, .event = event, .reason = text});
}

/* ---- What stands ---- */

void run_log_begin(struct run_log *log)
{
	if (log->next) {
		return; /* what was noted since the last pass ended belongs to this one */
	}
	log->run = 0;
	log->next_arena = arena_create();
	log->next = strmap_create(log->next_arena);
}

/* Numbers of processes and spans of time differ each time. */
static const char *alike(struct arena *arena, const char *text)
{
	AUTO(str_free) struct str s = {0};

	for (; text && *text; text++) {
		if (!isdigit((unsigned char)*text)) {
			str_addc(&s, *text);
		} else if (!s.length || s.data[s.length - 1] != '#') {
			str_addc(&s, '#');
		}
	}
	return arena_strdup(arena, str_text(&s));
}

static void keep(struct run_log *log, const struct standing *standing)
{
	struct standing *copy = arena_alloc(log->next_arena, sizeof *copy);

	*copy = *standing;
	copy->key = arena_strdup(log->next_arena, standing->key);
	copy->word = arena_strdup(log->next_arena, standing->word);
	copy->reason = arena_strdup(log->next_arena, standing->reason);
	copy->over = standing->over ? arena_strdup(log->next_arena, standing->over) : NULL;
	strmap_put(log->next, copy->key, copy);
}

/* Notes that it is so. Returns whether that is worth a line: it is new, another, or was said long
 * ago. */
static bool stands(struct run_log *log, const struct standing *what)
{
	const struct standing *before = strmap_get(log->standing, what->key);
	struct standing now = *what;
	int64_t clock = now_of(log);

	if (strmap_get(log->next, what->key)) {
		return false;
	}
	bool same = before && strcmp(before->word, what->word) == 0;
	bool says =
	    !same || strcmp(before->reason, what->reason) != 0 || clock - before->said >= AGAIN_MS;

	now.since = same ? before->since : clock;
	now.said = says ? clock : before->said;
	keep(log, &now);
	return says;
}

/* From the next pass on this is what stands. */
static void turn_over(struct run_log *log)
{
	arena_free(log->arena);
	log->arena = log->next_arena;
	log->standing = log->next;
	log->next_arena = NULL;
	log->next = NULL;
}

/* Nothing was found out about the rest: it stands as it did. */
static void keep_others(struct run_log *log, bool notes_only)
{
	for (size_t i = 0; i < strmap_count(log->standing); i++) {
		const struct standing *s = strmap_value(log->standing, i);
		bool fresh = s->is_note && now_of(log) - s->said < AGAIN_MS;

		if (!strmap_get(log->next, s->key) && (fresh || (!notes_only && !s->is_note))) {
			keep(log, s);
		}
	}
}

static void say_over(struct run_log *log)
{
	for (size_t i = 0; i < strmap_count(log->standing); i++) {
		const struct standing *s = strmap_value(log->standing, i);
		AUTO(str_free) struct str reason = {0};

		if (strmap_get(log->next, s->key) || !s->over) {
			continue;
		}
		str_addf(&reason, "%s after ", s->over);
		clock_add_span(&reason, now_of(log) - s->since);
		write_line(log, &(struct line){.level = RUN_LOG_INFO,
		                               .event = "recovered",
		                               .id = s->key,
		                               .reason = str_text(&reason)});
	}
}

void run_log_note(struct run_log *log, const char *text)
{
	const struct standing note = {.key = text, .word = "note", .reason = "", .is_note = true};

	if (!log->next) {
		run_log_begin(log);
	}
	if (stands(log, &note)) {
		write_line(log, &(struct line){.level = RUN_LOG_NOTICE, .event = "note", .reason = text});
	}
}

/* ---- A pass ---- */

static void add_changes(struct str *s, const struct step *step)
{
	for (size_t i = 0; i < step->differences.count; i++) {
		const struct difference *d = &step->differences.list[i];

		str_addf(s, "%s%s %s → %s", s->length ? ", " : "", d->field,
		         d->from && *d->from ? d->from : "not set", d->to && *d->to ? d->to : "not set");
	}
	if (step->origin_count && step->origins[0].reason) {
		str_addf(s, "%sbecause %s", s->length ? "; " : "", step->origins[0].reason);
	}
}

void run_log_run(struct run_log *log, int64_t run)
{
	log->run = run;
}

void run_log_step(struct run_log *log, const struct step *step)
{
	AUTO(str_free) struct str reason = {0};

	if (step->outcome != OUTCOME_CHANGED) {
		return; /* what did not go well is told with the rest of its kind */
	}
	add_changes(&reason, step);
	write_line(log, &(struct line){
	                    .level = RUN_LOG_NOTICE,
	                    .event = "changed",
	                    .id = step->id,
	                    .action = action_name(step->action),
	                    .outcome = outcome_name(step->outcome),
	                    .reason = reason.length ? str_text(&reason) : NULL,
	                    .run = log->run,
	                    .was_done = true,
	                    .duration_ms = step->duration_ms,
	                });
}

static enum run_log_level level_of(enum outcome outcome)
{
	return outcome == OUTCOME_FAILED    ? RUN_LOG_ERR
	       : outcome == OUTCOME_PENDING ? RUN_LOG_INFO
	                                    : RUN_LOG_WARNING;
}

/* One that is held back after a failure still is one that failed. */
static bool is_held_back(const struct step *step)
{
	return step->outcome == OUTCOME_BLOCKED && step->retry;
}

static void log_standing_step(struct run_log *log, const struct step *step, int64_t run)
{
	AUTO(str_free) struct str reason = {0};
	const char *why = is_held_back(step) ? step->retry->error : step->why ? step->why : "";
	const char *word = is_held_back(step) ? "failed" : outcome_name(step->outcome);
	const struct standing now = {
	    .key = step->id,
	    .word = word,
	    .reason = alike(log->next_arena, why),
	    .over = "in sync again",
	};

	if (!stands(log, &now)) {
		return;
	}
	str_add(&reason, why);
	if (step->retry) {
		str_add(&reason, "; ");
		retry_when(&reason, step->retry, clock_now());
	}
	write_line(log, &(struct line){
	                    .level = level_of(is_held_back(step) ? OUTCOME_FAILED : step->outcome),
	                    .event = word,
	                    .id = step->id,
	                    .action = step->action ? action_name(step->action) : NULL,
	                    .outcome = outcome_name(step->outcome),
	                    .reason = str_text(&reason),
	                    .run = run,
	                    .duration_ms = step->duration_ms,
	                });
}

/* What is no step: a word, what it is about, why. */
static void log_other(struct run_log *log, enum run_log_level level, const char *word,
                      const char *key, const char *why)
{
	const struct standing now = {
	    .key = key,
	    .word = word,
	    .reason = alike(log->next_arena, why),
	    .over = "over",
	};

	if (stands(log, &now)) {
		write_line(log, &(struct line){.level = level, .event = word, .id = key, .reason = why});
	}
}

static void log_notes(struct run_log *log, const struct plan *plan)
{
	for (size_t i = 0; i < plan->block_count; i++) {
		const struct note *n = &plan->blocks[i];

		/* One that a step stands for has the step's id, and was said. */
		log_other(log, RUN_LOG_WARNING, "blocked", n->resource ? n->resource : n->rule,
		          n->origin.reason);
	}
	for (size_t i = 0; i < plan->undecided_count; i++) {
		log_other(log, RUN_LOG_WARNING, "undetermined", plan->undecided[i].item,
		          plan->undecided[i].origin.reason);
	}
	for (size_t i = 0; i < plan->warning_count; i++) {
		const struct note *n = &plan->warnings[i];

		log_other(log, RUN_LOG_WARNING, "warning",
		          arena_printf(log->next_arena, "%s%s%s", n->rule, n->resource ? " " : "",
		                       n->resource ? n->resource : ""),
		          n->origin.reason);
	}
	if (plan->next_boot && plan->next_boot->lost && !plan->next_boot->remedied) {
		log_other(log, RUN_LOG_ERR, "blocked", "next boot", plan->next_boot->sentence);
	}
}

static bool is_wrong(const struct step *step)
{
	return step->outcome == OUTCOME_FAILED || step->outcome == OUTCOME_BLOCKED ||
	       step->outcome == OUTCOME_UNDETERMINED || step->outcome == OUTCOME_PENDING;
}

/* The engine has said when they begin; here it is noted, so that their end can be told. */
static void note_state(struct run_log *log, const char *key, const char *over)
{
	const struct standing state = {.key = key, .word = key, .reason = "", .over = over};

	(void)stands(log, &state); /* a note said it */
}

void run_log_pass(struct run_log *log, const struct engine_result *result)
{
	const struct plan *plan = result->plan;

	if (!plan) {
		note_state(log, "pause", "resumed");
		keep_others(log, false);
		turn_over(log);
		return;
	}
	for (size_t i = 0; i < plan->step_count; i++) {
		if (is_wrong(&plan->steps[i])) {
			log_standing_step(log, &plan->steps[i], result->run);
		}
	}
	log_notes(log, plan);
	if (plan->basis.stale_tree) {
		note_state(log, "tree", "loads again");
	}
	if (result->no_history) {
		note_state(log, "history", "it can be written again");
	}
	if (result->tree_not_kept) {
		note_state(log, "last good tree", "it is kept again");
	}
	keep_others(log, true);
	if (result->stopped) {
		keep_others(log, false);
	} else {
		say_over(log);
	}
	turn_over(log);
}

static void add_error(struct str *s, const struct err *err, const char *hint)
{
	if (err->at.file) {
		str_addf(s, "%s:", err->at.file);
		if (err->at.line) {
			str_addf(s, "%u:", err->at.line);
		}
		if (err->at.line && err->at.col) {
			str_addf(s, "%u:", err->at.col);
		}
		str_addc(s, ' ');
	}
	str_addf(s, "%s%s%s%s", err->text, hint ? " (" : "", hint ? hint : "", hint ? ")" : "");
}

void run_log_error(struct run_log *log, const struct diags *diags, const struct err *err)
{
	bool locked = err->code == ERR_LOCKED;
	size_t count = diags ? diags->count : 0;
	AUTO(str_free) struct str all = {0};

	for (size_t i = 0; i < count; i++) {
		add_error(&all, &diags->list[i].err, diags->list[i].hint);
		str_addc(&all, '\n');
	}
	add_error(&all, err, NULL);
	const struct standing now = {
	    .key = locked ? "lock" : "run",
	    .word = locked ? "skipped" : "error",
	    .reason = locked ? "" : alike(log->next_arena, str_text(&all)),
	    .over = locked ? NULL : "possible again",
	};

	if (stands(log, &now)) {
		for (size_t i = 0; i < count; i++) {
			AUTO(str_free) struct str one = {0};

			add_error(&one, &diags->list[i].err, diags->list[i].hint);
			run_log_say(log, RUN_LOG_ERR, now.word, "%s", str_text(&one));
		}
		str_clear(&all);
		add_error(&all, err, NULL);
		run_log_say(log, locked ? RUN_LOG_INFO : RUN_LOG_ERR, now.word, "%s", str_text(&all));
	}
	keep_others(log, false);
	turn_over(log);
}
