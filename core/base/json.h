// SPDX-License-Identifier: MIT
/* JSON in and out (libjansson, only here), as values. Numbers that are not whole or do not fit 64
 * bits, NUL in texts, duplicate keys and more than JSON_DEPTH levels are refused; 1.0 is a whole
 * number. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/str.h"
#include "base/value.h"

/* How deep a text may be nested, the innermost scalar counted too. */
enum { JSON_DEPTH = 32 };

/* `file` names the text in errors (file:line:col). The value is sealed; positions within are
 * unknown. ERR_INPUT, ERR_LIMIT. */
int json_parse(const char *text, size_t n, const char *file, struct arena *arena,
               struct value *ret_value, struct err *err) MUST_CHECK;

/* As json_parse, for what another program wrote without knowing of that: of numbers that are not
 * whole, what is behind the point is cut off. */
int json_parse_foreign(const char *text, size_t n, const char *file, struct arena *arena,
                       struct value *ret_value, struct err *err) MUST_CHECK;

/* Adds the value as JSON; `indent` = 0 prints one line. Keys come out in the map's order. */
void json_print(struct str *out, const struct value *value, unsigned indent);

#endif
