// SPDX-License-Identifier: MIT
/*
 * Files of the tree that are built into the program: the shipped policies and the history schema.
 *
 * The tables are generated at build time (core/base/embed.awk, rules in the Makefile), sorted by
 * name in byte order. All of it is constant and lives as long as the program: nobody frees
 * anything.
 *
 *   embedded_policies   policies/ *.lua and policies/lib/ *.lua, named as below policies/:
 *                       "mounts.lua", "lib/template.lua"
 *   embedded_schema     state/schema/ *.sql, named as below state/schema/: "001_first.sql"
 */
#ifndef BASE_EMBEDDED_H
#define BASE_EMBEDDED_H

#include <stddef.h>

struct embedded {
	const char *name; /* path below the folder it came from */
	const char *text; /* the file, byte for byte; a NUL stands behind it */
	size_t length;    /* bytes of text, without that NUL */
};

/* An entry whose name is NULL ends each table; the counts leave it out. */
extern const struct embedded embedded_policies[];
extern const size_t embedded_policies_count;

extern const struct embedded embedded_schema[];
extern const size_t embedded_schema_count;

#endif
