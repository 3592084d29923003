// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "provider/package_command.h"

#define WANT(rest) "{\"kind\": \"package\", \"name\": \"tool\"" rest "}"
#define HAVE(rest) "{\"kind\": \"package\", \"key\": \"tool\"" rest "}"

static const char *command(const char *want, const char *have, bool simulate)
{
	AUTO(str_free) struct str text = {0};
	struct package_command made;

	package_command_make(arena, converging_want(arena, want), recorded(have), simulate, &made);
	assert_null(made.list[made.count]);
	for (size_t i = 0; i < made.count; i++) {
		str_addf(&text, " %s", made.list[i]);
	}
	return arena_strdup(arena, str_text(&text));
}

static void an_install_names_its_version_and_removes_nothing(void **state)
{
	const char *text = command(WANT(""), HAVE(", \"candidate\": \"2.0\""), false);

	(void)state;
	assert_true(text_ends(text, " --no-remove install -- tool=2.0"));
	assert_has(text, " --no-auto-remove ");
	assert_has(text, "--force-confold");
	assert_null(strstr(text, "--allow-downgrades"));
	text = command(WANT(""), HAVE(", \"version\": \"3.0\", \"candidate\": \"2.0\""), false);
	assert_has(text, " --allow-downgrades install -- tool=2.0");
	assert_true(
	    text_ends(command(WANT(", \"state\": \"absent\""), HAVE(""), false), " remove -- tool"));
}

static void a_simulation_locks_and_writes_nothing(void **state)
{
	const char *text = command(WANT(""), HAVE(", \"candidate\": \"2.0\""), true);

	(void)state;
	assert_has(text, " -s ");
	assert_has(text, " Debug::NoLocking=true ");
	assert_has(text, " Dir::Cache::pkgcache= ");
	assert_true(text_ends(text, " install -- tool=2.0"));
}

static void from_the_cache_no_source_is_asked(void **state)
{
	const char *text =
	    command(WANT(""), HAVE(", \"candidate\": \"2.0\", \"from\": \"the cache\""), false);

	(void)state;
	assert_has(text, " Dir::Etc::sourcelist=/dev/null ");
	assert_has(text, " Dir::Etc::sourceparts=/dev/null ");
	assert_true(text_ends(text, " install --"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_install_names_its_version_and_removes_nothing),
	    TEST(a_simulation_locks_and_writes_nothing),
	    TEST(from_the_cache_no_source_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
