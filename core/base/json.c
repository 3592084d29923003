// SPDX-License-Identifier: MIT
/* See json.h. */
#include "base/json.h"

#include <jansson.h>
#include <string.h>

/* Up to here every whole number is a double of its own (IEEE 754, binary64). */
static const double WHOLE_MOST = 9007199254740992.0;

struct reader {
	struct pos at; /* of the whole text: jansson keeps no positions */
	bool foreign;  /* fractions are cut off */
	struct arena *arena;
	struct err *err;
};

/* 1.0 and 1e3 are whole numbers written by a program that knows only doubles. */
static int convert_real(const struct reader *in, double real, struct value *ret_value)
{
	if (real < -WHOLE_MOST || real > WHOLE_MOST ||
	    (!in->foreign && (double)(int64_t)real != real)) {
		return err_at(in->err, ERR_INPUT, in->at, "%.15g is not a whole number of 64 bits", real);
	}
	*ret_value = value_int((int64_t)real);
	return 0;
}

static int convert(const struct reader *in, json_t *node, unsigned depth, struct value *ret_value);

static int convert_list(const struct reader *in, json_t *node, unsigned depth,
                        struct value *ret_value)
{
	struct value list = value_list(), item;
	json_t *child;
	size_t i;

	json_array_foreach(node, i, child) {
		if (convert(in, child, depth + 1, &item)) {
			return -(int)in->err->code;
		}
		value_append(in->arena, &list, item);
	}
	*ret_value = list;
	return 0;
}

static int convert_map(const struct reader *in, json_t *node, unsigned depth,
                       struct value *ret_value)
{
	struct value map = value_map(), item;
	const char *key;
	json_t *child;

	json_object_foreach(node, key, child) {
		if (convert(in, child, depth + 1, &item)) {
			return -(int)in->err->code;
		}
		value_put(in->arena, &map, arena_strdup(in->arena, key), item);
	}
	*ret_value = map;
	return 0;
}

static int convert(const struct reader *in, json_t *node, unsigned depth, struct value *ret_value)
{
	if (depth > JSON_DEPTH) {
		return err_at(in->err, ERR_LIMIT, in->at, "nested deeper than %d levels", JSON_DEPTH);
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
		return convert_real(in, json_real_value(node), ret_value);
	case JSON_STRING:
		*ret_value = value_string(arena_strdup(in->arena, json_string_value(node)));
		return 0;
	case JSON_ARRAY:
		return convert_list(in, node, depth, ret_value);
	case JSON_OBJECT:
		return convert_map(in, node, depth, ret_value);
	}
	return err_at(in->err, ERR_BUG, in->at, "unknown JSON type");
}

/* One parameter more than others have. NOLINTNEXTLINE(*-function-size) */
static int parse(const char *text, size_t n, const char *file, bool foreign, struct arena *arena,
                 struct value *ret_value, struct err *err)
{
	json_error_t fault;
	json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);

	if (!root) {
		struct pos at = {arena_strdup(arena, file), fault.line > 0 ? (unsigned)fault.line : 0,
		                 fault.column > 0 ? (unsigned)fault.column : 0};

		AUTO(str_free) struct str what = {0};

		/* It quotes the text, and breaks off in the middle of it. */
		str_add_printable(&what, fault.text, sizeof fault.text);
		return err_at(err, ERR_INPUT, at, "not JSON: %s", str_text(&what));
	}
	struct reader in = {
	    .at.file = arena_strdup(arena, file), .foreign = foreign, .arena = arena, .err = err};
	struct value value;
	int r = convert(&in, root, 1, &value);

	json_decref(root);
	if (!r) {
		value_seal(&value);
		*ret_value = value;
	}
	return r;
}

int json_parse(const char *text, size_t n, const char *file, struct arena *arena,
               struct value *ret_value, struct err *err)
{
	return parse(text, n, file, false, arena, ret_value, err);
}

int json_parse_foreign(const char *text, size_t n, const char *file, struct arena *arena,
                       struct value *ret_value, struct err *err)
{
	return parse(text, n, file, true, arena, ret_value, err);
}

/* As RFC 8259 wants it; beyond that, what a terminal would act on goes out as \uNNNN, and bytes
 * that are not UTF-8 (no value holds any) as the text \xNN. */
static void print_text(struct str *out, const char *text)
{
	static const char named[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
	size_t left = strlen(text);

	str_addc(out, '"');
	while (left) {
		size_t clean = text_utf8_until(text, left), i = 0;

		for (; i < clean; i++) {
			unsigned char c = (unsigned char)text[i];
			const char *name = strchr(named, c);

			if (name) {
				str_addc(out, '\\');
				str_addc(out, names[name - named]);
			} else if (c < 0x20 || c == 0x7f) {
				str_addf(out, "\\u%04x", c);
			} else if (c == 0xc2 && (unsigned char)text[i + 1] < 0xa0) {
				str_addf(out, "\\u%04x", (unsigned char)text[++i]);
			} else {
				str_addc(out, text[i]);
			}
		}
		if (i < left) {
			str_addf(out, "\\\\x%02x", (unsigned char)text[i++]);
		}
		text += i;
		left -= i;
	}
	str_addc(out, '"');
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
