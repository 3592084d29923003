// SPDX-License-Identifier: MIT
/*
 * What a kernel exports, as its headers (Module.symvers) or its image package (symvers.gz) tell.
 * The packed kind is read by zlib, which is loaded when there is such a file.
 */
#ifndef HOST_MODULES_SYMVERS_H
#define HOST_MODULES_SYMVERS_H

#include "host/modules_proof.h"

/* Puts it to the proof; the path is borrowed. False: there is no such file, it cannot be read, or
 * it is none. */
bool modules_symvers_offer(struct modules_proof *proof, const char *path);

#endif
