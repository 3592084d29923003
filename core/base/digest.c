// SPDX-License-Identifier: MIT
/* See digest.h. */
#include "base/digest.h"

#include "base/wire.h"

#include <sha2.h>
#include <stdint.h>

struct digest digest_bytes(const void *bytes, size_t n)
{
	struct digest digest;

	SHA256Data(bytes, n, digest.hex);
	return digest;
}

/* The wire form without positions: a copy stripped of them would cost the same again in memory. */
static void feed(struct str *out, const struct value *value)
{
	struct value bare = *value;

	bare.at = (struct pos){0};
	bare.quoted = false;
	if (value->type == VALUE_LIST || value->type == VALUE_MAP) {
		str_addf(out, "%c%zu:", value->type == VALUE_LIST ? 'l' : 'm', value->count);
	}
	if (value->type == VALUE_LIST) {
		for (size_t i = 0; i < value->count; i++) {
			feed(out, &value->items[i]);
		}
	} else if (value->type == VALUE_MAP) {
		for (size_t i = 0; i < value->count; i++) {
			struct value key = value_string(value->entries[i].key);

			wire_encode(out, &key);
			feed(out, &value->entries[i].value);
		}
	} else {
		wire_encode(out, &bare);
	}
}

struct digest digest_value(const struct value *value)
{
	AUTO(str_free) struct str bytes = {0};

	feed(&bytes, value);
	return digest_bytes(str_text(&bytes), bytes.length);
}
