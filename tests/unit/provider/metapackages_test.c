// SPDX-License-Identifier: MIT
#include "unit/provider/booting.h"

#include "provider/metapackages.h"

#define STANZA(name, status, more)                                                             \
	"Package: " name "\nStatus: install ok " status "\nArchitecture: amd64\nVersion: 1\n" more \
	"Description: x\n\n"

// clang-format off
static const char dpkg[] =
	STANZA("linux-aws", "installed",
	       "Depends: linux-image-aws (= 1), linux-headers-aws (= 1)\n")
	STANZA("linux-image-aws", "installed",
	       "Recommends: thermald\nDepends: linux-image-" NEW ", linux-modules-extra-" NEW "\n")
	STANZA("linux-headers-aws", "installed", "Depends: linux-headers-" NEW "\n")
	STANZA("lustre-client-modules-aws", "installed",
	       "Depends: lustre-client-utils, lustre-client-modules-" NEW "\n")
	STANZA("linux-modules-nvidia-535-aws", "installed",
	       "Depends: linux-modules-nvidia-535-" NEW " | linux-modules-nvidia-535-server\n")
	STANZA("linux-generic", "config-files", "Depends: linux-image-" NEW "\n")
	STANZA("linux-base", "installed", "Depends: debconf\n")
	STANZA("linux-libc-dev", "installed", "")
	STANZA("linux-perf", "installed", "Depends: libc6 (>= 2.34), linux-perf-6.1\n")
	STANZA("linux-image-" NEW, "installed", "Depends: linux-modules-" NEW "\n")
	STANZA("linux-image-" OLD, "half-configured", "Depends: linux-modules-" OLD "\n")
	STANZA("linux-modules-" OLD, "installed", "")
	STANZA("linux-modules-extra-" OLD, "not-installed", "")
	STANZA("linux-image-unsigned-" OLD, "config-files", "")
	STANZA("lustre-client-modules-" OLD, "installed", "")
	STANZA("linux-image-" OLD "-dbg", "installed", "")
	STANZA("linux-aws-headers-6.8.0-1039", "installed", "")
	STANZA("unrelated", "installed", "Depends: linux-image-" NEW "\n")
	"Package: last\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n";
// clang-format on

static void write_database(void)
{
	booting_over("/var/lib/dpkg");
	scratch_write("/var/lib/dpkg/status", dpkg, 0644);
	scratch_mkdir("/var/lib/dpkg/updates", 0755);
	scratch_mkdir("/var/lib/dpkg/info", 0755);
}

static const char *joined(const struct list *list)
{
	AUTO(str_free) struct str text = {0};

	for (size_t i = 0; i < list->count; i++) {
		str_addf(&text, "%s%s", i ? " " : "", list->items[i]);
	}
	return arena_strdup(arena, str_text(&text));
}

static void what_depends_on_one_kernel_pulls_in_the_next(void **state)
{
	struct list list;
	struct err err;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	write_database();
	assert_int_equal(metapackages_find(booting_host(), arena, &list, &err), 0);
	assert_string_equal(joined(&list),
	                    "linux-aws linux-image-aws linux-headers-aws lustre-client-modules-aws "
	                    "linux-modules-nvidia-535-aws");
}

static void without_dpkg_there_are_none(void **state)
{
	struct list list;
	struct err err;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	booting_over("/var/lib/dpkg");
	assert_int_equal(metapackages_find(booting_host(), arena, &list, &err), 0);
	assert_false(list.set);
}

static void packages_of_a_release_are_those_of_no_other(void **state)
{
	struct list list;
	struct err err;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	write_database();
	struct host *host = booting_host();

	assert_int_equal(metapackages_of_release(host, OLD, arena, &list, &err), 0);
	const char *names = joined(&list);

	assert_has(names, "linux-image-" OLD " ");
	assert_has(names, "linux-image-" OLD "-dbg");
	assert_has(names, "linux-modules-" OLD);
	assert_has(names, "lustre-client-modules-" OLD);
	assert_int_equal(list.count, 4);
	assert_int_equal(metapackages_of_release(host, "6.8.0-1039", arena, &list, &err), 0);
	assert_string_equal(joined(&list), "linux-aws-headers-6.8.0-1039");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_depends_on_one_kernel_pulls_in_the_next),
	    TEST(without_dpkg_there_are_none),
	    TEST(packages_of_a_release_are_those_of_no_other),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
