// SPDX-License-Identifier: MIT
/* See mem.h. The arena is a list of blocks that double in size up to a bound; large requests get a
 * block of their own. */
#include "base/mem.h"

#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_FIRST = 4096, BLOCK_LARGEST = 1 << 20 };

/* Under ASan only what was handed out may be touched, and a gap parts it from what comes next:
 * otherwise an overrun within an arena would not be seen. gcc and clang say it differently. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define IS_POISONED 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define IS_POISONED 1
#endif
#ifdef IS_POISONED
#include <sanitizer/asan_interface.h>
enum { GAP = alignof(max_align_t) };
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
enum { GAP = 0 };
#endif

struct block {
	struct block *next;
	size_t used, size;
	max_align_t data[];
};

struct arena {
	struct block *head;
	size_t next_size;
};

static int exhausted_status = 1;

void mem_exhausted_status(int status)
{
	exhausted_status = status;
}

_Noreturn void mem_exhausted(void)
{
	static const char text[] = "reconcile: out of memory\n";

	if (write(STDERR_FILENO, text, sizeof text - 1) < 0) {
		/* Nowhere left to say it. */
	}
	_exit(exhausted_status);
}

void *mem_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p) {
		mem_exhausted();
	}
	return p;
}

void *mem_realloc(void *p, size_t size)
{
	void *q = realloc(p, size ? size : 1);

	if (!q) {
		mem_exhausted();
	}
	return q;
}

char *mem_strdup(const char *text)
{
	size_t n = strlen(text) + 1;

	return memcpy(mem_alloc(n), text, n);
}

void mem_auto(void *p)
{
	free(*(void **)p);
}

void fd_auto(int *fd)
{
	int os = errno;

	if (*fd >= 0) {
		close(*fd);
	}
	errno = os;
}

struct arena *arena_create(void)
{
	struct arena *arena = mem_alloc(sizeof *arena);

	arena->next_size = BLOCK_FIRST;
	return arena;
}

void arena_free(struct arena *arena)
{
	if (!arena) {
		return;
	}
	for (struct block *b = arena->head, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(arena);
}

void arena_auto(struct arena **arena)
{
	arena_free(*arena);
}

static struct block *block_create(size_t size)
{
	struct block *b = mem_alloc(sizeof *b + size);

	b->size = size;
	ASAN_POISON_MEMORY_REGION(b->data, size);
	return b;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX / 2) {
		mem_exhausted();
	}
	size_t asked = size;

	size = (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t) + GAP;
	struct block *b = arena->head;

	if (!b || b->size - b->used < size) {
		if (b && size > arena->next_size / 2) {
			/* Its own block, behind the head, which still has room for small things. */
			struct block *own = block_create(size);

			own->used = size;
			own->next = b->next;
			b->next = own;
			ASAN_UNPOISON_MEMORY_REGION(own->data, asked);
			return own->data;
		}
		b = block_create(size > arena->next_size ? size : arena->next_size);
		b->next = arena->head;
		arena->head = b;
		if (arena->next_size < BLOCK_LARGEST) {
			arena->next_size *= 2;
		}
	}
	void *p = (char *)b->data + b->used;

	b->used += size;
	ASAN_UNPOISON_MEMORY_REGION(p, asked);
	return p;
}

void *arena_array(struct arena *arena, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		mem_exhausted();
	}
	return arena_alloc(arena, bytes);
}

char *arena_strndup(struct arena *arena, const char *text, size_t n)
{
	char *copy = arena_alloc(arena, n + 1);

	if (n) {
		memcpy(copy, text, n);
	}
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		mem_exhausted();
	}
	char *text = arena_alloc(arena, (size_t)n + 1);

	vsnprintf(text, (size_t)n + 1, fmt, again);
	va_end(again);
	return text;
}

void *arena_grow(struct arena *arena, void *array, size_t n, size_t *cap, size_t size)
{
	if (n < *cap) {
		return array;
	}
	size_t bigger = *cap ? *cap * 2 : 8;

	if (bigger <= n) {
		bigger = n + 1;
	}
	void *grown = arena_array(arena, bigger, size);

	if (n) {
		memcpy(grown, array, n * size);
	}
	*cap = bigger;
	return grown;
}
