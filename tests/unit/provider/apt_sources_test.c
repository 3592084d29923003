// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "provider/apt_sources.h"
#include "provider/lines.h"

#include <sys/resource.h>

static struct apt_entries parse(const char *path, const char *text)
{
	struct apt_entries entries = {0};

	apt_sources_parse(arena, path, text, &entries);
	return entries;
}

static struct list words(const char *a, const char *b)
{
	struct list list = {0};
	size_t cap = 0;

	lines_add(arena, &list, &cap, a);
	if (b) {
		lines_add(arena, &list, &cap, b);
	}
	return list;
}

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

static const char stanzas[] = "# of the vendor\n"
                              "\n"
                              "Types: deb deb-src\n"
                              "uris: http://a/ubuntu/\n"
                              "Suites: jammy\n"
                              " jammy-updates\n"
                              "# within\n"
                              "Components: main\n"
                              "Signed-By:\n"
                              " -----BEGIN PGP PUBLIC KEY BLOCK-----\n"
                              " .\n"
                              " mQ\n"
                              " -----END PGP PUBLIC KEY BLOCK-----\n"
                              " \n"
                              "Types: deb\nURIs: http://b http://c\nSuites: x\nEnabled: no\n"
                              "Components: main";

static void stanzas_are_read(void **state)
{
	struct apt_entries e = parse("/x/a.sources", stanzas);

	(void)state;
	assert_int_equal(e.count, 2);
	assert_int_equal(e.list[0].line, 3);
	assert_true(e.list[0].enabled && e.list[0].binary && e.list[0].is_stanza);
	assert_int_equal(e.list[0].suites.count, 2);
	assert_string_equal(e.list[0].signed_by, "(a key of its own)");
	assert_true(apt_sources_is_at(&e.list[0], "http://a/ubuntu"));
	assert_false(apt_sources_is_at(&e.list[0], "http://a/ubunt"));
	assert_false(e.list[1].enabled);
	assert_int_equal(e.list[1].uris.count, 2);
	assert_int_equal(parse("/x/a.sources", "Types: deb\n\n#URIs: x\n").count, 0);
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

static void a_stanza_is_mended_and_nothing_beside_it(void **state)
{
	struct apt_entries e = parse("/x/a.sources", stanzas);
	struct apt_edit edit = {.signed_by = "/k.asc", .suites = words("noble", NULL)};
	const char *first = apt_sources_mend(arena, stanzas, &e.list[0], &edit);

	(void)state;
	assert_has(first, "# of the vendor\n\nTypes: deb deb-src\nuris: http://a/ubuntu/\n"
	                  "Suites: noble\n# within\nComponents: main\nSigned-By: /k.asc\n"
	                  " \nTypes: deb\nURIs: http://b http://c\n");
	edit = (struct apt_edit){.signed_by = "/k.asc"};
	const char *second = apt_sources_mend(arena, stanzas, &e.list[1], &edit);

	assert_true(strncmp(second, stanzas, e.list[1].start) == 0);
	assert_string_equal(second + e.list[1].start,
	                    "Types: deb\nURIs: http://b http://c\nSuites: x\nEnabled: yes\n"
	                    "Components: main\nSigned-By: /k.asc\n");
}

static void a_new_stanza_says_what_is_wanted(void **state)
{
	const struct apt_edit edit = {
	    .uri = "http://a", .suites = words("s", "t"), .components = words("main", NULL)};
	const struct apt_edit path = {.uri = "http://a", .suites = words("./", NULL)};

	(void)state;
	assert_string_equal(apt_sources_stanza(arena, &edit),
	                    "Types: deb\nURIs: http://a\nSuites: s t\nComponents: main\n");
	assert_string_equal(apt_sources_stanza(arena, &path),
	                    "Types: deb\nURIs: http://a\nSuites: ./\n");
}

static void only_files_that_apt_reads_count(void **state)
{
	(void)state;
	assert_true(apt_sources_is_read("a.list"));
	assert_true(apt_sources_is_read("a_B-1.sources"));
	assert_false(apt_sources_is_read("a.list.save"));
	assert_false(apt_sources_is_read(".a.list"));
	assert_false(apt_sources_is_read("a b.list"));
	assert_true(apt_sources_is_empty("# a\n \n\t\n"));
	assert_false(apt_sources_is_empty("# a\nb"));
}

/* A file of a mebibyte took as many copies of it as it has lines: hundreds of gigabytes. */
static void a_field_of_very_many_lines_costs_no_more_than_its_length(void **state)
{
	AUTO(str_free) struct str text = {0};
	struct rlimit before, small;

	(void)state;
	str_add(&text, "Types: deb\nURIs: http://a\nSuites: jammy\nComponents:\n");
	while (text.length < 256 << 10) {
		str_add(&text, " x\n");
	}
	assert_int_equal(getrlimit(RLIMIT_CPU, &before), 0);
	small = before;
	small.rlim_cur = 20;
	assert_int_equal(setrlimit(RLIMIT_CPU, &small), 0);
	struct apt_entries e = parse("/x/a.sources", str_text(&text));

	assert_int_equal(setrlimit(RLIMIT_CPU, &before), 0);
	assert_int_equal(e.count, 1);
	assert_int_equal(e.list[0].end, text.length);
	assert_true(e.list[0].components.count > 80000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(one_line_sources_are_read),
	    TEST(stanzas_are_read),
	    TEST(a_line_is_mended_and_nothing_beside_it),
	    TEST(a_stanza_is_mended_and_nothing_beside_it),
	    TEST(a_new_stanza_says_what_is_wanted),
	    TEST(only_files_that_apt_reads_count),
	    TEST(a_field_of_very_many_lines_costs_no_more_than_its_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
