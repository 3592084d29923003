// SPDX-License-Identifier: MIT
/* See simulate.h. The lines are those of apt-get(8), -s: "Inst NAME [OLD] (NEW ORIGIN [ARCH])",
 * "Remv NAME [OLD]". */
#include "provider/simulate.h"

#include "base/str.h"
#include "provider/lines.h"

#include <string.h>

/* "[1.0]" or "(1.0": what is within. */
static const char *within(char *word)
{
	word++;
	word[strcspn(word, "])")] = '\0';
	return word;
}

static void take(struct arena *arena, struct simulation *simulation, char *line)
{
	bool is_install = text_starts(line, "Inst "), is_removal = text_starts(line, "Remv ");
	struct simulated s = {0};

	if (!is_install && !is_removal) {
		return;
	}
	lines_word(&line);
	s.name = lines_word(&line);
	for (char *word; (word = lines_word(&line));) {
		if (word[0] == '[' && !s.before) {
			s.before = within(word);
		} else if (word[0] == '(' && is_install) {
			s.version = within(word);
			break;
		}
	}
	if (!s.name) {
		return;
	}
	simulation->list =
	    arena_grow(arena, simulation->list, simulation->count, &simulation->cap, sizeof s);
	simulation->list[simulation->count++] = s;
}

void simulate_parse(struct arena *arena, char *text, struct simulation *ret_simulation)
{
	struct simulation simulation = {0};

	for (char *line; (line = lines_next(&text));) {
		/* The mark of base/capture.h. */
		simulation.cut_short |= line[0] == '[' && text_ends(line, " bytes left out]");
		take(arena, &simulation, line);
	}
	*ret_simulation = simulation;
}

/* " whole : Depends: part (>= 2.0) but 1.0 is to be installed", of alternatives the first. */
static bool take_unmet(struct arena *arena, const char *line, struct unmet *unmet)
{
	static const char instead[] = " is to be installed";
	const char *name = line + strspn(line, " ");
	const char *kind = strstr(name, "Depends: "), *colon = strstr(name, " : ");
	const char *but = kind ? strstr(kind + strlen("Depends: "), " but ") : NULL;

	if (line[0] != ' ' || !but) {
		return false;
	}
	if (colon && colon < kind) {
		unmet->name = arena_strndup(arena, name, (size_t)(colon - name));
	}
	kind += strlen("Depends: ");
	but += strlen(" but ");
	unmet->dependency = arena_strndup(arena, kind, (size_t)(but - strlen(" but ") - kind));
	unmet->needed = arena_strndup(arena, kind, strcspn(unmet->dependency, " :"));
	unmet->unknown = strstr(but, "not installable") != NULL;
	const char *end = strstr(but, instead);

	unmet->there = end ? arena_strndup(arena, but, (size_t)(end - but)) : NULL;
	return unmet->name != NULL;
}

bool simulate_unmet(struct arena *arena, char *text, struct unmet *ret_unmet)
{
	struct unmet unmet = {0};
	bool is_within = false;

	for (char *line; (line = lines_next(&text));) {
		if (is_within && take_unmet(arena, line, &unmet)) {
			*ret_unmet = unmet;
			return true;
		}
		/* apt 3 says "Unsatisfied dependencies:". */
		is_within |=
		    text_ends(line, "unmet dependencies:") || text_ends(line, "nsatisfied dependencies:");
	}
	return false;
}

static const char *const kernels[] = {"linux-image-unsigned-", "linux-image-",
                                      "linux-modules-extra-", "linux-modules-"};

/* What stands behind the prefix, NULL when it is no kernel's. */
static const char *release_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kernels); i++) {
		if (text_starts(name, kernels[i])) {
			return name + strlen(kernels[i]);
		}
	}
	return NULL;
}

bool simulate_is_kernel(const char *name)
{
	return release_of(name) != NULL;
}

bool simulate_is_asked(const char *name, const char *kernel)
{
	const char *asked = release_of(name), *release = release_of(kernel);

	return strcmp(name, kernel) == 0 || (asked && release && strcmp(asked, release) == 0);
}
