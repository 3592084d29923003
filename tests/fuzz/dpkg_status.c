// SPDX-License-Identifier: MIT
/* dpkg's status file: a package that is fetched by its name is the one that stands in the whole. */
#include "fuzz/fuzz.h"

#include "host/packages_index.h"
#include "host/packages_inner.h"

#include <sys/mman.h>
#include <unistd.h>

static struct packages_table *table_of(struct arena *arena, const struct str *text)
{
	char *copy = arena_strndup(arena, text->data ? text->data : "", text->length);

	return packages_table_parse(arena, copy, text->length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	AUTO(str_free) struct str whole = {0}, one = {0};
	int fd = memfd_create("status", MFD_CLOEXEC);
	struct packages_index *index;
	const char *name;
	struct err err;

	HOLDS(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
	if (packages_index_read(fd, &index, &err)) {
		HOLDS(err.text[0]);
		return 0;
	}
	HOLDS(packages_index_whole(index, &whole, &err) == 0);
	const struct packages_table *table = table_of(arena, &whole);

	for (size_t i = 0; i < packages_table_count(table); i++) {
		HOLDS(packages_table_at(table, i, &name) && name);
		packages_table_find(table, name);
		HOLDS(packages_index_fetch(index, &name, 1, &one, &err) == 0);
	}
	packages_table_count(table_of(arena, &one));
	packages_index_free(index);
	return 0;
}
