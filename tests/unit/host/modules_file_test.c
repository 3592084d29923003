// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "unit/host/module_maker.h"

#include "host/modules_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena *arena;
static const struct modules_library *kmod;
static struct kmod_ctx *ctx;

static int setup(void **state)
{
	static const char *const config[] = {"/nonexistent", NULL};
	struct err err;

	(void)state;
	arena = arena_create();
	kmod = modules_library(&err);
	ctx = kmod ? modules_library_context(kmod, scratch_dir(), config, &err) : NULL;
	return ctx ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	kmod->kmod_unref(ctx);
	scratch_clear();
	arena_free(arena);
	return 0;
}

static void put(const char *name, const void *bytes, size_t n)
{
	FILE *f = fopen(scratch_path(name), "we");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static struct modules_file read_one(const char *name)
{
	struct modules_file file;

	modules_file_read(kmod, ctx, arena, scratch_path(name), NULL, &file);
	return file;
}

static void a_module_tells_of_itself(void **state)
{
	static const unsigned char id[20] = {0xde, 0xad, 0xbe, 0xef};
	struct str bytes = maker_bytes(&(struct maker){
	    .vermagic = "6.1 SMP ",
	    .info = "version=2.15\nsrcversion=ABC\nparm=debug:how loud (int)\n"
	            "parmtype=debug:int\nparmtype=size:uint\nintree=Y\nalias=pci:x\nalias=fs-lustre\n",
	    .depends = "lnet,libcfs",
	    .build_id = id});

	(void)state;
	put("lu-stre.ko", bytes.data, bytes.length);
	str_free(&bytes);
	struct modules_file file = read_one("lu-stre.ko");

	assert_null(file.told.damaged);
	assert_string_equal(file.told.name, "lu_stre");
	assert_string_equal(file.told.vermagic, "6.1 SMP ");
	assert_string_equal(file.told.version, "2.15");
	assert_string_equal(file.told.filesystem, "lustre");
	assert_string_equal(file.srcversion, "ABC");
	assert_string_equal(file.build_id, "deadbeef00000000000000000000000000000000");
	assert_true(file.is_own);
	assert_int_equal(file.needs.count, 2);
	assert_string_equal(file.needs.items[1], "libcfs");
	assert_null(file.told.signer);
	assert_int_equal(file.settings.count, 2);
	assert_string_equal(file.settings.items[1], "size");
}

static void what_is_no_module_is_damaged(void **state)
{
	(void)state;
	put("a.ko", "", 0);
	assert_string_equal(read_one("a.ko").told.damaged, "it is empty");
	put("a.ko", "no module at all, but some text", 31);
	assert_string_equal(read_one("a.ko").told.damaged, "it is cut off, or no module");
	assert_int_equal(unlink(scratch_path("a.ko")), 0);
	assert_int_equal(symlink("/nonexistent", scratch_path("a.ko")), 0);
	assert_string_equal(read_one("a.ko").told.damaged,
	                    "it is a link to something that is not there");
}

/* libkmod alone would wait for somebody to write into the pipe. */
static void what_is_no_regular_file_is_damaged_and_not_waited_for(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(scratch_path("pipe.ko"), 0600), 0);
	alarm(60);
	assert_string_equal(read_one("pipe.ko").told.damaged, "it is no regular file");
	assert_int_equal(mkdir(scratch_path("folder.ko"), 0700), 0);
	assert_string_equal(read_one("folder.ko").told.damaged, "it is no regular file");
	assert_int_equal(symlink("/dev/zero", scratch_path("zero.ko")), 0);
	assert_string_equal(read_one("zero.ko").told.damaged, "it is no regular file");
	alarm(0);
}

/* On Debian libkmod is built without zlib; elsewhere with it. Either is told as it is. */
static void what_cannot_be_unpacked_is_no_damage(void **state)
{
	(void)state;
	put("a.ko.gz", "\x1f\x8b\x08 and so on", 13);
	struct modules_file file = read_one("a.ko.gz");

	assert_true((file.told.packed != NULL) != (file.told.damaged != NULL));
	if (file.told.packed) {
		assert_string_equal(file.told.packed, "gzip");
	}
}

static void a_note_that_is_none_is_passed_over(void **state)
{
	Elf64_Nhdr head = {.n_namesz = 4, .n_descsz = 4, .n_type = NT_GNU_BUILD_ID};
	char note[20];

	(void)state;
	memcpy(note, &head, sizeof head);
	memcpy(note + sizeof head, "GNU\0\x01\x02\x03\x04", 8);
	assert_string_equal(modules_file_note(arena, note, 20), "01020304");
	for (size_t n = 0; n < 20; n++) {
		assert_null(modules_file_note(arena, note, n));
	}
	head.n_type = 3 + NT_GNU_BUILD_ID;
	memcpy(note, &head, sizeof head);
	assert_null(modules_file_note(arena, note, 20));
}

static void imports_and_exports_reach_the_proof(void **state)
{
	const struct maker_symbol imports[] = {{"a", 1}, {"b", 2}, {"module_layout", 7}, {NULL, 0}};
	const struct maker_symbol exports[] = {{"b", 3}, {NULL, 0}};
	struct modules_proof *proof = modules_proof_create(arena);
	struct host_symbols symbols;
	struct modules_file file;
	struct str one = maker_bytes(&(struct maker){.vermagic = "6.1 ", .imports = imports});
	struct str two = maker_bytes(&(struct maker){.vermagic = "6.1 ", .exports = exports});

	(void)state;
	put("one.ko", one.data, one.length);
	put("two.ko", two.data, two.length);
	str_free(&one);
	str_free(&two);
	modules_file_read(kmod, ctx, arena, scratch_path("one.ko"), proof, &file);
	assert_true(file.told.has_crcs);
	modules_file_exports(kmod, ctx, scratch_path("two.ko"), proof);
	modules_file_witness(kmod, ctx, scratch_path("none.ko"), 7, proof);
	modules_file_witness(kmod, ctx, scratch_path("one.ko"), 8, proof);
	modules_proof_tell(proof, &symbols);
	assert_int_equal(symbols.proved, 1);
	assert_int_equal(modules_file_layout(kmod, ctx, scratch_path("one.ko")), 7);
	assert_int_equal(modules_file_layout(kmod, ctx, scratch_path("two.ko")), 0);
	modules_file_witness(kmod, ctx, scratch_path("one.ko"), 7, proof);
	modules_proof_tell(proof, &symbols);
	assert_int_equal(symbols.total, 3);
	assert_int_equal(symbols.proved, 3);
	assert_string_equal(symbols.bad, "b");
	assert_int_equal(symbols.bad_offered, 3);
}

/* libkmod would end the process. */
static void a_file_whose_sections_have_no_names_is_not_heard(void **state)
{
	const struct maker_symbol imports[] = {{"module_layout", 7}, {NULL, 0}};
	struct str bytes = maker_bytes(&(struct maker){.vermagic = "6.1 ", .imports = imports});
	Elf64_Ehdr head;

	(void)state;
	memcpy(&head, bytes.data, sizeof head);
	head.e_shstrndx = SHN_UNDEF;
	memcpy(bytes.data, &head, sizeof head);
	put("a.ko", bytes.data, bytes.length);
	str_free(&bytes);
	assert_int_equal(modules_file_layout(kmod, ctx, scratch_path("a.ko")), 0);
	assert_non_null(read_one("a.ko").told.damaged);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_module_tells_of_itself),
	    TEST(what_is_no_module_is_damaged),
	    TEST(what_is_no_regular_file_is_damaged_and_not_waited_for),
	    TEST(what_cannot_be_unpacked_is_no_damage),
	    TEST(a_note_that_is_none_is_passed_over),
	    TEST(imports_and_exports_reach_the_proof),
	    TEST(a_file_whose_sections_have_no_names_is_not_heard),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
