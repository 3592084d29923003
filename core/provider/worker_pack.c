// SPDX-License-Identifier: MIT
/* See worker_inner.h: what a message cannot hold as it is. */
#include "provider/worker_inner.h"

#include <string.h>

const char *worker_pack(struct arena *arena, const char *bytes, size_t n)
{
	size_t wide = 0;

	for (size_t i = 0; i < n; i++) {
		wide += (unsigned char)bytes[i] - 1u >= 0x7f;
	}
	char *packed = arena_alloc(arena, n + wide + 1), *to = packed;

	for (size_t i = 0; i < n; i++) {
		unsigned c = (unsigned char)bytes[i];

		if (c && c < 0x80) {
			*to++ = (char)c;
		} else {
			c = c ? c : 0x100; /* U+0100 stands for NUL */
			*to++ = (char)(0xc0 | c >> 6);
			*to++ = (char)(0x80 | (c & 0x3f));
		}
	}
	return packed;
}

const char *worker_unpack(struct arena *arena, const char *packed, size_t *ret_n)
{
	char *bytes = arena_alloc(arena, strlen(packed) + 1), *to = bytes;

	for (const unsigned char *c = (const unsigned char *)packed; *c; c++) {
		if (*c < 0x80) {
			*to++ = (char)*c;
			continue;
		}
		if (*c < 0xc2 || *c > 0xc4 || (c[1] & 0xc0) != 0x80 || (*c == 0xc4 && c[1] != 0x80)) {
			return NULL;
		}
		*to++ = (char)((unsigned)(*c & 0x1f) << 6 | (c[1] & 0x3f));
		c++;
	}
	*ret_n = (size_t)(to - bytes);
	return bytes;
}

struct value worker_error(struct arena *arena, const struct err *err)
{
	AUTO(str_free) struct str text = {0};
	struct value map = value_map();

	str_add_printable(&text, err->text, sizeof err->text);
	value_put(arena, &map, "error", value_int((int64_t)err->code));
	value_put(arena, &map, "os", value_int(err->os));
	value_put(arena, &map, "text", value_string(arena_strdup(arena, str_text(&text))));
	value_seal(&map);
	return map;
}

int worker_error_of(const struct value *answer, struct err *err)
{
	int64_t code = value_number(answer, "error", 0);
	const char *text = value_text(answer, "text");

	if (code < ERR_INPUT || code > ERR_BUG) {
		return 0;
	}
	err_set(err, (enum err_code)code, 0, "%s", text ? text : "");
	err->os = (int)value_number(answer, "os", 0);
	return -(int)code;
}
