// SPDX-License-Identifier: MIT
/* See capture.h. */
#include "base/capture.h"

#include <stdlib.h>
#include <string.h>

static char *ring_of(struct capture *capture)
{
	if (!capture->tail) {
		capture->tail = mem_alloc(CAPTURE_HALF);
	}
	return capture->tail;
}

static size_t head_most(const struct capture *capture)
{
	return capture->head_most > CAPTURE_HALF ? capture->head_most : CAPTURE_HALF;
}

void capture_add(struct capture *capture, const char *bytes, size_t n)
{
	size_t room = head_most(capture) - capture->head.length;
	size_t first = n < room ? n : room;

	if (first) {
		str_addn(&capture->head, bytes, first);
	}
	while (first < n) {
		size_t at = (size_t)(capture->beyond % CAPTURE_HALF), rest = n - first;
		size_t piece = rest < CAPTURE_HALF - at ? rest : CAPTURE_HALF - at;

		memcpy(ring_of(capture) + at, bytes + first, piece);
		capture->beyond += piece;
		first += piece;
	}
}

void capture_skip(struct capture *capture, uint64_t n)
{
	ring_of(capture);
	capture->beyond += n;
}

struct str capture_text(struct capture *capture)
{
	struct str text = capture->head;
	uint64_t beyond = capture->beyond;

	if (beyond > CAPTURE_HALF) {
		size_t oldest = (size_t)(beyond % CAPTURE_HALF);

		str_addf(&text, "\n[%llu" CAPTURE_CUT "\n", (unsigned long long)(beyond - CAPTURE_HALF));
		str_addn(&text, capture->tail + oldest, CAPTURE_HALF - oldest);
		str_addn(&text, capture->tail, oldest);
	} else if (beyond) {
		str_addn(&text, capture->tail, (size_t)beyond);
	}
	free(capture->tail);
	*capture = (struct capture){0};
	return text;
}
