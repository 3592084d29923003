// SPDX-License-Identifier: MIT
#include "engine/preflight_apt.h"

#include "base/strmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RUNS "6.8.0-1039-aws"
#define NEW "6.8.0-1042-aws"
#define KO "/lib/modules/" RUNS "/updates/lustre.ko"
#define PACKAGE "lustre-client-modules-"

/* Facts by id, what is not there is absent; and files of dpkg's by path. */
static struct arena *arena;
static struct strmap *facts, *files;
static struct transaction_list transaction;
static struct allowed_list allowed;
static struct preflight_apt result;
static struct kernel *kernel;
static unsigned asked;

static int get(struct fact_source *self, const struct kind *kind, const char *key,
               const struct resource **ret_fact, struct err *err)
{
	const char *id = resource_id(arena, kind, key);
	struct resource *fact = strmap_get(facts, id);

	(void)self;
	(void)err;
	asked++;
	if (!fact) {
		fact = resource_create(arena, kind, key);
		fact->state = STATE_ABSENT;
	}
	*ret_fact = fact;
	return 0;
}

static int read_file(void *context, const char *path, struct arena *a, const char **ret_text,
                     struct err *err)
{
	(void)context;
	(void)err;
	const char *text = strmap_get(files, path);

	*ret_text = text ? arena_strdup(a, text) : NULL;
	return 0;
}

static struct fact_source source = {.get = get};

static struct resource *fact(enum kind_id kind, const char *key)
{
	struct resource *r = resource_create(arena, &kind_table[kind], key);

	strmap_put(facts, resource_id(arena, r->kind, r->key), r);
	return r;
}

static void file_list(const char *package, const char *lines)
{
	strmap_put(files, arena_printf(arena, "/var/lib/dpkg/info/%s.list", package), (void *)lines);
}

/* A node that runs and boots RUNS, whose module has one file. */
static int setup(void **state)
{
	static const char *const installed[] = {"6.8.0-90-generic", RUNS};

	(void)state;
	arena = arena_create();
	facts = strmap_create(arena);
	files = strmap_create(arena);
	transaction = (struct transaction_list){0};
	allowed = (struct allowed_list){0};
	asked = 0;
	kernel = &fact(KIND_KERNEL, "")->kernel;
	kernel->running = kernel->boot_default = RUNS;
	kernel->installed = (struct list){.set = true, .count = 2, .items = installed};
	fact(KIND_LOADABLE, "lustre@" RUNS)->loadable = (struct loadable){.verdict = "yes", .file = KO};
	fact(KIND_PACKAGE, PACKAGE RUNS);
	file_list(PACKAGE RUNS, "/.\n/lib\n" KO "\n/usr/share/doc\n");
	file_list("utils", "/usr/sbin/mount.lustre\n/usr/bin/lfs\n");
	file_list("linux-image-" RUNS, "/boot/vmlinuz-" RUNS "\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void change(const char *name, const char *old, const char *new)
{
	const struct transaction_item item = {
	    .name = name, .architecture = "amd64", .old = old, .new = new};

	transaction.list = arena_grow(arena, transaction.list, transaction.count, &transaction.cap,
	                              sizeof *transaction.list);
	transaction.list[transaction.count++] = item;
}

/* The last one comes as this .deb, which brings that file. */
static struct resource *comes_as(const char *path, const char *file)
{
	const char **brought = arena_array(arena, 1, sizeof *brought);
	struct resource *r = fact(KIND_ARCHIVE, path);

	brought[0] = file;
	r->archive.files = (struct list){.set = true, .count = 1, .items = brought};
	transaction.list[transaction.count - 1].archive = path;
	return r;
}

static int judge(struct err *err)
{
	static struct preflight_module modules[] = {{"lustre", PACKAGE "{kernel}", false}};
	static struct preflight_mount mounts[] = {{"/fsx", "lustre"}, {"/home", "nfs"}};
	struct preflight_wants wants = {.mode = "refuse",
	                                .modules = modules,
	                                .module_count = 1,
	                                .mounts = mounts,
	                                .mount_count = 2};
	struct preflight_case c = {.source = &source,
	                           .read = read_file,
	                           .wants = &wants,
	                           .allowed = &allowed,
	                           .transaction = &transaction};

	next_boot_wants_add(arena, &wants.wants, "lustre", "/fsx");
	return preflight_apt(&c, arena, &result, err);
}

/* How many losses are proved. */
static size_t losses(void)
{
	struct err err;

	assert_int_equal(judge(&err), 0);
	return result.loss_count;
}

static void assert_says(const char *part)
{
	assert_non_null(strstr(result.losses[0], part));
}

#define LOSES(n) assert_int_equal(losses(), n)

static void what_touches_nothing_that_matters_asks_for_nothing(void **state)
{
	(void)state;
	change("tool", NULL, "1.0");
	change("other", "1.0", NULL);
	change("linux-image-aws", "1", "2");
	LOSES(0);
	assert_int_equal(asked, 0);
}

static void the_module_of_the_kernel_that_runs_or_boots_next_is_kept(void **state)
{
	(void)state;
	change(PACKAGE RUNS, "2.15", NULL);
	LOSES(1);
	assert_says("lustre from " RUNS ", which is running");
	assert_says("lost with it: /fsx");
	assert_string_equal(result.release, RUNS);
	kernel->running = "6.8.0-90-generic";
	LOSES(1);
	assert_says("boots next");
	kernel->boot_next = "6.8.0-90-generic";
	LOSES(0);
}

static void a_module_with_another_file_or_another_version_is_not_lost(void **state)
{
	(void)state;
	change(PACKAGE RUNS, "2.15", "2.16");
	LOSES(0);
	transaction.count = 0;
	change(PACKAGE RUNS, "2.15", NULL);
	fact(KIND_LOADABLE, "lustre@" RUNS)->loadable =
	    (struct loadable){.verdict = "yes", .file = "/lib/modules/" RUNS "/extra/lustre.ko"};
	LOSES(0);
	fact(KIND_LOADABLE, "lustre@" RUNS)->loadable =
	    (struct loadable){.verdict = "yes", .file = "/usr" KO};
	LOSES(1); /* / and /usr are one */
	fact(KIND_LOADABLE, "lustre@" RUNS)->state = STATE_UNDETERMINED;
	LOSES(0); /* not proved */
}

static void dashes_underscores_and_packing_do_not_hide_a_module(void **state)
{
	(void)state;
	file_list("x", "/lib/modules/" RUNS "/a/lustre.ko.zst\n");
	fact(KIND_LOADABLE, "lustre@" RUNS)->loadable =
	    (struct loadable){.verdict = "yes", .file = "/lib/modules/" RUNS "/a/lustre.ko.zst"};
	change("x", "1", NULL);
	LOSES(1);
	file_list("x", "/lib/modules/" RUNS "/a/lustre_x.ko\n/lib/modules/" RUNS "/a/xlustre.ko\n");
	LOSES(0);
}

static void the_helper_of_a_wanted_mount_is_kept(void **state)
{
	(void)state;
	change("utils", "1", NULL);
	LOSES(1);
	assert_says("/usr/sbin/mount.lustre");
	assert_says("/fsx");
	file_list("utils", "/sbin/mount.cifs\n");
	LOSES(0);
}

static void a_new_kernel_is_lost_unless_the_default_is_fixed(void **state)
{
	(void)state;
	change("linux-image-" NEW, NULL, "1");
	LOSES(1); /* that the guard would keep the default is not counted on */
	assert_says(NEW " would boot next, and there is no lustre for it");
	assert_string_equal(result.release, NEW);
	kernel->own_entry = "an id";
	LOSES(0); /* the default is fixed */
	kernel->own_entry = NULL;
	kernel->boot_default = NULL;
	LOSES(0); /* nobody knows what boots */
}

static void a_module_that_comes_with_it_or_can_be_had_is_enough(void **state)
{
	(void)state;
	kernel->obstacle = "GRUB is not in charge here";
	change("linux-image-" NEW, NULL, "1");
	fact(KIND_CANDIDATE, PACKAGE NEW);
	LOSES(0);
	fact(KIND_CANDIDATE, PACKAGE NEW)->state = STATE_UNDETERMINED;
	LOSES(0);
	fact(KIND_CANDIDATE, PACKAGE NEW)->state = STATE_ABSENT;
	LOSES(1);
	change(PACKAGE NEW, NULL, "2.15");
	LOSES(0);
	transaction.count = 1;
	fact(KIND_PACKAGE, PACKAGE NEW);
	LOSES(0);
}

static void a_module_that_a_package_of_another_name_brings_is_not_lost(void **state)
{
	(void)state;
	change(PACKAGE RUNS, "2.15", NULL);
	change("vendor-lustre", NULL, "2.16");
	comes_as("/a.deb", "/usr/lib/modules/" RUNS "/extra/lustre.ko.zst");
	LOSES(0);
	comes_as("/a.deb", "/lib/modules/" NEW "/extra/lustre.ko");
	LOSES(1); /* of another kernel */
	comes_as("/a.deb", "/lib/modules/" RUNS "/extra/lnet.ko");
	LOSES(1);
	/* also the one for a kernel that would boot next */
	transaction.count = 0;
	change("linux-image-" NEW, NULL, "1");
	change("vendor-lustre", NULL, "2.16");
	comes_as("/a.deb", "/lib/modules/" NEW "/extra/lustre.ko");
	LOSES(0);
}

static void a_helper_that_a_package_of_another_name_brings_is_not_lost(void **state)
{
	(void)state;
	change("utils", "1", NULL);
	change("utils2", NULL, "2");
	comes_as("/a.deb", "/sbin/mount.lustre");
	LOSES(0);
	comes_as("/a.deb", "/sbin/mount.nfs");
	LOSES(1);
}

static void an_archive_is_looked_into_only_before_a_veto_and_one_that_cannot_be_is_none(
    void **state)
{
	struct err err;

	(void)state;
	change("tool", NULL, "1");
	comes_as("/a.deb", "/x")->state = STATE_UNDETERMINED;
	change(PACKAGE RUNS, "2.15", NULL);
	assert_int_equal(judge(&err), -ERR_HOST);
	assert_non_null(strstr(err.text, "what /a.deb brings cannot be told"));
	/* found in another one: enough */
	change("vendor-lustre", NULL, "1");
	comes_as("/b.deb", KO);
	LOSES(0);
	transaction.count = 1;
	asked = 0;
	LOSES(0);
	assert_int_equal(asked, 0);
}

static void an_older_kernel_does_not_become_the_default(void **state)
{
	(void)state;
	kernel->obstacle = "GRUB is not in charge here";
	change("linux-image-6.8.0-95-generic", NULL, "1");
	LOSES(0);
}

static void taking_the_default_away_leaves_the_next_one(void **state)
{
	(void)state;
	change("linux-image-" RUNS, "1", NULL);
	LOSES(1);
	assert_says("6.8.0-90-generic would boot next");
	fact(KIND_PACKAGE, PACKAGE "6.8.0-90-generic");
	LOSES(0);
	/* with the module that is to serve it */
	change(PACKAGE "6.8.0-90-generic", "1", NULL);
	LOSES(1);
}

static void an_override_of_that_kernel_lets_it_pass(void **state)
{
	static struct allowed one = {.release = RUNS, .reason = "moved", .who = "root"};

	(void)state;
	change(PACKAGE RUNS, "2.15", NULL);
	allowed = (struct allowed_list){.list = &one, .count = 1};
	LOSES(0);
	assert_int_equal(result.allowed_count, 1);
	assert_non_null(strstr(result.allowed[0], "allowed by root: moved"));
	one.release = NEW;
	LOSES(1);
}

static void a_name_is_no_path(void **state)
{
	struct preflight_wants wants = {.mode = "refuse"};
	struct preflight_case c = {.source = &source,
	                           .read = read_file,
	                           .wants = &wants,
	                           .allowed = &allowed,
	                           .transaction = &transaction};
	struct err err;

	(void)state;
	change("../../../etc/shadow", "1", NULL);
	assert_int_equal(preflight_apt(&c, arena, &result, &err), -ERR_INPUT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_touches_nothing_that_matters_asks_for_nothing),
	    TEST(the_module_of_the_kernel_that_runs_or_boots_next_is_kept),
	    TEST(a_module_with_another_file_or_another_version_is_not_lost),
	    TEST(dashes_underscores_and_packing_do_not_hide_a_module),
	    TEST(the_helper_of_a_wanted_mount_is_kept),
	    TEST(a_new_kernel_is_lost_unless_the_default_is_fixed),
	    TEST(a_module_that_comes_with_it_or_can_be_had_is_enough),
	    TEST(a_module_that_a_package_of_another_name_brings_is_not_lost),
	    TEST(a_helper_that_a_package_of_another_name_brings_is_not_lost),
	    TEST(an_archive_is_looked_into_only_before_a_veto_and_one_that_cannot_be_is_none),
	    TEST(an_older_kernel_does_not_become_the_default),
	    TEST(taking_the_default_away_leaves_the_next_one),
	    TEST(an_override_of_that_kernel_lets_it_pass),
	    TEST(a_name_is_no_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
