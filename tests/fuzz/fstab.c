// SPDX-License-Identifier: MIT
/* An /etc/fstab of somebody else's, in a namespace of our own: a line is put and removed, and every
 * other one stays byte for byte. Needs root. */
#include "fuzz/fuzz.h"

#include "host/host_inner.h"

#define FSTAB "/etc/fstab"

enum { TEXT_MOST = 1 << 16 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_own("/etc");
	return 0;
}

static size_t read_file(char *text)
{
	AUTO(fd_auto) int fd = open(FSTAB, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, TEXT_MOST);

	HOLDS(n >= 0);
	return (size_t)n;
}

/* Put and removed again, a line that was not there leaves what was, and an end of the last line. */
static void put_and_remove(struct host *host, const struct fstab_line *line, const uint8_t *data,
                           size_t size)
{
	static char now[TEXT_MOST];
	const struct fstab *fstab;
	struct err err;
	size_t count;

	if (fstab_put(host, line, &err)) {
		HOLDS(err.text[0] && read_file(now) == size && memcmp(now, data, size) == 0);
		return;
	}
	host_forget(host);
	HOLDS(fstab_read(host, &fstab, &err) == 0);
	const struct fstab_line *found = fstab_find(fstab, line->target, &count);

	HOLDS(count == 1 && strcmp(found->source, line->source) == 0);
	HOLDS(fstab_remove(host, line->target, &err) == 0);
	size_t n = read_file(now);

	HOLDS(n >= size && n <= size + 1 && memcmp(now, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	static const char *options[] = {"nofail", "x-a=b c"};
	struct fstab_line line = {.source = "none",
	                          .target = "/a place",
	                          .type = "tmpfs",
	                          .options = {.set = true, .count = 2, .items = options}};
	const struct fstab *fstab;
	struct host host;
	struct err err;
	size_t count;

	if (size >= TEXT_MOST / 2) {
		return 0;
	}
	fuzz_write(FSTAB, data, size);
	host_init(&host, &host_linux_ops, arena);
	if (fstab_read(&host, &fstab, &err)) {
		HOLDS(err.text[0]);
	} else {
		for (size_t i = 0; i < fstab_count(fstab); i++) {
			HOLDS(fstab_find(fstab, fstab_at(fstab, i)->target, &count) && count > 0);
		}
		if (!fstab_find(fstab, line.target, &count)) {
			put_and_remove(&host, &line, data, size);
		}
	}
	host_done(&host);
	return 0;
}
