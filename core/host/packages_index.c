// SPDX-License-Identifier: MIT
/* See packages_index.h. */
#include "host/packages_index.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	STATUS_MOST = 64 << 20,
	BUFFER = 64 << 10,
	STANZAS_FIRST = 1024,
};

/* How a stanza begins: dpkg writes the name first (deb822 would allow any order). */
static const char mark[] = "\nPackage: ";
enum { MARK = sizeof mark - 1 };

struct place {
	uint32_t name; /* its hash */
	uint32_t at;   /* where the stanza begins */
};

struct packages_index {
	int fd;
	uint32_t size;
	struct place *places; /* in the order of the file */
	size_t count, cap;
};

/* FNV-1a, 32 bit. Two names of one hash cost a stanza that is read for nothing. */
static uint32_t hash_of(const char *name, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++) {
		h = (h ^ (unsigned char)name[i]) * 16777619u;
	}
	return h;
}

static void add(struct packages_index *index, const char *name, size_t n, uint32_t at)
{
	if (index->count == index->cap) {
		index->cap = index->cap ? index->cap * 2 : STANZAS_FIRST;
		index->places = mem_realloc(index->places, index->cap * sizeof *index->places);
	}
	index->places[index->count++] = (struct place){hash_of(name, n), at};
}

/* Takes note of the stanzas that begin in these bytes, the first of which stands at `at` in the
 * file. Returns how many bytes are done with; the rest may be half of a name. */
static size_t scan(struct packages_index *index, const char *bytes, size_t n, uint32_t at)
{
	const char *end = bytes + n, *p = bytes;

	for (;;) {
		const char *found = memmem(p, (size_t)(end - p), mark, MARK);

		if (!found) {
			return n < MARK ? 0 : n - MARK > (size_t)(p - bytes) ? n - MARK : (size_t)(p - bytes);
		}
		const char *name = found + MARK;
		const char *newline = memchr(name, '\n', (size_t)(end - name));

		if (!newline) {
			return (size_t)(found - bytes);
		}
		add(index, name, (size_t)(newline - name), at + (uint32_t)(found - bytes) + 1);
		p = newline;
	}
}

static int read_all(struct packages_index *index, char *buffer, struct err *err)
{
	size_t have = 1, at = 0;
	ssize_t n;

	buffer[0] = '\n'; /* so that the first stanza begins like all others */
	while ((n = read(index->fd, buffer + have, BUFFER - have)) != 0) {
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return err_set(err, ERR_HOST, errno, "cannot read dpkg's status file");
		}
		have += (size_t)n;
		/* One less than its place in the buffer would say: the newline before the file. */
		size_t done = scan(index, buffer, have, (uint32_t)at - 1);

		if (done == 0 && have == BUFFER) {
			return err_set(err, ERR_HOST, 0, "dpkg's status file has a name without an end");
		}
		memmove(buffer, buffer + done, have - done);
		at += done;
		have -= done;
		if (at > STATUS_MOST) {
			return err_set(err, ERR_LIMIT, 0, "dpkg's status file is larger than %d bytes",
			               STATUS_MOST);
		}
	}
	index->size = (uint32_t)(at + have - 1);
	return 0;
}

int packages_index_read(int fd, struct packages_index **ret_index, struct err *err)
{
	struct packages_index *index = mem_alloc(sizeof *index);
	AUTO(mem_auto) char *buffer = mem_realloc(NULL, BUFFER); /* nobody needs zeros */

	index->fd = fd;
	if (read_all(index, buffer, err)) {
		packages_index_free(index);
		return -(int)err->code;
	}
	*ret_index = index;
	return 0;
}

void packages_index_free(struct packages_index *index)
{
	if (index) {
		fd_auto(&index->fd);
		free(index->places);
		free(index);
	}
}

static int read_part(const struct packages_index *index, uint32_t at, uint32_t end,
                     struct str *text, struct err *err)
{
	AUTO(mem_auto) char *part = mem_alloc(end - at + 1);

	for (uint32_t done = 0; done < end - at;) {
		ssize_t n = pread(index->fd, part + done, end - at - done, at + done);

		if (n == 0 || (n < 0 && errno != EINTR)) {
			return err_set(err, ERR_HOST, n ? errno : 0, "cannot read dpkg's status file again");
		}
		done += n > 0 ? (uint32_t)n : 0;
	}
	str_addn(text, part, end - at);
	str_addc(text, '\n'); /* the last stanza may lack its empty line */
	return 0;
}

int packages_index_fetch(const struct packages_index *index, const char *const *names, size_t count,
                         struct str *ret_text, struct err *err)
{
	for (size_t k = 0; k < count; k++) {
		uint32_t name = hash_of(names[k], strlen(names[k]));

		for (size_t i = 0; i < index->count; i++) {
			uint32_t end = i + 1 < index->count ? index->places[i + 1].at : index->size;

			if (index->places[i].name == name &&
			    read_part(index, index->places[i].at, end, ret_text, err)) {
				return -(int)err->code;
			}
		}
	}
	return 0;
}

int packages_index_whole(const struct packages_index *index, struct str *ret_text, struct err *err)
{
	return read_part(index, 0, index->size, ret_text, err);
}
