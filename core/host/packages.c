// SPDX-License-Identifier: MIT
/*
 * See packages.h. The status file says it all while nobody is at work: dpkg writes what it does to
 * a journal first and then replaces the file. While a lock is held or a journal is left behind,
 * dpkg-query tells, which merges both.
 */
#include "host/packages_inner.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	STATUS_MOST = 64 << 20,
	QUERY_MS = 20000,
};

struct packages_cache {
	struct arena *arena;
	struct packages_table *table;
	bool in_flux; /* somebody was at work when it was read */
};

static int read_status(struct arena *arena, char **ret_text, size_t *ret_n, struct err *err)
{
	static const char path[] = PACKAGES_DPKG "/status";
	AUTO(fd_auto) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT) {
		return err_set(err, ERR_HOST, ENOENT, "dpkg does not manage the packages of this node: %s",
		               path);
	}
	if (fd < 0 || fstat(fd, &st)) {
		return err_set(err, ERR_HOST, errno, "cannot read %s", path);
	}
	if (st.st_size > STATUS_MOST) {
		return err_set(err, ERR_LIMIT, 0, "%s is larger than %d bytes", path, STATUS_MOST);
	}
	size_t size = (size_t)st.st_size, n = 0;
	char *text = arena_alloc(arena, size + 1);

	/* dpkg never writes into the file: what was opened stays as long as it is. */
	while (n < size) {
		ssize_t got = read(fd, text + n, size - n);

		if (got < 0 && errno != EINTR) {
			return err_set(err, ERR_HOST, errno, "cannot read %s", path);
		}
		if (got == 0) {
			break;
		}
		n += got > 0 ? (size_t)got : 0;
	}
	*ret_text = text;
	*ret_n = n;
	return 0;
}

static int load(struct host *host, struct packages_cache **ret_cache, struct err *err)
{
	struct host_cache *all = host_cache_of(host);
	struct arena *arena;
	char *text = NULL;
	size_t n = 0;

	if (all->packages) {
		*ret_cache = all->packages;
		return 0;
	}
	arena = arena_create();
	if (read_status(arena, &text, &n, err)) {
		arena_free(arena);
		return -(int)err->code;
	}
	struct packages_cache *cache = mem_alloc(sizeof *cache);

	*cache = (struct packages_cache){
	    .arena = arena,
	    .table = packages_table_parse(arena, text, n),
	    /* Asked after reading: whoever came and went meanwhile has replaced the file as a whole. */
	    .in_flux = packages_has_journal() || packages_lock_holder() != 0,
	};
	all->packages = cache;
	*ret_cache = cache;
	return 0;
}

void packages_forget(struct host_cache *cache)
{
	if (cache->packages) {
		arena_free(cache->packages->arena);
		free(cache->packages);
		cache->packages = NULL;
	}
}

/* What dpkg-query printed: the same lines as of a status file. */
static int query(struct host *host, const char *name, struct host_package *ret_package,
                 struct err *err)
{
	static const char format[] = "Package: ${Package}\nStatus: ${Status}\n"
	                             "Architecture: ${Architecture}\nVersion: ${Version}\n\n";
	/* dpkg itself, so that the machine's own architecture is known. */
	const char *const argv[] = {"dpkg-query", "-W", "-f", format, "--", name, "dpkg", NULL};
	struct child_command command = {.argv = argv, .timeout_ms = QUERY_MS};
	struct child_result result;

	if (child_run(&command, &result, err)) {
		return -(int)err->code;
	}
	/* 1: one of the names is not known (dpkg-query(1)). */
	if (result.timed_out || result.signalled || result.status > 1) {
		err_set(err, ERR_HOST, 0, "dpkg-query %s", result.timed_out ? "does not answer" : "failed");
		child_result_free(&result);
		return -(int)err->code;
	}
	char *text = arena_strdup(host->arena, str_text(&result.out));
	const struct packages_table *table = packages_table_parse(host->arena, text, strlen(text));
	const struct host_package *found = packages_table_find(table, name);

	child_result_free(&result);
	*ret_package = found ? *found : (struct host_package){0};
	return 0;
}

static const char *keep(struct arena *arena, const char *text)
{
	return text && *text ? arena_strdup(arena, text) : NULL;
}

int packages_look(struct host *host, const char *name, struct host_package *ret_package,
                  struct err *err)
{
	struct packages_cache *cache;

	if (load(host, &cache, err)) {
		return -(int)err->code;
	}
	if (cache->in_flux) {
		return query(host, name, ret_package, err);
	}
	const struct host_package *found = packages_table_find(cache->table, name);
	struct host_package package = found ? *found : (struct host_package){0};

	/* The table is gone with the next host_forget. */
	package.want = keep(host->arena, package.want);
	package.flag = keep(host->arena, package.flag);
	package.status = keep(host->arena, package.status);
	package.version = keep(host->arena, package.version);
	package.architecture = keep(host->arena, package.architecture);
	*ret_package = package;
	return 0;
}

int packages_list(struct host *host, struct list *ret_names, struct err *err)
{
	struct packages_cache *cache;

	if (load(host, &cache, err)) {
		return -(int)err->code;
	}
	size_t n = packages_table_count(cache->table);
	const char **names = arena_array(host->arena, n, sizeof *names);

	for (size_t i = 0; i < n; i++) {
		const char *name;

		packages_table_at(cache->table, i, &name);
		names[i] = arena_strdup(host->arena, name);
	}
	*ret_names = (struct list){.set = true, .count = n, .items = names};
	return 0;
}

/* dpkg --configure -a has to do something about a package in one of these (dpkg(1), package
 * states). */
static bool is_unconfigured(const struct host_package *package)
{
	static const char *const states[] = {"half-installed", "unpacked", "half-configured",
	                                     "triggers-awaited", "triggers-pending"};

	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		if (strcmp(package->status, states[i]) == 0) {
			return true;
		}
	}
	return false;
}

static struct list find_unconfigured(struct host *host, const struct packages_table *table)
{
	struct list list = {.set = true};
	const char **names = NULL, *name;
	size_t cap = 0;

	for (size_t i = 0; i < packages_table_count(table); i++) {
		if (is_unconfigured(packages_table_at(table, i, &name))) {
			names = arena_grow(host->arena, names, list.count, &cap, sizeof *names);
			names[list.count++] = arena_strdup(host->arena, name);
		}
	}
	list.items = names;
	return list;
}

int packages_manager(struct host *host, struct host_package_manager *ret_manager, struct err *err)
{
	struct packages_cache *cache;
	struct host_package_manager manager = {0};

	packages_forget(host_cache_of(host)); /* whoever asks this is about to act */
	if (load(host, &cache, err)) {
		return -(int)err->code;
	}
	manager.lock_pid = packages_lock_holder();
	manager.interrupted = packages_has_journal();
	manager.unconfigured = find_unconfigured(host, cache->table);
	manager.lock_command = packages_command_of(host->arena, manager.lock_pid);
	manager.under_systemd = packages_under_systemd();
	*ret_manager = manager;
	return 0;
}
