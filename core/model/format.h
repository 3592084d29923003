// SPDX-License-Identifier: MIT
/*
 * What a text may look like, format by format: the rules and the words for them. Pure text; calls
 * only base; whoever wants a whole value checked asks field_check().
 */
#ifndef MODEL_FORMAT_H
#define MODEL_FORMAT_H

#include "model/field.h"

/* What is wrong with the text of this row, as the end of a sentence ("has a blank"), or NULL when
 * it is right. Lives in `arena` or for ever. */
const char *format_fault(const struct field *field, const char *text, struct arena *arena);

/* The format in words, "an absolute path", or for a list "absolute paths". Not for
 * FORMAT_CHOICE. */
const char *format_words(enum field_format format, bool plural);

/* May a plain whole number stand for the text (a numeric owner, seconds)? */
bool format_takes_number(enum field_format format);

#endif
