// SPDX-License-Identifier: MIT
/* The FSx service's documents, to and from the fields of the kind data_repository. Pure. Private to
 * this room. */
#ifndef PROVIDER_DATA_REPOSITORY_H
#define PROVIDER_DATA_REPOSITORY_H

#include "base/value.h"
#include "provider/provider.h"

/* What a description of file system and associations says of the directory have->file_system_path,
 * which lies on the file system that is mounted as `mounted` (NULL: not told).
 * Without an association for it, `lifecycle` is our own word "busy" (the service works at another
 * one: it makes one at a time) or "impossible", and `failure` says why; or both are unset. */
void data_repository_take(struct arena *arena, const struct value *description,
                          const struct data_repository *want, const char *mounted,
                          struct data_repository *have);

/* The request that carries out the change, as JSON: Create, Update, or (ACTION_REPLACE) Delete. */
const char *data_repository_request(struct arena *arena, const struct change *change);

#endif
