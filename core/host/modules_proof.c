// SPDX-License-Identifier: MIT
/* See modules_proof.h. */
#include "host/modules_proof.h"

#include "base/strmap.h"

#include <stdlib.h>
#include <string.h>

/* CRC of the structures that every module is built with (kernel/module/version.c). */
#define LAYOUT "module_layout"

enum { SYMBOL_MOST = 512 };

/* Who imports it with which CRC. Several modules import one symbol; most with the same CRC. */
struct import {
	const char *symbol, *module;
	uint32_t crc;
	struct import *next; /* of the same symbol, with another CRC */
	bool spoken;
};

struct modules_proof {
	struct arena *arena;
	struct strmap *imports; /* symbol: struct import */
	size_t total, left;
	bool complete;
	const struct import *bad;
	uint32_t bad_offered;
	const char *bad_by;
};

struct modules_proof *modules_proof_create(struct arena *arena)
{
	struct modules_proof *proof = arena_alloc(arena, sizeof *proof);

	*proof = (struct modules_proof){.arena = arena, .imports = strmap_create(arena)};
	return proof;
}

void modules_proof_import(struct modules_proof *proof, const char *symbol, uint32_t crc,
                          const char *module)
{
	struct import *first = strmap_get(proof->imports, symbol);

	for (struct import *i = first; i; i = i->next) {
		if (i->crc == crc) {
			return;
		}
	}
	struct import *import = arena_alloc(proof->arena, sizeof *import);

	*import =
	    (struct import){.symbol = arena_strdup(proof->arena, symbol), .module = module, .crc = crc};
	if (first) {
		import->next = first->next;
		first->next = import;
	} else {
		strmap_put(proof->imports, import->symbol, import);
	}
	proof->total++;
	proof->left++;
}

void modules_proof_offer(struct modules_proof *proof, const char *symbol, uint32_t crc,
                         const char *by)
{
	struct import *first = strmap_get(proof->imports, symbol);

	if (!first || first->spoken) {
		return;
	}
	for (struct import *i = first; i; i = i->next) {
		i->spoken = true;
		proof->left--;
		if (i->crc != crc && (!proof->bad || (strcmp(symbol, LAYOUT) == 0 &&
		                                      strcmp(proof->bad->symbol, LAYOUT) != 0))) {
			proof->bad = i;
			proof->bad_offered = crc;
			proof->bad_by = by;
		}
	}
}

/* One line of Module.symvers. False: it is none. */
static bool take_line(struct modules_proof *proof, const char *line, const char *end,
                      const char *path, bool *has_layout)
{
	char symbol[SYMBOL_MOST];
	const char *tab = memchr(line, '\t', (size_t)(end - line));
	const char *next = tab ? memchr(tab + 1, '\t', (size_t)(end - tab - 1)) : NULL;
	size_t n = next ? (size_t)(next - tab - 1) : 0;

	if (!n || n >= sizeof symbol || line[0] != '0' || line[1] != 'x') {
		return false;
	}
	memcpy(symbol, tab + 1, n);
	symbol[n] = '\0';
	*has_layout |= strcmp(symbol, LAYOUT) == 0;
	modules_proof_offer(proof, symbol, (uint32_t)strtoul(line, NULL, 16), path);
	return true;
}

bool modules_proof_symvers(struct modules_proof *proof, const char *text, size_t n, const char *by)
{
	const char *last = text + n, *line = text;
	bool has_layout = false;

	for (const char *end; (end = memchr(line, '\n', (size_t)(last - line))); line = end + 1) {
		take_line(proof, line, end, by, &has_layout);
	}
	/* A last line that was not ended is a text that was cut off. */
	proof->complete |= has_layout && line == last;
	return has_layout;
}

bool modules_proof_is_settled(const struct modules_proof *proof)
{
	return !proof->left || (proof->bad && strcmp(proof->bad->symbol, LAYOUT) == 0);
}

void modules_proof_tell(const struct modules_proof *proof, struct host_symbols *ret_symbols)
{
	struct host_symbols s = {
	    .total = proof->total, .proved = proof->total - proof->left, .complete = proof->complete};

	if (proof->bad) {
		s.bad = proof->bad->symbol;
		s.bad_in = proof->bad->module;
		s.bad_wanted = proof->bad->crc;
		s.bad_offered = proof->bad_offered;
		s.bad_by = proof->bad_by;
	}
	for (size_t i = 0; proof->complete && !s.missing && i < strmap_count(proof->imports); i++) {
		const struct import *import = strmap_value(proof->imports, i);

		if (!import->spoken) {
			s.missing = import->symbol;
			s.missing_in = import->module;
		}
	}
	*ret_symbols = s;
}
