// SPDX-License-Identifier: MIT
/* Resources as values and back, what may be wanted, and what follows from it. */
#include "model/resource.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;
static struct diags diags;

static int set_up(void **state)
{
	(void)state;
	arena = arena_create();
	diags = (struct diags){.arena = arena};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* A text that passes the checks of each format. */
static const char *text_for(const struct field *field)
{
	static const char *const texts[FORMAT_COUNT] = {
	    [FORMAT_TEXT] = "some text",
	    [FORMAT_CONTENT] = "two\nlines\n",
	    [FORMAT_PATH] = "/some/path",
	    [FORMAT_MODE] = "0640",
	    [FORMAT_DURATION] = "2h",
	    [FORMAT_RELEASE] = "6.8.0-1039-aws",
	    [FORMAT_GLOB] = "2.15.6-1fsx*",
	    [FORMAT_PACKAGE] = "linux-aws",
	    [FORMAT_WORD] = "word",
	    [FORMAT_OWNER] = "ubuntu",
	    [FORMAT_OPTION] = "noatime",
	    [FORMAT_MODULE] = "lustre",
	    [FORMAT_SETTING] = "networks=tcp0(eth0)",
	    [FORMAT_S3] = "s3://BUCKET/data/",
	    [FORMAT_UNIT] = "beegfs-client.service",
	    [FORMAT_NODE] = "compute-1",
	    [FORMAT_NAME] = "compute",
	    [FORMAT_WINDOW] = "Sun 02:00-05:00 UTC",
	    [FORMAT_DIGEST] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	    [FORMAT_MODULE_AT] = "lustre@6.8.0-1039-aws",
	    [FORMAT_APT] = "APT::NeverAutoRemove",
	};

	return field->format == FORMAT_CHOICE ? field->choices[0] : texts[field->format];
}

static struct value value_for(const struct field *field)
{
	struct value list = value_list();

	switch (field->type) {
	case FIELD_TEXT:
		return value_string(text_for(field));
	case FIELD_NUMBER:
		return value_int(field->most && field->most < 42 ? field->most : 42);
	case FIELD_TRUTH:
		return value_bool(true);
	case FIELD_LIST:
		value_append(arena, &list, value_string(text_for(field)));
		break;
	}
	return list;
}

/* A resource of the kind with every field set that may be. */
static struct resource *full(const struct kind *kind, enum resource_use use)
{
	struct field key = kind_key_field(kind);
	struct resource *r =
	    resource_create(arena, kind, kind->traits & KIND_SINGLETON ? "" : text_for(&key));

	for (size_t f = 0; f < kind->field_count; f++) {
		struct value value = value_for(&kind->fields[f]);

		if (use == USE_OBSERVED || !(kind->fields[f].flags & FIELD_FACT)) {
			field_set(&kind->fields[f], r, &value, arena);
		}
	}
	return r;
}

static void assert_same(const struct resource *a, const struct resource *b)
{
	struct value left = resource_to_value(arena, a), right = resource_to_value(arena, b);

	assert_true(value_equal(&left, &right));
}

static void say_diags(void)
{
	for (size_t i = 0; i < diags.count; i++) {
		print_message("# %s\n", diags.list[i].err.text);
	}
}

static void resource_of_each_kind_survives_being_a_value(void **state)
{
	(void)state;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		struct resource *r = full(&kind_table[i], USE_OBSERVED);
		struct value value = resource_to_value(arena, r);

		assert_true(value.sealed);
		assert_int_equal(value.count, kind_table[i].field_count + 3);
		struct resource *again = resource_from_value(arena, &value, USE_OBSERVED, &diags);

		say_diags();
		assert_non_null(again);
		assert_string_equal(again->key, r->key);
		assert_same(again, r);
		assert_same(resource_copy(arena, r), r);
	}
}

static void resource_of_each_kind_can_be_wanted_with_all_its_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < KIND_COUNT; i++) {
		struct resource *r = full(&kind_table[i], USE_WANTED);
		struct value value = resource_to_value(arena, r);

		if (kind_table[i].traits & KIND_FACT_ONLY) {
			assert_null(resource_from_value(arena, &value, USE_WANTED, &diags));
			assert_int_equal(diags.count, 1);
			diags.count = 0;
			continue;
		}
		struct resource *again = resource_from_value(arena, &value, USE_WANTED, &diags);

		say_diags();
		assert_non_null(again);
		assert_same(again, r);
		/* Complete ones can be read back as what they are: a record. */
		resource_complete(arena, again);
		value = resource_to_value(arena, again);
		assert_non_null(resource_from_value(arena, &value, USE_OBSERVED, &diags));
	}
}

static void resource_copy_shares_nothing(void **state)
{
	struct arena *other = arena_create();
	const struct kind *kind = &kind_table[KIND_MOUNT];
	struct value source = value_string(arena_strdup(other, "tmpfs")), options = value_list();
	struct resource *r = resource_create(other, kind, "/a");

	(void)state;
	value_append(other, &options, value_string(arena_strdup(other, "noatime")));
	field_set(field_find(kind->fields, kind->field_count, "source"), r, &source, other);
	field_set(field_find(kind->fields, kind->field_count, "options"), r, &options, other);
	r->why = arena_strdup(other, "why");
	struct resource *copy = resource_copy(arena, r);

	arena_free(other);
	assert_string_equal(copy->key, "/a");
	assert_string_equal(copy->why, "why");
	assert_string_equal(copy->mount.source, "tmpfs");
	assert_string_equal(copy->mount.options.items[0], "noatime");
}

static void resource_that_is_undetermined_says_why(void **state)
{
	struct resource *r =
	    resource_undetermined(arena, &kind_table[KIND_MOUNT], "/fsx", "no answer within %d s", 5);
	struct value value = resource_to_value(arena, r);

	(void)state;
	assert_string_equal(value_text(&value, "state"), "undetermined");
	assert_string_equal(value_text(&value, "why"), "no answer within 5 s");
	struct resource *again = resource_from_value(arena, &value, USE_OBSERVED, &diags);

	assert_non_null(again);
	assert_int_equal(again->state, STATE_UNDETERMINED);
	assert_string_equal(again->why, "no answer within 5 s");
	assert_null(resource_from_value(arena, &value, USE_WANTED, &diags));
}

static void resource_ids_are_made_and_read(void **state)
{
	static const struct {
		const char *id;
		enum kind_id kind;
		const char *key;
	} cases[] = {
	    {"mount:/fsx", KIND_MOUNT, "/fsx"},
	    {"file:/etc/a:b", KIND_FILE, "/etc/a:b"},
	    {"kernel", KIND_KERNEL, ""},
	    {"mount", KIND_MOUNT, NULL},
	    {"package_index:apt", KIND_PACKAGE_INDEX, "apt"},
	};
	static const struct {
		const char *id, *text;
	} faults[] = {
	    {"muont:/fsx", "muont:/fsx: there is no such kind, did you mean mount"},
	    {"", ": there is no such kind"},
	    {"mount:", "mount:: target: \"\" is empty, expected an absolute path"},
	    {"mount:fsx", "mount:fsx: target: \"fsx\" is relative, expected an absolute path"},
	    {"kernel:6.8", "kernel:6.8: kernel has no key, there is one on a node"},
	    {"package_index:dnf", "package_index:dnf: source: \"dnf\" is unknown, expected apt"},
	};
	const struct kind *kind;
	const char *key;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(resource_parse_id(cases[i].id, arena, &kind, &key, &err), 0);
		assert_int_equal(kind->id, cases[i].kind);
		assert_true(text_equal(key, cases[i].key));
		if (key) {
			assert_string_equal(resource_id(arena, kind, key), cases[i].id);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		assert_int_equal(resource_parse_id(faults[i].id, arena, &kind, &key, &err), -ERR_INPUT);
		assert_string_equal(err.text, faults[i].text);
	}
}

/* ---- What may be wanted ---- */

static struct value map_of(const char *kind, const char *key_name, const char *key)
{
	struct value map = value_map();

	map.at = (struct pos){"state/defaults.yaml", 2, 5};
	value_put(arena, &map, "kind", value_string(kind));
	if (key) {
		value_put(arena, &map, key_name, value_string(key));
	}
	return map;
}

static struct value *put(struct value *map, const char *name, struct value value)
{
	value.at = (struct pos){"state/defaults.yaml", 3, 7};
	return value_put(arena, map, name, value);
}

static struct value words(size_t n, const char *const *items)
{
	struct value list = value_list();

	for (size_t i = 0; i < n; i++) {
		value_append(arena, &list, value_string(items[i]));
	}
	return list;
}

/* The map is refused, and the first fault is this. */
static void assert_fault(const struct value *map, const char *text)
{
	diags.count = 0;
	assert_null(resource_from_value(arena, map, USE_WANTED, &diags));
	assert_true(diags.count > 0);
	assert_string_equal(diags.list[0].err.text, text);
	diags.count = 0;
}

static void assert_right(const struct value *map)
{
	diags.count = 0;
	struct resource *r = resource_from_value(arena, map, USE_WANTED, &diags);

	say_diags();
	assert_non_null(r);
}

static void resource_takes_its_key_under_either_name(void **state)
{
	struct value named = map_of("directory", "path", "/a"),
	             plain = map_of("directory", "key", "/a");
	struct value both = map_of("directory", "path", "/a"), none = map_of("directory", "path", NULL);

	(void)state;
	assert_right(&named);
	assert_right(&plain);
	put(&both, "key", value_string("/a"));
	assert_right(&both);
	value_set(arena, &both, "key", value_string("/b"));
	assert_fault(&both, "key: is another than path");
	assert_fault(&none, "path is missing: which directory");
}

static void resource_faults_are_all_found_with_their_place(void **state)
{
	struct value map = map_of("file", "path", "etc/motd");

	(void)state;
	put(&map, "contnet", value_string("x"));
	put(&map, "mode", value_int(644));
	put(&map, "digest", value_string("x"));
	put(&map, "state", value_string("gone"));
	assert_null(resource_from_value(arena, &map, USE_WANTED, &diags));
	assert_int_equal(diags.count, 5);
	assert_string_equal(diags.list[0].err.text,
	                    "path: \"etc/motd\" is relative, expected an absolute path");
	assert_string_equal(diags.list[1].err.text, "state: expected present or absent");
	assert_string_equal(diags.list[2].err.text, "contnet: a file has no such field");
	assert_string_equal(diags.list[2].hint, "content");
	assert_int_equal(diags.list[2].err.at.line, 3);
	assert_int_equal(diags.list[2].err.at.col, 7);
	assert_string_equal(diags.list[3].err.text,
	                    "mode: 644 must be a quoted octal of four digits, expected \"0644\"");
	assert_string_equal(diags.list[4].err.text, "digest: is only observed, it cannot be wanted");
}

static void resource_must_be_of_a_kind_that_can_be_wanted(void **state)
{
	struct value list = value_list(), unknown = map_of("muont", "target", "/a");
	struct value fact = map_of("node", "key", NULL), none = value_map(), odd = value_map();
	struct value index = map_of("package_index", "source", "apt");

	(void)state;
	assert_fault(&list, "expected a resource, a map with its kind, found a list");
	assert_fault(&none, "kind is missing, expected what the resource is");
	put(&odd, "kind", value_int(1));
	assert_fault(&odd, "kind: expected the name of a kind, found a whole number");
	assert_fault(&unknown, "kind: there is no kind muont");
	assert_fault(&fact, "kind: a node can only be observed, it cannot be wanted");
	put(&index, "state", value_string("absent"));
	assert_fault(&index, "state: a package_index cannot be wanted absent");
}

static void resource_must_say_what_it_needs(void **state)
{
	struct value mount = map_of("mount", "target", "/fsx"),
	             gone = map_of("mount", "target", "/fsx");
	struct value watched = map_of("mount", "target", "/scratch");

	(void)state;
	put(&mount, "type", value_string("nfs"));
	assert_fault(&mount, "source is missing: what is mounted: a device, LABEL=, UUID=, host:/path, "
	                     "NID:/name, a folder to bind");
	put(&mount, "source", value_string("nas:/x"));
	assert_right(&mount);
	put(&gone, "state", value_string("absent"));
	assert_right(&gone);
	put(&watched, "manage", value_string("observe"));
	assert_right(&watched);
}

static void resource_rules_hold_across_fields(void **state)
{
	static const char *const options[] = {"ro", "rw"};
	static const char *const argv[] = {"/bin/true"}, *const nothing[] = {""};
	struct value mount = map_of("mount", "target", "/fsx");
	struct value command = map_of("command", "name", "tune");
	struct value repository = map_of("data_repository", "path", "/lustre/data");

	(void)state;
	put(&mount, "source", value_string("nas:/x"));
	put(&mount, "type", value_string("nfs"));
	put(&mount, "options", words(2, options));
	assert_fault(&mount, "options: rw contradicts an option before it");

	put(&command, "argv", words(1, argv));
	assert_fault(&command,
	             "a command needs a guard: unless or creates says when there is nothing to do");
	put(&command, "creates", value_string("/run/tuned"));
	assert_right(&command);
	value_set(arena, &command, "argv", words(0, argv));
	assert_fault(&command, "argv: names no program");
	value_set(arena, &command, "argv", words(1, nothing));
	assert_fault(&command, "argv: names no program");
	value_set(arena, &command, "argv", words(1, argv));
	put(&command, "unless", words(1, nothing));
	assert_fault(&command, "unless: names no program");

	put(&repository, "repository", value_string("s3://BUCKET/data/"));
	assert_right(&repository);
	put(&repository, "manage", value_string("owner"));
	assert_fault(&repository, "manage: owner needs the field owner, the one node that writes");
}

static void resource_observed_is_not_held_to_rules_for_people(void **state)
{
	struct value map = map_of("mount", "target", "/mnt/my disk");
	static const char *const options[] = {"lowerdir=/a b"};

	(void)state;
	put(&map, "options", words(1, options));
	put(&map, "live", value_bool(true));
	assert_non_null(resource_from_value(arena, &map, USE_OBSERVED, &diags));
	put(&map, "covers", value_string("1"));
	assert_null(resource_from_value(arena, &map, USE_OBSERVED, &diags));
	assert_string_equal(diags.list[0].err.text, "covers: expected a whole number, found \"1\"");
}

/* ---- Completing and merging ---- */

static void resource_complete_fills_in_what_follows(void **state)
{
	struct resource *file = resource_create(arena, &kind_table[KIND_FILE], "/a");
	struct resource *command = resource_create(arena, &kind_table[KIND_COMMAND], "a");
	struct resource *index = resource_create(arena, &kind_table[KIND_PACKAGE_INDEX], "apt");
	struct resource *repository =
	    resource_create(arena, &kind_table[KIND_DATA_REPOSITORY], "/lustre/data");

	(void)state;
	file->file.content = "";
	resource_complete(arena, file);
	assert_string_equal(file->file.digest,
	                    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_string_equal(file->file.type, "file");
	resource_complete(arena, command);
	assert_true(command->command.satisfied.value);
	resource_complete(arena, index);
	assert_string_equal(index->package_index.max_age, "1d");
	resource_complete(arena, repository);
	assert_string_equal(repository->data_repository.manage, "observe");
	assert_true(repository->data_repository.directory.value);
}

static struct resource *mount_wanted(const char *manage)
{
	static const char *const options[] = {"flock", "noatime", "flock"};
	struct resource *r = resource_create(arena, &kind_table[KIND_MOUNT], "/fsx");

	r->mount.source = "nas:/x";
	r->mount.type = "nfs";
	r->mount.options = (struct list){.set = true, .count = 3, .items = options};
	r->mount.manage = manage;
	return r;
}

static void resource_complete_knows_what_manage_means(void **state)
{
	struct resource *all = mount_wanted(NULL), *live = mount_wanted("live");
	struct resource *gone = resource_create(arena, &kind_table[KIND_MOUNT], "/fsx");

	(void)state;
	resource_complete(arena, all);
	assert_string_equal(all->mount.manage, "full");
	assert_true(all->mount.live.value && all->mount.fstab.value);
	assert_string_equal(all->mount.fstab_source, "nas:/x");
	assert_string_equal(all->mount.fstab_type, "nfs");
	assert_int_equal(all->mount.options.count, 2);
	assert_string_equal(all->mount.options.items[0], "noatime");
	assert_int_equal(all->mount.fstab_options.count, 2);
	resource_complete(arena, live);
	assert_true(live->mount.live.value);
	assert_false(live->mount.fstab.set);
	assert_null(live->mount.fstab_source);
	gone->state = STATE_ABSENT;
	resource_complete(arena, gone);
	assert_string_equal(gone->mount.manage, "full");
	assert_false(gone->mount.live.set);
	/* Twice is as good as once. */
	struct value once = resource_to_value(arena, all);

	resource_complete(arena, all);
	struct value twice = resource_to_value(arena, all);

	assert_true(value_equal(&once, &twice));
}

static void resource_merge_joins_wishes_and_names_the_quarrel(void **state)
{
	static const char *const flock[] = {"flock", "noatime"}, *const turned[] = {"noatime", "flock"};
	static const char *const other[] = {"flock"};
	struct resource *a = resource_create(arena, &kind_table[KIND_MOUNT], "/fsx");
	struct resource *b = resource_create(arena, &kind_table[KIND_MOUNT], "/fsx");

	(void)state;
	a->mount.source = "nas:/x";
	a->mount.options = (struct list){.set = true, .count = 2, .items = flock};
	b->mount.type = "nfs";
	b->mount.options = (struct list){.set = true, .count = 2, .items = turned};
	assert_null(resource_merge(arena, a, b));
	assert_string_equal(a->mount.type, "nfs");
	assert_string_equal(a->mount.options.items[0], "flock");
	b->mount.options = (struct list){.set = true, .count = 1, .items = other};
	assert_string_equal(resource_merge(arena, a, b), "options");
	b->mount.options = (struct list){0};
	b->mount.source = "nas:/y";
	assert_string_equal(resource_merge(arena, a, b), "source");
	b->state = STATE_ABSENT;
	assert_string_equal(resource_merge(arena, a, b), "state");
	assert_string_equal(a->mount.source, "nas:/x");
}

static void resource_merge_minds_the_order_of_arguments(void **state)
{
	static const char *const one[] = {"a", "b"}, *const two[] = {"b", "a"};
	struct resource *a = resource_create(arena, &kind_table[KIND_COMMAND], "x");
	struct resource *b = resource_create(arena, &kind_table[KIND_COMMAND], "x");

	(void)state;
	a->command.argv = (struct list){.set = true, .count = 2, .items = one};
	b->command.argv = (struct list){.set = true, .count = 2, .items = two};
	assert_string_equal(resource_merge(arena, a, b), "argv");
	b->command.argv = a->command.argv;
	assert_null(resource_merge(arena, a, b));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(resource_of_each_kind_survives_being_a_value),
	    TEST(resource_of_each_kind_can_be_wanted_with_all_its_fields),
	    TEST(resource_copy_shares_nothing),
	    TEST(resource_that_is_undetermined_says_why),
	    TEST(resource_ids_are_made_and_read),
	    TEST(resource_takes_its_key_under_either_name),
	    TEST(resource_faults_are_all_found_with_their_place),
	    TEST(resource_must_be_of_a_kind_that_can_be_wanted),
	    TEST(resource_must_say_what_it_needs),
	    TEST(resource_rules_hold_across_fields),
	    TEST(resource_observed_is_not_held_to_rules_for_people),
	    TEST(resource_complete_fills_in_what_follows),
	    TEST(resource_complete_knows_what_manage_means),
	    TEST(resource_merge_joins_wishes_and_names_the_quarrel),
	    TEST(resource_merge_minds_the_order_of_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
