// SPDX-License-Identifier: MIT
/* See syntax.h. The left column is the wording of libyaml 0.2.1 to 0.2.5 (scanner.c, parser.c);
 * what is not in the table is passed on as it is. */
#include "desired/syntax.h"

#include "base/str.h"

#include <string.h>

#define QUOTE_IT "put a value that holds YAML's own characters in quotes"
#define SPACES "indent with spaces"

/* Where a sentence points, and what stands for its one %s. */
enum place { HERE, BEGIN, HERE_SINCE };

struct rule {
	const char *context, *problem; /* substrings; NULL matches all */
	enum place place;              /* HERE_SINCE: here, and %s is where it began */
	const char *text, *hint;
};

static const struct rule rules[] = {
    {NULL, "tab character", HERE, "a tab as indentation", SPACES},
    {"simple key", "expected ':'", BEGIN, "a key without ':' behind it", "write KEY: VALUE"},
    {NULL, "mapping values are not allowed", HERE, "a ':' that does not belong here",
     "put a value that holds ': ' in quotes, or mend the indentation"},
    {NULL, "block sequence entries are not allowed", HERE, "a list item that does not belong here",
     "begin a list on a line of its own"},
    {NULL, "mapping keys are not allowed", HERE, "a '?' that does not belong here", QUOTE_IT},
    {NULL, "expected key", HERE_SINCE,
     "this is no key of the map that begins at %s: its indentation differs, or a quote ended early",
     "entries of one map begin in the same column"},
    {NULL, "expected '-' indicator", HERE_SINCE,
     "this is no item of the list that begins at %s: its indentation differs, or '- ' is missing",
     "items of one list begin in the same column"},
    {NULL, "expected ',' or ']'", HERE_SINCE, "expected ',' or ']' in the list that begins at %s",
     "close the list with ]"},
    {NULL, "expected ',' or '}'", HERE_SINCE, "expected ',' or '}' in the map that begins at %s",
     "close the map with }"},
    {NULL, "expected node content", HERE, "expected a value", QUOTE_IT},
    {"quoted scalar", "end of stream", BEGIN, "a quote that is opened and never closed", NULL},
    {"quoted scalar", "document indicator", BEGIN, "a quote that is opened and never closed", NULL},
    {"quoted scalar", "escape character", HERE, "an unknown escape behind the backslash",
     "write \\\\ for a backslash, or use single quotes"},
    {"quoted scalar", NULL, HERE, "a malformed \\x, \\u or \\U escape",
     "write \\xNN, \\uNNNN or \\UNNNNNNNN"},
    {"block scalar", NULL, HERE, "a malformed block text", "write | or > and then a line break"},
    {"plain scalar", "unexpected ':'", HERE, "a ':' in a text within [ ] or { }", QUOTE_IT},
    {NULL, "<document start>", HERE, "text behind the end of the map",
     "a file is one map of sections"},
    {"an alias", NULL, BEGIN, "an alias (*NAME): not allowed here",
     "write the value out; a value that begins with * is put in quotes"},
    {"an anchor", NULL, BEGIN, "an anchor (&NAME): not allowed here",
     "write the value out; a value that begins with & is put in quotes"},
    {NULL, "tag handle", HERE, "a tag (!NAME): not allowed here",
     "a value that begins with ! is put in quotes"},
    {"a tag", NULL, BEGIN, "a tag (!NAME): not allowed here",
     "a value that begins with ! is put in quotes"},
};

static bool fits(const char *needle, const char *text)
{
	return !needle || (text && strstr(text, needle));
}

static void report_rule(const struct rule *rule, const struct syntax_fault *fault,
                        struct faults *faults)
{
	bool began = fault->began.line > 0;
	struct pos at = rule->place == BEGIN && began ? fault->began : fault->at;

	if (rule->place == HERE_SINCE) {
		const char *since =
		    began ? arena_printf(faults->diags->arena, "%u:%u", fault->began.line, fault->began.col)
		          : "?";
		const char *gap = strstr(rule->text, "%s");

		fault_add(faults, at, rule->hint, "%.*s%s%s", (int)(gap - rule->text), rule->text, since,
		          gap + 2);
	} else {
		fault_add(faults, at, rule->hint, "%s", rule->text);
	}
}

void syntax_report(const struct syntax_fault *fault, struct faults *faults)
{
	if (fits("cannot start any token", fault->problem)) {
		if (fault->found == '\t') {
			fault_add(faults, fault->at, SPACES, "a tab as indentation");
		} else {
			fault_add(faults, fault->at, QUOTE_IT, "'%c' cannot begin a value", fault->found);
		}
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (fits(rules[i].context, fault->context) && fits(rules[i].problem, fault->problem)) {
			report_rule(&rules[i], fault, faults);
			return;
		}
	}
	fault_add(faults, fault->at, NULL, "not YAML: %s",
	          fault->problem ? fault->problem : "unknown fault");
}
