// SPDX-License-Identifier: MIT
/*
 * Values as bytes, and frames of bytes over a pipe between our own processes.
 *
 * What arrives is untrusted: a policy child or a worker may be broken. Decoding checks every
 * length, the depth, the number of values (a byte on the wire becomes up to 80 in memory), UTF-8
 * and the absence of NUL, and never reads past the frame. Positions travel too, those of keys as
 * well; their file names come out as copies in the arena.
 */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include "base/str.h"
#include "base/value.h"

enum {
	WIRE_DEPTH = 40, /* 32 levels of a document, and what a message wraps around them */
	WIRE_VALUES_MOST = 8 << 20,
	WIRE_FRAME_MOST = 256 << 20, /* bytes */
};

void wire_encode(struct str *out, const struct value *value);
/* Decodes exactly n bytes into a sealed value. ERR_LIMIT or ERR_INPUT. */
int wire_decode(const char *bytes, size_t n, struct arena *arena, struct value *ret_value,
                struct err *err) MUST_CHECK;

/* Sends one value as one frame. Blocks until it is written or `deadline` (clock_ms; 0 = none) has
 * passed. ERR_GONE when the other end is closed (SIGPIPE does not arise: fd is a socket), ERR_LIMIT
 * at the deadline or when it is too long. After a failure half a frame may have gone out: the
 * connection is of no more use. */
int wire_send(int fd, const struct value *value, int64_t deadline, struct err *err) MUST_CHECK;
/* Receives one frame. ERR_GONE at end of file, ERR_LIMIT at the deadline, ERR_INPUT when it is
 * garbage. After a failure the connection is of no more use. */
int wire_receive(int fd, struct arena *arena, int64_t deadline, struct value *ret_value,
                 struct err *err) MUST_CHECK;
/* The same from a sender that is not trusted with memory: a frame of more than `most` bytes is
 * garbage. */
int wire_receive_most(int fd, uint32_t most, struct arena *arena, int64_t deadline,
                      struct value *ret_value, struct err *err) MUST_CHECK;

#endif
