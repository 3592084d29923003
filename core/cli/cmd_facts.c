// SPDX-License-Identifier: MIT
/* reconcile facts: what is observed of this node. */
#include "cli/cmds.h"
#include "cli/session.h"

#include "model/compare.h"

static void add_fact(struct str *s, struct arena *arena, bool colour, const struct resource *r)
{
	output_paint(s, colour, COLOUR_BOLD, resource_id(arena, r->kind, r->key));
	str_addf(s, "  %s\n", state_name(r->state));
	if (r->why) {
		str_add(s, "  why               ");
		str_add_printable(s, r->why, 1000);
		str_addc(s, '\n');
	}
	for (size_t i = 0; i < r->kind->field_count; i++) {
		const struct field *f = &r->kind->fields[i];

		if (field_is_set(f, r)) {
			str_addf(s, "  %-17s ", f->name);
			str_add_printable(s, compare_show(arena, f, r), 4000);
			str_addc(s, '\n');
		}
	}
}

/* With a tree the facts of a plan, without one what can be told of any node. */
static struct engine *open_engine(struct cli *cli, bool needs_tree, int *ret_code)
{
	if (needs_tree) {
		return session_load(cli, ret_code);
	}
	return session_open(cli);
}

static int parse(struct cli *cli, const struct kind **ret_kind, const char **ret_key,
                 struct err *err)
{
	if (!cli->argument_count) {
		return 0;
	}
	return resource_parse_id(cli->arguments[0], cli->arena, ret_kind, ret_key, err);
}

static int run(struct cli *cli)
{
	const struct kind *kind = NULL;
	const char *key = NULL;
	const struct resource **facts;
	size_t count;
	struct err err = {0};
	int code = EXIT_ERROR;
	AUTO(str_free) struct str text = {0};

	if (parse(cli, &kind, &key, &err)) {
		return session_fail(cli, NULL, &err);
	}
	AUTO(session_free) struct engine *engine = open_engine(cli, !kind, &code);

	if (!engine) {
		return code;
	}
	if (engine_facts(engine, kind, key, &facts, &count, &err)) {
		return session_fail(cli, engine, &err);
	}
	output_progress(&cli->out, "");
	if (cli->json) {
		struct value document = engine_facts_document(engine, facts, count);

		return output_json(&document) ? EXIT_IN_SYNC : EXIT_ERROR;
	}
	for (size_t i = 0; i < count; i++) {
		add_fact(&text, cli->arena, cli->out.colour, facts[i]);
	}
	return output_text(&text) ? EXIT_IN_SYNC : EXIT_ERROR;
}

static const struct option_row options[] = {
    {"--facts", 0, "FILE", "show a recording instead of this node", session_take_facts},
    {NULL, 0, NULL, NULL, NULL},
};

const struct cmd cmd_facts = {
    .name = "facts",
    .arguments = "[KIND[:KEY]]",
    .summary = "print what is observed of this node",
    .help = "Without KIND: everything that a plan for this node reads; `facts --json > FILE` is a\n"
            "recording that `plan --facts FILE` plans for, anywhere. With KIND: all of them, or\n"
            "the one named KEY. A fact that cannot be told is undetermined, with the reason.",
    .options = options,
    .most_arguments = 1,
    .run = run,
};
