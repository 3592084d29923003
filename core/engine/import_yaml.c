// SPDX-License-Identifier: MIT
/* See import_inner.h: words of YAML. */
#include "engine/import_inner.h"

#include <ctype.h>
#include <string.h>

static bool is_plain(const char *text)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on",
	                                    "off",  "null",  "y",   "n"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcasecmp(words[i], text) == 0) {
			return false;
		}
	}
	for (const char *at = text; *at; at++) {
		if (!isalnum((unsigned char)*at) && !strchr("/_.-=", *at)) {
			return false;
		}
	}
	return isalpha((unsigned char)*text) || *text == '_' || (*text == '/' && text[1]);
}

void import_yaml_scalar(struct str *s, const char *text)
{
	if (is_plain(text)) {
		str_add(s, text);
		return;
	}
	str_addc(s, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\') {
			str_addf(s, "\\%c", *text);
		} else if ((unsigned char)*text < ' ' || *text == 0x7f) {
			str_addf(s, "\\x%02X", (unsigned char)*text);
		} else {
			str_addc(s, *text);
		}
	}
	str_addc(s, '"');
}

void import_yaml_list(struct str *s, const struct list *list)
{
	str_addc(s, '[');
	for (size_t i = 0; i < list->count; i++) {
		str_add(s, i ? ", " : "");
		import_yaml_scalar(s, list->items[i]);
	}
	str_addc(s, ']');
}

void import_yaml_comment(struct str *s, const char *indent, const char *text)
{
	str_addf(s, "%s# ", indent);
	str_add_printable(s, text, 300);
	str_addc(s, '\n');
}

/* The tables say what a field must look like. */
bool import_yaml_takes(enum kind_id kind, const char *field, const char *text)
{
	const struct kind *k = &kind_table[kind];
	const struct field *row = field_find(k->fields, k->field_count, field);
	struct value value = value_string(text), list = value_list();
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct err err;

	if (text_utf8_until(text, strlen(text)) != strlen(text)) {
		return false;
	}
	if (row && row->type == FIELD_LIST) {
		value_append(arena, &list, value);
		return !field_check(row, &list, &err);
	}
	return row && !field_check(row, &value, &err);
}
