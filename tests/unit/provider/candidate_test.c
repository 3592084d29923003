// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where much else runs apt may take longer than an observation has. */
static const struct resource *asked(const char *key)
{
	const struct resource *have = fact(KIND_CANDIDATE, key);

	for (int more = 5; have->state == STATE_UNDETERMINED && more > 0; more--) {
		have = fact(KIND_CANDIDATE, key);
	}
	return have;
}

static bool has_index(void)
{
	return asked("no-such-package-in-any-index")->state == STATE_ABSENT;
}

static void what_nobody_offers_is_absent_and_the_age_of_the_index_is_told(void **state)
{
	(void)state;
	if (!has_index()) {
		skip();
	}
	assert_true(asked("no-such-package-in-any-index")->candidate.index_age.set);
}

static void what_is_offered_has_version_and_origin(void **state)
{
	(void)state;
	const struct resource *have = asked("coreutils");

	if (have->state != STATE_PRESENT) {
		skip();
	}
	assert_non_null(have->candidate.version);
	assert_non_null(have->candidate.origin);
	assert_true(have->candidate.versions.count >= 1);
	assert_true(have->candidate.index_age.value >= 0);
}

static void a_glob_tells_the_names_that_it_fits_oldest_first(void **state)
{
	(void)state;
	if (!has_index()) {
		skip();
	}
	const struct resource *have = asked("coreutil?");

	assert_int_equal(have->candidate.names.count, 1);
	assert_string_equal(have->candidate.names.items[0], "coreutils");
	assert_int_equal(asked("no-such-package-*")->state, STATE_ABSENT);
}

static void without_an_index_nothing_is_absent(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	if (access("/var/lib/apt/lists", F_OK)) {
		skip();
	}
	assert_int_equal(mount("tmpfs", "/var/lib/apt/lists", "tmpfs", 0, NULL), 0);
	const struct resource *have = fact(KIND_CANDIDATE, "coreutils");

	umount("/var/lib/apt/lists");
	assert_int_equal(have->state, STATE_UNDETERMINED);
	assert_has(have->why, "there is no package index");
}

/* As root apt would write what it has read into its cache; to look is not to change. */
static void nothing_is_written_to_look_at_names(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	if (access("/var/cache/apt", F_OK) || !has_index()) {
		skip();
	}
	assert_int_equal(mount("tmpfs", "/var/cache/apt", "tmpfs", 0, NULL), 0);
	if (access("/etc/apt/apt.conf.d", F_OK)) {
		mkdir("/etc/apt", 0755);
		mkdir("/etc/apt/apt.conf.d", 0755);
	}
	scratch_write("/etc/apt/apt.conf.d/zz-test",
	              "Dir::Cache::pkgcache \"pkgcache.bin\";\nDir::Cache::srcpkgcache \"src.bin\";\n",
	              0644);
	fact(KIND_CANDIDATE, "coreutil?");
	int pkgcache = access("/var/cache/apt/pkgcache.bin", F_OK);
	int srcpkgcache = access("/var/cache/apt/src.bin", F_OK);

	umount("/var/cache/apt");
	assert_int_equal(pkgcache, -1);
	assert_int_equal(srcpkgcache, -1);
}

static int with_namespace(void **state)
{
	observing_setup(state);
	return scratch_setup(state);
}

static int and_without(void **state)
{
	observing_teardown(state);
	return scratch_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_nobody_offers_is_absent_and_the_age_of_the_index_is_told),
	    TEST(what_is_offered_has_version_and_origin),
	    TEST(a_glob_tells_the_names_that_it_fits_oldest_first),
	    cmocka_unit_test_setup_teardown(without_an_index_nothing_is_absent, with_namespace,
	                                    and_without),
	    cmocka_unit_test_setup_teardown(nothing_is_written_to_look_at_names, with_namespace,
	                                    and_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
