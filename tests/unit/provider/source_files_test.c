// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "provider/source_files.h"

#include <errno.h>
#include <string.h>

static struct source_files files;

static void start(void)
{
	files = (struct source_files){0};
}

static void file(const char *path, const char *text)
{
	files.list = arena_grow(arena, files.list, files.count, &files.cap, sizeof *files.list);
	files.list[files.count++] =
	    (struct source_file){.path = path, .text = text, .after = text, .mode = 0644};
	apt_sources_parse(arena, path, text, &files.entries);
}

static struct resource *want(const char *rest)
{
	return converging_want(
	    arena, arena_printf(arena, "{\"kind\": \"package_source\", \"name\": \"fsx\"%s}", rest));
}

/* What the fake sources.list has in it. */
static const char *bytes;
static size_t length;

static int look_at_list(struct host *host, const char *path, struct file_look *ret_look,
                        struct err *err)
{
	(void)host;
	(void)err;
	*ret_look =
	    (struct file_look){.type = strcmp(path, SOURCE_LIST) == 0 ? FILE_REGULAR : FILE_NONE};
	return 0;
}

static int read_list(struct host *host, const char *path, size_t most, struct arena *a,
                     struct file_bytes *ret_bytes, struct err *err)
{
	(void)host;
	(void)path;
	(void)most;
	(void)a;
	(void)err;
	*ret_bytes = (struct file_bytes){.data = bytes, .length = length};
	return 0;
}

static int list_none(struct host *host, const char *path, struct arena *a,
                     struct file_names *ret_names, struct err *err)
{
	(void)host;
	(void)path;
	(void)a;
	(void)ret_names;
	return err_set(err, ERR_HOST, ENOENT, "not there");
}

static void a_file_with_a_nul_in_it_is_never_taken_for_its_first_part(void **state)
{
	static const char text[] = "deb http://a jammy main\n\0deb http://fsx jammy main\n";
	struct host_ops ops = host_linux_ops;
	struct source_files read = {0};
	struct host host;
	struct err err;

	(void)state;
	ops.look = look_at_list;
	ops.read = read_list;
	ops.list = list_none;
	host_init(&host, &ops, arena);
	bytes = text;
	length = strlen(text);
	assert_int_equal(source_files_read(&host, arena, &read, &err), 0);
	assert_int_equal(read.entries.count, 1);
	length = sizeof text - 1;
	assert_int_not_equal(source_files_read(&host, arena, &read, &err), 0);
	assert_non_null(strstr(err.text, SOURCE_LIST ":2: a NUL byte"));
	host_done(&host);
}

#define JAMMY ", \"uri\": \"http://fsx\", \"suites\": [\"jammy\"], \"components\": [\"main\"]"

static struct source_group found(const char *rest)
{
	return source_files_find(arena, &files, "fsx", rest ? want(rest) : NULL);
}

static void a_source_is_known_by_its_place_and_a_suite_or_by_its_file(void **state)
{
	(void)state;
	start();
	file(SOURCE_LIST, "deb http://fsx focal main\n");
	assert_null(found(JAMMY).main);
	file(SOURCE_PARTS "/vendor.list", "deb http://fsx/ jammy main\n");
	assert_string_equal(found(JAMMY).main->path, SOURCE_PARTS "/vendor.list");
	assert_null(found(NULL).main);
	/* Its own file goes before others, whatever suite stands there. */
	file(SOURCE_PARTS "/fsx.list", "deb http://fsx noble main\n");
	assert_string_equal(found(JAMMY).main->path, SOURCE_PARTS "/fsx.list");
	assert_int_equal(found(JAMMY).count, 2);
	assert_string_equal(found(NULL).main->path, SOURCE_PARTS "/fsx.list");
	assert_int_equal(found(NULL).count, 1);
}

static void what_is_off_or_for_sources_alone_does_not_count(void **state)
{
	(void)state;
	start();
	file(SOURCE_PARTS "/fsx.sources",
	     "Types: deb\nURIs: http://fsx\nSuites: jammy\nComponents: main\n\n"
	     "Types: deb-src\nURIs: http://fsx\nSuites: jammy\nComponents: main\n\n"
	     "Enabled: no\nTypes: deb\nURIs: http://fsx\nSuites: jammy\nComponents: main\n");
	assert_int_equal(files.entries.count, 3);
	assert_true(source_files_counts(&files.entries.list[0]));
	assert_false(source_files_counts(&files.entries.list[1]));
	assert_false(source_files_counts(&files.entries.list[2]));
}

static void what_a_source_says_is_described(void **state)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_PACKAGE_SOURCE], "fsx");
	struct source_group group;

	(void)state;
	start();
	file(SOURCE_PARTS "/vendor.list", "deb [signed-by=/k.asc] http://fsx jammy main extra\n");
	group = found(JAMMY);
	source_files_describe(arena, &group, want(JAMMY), have);
	assert_string_equal(have->package_source.signed_by, "/k.asc");
	assert_int_equal(have->package_source.suites.count, 1);
	/* Of a file of somebody else's only what was asked for. */
	assert_int_equal(have->package_source.components.count, 1);
	assert_string_equal(have->package_source.components.items[0], "main");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_file_with_a_nul_in_it_is_never_taken_for_its_first_part),
	    TEST(a_source_is_known_by_its_place_and_a_suite_or_by_its_file),
	    TEST(what_is_off_or_for_sources_alone_does_not_count),
	    TEST(what_a_source_says_is_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
