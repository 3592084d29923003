// SPDX-License-Identifier: MIT
/* A desired tree of a few files, checked, and the effective state of each node that it knows. */
#include "fuzz/fuzz.h"

#include "base/json.h"
#include "desired/desired.h"

enum { FILES = 4, NODES_MOST = 4, DIGEST = 64 };

static const char *const paths[FILES] = {
    "defaults.yaml",
    "nodes/n.yaml",
    "roles/compute.yaml",
    "roles/gpu.yaml",
};

static void look_at_faults(const struct diags *diags, const struct desired_file *files, size_t n)
{
	for (size_t i = 0; i < diags->count; i++) {
		const struct err *err = &diags->list[i].err;
		size_t length = 0;
		const char *line = desired_source_line(files, n, err->at, &length);

		HOLDS(err->text[0] && err->code == ERR_INPUT);
		HOLDS(!line || !memchr(line, '\n', length));
	}
}

static void look_at_node(struct arena *arena, const struct desired_tree *tree, const char *name,
                         const struct desired_file *files, size_t n)
{
	const struct desired_identity identity = {.name = name, .source = "--node"};
	struct diags diags = {.arena = arena};
	AUTO(str_free) struct str json = {0};
	struct desired desired;
	struct value again;
	struct err err;

	if (desired_effective(arena, tree, &identity, &desired, &diags)) {
		HOLDS(diags.count > 0);
		look_at_faults(&diags, files, n);
		return;
	}
	HOLDS(strlen(desired.digest) == DIGEST);
	json_print(&json, &desired.state, 0);
	HOLDS(json_parse(json.data, json.length, "state", arena, &again, &err) == 0);
	HOLDS(!desired_shrink(arena, &desired.state, &desired.state).alarming);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct fuzz_rest rest = {data, size};
	struct desired_file files[FILES];
	struct diags diags = {.arena = arena};
	size_t n = 0;

	for (char *text; n < FILES && (text = fuzz_text(arena, &rest)); n++) {
		files[n] = (struct desired_file){paths[n], paths[n], text, strlen(text)};
	}
	const struct desired_tree *tree = desired_load(arena, files, n, &diags);

	HOLDS(!tree == (diags.count > 0));
	look_at_faults(&diags, files, n);
	if (tree) {
		const char *const *nodes;
		size_t count = desired_nodes(tree, arena, &nodes);

		for (size_t i = 0; i < count && i < NODES_MOST; i++) {
			look_at_node(arena, tree, nodes[i], files, n);
		}
	}
	return 0;
}
