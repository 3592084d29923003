// SPDX-License-Identifier: MIT
/* The file of a kernel module, in a namespace of our own: a whole one with the lines of .modinfo
 * that the input brings, and then some of its bytes put otherwise. Needs root. */
#include "fuzz/fuzz.h"
#include "unit/host/module_maker.h"

#include "host/modules_file.h"

#define FILE_PATH "/mnt/a.ko"

/* A change: two bytes that say where, one that is put there. */
enum { CHANGE = 3 };

static const struct modules_library *kmod;
static struct kmod_ctx *ctx;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const config[] = {"/nonexistent", NULL};
	struct err err;

	(void)argc;
	(void)argv;
	fuzz_own("/mnt");
	kmod = modules_library(&err);
	ctx = kmod ? modules_library_context(kmod, "/mnt", config, &err) : NULL;
	HOLDS(ctx);
	return 0;
}

static void write_module(struct arena *arena, struct fuzz_rest *rest)
{
	static const struct maker_symbol imports[] = {{"module_layout", 1}, {"printk", 2}, {NULL, 0}};
	static const struct maker_symbol exports[] = {{"shown", 3}, {NULL, 0}};
	static const unsigned char id[20] = {0xde, 0xad};
	struct str bytes = maker_bytes(&(struct maker){.vermagic = "6.1.0 SMP ",
	                                               .info = fuzz_text(arena, rest),
	                                               .depends = "b",
	                                               .imports = imports,
	                                               .exports = exports,
	                                               .build_id = id});
	const uint8_t *change = rest->data;

	for (size_t n = change ? rest->size : 0; n >= CHANGE; n -= CHANGE, change += CHANGE) {
		bytes.data[(change[0] | (size_t)change[1] << 8) % bytes.length] = (char)change[2];
	}
	fuzz_write(FILE_PATH, bytes.data, bytes.length);
	str_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct modules_proof *proof = modules_proof_create(arena);
	struct fuzz_rest rest = {data, size};
	struct host_symbols symbols;
	struct modules_file file;

	write_module(arena, &rest);
	modules_file_read(kmod, ctx, arena, FILE_PATH, proof, &file);
	for (size_t i = 0; i < file.needs.count; i++) {
		HOLDS(file.needs.items[i]);
	}
	if (!file.told.damaged && !file.told.hidden && !file.told.packed) {
		modules_file_exports(kmod, ctx, FILE_PATH, proof);
	}
	modules_file_witness(kmod, ctx, FILE_PATH, modules_file_layout(kmod, ctx, FILE_PATH), proof);
	modules_proof_tell(proof, &symbols);
	return 0;
}
