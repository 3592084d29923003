// SPDX-License-Identifier: MIT
/* See lines.h. */
#include "provider/lines.h"

#include <string.h>

enum { FILE_MOST = 4 << 20 };

char *lines_next(char **rest)
{
	char *line = *rest;

	if (!line || !*line) {
		return NULL;
	}
	char *end = strchr(line, '\n');

	*rest = end ? end + 1 : NULL;
	if (end) {
		*end = '\0';
	}
	return line;
}

char *lines_word(char **rest)
{
	if (!*rest) {
		return NULL;
	}
	char *word = *rest + strspn(*rest, " \t");
	char *end = word + strcspn(word, " \t");

	if (!*word) {
		return NULL;
	}
	*rest = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

int lines_read(struct host *host, const char *path, struct arena *arena, char **ret_text,
               struct err *err)
{
	struct file_bytes bytes;
	struct err fault = {0};

	if (host->ops->read(host, path, FILE_MOST, arena, &bytes, &fault)) {
		if (files_is_missing(&fault)) {
			*ret_text = NULL;
			return 0;
		}
		return err_copy(err, &fault);
	}
	*ret_text = arena_strndup(arena, bytes.data, bytes.length);
	return 0;
}

void lines_add(struct arena *arena, struct list *list, size_t *cap, const char *item)
{
	const char **items = arena_grow(arena, (void *)list->items, list->count, cap, sizeof *items);

	items[list->count++] = item;
	list->items = items;
	list->set = true;
}
