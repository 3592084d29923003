// SPDX-License-Identifier: MIT
/* See policy.h. The parent's side: one child for all policies, the facts it asks for, deadlines,
 * and what to say when it dies. */
#include "policy/policy.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/wire.h"
#include "model/section.h"
#include "policy/reader.h"
#include "policy/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const struct policy_limits policy_default_limits = {
    .wall_ms = 30000,
    .cpu_seconds = 1,
    .memory = 64 << 20,
    .source = 256 << 10,
    .resources = 100000,
};

enum {
	GRACE_MS = 500,       /* from the last message to the end of the process */
	HEADROOM = 256 << 20, /* address space beside what Lua may use */
};

struct session {
	const struct policy_set *set;
	const struct value *want;
	struct fact_source *facts;
	const struct policy_limits *limits;
	struct arena *arena;
	struct page *page;
	struct child child;
	struct reader reader;
	size_t current; /* the policy at hand */
	size_t facts_asked;
	int64_t left_ms; /* of its time */
	bool *handled;   /* by section of section_table */
};

/* Where the policy at hand is, as far as it told us. */
static struct pos position_now(const struct session *s)
{
	return reader_position(s->set, s->reader.policy, atomic_load(&s->page->file),
	                       atomic_load(&s->page->line));
}

static int broken(const struct session *s, struct err *err)
{
	return err_at(err, ERR_POLICY, position_now(s), "policy %s: its process sent a broken message",
	              s->reader.policy->name);
}

/* ---- Messages ---- */

static int serve_fact(struct session *s, const struct value *message, struct err *err)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	const char *id = value_text(message, "id"), *key;
	const struct resource *fact;
	const struct kind *kind;

	if (!id || resource_parse_id(id, scratch, &kind, &key, err) || !key) {
		return broken(s, err);
	}
	if (++s->facts_asked > s->limits->resources) {
		return err_at(err, ERR_POLICY, position_now(s),
		              "policy %s: more than %zu facts were asked for", s->reader.policy->name,
		              s->limits->resources);
	}
	int r = s->facts->get(s->facts, kind, key, &fact, err);

	if (r) {
		return r;
	}
	struct value answer = resource_to_value(scratch, fact);

	if (wire_send(s->child.fd, &answer, clock_ms() + s->left_ms, err) &&
	    err->code != ERR_GONE) { /* why it is gone is found out when it is asked for more */
		return err_at(err, ERR_POLICY, position_now(s), "policy %s: its process does not listen",
		              s->reader.policy->name);
	}
	return 0;
}

static int take_error(const struct session *s, const struct value *message, struct err *err)
{
	AUTO(str_free) struct str text = {0};
	struct pos at = reader_position(s->set, s->reader.policy, value_number(message, "file", -1),
	                                value_number(message, "line", 0));
	const char *said = value_text(message, "text");

	str_add_printable(&text, said ? said : "it failed", sizeof err->text);
	return err_at(err, ERR_POLICY, at, "policy %s: %s", s->reader.policy->name, str_text(&text));
}

static void start_policy(struct session *s, size_t i)
{
	s->current = i;
	s->left_ms = s->limits->wall_ms;
	s->reader.policy = i < s->set->count ? &s->set->policies[i] : NULL;
}

static int take_done(struct session *s, const struct value *message, struct err *err)
{
	const struct value *handles = value_get(message, "handles");

	if (reader_check_handles(s->reader.policy, handles, err)) {
		return -ERR_POLICY;
	}
	for (size_t i = 0; i < handles->count; i++) {
		s->handled[section_find(handles->items[i].string) - section_table] = true;
	}
	start_policy(s, s->current + 1);
	return 0;
}

static int take_message(struct session *s, const struct value *message, struct err *err)
{
	const char *op = value_text(message, "op");

	if (text_equal(op, "fact")) {
		return serve_fact(s, message, err);
	}
	if (text_equal(op, "plan")) {
		return reader_take(&s->reader, value_get(message, "items"), err);
	}
	if (text_equal(op, "done")) {
		return take_done(s, message, err);
	}
	if (text_equal(op, "error")) {
		return take_error(s, message, err);
	}
	return broken(s, err);
}

/* ---- The child's end ---- */

/* The process hung up before it was done. */
static int explain_death(struct session *s, struct err *err)
{
	const char *name = s->reader.policy->name;
	struct pos at = position_now(s);
	int status = -1;

	if (!child_end(&s->child, GRACE_MS, &status)) {
		return err_at(err, ERR_POLICY, at, "policy %s: its process cannot be ended", name);
	}
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGPROF || WTERMSIG(status) == SIGXCPU)) {
		return err_at(err, ERR_POLICY, at, "policy %s: it used more than %u s of CPU time", name,
		              s->limits->cpu_seconds);
	}
	if (WIFSIGNALED(status)) {
		return err_at(err, ERR_POLICY, at, "policy %s: its process died: %s", name,
		              strsignal(WTERMSIG(status)));
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_UNBORN) {
		return err_set(err, ERR_HOST, 0,
		               "cannot set up a process for policies (a limit of descriptors, memory or "
		               "processes?)");
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_STARVED) {
		return err_at(err, ERR_POLICY, at, "policy %s: its process ran out of memory", name);
	}
	return err_at(err, ERR_POLICY, at, "policy %s: its process ended before it was done", name);
}

static int receive_failed(struct session *s, struct err *err)
{
	if (err->code == ERR_GONE) {
		return explain_death(s, err);
	}
	if (err->code == ERR_LIMIT) {
		return err_at(err, ERR_POLICY, position_now(s), "policy %s: it ran longer than %u ms",
		              s->reader.policy->name, s->limits->wall_ms);
	}
	return err->code == ERR_INPUT ? broken(s, err) : -(int)err->code;
}

/* Without the time that a suspended node has slept, in which no policy runs. */
static int64_t awake_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until there is something to hear, or the policy's time is over; poll(2) does not count a suspend
 * either. */
static int wait_for_word(struct session *s, struct err *err)
{
	struct pollfd p = {.fd = s->child.fd, .events = POLLIN};
	int64_t started = awake_ms();
	int64_t most = s->left_ms;

	for (int ready = 0; ready <= 0;) {
		ready = poll(&p, 1, (int)s->left_ms);
		int os = errno;

		s->left_ms = most - (awake_ms() - started);
		s->left_ms = s->left_ms > 0 ? s->left_ms : 0;
		if (ready < 0 && os != EINTR) {
			return err_set(err, ERR_HOST, os, "cannot wait for a policy");
		}
		if (ready <= 0 && !s->left_ms) {
			return err_set(err, ERR_LIMIT, 0, "no word in time");
		}
	}
	return 0;
}

static int serve(struct session *s, struct err *err)
{
	while (s->current < s->set->count) {
		struct value message;

		if (wait_for_word(s, err) ||
		    wire_receive_most(s->child.fd, SANDBOX_FRAME_MOST, s->arena,
		                      clock_ms() + s->limits->wall_ms, &message, err)) {
			return receive_failed(s, err);
		}
		int r = take_message(s, &message, err);

		if (r) {
			return r;
		}
	}
	return 0;
}

/* ---- Around it ---- */

/* The address space we have now, which the child starts with: proc(5), statm. */
static uint64_t address_space(void)
{
	AUTO(fd_auto) int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[64];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	unsigned long pages = 0;

	if (n > 0) {
		text[n] = '\0';
		if (sscanf(text, "%lu", &pages) != 1) {
			pages = 0;
		}
	}
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int run_child(struct session *s, struct err *err)
{
	const struct policy_limits *limits = s->limits;
	struct job job = {.set = s->set, .want = s->want, .limits = limits, .page = s->page};
	uint64_t now = address_space();
	const struct child_limits bounds = {
	    /* States are never closed: each policy leaves its share behind, and its messages. */
	    .memory = now ? now + 2 * s->set->count * limits->memory + HEADROOM : 0,
	    .cpu_seconds = (unsigned)s->set->count * (limits->cpu_seconds + 1),
	    .no_files = true,
	};
	int r = child_fork(sandbox_main, &job, &bounds, &s->child, err);

	if (!r) {
		start_policy(s, 0);
		r = serve(s, err);
	}
	/* A child that cannot even be killed holds nothing of ours: it is left to the kernel. */
	if (r) {
		child_kill(&s->child, NULL);
	} else {
		child_end(&s->child, GRACE_MS, NULL);
	}
	return r;
}

static int check_handled(const struct session *s, struct err *err)
{
	for (size_t i = 0; i < section_count; i++) {
		const struct value_entry *entry = value_entry(s->want, section_table[i].name);

		if (section_table[i].for_policies && entry && !s->handled[i]) {
			return err_at(err, ERR_POLICY, entry->key_at, "%s: no policy handles this section",
			              entry->key);
		}
	}
	return 0;
}

/* A text is kept with the last good tree and quoted in messages: both need UTF-8. Bytecode is left
 * to the child, which says what it is. */
static int check_text(const char *what, const struct policy_source *source, struct err *err)
{
	struct pos at = {.file = source->file, .line = 1};
	const char *text = source->text, *nul;
	size_t n = source->length, end;

	if (n && text[0] == LUA_SIGNATURE[0]) {
		return 0;
	}
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		return err_at(err, ERR_POLICY, at,
		              "%s %s: the file begins with a byte order mark; save it as UTF-8 without one",
		              what, source->name);
	}
	nul = memchr(text, '\0', n);
	end = text_utf8_until(text, nul ? (size_t)(nul - text) : n);
	if (end == n) {
		return 0;
	}
	for (size_t i = 0; i < end; i++) {
		at.line += text[i] == '\n';
	}
	return err_at(err, ERR_POLICY, at,
	              "%s %s: the byte 0x%02x is not UTF-8 here; save the file as UTF-8", what,
	              source->name, (unsigned char)text[end]);
}

static int check_texts(const struct policy_set *set, struct err *err)
{
	for (size_t i = 0; i < set->count; i++) {
		if (check_text("policy", &set->policies[i], err)) {
			return -ERR_POLICY;
		}
	}
	for (size_t i = 0; i < set->library_count; i++) {
		if (check_text("library", &set->libraries[i], err)) {
			return -ERR_POLICY;
		}
	}
	return 0;
}

/* One parameter more than others have: this is the whole door. NOLINTNEXTLINE(*-function-size) */
int policy_run(const struct policy_set *set, const struct value *want, struct fact_source *facts,
               const struct policy_limits *limits, struct arena *arena,
               struct decision *ret_decision, struct err *err)
{
	struct decision decision = {0};
	struct page *page =
	    mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct session s = {
	    .set = set,
	    .want = want,
	    .facts = facts,
	    .limits = limits,
	    .arena = arena,
	    .page = page,
	    .child = {.fd = -1},
	    .reader = {.set = set, .most = limits->resources, .arena = arena, .decision = &decision},
	    .handled = arena_array(arena, section_count, sizeof(bool)),
	};

	if (page == MAP_FAILED) {
		return err_set(err, ERR_HOST, errno, "no memory to share with the process for policies");
	}
	int r = check_texts(set, err);

	if (!r && set->count) {
		r = run_child(&s, err);
	}

	munmap(page, sizeof *page);
	if (!r) {
		r = check_handled(&s, err);
	}
	if (!r) {
		*ret_decision = decision;
	}
	return r;
}
