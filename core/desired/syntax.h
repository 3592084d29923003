// SPDX-License-Identifier: MIT
/*
 * What a YAML parser says about a fault of syntax, in words for somebody who has never heard of
 * tokens and block nodes. May call core/base.
 */
#ifndef DESIRED_SYNTAX_H
#define DESIRED_SYNTAX_H

#include "desired/fault.h"

struct syntax_fault {
	const char *problem; /* libyaml's words; NULL: none given */
	const char *context; /* "while scanning a simple key", or NULL */
	struct pos at;       /* where it noticed */
	struct pos began;    /* where what it was reading began; line 0: not known */
	char found;          /* the first byte of the character at `at`, 0 at the end of the text */
};

void syntax_report(const struct syntax_fault *fault, struct faults *faults);

#endif
