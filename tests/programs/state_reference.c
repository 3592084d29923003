// SPDX-License-Identifier: MIT
/*
 * state_reference: prints docs/state.md, the reference of the desired state.
 *
 *	state_reference >docs/state.md
 *
 * What sections, kinds and fields there are comes from the tables of core/model, the rest is the
 * text below. A block of YAML that opens with "# state/PATH" is a file of one example tree, which
 * tests/behaviour/reference.bats validates.
 */
#include "base/str.h"
#include "model/section.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- prose ---- */

static const char introduction[] =
    "# The desired state\n"
    "\n"
    "<!-- Generated from the field tables by `make docs`: change core/model or\n"
    "     tests/programs/state_reference.c, not this file. -->\n"
    "\n"
    "What a node should be, written down in YAML. The tree stands in `/etc/reconcile`, or where\n"
    "`-C DIR` says:\n"
    "\n"
    "    state/defaults.yaml     what holds for every node (may be missing)\n"
    "    state/roles/NAME.yaml   what a node in that role is, beyond the defaults\n"
    "    state/nodes/NAME.yaml   which nodes there are, their roles, and what is theirs alone\n"
    "    policies/*.lua          policies of your own, beside the shipped ones (policies.md)\n"
    "\n"
    "`reconcile validate` checks all of it for every node and says each fault in one pass, with\n"
    "file, line and column. `reconcile show --node NAME` prints what the files together say for\n"
    "one node, and where each value stands. Neither touches the machine.\n"
    "\n"
    "## An example\n"
    "\n"
    "A node file says for whom it speaks and names the roles:\n"
    "\n"
    "```yaml\n"
    "# state/nodes/compute.yaml\n"
    "version: 1\n"
    "nodes: [\"compute-*\"]\n"
    "roles: [compute]\n"
    "```\n"
    "\n"
    "The role says what such a node is:\n"
    "\n"
    "```yaml\n"
    "# state/roles/compute.yaml\n"
    "version: 1\n"
    "mode: safe                       # when nobody is asked, do what carries no mark\n"
    "kernel:\n"
    "  release: 6.8.0-1039-aws\n"
    "  strategy: pin\n"
    "reboot: {when: never}\n"
    "modules:\n"
    "  lustre:                        # one package for each kernel that matters\n"
    "    package: \"lustre-client-modules-{kernel}\"\n"
    "    version: \"2.15.6-1fsx*\"\n"
    "    filesystem: lustre\n"
    "mounts:\n"
    "  /lustre:\n"
    "    source: \"10.1.30.23@tcp:/czrc3amv\"\n"
    "    type: lustre\n"
    "    options: [relatime, flock, _netdev]\n"
    "    manage: live                 # somebody else writes the line in fstab\n"
    "data_repositories:\n"
    "  /lustre/data:\n"
    "    repository: \"s3://BUCKET/data/\"\n"
    "    file_system: fs-04cb64a224a31f75d\n"
    "    region: ap-northeast-2\n"
    "    import: [NEW, CHANGED]\n"
    "    manage: observe\n"
    "packages:\n"
    "  lustre-client-utils: {version: \"2.15.*\"}\n"
    "holds: [linux-aws, linux-image-aws, linux-headers-aws]\n"
    "resources:                       # anything else, kind by kind\n"
    "  - {kind: file, path: /etc/motd.d/reconcile, content: \"managed\\n\", mode: \"0644\"}\n"
    "```\n";

static const char files_over_files[] =
    "\n"
    "## Files laid over each other\n"
    "\n"
    "What a node should be is `defaults.yaml`, then its roles in the order in which they are\n"
    "named, then its node file; what comes later wins. Maps merge key by key, at every depth. A\n"
    "collection is a map by key even where it was written as a list, and merges too: a node\n"
    "that adds one hold keeps those of its role. `resources` merge by KIND:KEY. Only a list\n"
    "inside a value (`options`, `import`, ...) replaces the one below it. A key that stands\n"
    "twice in one file is a fault.\n"
    "\n"
    "```yaml\n"
    "# state/nodes/compute-7.yaml\n"
    "version: 1\n"
    "nodes: [compute-7]               # the exact name: better than compute-*\n"
    "roles: [compute]\n"
    "mounts:\n"
    "  /lustre: {options: [flock, _netdev]}     # source, type and manage stay the role's\n"
    "holds: [linux-modules-extra-aws]           # four holds together\n"
    "packages:\n"
    "  lustre-client-utils: {state: unmanaged}  # nothing is said about it here\n"
    "  telnet: {state: absent}                  # and this is to be removed\n"
    "```\n"
    "\n"
    "One node file speaks of a node. Its exact name beats a glob, a longer literal part of a\n"
    "glob beats a shorter; two files with the same right are a fault.\n"
    "\n"
    "## What is not said, and what is removed\n"
    "\n"
    "- A field that is not given is not looked at: `{}` of a package means any version.\n"
    "- A line that disappears never removes anything from a node, for a file that was cut short\n"
    "  parses as well as a whole one. To remove something, say so: `{state: absent}`.\n"
    "- `{state: unmanaged}` drops what a file below says about an entry. The node keeps what it\n"
    "  has.\n"
    "- What reconcile itself created and nothing speaks of any more is an *orphan*: each plan\n"
    "  lists it, and only `apply --prune` puts it back.\n"
    "- An empty value (`mounts:` with nothing behind it) is a fault. Write `{}` or `[]`, or\n"
    "  remove the line.\n"
    "- An entry that is inherited as absent must say `state: present` where it is wanted again.\n"
    "\n"
    "## How strictly it is read\n"
    "\n"
    "Faults are: unknown and duplicate keys, values of the wrong type, form or range, anchors,\n"
    "aliases, tags, merge keys, a second document, control characters, anything that is not\n"
    "UTF-8. A mode stands in quotes and has four digits. A file has at most 16 MiB and 32\n"
    "levels. A tree with one fault is not used at all.\n"
    "\n"
    "A version glob is a condition and no wish to upgrade: an installed version that matches\n"
    "stays.\n";

static const char whose_tree[] =
    "\n"
    "## Which node this is\n"
    "\n"
    "`--node NAME`, else the name in `/etc/reconcile/node.yaml`, else the short host name.\n"
    "`show` says which it was. That file is for whatever brings the machine up; its roles count\n"
    "where no file of the tree names any for the node:\n"
    "\n"
    "    name: compute-7\n"
    "    roles: [compute]\n"
    "\n"
    "## Who may write it\n"
    "\n"
    "Root acts only on what root alone can have written: the tree, policies, saved plans and\n"
    "recorded facts must belong to root and be writable by nobody else, and so must every\n"
    "folder above them, up to `/` (folders with the sticky bit are fine). Otherwise they are\n"
    "refused. Any other user may validate, show and plan from a tree of their own.\n"
    "\n"
    "## When the tree does not load\n"
    "\n"
    "The last tree that was applied well is kept in the history. `apply` by hand stops at a\n"
    "tree that does not load and says what is wrong. `run` goes on with the last good one, and\n"
    "says so, for as long as `stale_max`: a tree that lies on a file system which is gone still\n"
    "brings that file system back.\n"
    "\n"
    "## When the tree has shrunk\n"
    "\n"
    "When a whole section is gone since the last good run, or more than a third of the entries\n"
    "and at least five, somebody may have lost a file rather than changed their mind. `run`\n"
    "does not use such a tree; `apply` by hand warns. It is accepted by\n"
    "`apply --accept-shrink`, or by `accept:` in the tree with the digest that the message\n"
    "prints.\n";

static const char before_sections[] =
    "\n"
    "## Sections\n"
    "\n"
    "What may stand at the top of a file. A *collection* has entries by key; it may be written\n"
    "as a map (`{/fsx: {...}}`), as a list of maps with the key inside, or, where nothing more\n"
    "is to be said, as a list of keys. Every entry may have a `state`: present (when not\n"
    "given), absent or unmanaged.\n";

static const char before_kinds[] =
    "\n"
    "## Kinds\n"
    "\n"
    "What a resource can be, and what is known about it: the same words in `resources`, in the\n"
    "facts that `reconcile facts` prints and policies read, in plans and in the history. A\n"
    "wanted field holds when the observed value is good enough in the way that its row says. An\n"
    "observed resource is present, absent, or undetermined with a reason; undetermined is never\n"
    "taken for absent, nor for right.\n";

/* ---- words ---- */

static const char *shape_words(const struct section *section, struct arena *arena)
{
	const struct field key = {.type = FIELD_TEXT, .format = section->key_format};

	switch (section->shape) {
	case SECTION_VALUE:
		return "one value";
	case SECTION_GROUP:
		return "a map of fields";
	case SECTION_COLLECTION:
		return arena_printf(arena, "a collection by %s (%s)", section->key_name,
		                    field_expectation(&key, arena));
	case SECTION_RESOURCES:
		return "a list of resources, each with its kind, its key, and fields of that kind";
	}
	return "";
}

static const char *places_words(unsigned places, struct arena *arena)
{
	static const struct {
		enum section_place place;
		const char *words;
	} table[] = {
	    {IN_DEFAULTS, "`defaults.yaml`"}, {IN_ROLE, "`roles/*.yaml`"}, {IN_NODE, "`nodes/*.yaml`"}};
	AUTO(str_free) struct str out = {0};

	if (places == ANYWHERE) {
		return "any file";
	}
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (places & table[i].place) {
			str_addf(&out, "%s%s", out.length ? ", " : "", table[i].words);
		}
	}
	return arena_strdup(arena, str_text(&out));
}

/* When an observed value is good enough. */
static const char *const match_words[] = {
    [MATCH_EXACT] = "equal",
    [MATCH_GLOB] = "matches the glob",
    [MATCH_ITEMS] = "each wanted one is there; others do not matter",
    [MATCH_SET] = "the same items, in any order",
    [MATCH_SETTINGS] = "each one named holds",
    [MATCH_OPTIONS] = "each one named is in force",
    [MATCH_FSTAB] = "each one named is in the line",
    [MATCH_SOURCE] = "means the same source",
    [MATCH_TYPE] = "means the same type",
    [MATCH_NEVER] = "not compared",
};

static const struct {
	enum kind_trait trait;
	const char *words;
} trait_words[] = {
    {KIND_SINGLETON, "There is one on a node; it has no key."},
    {KIND_FACT_ONLY, "Only observed, never wanted."},
    {KIND_UNDER_JOBS, "Changes wait while jobs run on the node."},
    {KIND_NEVER_ABSENT, "It cannot be wanted absent."},
};

/* ---- tables ---- */

/* A text as a cell: nothing in it may end the cell or be taken for markup. */
static void put_cell(const char *text)
{
	bool code = false;

	for (; *text; text++) {
		code ^= *text == '`';
		if (*text == '|' || (!code && strchr("*<", *text))) {
			putchar('\\');
		}
		putchar(*text);
	}
}

static void put_row(const char *const *cells, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fputs(i ? " | " : "| ", stdout);
		put_cell(cells[i]);
	}
	puts(" |");
}

static void put_head(const char *const *cells, size_t n)
{
	put_row(cells, n);
	for (size_t i = 0; i < n; i++) {
		fputs("|---", stdout);
	}
	puts("|");
}

static const char *code(const char *text, struct arena *arena)
{
	return arena_printf(arena, "`%s`", text);
}

static const char *meaning(const struct field *field, struct arena *arena)
{
	return arena_printf(arena, "%s%s", field->help,
	                    field->flags & FIELD_SECRET ? "; shown and kept only as a digest" : "");
}

/* Text in the middle of a sentence, as one of its own. */
static void put_sentence(const char *text)
{
	putchar(toupper((unsigned char)*text));
	printf("%s.\n", text + 1);
}

/* ---- sections ---- */

static void put_section_fields(const struct section *section, struct arena *arena)
{
	static const char *const head[] = {"field", "expected", "required", "meaning"};

	puts("");
	put_head(head, ARRAY_LEN(head));
	for (size_t i = 0; i < section->field_count; i++) {
		const struct field *field = &section->fields[i];
		const char *row[] = {code(field->name, arena), field_expectation(field, arena),
		                     field->flags & FIELD_REQUIRED ? "yes" : "", meaning(field, arena)};

		put_row(row, ARRAY_LEN(row));
	}
}

static void put_section(const struct section *section, struct arena *arena)
{
	const struct field *field = section->fields;

	printf("\n### `%s`\n\n", section->name);
	put_sentence(section->shape == SECTION_VALUE ? field->help : section->help);
	printf("Shape: %s. Stands in: %s.\n", shape_words(section, arena),
	       places_words(section->places, arena));
	if (section->shape == SECTION_VALUE) {
		printf("Expected: %s%s.\n", field_expectation(field, arena),
		       field->flags & FIELD_REQUIRED ? "; required" : "");
	} else if (section->field_count) {
		put_section_fields(section, arena);
	}
}

static void put_sections(struct arena *arena)
{
	static const char *const head[] = {"section", "shape", "stands in", "what it says"};

	puts(before_sections);
	put_head(head, ARRAY_LEN(head));
	for (size_t i = 0; i < section_count; i++) {
		const struct section *s = &section_table[i];
		const char *row[] = {code(s->name, arena), shape_words(s, arena),
		                     places_words(s->places, arena), s->help};

		put_row(row, ARRAY_LEN(row));
	}
	for (size_t i = 0; i < section_count; i++) {
		put_section(&section_table[i], arena);
	}
}

/* ---- kinds ---- */

static bool has_fields(const struct kind *kind, bool observed)
{
	for (size_t i = 0; i < kind->field_count; i++) {
		if (observed == !!(kind->fields[i].flags & FIELD_FACT)) {
			return true;
		}
	}
	return false;
}

static void put_wanted_fields(const struct kind *kind, struct arena *arena)
{
	static const char *const head[] = {"field", "expected", "required", "holds when", "meaning"};

	puts("\nWanted and observed:\n");
	put_head(head, ARRAY_LEN(head));
	for (size_t i = 0; i < kind->field_count; i++) {
		const struct field *field = &kind->fields[i];
		const char *row[] = {code(field->name, arena), field_expectation(field, arena),
		                     field->flags & FIELD_REQUIRED ? "yes" : "", match_words[field->match],
		                     meaning(field, arena)};

		if (!(field->flags & FIELD_FACT)) {
			put_row(row, ARRAY_LEN(row));
		}
	}
}

static void put_observed_fields(const struct kind *kind, struct arena *arena)
{
	static const char *const head[] = {"field", "value", "meaning"};

	puts(kind->traits & KIND_FACT_ONLY ? "" : "\nOnly observed:\n");
	put_head(head, ARRAY_LEN(head));
	for (size_t i = 0; i < kind->field_count; i++) {
		const struct field *field = &kind->fields[i];
		const char *row[] = {code(field->name, arena), field_expectation(field, arena),
		                     meaning(field, arena)};

		if (field->flags & FIELD_FACT) {
			put_row(row, ARRAY_LEN(row));
		}
	}
}

static void put_kind(const struct kind *kind, struct arena *arena)
{
	printf("\n### `%s`\n\n", kind->name);
	put_sentence(kind->help);
	if (kind->key_name) {
		const struct field key = kind_key_field(kind);

		printf("Key: `%s`, %s.\n", kind->key_name, field_expectation(&key, arena));
	}
	for (size_t i = 0; i < ARRAY_LEN(trait_words); i++) {
		if (kind->traits & trait_words[i].trait) {
			puts(trait_words[i].words);
		}
	}
	if (has_fields(kind, false)) {
		put_wanted_fields(kind, arena);
	}
	if (has_fields(kind, true)) {
		put_observed_fields(kind, arena);
	}
}

int main(void)
{
	AUTO(arena_auto) struct arena *arena = arena_create();

	fputs(introduction, stdout);
	fputs(files_over_files, stdout);
	fputs(whose_tree, stdout);
	put_sections(arena);
	fputs(before_kinds, stdout);
	for (size_t i = 0; i < KIND_COUNT; i++) {
		put_kind(&kind_table[i], arena);
	}
	return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
