// SPDX-License-Identifier: MIT
/*
 * See mounts.h. /proc/self/mountinfo is read whole once, and again only when the kernel says that
 * the table has moved; of a mount of our own only the new row is read. What lies where is worked
 * out in mount_table.c, mounts are changed in mounts_change.c.
 */
#include "host/host_inner.h"

#include "base/str.h"
#include "host/mount_table.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { READ_AGAIN_MOST = 5 };

struct mounts_cache {
	int fd;        /* of mountinfo, kept open: poll on it tells of changes (proc(5)) */
	bool stale;    /* something of ours changed it */
	bool doubtful; /* ask the kernel before believing it */
	struct arena *arena;
	struct mount_table *table;
};

/* From where the last reading ended, or from the start. */
static int read_text(int fd, bool from_start, struct str *text, struct err *err)
{
	static const size_t step = 64 << 10;

	str_clear(text);
	if (from_start && lseek(fd, 0, SEEK_SET)) {
		return err_set(err, ERR_HOST, errno, "cannot read /proc/self/mountinfo");
	}
	for (;;) {
		if (text->size - text->length < step) {
			text->size = text->size ? text->size * 2 : 2 * step;
			text->data = mem_realloc(text->data, text->size);
		}
		ssize_t n = read(fd, text->data + text->length, text->size - text->length - 1);

		if (n < 0 && errno != EINTR) {
			return err_set(err, ERR_HOST, errno, "cannot read /proc/self/mountinfo");
		}
		if (n == 0) {
			text->data[text->length] = '\0';
			return 0;
		}
		text->length += n > 0 ? (size_t)n : 0;
	}
}

/* Has the table moved since we last asked? */
static bool has_moved(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLPRI};

	return poll(&p, 1, 0) != 0;
}

static int refresh(struct mounts_cache *cache, struct err *err)
{
	struct arena *arena = arena_create();
	AUTO(str_free) struct str text = {0};
	struct mount_table *table = NULL;
	bool moved = true;
	int r = 0;

	has_moved(cache->fd); /* what moved until now will be read */
	for (int i = 0; i < READ_AGAIN_MOST && !r && moved; i++) {
		r = read_text(cache->fd, true, &text, err);
		/* Read while it moved, rows may be missing or stand twice. */
		moved = has_moved(cache->fd);
	}
	if (!r) {
		r = mount_table_parse(arena_strndup(arena, str_text(&text), text.length), arena, &table,
		                      err);
	}
	if (r) {
		arena_free(arena);
		return r;
	}
	arena_free(cache->arena);
	cache->arena = arena;
	cache->table = table;
	cache->stale = moved; /* it would not hold still: the next reading may have more luck */
	cache->doubtful = false;
	return 0;
}

int mounts_read(struct host *host, const struct mount_table **ret_table, struct err *err)
{
	struct host_cache *all = host_cache_of(host);

	if (!all->mounts) {
		int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

		if (fd < 0) {
			return err_set(err, ERR_HOST, errno, "cannot read /proc/self/mountinfo");
		}
		all->mounts = mem_alloc(sizeof *all->mounts);
		*all->mounts = (struct mounts_cache){.fd = fd, .stale = true};
	}
	struct mounts_cache *cache = all->mounts;

	cache->stale |= cache->doubtful && has_moved(cache->fd);
	cache->doubtful = false;
	if (cache->stale && refresh(cache, err)) {
		return -(int)err->code;
	}
	*ret_table = cache->table;
	return 0;
}

void mounts_changed(struct host *host)
{
	if (host->cache && host->cache->mounts) {
		host->cache->mounts->stale = true;
	}
}

bool mounts_is_current(struct host *host)
{
	struct mounts_cache *cache = host->cache ? host->cache->mounts : NULL;

	return cache && cache->table && !cache->stale && !has_moved(cache->fd);
}

void mounts_added(struct host *host)
{
	AUTO(str_free) struct str text = {0};
	struct mounts_cache *cache = host->cache->mounts;
	struct err err;

	/* That was us. Before reading, so that what others do from now on is heard of as well. */
	has_moved(cache->fd);
	/* From 6.8 on the kernel tells mounts in the order of their making, so that what is new comes
	 * after what was read; before, nothing comes here, and all is read again. */
	cache->stale = read_text(cache->fd, false, &text, &err) ||
	               !mount_table_extend(cache->table,
	                                   arena_strndup(cache->arena, str_text(&text), text.length));
}

void mounts_revalidate(struct host_cache *cache)
{
	if (cache->mounts) {
		cache->mounts->doubtful = true;
	}
}

void mounts_forget(struct host_cache *cache)
{
	if (cache->mounts) {
		close(cache->mounts->fd);
		arena_free(cache->mounts->arena);
		free(cache->mounts);
		cache->mounts = NULL;
	}
}

const char *mounts_trigger_over(struct host *host, const char *path, bool or_same)
{
	const struct mount_table *table;
	struct err err;

	/* Without a table nothing is known of automounts, and the look itself will say what is wrong.
	 * */
	return mounts_read(host, &table, &err) ? NULL : mount_table_trigger_over(table, path, or_same);
}
