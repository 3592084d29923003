// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "base/str.h"
#include "host/modules_inner.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena *arena;
static struct modules_place place;
static const char *config[2];

static const char *in(const char *folder, const char *name)
{
	return arena_printf(arena, "%s/%s", folder, name);
}

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	place = (struct modules_place){
	    .sysfs = arena_strdup(arena, scratch_path("sys")),
	    .folder = arena_strdup(arena, scratch_path("modules")),
	    .config = config,
	};
	config[0] = arena_strdup(arena, scratch_path("modprobe.d"));
	scratch_mkdir(place.sysfs, 0755);
	scratch_mkdir(place.folder, 0755);
	scratch_mkdir(config[0], 0755);
	scratch_write(in(place.folder, "modules.builtin"),
	              "kernel/drivers/block/loop.ko\nkernel/fs/nls/nls-utf8.ko\n", 0644);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_clear();
	arena_free(arena);
	return 0;
}

static struct host_module look(const char *name, bool whole)
{
	struct host_module module;
	struct err err;

	if (modules_look_in(arena, &place, name, whole, &module, &err)) {
		if (strstr(err.text, "libkmod")) {
			print_message("# skip: %s\n", err.text);
			skip();
		}
		fail_msg("%s", err.text);
	}
	return module;
}

static void make_loaded(const char *name, const char *state, const char *version)
{
	const char *folder = in(place.sysfs, name);

	scratch_mkdir(folder, 0755);
	scratch_mkdir(in(folder, "parameters"), 0755);
	scratch_write(in(folder, "parameters/debug"), "N\n", 0644);
	scratch_write(in(folder, "parameters/empty"), "\n", 0644);
	if (state) {
		scratch_write(in(folder, "initstate"), state, 0444);
	}
	if (version) {
		scratch_write(in(folder, "version"), version, 0444);
	}
}

static void a_loaded_module_needs_no_library(void **state)
{
	(void)state;
	make_loaded("tun_x", "live\n", NULL);
	struct host_module m = look("tun-x", false);

	assert_true(m.loaded && m.exists && !m.builtin && !m.is_whole);
	assert_int_equal(m.parameters.count, 2);
	assert_true(strcmp(m.parameters.items[0], "debug=N") == 0 ||
	            strcmp(m.parameters.items[1], "debug=N") == 0);
	assert_null(m.version);
}

/* Who uses it, and by which marks its file could be told from it. */
static void a_loaded_module_tells_its_users_and_marks(void **state)
{
	const char *folder = in(place.sysfs, "libcfs");
	char note[36] = "\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0\xab\xcd";

	(void)state;
	make_loaded("libcfs", "live\n", NULL);
	scratch_write(in(folder, "refcnt"), "2\n", 0444);
	scratch_write(in(folder, "srcversion"), "DEADBEEF\n", 0444);
	scratch_mkdir(in(folder, "holders"), 0755);
	scratch_mkdir(in(folder, "holders/lnet"), 0755);
	scratch_mkdir(in(folder, "notes"), 0755);
	FILE *f = fopen(in(folder, "notes/.note.gnu.build-id"), "we");

	assert_non_null(f);
	assert_int_equal(fwrite(note, 1, sizeof note, f), sizeof note);
	assert_int_equal(fclose(f), 0);
	scratch_write(in(config[0], "o.conf"), "options libcfs debug=1 size=2\n", 0644);
	struct host_module m = look("libcfs", true);

	assert_int_equal(m.users.value, 2);
	assert_int_equal(m.holders.count, 1);
	assert_string_equal(m.holders.items[0], "lnet");
	assert_string_equal(m.srcversion, "DEADBEEF");
	assert_string_equal(m.build_id, "abcd000000000000000000000000000000000000");
	assert_int_equal(m.options.count, 2);
	assert_string_equal(m.options.items[1], "size=2");
	assert_false(m.settings.set);
}

static void a_folder_of_sysfs_without_initstate_is_built_in(void **state)
{
	(void)state;
	make_loaded("tcp_cubic", NULL, "2.3\n");
	struct host_module m = look("tcp_cubic", false);

	assert_true(m.loaded && m.builtin && m.exists && !m.is_whole);
	assert_string_equal(m.version, "2.3");
}

static void what_modules_builtin_names_is_built_in_with_either_dash(void **state)
{
	(void)state;
	assert_true(look("loop", false).builtin);
	assert_true(look("nls_utf8", false).loaded);
	assert_false(look("loo", false).builtin);
	assert_false(look("nls", false).builtin);
}

static void one_that_is_being_loaded_is_neither(void **state)
{
	struct host_module module;
	struct err err;

	(void)state;
	make_loaded("slow", "coming\n", NULL);
	assert_int_equal(modules_look_in(arena, &place, "slow", false, &module, &err), -ERR_BUSY);
	assert_non_null(strstr(err.text, "being loaded"));
}

static void what_is_nowhere_does_not_exist(void **state)
{
	(void)state;
	struct host_module m = look("lustre", false);

	assert_false(m.exists || m.loaded || m.builtin || m.index_missing || m.file);
	assert_true(m.is_whole);
}

static void a_file_that_no_index_names_is_said(void **state)
{
	(void)state;
	scratch_mkdir(in(place.folder, "updates"), 0755);
	scratch_mkdir(in(place.folder, "updates/fs"), 0755);
	scratch_write(in(place.folder, "updates/fs/lustre-x.ko.zst"), "no module", 0644);
	struct host_module m = look("lustre_x", false);

	assert_true(m.exists && m.index_missing && !m.loaded);
	assert_string_equal(m.file, in(place.folder, "updates/fs/lustre-x.ko.zst"));
	assert_null(m.file_version);
}

static void a_blacklist_is_seen_when_it_is_asked_for(void **state)
{
	(void)state;
	scratch_write(in(config[0], "no.conf"), "blacklist tun-x\n", 0644);
	make_loaded("tun_x", "live\n", NULL);
	assert_false(look("tun_x", false).is_whole);
	assert_true(look("tun_x", true).blacklisted);
	assert_false(look("lustre", true).blacklisted);
}

/* The first installed module tree of this machine that has a module with a version, as depmod
 * sees it. */
static const char *real_tree(void)
{
	DIR *dir = opendir("/lib/modules");
	const char *found = NULL;
	struct dirent *entry;

	while (dir && !found && (entry = readdir(dir))) {
		const char *path = arena_printf(arena, "/lib/modules/%s", entry->d_name);

		if (entry->d_name[0] != '.' && access(in(path, "modules.dep.bin"), R_OK) == 0) {
			found = path;
		}
	}
	if (dir) {
		closedir(dir);
	}
	return found;
}

static void a_real_tree_tells_file_and_vermagic(void **state)
{
	(void)state;
	const char *tree = real_tree();

	if (!tree) {
		print_message("# skip: no module tree with indexes here\n");
		skip();
	}
	place.folder = tree;
	struct host_module m = look("overlay", false);

	if (m.builtin) {
		skip();
	}
	assert_true(m.exists && !m.loaded && !m.index_missing);
	assert_non_null(strstr(m.file, "/overlay.ko"));
	assert_non_null(strstr(m.vermagic, strrchr(tree, '/') + 1));
}

static void a_newer_file_is_found_beside_a_loaded_version(void **state)
{
	(void)state;
	const char *tree = real_tree();

	if (!tree) {
		print_message("# skip: no module tree with indexes here\n");
		skip();
	}
	place.folder = tree;
	make_loaded("e1000", "live\n", "0.1\n");
	struct host_module m = look("e1000", false);

	assert_true(m.loaded);
	assert_string_equal(m.version, "0.1");
	if (m.builtin || !m.file) {
		skip();
	}
	assert_true(m.is_whole);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_loaded_module_needs_no_library),
	    TEST(a_loaded_module_tells_its_users_and_marks),
	    TEST(a_folder_of_sysfs_without_initstate_is_built_in),
	    TEST(what_modules_builtin_names_is_built_in_with_either_dash),
	    TEST(one_that_is_being_loaded_is_neither),
	    TEST(what_is_nowhere_does_not_exist),
	    TEST(a_file_that_no_index_names_is_said),
	    TEST(a_blacklist_is_seen_when_it_is_asked_for),
	    TEST(a_real_tree_tells_file_and_vermagic),
	    TEST(a_newer_file_is_found_beside_a_loaded_version),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
