// SPDX-License-Identifier: MIT
/* See source.h; and desired_source_line of desired.h. */
#include "desired/source.h"

#include "base/str.h"

#include <stdint.h>
#include <string.h>

/* A length of valid UTF-8 by its first byte (RFC 3629). */
static size_t length_of(unsigned char lead)
{
	if (lead < 0x80) {
		return 1;
	}
	return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

static uint32_t decode(const unsigned char *p, size_t length)
{
	uint32_t c = length == 1 ? p[0] : p[0] & (0xffu >> (length + 1));

	for (size_t i = 1; i < length; i++) {
		c = c << 6 | (p[i] & 0x3fu);
	}
	return c;
}

uint32_t source_forbidden(const char *p, size_t n, size_t *ret_length)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t length = length_of(u[0]);

	if (length > n) {
		*ret_length = n;
		return UINT32_MAX;
	}
	uint32_t c = decode(u, length);

	*ret_length = length;
	if (c >= 0x20 && c < 0x7f) {
		return 0;
	}
	if (c < 0x20) {
		return c == '\t' || c == '\n' || c == '\r' ? 0 : c ? c : UINT32_MAX;
	}
	if (c < 0xa0 || c == 0x2028 || c == 0x2029 || c == 0xfeff || (c & 0xfffe) == 0xfffe) {
		return c;
	}
	return 0;
}

static void report(struct faults *faults, struct pos at, uint32_t c)
{
	if (c == '\r') {
		fault_add(faults, at, "end lines with LF, or with CR LF",
		          "a carriage return that is not followed by a line feed");
	} else if (c == 0x85 || c == 0x2028 || c == 0x2029) {
		fault_add(faults, at, "end lines with LF, or with CR LF",
		          "U+%04X, a line break that editors do not count as one", c);
	} else if (c == 0xfeff) {
		fault_add(faults, at, "remove it", "U+FEFF, a byte order mark within the text");
	} else {
		fault_add(faults, at, "remove it", "U+%04X, a control character", c == UINT32_MAX ? 0 : c);
	}
}

/* Says every forbidden character in n bytes of valid UTF-8. Returns the position behind them. */
static struct pos scan(const struct desired_file *file, size_t n, struct faults *faults)
{
	struct pos at = {file->name, 1, 1};

	for (size_t i = 0, length; i < n; i += length) {
		uint32_t c = source_forbidden(file->text + i, n - i, &length);

		if (file->text[i] == '\r' && (i + 1 >= file->length || file->text[i + 1] != '\n')) {
			c = '\r';
		}
		if (c) {
			report(faults, at, c);
		}
		if (file->text[i] == '\n') {
			at.line++;
			at.col = 1;
		} else {
			at.col++;
		}
	}
	return at;
}

/* What is known of the encoding from the first bytes; says so and returns false when it is not
 * ours. */
static bool encoding(const struct desired_file *file, struct faults *faults)
{
	const struct pos start = {file->name, 1, 1};
	const char *text = file->text;
	size_t n = file->length;

	if (n >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0 ||
	               (!text[0] && text[1]) || (text[0] && !text[1]))) {
		fault_add(faults, start, "save the file as UTF-8 without a byte order mark",
		          "this text is not UTF-8: it looks like UTF-16 or UTF-32");
		return false;
	}
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		fault_add(faults, start, "save the file as UTF-8 without a byte order mark",
		          "the file begins with a byte order mark");
		return false;
	}
	return true;
}

bool source_check(const struct desired_file *file, struct faults *faults)
{
	unsigned before = faults->count;

	if (file->length > SOURCE_MOST) {
		fault_add(faults, fault_top(file->name), NULL,
		          "the file has %zu bytes, at most %d (16 MiB) are read", file->length,
		          (int)SOURCE_MOST);
		return false;
	}
	if (!encoding(file, faults)) {
		return false;
	}
	size_t valid = text_utf8_until(file->text, file->length);
	struct pos end = scan(file, valid, faults);

	if (valid < file->length) {
		fault_add(faults, end, "save the file as UTF-8", "the byte 0x%02x is not UTF-8 here",
		          (unsigned char)file->text[valid]);
	}
	return faults->count == before;
}

const char *desired_source_line(const struct desired_file *files, size_t count, struct pos at,
                                size_t *ret_length)
{
	for (size_t i = 0; at.file && at.line && i < count; i++) {
		const char *line = files[i].text, *end = line + files[i].length;

		if (strcmp(files[i].name, at.file) != 0) {
			continue;
		}
		for (unsigned n = 1; n < at.line && line; n++) {
			line = memchr(line, '\n', (size_t)(end - line));
			line = line ? line + 1 : NULL;
		}
		if (!line || line == end) {
			return NULL;
		}
		const char *stop = memchr(line, '\n', (size_t)(end - line));

		stop = stop ? stop : end;
		*ret_length = (size_t)(stop - line) - (stop > line && stop[-1] == '\r');
		return line;
	}
	return NULL;
}
