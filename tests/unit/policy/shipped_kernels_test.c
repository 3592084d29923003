// SPDX-License-Identifier: MIT
/* What the policies decide together, lib/kernels.lua and lib/boot.lua, on facts of a node with the
 * kernels A, B and C, of which C is the newest. */
#include "unit/policy/shipped.h"

#define A "6.1.1-amd64"
#define B "6.1.2-amd64"
#define C "6.1.3-amd64"

#define KERNEL(running, boots, rest)                                                  \
	"{\"kind\": \"kernel\", \"running\": \"" running "\", \"boot_default\": \"" boots \
	"\", \"installed\": [\"" A "\", \"" B "\", \"" C "\"]" rest "}"
#define OURS ", \"own_entry\": \"x\""
#define ONCE(release) ", \"boot_next\": \"" release "\""
/* What is known of the module lustre under a kernel. */
#define LOADS(release) \
	", {\"kind\": \"loadable\", \"key\": \"lustre@" release "\", \"verdict\": \"yes\"}"
#define FAILS(release)                                                                  \
	", {\"kind\": \"loadable\", \"key\": \"lustre@" release "\", \"verdict\": \"no\", " \
	"\"reason\": \"wrong\", \"cause\": \"vermagic\"}"

#define NOTHING "{\"reboot\": {\"when\": \"never\"}}"
static const char needs_lustre[] = "{\"modules\": {\"lustre\": {}}}";

/* Asserts what a Lua expression over want, facts and d (what is decided) comes to. */
static void is(const char *want, const char *facts, const char *expression, const char *expected)
{
	struct test_case *c = case_create();

	case_embedded(c, true);
	case_policy(
	    c, "test",
	    arena_printf(
	        c->arena,
	        "local boot, kernels = lib.boot, lib.kernels\n"
	        "return {name = 'test', summary = 's', handles = {'kernel', 'modules', 'mounts', "
	        "'package_sources', 'reboot'}, plan = function(want, facts, plan)\n"
	        "local function decide() return boot.decide(want, facts) end\n"
	        "plan:warn{rule = 'is', reason = 'is ' .. tostring((%s))} end}",
	        expression));
	case_want(c, want);
	case_facts(c, arena_printf(c->arena, "[%s]", facts));
	assert_runs(c);
	const char *said =
	    c->decision.warning_count ? c->decision.warnings[0].origin.reason : "undecided";

	if (strcmp(said, arena_printf(c->arena, "is %s", expected)) != 0) {
		fail_msg("%s: %s, not %s", expression, said, expected);
	}
	case_done(c);
}

/* ---- kernels ---- */

static void who_builds_a_module_is_known_by_its_name(void **state)
{
	(void)state;
	is(NOTHING, "", "kernels.dkms_name('beegfs', {})", "beegfs");
	is(NOTHING, "", "kernels.dkms_name('beegfs', {package = 'p'})", "nil");
	is(NOTHING, "", "kernels.dkms_name('x', {dkms = 'y'})", "y");
	is(NOTHING, "", "kernels.dkms_name('x', {})", "nil");
}

static void what_is_needed_follows_from_modules_and_mounts(void **state)
{
	static const char *const names =
	    "table.concat((function() local t = {} for _, n in ipairs(kernels.needed(want)) do "
	    "table.insert(t, n.name) end return t end)(), ' ')";

	(void)state;
	is("{\"modules\": {\"a\": {}, \"b\": {\"state\": \"absent\"}, \"c\": {\"unsupported\": "
	   "\"skip\"}}}",
	   "", names, "a");
	is("{\"mounts\": {\"/l\": {\"type\": \"lustre\"}, \"/x\": {\"type\": \"xfs\"}}}", "", names,
	   "lustre");
	is("{\"modules\": {\"lnet\": {\"filesystem\": \"lustre\"}}, \"mounts\": {\"/l\": {\"type\": "
	   "\"lustre\"}}}",
	   "", names, "lnet");
	is("{\"mounts\": {\"/l\": {\"type\": \"lustre\", \"state\": \"absent\"}}}", "", names, "");
	is("{\"mounts\": {\"/l\": {\"type\": \"lustre\"}}}", "",
	   "kernels.mounts_of(want, 'lnet', {filesystem = 'lustre'})[1]", "/l");
}

static void what_boots_once_boots_next(void **state)
{
	(void)state;
	is(NOTHING, KERNEL(A, B, ONCE(C)), "kernels.next_boot(facts)", C);
	is(NOTHING, KERNEL(A, B, ""), "kernels.next_boot(facts)", B);
}

#define DKMS(status)                                                                         \
	", {\"kind\": \"dkms\", \"key\": \"beegfs@" A "\", \"version\": \"7.4.4\", \"status\": " \
	"\"" status "\"}"
#define PACKAGE(state) \
	", {\"kind\": \"package\", \"key\": \"lustre-" A "\", \"version\": \"1\"" state "}"

static void how_a_module_stands_is_one_word(void **state)
{
	static const char *const plain = "kernels.standing(facts, 'lustre', {}, '" A "')";
	static const char *const packed =
	    "kernels.standing(facts, 'lustre', {package = 'lustre-{kernel}'}, '" A "')";

	(void)state;
	is(NOTHING, KERNEL(B, B, "") LOADS(A), plain, "loads");
	is(NOTHING, KERNEL(B, B, "") FAILS(A), plain, "none");
	is(NOTHING, KERNEL(B, B, ""), plain, "unknown");
	is(NOTHING,
	   KERNEL(B, B, "") ", {\"kind\": \"loadable\", \"key\": \"lustre@" A
	                    "\", \"state\": \"absent\"}",
	   plain, "none");
	/* What the running kernel has loaded speaks for that one alone. */
	is(NOTHING, KERNEL(A, A, "") ", {\"kind\": \"module\", \"key\": \"lustre\", \"loaded\": true}",
	   plain, "loads");
	is(NOTHING, KERNEL(B, B, "") ", {\"kind\": \"module\", \"key\": \"lustre\", \"loaded\": true}",
	   plain, "unknown");
	is(NOTHING, KERNEL(B, B, "") PACKAGE("") FAILS(A), packed, "broken");
	is(NOTHING,
	   KERNEL(B, B, "") PACKAGE("") ", {\"kind\": \"loadable\", \"key\": \"lustre@" A
	                                "\", \"verdict\": \"no\", \"cause\": \"no-helper\"}",
	   packed, "loads");
	is(NOTHING, KERNEL(B, B, "") PACKAGE(""), packed, "loads");
}

/* What DKMS did tells more than what anybody claims. */
static void what_dkms_builds_stands_as_dkms_says(void **state)
{
	static const char *const built = "kernels.standing(facts, 'beegfs', {}, '" A "')";
	static const char *const on_new = "kernels.standing(facts, 'beegfs', {}, '6.12.1')";

	(void)state;
	is(NOTHING, KERNEL(B, B, "") DKMS("added"), built, "comes");
	is(NOTHING, KERNEL(B, B, "") DKMS("installed"), built, "loads");
	is(NOTHING, KERNEL(B, B, "") DKMS("failed"), built, "none");
	is(NOTHING, KERNEL(B, B, "") DKMS("excluded"), built, "none");
	is(NOTHING, KERNEL(B, B, ""), on_new, "none");
	is(NOTHING,
	   KERNEL(B, B, "") ", {\"kind\": \"dkms\", \"key\": \"beegfs@6.12.1\", \"version\": "
	                    "\"7.4.4\", \"status\": \"added\"}",
	   on_new, "none");
	/* Without a source nothing can be had, whatever is said of it. */
	is(NOTHING,
	   KERNEL(B, B, "") ", {\"kind\": \"dkms\", \"key\": \"beegfs@" A "\", \"state\": \"absent\"}",
	   built, "unknown");
	is(NOTHING,
	   KERNEL(B, B, "") ", {\"kind\": \"dkms\", \"key\": \"beegfs@6.12.1\", \"state\": \"absent\"}",
	   "kernels.standing(facts, 'beegfs', {version = '20:7.4.4*'}, '6.12.1')", "none");
	is(NOTHING,
	   KERNEL(B, B, "") ", {\"kind\": \"dkms\", \"key\": \"beegfs@6.12.1\", \"state\": \"absent\"}",
	   on_new, "unknown");
	/* Headers that nobody has are as good as no module. */
	is(NOTHING,
	   KERNEL(B, B, "") DKMS("no headers") ", {\"kind\": \"package\", \"key\": \"linux-headers-" A
	                                       "\", \"state\": \"absent\"}, {\"kind\": \"candidate\", "
	                                       "\"key\": \"linux-headers-" A
	                                       "\", \"state\": \"absent\"}",
	   built, "none");
	is(NOTHING,
	   KERNEL(B, B, "") DKMS("no headers") ", {\"kind\": \"package\", \"key\": \"linux-headers-" A
	                                       "\", \"version\": \"1\"}",
	   built, "comes");
}

static void a_kernel_serves_when_all_that_is_needed_stands_well(void **state)
{
	static const char *const serves = "kernels.serves(want, facts, '" A "')";
	static const char *const served =
	    "table.concat(kernels.served(facts, 'lustre', {package = 'lustre-{kernel}'}), ' ')";

	static const char *const sentence =
	    "kernels.served_sentence(facts, 'lustre', {package = 'lustre-{kernel}'})";

	(void)state;
	is(needs_lustre, KERNEL(B, B, "") LOADS(A), serves, "yes");
	is(needs_lustre, KERNEL(B, B, "") FAILS(A), serves, "no");
	is(needs_lustre, KERNEL(B, B, ""), serves, "unknown");
	is("{\"modules\": {\"lustre\": {\"package\": \"lustre-{kernel}\"}}}",
	   KERNEL(B, B, "") PACKAGE("") FAILS(A), serves, "no");
	is(NOTHING,
	   KERNEL(B, B, "") LOADS(B) LOADS(C)
	       PACKAGE(", \"state\": \"absent\"") ", {\"kind\": \"candidate\", \"key\": \"lustre-" A
	                                          "\", \"version\": \"1\"}",
	   served, A " " B " " C);
	/* What could be had is not there yet. */
	is(NOTHING,
	   KERNEL(B, B, "") LOADS(B) LOADS(C)
	       PACKAGE(", \"state\": \"absent\"") ", {\"kind\": \"candidate\", \"key\": \"lustre-" A
	                                          "\", \"version\": \"1\"}",
	   sentence, "of the installed kernels " B " and " C " have one, and for " A " one can be had");
	/* No package can be called so. */
	is("{\"modules\": {\"lustre\": {\"package\": \"lustre-{kernel}\", \"dkms\": \"l\"}}}", "",
	   "table.concat(kernels.bringers(want, facts, '6.1-WSL'), ' ')", "dkms:l@6.1-WSL");
	is("{\"modules\": {\"lustre\": {\"package\": \"lustre-{kernel}\"}}}", "",
	   "table.concat(kernels.bringers(want, facts, '6.1'), ' ')", "package:lustre-6.1");
}

/* ---- boot: follow ---- */

#define FOLLOW "{\"kernel\": {\"strategy\": \"follow\"}, \"modules\": {\"lustre\": {}}}"

static void a_kernel_that_serves_stands_in_for_one_that_does_not(void **state)
{
	(void)state;
	is(FOLLOW, KERNEL(A, C, "") LOADS(B) LOADS(A) FAILS(C), "decide().target", B);
	/* Only one that is proved. */
	is(FOLLOW, KERNEL(A, C, "") LOADS(A) FAILS(C), "decide().target", A);
	is(FOLLOW, KERNEL(A, C, "") FAILS(C), "decide().target", "nil");
	is(FOLLOW, KERNEL(A, C, ""), "decide().target", "nil");
	/* It goes on to do so while the newest does not serve. */
	is(FOLLOW, KERNEL(B, B, OURS) LOADS(B) FAILS(C), "decide().target", B);
	is(FOLLOW, KERNEL(B, B, OURS) LOADS(B) FAILS(C), "decide().unserved", C);
	is(FOLLOW, KERNEL(B, B, "") LOADS(B) FAILS(C), "decide().target", "nil");
}

static void the_default_is_given_back_when_the_newest_serves(void **state)
{
	(void)state;
	is(FOLLOW, KERNEL(B, B, OURS) LOADS(B) LOADS(C), "decide().back_to", C);
	is(FOLLOW, KERNEL(C, C, OURS) LOADS(C), "decide().target", C);
	is(FOLLOW, KERNEL(B, B, "") LOADS(B) LOADS(C), "decide().back_to", "nil");
	is(FOLLOW, KERNEL(C, C, "") LOADS(C), "decide().target", "nil");
}

static void what_an_operator_boots_once_is_his(void **state)
{
	(void)state;
	is(FOLLOW, KERNEL(A, C, ONCE(A)) LOADS(B) FAILS(C), "decide().next", A);
	is(FOLLOW, KERNEL(A, C, "") LOADS(B) FAILS(C), "decide().next", B);
}

#define UNSUPPORTED(rest) "{" rest "\"modules\": {\"lustre\": {\"unsupported\": \"pin\"}}}"

static void only_what_stands_in_is_protected(void **state)
{
	static const char *const guarded = "decide().protect and 'yes' or 'no'";

	(void)state;
	is(UNSUPPORTED(""), KERNEL(A, C, "") LOADS(B) FAILS(C), guarded, "yes");
	is(UNSUPPORTED(""), KERNEL(C, C, "") LOADS(C), guarded, "no");
	is(FOLLOW, KERNEL(A, C, "") LOADS(B) FAILS(C), guarded, "no");
	/* Whoever says none in so many words gets none. */
	is(UNSUPPORTED("\"kernel\": {\"strategy\": \"none\"}, "), KERNEL(A, C, "") LOADS(B) FAILS(C),
	   "decide().target", "nil");
	is(UNSUPPORTED(""), KERNEL(A, C, "") LOADS(B) FAILS(C), "decide().target", B);
}

/* ---- boot: pin and trial ---- */

#define PIN(rest) "{\"kernel\": {\"release\": \"" B "\"}" rest ", \"modules\": {\"lustre\": {}}}"
#define TRIAL ", \"reboot\": {\"when\": \"now\", \"trial\": true}"

static void a_one_shot_entry_for_another_kernel_is_forgotten(void **state)
{
	(void)state;
	is(PIN(""), KERNEL(B, B, ONCE(A)) LOADS(B), "decide().forget_next", "true");
	is(PIN(""), KERNEL(B, B, ONCE(B)) LOADS(B), "decide().forget_next", "false");
	is(PIN(""), KERNEL(B, B, "") LOADS(B), "decide().forget_next", "false");
	is(FOLLOW, KERNEL(C, C, ONCE(A)) LOADS(C), "decide().forget_next", "false");
}

#define LEDGER(rest) ", {\"kind\": \"reboot\", \"into\": \"" B "\"" rest "}"

static void a_kernel_is_tried_so_often_and_then_given_up(void **state)
{
	static const char *const word =
	    "(function() local d = decide() return d.trial and 'trial' or d.given_up and 'given up' or "
	    "'default' end)()";

	(void)state;
	is(PIN(TRIAL), KERNEL(A, A, "") LOADS(B) LEDGER(""), word, "trial");
	is(PIN(TRIAL), KERNEL(A, A, "") LOADS(B) LEDGER(", \"attempts\": [\"" B "=1\"]"), word,
	   "trial");
	is(PIN(TRIAL), KERNEL(A, A, "") LOADS(B) LEDGER(", \"attempts\": [\"" B "=2\"]"), word,
	   "given up");
	is(PIN(TRIAL), KERNEL(A, A, "") LOADS(B) LEDGER(", \"attempts\": [\"" C "=2\"]"), word,
	   "trial");
	is(PIN(", \"reboot\": {\"when\": \"now\", \"trial\": true, \"attempts_per_kernel\": 1}"),
	   KERNEL(A, A, "") LOADS(B) LEDGER(", \"attempts\": [\"" B "=1\"]"), word, "given up");
	is(PIN(""), KERNEL(A, A, "") LOADS(B) LEDGER(""), word, "default");
	is(PIN(TRIAL), KERNEL(A, B, "") LOADS(B) LEDGER(""), word, "default");
}

#define MOUNTED(rest)                                                                             \
	"{\"kernel\": {\"release\": \"" B "\"}" TRIAL ", \"modules\": {\"lustre\": {}}, \"mounts\": " \
	"{\"/l\": {\"type\": \"lustre\"" rest "}}}"
#define ARRIVED(runs) \
	LEDGER(", \"open\": \"" B "\", \"open_trial\": true, \"result\": \"arrived\", \"runs\": " runs)
#define DOWN(rest) ", {\"kind\": \"mount\", \"key\": \"/l\", \"live\": false" rest "}"

static void a_trial_whose_mounts_stay_down_goes_back(void **state)
{
	static const char *const back = "decide().back";

	(void)state;
	is(MOUNTED(""), KERNEL(B, A, "") LOADS(B) ARRIVED("3") DOWN(""), back, A);
	is(MOUNTED(""), KERNEL(B, A, "") LOADS(B) ARRIVED("2") DOWN(""), back, "nil");
	is(MOUNTED(""), KERNEL(B, A, "") FAILS(B) ARRIVED("1") DOWN(""), back, A);
	/* What comes when it is used, or is the matter of others, is not down. */
	is(MOUNTED(""), KERNEL(B, A, "") LOADS(B) ARRIVED("3") DOWN(", \"automount\": true"), back,
	   "nil");
	is(MOUNTED(", \"manage\": \"observe\""), KERNEL(B, A, "") LOADS(B) ARRIVED("3") DOWN(""), back,
	   "nil");
	/* No trial of ours, or one that has not arrived. */
	is(MOUNTED(""),
	   KERNEL(B, A, "") LOADS(B)
	       LEDGER(", \"open\": \"" B "\", \"result\": \"arrived\", \"runs\": 3") DOWN(""),
	   back, "nil");
	is(MOUNTED(""),
	   KERNEL(B, A, "") LOADS(B) LEDGER(", \"open\": \"" B "\", \"open_trial\": true, \"runs\": 3")
	       DOWN(""),
	   back, "nil");
}

/* ---- boot: reboots ---- */

#define INTO "boot.reboot_into(want, facts, decide())"
#define OUTDATED \
	", {\"kind\": \"module\", \"key\": \"lustre\", \"loaded\": true, \"outdated\": \"older\"}"

static void a_reboot_leads_only_to_a_kernel_that_serves(void **state)
{
	(void)state;
	is(PIN(""), KERNEL(A, A, "") LOADS(B), INTO, B);
	is(PIN(""), KERNEL(A, A, "") FAILS(B), INTO, "nil");
	is(PIN(""), KERNEL(B, B, "") LOADS(B) OUTDATED, INTO, B);
	is(PIN(""), KERNEL(B, B, "") FAILS(B) OUTDATED, INTO, "nil");
	is(needs_lustre, KERNEL(C, C, "") LOADS(C) OUTDATED, INTO, C);
	is(needs_lustre, KERNEL(C, C, "") FAILS(C) OUTDATED, INTO, "nil");
	is(FOLLOW, KERNEL(A, C, "") FAILS(A) LOADS(C), INTO, C);
	is(FOLLOW, KERNEL(A, C, "") FAILS(A), INTO, "nil");
	is(FOLLOW, KERNEL(A, C, "") LOADS(A) LOADS(C), INTO, "nil");
}

#define STALE "boot.index_is_stale(want, facts)"
#define INDEX(rest) "{\"kind\": \"package_index\", \"key\": \"apt\"" rest "}"
#define SOURCES(rest) "{\"package_sources\": {\"fsx\": {\"uri\": \"http://fsx\"" rest "}}}"
#define NO_SOURCE ", {\"kind\": \"package_source\", \"key\": \"http://fsx\", \"state\": \"absent\"}"

static void an_index_is_stale_by_age_and_by_what_it_cannot_know(void **state)
{
	(void)state;
	is(NOTHING, INDEX(", \"age\": 80000"), STALE, "false");
	is(NOTHING, INDEX(", \"age\": 90000"), STALE, "true");
	is(NOTHING, INDEX(""), STALE, "true");
	is(NOTHING, INDEX(", \"age\": 10, \"outdated\": \"sources changed\""), STALE, "true");
	is(SOURCES(""), INDEX(", \"age\": 10") NO_SOURCE, STALE, "true");
	is(SOURCES(", \"state\": \"absent\""), INDEX(", \"age\": 10") NO_SOURCE, STALE, "false");
	is(NOTHING, "", STALE, "false");
}

static void a_package_with_symbols_or_unsigned_is_no_kernel(void **state)
{
#define NAMES(names) \
	"{\"kind\": \"candidate\", \"key\": \"linux-image-6.6.*\", \"names\": [" names "]}"
	static const char *const published = "boot.published(want, facts, '6.6.*')";

	(void)state;
	is(NOTHING, NAMES("\"linux-image-6.6.9-amd64\", \"linux-image-6.6.10-amd64\""), published,
	   "6.6.10-amd64");
	is(NOTHING, NAMES("\"linux-image-6.6.9-amd64-unsigned\""), published, "nil");
	is(NOTHING, NAMES("\"linux-image-6.6.9-amd64-dbg\""), published, "nil");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_builds_a_module_is_known_by_its_name),
	    cmocka_unit_test(what_is_needed_follows_from_modules_and_mounts),
	    cmocka_unit_test(what_boots_once_boots_next),
	    cmocka_unit_test(how_a_module_stands_is_one_word),
	    cmocka_unit_test(what_dkms_builds_stands_as_dkms_says),
	    cmocka_unit_test(a_kernel_serves_when_all_that_is_needed_stands_well),
	    cmocka_unit_test(a_kernel_that_serves_stands_in_for_one_that_does_not),
	    cmocka_unit_test(the_default_is_given_back_when_the_newest_serves),
	    cmocka_unit_test(what_an_operator_boots_once_is_his),
	    cmocka_unit_test(only_what_stands_in_is_protected),
	    cmocka_unit_test(a_one_shot_entry_for_another_kernel_is_forgotten),
	    cmocka_unit_test(a_kernel_is_tried_so_often_and_then_given_up),
	    cmocka_unit_test(a_trial_whose_mounts_stay_down_goes_back),
	    cmocka_unit_test(a_reboot_leads_only_to_a_kernel_that_serves),
	    cmocka_unit_test(an_index_is_stale_by_age_and_by_what_it_cannot_know),
	    cmocka_unit_test(a_package_with_symbols_or_unsigned_is_no_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
