// SPDX-License-Identifier: MIT
/* See wire.h. A frame is a 32-bit length and that many bytes; a value is a byte of type and flags,
 * an optional position, and its content; a key is a text value. Numbers stand in the machine's own
 * order: both ends are this program. */
#include "base/wire.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TYPE_MASK = 0x0f, SAME_FILE = 0x20, HAS_POSITION = 0x40, QUOTED = 0x80 };

/* Of a key: head, length and no letters; of any other value: its head. */
enum { KEY_LEAST = 1 + sizeof(uint32_t), VALUE_LEAST = 1 };

struct writer {
	struct str *out;
	const char *last_file; /* positions mostly repeat one name: it travels once */
};

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

static void put_head(struct writer *to, const struct value *value)
{
	const char *file = value->at.file ? value->at.file : "";
	bool placed = value->at.file || value->at.line || value->at.col;
	bool same = placed && to->last_file && text_equal(to->last_file, file);

	str_addc(to->out, (char)((int)value->type | (placed ? HAS_POSITION : 0) |
	                         (same ? SAME_FILE : 0) | (value->quoted ? QUOTED : 0)));
	if (!placed) {
		return;
	}
	if (!same) {
		put_text(to->out, file);
		to->last_file = file;
	}
	put_u32(to->out, value->at.line);
	put_u32(to->out, value->at.col);
}

static void put_value(struct writer *to, const struct value *value)
{
	put_head(to, value);
	switch (value->type) {
	case VALUE_NULL:
		break;
	case VALUE_BOOL:
		str_addc(to->out, (char)value->boolean);
		break;
	case VALUE_INT:
		str_addn(to->out, &value->integer, sizeof value->integer);
		break;
	case VALUE_STRING:
		put_text(to->out, value->string);
		break;
	case VALUE_LIST:
		put_u32(to->out, (uint32_t)value->count);
		for (size_t i = 0; i < value->count; i++) {
			put_value(to, &value->items[i]);
		}
		break;
	case VALUE_MAP:
		put_u32(to->out, (uint32_t)value->count);
		for (size_t i = 0; i < value->count; i++) {
			const struct value_entry *entry = &value->entries[i];
			struct value key = value_string(entry->key);

			key.at = entry->key_at;
			put_value(to, &key);
			put_value(to, &entry->value);
		}
		break;
	}
}

void wire_encode(struct str *out, const struct value *value)
{
	struct writer to = {.out = out};

	put_value(&to, value);
}

/* Every reading function returns 0, or sets *err and returns its negative code. */
struct reader {
	const char *at, *end;
	size_t values; /* how many more the message may announce */
	struct arena *arena;
	const char *last_file;
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
	uint32_t n = 0;
	int r = take(in, &n, sizeof n);

	if (r) {
		return r;
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

static int take_position(struct reader *in, bool same_file, struct pos *ret_at)
{
	int r = 0;

	if (same_file && !in->last_file) {
		return garbage(in, "a position without a file");
	}
	if (!same_file) {
		r = take_text(in, &in->last_file);
	}
	if (!r) {
		r = take(in, &ret_at->line, sizeof ret_at->line);
	}
	if (!r) {
		r = take(in, &ret_at->col, sizeof ret_at->col);
	}
	if (!r) {
		ret_at->file = *in->last_file ? in->last_file : NULL;
	}
	return r;
}

/* The number of items of a list or map. It is believed only as far as so many items of `least`
 * bytes can still come, before anything is allocated for them. */
static int take_count(struct reader *in, size_t least, size_t *ret_n)
{
	uint32_t n = 0;
	int r = take(in, &n, sizeof n);

	if (r) {
		return r;
	}
	if (n > (size_t)(in->end - in->at) / least) {
		return garbage(in, "more items than the message has room for");
	}
	if (n > in->values) {
		return err_set(in->err, ERR_LIMIT, 0, "a message of more than %d values", WIRE_VALUES_MOST);
	}
	in->values -= n;
	*ret_n = n;
	return 0;
}

static int take_value(struct reader *in, unsigned depth, struct value *ret_value);

static int take_list(struct reader *in, unsigned depth, struct value *list)
{
	size_t n = 0;
	int r = take_count(in, VALUE_LEAST, &n);

	if (r || !n) {
		return r;
	}
	list->items = arena_array(in->arena, n, sizeof *list->items);
	list->cap = n;
	for (; !r && list->count < n; list->count++) {
		r = take_value(in, depth + 1, &list->items[list->count]);
	}
	return r;
}

static int take_entry(struct reader *in, unsigned depth, struct value_entry *ret_entry)
{
	struct value key = {0};
	int r = take_value(in, depth + 1, &key);

	if (r) {
		return r;
	}
	if (key.type != VALUE_STRING) {
		return garbage(in, "a key is no text");
	}
	ret_entry->key = key.string;
	ret_entry->key_at = key.at;
	return take_value(in, depth + 1, &ret_entry->value);
}

static int take_map(struct reader *in, unsigned depth, struct value *map)
{
	size_t n = 0;
	int r = take_count(in, KEY_LEAST + VALUE_LEAST, &n);

	if (r) {
		return r;
	}
	map->entries = n ? arena_array(in->arena, n, sizeof *map->entries) : NULL;
	map->cap = n;
	for (; !r && map->count < n; map->count++) {
		r = take_entry(in, depth, &map->entries[map->count]);
	}
	if (r) {
		return r;
	}
	value_seal(map);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(map->entries[i - 1].key, map->entries[i].key) == 0) {
			return garbage(in, "a key stands twice in a map");
		}
	}
	return 0;
}

static int take_content(struct reader *in, unsigned depth, struct value *value)
{
	unsigned char truth = 0;
	int r;

	switch ((int)value->type) {
	case VALUE_NULL:
		return 0;
	case VALUE_BOOL:
		r = take(in, &truth, 1);
		value->boolean = truth;
		return !r && truth > 1 ? garbage(in, "a truth that is neither") : r;
	case VALUE_INT:
		return take(in, &value->integer, sizeof value->integer);
	case VALUE_STRING:
		return take_text(in, &value->string);
	case VALUE_LIST:
		return take_list(in, depth, value);
	case VALUE_MAP:
		return take_map(in, depth, value);
	default:
		return garbage(in, "unknown type");
	}
}

static int take_value(struct reader *in, unsigned depth, struct value *ret_value)
{
	struct value value = {0};
	unsigned char head = 0;

	if (depth > WIRE_DEPTH) {
		return err_set(in->err, ERR_LIMIT, 0, "a message nested deeper than %d levels", WIRE_DEPTH);
	}
	int r = take(in, &head, 1);

	if (!r && (head & HAS_POSITION)) {
		r = take_position(in, head & SAME_FILE, &value.at);
	}
	if (r) {
		return r;
	}
	value.type = head & TYPE_MASK;
	value.quoted = head & QUOTED;
	r = take_content(in, depth, &value);
	if (!r) {
		*ret_value = value;
	}
	return r;
}

int wire_decode(const char *bytes, size_t n, struct arena *arena, struct value *ret_value,
                struct err *err)
{
	struct reader in = {
	    .at = bytes, .end = bytes + n, .values = WIRE_VALUES_MOST, .arena = arena, .err = err};
	struct value value = {0};
	int r = take_value(&in, 1, &value);

	if (!r && in.at != in.end) {
		r = garbage(&in, "bytes are left over");
	}
	if (!r) {
		*ret_value = value;
	}
	return r;
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
	uint32_t n = 0;

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
