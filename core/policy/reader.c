// SPDX-License-Identifier: MIT
/* See reader.h. Whoever reads this asks of every value: what if the child were taken over? The
 * worst it can do is to plan what a policy could have planned anyway. */
#include "policy/reader.h"

#include "base/str.h"
#include "model/section.h"

#include <stdio.h>
#include <string.h>

struct pos reader_position(const struct policy_set *set, const struct policy_source *policy,
                           int64_t file, int64_t line)
{
	struct pos at = {.file = policy->file};

	if (file < 0 || (uint64_t)file > set->library_count || line < 1 || line > INT32_MAX) {
		return at;
	}
	if (file > 0) {
		at.file = set->libraries[file - 1].file;
	}
	at.line = (unsigned)line;
	return at;
}

/* ---- Faults ---- */

/* The item at hand. */
struct place {
	struct reader *reader;
	const char *call; /* "plan:mount", for messages */
	struct origin origin;
	struct err *err;
};

static int fault(const struct place *p, const char *fmt, ...) PRINTF(2, 3);

static int fault(const struct place *p, const char *fmt, ...)
{
	char text[sizeof p->err->text];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return err_at(p->err, ERR_POLICY, p->origin.lua, "policy %s: %s: %s", p->origin.policy, p->call,
	              text);
}

static int garbage(const struct place *p)
{
	return err_at(p->err, ERR_POLICY, p->origin.lua, "policy %s: its process sent a broken message",
	              p->origin.policy);
}

/* ---- Pieces ---- */

/* A text of the table that is not part of the resource. Optional ones come out NULL. */
static int take_text(const struct place *p, const struct value *table, const char *name,
                     enum field_format format, bool required, const char **ret_text)
{
	const struct field field = {.name = name, .type = FIELD_TEXT, .format = format};
	const struct value *value = value_get(table, name);
	struct err err;

	if (!value && required) {
		return fault(p, "%s is missing: %s = \"...\"", name, name);
	}
	if (value && (value->type != VALUE_STRING || !*value->string)) {
		return fault(p, "%s: expected text, found %s", name,
		             value->type == VALUE_STRING ? "an empty one" : value_type_name(value->type));
	}
	if (value && field_check(&field, value, &err)) {
		return fault(p, "%s", err.text);
	}
	*ret_text = value ? value->string : NULL;
	return 0;
}

static int check_id(const struct place *p, const char *name, const char *id)
{
	const struct kind *kind;
	const char *key;
	struct err err;

	if (resource_parse_id(id, p->reader->arena, &kind, &key, &err)) {
		return fault(p, "%s: %s", name, err.text);
	}
	return key ? 0 : fault(p, "%s: %s needs a key: %s:KEY", name, id, id);
}

static int take_after(const struct place *p, const struct value *table, struct proposal *proposal)
{
	const struct value *after = value_get(table, "after");

	if (!after) {
		return 0;
	}
	if (after->type != VALUE_LIST) {
		return fault(p, "after: expected a list of KIND:KEY, found %s",
		             value_type_name(after->type));
	}
	const char **ids = arena_array(p->reader->arena, after->count, sizeof *ids);

	for (size_t i = 0; i < after->count; i++) {
		if (after->items[i].type != VALUE_STRING) {
			return fault(p, "after: expected KIND:KEY, found %s",
			             value_type_name(after->items[i].type));
		}
		ids[i] = after->items[i].string;
		if (check_id(p, "after", ids[i])) {
			return -ERR_POLICY;
		}
	}
	proposal->after = ids;
	proposal->after_count = after->count;
	return 0;
}

static int check_names(const struct place *p, const struct value *table, const char *what,
                       const char *const *names, size_t n)
{
	for (size_t i = 0; i < table->count; i++) {
		const char *key = table->entries[i].key, *nearest = text_nearest(key, names, n);
		bool known = false;

		for (size_t k = 0; k < n; k++) {
			known = known || strcmp(key, names[k]) == 0;
		}
		if (!known && nearest) {
			return fault(p, "%.60s: %s has no such field; did you mean %s?", key, what, nearest);
		}
		if (!known) {
			AUTO(str_free) struct str all = {0};

			for (size_t k = 0; k < n; k++) {
				str_addf(&all, "%s%s", k ? k + 1 < n ? ", " : " or " : "", names[k]);
			}
			return fault(p, "%.60s: %s has no such field, expected %s", key, what, str_text(&all));
		}
	}
	return 0;
}

static int take_provides(const struct place *p, const struct kind *kind, const struct value *table,
                         struct proposal *proposal)
{
	static const char *const names[] = {"module", "kernel"};
	const struct value *provides = value_get(table, "provides");

	if (!provides) {
		return 0;
	}
	if (kind->id != KIND_PACKAGE) {
		return fault(p, "provides: only a package brings a module");
	}
	if (provides->type != VALUE_MAP) {
		return fault(p, "provides: expected {module = ..., kernel = ...}, found %s",
		             value_type_name(provides->type));
	}
	if (check_names(p, provides, "provides", names, ARRAY_LEN(names)) ||
	    take_text(p, provides, "module", FORMAT_MODULE, true, &proposal->provides_module) ||
	    take_text(p, provides, "kernel", FORMAT_RELEASE, true, &proposal->provides_kernel)) {
		return -ERR_POLICY;
	}
	return 0;
}

/* The line stands for every value: a fault found below a value has no other place. */
static void set_position(struct value *value, struct pos at)
{
	value->at = at;
	for (size_t i = 0; value->type == VALUE_LIST && i < value->count; i++) {
		set_position(&value->items[i], at);
	}
	for (size_t i = 0; value->type == VALUE_MAP && i < value->count; i++) {
		value->entries[i].key_at = at;
		set_position(&value->entries[i].value, at);
	}
}

/* The table without what is not the resource's own. */
static struct value resource_part(const struct place *p, const struct kind *kind,
                                  const struct value *table)
{
	struct value part = value_map();

	for (size_t i = 0; i < table->count; i++) {
		const char *key = table->entries[i].key;

		if (strcmp(key, "reason") != 0 && strcmp(key, "after") != 0 &&
		    strcmp(key, "provides") != 0 && strcmp(key, "kind") != 0) {
			value_put(p->reader->arena, &part, key, table->entries[i].value);
		}
	}
	value_put(p->reader->arena, &part, "kind", value_string(kind->name));
	value_seal(&part);
	set_position(&part, p->origin.lua);
	return part;
}

/* ---- Items ---- */

static int take_want(struct place *p, const struct value *item, const struct value *table)
{
	struct decision *d = p->reader->decision;
	const char *name = value_text(item, "kind"), *same = value_text(table, "kind");
	const struct kind *kind = name ? kind_find(name) : NULL;
	struct proposal proposal = {0};

	if (!kind || (kind->traits & KIND_FACT_ONLY)) {
		return garbage(p);
	}
	if (value_get(table, "kind") && !text_equal(same, kind->name)) {
		return fault(p, "kind: is another than that of the call");
	}
	if (take_text(p, table, "reason", FORMAT_TEXT, true, &p->origin.reason) ||
	    take_after(p, table, &proposal) || take_provides(p, kind, table, &proposal)) {
		return -ERR_POLICY;
	}
	struct value part = resource_part(p, kind, table);
	struct diags diags = {.arena = p->reader->arena};

	proposal.want = resource_from_value(p->reader->arena, &part, USE_WANTED, &diags);
	if (!proposal.want) {
		const struct diag *first = &diags.list[0];

		return fault(p, "%s%s%s%s", first->err.text, first->hint ? "; did you mean " : "",
		             first->hint ? first->hint : "", first->hint ? "?" : "");
	}
	resource_complete(p->reader->arena, proposal.want);
	proposal.origin = p->origin;
	d->proposals = arena_grow(p->reader->arena, d->proposals, d->proposal_count, &d->proposal_cap,
	                          sizeof *d->proposals);
	d->proposals[d->proposal_count++] = proposal;
	return 0;
}

static int take_note(struct place *p, const struct value *table, struct note *ret_note)
{
	static const char *const names[] = {"rule", "reason", "resource"};
	struct note note = {0};

	if (check_names(p, table, p->call, names, ARRAY_LEN(names)) ||
	    take_text(p, table, "rule", FORMAT_WORD, true, &note.rule) ||
	    take_text(p, table, "reason", FORMAT_TEXT, true, &p->origin.reason) ||
	    take_text(p, table, "resource", FORMAT_TEXT, false, &note.resource) ||
	    (note.resource && check_id(p, "resource", note.resource))) {
		return -ERR_POLICY;
	}
	note.origin = p->origin;
	*ret_note = note;
	return 0;
}

static int take_block(struct place *p, const struct value *table)
{
	struct decision *d = p->reader->decision;
	struct note note;

	if (take_note(p, table, &note)) {
		return -ERR_POLICY;
	}
	d->blocks =
	    arena_grow(p->reader->arena, d->blocks, d->block_count, &d->block_cap, sizeof *d->blocks);
	d->blocks[d->block_count++] = note;
	return 0;
}

static int take_warning(struct place *p, const struct value *table)
{
	struct decision *d = p->reader->decision;
	struct note note;

	if (take_note(p, table, &note)) {
		return -ERR_POLICY;
	}
	d->warnings = arena_grow(p->reader->arena, d->warnings, d->warning_count, &d->warning_cap,
	                         sizeof *d->warnings);
	d->warnings[d->warning_count++] = note;
	return 0;
}

static bool is_printable(const char *text)
{
	for (; text && *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f) {
			return false;
		}
	}
	return text != NULL;
}

static int take_undecided(struct place *p, const struct value *item)
{
	struct decision *d = p->reader->decision;
	struct undecided u = {.item = value_text(item, "item"), .fact = value_text(item, "fact")};
	const struct kind *kind;
	const char *key;
	struct err err;

	p->origin.reason = value_text(item, "reason");
	if (!is_printable(u.item) || !p->origin.reason || !u.fact ||
	    resource_parse_id(u.fact, p->reader->arena, &kind, &key, &err)) {
		return garbage(p);
	}
	u.origin = p->origin;
	d->undecided = arena_grow(p->reader->arena, d->undecided, d->undecided_count, &d->undecided_cap,
	                          sizeof *d->undecided);
	d->undecided[d->undecided_count++] = u;
	return 0;
}

/* "plan:mount", as the policy wrote it. */
static const char *call_name(struct arena *arena, const char *what, const struct value *item)
{
	const char *name = strcmp(what, "want") == 0 ? value_text(item, "kind") : what;

	return name && is_printable(name) ? arena_printf(arena, "plan:%.20s", name) : "plan";
}

/* Of a call with a table: everything but undecided. */
static int take_call(struct place *p, const char *what, const struct value *item)
{
	const struct value *table = value_get(item, "table");
	const struct value none = value_map();

	if (!table) {
		return garbage(p);
	}
	p->call = call_name(p->reader->arena, what, item);
	if (table->type == VALUE_LIST && !table->count) {
		table = &none; /* {} of Lua is both */
	}
	if (table->type != VALUE_MAP) {
		return fault(p, "it takes fields by name, not a list");
	}
	if (strcmp(what, "want") == 0) {
		return take_want(p, item, table);
	}
	if (strcmp(what, "block") == 0) {
		return take_block(p, table);
	}
	return strcmp(what, "warn") == 0 ? take_warning(p, table) : garbage(p);
}

static int take_item(struct reader *reader, const struct value *item, struct err *err)
{
	const struct decision *d = reader->decision;
	const char *what = value_text(item, "what");
	int64_t file = value_number(item, "file", -1), line = value_number(item, "line", 0);
	struct place p = {
	    .reader = reader,
	    .call = "plan",
	    .origin = {.policy = reader->policy->name,
	               .lua = reader_position(reader->set, reader->policy, file, line),
	               .yaml = item->at},
	    .err = err,
	};

	if (!what || (item->at.file && !is_printable(item->at.file))) {
		return garbage(&p);
	}
	if (d->proposal_count + d->block_count + d->warning_count + d->undecided_count >=
	    reader->most) {
		return fault(&p, "more than %zu resources were planned", reader->most);
	}
	return strcmp(what, "undecided") == 0 ? take_undecided(&p, item) : take_call(&p, what, item);
}

int reader_take(struct reader *reader, const struct value *items, struct err *err)
{
	if (!items || items->type != VALUE_LIST) {
		const struct place p = {
		    .origin = {.policy = reader->policy->name, .lua = {.file = reader->policy->file}},
		    .err = err};

		return garbage(&p);
	}
	for (size_t i = 0; i < items->count; i++) {
		if (take_item(reader, &items->items[i], err)) {
			return -ERR_POLICY;
		}
	}
	return 0;
}

int reader_check_handles(const struct policy_source *policy, const struct value *handles,
                         struct err *err)
{
	struct pos at = {.file = policy->file, .line = 1};

	if (!handles || handles->type != VALUE_LIST) {
		return err_at(err, ERR_POLICY, at, "policy %s: its process sent a broken message",
		              policy->name);
	}
	for (size_t i = 0; i < handles->count; i++) {
		const char *name = handles->items[i].type == VALUE_STRING ? handles->items[i].string : "";
		const struct section *section = section_find(name);
		const char *nearest = section ? NULL : section_nearest(name);

		if (!section) {
			return err_at(err, ERR_POLICY, at,
			              "policy %s: handles: there is no section %.60s%s%s%s", policy->name, name,
			              nearest ? "; did you mean " : "", nearest ? nearest : "",
			              nearest ? "?" : "");
		}
		if (!section->for_policies) {
			return err_at(err, ERR_POLICY, at, "policy %s: handles: %s is not for policies",
			              policy->name, name);
		}
	}
	return 0;
}
