// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "provider/source_files.h"

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

#define JAMMY                                                                         \
	", \"uri\": \"http://fsx\", \"suites\": [\"jammy\"], \"components\": [\"main\"]," \
	" \"signed_by\": \"/k.asc\""

/* What the file would be, "-" when it is to go, NULL when nobody speaks of it. */
static const char *after(const char *path, const char *rest)
{
	source_files_plan(arena, &files, want(rest));
	for (size_t i = 0; i < files.count; i++) {
		if (strcmp(files.list[i].path, path) == 0) {
			return files.list[i].after ? files.list[i].after : "-";
		}
	}
	return NULL;
}

static void a_source_is_known_by_its_place_and_suite_wherever_it_stands(void **state)
{
	(void)state;
	start();
	file(SOURCE_LIST, "deb http://fsx focal main\ndeb http://other jammy main\n");
	file(SOURCE_PARTS "/vendor.list", "deb http://fsx/ jammy main extra\n");
	assert_string_equal(after(SOURCE_PARTS "/vendor.list", JAMMY),
	                    "deb [signed-by=/k.asc] http://fsx jammy main extra\n");
	assert_ptr_equal(files.list[0].after, files.list[0].text);
	assert_int_equal(files.count, 2);
}

static void one_that_stands_nowhere_gets_its_own_file(void **state)
{
	(void)state;
	start();
	file(SOURCE_LIST, "deb http://fsx focal main\n");
	assert_string_equal(after(SOURCE_PARTS "/fsx.sources", JAMMY),
	                    "Types: deb\nURIs: http://fsx\nSuites: jammy\nComponents: main\n"
	                    "Signed-By: /k.asc\n");
}

static void its_own_file_says_that_and_no_more(void **state)
{
	(void)state;
	start();
	file(SOURCE_PARTS "/fsx.list", "deb http://old focal main extra\n");
	assert_string_equal(after(SOURCE_PARTS "/fsx.list", JAMMY),
	                    "deb [signed-by=/k.asc] http://fsx jammy main\n");
	start();
	file(SOURCE_PARTS "/fsx.list",
	     "deb [signed-by=/k.asc] http://fsx jammy main\ndeb http://fsx focal main\n");
	assert_string_equal(after(SOURCE_PARTS "/fsx.list", JAMMY),
	                    "deb [signed-by=/k.asc] http://fsx jammy main\n");
}

static void of_a_foreign_stanza_other_suites_stay(void **state)
{
	struct resource *have;
	struct resource *wanted = want(JAMMY);

	(void)state;
	start();
	file(SOURCE_PARTS "/ubuntu.sources",
	     "Types: deb\nURIs: http://fsx\nSuites: jammy jammy-updates\nComponents: main universe\n");
	struct source_group group = source_files_find(arena, &files, "fsx", wanted);

	have = resource_create(arena, wanted->kind, "fsx");
	source_files_describe(arena, &group, wanted, have);
	assert_int_equal(have->package_source.suites.count, 1);
	assert_int_equal(have->package_source.components.count, 1);
	assert_null(have->package_source.signed_by);
	assert_string_equal(
	    after(SOURCE_PARTS "/ubuntu.sources", JAMMY),
	    "Types: deb\nURIs: http://fsx\nSuites: jammy jammy-updates\nComponents: main universe\n"
	    "Signed-By: /k.asc\n");
}

static void every_stanza_of_it_gets_the_key(void **state)
{
	(void)state;
	start();
	file(SOURCE_PARTS "/a.list", "deb [signed-by=/a] http://fsx jammy main\n"
	                             "deb-src [signed-by=/a] http://fsx jammy main\n");
	file(SOURCE_PARTS "/b.list", "deb [signed-by=/b] http://fsx jammy main\n");
	assert_string_equal(after(SOURCE_PARTS "/a.list", JAMMY),
	                    "deb [signed-by=/k.asc] http://fsx jammy main\n"
	                    "deb-src [signed-by=/k.asc] http://fsx jammy main\n");
	assert_string_equal(files.list[1].after, "deb [signed-by=/k.asc] http://fsx jammy main\n");
}

static void several_suites_are_found_in_several_lines(void **state)
{
	static const char two[] = ", \"uri\": \"http://fsx\", \"suites\": [\"jammy\", \"noble\"], "
	                          "\"components\": [\"main\"]";

	(void)state;
	start();
	file(SOURCE_PARTS "/a.list", "deb http://fsx jammy main\ndeb http://fsx noble main\n");
	assert_string_equal(after(SOURCE_PARTS "/a.list", two), files.list[0].text);
	start();
	file(SOURCE_PARTS "/a.list", "deb http://fsx jammy main\n");
	assert_string_equal(after(SOURCE_PARTS "/a.list", two),
	                    "deb http://fsx jammy main\ndeb http://fsx noble main\n");
}

static void absent_takes_away_that_one_alone(void **state)
{
	static const char gone[] =
	    ", \"state\": \"absent\", \"uri\": \"http://fsx\", \"suites\": [\"jammy\"]";

	(void)state;
	start();
	file(SOURCE_PARTS "/a.sources",
	     "Types: deb\nURIs: http://fsx\nSuites: jammy noble\nComponents: main\n");
	file(SOURCE_PARTS "/fsx.list", "# ours\ndeb http://fsx jammy main\n");
	assert_string_equal(after(SOURCE_PARTS "/a.sources", gone),
	                    "Types: deb\nURIs: http://fsx\nSuites: noble\nComponents: main\n");
	assert_null(files.list[1].after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_source_is_known_by_its_place_and_suite_wherever_it_stands),
	    TEST(one_that_stands_nowhere_gets_its_own_file),
	    TEST(its_own_file_says_that_and_no_more),
	    TEST(of_a_foreign_stanza_other_suites_stay),
	    TEST(every_stanza_of_it_gets_the_key),
	    TEST(several_suites_are_found_in_several_lines),
	    TEST(absent_takes_away_that_one_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
