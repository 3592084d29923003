// SPDX-License-Identifier: MIT
#include "unit/provider/apt_sourcing.h"

#include <sys/resource.h>

#ifdef __SANITIZE_ADDRESS__ /* which looks through all that follows at the end of each line */
enum { LONG = 32 << 10 };
#else
enum { LONG = 256 << 10 };
#endif

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

/* apt reads such a file like any other: apt-get update of it works. */
static void stanzas_of_lines_that_end_as_elsewhere_are_read(void **state)
{
	static const char text[] =
	    "Types: deb\r\nURIs: http://a\r\nSuites: x\r\nComponents: main\r\n"
	    "Trusted: yes\r\n\r\nTypes: deb\r\nURIs: http://b\r\nSuites: x y\r\n";
	struct apt_entries e = parse("/x/a.sources", text);

	(void)state;
	assert_int_equal(e.count, 2);
	assert_true(e.list[0].trusted && e.list[0].binary);
	assert_string_equal(e.list[0].uris.items[0], "http://a");
	assert_string_equal(e.list[0].components.items[0], "main");
	assert_int_equal(e.list[1].suites.count, 2);
	assert_string_equal(e.list[1].suites.items[1], "y");
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

/* A file of a mebibyte took as many copies of it as it has lines: hundreds of gigabytes. */
static void a_field_of_very_many_lines_costs_no_more_than_its_length(void **state)
{
	AUTO(str_free) struct str text = {0};
	struct rlimit before, small;

	(void)state;
	str_add(&text, "Types: deb\nURIs: http://a\nSuites: jammy\nComponents:\n");
	while (text.length < LONG) {
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
	assert_true(e.list[0].components.count > LONG / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(stanzas_are_read),
	    TEST(stanzas_of_lines_that_end_as_elsewhere_are_read),
	    TEST(a_stanza_is_mended_and_nothing_beside_it),
	    TEST(a_new_stanza_says_what_is_wanted),
	    TEST(a_field_of_very_many_lines_costs_no_more_than_its_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
