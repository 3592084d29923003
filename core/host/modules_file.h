// SPDX-License-Identifier: MIT
/*
 * One file of a module, read by libkmod, which also unpacks it. The context comes from
 * modules_library_context(); nothing of it is kept.
 */
#ifndef HOST_MODULES_FILE_H
#define HOST_MODULES_FILE_H

#include "host/modules.h"
#include "host/modules_library.h"
#include "host/modules_proof.h"

struct modules_file {
	struct host_module_file told;
	const char *srcversion;
	const char *build_id; /* hex; NULL: packed, or it has none */
	struct list needs;    /* the modules it was linked against: "depends" */
	struct list settings; /* the names of the parameters that it takes */
	size_t settings_cap;
	bool is_own; /* built together with the kernel: "intree" */
};

/* Reads what the file says of itself; one that cannot be read has told.damaged, told.hidden or
 * told.packed.
 * With a proof (may be NULL), what it imports becomes imports of the module. Texts come into the
 * arena. */
void modules_file_read(const struct modules_library *kmod, struct kmod_ctx *ctx,
                       struct arena *arena, const char *path, struct modules_proof *proof,
                       struct modules_file *ret_file);
/* The version of module_layout that it was built with; 0: it has none. */
uint32_t modules_file_layout(const struct modules_library *kmod, struct kmod_ctx *ctx,
                             const char *path);
/* What it imports, as offers of its path (borrowed): a module that was built together with a kernel
 * tells what that kernel exports. One with another layout belongs to another kernel, wherever it
 * lies, and is not heard. */
void modules_file_witness(const struct modules_library *kmod, struct kmod_ctx *ctx,
                          const char *path, uint32_t layout, struct modules_proof *proof);
/* What it exports, as offers of its path. */
void modules_file_exports(const struct modules_library *kmod, struct kmod_ctx *ctx,
                          const char *path, struct modules_proof *proof);
/* Of a note (elf(5)): its build id as hex, NULL: it is none. */
const char *modules_file_note(struct arena *arena, const char *bytes, size_t n);

#endif
