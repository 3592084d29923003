// SPDX-License-Identifier: MIT
#include "engine/next_boot.h"

#include "base/json.h"
#include "base/str.h"
#include "base/strmap.h"
#include "model/resource.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define OLD "6.8.0-1039-aws"
#define NEW "6.8.0-1042-aws"

/* Facts by id; what is not there is undetermined. */
static struct arena *arena;
static struct strmap *facts;
static struct next_boot_wants wants;
static struct next_boot *next;
static bool broken;

static int get(struct fact_source *self, const struct kind *kind, const char *key,
               const struct resource **ret_fact, struct err *err)
{
	(void)self;
	if (broken) {
		return err_set(err, ERR_HOST, 0, "no worker");
	}
	const struct resource *fact = strmap_get(facts, resource_id(arena, kind, key));

	*ret_fact = fact ? fact : resource_undetermined(arena, kind, key, "nobody knows");
	return 0;
}

static struct fact_source source = {.get = get};

static struct resource *fact(enum kind_id kind, const char *key)
{
	struct resource *r = resource_create(arena, &kind_table[kind], key);

	strmap_put(facts, resource_id(arena, r->kind, key), r);
	return r;
}

static void module(const char *key, const char *verdict, const char *cause, const char *reason)
{
	struct loadable *l = &fact(KIND_LOADABLE, key)->loadable;

	*l = (struct loadable){.verdict = verdict, .cause = cause, .reason = reason};
}

static struct kernel *kernel(const char *running, const char *boots)
{
	struct kernel *k = &fact(KIND_KERNEL, "")->kernel;

	k->running = running;
	k->boot_default = boots;
	return k;
}

static int set_up(void **state)
{
	(void)state;
	arena = arena_create();
	facts = strmap_create(arena);
	wants = (struct next_boot_wants){0};
	broken = false;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void judge(const char *release)
{
	struct err err = {0};

	assert_int_equal(next_boot_judge(arena, &source, &wants, release, &next, &err), 0);
}

static void want_lustre(void)
{
	next_boot_wants_add(arena, &wants, "lustre", NULL);
	next_boot_wants_add(arena, &wants, "lustre", "/lustre");
	next_boot_wants_add(arena, &wants, "lustre", "/fsx");
}

/* The kernel that unattended-upgrades brought in has no module. */
static void moved(void)
{
	struct boot_entry *entry = &fact(KIND_BOOT_ENTRY, NEW)->boot_entry;

	kernel(OLD, NEW);
	entry->installed = "2026-11-20T06:12:40Z";
	entry->brought = "unattended-upgrades";
	module("lustre@" NEW, "no", "missing", "there is none");
	module("lustre@" OLD, "yes", NULL, NULL);
	want_lustre();
}

static void the_sentence_is_printed_before_it_happens(void **state)
{
	(void)state;
	moved();
	judge(NULL);
	assert_string_equal(next->sentence,
	                    NEW " is installed and will boot next; no lustre module for it; /lustre "
	                        "and /fsx will be lost at the next reboot; brought in by "
	                        "unattended-upgrades at 06:12 UTC on 2026-11-20");
	assert_int_equal(next->lost, 3);
	assert_int_equal(next->loss_count, 3);
	assert_string_equal(next->losses[0].id, "module:lustre");
	assert_string_equal(next->losses[1].id, "mount:/lustre");
	assert_string_equal(next->losses[2].cause, "missing");
	assert_string_equal(next->running, OLD);
	assert_false(next->once);
}

static void a_kernel_that_loads_everything_loses_nothing(void **state)
{
	(void)state;
	moved();
	kernel(OLD, OLD);
	judge(NULL);
	assert_int_equal(next->loss_count, 0);
	assert_string_equal(next->sentence, OLD " is running and will boot next; lustre loads under "
	                                        "it, and what needs it comes up");
}

static void an_entry_for_once_is_what_boots_next(void **state)
{
	(void)state;
	moved();
	kernel(OLD, OLD)->boot_next = NEW;
	judge(NULL);
	assert_string_equal(next->release, NEW);
	assert_true(next->once);
	assert_int_equal(next->lost, 3);
	assert_non_null(strstr(next->sentence, "will boot next, once"));
}

static void a_kernel_that_is_only_asked_about_does_not_boot_next(void **state)
{
	(void)state;
	moved();
	kernel(OLD, OLD);
	judge(NEW);
	assert_int_equal(next->lost, 3);
	assert_null(strstr(next->sentence, "next reboot"));
	assert_non_null(strstr(next->sentence, "/lustre and /fsx would be lost under it"));
}

static void what_cannot_be_told_is_no_loss_and_no_promise(void **state)
{
	(void)state;
	moved();
	kernel(OLD, NEW);
	module("lustre@" NEW, "unproven", "symbols", "the symbols of that kernel are not known");
	judge(NULL);
	assert_int_equal(next->lost, 0);
	assert_int_equal(next->loss_count, 3);
	assert_string_equal(next->losses[0].verdict, "unproven");
	assert_non_null(strstr(next->sentence, "whether lustre loads under it cannot be told: the "
	                                       "symbols of that kernel are not known"));
	facts = strmap_create(arena);
	kernel(OLD, NEW);
	judge(NULL);
	assert_int_equal(next->lost, 0);
	assert_string_equal(next->losses[0].reason, "nobody knows");
}

static void a_boot_loader_that_does_not_say_is_said(void **state)
{
	(void)state;
	want_lustre();
	kernel(OLD, NULL);
	judge(NULL);
	assert_null(next->release);
	assert_non_null(strstr(next->sentence, "what boots next cannot be told"));
	facts = strmap_create(arena);
	judge(NULL);
	assert_string_equal(next->why, "nobody knows");
	assert_int_equal(next->lost, 0);
}

static void an_entry_that_could_not_boot_is_a_loss(void **state)
{
	(void)state;
	moved();
	module("lustre@" NEW, "yes", NULL, NULL);
	((struct resource *)strmap_get(facts, "boot_entry:" NEW))->boot_entry.incomplete =
	    "it has no initial ram disk";
	judge(NULL);
	assert_int_equal(next->lost, 1);
	assert_string_equal(next->losses[0].cause, "incomplete");
	assert_non_null(strstr(next->sentence, "could not boot as it is: it has no initial ram disk"));
}

static void without_its_helper_only_the_mounts_are_lost(void **state)
{
	(void)state;
	moved();
	module("lustre@" NEW, "no", "no-helper", "there is no /sbin/mount.lustre");
	judge(NULL);
	assert_int_equal(next->lost, 2);
	assert_string_equal(next->losses[0].id, "mount:/lustre");
}

static void nothing_wanted_asks_for_nothing(void **state)
{
	(void)state;
	broken = true;
	judge(NULL);
	assert_null(next);
}

static void an_error_of_the_source_is_handed_on(void **state)
{
	struct err err = {0};

	(void)state;
	broken = true;
	want_lustre();
	assert_int_equal(next_boot_judge(arena, &source, &wants, NULL, &next, &err), -ERR_HOST);
	assert_null(next);
}

static void wants_come_from_modules_and_from_types(void **state)
{
	static const char text[] =
	    "{\"modules\": {\"lustre\": {}, \"gone\": {\"state\": \"absent\"},"
	    " \"beegfs\": {\"unsupported\": \"skip\"}, \"zfs\": {\"filesystem\": \"zpool\"}},"
	    " \"mounts\": {\"/a\": {\"type\": \"lustre\"}, \"/b\": {\"type\": \"beegfs\"},"
	    " \"/c\": {\"type\": \"zpool\"}, \"/d\": {\"type\": \"ext4\"},"
	    " \"/e\": {\"type\": \"lustre\", \"state\": \"absent\"}}}";
	struct value desired;
	struct err err = {0};

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), "t", arena, &desired, &err), 0);
	next_boot_wants_of(arena, &desired, &wants);
	assert_int_equal(wants.count, 2);
	assert_string_equal(wants.list[0].module, "lustre");
	assert_true(wants.list[0].wanted);
	assert_int_equal(wants.list[0].mount_count, 1);
	assert_string_equal(wants.list[0].mounts[0], "/a");
	assert_string_equal(wants.list[1].module, "zfs");
	assert_string_equal(wants.list[1].mounts[0], "/c");
}

static void a_mount_alone_names_its_module_by_its_type(void **state)
{
	static const char text[] = "{\"mounts\": {\"/a\": {\"type\": \"lustre\"}}}";
	struct value desired;
	struct err err = {0};

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), "t", arena, &desired, &err), 0);
	next_boot_wants_of(arena, &desired, &wants);
	assert_int_equal(wants.count, 1);
	assert_false(wants.list[0].wanted);
	assert_null(next_boot_module_of("ext4"));
	assert_null(next_boot_module_of(NULL));
}

static void a_plan_that_puts_it_right_says_so(void **state)
{
	struct next_boot *before;

	(void)state;
	moved();
	judge(NULL);
	before = next;
	kernel(OLD, OLD);
	judge(NULL);
	next_boot_remedy(arena, before, next);
	assert_true(before->remedied);
	assert_true(
	    text_ends(before->sentence, "; this plan puts that right: " OLD " will boot instead"));
}

static void a_plan_that_leaves_a_loss_remedies_nothing(void **state)
{
	struct next_boot *before;

	(void)state;
	moved();
	judge(NULL);
	before = next;
	judge(NULL);
	next_boot_remedy(arena, before, next);
	assert_false(before->remedied);
	/* Nor does one after which it cannot be told any more. */
	facts = strmap_create(arena);
	judge(NULL);
	next_boot_remedy(arena, before, next);
	assert_false(before->remedied);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_sentence_is_printed_before_it_happens),
	    TEST(a_kernel_that_loads_everything_loses_nothing),
	    TEST(an_entry_for_once_is_what_boots_next),
	    TEST(a_kernel_that_is_only_asked_about_does_not_boot_next),
	    TEST(what_cannot_be_told_is_no_loss_and_no_promise),
	    TEST(a_boot_loader_that_does_not_say_is_said),
	    TEST(an_entry_that_could_not_boot_is_a_loss),
	    TEST(without_its_helper_only_the_mounts_are_lost),
	    TEST(nothing_wanted_asks_for_nothing),
	    TEST(an_error_of_the_source_is_handed_on),
	    TEST(wants_come_from_modules_and_from_types),
	    TEST(a_mount_alone_names_its_module_by_its_type),
	    TEST(a_plan_that_puts_it_right_says_so),
	    TEST(a_plan_that_leaves_a_loss_remedies_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
