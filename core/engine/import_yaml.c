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

/* What a terminal would act on, and is no ASCII: \u and its number. Returns the bytes it took, 0
 * when it may stand as it is. */
static size_t add_escaped(struct str *s, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n = p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : p[0] >= 0xc0 && p[0] < 0xe0 ? 2 : 0;
	AUTO(str_free) struct str shown = {0};
	char one[4] = "";

	if (!n || strnlen(text, n) < n) {
		return 0;
	}
	memcpy(one, text, n);
	str_add_printable(&shown, one, n);
	if (strcmp(str_text(&shown), one) == 0) {
		return 0;
	}
	str_addf(s, "\\u%04X",
	         n == 2 ? (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu)
	                : (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu));
	return n;
}

void import_yaml_scalar(struct str *s, const char *text)
{
	if (is_plain(text)) {
		str_add(s, text);
		return;
	}
	str_addc(s, '"');
	for (size_t n; *text; text += n) {
		n = add_escaped(s, text);
		if (n) {
			continue;
		}
		n = 1;
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
