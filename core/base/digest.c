// SPDX-License-Identifier: MIT
/* See digest.h. */
#include "base/digest.h"

#include <sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct digest digest_bytes(const void *bytes, size_t n)
{
	struct digest digest;

	SHA256Data(bytes, n, digest.hex);
	return digest;
}

static void feed_text(SHA2_CTX *sha, const char *text, size_t n)
{
	SHA256Update(sha, (const uint8_t *)text, n);
}

/* A letter and what it needs to be read back without doubt, so that no two values look the same: n,
 * b0, b1, i-5; and s3:abc, l and m with their number of items. The form is part of the history: it
 * never changes. */
static void feed(SHA2_CTX *sha, const struct value *value)
{
	char head[32] = "n";

	switch (value->type) {
	case VALUE_NULL:
		break;
	case VALUE_BOOL:
		snprintf(head, sizeof head, "b%d", value->boolean);
		break;
	case VALUE_INT:
		snprintf(head, sizeof head, "i%lld;", (long long)value->integer);
		break;
	case VALUE_STRING:
		snprintf(head, sizeof head, "s%zu:", strlen(value->string));
		break;
	case VALUE_LIST:
		snprintf(head, sizeof head, "l%zu:", value->count);
		break;
	case VALUE_MAP:
		snprintf(head, sizeof head, "m%zu:", value->count);
		break;
	}
	feed_text(sha, head, strlen(head));
	if (value->type == VALUE_STRING) {
		feed_text(sha, value->string, strlen(value->string));
	}
	for (size_t i = 0; value->type == VALUE_LIST && i < value->count; i++) {
		feed(sha, &value->items[i]);
	}
	for (size_t i = 0; value->type == VALUE_MAP && i < value->count; i++) {
		struct value key = value_string(value->entries[i].key);

		feed(sha, &key);
		feed(sha, &value->entries[i].value);
	}
}

struct digest digest_value(const struct value *value)
{
	struct digest digest;
	SHA2_CTX sha;

	SHA256Init(&sha);
	feed(&sha, value);
	SHA256End(&sha, digest.hex);
	return digest;
}
