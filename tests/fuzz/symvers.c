// SPDX-License-Identifier: MIT
/* What proves a kernel module: a Module.symvers against what was imported, and the note with a
 * build id. */
#include "fuzz/fuzz.h"

#include "host/modules_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *text = arena_strndup(arena, (const char *)data, size);
	struct modules_proof *proof = modules_proof_create(arena);
	struct host_symbols symbols;

	modules_file_note(arena, text, size);
	modules_proof_import(proof, "module_layout", 1, "/a.ko");
	modules_proof_import(proof, "printk", 2, "/a.ko");
	modules_proof_symvers(proof, text, size, "Module.symvers");
	modules_proof_is_settled(proof);
	modules_proof_tell(proof, &symbols);
	return 0;
}
