// SPDX-License-Identifier: MIT
/* reconcile show: the effective desired state of a node, with where each value comes from. */
#include "cli/cmds.h"
#include "cli/session.h"

#include "model/redact.h"

#include <string.h>

enum { COLUMN = 56 };

static void add_place(struct str *s, size_t line_start, const struct pos *at, struct output *out)
{
	AUTO(str_free) struct str place = {0};
	size_t width = text_width(str_text(s) + line_start);

	if (at->file && at->line) {
		str_pad(s, ' ', width < COLUMN ? COLUMN - width : 2);
		str_addf(&place, "# %s:%u:%u", at->file, at->line, at->col);
		output_paint(s, out->colour, COLOUR_DIM, str_text(&place));
	}
	str_addc(s, '\n');
}

static void add_scalar(struct str *s, const struct value *v)
{
	if (v->type == VALUE_BOOL) {
		str_add(s, v->boolean ? "true" : "false");
	} else if (v->type == VALUE_INT) {
		str_addf(s, "%lld", (long long)v->integer);
	} else if (v->type == VALUE_STRING) {
		bool plain = !v->quoted && *v->string && !strpbrk(v->string, "\n\t#:{}[],&*!|>'\"%@`") &&
		             v->string[0] != ' ' && v->string[0] != '-';

		str_add(s, plain ? "" : "\"");
		for (const char *p = v->string; *p; p++) {
			str_addf(s,
			         *p == '\n'                ? "\\n"
			         : *p == '\t'              ? "\\t"
			         : *p == '"' || *p == '\\' ? "\\%c"
			                                   : "%c",
			         *p);
		}
		str_add(s, plain ? "" : "\"");
	}
}

static bool is_flat(const struct value *v)
{
	for (size_t i = 0; v->type == VALUE_LIST && i < v->count; i++) {
		if (v->items[i].type == VALUE_LIST || v->items[i].type == VALUE_MAP) {
			return false;
		}
	}
	return v->type != VALUE_MAP || v->count == 0;
}

static void add_flat(struct str *s, const struct value *v)
{
	if (v->type == VALUE_MAP) {
		str_add(s, "{}");
		return;
	}
	if (v->type != VALUE_LIST) {
		add_scalar(s, v);
		return;
	}
	str_addc(s, '[');
	for (size_t i = 0; i < v->count; i++) {
		str_add(s, i ? ", " : "");
		add_scalar(s, &v->items[i]);
	}
	str_addc(s, ']');
}

static void add_map(struct str *s, const struct value *map, unsigned depth, struct output *out)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct value_entry *e = &map->entries[i];
		size_t start = s->length;

		str_pad(s, ' ', (size_t)depth * 2);
		str_addf(s, "%s:", e->key);
		if (is_flat(&e->value)) {
			str_addc(s, ' ');
			add_flat(s, &e->value);
		}
		add_place(s, start, e->value.at.line && is_flat(&e->value) ? &e->value.at : &e->key_at,
		          out);
		if (!is_flat(&e->value)) {
			add_map(s, &e->value, depth + 1, out);
		}
	}
}

/* For JSON: each scalar and list becomes {value, file, line, column}. */
static struct value with_places(struct arena *arena, const struct value *v,
                                const struct pos *key_at)
{
	struct value result = value_map();
	const struct pos *at = v->at.line ? &v->at : key_at;

	if (v->type == VALUE_MAP && v->count) {
		for (size_t i = 0; i < v->count; i++) {
			value_put(arena, &result, v->entries[i].key,
			          with_places(arena, &v->entries[i].value, &v->entries[i].key_at));
		}
	} else {
		value_put(arena, &result, "value", *v);
		value_put(arena, &result, "file", value_string(at->file));
		value_put(arena, &result, "line", value_int(at->line));
		value_put(arena, &result, "column", value_int(at->col));
	}
	value_seal(&result);
	return result;
}

static bool print_json(struct cli *cli, const struct desired *d, const struct desired_identity *who,
                       const struct value *state)
{
	struct value document = value_map(), files = value_list(), roles = value_list();
	static const struct pos nowhere;

	for (size_t i = 0; i < d->file_count; i++) {
		value_append(cli->arena, &files, value_string(d->files[i]));
	}
	for (size_t i = 0; i < d->role_count; i++) {
		value_append(cli->arena, &roles, value_string(d->roles[i]));
	}
	value_put(cli->arena, &document, "node", value_string(who->name));
	value_put(cli->arena, &document, "identity", value_string(who->source));
	value_put(cli->arena, &document, "digest", value_string(d->digest));
	value_put(cli->arena, &document, "files", files);
	value_put(cli->arena, &document, "roles", roles);
	value_put(cli->arena, &document, "state", *state);
	value_put(cli->arena, &document, "places", with_places(cli->arena, state, &nowhere));
	value_seal(&document);
	return output_json(&document);
}

static int run(struct cli *cli)
{
	int code;
	AUTO(str_free) struct str text = {0};
	AUTO(session_free) struct engine *engine = session_load(cli, &code);

	if (!engine) {
		return code;
	}
	const struct desired *d = engine_desired(engine);
	const struct desired_identity *who = engine_identity(engine);
	struct value state = redact_state(cli->arena, &d->state, REDACT_SECRET);

	if (cli->json) {
		return print_json(cli, d, who, &state) ? EXIT_IN_SYNC : EXIT_ERROR;
	}
	str_addf(&text, "# node %s, named by %s\n# laid over each other:", who->name, who->source);
	for (size_t i = 0; i < d->file_count; i++) {
		str_addf(&text, " %s", d->files[i]);
	}
	str_addf(&text, "\n# digest %s\n", d->digest);
	add_map(&text, &state, 0, &cli->out);
	return output_text(&text) ? EXIT_IN_SYNC : EXIT_ERROR;
}

const struct cmd cmd_show = {
    .name = "show",
    .arguments = "",
    .summary = "print the effective desired state of a node, and where each value comes from",
    .help = "Prints what defaults, roles and the node's file say together, as YAML, with file,\n"
            "line and column of each value. With --json, `state` has the values and `places` each\n"
            "with its place.",
    .run = run,
};
