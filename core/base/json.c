// SPDX-License-Identifier: MIT
/* See json.h. */
#include "base/json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MOST = 32 };

static int convert(const json_t *node, const char *file, unsigned depth, struct arena *arena,
                   struct value *ret_value, struct err *err)
{
	const char *key;
	json_t *child;
	size_t i;

	if (depth > DEPTH_MOST) {
		return err_set(err, ERR_LIMIT, 0, "%s: nested deeper than %d levels", file, DEPTH_MOST);
	}
	switch (json_typeof(node)) {
	case JSON_NULL:
		*ret_value = value_null();
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
		*ret_value = value_bool(json_is_true(node));
		return 0;
	case JSON_INTEGER:
		*ret_value = value_int(json_integer_value(node));
		return 0;
	case JSON_REAL:
		return err_set(err, ERR_INPUT, 0, "%s: %g is not a whole number", file,
		               json_real_value(node));
	case JSON_STRING:
		*ret_value = value_string(arena_strdup(arena, json_string_value(node)));
		return 0;
	case JSON_ARRAY: {
		struct value list = value_list(), item;

		json_array_foreach(node, i, child) {
			if (convert(child, file, depth + 1, arena, &item, err)) {
				return -(int)err->code;
			}
			value_append(arena, &list, item);
		}
		*ret_value = list;
		return 0;
	}
	case JSON_OBJECT: {
		struct value map = value_map(), item;

		json_object_foreach((json_t *)node, key, child) {
			if (convert(child, file, depth + 1, arena, &item, err)) {
				return -(int)err->code;
			}
			value_put(arena, &map, arena_strdup(arena, key), item);
		}
		*ret_value = map;
		return 0;
	}
	}
	return err_set(err, ERR_BUG, 0, "%s: unknown JSON type", file);
}

int json_parse(const char *text, size_t n, const char *file, struct arena *arena,
               struct value *ret_value, struct err *err)
{
	json_error_t fault;
	json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);

	if (!root) {
		struct pos at = {arena_strdup(arena, file), fault.line > 0 ? (unsigned)fault.line : 0,
		                 fault.column > 0 ? (unsigned)fault.column : 0};

		return err_at(err, ERR_INPUT, at, "not JSON: %s", fault.text);
	}
	struct value value;
	int r = convert(root, file, 0, arena, &value, err);

	json_decref(root);
	if (!r) {
		value_seal(&value);
		*ret_value = value;
	}
	return r;
}

static void print_text(struct str *out, const char *text)
{
	json_t *node = json_string(text);
	char *quoted = node ? json_dumps(node, JSON_ENCODE_ANY) : NULL;

	/* NULL for text that is not UTF-8: shown with its odd bytes spelled out instead. */
	if (quoted) {
		str_add(out, quoted);
	} else {
		AUTO(str_free) struct str clean = {0};

		str_add_printable(&clean, text, strlen(text));
		json_decref(node);
		node = json_string(str_text(&clean));
		quoted = node ? json_dumps(node, JSON_ENCODE_ANY) : NULL;
		str_add(out, quoted ? quoted : "\"\"");
	}
	free(quoted);
	json_decref(node);
}

static void new_line(struct str *out, unsigned indent, unsigned depth)
{
	if (indent) {
		str_addc(out, '\n');
		str_pad(out, ' ', (size_t)indent * depth);
	}
}

static void print(struct str *out, const struct value *value, unsigned indent, unsigned depth)
{
	switch (value->type) {
	case VALUE_NULL:
		str_add(out, "null");
		return;
	case VALUE_BOOL:
		str_add(out, value->boolean ? "true" : "false");
		return;
	case VALUE_INT:
		str_addf(out, "%lld", (long long)value->integer);
		return;
	case VALUE_STRING:
		print_text(out, value->string);
		return;
	case VALUE_LIST:
	case VALUE_MAP:
		break;
	}
	bool map = value->type == VALUE_MAP;

	str_addc(out, map ? '{' : '[');
	for (size_t i = 0; i < value->count; i++) {
		if (i) {
			str_addc(out, ',');
		}
		new_line(out, indent, depth + 1);
		if (map) {
			print_text(out, value->entries[i].key);
			str_add(out, indent ? ": " : ":");
		}
		print(out, map ? &value->entries[i].value : &value->items[i], indent, depth + 1);
	}
	if (value->count) {
		new_line(out, indent, depth);
	}
	str_addc(out, map ? '}' : ']');
}

void json_print(struct str *out, const struct value *value, unsigned indent)
{
	print(out, value, indent, 0);
}
