// SPDX-License-Identifier: MIT
/* Asking the FSx service, through the program reconcile-fsx (core/helper/main.c). Runs in a worker;
 * texts live in the arena. */
#ifndef PROVIDER_FSX_CALL_H
#define PROVIDER_FSX_CALL_H

#include "base/value.h"
#include "provider/provider.h"

struct fsx_answer {
	struct value body;   /* sealed; null when there was trouble */
	const char *trouble; /* NULL, or a word of the program: denied, unreachable, refused, ... */
	const char *why;     /* and the sentence */
};

/* `argument` is a file system for "describe", a request as JSON for "create", "update", "delete".
 * `region` NULL: that of the environment. 0 whatever the service said. */
int fsx_ask(struct host *host, const char *verb, const char *argument, const char *region,
            struct arena *arena, struct fsx_answer *ret_answer, struct err *err) MUST_CHECK;

#endif
