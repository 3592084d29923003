// SPDX-License-Identifier: MIT
/* See desired.h: files to a tree, a tree and a node to its effective state. */
#include "desired/desired.h"

#include "base/digest.h"
#include "base/str.h"
#include "base/strmap.h"
#include "desired/final.h"
#include "desired/layer.h"
#include "desired/match.h"
#include "desired/overlay.h"
#include "desired/source.h"
#include "desired/yaml.h"

#include <string.h>

struct desired_tree {
	struct layer *layers;
	size_t count;
	const struct layer *defaults; /* NULL: there are none */
	struct strmap *roles;         /* name -> struct layer * */
};

/* ---- loading ---- */

/* `whole` layers only: what a broken file would have said is not known. */
static bool load_file(struct arena *arena, const struct desired_file *file, struct diags *diags,
                      struct layer *ret_layer)
{
	struct faults faults = {.diags = diags};
	bool whole = false;

	if (!layer_place_of(arena, file, &faults, ret_layer)) {
		return false;
	}
	const struct value *root =
	    source_check(file, &faults) ? yaml_read(arena, file, &faults, &whole) : NULL;

	if (root) {
		layer_check(arena, root, whole, &faults, ret_layer);
	}
	return true;
}

static const char *nearest_role(const struct desired_tree *tree, struct arena *arena,
                                const char *name)
{
	size_t n = strmap_count(tree->roles);
	const char **names = arena_array(arena, n, sizeof *names);

	for (size_t i = 0; i < n; i++) {
		names[i] = strmap_key(tree->roles, i);
	}
	return text_nearest(name, names, n);
}

static void check_role(const struct desired_tree *tree, const char *name, struct pos at,
                       struct faults *faults)
{
	if (strmap_get(tree->roles, name)) {
		return;
	}
	fault_add(faults, at, fault_nearest(faults, nearest_role(tree, faults->diags->arena, name)),
	          "roles: there is no roles/%s.yaml", name);
}

/* The roles that a node file names are there, each once. */
static void check_roles(const struct desired_tree *tree, const struct layer *layer,
                        struct diags *diags)
{
	const struct value *roles = value_get(&layer->state, "roles");
	struct faults faults = {.diags = diags};
	struct strmap *seen = strmap_create(diags->arena);

	for (size_t i = 0; roles && i < roles->count; i++) {
		const struct value *role = &roles->items[i];

		check_role(tree, role->string, role->at, &faults);
		if (strmap_put(seen, role->string, layer->state.entries)) {
			fault_add(&faults, role->at, "remove one of them", "roles: %s stands here twice",
			          role->string);
		}
	}
}

/* A pattern that stands in two places gives two equal rights, whatever the node. */
static void check_patterns(const struct layer *layer, struct strmap *seen, struct diags *diags)
{
	const struct value *patterns = value_get(&layer->state, "nodes");
	struct faults faults = {.diags = diags};

	for (size_t i = 0; patterns && i < patterns->count; i++) {
		struct value *pattern = &patterns->items[i];
		const struct value *first = strmap_get(seen, pattern->string);

		if (first) {
			fault_add(&faults, pattern->at, "remove one of them",
			          "nodes: '%s' stands already in %s:%u:%u", pattern->string, first->at.file,
			          first->at.line, first->at.col);
		} else {
			strmap_put(seen, pattern->string, pattern);
		}
	}
}

struct desired_tree *desired_load(struct arena *arena, const struct desired_file *files,
                                  size_t count, struct diags *diags)
{
	struct desired_tree *tree = arena_alloc(arena, sizeof *tree);
	struct strmap *patterns = strmap_create(arena);
	size_t before = diags->count;

	tree->layers = arena_array(arena, count, sizeof *tree->layers);
	tree->roles = strmap_create(arena);
	for (size_t i = 0; i < count; i++) {
		tree->count += load_file(arena, &files[i], diags, &tree->layers[tree->count]);
	}
	for (size_t i = 0; i < tree->count; i++) {
		if (tree->layers[i].place == IN_ROLE) {
			strmap_put(tree->roles, tree->layers[i].name, &tree->layers[i]);
		} else if (tree->layers[i].place == IN_DEFAULTS) {
			tree->defaults = &tree->layers[i];
		}
	}
	for (size_t i = 0; i < tree->count; i++) {
		check_roles(tree, &tree->layers[i], diags);
		check_patterns(&tree->layers[i], patterns, diags);
	}
	if (!count) {
		diag_add(diags, (struct pos){0}, "write state/defaults.yaml or state/nodes/NAME.yaml",
		         "the tree has no desired state");
	}
	diag_sort(diags);
	return diags->count == before ? tree : NULL;
}

size_t desired_nodes(const struct desired_tree *tree, struct arena *arena,
                     const char *const **ret_patterns)
{
	const char **patterns = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < tree->count; i++) {
		const struct value *nodes = value_get(&tree->layers[i].state, "nodes");

		for (size_t k = 0; nodes && k < nodes->count; k++) {
			patterns = arena_grow(arena, patterns, n, &cap, sizeof *patterns);
			patterns[n++] = nodes->items[k].string;
		}
	}
	*ret_patterns = patterns;
	return n;
}

/* ---- the effective state ---- */

struct effect {
	struct arena *arena;
	const struct desired_tree *tree;
	struct faults faults;
	struct desired result;
};

static void unknown_node(struct effect *e, const char *name)
{
	const char *const *patterns;
	struct arena *arena = e->faults.diags->arena;
	size_t n = desired_nodes(e->tree, arena, &patterns);
	const char *nearest = text_nearest(name, patterns, n);
	AUTO(str_free) struct str known = {0};

	enum { NAMED = 8 };

	for (size_t i = 0; i < n && i < NAMED; i++) {
		str_addf(&known, "%s%s", i ? ", " : "the tree speaks of ", patterns[i]);
	}
	str_add(&known, n > NAMED ? ", ..." : "");
	fault_add(&e->faults, (struct pos){0},
	          nearest ? fault_nearest(&e->faults, nearest)
	          : n     ? str_text(&known)
	                  : "write a file under nodes/ with nodes: [NAME]",
	          "node %s is not in the tree: no nodes: entry matches", fault_quote(&e->faults, name));
}

/* The roles of the node file, else those the node says of itself. */
static void choose_roles(struct effect *e, const struct layer *node,
                         const struct desired_identity *identity)
{
	const struct value *roles = node ? value_get(&node->state, "roles") : NULL;
	const char **names;

	if (!roles) {
		e->result.roles = identity->roles;
		e->result.role_count = identity->role_count;
		for (size_t i = 0; i < identity->role_count; i++) {
			check_role(e->tree, identity->roles[i],
			           identity->role_at ? identity->role_at[i] : (struct pos){0}, &e->faults);
		}
		return;
	}
	names = arena_array(e->arena, roles->count, sizeof *names);
	for (size_t i = 0; i < roles->count; i++) {
		names[i] = roles->items[i].string;
	}
	e->result.roles = names;
	e->result.role_count = roles->count;
}

static void lay(struct effect *e, const struct layer *layer, const char **files)
{
	overlay_lay(e->arena, &e->result.state, &layer->state, &e->faults);
	files[e->result.file_count++] = layer->file->name;
}

static void lay_all(struct effect *e, const struct layer *node)
{
	const char **files = arena_array(e->arena, e->result.role_count + 2, sizeof *files);

	e->result.state = value_map();
	e->result.state.sealed = true;
	if (e->tree->defaults) {
		lay(e, e->tree->defaults, files);
	}
	for (size_t i = 0; i < e->result.role_count; i++) {
		lay(e, strmap_get(e->tree->roles, e->result.roles[i]), files);
	}
	if (node) {
		lay(e, node, files);
		e->result.node_file = node->file->name;
	}
	e->result.files = files;
	overlay_finish(e->arena, &e->result.state);
	final_check(&e->result.state, &e->faults);
}

/* Without `accept`, which holds this digest. */
static const char *digest_of(struct arena *arena, const struct value *state)
{
	struct value said = *state;

	said.count = 0;
	said.cap = state->count;
	said.entries = arena_array(arena, state->count, sizeof *said.entries);
	for (size_t i = 0; i < state->count; i++) {
		if (strcmp(state->entries[i].key, "accept") != 0) {
			said.entries[said.count++] = state->entries[i];
		}
	}
	return arena_strdup(arena, digest_value(&said).hex);
}

int desired_effective(struct arena *arena, const struct desired_tree *tree,
                      const struct desired_identity *identity, struct desired *ret_desired,
                      struct diags *diags)
{
	struct effect e = {
	    .arena = arena,
	    .tree = tree,
	    .faults = {.diags = diags, .once = true},
	};
	bool tie = false;
	const struct layer *node =
	    match_node(tree->layers, tree->count, identity->name, &e.faults, &tie);

	if (!node && !tie && !identity->role_count) {
		unknown_node(&e, identity->name);
	}
	if (!e.faults.count) {
		choose_roles(&e, node, identity);
	}
	if (!e.faults.count) {
		lay_all(&e, node);
	}
	if (e.faults.count) {
		diag_sort(diags);
		return -ERR_INPUT;
	}
	e.result.digest = digest_of(arena, &e.result.state);
	*ret_desired = e.result;
	return 0;
}
