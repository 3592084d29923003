// SPDX-License-Identifier: MIT
/* See match.h. */
#include "desired/match.h"

#include <string.h>

bool match_glob(const char *glob, const char *name)
{
	const char *star = NULL, *resume = NULL;

	/* Only the last star is ever given more: that is enough, and fnmatch(3) can take exponential
	 * time. */
	while (*name) {
		if (*glob == '*') {
			star = glob++;
			resume = name;
		} else if (*glob == '?' || *glob == *name) {
			glob++;
			name++;
		} else if (star) {
			glob = star + 1;
			name = ++resume;
		} else {
			return false;
		}
	}
	return !glob[strspn(glob, "*")];
}

int match_right(const char *pattern, const char *name)
{
	int literal = 0;

	if (strcmp(pattern, name) == 0) {
		return MATCH_EXACTLY;
	}
	if (!strpbrk(pattern, "*?") || !match_glob(pattern, name)) {
		return -1;
	}
	for (; *pattern; pattern++) {
		literal += *pattern != '*' && *pattern != '?';
	}
	return literal;
}

/* The pattern of a file with the best right, NULL when none has any. */
static const struct value *best_pattern(const struct layer *layer, const char *name, int *ret_right)
{
	const struct value *patterns = value_get(&layer->state, "nodes"), *best = NULL;

	*ret_right = -1;
	for (size_t i = 0; patterns && i < patterns->count; i++) {
		int right = match_right(patterns->items[i].string, name);

		if (right > *ret_right) {
			*ret_right = right;
			best = &patterns->items[i];
		}
	}
	return best;
}

const struct layer *match_node(const struct layer *layers, size_t count, const char *name,
                               struct faults *faults, bool *ret_tie)
{
	const struct layer *best = NULL;
	const struct value *pattern = NULL, *tie = NULL;
	int most = -1;

	for (size_t i = 0; i < count; i++) {
		int right = -1;
		const struct value *p =
		    layers[i].place == IN_NODE ? best_pattern(&layers[i], name, &right) : NULL;

		if (p && right > most) {
			best = &layers[i];
			pattern = p;
			most = right;
			tie = NULL;
		} else if (p && right == most) {
			tie = p;
		}
	}
	*ret_tie = tie != NULL;
	if (!tie) {
		return best;
	}
	fault_add(faults, tie->at, "make one of them longer, or write the name itself",
	          "nodes: '%s' has no better right to node '%s' than '%s' at %s:%u:%u", tie->string,
	          name, pattern->string, pattern->at.file, pattern->at.line, pattern->at.col);
	return NULL;
}
