// SPDX-License-Identifier: MIT
/*
 * With which credentials AWS is asked. In this order, the first that has any: the environment, the
 * profile file, the container's service, the instance's metadata (IMDSv2 only). Where they came
 * from may be shown; they themselves never leave this program but in signatures.
 */
#ifndef HELPER_CREDENTIALS_H
#define HELPER_CREDENTIALS_H

#include "base/mem.h"

#include <stdint.h>

struct credentials {
	const char *key, *secret;
	const char *token;  /* of temporary ones, else NULL */
	const char *source; /* in words */
};

/* ERR_INPUT: there are some, and they are not usable; ERR_HOST: there are none. The words say what
 * was tried. Environment variables are those of the AWS tools. */
int credentials_find(struct arena *arena, int64_t deadline, struct credentials *ret_credentials,
                     struct err *err) MUST_CHECK;

#endif
