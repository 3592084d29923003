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

struct fsx_question {
	const char *verb;     /* describe, create, update, delete */
	const char *argument; /* a file system for "describe", otherwise a request as JSON */
	const char *region;   /* NULL: that of the environment */
};

/* 0 whatever the service said. */
int fsx_ask(struct host *host, const struct fsx_question *question, struct arena *arena,
            struct fsx_answer *ret_answer, struct err *err) MUST_CHECK;

#endif
