// SPDX-License-Identifier: MIT
/*
 * Do the symbol versions that modules were built with agree with what a kernel offers? First all
 * that is imported is put in, then what is offered, from wherever it can be learnt; the first offer
 * of a symbol counts. Lives in the arena it was made in. No libkmod here.
 */
#ifndef HOST_MODULES_PROOF_H
#define HOST_MODULES_PROOF_H

#include "base/mem.h"
#include "host/modules.h"

struct modules_proof;

struct modules_proof *modules_proof_create(struct arena *arena);
/* `module` (borrowed) imports the symbol with that CRC. */
void modules_proof_import(struct modules_proof *proof, const char *symbol, uint32_t crc,
                          const char *module);
/* `by` (borrowed) exports it, or was built against a kernel that does. */
void modules_proof_offer(struct modules_proof *proof, const char *symbol, uint32_t crc,
                         const char *by);
/* All that the kernel and its own modules export, as the build of the kernel left it
 * (Module.symvers: "0xCRC<tab>SYMBOL<tab>WHERE<tab>..." a line); `by` (borrowed) is its file.
 * False: it says nothing of module_layout, which every kernel with symbol versions exports. */
bool modules_proof_symvers(struct modules_proof *proof, const char *text, size_t n, const char *by);
/* Nothing more is to be learnt: module_layout differs, or every import was spoken of. */
bool modules_proof_is_settled(const struct modules_proof *proof);
void modules_proof_tell(const struct modules_proof *proof, struct host_symbols *ret_symbols);

#endif
