// SPDX-License-Identifier: MIT
#include "unit/provider/apt_sourcing.h"

static void one_line_sources_are_read(void **state)
{
	struct apt_entries e = parse("/x/a.list", "# prose: deb of old\n"
	                                          "deb http://a/ubuntu jammy main universe # why\n"
	                                          "\n"
	                                          "deb-src [ arch=amd64,arm64 Signed-By=/k.gpg ] "
	                                          "http://a/ubuntu jammy main\n"
	                                          "#deb [trusted=yes] file:/srv ./\n"
	                                          "deb cdrom:[Debian 12]/ bookworm main\n"
	                                          "deb http://cut-off");

	(void)state;
	assert_int_equal(e.count, 3);
	assert_int_equal(e.list[0].line, 2);
	assert_true(e.list[0].enabled && e.list[0].binary && !e.list[0].signed_by);
	assert_int_equal(e.list[0].components.count, 2);
	assert_false(e.list[1].binary);
	assert_string_equal(e.list[1].signed_by, "/k.gpg");
	assert_true(!e.list[2].enabled && e.list[2].trusted);
	assert_string_equal(e.list[2].suites.items[0], "./");
	assert_int_equal(e.list[2].components.count, 0);
	assert_int_equal(parse("/x/a.list", "").count, 0);
}

static void a_line_is_mended_and_nothing_beside_it(void **state)
{
	static const char text[] = "deb http://x y z\n# deb [arch=arm64] http://a s main # off\nend\n";
	struct apt_entries e = parse("/x/a.list", text);
	struct apt_edit edit = {.signed_by = "/k.asc", .suites = words("s", "t")};

	(void)state;
	assert_string_equal(apt_sources_mend(arena, text, &e.list[1], &edit),
	                    "deb http://x y z\n"
	                    "deb [arch=arm64 signed-by=/k.asc] http://a s main\n"
	                    "deb [arch=arm64 signed-by=/k.asc] http://a t main\n"
	                    "end\n");
	assert_string_equal(apt_sources_remove(arena, text, &e.list[1]), "deb http://x y z\nend\n");
	edit = (struct apt_edit){.uri = "http://n", .components = words("main", "extra")};
	assert_string_equal(apt_sources_mend(arena, text, &e.list[0], &edit),
	                    "deb http://n y main extra\n"
	                    "# deb [arch=arm64] http://a s main # off\nend\n");
	static const char keyed[] = "deb [signed-by=/old trusted=yes] http://a s main # kept";

	e = parse("/x/a.list", keyed);
	edit = (struct apt_edit){.signed_by = "/k.asc"};
	assert_string_equal(apt_sources_mend(arena, keyed, &e.list[0], &edit),
	                    "deb [signed-by=/k.asc trusted=yes] http://a s main # kept\n");
}

/* apt reads such a file like any other: apt-get update of it works. */
static void lines_that_end_as_elsewhere_are_read(void **state)
{
	static const char text[] = "deb http://a s main\r\n\r\ndeb http://b s main \r\n# x\r\n";
	struct apt_entries e = parse("/x/a.list", text);
	struct apt_edit edit = {.signed_by = "/k.asc"};

	(void)state;
	assert_int_equal(e.count, 2);
	for (size_t i = 0; i < e.count; i++) {
		assert_int_equal(e.list[i].components.count, 1);
		assert_string_equal(e.list[i].components.items[0], "main");
	}
	assert_string_equal(
	    apt_sources_mend(arena, text, &e.list[0], &edit),
	    "deb [signed-by=/k.asc] http://a s main\n\r\ndeb http://b s main \r\n# x\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(one_line_sources_are_read),
	    TEST(a_line_is_mended_and_nothing_beside_it),
	    TEST(lines_that_end_as_elsewhere_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
