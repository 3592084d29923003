// SPDX-License-Identifier: MIT
/* reconcile validate: every fault of a tree in one pass. */
#include "cli/cmds.h"
#include "cli/session.h"

static const char *line_of(const void *context, struct pos at, size_t *ret_length)
{
	return engine_source_line(context, at, ret_length);
}

static struct value fault_list(struct cli *cli, const struct diags *diags)
{
	struct value list = value_list();

	for (size_t i = 0; i < diags->count; i++) {
		value_append(cli->arena, &list,
		             session_fault(cli->arena, &diags->list[i].err, diags->list[i].hint));
	}
	return list;
}

static bool print_json(struct cli *cli, const struct diags *diags, const struct diags *warnings,
                       size_t files, size_t nodes)
{
	struct value document = value_map();

	value_put(cli->arena, &document, "errors", fault_list(cli, diags));
	value_put(cli->arena, &document, "warnings", fault_list(cli, warnings));
	value_put(cli->arena, &document, "exit_code",
	          value_int(diags->count ? EXIT_ERROR : EXIT_IN_SYNC));
	value_put(cli->arena, &document, "files", value_int((int64_t)files));
	value_put(cli->arena, &document, "nodes", value_int((int64_t)nodes));
	value_seal(&document);
	return output_json(&document);
}

static void print_warnings(struct cli *cli, const struct diags *warnings)
{
	for (size_t i = 0; i < warnings->count; i++) {
		const struct err *w = &warnings->list[i].err;

		output_note(&cli->out, "%s:%u:%u: warning: %s", w->at.file ? w->at.file : "", w->at.line,
		            w->at.col, w->text);
	}
}

static int run(struct cli *cli)
{
	size_t files = 0, nodes = 0;
	struct diags diags = {0}, warnings = {0};
	struct err err = {0};
	AUTO(str_free) struct str text = {0};
	AUTO(session_free) struct engine *engine = engine_open(&cli->engine, NULL);
	int r = engine_validate(engine, &diags, &warnings, &files, &nodes, &err);

	if (r && !diags.count) {
		return session_fail(cli, engine, &err);
	}
	output_diags(&cli->out, &diags, line_of, engine);
	print_warnings(cli, &warnings);
	if (cli->json) {
		return print_json(cli, &diags, &warnings, files, nodes) && !r ? EXIT_IN_SYNC : EXIT_ERROR;
	}
	if (r) {
		output_note(&cli->out, "%s", err.text);
		return EXIT_ERROR;
	}
	str_addf(&text, "%s is valid: %zu %s, %zu node %s, %zu policies.\n", cli->engine.tree, files,
	         files == 1 ? "file" : "files", nodes, nodes == 1 ? "entry" : "entries",
	         engine_policy_count(engine));
	return output_text(&text) ? EXIT_IN_SYNC : EXIT_ERROR;
}

const struct cmd cmd_validate = {
    .name = "validate",
    .arguments = "",
    .summary = "check a tree: every fault in one pass, with file:line:column",
    .help = "Reads state/ and policies/ and checks the files and the effective state of every\n"
            "node entry. It looks at the tree only, not at this node. Exit codes: 0 valid, 1\n"
            "faults or no tree.",
    .run = run,
};
