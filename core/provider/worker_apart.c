// SPDX-License-Identifier: MIT
/* See worker.h: one child for each look, so that dead file systems are waited for together. */
#include "base/clock.h"
#include "base/path.h"
#include "provider/worker_link.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

enum {
	GONE_MS = 200, /* how long those that were killed have to go */
	TICK_MS = 5,
};

struct probe {
	struct child child; /* pid 0: free */
	size_t number;      /* of the query */
	int64_t started;
};

struct apart {
	struct worker *worker;
	const struct worker_query *queries;
	size_t n, next;
	struct arena *arena;
	const struct resource **facts;
	struct probe probes[STUCK_MOST];
	size_t active;
};

static void settle(struct apart *a, size_t number, const char *why)
{
	const struct worker_query *query = &a->queries[number];

	a->facts[number] = resource_undetermined(a->arena, query->kind, query->key, "%s", why);
}

static bool is_below_one_under_way(const struct apart *a, const char *key)
{
	for (size_t i = 0; i < STUCK_MOST; i++) {
		const struct probe *probe = &a->probes[i];

		if (probe->child.pid && path_is_below(key, a->queries[probe->number].key, true)) {
			return true;
		}
	}
	return false;
}

static int send_query(const struct worker_query *query, int fd, int64_t deadline, struct err *err)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	struct value request = value_map(), items = value_list(), item = value_map();

	value_put(scratch, &item, "kind", value_string(query->kind->name));
	value_put(scratch, &item, "key", value_string(query->key));
	if (query->want) {
		value_put(scratch, &item, "want", resource_to_value(scratch, query->want));
	}
	value_append(scratch, &items, item);
	value_put(scratch, &request, "op", value_string("observe"));
	value_put(scratch, &request, "fresh", value_bool(false));
	value_put(scratch, &request, "items", items);
	value_seal(&request);
	return wire_send(fd, &request, deadline, err);
}

static int start(struct apart *a, size_t number, struct err *err)
{
	struct probe *probe = a->probes;

	while (probe->child.pid) {
		probe++;
	}
	*probe = (struct probe){.number = number, .started = clock_ms()};
	if (child_fork(worker_child, &a->worker->options, NULL, &probe->child, err)) {
		probe->child.pid = 0;
		return err_wrap(err, "worker");
	}
	a->active++;
	/* One that breaks off already is heard as such: its socket has ended. */
	struct err fault = {0};

	if (send_query(&a->queries[number], probe->child.fd,
	               probe->started + a->worker->options.observe_ms, &fault)) {
		child_kill(&probe->child, NULL);
		child_abandon(&probe->child);
		a->active--;
		settle(a, number, "the worker broke off");
	}
	return 0;
}

/* Starts as many as may be under way at once: no more than could all get stuck. */
static int start_some(struct apart *a, struct err *err)
{
	while (a->next < a->n && a->active + stuck_alive(&a->worker->stuck) < STUCK_MOST) {
		const struct worker_query *query = &a->queries[a->next];

		if (is_below_one_under_way(a, query->key)) {
			return 0;
		}
		const char *why = worker_forbidden(a->worker, query->kind, query->key, false, a->arena);

		if (why) {
			settle(a, a->next, why);
		} else if (start(a, a->next, err)) {
			return -(int)err->code;
		}
		a->next++;
	}
	return 0;
}

static void hear(struct apart *a, struct probe *probe)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	const struct worker_query *query = &a->queries[probe->number];
	struct err fault = {0};
	struct value answer;

	struct worker_deed deed = {.kind = query->kind, .key = query->key, .began = probe->started};
	bool heard = !wire_receive(probe->child.fd, scratch,
	                           probe->started + a->worker->options.observe_ms, &answer, &fault);

	if (heard) {
		worker_unwrap(a->worker, &answer);
	}
	if (!heard || worker_read_fact(query, &answer, a->arena, &a->facts[probe->number], &fault)) {
		settle(a, probe->number, "the worker broke off");
	}
	worker_note_left(a->worker, &deed);
	child_kill(&probe->child, NULL);
	child_abandon(&probe->child);
	a->active--;
}

static bool is_late(const struct apart *a, const struct probe *probe)
{
	return probe->child.pid && !clock_left(probe->started + a->worker->options.observe_ms);
}

static bool any_is_there(const struct apart *a, const bool *late)
{
	for (size_t i = 0; i < STUCK_MOST; i++) {
		const struct child *child = &a->probes[i].child;

		if (late[i] && child_is_alive(child->pid, child->starttime)) {
			return true;
		}
	}
	return false;
}

/* All that are late go at the same moment, and are waited for together. */
static void leave_the_late(struct apart *a)
{
	bool late[STUCK_MOST] = {0}, any = false;
	int64_t until = clock_ms() + GONE_MS;

	for (size_t i = 0; i < STUCK_MOST; i++) {
		late[i] = is_late(a, &a->probes[i]);
		any |= late[i];
		if (late[i]) {
			kill(-a->probes[i].child.pid, SIGKILL);
		}
	}
	while (any && any_is_there(a, late) && clock_left(until)) {
		poll(NULL, 0, TICK_MS);
	}
	for (size_t i = 0; i < STUCK_MOST; i++) {
		struct probe *probe = &a->probes[i];

		if (!late[i]) {
			continue;
		}
		const struct worker_query *query = &a->queries[probe->number];
		struct worker_deed deed = {.kind = query->kind, .key = query->key, .began = probe->started};

		a->worker->left = (struct child_left){0};
		if (child_is_alive(probe->child.pid, probe->child.starttime) ||
		    !child_kill(&probe->child, NULL)) {
			a->worker->left.list[a->worker->left.count++] =
			    (struct child_process){probe->child.pid, probe->child.starttime};
		}
		child_abandon(&probe->child);
		settle(a, probe->number, worker_left_behind(a->worker, &deed, a->arena));
		a->active--;
	}
}

static void wait_a_while(struct apart *a)
{
	struct pollfd fds[STUCK_MOST];
	int64_t least = a->worker->options.observe_ms;

	for (size_t i = 0; i < STUCK_MOST; i++) {
		const struct probe *probe = &a->probes[i];

		fds[i] = (struct pollfd){.fd = probe->child.pid ? probe->child.fd : -1, .events = POLLIN};
		if (probe->child.pid) {
			int64_t left = clock_left(probe->started + a->worker->options.observe_ms);

			least = left < least ? left : least;
		}
	}
	poll(fds, STUCK_MOST, (int)least);
	for (size_t i = 0; i < STUCK_MOST; i++) {
		if (fds[i].fd >= 0 && fds[i].revents) {
			hear(a, &a->probes[i]);
		}
	}
	leave_the_late(a);
}

int worker_observe_apart(struct worker *worker, const struct worker_query *queries, size_t n,
                         struct arena *arena, const struct resource **ret_facts, struct err *err)
{
	struct apart a = {
	    .worker = worker, .queries = queries, .n = n, .arena = arena, .facts = ret_facts};
	int r = 0;

	/* Loads what earlier runs have left, before anything is asked. */
	if (n && worker_ensure(worker, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < STUCK_MOST; i++) {
		a.probes[i].child = (struct child){.fd = -1};
	}
	while (!r && (a.next < n || a.active)) {
		r = start_some(&a, err);
		if (!r && !a.active && a.next < n) {
			/* As many are stuck as may be: worker_forbidden has the words for it. */
			const char *why =
			    worker_forbidden(worker, queries[a.next].kind, queries[a.next].key, false, arena);

			settle(&a, a.next++, why ? why : "too many processes hang on dead file systems");
		} else if (a.active) {
			wait_a_while(&a);
		}
	}
	for (size_t i = 0; r && i < STUCK_MOST; i++) {
		if (a.probes[i].child.pid) {
			child_kill(&a.probes[i].child, NULL);
			child_abandon(&a.probes[i].child);
		}
	}
	return r;
}
