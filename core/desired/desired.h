// SPDX-License-Identifier: MIT
/*
 * The desired state: bytes of YAML files to the effective state of one node, each value with its
 * position, all faults in one pass. The only door to this room. It opens no file: the caller hands
 * it the files, whose names and list must live as long as the result (positions borrow the names);
 * texts may go once loaded, but desired_source_line() needs them. Everything returned lives in the
 * arena of the call that made it.
 */
#ifndef DESIRED_DESIRED_H
#define DESIRED_DESIRED_H

#include "base/diag.h"
#include "base/value.h"

struct desired_file {
	/* As shown in messages: "state/nodes/compute.yaml" (with the -C prefix as typed). */
	const char *name;
	const char *path; /* within the tree: "nodes/compute.yaml", "roles/x.yaml", "defaults.yaml" */
	const char *text;
	size_t length;
};

struct desired_tree; /* all files, parsed and checked */

/* Parses and checks every file. Faults are added to *diags, sorted by place; NULL when there was
 * any. At most 100 faults a file are listed; behind a fault of syntax only what was read before it
 * is checked. */
struct desired_tree *desired_load(struct arena *arena, const struct desired_file *files,
                                  size_t count, struct diags *diags);

/* Who this node is, when it is not a file under nodes/ that decides the roles. */
struct desired_identity {
	const char *name;
	const char *source;        /* "--node", "/etc/reconcile/node.yaml", "host name" */
	const char *const *roles;  /* from node.yaml: used when the tree's node file names none */
	const struct pos *role_at; /* where each stands, or NULL */
	size_t role_count;
};

/* Reads the text of a node.yaml: name, roles (and version: 1, if it likes). `source` becomes the
 * file's name. ERR_INPUT, with all faults in *diags. */
int desired_identity_parse(struct arena *arena, const struct desired_file *file,
                           struct desired_identity *ret_identity, struct diags *diags) MUST_CHECK;

/* The effective state of a node. */
struct desired {
	/* A sealed map by section, in the shape of desired/layer.h: collections are maps by key,
	 * resources a map by KIND:KEY. version, nodes and roles are not in it, nor are entries with
	 * state: unmanaged; one to be removed says state: absent. An entry has the place of the
	 * topmost file that speaks of it, a value its own. */
	struct value state;
	const char *node_file; /* which node file matched, NULL when identity's roles alone serve */
	const char *const *roles;
	size_t role_count;
	const char *const *files; /* files that took part, in overlay order */
	size_t file_count;
	const char *digest; /* SHA-256 of the state without `accept`, 64 hex digits */
};

/* defaults, roles in order, node file. Faults (unknown role, unknown node, two node files with
 * equal right, entries that lack something, contradictions that only show in the result) go to
 * *diags, those that it holds already left out; -ERR_INPUT then. A glob of desired_nodes() serves
 * as a name, too. `files` is in the overlay's order; the state borrows from the tree. */
int desired_effective(struct arena *arena, const struct desired_tree *tree,
                      const struct desired_identity *identity, struct desired *ret_desired,
                      struct diags *diags) MUST_CHECK;

/* Every node name and glob that the tree knows, for `validate` (which checks the effective state
 * of each): the array is in `arena`. */
size_t desired_nodes(const struct desired_tree *tree, struct arena *arena,
                     const char *const **ret_patterns);

/* The source line of a position in one of the files, for the caret: without its line end, not
 * terminated, may hold anything. NULL: not there. */
const char *desired_source_line(const struct desired_file *files, size_t count, struct pos at,
                                size_t *ret_length);

/* What a new state has lost against an older one (both effective): sections gone, and entries
 * (KIND:KEY) gone. For the shrink guard: alarming when a section is gone, or more than a third and
 * at least five entries. */
struct desired_shrink {
	bool alarming;
	size_t before, gone;
	const char *text; /* one sentence */
};
struct desired_shrink desired_shrink(struct arena *arena, const struct value *before,
                                     const struct value *now);

#endif
