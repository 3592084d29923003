// SPDX-License-Identifier: MIT
/*
 * See packages.h. The status file says it all while nobody is at work: dpkg writes what it does to
 * a journal first and then replaces the file. While a lock is held or a journal is left behind,
 * dpkg-query tells, which merges both.
 */
#include "host/packages_index.h"
#include "host/packages_inner.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	QUERY_MS = 20000,
};

struct packages_cache {
	struct packages_index *index;
	bool in_flux; /* somebody was at work when it was read */
};

static int open_status(int *ret_fd, struct err *err)
{
	static const char path[] = PACKAGES_DPKG "/status";
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		return err_set(err, ERR_HOST, ENOENT, "dpkg does not manage the packages of this node: %s",
		               path);
	}
	if (fd < 0) {
		return err_set(err, ERR_HOST, errno, "cannot read %s", path);
	}
	*ret_fd = fd;
	return 0;
}

static int load(struct host *host, struct packages_cache **ret_cache, struct err *err)
{
	struct host_cache *all = host_cache_of(host);
	struct packages_index *index;
	int fd = -1;

	if (all->packages) {
		*ret_cache = all->packages;
		return 0;
	}
	if (open_status(&fd, err) || packages_index_read(fd, &index, err)) {
		return -(int)err->code;
	}
	struct packages_cache *cache = mem_alloc(sizeof *cache);

	*cache = (struct packages_cache){
	    .index = index,
	    /* Asked after reading: whoever came and went meanwhile has replaced the file as a whole. */
	    .in_flux = packages_has_journal() || packages_lock_holder() != 0,
	};
	all->packages = cache;
	*ret_cache = cache;
	return 0;
}

/* Every package there is, in the host's arena. */
static int load_table(struct host *host, const struct packages_cache *cache,
                      struct packages_table **ret_table, struct err *err)
{
	AUTO(str_free) struct str text = {0};

	if (packages_index_whole(cache->index, &text, err)) {
		return -(int)err->code;
	}
	*ret_table = packages_table_parse(
	    host->arena, arena_strndup(host->arena, str_text(&text), text.length), text.length);
	return 0;
}

void packages_forget(struct host_cache *cache)
{
	if (cache->packages) {
		packages_index_free(cache->packages->index);
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
	struct child_command command = {.argv = argv, .timeout_ms = host_patience(host, QUERY_MS)};
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

static const char *or_null(const char *text)
{
	return text && *text ? text : NULL;
}

int packages_look(struct host *host, const char *name, struct host_package *ret_package,
                  struct err *err)
{
	AUTO(str_free) struct str text = {0};
	struct packages_cache *cache;

	if (load(host, &cache, err)) {
		return -(int)err->code;
	}
	if (cache->in_flux) {
		return query(host, name, ret_package, err);
	}
	/* dpkg itself, so that the machine's own architecture is known. */
	const char *const names[] = {arena_strndup(host->arena, name, strcspn(name, ":")), "dpkg"};

	if (packages_index_fetch(cache->index, names, ARRAY_LEN(names), &text, err)) {
		return -(int)err->code;
	}
	const struct packages_table *table = packages_table_parse(
	    host->arena, arena_strndup(host->arena, str_text(&text), text.length), text.length);
	const struct host_package *found = packages_table_find(table, name);

	struct host_package package = found ? *found : (struct host_package){0};

	package.want = or_null(package.want);
	package.flag = or_null(package.flag);
	package.status = or_null(package.status);
	package.version = or_null(package.version);
	package.architecture = or_null(package.architecture);
	*ret_package = package;
	return 0;
}

int packages_list(struct host *host, struct list *ret_names, struct err *err)
{
	struct packages_cache *cache;
	struct packages_table *table;

	if (load(host, &cache, err) || load_table(host, cache, &table, err)) {
		return -(int)err->code;
	}
	size_t n = packages_table_count(table);
	const char **names = arena_array(host->arena, n, sizeof *names);

	for (size_t i = 0; i < n; i++) {
		const char *name;

		packages_table_at(table, i, &name);
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
	struct packages_table *table;

	packages_forget(host_cache_of(host)); /* whoever asks this is about to act */
	if (load(host, &cache, err) || load_table(host, cache, &table, err)) {
		return -(int)err->code;
	}
	manager.lock_pid = packages_lock_holder();
	manager.interrupted = packages_has_journal();
	manager.unconfigured = find_unconfigured(host, table);
	manager.lock_command = packages_command_of(host->arena, manager.lock_pid);
	manager.under_systemd = packages_under_systemd();
	*ret_manager = manager;
	return 0;
}
