// SPDX-License-Identifier: MIT
/*
 * What a stream said, in bounded memory: its head and its tail, and how much was left out between.
 * Owner: whoever declares it (`struct capture c = {0};`), until capture_text has taken the text.
 */
#ifndef BASE_CAPTURE_H
#define BASE_CAPTURE_H

#include "base/str.h"

#include <stdint.h>

enum { CAPTURE_HALF = 32 << 10 };      /* bytes kept of the head, and of the tail */
#define CAPTURE_CUT " bytes left out]" /* how the line ends that stands for the rest */

struct capture {
	size_t head_most; /* bytes kept of the head when that is to be more than CAPTURE_HALF, else 0 */
	struct str head;
	char *tail;      /* a ring of CAPTURE_HALF bytes, there once the head is full */
	uint64_t beyond; /* how many bytes came after the head */
};

void capture_add(struct capture *capture, const char *bytes, size_t n);
/* Counts n bytes as left out that nobody has read; only where more than CAPTURE_HALF bytes follow
 * or the head is full, so that neither head nor tail would have kept them. */
void capture_skip(struct capture *capture, uint64_t n);
/* The text: everything, or head, "\n[N bytes left out]\n" and tail. It belongs to the caller
 * (str_free); the capture is empty again. */
struct str capture_text(struct capture *capture);

#endif
