// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "provider/package_cache.h"
#include "provider/lines.h"

#include <unistd.h>

static struct package_cache cache;

static void add(const char *package, const char *a, const char *b)
{
	struct cached_set set = {.package = package, .version = "1"};
	const char *const names[] = {a, b};
	size_t cap = 0;

	for (size_t i = 0; i < ARRAY_LEN(names) && names[i]; i++) {
		lines_add(arena, &set.files, &cap, names[i]);
		if (!package_cache_file(&cache, names[i])) {
			cache.files = arena_grow(arena, cache.files, cache.file_count, &cache.file_cap,
			                         sizeof *cache.files);
			cache.files[cache.file_count++] = (struct cached_file){.name = names[i], .size = 10};
		}
	}
	cache.sets = arena_grow(arena, cache.sets, cache.set_count, &cache.set_cap, sizeof set);
	cache.sets[cache.set_count++] = set;
}

static void what_two_sets_share_stays_with_the_other(void **state)
{
	(void)state;
	cache = (struct package_cache){0};
	add("one", "one.deb", "both.deb");
	add("two", "two.deb", "both.deb");
	assert_int_equal(package_cache_size(&cache), 30);
	package_cache_drop(&cache, "one");
	assert_int_equal(package_cache_size(&cache), 20);
	assert_null(package_cache_find(&cache, "one"));
	assert_non_null(package_cache_find(&cache, "two"));
	assert_non_null(package_cache_file(&cache, "both.deb"));
	package_cache_drop(&cache, "two");
	assert_int_equal(package_cache_size(&cache), 0);
}

/* The file the test puts in place of the index. */
static const char *index_text;

static int read_index(struct host *host, const char *path, size_t most, struct arena *a,
                      struct file_bytes *ret_bytes, struct err *err)
{
	(void)host;
	(void)path;
	(void)most;
	(void)err;
	*ret_bytes =
	    (struct file_bytes){.data = arena_strdup(a, index_text), .length = strlen(index_text)};
	return 0;
}

static void no_index_may_name_what_is_not_in_the_folder(void **state)
{
#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FILE_OF(name)                                                                         \
	"\"" name "\": {\"package\": \"p\", \"version\": \"1\", \"size\": 1, \"modified_ns\": 0," \
	" \"sha256\": \"" SHA "\"}"
#define INDEX_OF(files, sets) \
	"{\"reconcile_packages\": 1, \"files\": {" files "}, \"sets\": {" sets "}}"
#define SET_OF(name) "\"p\": {\"version\": \"1\", \"at\": 1, \"files\": [\"" name "\"]}"
	static const char *const bad[] = {
	    "",
	    "[]",
	    "{}",
	    INDEX_OF(FILE_OF("../../etc/x.deb"), SET_OF("../../etc/x.deb")),
	    INDEX_OF(FILE_OF("a.deb"), SET_OF("b.deb")),
	    INDEX_OF(FILE_OF("a.exe"), SET_OF("a.exe")),
	    INDEX_OF(FILE_OF("a.deb"), "\"p\": {\"version\": \"1\", \"files\": []}"),
	};
	struct host_ops ops = host_linux_ops;
	struct host host;
	struct err err;

	(void)state;
	if (geteuid() != 0 || access(PACKAGE_CACHE, F_OK) != 0) {
		print_message("# skip: needs " PACKAGE_CACHE "\n");
		skip();
	}
	ops.read = read_index;
	host_init(&host, &ops, arena);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		index_text = bad[i];
		assert_int_equal(package_cache_read(&host, arena, &cache, &err), 0);
		assert_int_equal(cache.set_count + cache.file_count, 0);
	}
	index_text = INDEX_OF(FILE_OF("a.deb"), SET_OF("a.deb"));
	assert_int_equal(package_cache_read(&host, arena, &cache, &err), 0);
	assert_int_equal(cache.set_count, 1);
	host_done(&host);
}

static struct file_look seen;

static int look_at_deb(struct host *host, const char *path, struct file_look *ret_look,
                       struct err *err)
{
	(void)host;
	(void)path;
	(void)err;
	*ret_look = seen;
	return 0;
}

/* Size and time are as recorded: whoever owns a file can put both back. */
static void a_file_that_others_may_write_is_not_trusted(void **state)
{
	static const struct {
		unsigned uid, gid, mode;
		bool trusted;
	} rows[] = {
	    {0, 0, 0644, true},      {0, 0, 0664, true},      {0, 4, 0640, true},  {0, 4, 0664, false},
	    {65534, 0, 0644, false}, {65534, 0, 0444, false}, {0, 0, 0646, false},
	};
	struct host_ops ops = host_linux_ops;
	struct host host;
	struct err err;

	(void)state;
	ops.look = look_at_deb;
	host_init(&host, &ops, arena);
	cache = (struct package_cache){0};
	add("one", "one.deb", NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *damage;

		seen = (struct file_look){.type = FILE_REGULAR,
		                          .size = 10,
		                          .uid = rows[i].uid,
		                          .gid = rows[i].gid,
		                          .mode = rows[i].mode};
		assert_int_equal(package_cache_check(&host, &cache, &cache.sets[0], arena, &damage, &err),
		                 0);
		assert_int_equal(!damage, rows[i].trusted);
		assert_true(!damage || strstr(damage, "one.deb is not trusted"));
	}
	host_done(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_two_sets_share_stays_with_the_other),
	    TEST(no_index_may_name_what_is_not_in_the_folder),
	    TEST(a_file_that_others_may_write_is_not_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
