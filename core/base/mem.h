// SPDX-License-Identifier: MIT
/*
 * Memory: the arena that a document, a run or a request lives in, and the only place where running
 * out of memory ends the process (nothing above could do better, and a killed run converges next
 * time).
 *
 * Everything taken from an arena dies with it; nothing in it is freed singly. Borrowed pointers
 * into an arena die with it too.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/err.h"

#include <stdarg.h>
#include <stddef.h>

#define AUTO(function) __attribute__((cleanup(function)))
#define ARRAY_LEN(array) (sizeof(array) / sizeof *(array))

struct arena;

struct arena *arena_create(void);
/* NULL is allowed. */
void arena_free(struct arena *arena);
/* For AUTO(arena_auto) struct arena *a. */
void arena_auto(struct arena **arena);

/* Zeroed, aligned for any type; never NULL. */
void *arena_alloc(struct arena *arena, size_t size);
/* Zeroed array of n elements; an overflow of n * size counts as exhausted. */
void *arena_array(struct arena *arena, size_t n, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
/* Exactly n bytes, NUL or not, and a terminator. */
char *arena_strndup(struct arena *arena, const char *text, size_t n);
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF(2, 3);

/* Grows an array in the arena to hold one more than n elements: returns the array to use, in which
 * *cap >= n + 1. The old array stays behind as garbage of the arena (at most as much again). */
void *arena_grow(struct arena *arena, void *array, size_t n, size_t *cap, size_t size);

/* Says so on stderr and ends the process, with status 1 or what mem_exhausted_status said. No core:
 * it is the machine that is short, there is nothing to look for in us. */
_Noreturn void mem_exhausted(void);
/* For a child whose parent is to know it by its status. */
void mem_exhausted_status(int status);
/* malloc (zeroed) and realloc that do not return NULL; free() gives the memory back. */
void *mem_alloc(size_t size);
void *mem_realloc(void *p, size_t size);
char *mem_strdup(const char *text);
/* For AUTO(mem_auto) char *p: frees what p points to. */
void mem_auto(void *p);
/* For AUTO(fd_auto) int fd = -1: closes it unless it is negative; errno stays. */
void fd_auto(int *fd);

#endif
