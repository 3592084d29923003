// SPDX-License-Identifier: MIT
/* SHA-256 (libmd), as 64 hex digits: of trees, policies, facts, plans and files' content. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/value.h"

struct digest {
	char hex[65];
};

struct digest digest_bytes(const void *bytes, size_t n);
/* Of what the value says: positions and quoting do not count, maps must be sealed. */
struct digest digest_value(const struct value *value);

#endif
