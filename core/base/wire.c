// SPDX-License-Identifier: MIT
/* See wire.h. A frame is a 32-bit length and that many bytes; a value is a type byte with flags, an
 * optional position, and its content. Numbers are little-endian; both ends are this program. */
#include "base/wire.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TYPE_MASK = 0x0f, HAS_POSITION = 0x40, QUOTED = 0x80 };

static void put_u32(struct str *out, uint32_t n)
{
	str_addn(out, &n, sizeof n);
}

static void put_text(struct str *out, const char *text)
{
	size_t n = strlen(text);

	put_u32(out, (uint32_t)n);
	str_addn(out, text, n);
}

static void put_position(struct str *out, const struct pos *at)
{
	put_text(out, at->file ? at->file : "");
	put_u32(out, at->line);
	put_u32(out, at->col);
}

void wire_encode(struct str *out, const struct value *value)
{
	bool placed = value->at.file || value->at.line;

	str_addc(out, (char)((int)value->type | (placed ? HAS_POSITION : 0) | (value->quoted ? QUOTED : 0)));
	if (placed) {
		put_position(out, &value->at);
	}
	switch (value->type) {
	case VALUE_NULL:
		break;
	case VALUE_BOOL:
		str_addc(out, (char)value->boolean);
		break;
	case VALUE_INT:
		str_addn(out, &value->integer, sizeof value->integer);
		break;
	case VALUE_STRING:
		put_text(out, value->string);
		break;
	case VALUE_LIST:
		put_u32(out, (uint32_t)value->count);
		for (size_t i = 0; i < value->count; i++) {
			wire_encode(out, &value->items[i]);
		}
		break;
	case VALUE_MAP:
		put_u32(out, (uint32_t)value->count);
		for (size_t i = 0; i < value->count; i++) {
			put_text(out, value->entries[i].key);
			wire_encode(out, &value->entries[i].value);
		}
		break;
	}
}

struct reader {
	const char *at, *end;
	struct arena *arena;
	const char *last_file; /* positions mostly repeat one name: kept once */
	struct err *err;
};

static int garbage(struct reader *in, const char *what)
{
	return err_set(in->err, ERR_INPUT, 0, "broken message: %s", what);
}

static int take(struct reader *in, void *to, size_t n)
{
	if ((size_t)(in->end - in->at) < n) {
		return garbage(in, "it ends too early");
	}
	memcpy(to, in->at, n);
	in->at += n;
	return 0;
}

static int take_text(struct reader *in, const char **ret_text)
{
	uint32_t n;

	if (take(in, &n, sizeof n)) {
		return -ERR_INPUT;
	}
	if ((size_t)(in->end - in->at) < n) {
		return garbage(in, "a text is longer than the message");
	}
	if (memchr(in->at, '\0', n) || text_utf8_until(in->at, n) != n) {
		return garbage(in, "a text is not UTF-8 or holds a NUL");
	}
	*ret_text = arena_strndup(in->arena, in->at, n);
	in->at += n;
	return 0;
}

static int take_position(struct reader *in, struct pos *ret_at)
{
	const char *file;
	struct pos at;

	if (take_text(in, &file) || take(in, &at.line, sizeof at.line) || take(in, &at.col, sizeof at.col)) {
		return -ERR_INPUT;
	}
	if (!in->last_file || strcmp(in->last_file, file) != 0) {
		in->last_file = file;
	}
	at.file = *file ? in->last_file : NULL;
	*ret_at = at;
	return 0;
}

static int take_value(struct reader *in, unsigned depth, struct value *ret_value);

static int take_list(struct reader *in, unsigned depth, struct value *list)
{
	uint32_t n;

	if (take(in, &n, sizeof n)) {
		return -ERR_INPUT;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct value item;

		if (take_value(in, depth + 1, &item)) {
			return -ERR_INPUT;
		}
		value_append(in->arena, list, item);
	}
	return 0;
}

static int take_map(struct reader *in, unsigned depth, struct value *map)
{
	uint32_t n;

	if (take(in, &n, sizeof n)) {
		return -ERR_INPUT;
	}
	for (uint32_t i = 0; i < n; i++) {
		const char *key;
		struct value item;

		if (take_text(in, &key) || take_value(in, depth + 1, &item)) {
			return -ERR_INPUT;
		}
		value_put(in->arena, map, key, item);
	}
	value_seal(map);
	for (size_t i = 1; i < map->count; i++) {
		if (strcmp(map->entries[i - 1].key, map->entries[i].key) == 0) {
			return garbage(in, "a key stands twice in a map");
		}
	}
	return 0;
}

static int take_value(struct reader *in, unsigned depth, struct value *ret_value)
{
	struct value value = {0};
	unsigned char head;

	if (depth >= WIRE_DEPTH) {
		return err_set(in->err, ERR_LIMIT, 0, "nested deeper than %d levels", WIRE_DEPTH);
	}
	if (take(in, &head, 1) || ((head & HAS_POSITION) && take_position(in, &value.at))) {
		return -ERR_INPUT;
	}
	value.type = head & TYPE_MASK;
	value.quoted = head & QUOTED;
	unsigned char truth = 0;
	int r = 0;

	switch ((int)value.type) {
	case VALUE_NULL:
		break;
	case VALUE_BOOL:
		r = take(in, &truth, 1);
		value.boolean = truth;
		break;
	case VALUE_INT:
		r = take(in, &value.integer, sizeof value.integer);
		break;
	case VALUE_STRING:
		r = take_text(in, &value.string);
		break;
	case VALUE_LIST:
		r = take_list(in, depth, &value);
		break;
	case VALUE_MAP:
		r = take_map(in, depth, &value);
		break;
	default:
		r = garbage(in, "unknown type");
	}
	if (!r) {
		*ret_value = value;
	}
	return r;
}

int wire_decode(const char *bytes, size_t n, struct arena *arena, struct value *ret_value,
                struct err *err)
{
	struct reader in = {.at = bytes, .end = bytes + n, .arena = arena, .err = err};
	struct value value;
	struct err fault = {0};

	in.err = &fault;
	if (take_value(&in, 0, &value)) {
		return err_copy(err, &fault);
	}
	if (in.at != in.end) {
		return err_set(err, ERR_INPUT, 0, "broken message: bytes are left over");
	}
	*ret_value = value;
	return 0;
}

/* Waits until fd can do `events`; 0, or an error. */
static int wait_for(int fd, short events, int64_t deadline, struct err *err)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};
		int64_t left = deadline ? clock_left(deadline) : -1;
		int n = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);

		if (n > 0) {
			return 0;
		}
		if (n == 0) {
			return err_set(err, ERR_LIMIT, 0, "no answer in time");
		}
		if (errno != EINTR) {
			return err_set(err, ERR_HOST, errno, "cannot wait for a child process");
		}
	}
}

int wire_send(int fd, const struct value *value, int64_t deadline, struct err *err)
{
	AUTO(str_free) struct str bytes = {0};

	put_u32(&bytes, 0);
	wire_encode(&bytes, value);
	if (bytes.length - 4 > WIRE_FRAME_MOST) {
		return err_set(err, ERR_LIMIT, 0, "a message of %zu bytes is too long", bytes.length);
	}
	uint32_t n = (uint32_t)(bytes.length - 4);

	memcpy(bytes.data, &n, sizeof n);
	for (size_t sent = 0; sent < bytes.length;) {
		ssize_t w = send(fd, bytes.data + sent, bytes.length - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (w >= 0) {
			sent += (size_t)w;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			if (wait_for(fd, POLLOUT, deadline, err)) {
				return -(int)err->code;
			}
		} else if (errno != EINTR) {
			return err_set(err, ERR_GONE, errno, "cannot send to a child process");
		}
	}
	return 0;
}

static int receive_exactly(int fd, void *to, size_t n, int64_t deadline, struct err *err)
{
	for (size_t got = 0; got < n;) {
		ssize_t r = recv(fd, (char *)to + got, n - got, MSG_DONTWAIT);

		if (r > 0) {
			got += (size_t)r;
		} else if (r == 0) {
			return err_set(err, ERR_GONE, 0, "the process at the other end ended");
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			if (wait_for(fd, POLLIN, deadline, err)) {
				return -(int)err->code;
			}
		} else if (errno != EINTR) {
			return err_set(err, ERR_GONE, errno, "cannot receive from a child process");
		}
	}
	return 0;
}

int wire_receive(int fd, struct arena *arena, int64_t deadline, struct value *ret_value,
                 struct err *err)
{
	return wire_receive_most(fd, WIRE_FRAME_MOST, arena, deadline, ret_value, err);
}

int wire_receive_most(int fd, uint32_t most, struct arena *arena, int64_t deadline,
                      struct value *ret_value, struct err *err)
{
	uint32_t n;

	if (receive_exactly(fd, &n, sizeof n, deadline, err)) {
		return -(int)err->code;
	}
	if (n > most) {
		return err_set(err, ERR_INPUT, 0, "broken message: %u bytes announced", n);
	}
	AUTO(mem_auto) char *bytes = mem_alloc(n);

	if (receive_exactly(fd, bytes, n, deadline, err)) {
		return -(int)err->code;
	}
	return wire_decode(bytes, n, arena, ret_value, err);
}
