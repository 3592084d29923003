// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "provider/module_verdict.h"

#define RELEASE "6.8.0-1042-aws"
#define FLAGS " SMP preempt mod_unload modversions "

static struct host_loadable found;
static struct host_module_file needs[2];

/* All is well, until a test takes something away. */
static void reset(void)
{
	needs[0] = (struct host_module_file){.name = "libcfs",
	                                     .path = "/m/libcfs.ko",
	                                     .vermagic = RELEASE FLAGS,
	                                     .signer = "us",
	                                     .key = "K",
	                                     .has_crcs = true};
	found = (struct host_loadable){
	    .release = RELEASE,
	    .has_tree = true,
	    .file = needs[0],
	    .needs = needs,
	    .need_count = 1,
	    .vermagic = RELEASE FLAGS,
	    .key = "K",
	    .symbols = {.total = 10, .proved = 10},
	};
	found.file.name = "lustre";
	found.file.path = "/m/lustre.ko";
}

static struct module_verdict judge(void)
{
	return module_verdict(arena, "lustre", &found);
}

static void expect(enum module_answer answer, const char *cause, const char *part)
{
	struct module_verdict v = judge();

	if (v.answer != answer || !text_equal(v.cause, cause)) {
		fail_msg("%s (%s): %s", module_verdict_word(v.answer), v.cause ? v.cause : "", v.reason);
	}
	assert_has(v.reason, part);
	reset();
}

static void all_is_well(void **state)
{
	(void)state;
	reset();
	expect(MODULE_YES, NULL, "all 10 symbol versions agree with those of " RELEASE);
	found.builtin = true;
	found.file = (struct host_module_file){0};
	expect(MODULE_YES, NULL, "lustre is part of the kernel image of " RELEASE);
}

static void no_file_no_module(void **state)
{
	(void)state;
	reset();
	found.has_tree = false;
	expect(MODULE_NO, "no-tree", "no kernel " RELEASE " is installed");
	found.has_tree = false;
	found.is_running = true;
	expect(MODULE_NO, "no-tree", "the modules of the running kernel " RELEASE " are not there");
	found.file.path = NULL;
	expect(MODULE_NO, "missing", "there is no module lustre for the kernel " RELEASE);
	needs[0].path = NULL;
	expect(MODULE_NO, "needs", "lustre needs the module libcfs, of which " RELEASE " has no file");
}

static void what_cannot_be_read_is_told_from_what_is_damaged(void **state)
{
	(void)state;
	reset();
	found.file.damaged = "it is empty";
	expect(MODULE_NO, "damaged", "/m/lustre.ko: it is empty");
	needs[0].damaged = "it is cut off, or no module";
	expect(MODULE_NO, "damaged", "/m/libcfs.ko: it is cut off");
	found.file.packed = "zstd";
	found.symbols = (struct host_symbols){0};
	expect(MODULE_UNPROVEN, "unreadable", "packed with zstd, which libkmod cannot unpack here");
	reset();
	found.file.hidden = "Permission denied";
	found.enforced = "somebody";
	expect(MODULE_UNPROVEN, "unreadable", "/m/lustre.ko cannot be read: Permission denied");
	reset();
	/* What is certain counts more than a doubt. */
	found.file.packed = "zstd";
	found.redirected = "/bin/false";
	expect(MODULE_NO, "install-redirected", "\"/bin/false\"");
}

static void with_versions_the_release_does_not_count(void **state)
{
	(void)state;
	reset();
	found.file.vermagic = "6.8.0-1039-aws" FLAGS;
	expect(MODULE_YES, NULL, "all 10");
	found.file.vermagic = "6.8.0-1039-aws" FLAGS;
	found.file.has_crcs = false;
	expect(MODULE_NO, "magic",
	       "lustre was built for \"6.8.0-1039-aws SMP preempt mod_unload "
	       "modversions\", the kernel is \"" RELEASE);
	found.file.vermagic = RELEASE " SMP preempt_rt mod_unload modversions ";
	expect(MODULE_NO, "magic", "preempt_rt");
	needs[0].vermagic = RELEASE " SMP mod_unload ";
	expect(MODULE_NO, "magic", "libcfs, which lustre needs, was built for");
	/* Without anything to compare with, the release is all there is. */
	found.vermagic = NULL;
	found.file.has_crcs = needs[0].has_crcs = false;
	found.file.vermagic = "6.8.0-1042-awsome" FLAGS;
	expect(MODULE_NO, "magic", "6.8.0-1042-awsome");
}

static void a_symbol_that_differs_is_named(void **state)
{
	(void)state;
	reset();
	found.file.vermagic = "6.8.0-1039-aws" FLAGS;
	found.symbols.bad = "module_layout";
	found.symbols.bad_in = "lustre";
	found.symbols.bad_wanted = 0x91;
	found.symbols.bad_offered = 0xa1;
	found.symbols.bad_by = "/h/Module.symvers";
	expect(MODULE_NO, "symbols",
	       "lustre was built for 6.8.0-1039-aws, the kernel is " RELEASE ": symbol module_layout "
	       "has version 0x00000091 in it, and 0x000000a1 in /h/Module.symvers");
	found.symbols.missing = "gone";
	found.symbols.missing_in = "libcfs";
	found.symbols.complete = true;
	expect(MODULE_NO, "symbols", "it uses the symbol gone, which neither that kernel");
}

static void what_is_not_proved_is_unproven_unless_it_was_built_for_it(void **state)
{
	(void)state;
	reset();
	found.symbols.proved = 9;
	expect(MODULE_YES, NULL, "built for exactly " RELEASE "; 9 of its 10");
	found.symbols.proved = 9;
	found.file.vermagic = "6.8.0-1039-aws" FLAGS;
	expect(MODULE_UNPROVEN, "unknown-symbols",
	       "9 of its 10 symbol versions agree with those of " RELEASE
	       ", the other 1 are not known");
	found.symbols.proved = 9;
	needs[0].vermagic = "6.8.0-1039-aws" FLAGS;
	expect(MODULE_UNPROVEN, "unknown-symbols", "of " RELEASE);
	found.symbols.proved = 0;
	expect(MODULE_UNPROVEN, "no-reference", "there is nothing to compare lustre with");
	found.symbols = (struct host_symbols){0};
	found.file.has_crcs = needs[0].has_crcs = false;
	expect(MODULE_YES, NULL, "built for exactly " RELEASE);
}

static void a_signature_counts_where_it_is_demanded(void **state)
{
	(void)state;
	reset();
	found.file.signer = NULL;
	expect(MODULE_YES, NULL, "all 10");
	found.file.signer = NULL;
	found.enforced = "CONFIG_MODULE_SIG_FORCE";
	expect(MODULE_NO, "unsigned", "/m/lustre.ko is not signed, and CONFIG_MODULE_SIG_FORCE");
	needs[0].signer = NULL;
	found.enforced = "lockdown";
	expect(MODULE_NO, "unsigned", "/m/libcfs.ko");
	found.file.key = "L";
	found.enforced = "lockdown";
	expect(MODULE_UNPROVEN, "unknown-key", "signed with another key");
	found.enforced = "lockdown";
	expect(MODULE_YES, NULL, "all 10");
}

static void what_is_mended_or_got_round_comes_last(void **state)
{
	struct module_verdict v;

	(void)state;
	reset();
	found.blacklisted = true;
	found.blacklisted_by = "/etc/modprobe.d/a.conf:3";
	v = judge();
	assert_false(module_verdict_stops(&v));
	expect(MODULE_NO, "blacklisted",
	       "lustre is blacklisted by /etc/modprobe.d/a.conf:3: it is not loaded when it is needed "
	       "(by a mount, for instance), only by its name");
	found.blacklisted = true;
	found.index_fault = "/m/lustre.ko is in no index";
	v = judge();
	assert_false(module_verdict_stops(&v));
	expect(MODULE_NO, "not-indexed", "is in no index: depmod is needed");
	found.index_fault = "/m/lustre.ko is in no index";
	found.file.damaged = "it is empty";
	v = judge();
	assert_true(module_verdict_stops(&v));
	expect(MODULE_NO, "damaged", "it is empty");
	found.redirected = "/bin/false";
	found.redirected_by = "/etc/modprobe.d/b.conf:1";
	v = judge();
	assert_true(module_verdict_stops(&v));
	expect(MODULE_NO, "install-redirected",
	       "/etc/modprobe.d/b.conf:1 has \"/bin/false\" run instead of loading lustre");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(all_is_well),
	    TEST(no_file_no_module),
	    TEST(what_cannot_be_read_is_told_from_what_is_damaged),
	    TEST(with_versions_the_release_does_not_count),
	    TEST(a_symbol_that_differs_is_named),
	    TEST(what_is_not_proved_is_unproven_unless_it_was_built_for_it),
	    TEST(a_signature_counts_where_it_is_demanded),
	    TEST(what_is_mended_or_got_round_comes_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
