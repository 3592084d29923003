// SPDX-License-Identifier: MIT
/* Diff: what is as wanted, what is not, and how it is shown. */
#include "model/compare.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_create();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct resource *make(enum kind_id kind, const char *key)
{
	return resource_create(arena, &kind_table[kind], key);
}

static struct list split(const char *text)
{
	const char **items = arena_array(arena, strlen(text) + 1, sizeof *items);
	size_t n = 0;

	while (*text) {
		size_t length = strcspn(text, ",");

		items[n++] = arena_strndup(arena, text, length);
		text += length + (text[length] == ',');
	}
	return (struct list){.set = true, .count = n, .items = items};
}

/* All differences as one text: "field: from -> to; field: ...". */
static const char *diff(const struct resource *want, const struct resource *have)
{
	AUTO(str_free) struct str out = {0};
	struct differences differences;

	compare_resources(arena, want, have, &differences);
	for (size_t i = 0; i < differences.count; i++) {
		const struct difference *d = &differences.list[i];

		str_addf(&out, "%s%s: %s -> %s", i ? "; " : "", d->field, d->from ? d->from : "(nothing)",
		         d->to);
	}
	return arena_strdup(arena, str_text(&out));
}

static const struct truth yes = {true, true}, no = {true, false};

static void compare_ignores_what_is_not_wanted(void **state)
{
	struct resource *want = make(KIND_DIRECTORY, "/a"), *have = make(KIND_DIRECTORY, "/a");

	(void)state;
	have->directory.mode = "0700";
	have->directory.owner = "root";
	assert_string_equal(diff(want, have), "");
}

static void compare_names_each_field_with_from_and_to(void **state)
{
	struct resource *want = make(KIND_DIRECTORY, "/a"), *have = make(KIND_DIRECTORY, "/a");

	(void)state;
	want->directory.mode = "0755";
	want->directory.owner = "ubuntu";
	want->directory.group = "root";
	have->directory.mode = "0700";
	have->directory.group = "root";
	assert_string_equal(diff(want, have), "mode: 0700 -> 0755; owner: (nothing) -> ubuntu");
	have->directory.mode = "755";
	have->directory.owner = "ubuntu";
	assert_string_equal(diff(want, have), "");
}

static void compare_of_an_absent_one_says_only_that(void **state)
{
	struct resource *want = make(KIND_DIRECTORY, "/a"), *have = make(KIND_DIRECTORY, "/a");

	(void)state;
	want->directory.mode = "0755";
	have->state = STATE_ABSENT;
	assert_string_equal(diff(want, have), "state: absent -> present");
	assert_string_equal(diff(have, want), "state: present -> absent");
	assert_string_equal(diff(have, have), "");
}

static void compare_takes_a_version_as_a_glob(void **state)
{
	struct resource *want = make(KIND_PACKAGE, "a-b"), *have = make(KIND_PACKAGE, "a-b");

	(void)state;
	want->package.version = "2.15.6-1fsx*";
	have->package.version = "2.15.6-1fsx21";
	assert_string_equal(diff(want, have), "");
	have->package.version = "2.15.5-1fsx21";
	assert_string_equal(diff(want, have), "version: 2.15.5-1fsx21 -> 2.15.6-1fsx*");
	have->package.version = NULL;
	assert_string_equal(diff(want, have), "version: (nothing) -> 2.15.6-1fsx*");
}

static void compare_reads_module_parameters_as_the_kernel_shows_them(void **state)
{
	struct resource *want = make(KIND_MODULE, "m"), *have = make(KIND_MODULE, "m");

	(void)state;
	want->module.parameters = split("enable=1,some-name=0x10,text=abc");
	have->module.parameters = split("other=7,enable=Y,some_name=16,text=abc");
	assert_string_equal(diff(want, have), "");
	have->module.parameters = split("enable=N,some_name=17");
	assert_string_equal(diff(want, have), "parameters: enable=N,some_name=17,unset -> "
	                                      "enable=1,some-name=0x10,text=abc");
	want->module.parameters = split("count=1");
	have->module.parameters = split("count=2");
	assert_string_equal(diff(want, have), "parameters: count=2 -> count=1");
	want->module.loaded = yes;
	want->module.parameters = (struct list){0};
	have->module.loaded = no;
	assert_string_equal(diff(want, have), "loaded: no -> yes");
}

/* ---- Mounts ---- */

static struct resource *wanted(const char *manage)
{
	struct resource *want = make(KIND_MOUNT, "/lustre");

	want->mount.source = "10.1.30.23@tcp:/czrc3amv";
	want->mount.type = "lustre";
	want->mount.options = split("relatime,flock,_netdev");
	want->mount.manage = manage;
	resource_complete(arena, want);
	return want;
}

static struct resource *observed(void)
{
	struct resource *have = make(KIND_MOUNT, "/lustre");

	have->mount.live = have->mount.fstab = yes;
	have->mount.automount = no;
	have->mount.source = "10.1.30.23@tcp:/czrc3amv";
	have->mount.type = "lustre";
	have->mount.options = split("rw,relatime,checksum,flock,nouser_xattr,lruresize,lazystatfs");
	have->mount.fstab_source = "10.1.30.23@tcp0:/czrc3amv";
	have->mount.fstab_type = "lustre";
	have->mount.fstab_options = split("defaults,relatime,flock,_netdev");
	return have;
}

static void compare_is_content_with_a_mount_that_means_the_same(void **state)
{
	(void)state;
	assert_string_equal(diff(wanted("full"), observed()), "");
	assert_string_equal(diff(wanted("live"), observed()), "");
	assert_string_equal(diff(wanted("observe"), observed()), "");
}

static void compare_shows_only_the_options_that_do_not_hold(void **state)
{
	struct resource *have = observed();

	(void)state;
	have->mount.options = split("rw,noatime,localflock");
	assert_string_equal(diff(wanted("live"), have),
	                    "options: noatime,localflock -> relatime,flock");
	have = observed();
	have->mount.fstab_options = split("defaults,noatime");
	assert_string_equal(diff(wanted("full"), have),
	                    "fstab_options: noatime,unset,unset -> relatime,flock,_netdev");
	assert_string_equal(diff(wanted("live"), have), "");
}

static void compare_of_a_mount_that_is_not_live_says_so_once(void **state)
{
	struct resource *have = observed();

	(void)state;
	have->mount.live = no;
	have->mount.source = have->mount.type = NULL;
	have->mount.options = (struct list){0};
	assert_string_equal(diff(wanted("full"), have), "live: no -> yes");
	assert_string_equal(diff(wanted("live"), have), "live: no -> yes");
	have = observed();
	have->mount.fstab = no;
	have->mount.fstab_source = have->mount.fstab_type = NULL;
	have->mount.fstab_options = (struct list){0};
	assert_string_equal(diff(wanted("full"), have), "fstab: no -> yes");
	assert_string_equal(diff(wanted("live"), have), "");
	have->state = STATE_ABSENT;
	assert_string_equal(diff(wanted("full"), have), "state: absent -> present");
}

static void compare_of_a_wrong_source_names_both(void **state)
{
	struct resource *have = observed();

	(void)state;
	have->mount.source = "10.1.30.23@tcp:/ddyezbev";
	assert_string_equal(diff(wanted("live"), have),
	                    "source: 10.1.30.23@tcp:/ddyezbev -> 10.1.30.23@tcp:/czrc3amv");
	have->mount.type = "nfs4";
	assert_string_equal(diff(wanted("live"), have),
	                    "source: 10.1.30.23@tcp:/ddyezbev -> 10.1.30.23@tcp:/czrc3amv; "
	                    "type: nfs4 -> lustre");
	have = observed();
	have->mount.fstab_source = "10.9.9.9@tcp:/czrc3amv";
	have->mount.fstab_type = "nfs";
	assert_string_equal(diff(wanted("full"), have),
	                    "fstab_source: 10.9.9.9@tcp:/czrc3amv -> 10.1.30.23@tcp:/czrc3amv; "
	                    "fstab_type: nfs -> lustre");
}

static void compare_of_a_bind_mount_looks_at_its_root(void **state)
{
	struct resource *want = make(KIND_MOUNT, "/srv"), *have = make(KIND_MOUNT, "/srv");

	(void)state;
	want->mount.source = "/data/srv";
	want->mount.type = "none";
	want->mount.options = split("bind,ro");
	want->mount.manage = "live";
	resource_complete(arena, want);
	have->mount.live = yes;
	have->mount.source = "/dev/sda1";
	have->mount.type = "ext4";
	have->mount.options = split("ro,relatime,rw");
	have->mount.root = "/srv";
	assert_string_equal(diff(want, have), "");
	have->mount.root = "/other";
	assert_string_equal(diff(want, have), "source: /dev/sda1 -> /data/srv");
	have->mount.root = "/";
	assert_string_equal(diff(want, have), "");
	have->mount.options = split("rw,relatime");
	assert_string_equal(diff(want, have), "options: rw -> ro");
}

static void compare_of_a_mount_to_remove_leaves_a_line_of_others(void **state)
{
	struct resource *want = make(KIND_MOUNT, "/lustre"), *have = observed();

	(void)state;
	want->state = STATE_ABSENT;
	want->mount.manage = "live";
	resource_complete(arena, want);
	assert_string_equal(diff(want, have), "state: present -> absent");
	have->mount.live = no;
	assert_string_equal(diff(want, have), "");
	want->mount.manage = "full";
	assert_string_equal(diff(want, have), "state: present -> absent");
}

/* ---- Files and the rest ---- */

static void compare_of_content_never_shows_it(void **state)
{
	struct resource *want = make(KIND_FILE, "/etc/secret"), *have = make(KIND_FILE, "/etc/secret");

	(void)state;
	want->file.content = "hunter2\n";
	resource_complete(arena, want);
	have->file.type = "file";
	have->file.digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	have->file.content = "hunter1\n";
	const char *text = diff(want, have);

	assert_null(strstr(text, "hunter"));
	assert_true(text_starts(text, "digest: sha256:e3b0c44298fc -> sha256:"));
	have->file.digest = want->file.digest;
	assert_string_equal(diff(want, have), "");
	have->file.type = "link";
	assert_string_equal(diff(want, have), "type: link -> file");
}

static void compare_leaves_settings_of_ours_alone(void **state)
{
	struct resource *command = make(KIND_COMMAND, "a"), *ran = make(KIND_COMMAND, "a");
	struct resource *index = make(KIND_PACKAGE_INDEX, "apt"),
	                *lists = make(KIND_PACKAGE_INDEX, "apt");
	struct resource *want = make(KIND_DATA_REPOSITORY, "/l/d"),
	                *have = make(KIND_DATA_REPOSITORY, "/l/d");

	(void)state;
	command->command.argv = split("/bin/true");
	command->command.creates = "/a";
	resource_complete(arena, command);
	ran->command.satisfied = no;
	assert_string_equal(diff(command, ran), "satisfied: no -> yes");
	ran->command.satisfied = yes;
	assert_string_equal(diff(command, ran), "");
	resource_complete(arena, index);
	lists->package_index.age = (struct number){true, 1000000};
	assert_string_equal(diff(index, lists), "");
	want->data_repository.repository = "s3://BUCKET/data/";
	want->data_repository.import_events = split("NEW,CHANGED");
	resource_complete(arena, want);
	/* The rest is asked of the service; the provider has a comparison of its own. */
	assert_string_equal(diff(want, have), "repository: (nothing) -> s3://BUCKET/data/; "
	                                      "import: (nothing) -> NEW,CHANGED; "
	                                      "directory: (nothing) -> yes");
	have->data_repository.directory = yes;
	have->data_repository.repository = "s3://BUCKET/data/";
	have->data_repository.import_events = split("CHANGED,NEW");
	assert_string_equal(diff(want, have), "");
}

static void compare_of_sets_ignores_order_only(void **state)
{
	static const struct field set = {.name = "installed",
	                                 .type = FIELD_LIST,
	                                 .match = MATCH_SET,
	                                 .offset = offsetof(struct resource, kernel.installed)};
	static const struct field sequence = {.name = "installed",
	                                      .type = FIELD_LIST,
	                                      .offset = offsetof(struct resource, kernel.installed)};
	struct resource *want = make(KIND_KERNEL, ""), *have = make(KIND_KERNEL, "");

	(void)state;
	want->kernel.installed = split("a,b");
	have->kernel.installed = split("b,a");
	assert_true(compare_field(&set, want, have));
	assert_false(compare_field(&sequence, want, have));
	have->kernel.installed = split("b,a,c");
	assert_false(compare_field(&set, want, have));
	have->kernel.installed = split("a,b");
	assert_true(compare_field(&sequence, want, have));
}

static void compare_show_is_short(void **state)
{
	const struct kind *kind = &kind_table[KIND_FILE], *mounts = &kind_table[KIND_MOUNT];
	struct resource *file = make(KIND_FILE, "/a"), *mount = make(KIND_MOUNT, "/a");

	(void)state;
	file->file.content = "";
	assert_string_equal(
	    compare_show(arena, field_find(kind->fields, kind->field_count, "content"), file),
	    "0 bytes, sha256:e3b0c44298fc");
	assert_string_equal(
	    compare_show(arena, field_find(kind->fields, kind->field_count, "mode"), file), "");
	mount->mount.options = split("a,b");
	mount->mount.covers = (struct number){true, 2};
	mount->mount.live = no;
	assert_string_equal(
	    compare_show(arena, field_find(mounts->fields, mounts->field_count, "options"), mount),
	    "a,b");
	assert_string_equal(
	    compare_show(arena, field_find(mounts->fields, mounts->field_count, "covers"), mount), "2");
	assert_string_equal(
	    compare_show(arena, field_find(mounts->fields, mounts->field_count, "live"), mount), "no");
}

/* Whatever is observed satisfies a wish for exactly that. */
static void compare_of_each_kind_with_itself_finds_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		struct resource *r = make((enum kind_id)i, "/key");

		for (size_t f = 0; f < kind_table[i].field_count; f++) {
			const struct field *field = &kind_table[i].fields[f];
			struct value list = value_list();

			value_append(arena, &list, value_string("one=1"));
			value_append(arena, &list, value_string("two"));
			struct value value = field->type == FIELD_LIST     ? list
			                     : field->type == FIELD_NUMBER ? value_int(7)
			                     : field->type == FIELD_TRUTH  ? value_bool(true)
			                                                   : value_string("/text:1");

			field_set(field, r, &value, arena);
		}
		assert_string_equal(diff(r, r), "");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(compare_ignores_what_is_not_wanted),
	    TEST(compare_names_each_field_with_from_and_to),
	    TEST(compare_of_an_absent_one_says_only_that),
	    TEST(compare_takes_a_version_as_a_glob),
	    TEST(compare_reads_module_parameters_as_the_kernel_shows_them),
	    TEST(compare_is_content_with_a_mount_that_means_the_same),
	    TEST(compare_shows_only_the_options_that_do_not_hold),
	    TEST(compare_of_a_mount_that_is_not_live_says_so_once),
	    TEST(compare_of_a_wrong_source_names_both),
	    TEST(compare_of_a_bind_mount_looks_at_its_root),
	    TEST(compare_of_a_mount_to_remove_leaves_a_line_of_others),
	    TEST(compare_of_content_never_shows_it),
	    TEST(compare_leaves_settings_of_ours_alone),
	    TEST(compare_of_sets_ignores_order_only),
	    TEST(compare_show_is_short),
	    TEST(compare_of_each_kind_with_itself_finds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
