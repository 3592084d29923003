// SPDX-License-Identifier: MIT
/*
 * What apt is about to do, as it tells a hook of DPkg::Pre-Install-Pkgs (apt.conf(5)) in protocol
 * version 2 or 3. Untrusted text in, a list out; no I/O.
 */
#ifndef ENGINE_TRANSACTION_LIST_H
#define ENGINE_TRANSACTION_LIST_H

#include "base/mem.h"

#include <stdbool.h>

/* One package, as it will stand afterwards. */
struct transaction_item {
	const char *name, *architecture;
	const char *old, *new; /* versions, NULL: it is not installed before, or after */
	const char *archive;   /* path of the .deb that is unpacked, NULL: none is */
};

struct transaction_list {
	struct transaction_item *list; /* each package of an architecture once */
	size_t count, cap;
};

/* Cuts the text up in place; the list borrows from it. ERR_INPUT: it is nothing that apt writes, or
 * version 1, which says nothing of removals. */
int transaction_list_parse(char *text, struct arena *arena, struct transaction_list *ret_list,
                           struct err *err) MUST_CHECK;

/* The kernel release when that is the package of a kernel image ("linux-image-6.8.0-1042-aws",
 * "linux-image-unsigned-..."), else NULL: metapackages have no digit there. Borrowed. */
const char *transaction_list_release(const char *package);

#endif
