// SPDX-License-Identifier: MIT
/* See apt_key.h. */
#include "provider/apt_key.h"

#include "base/digest.h"
#include "base/str.h"

#include <stdint.h>
#include <string.h>

static const char begin_mark[] = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
static const char secret_mark[] = "-----BEGIN PGP PRIVATE KEY BLOCK-----";
static const char end_mark[] = "-----END PGP PUBLIC KEY BLOCK-----";

/* Is it text in armour, rather than the bytes of a keyring? */
static bool is_armoured(const char *data, size_t n)
{
	/* The first byte of an OpenPGP packet has its highest bit set; a letter has not. */
	return n > 0 && !((unsigned char)data[0] & 0x80);
}

/* The value of a letter of radix 64, -1 of any other. */
static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z') {
		return c - 'A';
	}
	if (c >= 'a' && c <= 'z') {
		return c - 'a' + 26;
	}
	if (c >= '0' && c <= '9') {
		return c - '0' + 52;
	}
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Decodes up to the checksum or the end of the block; false at a letter that cannot be there. */
static bool decode(struct str *out, const char *text, const char *end, const char **ret_rest)
{
	uint32_t bits = 0;
	unsigned count = 0;
	bool ended = false;

	for (; text < end; text++) {
		int value = value_of(*text);
		bool at_start = text[-1] == '\n';

		if (*text == '=' && at_start) {
			break; /* the checksum */
		}
		if (is_blank(*text)) {
			continue;
		}
		if (*text == '=') {
			ended = true;
			continue;
		}
		if (value < 0 || ended) {
			return false;
		}
		bits = bits << 6 | (uint32_t)value;
		if (++count % 4 != 1) {
			str_addc(out, (char)(bits >> (count % 4 == 2 ? 4 : count % 4 == 3 ? 2 : 0)));
		}
	}
	*ret_rest = text;
	return out->length > 0 && count % 4 != 1;
}

/* CRC-24 as the armour has it (RFC 9580, 6.1.1). */
static uint32_t checksum(const struct str *bytes)
{
	uint32_t crc = 0xb704ce;

	for (size_t i = 0; i < bytes->length; i++) {
		crc ^= (uint32_t)(unsigned char)bytes->data[i] << 16;
		for (int bit = 0; bit < 8; bit++) {
			crc <<= 1;
			crc ^= crc & 0x1000000 ? 0x1864cfb : 0;
		}
	}
	return crc & 0xffffff;
}

/* A block may come without one. */
static bool is_checksum_right(const struct str *bytes, const char *text, const char *end)
{
	uint32_t sum = 0;

	if (text >= end) {
		return true;
	}
	for (int i = 1; i <= 4; i++) {
		if (text + i >= end || value_of(text[i]) < 0) {
			return false;
		}
		sum = sum << 6 | (uint32_t)value_of(text[i]);
	}
	return sum == checksum(bytes);
}

/* Where the letters begin: behind the empty line that ends the headers ("Version: ..."). */
static const char *behind_headers(const char *text, const char *end)
{
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));

		if (!newline) {
			return end;
		}
		size_t n = (size_t)(newline - text);

		if (strspn(text, " \t\r") >= n) {
			return newline + 1;
		}
		/* Some leave the empty line out: then this is no header. */
		if (!memchr(text, ':', n)) {
			return text;
		}
		text = newline + 1;
	}
	return end;
}

int apt_key_bytes(struct arena *arena, const char *text, const char **ret_bytes, size_t *ret_length,
                  struct err *err)
{
	const char *begin = strstr(text, begin_mark), *rest;
	AUTO(str_free) struct str bytes = {0};

	if (strstr(text, secret_mark)) {
		return err_set(err, ERR_INPUT, 0,
		               "key: this is a secret key, which belongs on no node; expected the public "
		               "one");
	}
	if (!begin) {
		return err_set(err, ERR_INPUT, 0, "key: no armoured key; expected %s", begin_mark);
	}
	const char *end = strstr(begin, end_mark), *body = strchr(begin, '\n');

	if (!end || !body || body > end) {
		return err_set(err, ERR_INPUT, 0, "key: it is cut off; expected %s at its end", end_mark);
	}
	if (!decode(&bytes, behind_headers(body + 1, end), end, &rest)) {
		return err_set(err, ERR_INPUT, 0,
		               "key: there is something in it that is no armour (RFC 9580, section 6)");
	}
	if (!is_checksum_right(&bytes, rest, end)) {
		return err_set(err, ERR_INPUT, 0, "key: its checksum does not fit: it was altered");
	}
	*ret_bytes = arena_strndup(arena, bytes.data, bytes.length);
	*ret_length = bytes.length;
	return 0;
}

const char *apt_key_digest(struct arena *arena, const char *data, size_t n)
{
	struct err fault;
	const char *bytes = data;
	size_t length = n;

	if (is_armoured(data, n) && apt_key_bytes(arena, data, &bytes, &length, &fault)) {
		bytes = data; /* no key at all: told apart by what it is */
		length = n;
	}
	return arena_strdup(arena, digest_bytes(bytes, length).hex);
}
