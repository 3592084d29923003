// SPDX-License-Identifier: MIT
/* See order.h. */
#include "engine/order.h"

#include "base/path.h"
#include "base/str.h"
#include "provider/converge.h"

#include <string.h>

struct edges {
	struct arena *arena;
	const struct wanted_set *set;
	size_t **needs;
	size_t *counts, *caps;
};

static size_t number_of(const struct wanted_set *set, const struct wanted *w)
{
	return (size_t)(w - set->list);
}

static void add_edge(struct edges *e, size_t from, size_t needed)
{
	/* An edge twice does no harm; the last few are looked at so that it is rare. */
	for (size_t i = e->counts[from], k = 0; i-- > 0 && k < 4; k++) {
		if (e->needs[from][i] == needed) {
			return;
		}
	}
	e->needs[from] = arena_grow(e->arena, e->needs[from], e->counts[from], &e->caps[from],
	                            sizeof *e->needs[from]);
	e->needs[from][e->counts[from]++] = needed;
}

static void add_edge_to_id(struct edges *e, size_t from, const char *id)
{
	const struct wanted *w = strmap_get(e->set->by_id, id);

	if (w && number_of(e->set, w) != from) {
		add_edge(e, from, number_of(e->set, w));
	}
}

static bool has_path(enum kind_id kind)
{
	return kind == KIND_DIRECTORY || kind == KIND_FILE || kind == KIND_MOUNT ||
	       kind == KIND_DATA_REPOSITORY;
}

static const struct wanted *find(const struct edges *e, enum kind_id kind, const char *path)
{
	return strmap_get(e->set->by_id, resource_id(e->arena, &kind_table[kind], path));
}

/* `lower` lies below (or on) `upper`: whichever is made needs what it lies in; whatever is taken
 * away needs what lies in it to be gone first. */
static int relate(struct edges *e, const struct wanted *lower, const struct wanted *upper,
                  struct err *err)
{
	size_t low = number_of(e->set, lower), up = number_of(e->set, upper);
	bool upper_goes = upper->want->state == STATE_ABSENT;

	if (upper_goes && lower->want->state == STATE_PRESENT && upper->want->kind->id != KIND_MOUNT) {
		const struct origin *a = &upper->origins[0], *b = &lower->origins[0];

		return err_at(err, ERR_INPUT, a->yaml.line ? a->yaml : a->lua,
		              "%s is wanted absent, but %s lies in it and is wanted present (%s:%u)",
		              upper->id, lower->id, b->yaml.file ? b->yaml.file : b->lua.file,
		              b->yaml.line ? b->yaml.line : b->lua.line);
	}
	if (upper_goes && lower->want->state == STATE_ABSENT) {
		add_edge(e, up, low);
	} else {
		add_edge(e, low, up);
	}
	return 0;
}

/* The nearest wanted folder or mount above, and the mount on the very path; the rest follows from
 * their own edges. *ret_over: the wanted mount it lies on, + 1. */
static int path_edges(struct edges *e, const struct wanted *w, size_t *ret_over, struct err *err)
{
	const struct wanted *here =
	    w->want->kind->id == KIND_MOUNT ? NULL : find(e, KIND_MOUNT, w->want->key);
	char *path = arena_strdup(e->arena, w->want->key);
	bool nearest = true;

	if (here && w->want->kind->id != KIND_MOUNT) {
		/* On a mount's target a folder speaks of the mounted root, so the mount comes first either
		 * way. */
		add_edge(e, number_of(e->set, w), number_of(e->set, here));
		nearest = false;
		*ret_over = here->want->state == STATE_PRESENT ? number_of(e->set, here) + 1 : 0;
	}
	while (*ret_over == 0 || nearest) {
		char *slash = strrchr(path, '/');

		if (!slash || !path[1]) {
			break;
		}
		slash[slash == path] = '\0';
		const struct wanted *mount = find(e, KIND_MOUNT, path);
		const struct wanted *directory = find(e, KIND_DIRECTORY, path);
		const struct wanted *upper = directory ? directory : mount;

		if (upper && nearest) {
			if (relate(e, w, upper, err)) {
				return -(int)err->code;
			}
			nearest = false;
		}
		if (mount && mount->want->state == STATE_PRESENT && *ret_over == 0) {
			add_edge(e, number_of(e->set, w), number_of(e->set, mount));
			*ret_over = number_of(e->set, mount) + 1;
		}
	}
	return 0;
}

/* A node gets work again when it is whole: after all that a reboot may have cost it. */
static void resume_edges(struct edges *e, size_t from)
{
	for (size_t i = 0; i < e->set->count; i++) {
		enum kind_id kind = e->set->list[i].want->kind->id;

		if (kind == KIND_MODULE || kind == KIND_MOUNT || kind == KIND_KERNEL ||
		    kind == KIND_REBOOT) {
			add_edge(e, from, i);
		}
	}
}

static void kind_edges(struct edges *e, size_t i)
{
	const struct wanted *w = &e->set->list[i];
	struct keys ids = {0};

	converge_needs(e->arena, w->want, &ids);
	for (size_t k = 0; k < ids.count; k++) {
		add_edge_to_id(e, i, ids.list[k]);
	}
	for (size_t k = 0; k < w->after_count; k++) {
		add_edge_to_id(e, i, w->after[k]);
	}
	if (w->want->kind->id == KIND_SCHEDULER) {
		resume_edges(e, i);
	}
	if (w->provides_module) {
		const struct wanted *module = find(e, KIND_MODULE, w->provides_module);

		if (module) {
			add_edge(e, number_of(e->set, module), i);
		}
	}
}

/* Depth-first over a stack of our own: a chain of `after` may be as long as the plan. */
struct walk {
	const struct edges *edges;
	unsigned char *colour; /* 0 new, 1 on the stack, 2 done */
	size_t *stack, *next;  /* the path we are on, and which need comes next */
	size_t depth;
};

static int report_cycle(const struct walk *walk, size_t again, struct err *err)
{
	AUTO(str_free) struct str text = {0};
	const struct wanted *list = walk->edges->set->list;
	size_t from = 0;

	while (walk->stack[from] != again) {
		from++;
	}
	for (size_t i = from; i < walk->depth; i++) {
		str_addf(&text, "%s needs ", list[walk->stack[i]].id);
	}
	const struct origin *o = &list[again].origins[0];

	return err_at(err, ERR_POLICY, o->yaml.line ? o->yaml : o->lua, "needs go in a circle: %s%s",
	              str_text(&text), list[again].id);
}

static int visit(struct walk *walk, size_t start, struct order *order, size_t *done,
                 struct err *err)
{
	walk->stack[0] = start;
	walk->next[0] = 0;
	walk->colour[start] = 1;
	walk->depth = 1;
	while (walk->depth) {
		size_t node = walk->stack[walk->depth - 1];

		if (walk->next[walk->depth - 1] == walk->edges->counts[node]) {
			walk->colour[node] = 2;
			order->sequence[(*done)++] = node;
			walk->depth--;
			continue;
		}
		size_t needed = walk->edges->needs[node][walk->next[walk->depth - 1]++];

		if (walk->colour[needed] == 1) {
			return report_cycle(walk, needed, err);
		}
		if (walk->colour[needed] == 0) {
			walk->colour[needed] = 1;
			walk->stack[walk->depth] = needed;
			walk->next[walk->depth++] = 0;
		}
	}
	return 0;
}

int order_make(struct arena *arena, const struct wanted_set *set, struct order *ret_order,
               struct err *err)
{
	size_t n = set->count, done = 0;
	struct edges edges = {
	    .arena = arena,
	    .set = set,
	    .needs = arena_array(arena, n, sizeof *edges.needs),
	    .counts = arena_array(arena, n, sizeof *edges.counts),
	    .caps = arena_array(arena, n, sizeof *edges.caps),
	};
	struct order order = {
	    .sequence = arena_array(arena, n, sizeof *order.sequence),
	    .needs = edges.needs,
	    .need_counts = edges.counts,
	    .mount_over = arena_array(arena, n, sizeof *order.mount_over),
	};
	struct walk walk = {
	    .edges = &edges,
	    .colour = arena_array(arena, n, 1),
	    .stack = arena_array(arena, n, sizeof *walk.stack),
	    .next = arena_array(arena, n, sizeof *walk.next),
	};

	for (size_t i = 0; i < n; i++) {
		kind_edges(&edges, i);
		if (has_path(set->list[i].want->kind->id) &&
		    path_edges(&edges, &set->list[i], &order.mount_over[i], err)) {
			return -(int)err->code;
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (walk.colour[i] == 0 && visit(&walk, i, &order, &done, err)) {
			return -(int)err->code;
		}
	}
	*ret_order = order;
	return 0;
}
