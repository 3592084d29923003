// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "unit/host/module_maker.h"

#include "base/child.h"
#include "host/modules_inner.h"
#include "host/modules_library.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define RELEASE "6.1.0-56-test"
#define FLAGS " SMP preempt mod_unload modversions "
#define HERE RELEASE FLAGS
#define THERE "6.1.0-50-test" FLAGS

static struct arena *arena;
static struct modules_place place;
static const char *config[2];

static const struct maker_symbol kernel[] = {
    {"module_layout", 0xa1}, {"kmalloc", 0xa2}, {"printk", 0xa3}, {"iget", 0xa4}, {NULL, 0}};

static const char *in(const char *name)
{
	return arena_printf(arena, "%s/%s", place.folder, name);
}

static void make_folders(const char *path)
{
	char *copy = arena_strdup(arena, path);

	for (char *slash = strchr(copy + strlen(place.folder), '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (access(copy, F_OK)) {
			scratch_mkdir(copy, 0755);
		}
		*slash = '/';
	}
}

static const char *put(const char *name, const struct maker *m)
{
	const char *path = in(name);
	struct str bytes = maker_bytes(m);

	make_folders(path);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes.data, 1, bytes.length, f), bytes.length);
	assert_int_equal(fclose(f), 0);
	str_free(&bytes);
	return path;
}

/* Needs the program, which every system with modules has. */
static void run_depmod(void)
{
	const char *root = scratch_path("root");
	const char *const argv[] = {"depmod", "-b", root, RELEASE, NULL};
	struct child_command command = {.argv = argv, .timeout_ms = 10000};
	struct child_result result;
	struct err err;

	if (child_run(&command, &result, &err)) {
		print_message("# skip: no depmod: %s\n", err.text);
		skip();
	}
	assert_int_equal(result.status, 0);
	child_result_free(&result);
}

/* A kernel with two modules of its own, and lustre with the two it needs, beside them. */
static void make_tree(void)
{
	const struct maker_symbol little[] = {{"module_layout", 0xa1}, {NULL, 0}};
	const struct maker_symbol libcfs[] = {{"cfs_hash", 0xb1}, {NULL, 0}};
	const struct maker_symbol lustre[] = {
	    {"module_layout", 0xa1}, {"kmalloc", 0xa2}, {"cfs_hash", 0xb1}, {NULL, 0}};

	put("kernel/fs/own.ko",
	    &(struct maker){.vermagic = HERE, .info = "intree=Y\n", .imports = kernel});
	put("kernel/fs/little.ko",
	    &(struct maker){.vermagic = HERE, .info = "intree=Y\n", .imports = little});
	put("updates/libcfs.ko",
	    &(struct maker){.vermagic = HERE, .imports = kernel, .exports = libcfs});
	put("updates/lustre.ko", &(struct maker){.vermagic = HERE,
	                                         .info = "version=2.15.6\nalias=fs-lustre\n",
	                                         .depends = "libcfs",
	                                         .imports = lustre});
}

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	scratch_mkdir(scratch_path("root"), 0755);
	scratch_mkdir(scratch_path("root/lib"), 0755);
	scratch_mkdir(scratch_path("root/lib/modules"), 0755);
	scratch_mkdir(scratch_path("root/lib/modules/" RELEASE), 0755);
	scratch_mkdir(scratch_path("modprobe.d"), 0755);
	scratch_mkdir(scratch_path("boot"), 0755);
	scratch_mkdir(scratch_path("security"), 0755);
	config[0] = arena_strdup(arena, scratch_path("modprobe.d"));
	place = (struct modules_place){
	    .sysfs = arena_strdup(arena, scratch_path("sys")),
	    .folder = arena_strdup(arena, scratch_path("root/lib/modules/" RELEASE)),
	    .config = config,
	    .release = RELEASE,
	    .boot = arena_strdup(arena, scratch_path("boot")),
	    .sources = arena_strdup(arena, scratch_path("src")),
	    .security = arena_strdup(arena, scratch_path("security")),
	};
	scratch_write(in("modules.builtin"), "kernel/drivers/block/loop.ko\n", 0644);
	scratch_write(in("modules.order"), "", 0644);
	make_tree();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_clear();
	arena_free(arena);
	return 0;
}

static struct host_loadable ask(const char *name)
{
	struct host_loadable found;
	struct err err;

	if (modules_loadable_in(arena, &place, name, &found, &err)) {
		if (strstr(err.text, "libkmod")) {
			print_message("# skip: %s\n", err.text);
			skip();
		}
		fail_msg("%s", err.text);
	}
	return found;
}

static void a_right_module_is_proved_by_the_kernels_own(void **state)
{
	(void)state;
	run_depmod();
	struct host_loadable f = ask("lustre");

	assert_true(f.has_tree && !f.builtin && !f.index_fault && !f.blacklisted && !f.redirected);
	assert_string_equal(f.file.path, in("updates/lustre.ko"));
	assert_string_equal(f.file.version, "2.15.6");
	assert_string_equal(f.file.filesystem, "lustre");
	assert_string_equal(f.vermagic, HERE);
	assert_int_equal(f.need_count, 1);
	assert_string_equal(f.needs[0].name, "libcfs");
	/* Four of the kernel, one of libcfs. */
	assert_int_equal(f.symbols.total, 5);
	assert_int_equal(f.symbols.proved, 5);
	assert_false(f.symbols.complete);
	assert_null(f.symbols.bad);
	assert_null(f.enforced);
}

static void one_of_another_kernel_differs_in_its_layout(void **state)
{
	const struct maker_symbol old[] = {{"kmalloc", 0x92}, {"module_layout", 0x91}, {NULL, 0}};

	(void)state;
	put("updates/lustre.ko", &(struct maker){.vermagic = THERE, .imports = old});
	run_depmod();
	struct host_loadable f = ask("lustre");

	assert_string_equal(f.symbols.bad, "module_layout");
	assert_string_equal(f.symbols.bad_in, "lustre");
	assert_int_equal(f.symbols.bad_wanted, 0x91);
	assert_int_equal(f.symbols.bad_offered, 0xa1);
	assert_string_equal(f.symbols.bad_by, in("kernel/fs/own.ko"));
}

static void one_that_needs_another_build_of_its_neighbour_differs(void **state)
{
	const struct maker_symbol other[] = {{"cfs_hash", 0xb2}, {NULL, 0}};

	(void)state;
	put("updates/libcfs.ko",
	    &(struct maker){.vermagic = HERE, .imports = kernel, .exports = other});
	run_depmod();
	struct host_loadable f = ask("lustre");

	assert_string_equal(f.symbols.bad, "cfs_hash");
	assert_string_equal(f.symbols.bad_by, in("updates/libcfs.ko"));
}

static void a_wrong_neighbour_is_found_as_well(void **state)
{
	const struct maker_symbol old[] = {{"module_layout", 0x91}, {NULL, 0}};
	const struct maker_symbol libcfs[] = {{"cfs_hash", 0xb1}, {NULL, 0}};

	(void)state;
	put("updates/libcfs.ko", &(struct maker){.vermagic = THERE, .imports = old, .exports = libcfs});
	run_depmod();
	struct host_loadable f = ask("lustre");

	assert_string_equal(f.symbols.bad, "module_layout");
	assert_string_equal(f.symbols.bad_in, "libcfs");
}

static void what_no_other_module_imports_is_not_proved_without_headers(void **state)
{
	const struct maker_symbol rare[] = {{"module_layout", 0xa1}, {"rare_symbol", 0xc1}, {NULL, 0}};

	(void)state;
	put("updates/lustre.ko", &(struct maker){.vermagic = HERE, .imports = rare});
	run_depmod();
	assert_int_equal(ask("lustre").symbols.total, 2);
	assert_int_equal(ask("lustre").symbols.proved, 1);
	/* With them it is, and what they do not name is not exported. */
	scratch_mkdir(in("build"), 0755);
	scratch_write(in("build/Module.symvers"),
	              "0x000000a1\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n"
	              "0x000000c1\trare_symbol\tvmlinux\tEXPORT_SYMBOL\t\n",
	              0644);
	struct host_loadable f = ask("lustre");

	assert_true(f.symbols.complete);
	assert_int_equal(f.symbols.proved, 2);
	scratch_write(in("build/Module.symvers"),
	              "0x000000a1\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n", 0644);
	f = ask("lustre");
	assert_string_equal(f.symbols.missing, "rare_symbol");
	assert_string_equal(f.symbols.missing_in, "lustre");
}

static void headers_beside_the_tree_are_found_by_their_release(void **state)
{
	(void)state;
	run_depmod();
	scratch_mkdir(scratch_path("src"), 0755);
	scratch_mkdir(scratch_path("src/linux-headers-" RELEASE), 0755);
	scratch_write(scratch_path("src/linux-headers-" RELEASE "/Module.symvers"),
	              "0x00000077\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n", 0644);
	struct host_loadable f = ask("lustre");

	assert_string_equal(f.symbols.bad, "module_layout");
	assert_int_equal(f.symbols.bad_offered, 0x77);
}

static void what_is_asked_about_is_no_witness_of_itself(void **state)
{
	(void)state;
	unlink(in("kernel/fs/little.ko"));
	run_depmod();
	struct host_loadable f = ask("own");

	assert_int_equal(f.symbols.proved, 0);
	assert_null(f.vermagic);
}

static void one_of_another_kernel_is_no_witness_wherever_it_lies(void **state)
{
	const struct maker_symbol old[] = {
	    {"module_layout", 0x91}, {"kmalloc", 0x92}, {"printk", 0x93}, {"iget", 0x94}, {NULL, 0}};

	(void)state;
	/* Larger than the others: it is asked first. */
	put("kernel/fs/alien.ko", &(struct maker){.vermagic = THERE,
	                                          .info = "intree=Y\ndescription=from elsewhere\n",
	                                          .imports = old});
	run_depmod();
	struct host_loadable f = ask("lustre");

	assert_null(f.symbols.bad);
	assert_int_equal(f.symbols.proved, 5);
	assert_string_equal(ask("alien").symbols.bad, "module_layout");
}

static void without_a_module_of_its_own_nothing_speaks_for_a_kernel(void **state)
{
	const struct maker_symbol loose[] = {{"kmalloc", 0x92}, {NULL, 0}};

	(void)state;
	put("kernel/fs/own.ko", &(struct maker){.vermagic = THERE, .imports = loose});
	put("kernel/fs/little.ko", &(struct maker){.vermagic = THERE, .imports = loose});
	run_depmod();
	struct host_loadable f = ask("lustre");

	assert_null(f.vermagic);
	assert_null(f.symbols.bad);
	assert_int_equal(f.symbols.proved, 1); /* what libcfs exports */
}

static void without_an_index_the_files_are_found_all_the_same(void **state)
{
	(void)state;
	run_depmod();
	unlink(in("modules.dep.bin"));
	struct host_loadable f = ask("lustre");

	assert_string_equal(f.index_fault, arena_printf(arena, "%s is missing", in("modules.dep.bin")));
	assert_int_equal(f.need_count, 1);
	assert_int_equal(f.symbols.proved, 5);
}

static void an_index_that_is_behind_is_told(void **state)
{
	const struct maker_symbol one[] = {{"module_layout", 0xa1}, {NULL, 0}};

	(void)state;
	unlink(in("updates/lustre.ko"));
	run_depmod();
	const char *path = put("updates/lustre.ko", &(struct maker){.vermagic = HERE, .imports = one});
	assert_string_equal(ask("lustre").index_fault, arena_printf(arena, "%s is in no index", path));
	run_depmod();
	assert_null(ask("lustre").index_fault);
	/* A newer one needs more than the index knows. */
	put("updates/lustre.ko",
	    &(struct maker){.vermagic = HERE, .imports = one, .depends = "libcfs"});
	assert_string_equal(ask("lustre").index_fault,
	                    "the index does not know that lustre needs libcfs");
	unlink(path);
	put("extra/lustre.ko", &(struct maker){.vermagic = HERE, .imports = one});
	assert_string_equal(ask("lustre").index_fault,
	                    arena_printf(arena, "it names %s, which is gone", path));
}

static void a_needed_module_without_a_file_is_named(void **state)
{
	(void)state;
	unlink(in("updates/libcfs.ko"));
	run_depmod();
	struct host_loadable f = ask("lustre");

	assert_int_equal(f.need_count, 1);
	assert_null(f.needs[0].path);
	assert_string_equal(f.needs[0].name, "libcfs");
}

static void what_is_built_in_needs_no_file(void **state)
{
	const struct maker_symbol one[] = {{"module_layout", 0xa1}, {NULL, 0}};

	(void)state;
	assert_true(ask("loop").builtin);
	put("updates/lustre.ko", &(struct maker){.vermagic = HERE, .imports = one, .depends = "loop"});
	run_depmod();
	assert_int_equal(ask("lustre").need_count, 0);
}

static void a_release_without_a_tree_has_nothing(void **state)
{
	struct host_loadable f;

	(void)state;
	place.folder = scratch_path("root/lib/modules/7.0");
	f = ask("lustre");
	assert_false(f.has_tree || f.builtin || f.file.path);
}

static void every_cut_of_a_file_is_seen(void **state)
{
	const char *path = in("updates/lustre.ko");

	(void)state;
	run_depmod();
	AUTO(fd_auto) int fd = open(path, O_RDONLY);
	off_t size = lseek(fd, 0, SEEK_END);

	for (off_t n = size - 1; n >= 0; n -= n > 64 ? 37 : 1) {
		assert_int_equal(truncate(path, n), 0);
		struct host_loadable f = ask("lustre");

		if (!f.file.damaged || f.symbols.total) {
			fail_msg("cut to %lld of %lld bytes it seems whole", (long long)n, (long long)size);
		}
	}
}

/* Whatever stands in a file, it is told about and nothing falls over. */
static void bytes_turned_at_random_do_no_harm(void **state)
{
	const char *const paths[] = {in("updates/lustre.ko"), in("updates/libcfs.ko")};
	unsigned seed = 7;

	(void)state;
	run_depmod();
	for (int round = 0; round < 1500; round++) {
		make_tree();
		AUTO(fd_auto) int fd = open(paths[round % 2], O_RDWR);
		off_t size = lseek(fd, 0, SEEK_END);

		for (int i = 0; i < 4; i++) {
			char byte = (char)rand_r(&seed);

			assert_int_equal(pwrite(fd, &byte, 1, rand_r(&seed) % size), 1);
		}
		ask("lustre");
	}
}

static void a_blacklist_and_a_redirection_are_found_where_they_stand(void **state)
{
	(void)state;
	run_depmod();
	scratch_write(scratch_path("modprobe.d/a.conf"), "# no\nblacklist lustre\n", 0644);
	struct host_loadable f = ask("lustre");

	assert_true(f.blacklisted);
	assert_string_equal(f.blacklisted_by, arena_printf(arena, "%s/a.conf:2", config[0]));
	assert_null(f.redirected);
	scratch_write(scratch_path("modprobe.d/b.conf"), "install libcfs /bin/false\n", 0644);
	f = ask("lustre");
	assert_string_equal(f.redirected, "/bin/false");
	assert_string_equal(f.redirected_by, arena_printf(arena, "%s/b.conf:1", config[0]));
}

static void who_demands_a_signature_is_told(void **state)
{
	(void)state;
	run_depmod();
	scratch_write(scratch_path("boot/config-" RELEASE), "CONFIG_A=y\nCONFIG_MODULE_SIG=y\n", 0644);
	assert_null(ask("lustre").enforced);
	scratch_write(scratch_path("boot/config-" RELEASE), "CONFIG_MODULE_SIG_FORCE=y\n", 0644);
	assert_non_null(strstr(ask("lustre").enforced, "CONFIG_MODULE_SIG_FORCE"));
	scratch_write(scratch_path("security/lockdown"), "[none] integrity confidentiality\n", 0644);
	assert_non_null(strstr(ask("lustre").enforced, "CONFIG_MODULE_SIG_FORCE"));
	scratch_write(scratch_path("security/lockdown"), "none [integrity] confidentiality\n", 0644);
	assert_non_null(strstr(ask("lustre").enforced, "lockdown"));
	assert_null(ask("lustre").file.signer);
}

/* Asked as somebody who is not root. */
static int ask_as_nobody(struct host_loadable *ret_found, struct err *err)
{
	assert_int_equal(seteuid(65534), 0);
	int r = modules_loadable_in(arena, &place, "lustre", ret_found, err);

	assert_int_equal(seteuid(0), 0);
	return r;
}

static void what_is_not_for_us_to_see_is_neither_missing_nor_damaged(void **state)
{
	struct host_loadable found;
	struct err err = {0};

	(void)state;
	SCRATCH_NEEDS_ROOT();
	run_depmod();
	assert_int_equal(chmod(scratch_dir(), 0755), 0);
	assert_int_equal(chmod(in("updates/lustre.ko"), 0600), 0);
	assert_int_equal(ask_as_nobody(&found, &err), 0);
	assert_null(found.file.damaged);
	assert_non_null(found.file.hidden);
	assert_int_equal(chmod(place.folder, 0700), 0);
	assert_int_not_equal(ask_as_nobody(&found, &err), 0);
	assert_int_equal(err.os, EACCES);
	assert_int_equal(chmod(scratch_dir(), 0700), 0);
	assert_int_not_equal(ask_as_nobody(&found, &err), 0);
	assert_int_equal(err.os, EACCES);
	assert_int_equal(chmod(place.folder, 0755), 0);
}

static __typeof__(&kmod_new) real_new;
static unsigned contexts, context_fails_at;

static struct kmod_ctx *scarce_new(const char *folder, const char *const *paths)
{
	if (++contexts == context_fails_at) {
		errno = ENOMEM;
		return NULL;
	}
	return real_new(folder, paths);
}

static void a_library_that_gives_out_is_no_answer(void **state)
{
	struct host_loadable found;
	struct err err = {0};
	/* Its table is in plain memory of this process. */
	struct modules_library *kmod = (struct modules_library *)modules_library(&err);

	(void)state;
	if (!kmod) {
		print_message("# skip: %s\n", err.text);
		skip();
	}
	run_depmod();
	real_new = kmod->kmod_new;
	kmod->kmod_new = scarce_new;
	for (context_fails_at = 1; context_fails_at <= 2; context_fails_at++) {
		contexts = 0;
		err = (struct err){0};
		int r = modules_loadable_in(arena, &place, "lustre", &found, &err);

		assert_int_equal(r, -(int)ERR_HOST);
		assert_int_equal(err.os, ENOMEM);
	}
	contexts = 0; /* it takes no third */
	err = (struct err){0};
	assert_int_equal(modules_loadable_in(arena, &place, "lustre", &found, &err), 0);
	kmod->kmod_new = real_new;
	assert_int_equal(contexts, 2);
	assert_int_equal(err.code, 0);
	assert_null(found.index_fault);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_right_module_is_proved_by_the_kernels_own),
	    TEST(one_of_another_kernel_differs_in_its_layout),
	    TEST(one_that_needs_another_build_of_its_neighbour_differs),
	    TEST(a_wrong_neighbour_is_found_as_well),
	    TEST(what_no_other_module_imports_is_not_proved_without_headers),
	    TEST(headers_beside_the_tree_are_found_by_their_release),
	    TEST(what_is_asked_about_is_no_witness_of_itself),
	    TEST(one_of_another_kernel_is_no_witness_wherever_it_lies),
	    TEST(without_a_module_of_its_own_nothing_speaks_for_a_kernel),
	    TEST(without_an_index_the_files_are_found_all_the_same),
	    TEST(an_index_that_is_behind_is_told),
	    TEST(a_needed_module_without_a_file_is_named),
	    TEST(what_is_built_in_needs_no_file),
	    TEST(a_release_without_a_tree_has_nothing),
	    TEST(every_cut_of_a_file_is_seen),
	    TEST(bytes_turned_at_random_do_no_harm),
	    TEST(a_blacklist_and_a_redirection_are_found_where_they_stand),
	    TEST(who_demands_a_signature_is_told),
	    TEST(what_is_not_for_us_to_see_is_neither_missing_nor_damaged),
	    TEST(a_library_that_gives_out_is_no_answer),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
