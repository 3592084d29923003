// SPDX-License-Identifier: MIT
/*
 * For the tests of the desired room: files given as texts, what was found wrong with them as one
 * text. Everything lives in the arena of `struct given` (given_done).
 */
#ifndef TESTS_DESIRED_GIVEN_H
#define TESTS_DESIRED_GIVEN_H

#include "base/json.h"
#include "base/str.h"
#include "desired/desired.h"
#include "desired/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct given {
	struct arena *arena;
	struct diags diags;
	struct faults faults;
	struct desired_file files[32];
	size_t count;
};

static inline void given_init(struct given *g)
{
	memset(g, 0, sizeof *g);
	g->arena = arena_create();
	g->diags.arena = g->arena;
	g->faults.diags = &g->diags;
}

static inline void given_done(struct given *g)
{
	arena_free(g->arena);
}

/* The text is copied, byte for byte and without a terminator, so that reading too far shows. */
static inline const struct desired_file *given_bytes(struct given *g, const char *path,
                                                     const char *text, size_t length)
{
	char *copy = arena_alloc(g->arena, length ? length : 1);

	assert_true(g->count < ARRAY_LEN(g->files));
	if (length) {
		memcpy(copy, text, length);
	}
	g->files[g->count] = (struct desired_file){arena_strdup(g->arena, path),
	                                           arena_strdup(g->arena, path), copy, length};
	return &g->files[g->count++];
}

static inline const struct desired_file *given_file(struct given *g, const char *path,
                                                    const char *text)
{
	return given_bytes(g, path, text, strlen(text));
}

/* "FILE:LINE:COL: TEXT [HINT]\n" of each, FILE only if asked for. */
static inline const char *given_faults_in(struct given *g, bool with_file)
{
	AUTO(str_free) struct str out = {0};

	for (size_t i = 0; i < g->diags.count; i++) {
		const struct diag *d = &g->diags.list[i];

		if (with_file) {
			str_addf(&out, "%s:", d->err.at.file ? d->err.at.file : "");
		}
		str_addf(&out, "%u:%u: %s", d->err.at.line, d->err.at.col, d->err.text);
		if (d->hint) {
			str_addf(&out, " [%s]", d->hint);
		}
		str_addc(&out, '\n');
	}
	return arena_strdup(g->arena, str_text(&out));
}

/* The same, with FILE unless only one was given. */
static inline const char *given_faults(struct given *g)
{
	return given_faults_in(g, g->count != 1);
}

static inline const char *given_json(struct given *g, const struct value *value)
{
	AUTO(str_free) struct str out = {0};

	json_print(&out, value, 0);
	return arena_strdup(g->arena, str_text(&out));
}

/* A tree of one file, and all that is wrong with it. */
struct bad_input {
	const char *what, *text, *faults;
	size_t length; /* of a text that holds NUL; 0: to its end */
};

static inline void given_bad_inputs(const struct bad_input *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct given g;

		given_init(&g);
		given_bytes(&g, "defaults.yaml", table[i].text,
		            table[i].length ? table[i].length : strlen(table[i].text));
		struct desired_tree *tree = desired_load(g.arena, g.files, g.count, &g.diags);

		if (tree || strcmp(given_faults(&g), table[i].faults) != 0) {
			fail_msg("%s: expected\n%sfound\n%s", table[i].what, table[i].faults, given_faults(&g));
		}
		given_done(&g);
	}
}

#endif
