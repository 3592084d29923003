// SPDX-License-Identifier: MIT
/*
 * The real machine with a fault in it: the n-th operation fails, before it has done anything or
 * after. Calls are counted whether one fails or not. One at a time: fault_host_table() sets the
 * counter anew.
 */
#ifndef FAKE_FAULT_HOST_H
#define FAKE_FAULT_HOST_H

#include "host/host.h"

enum fault_when {
	FAULT_NEVER,
	FAULT_BEFORE, /* the operation is not carried out and says so */
	FAULT_AFTER,  /* it is carried out and says that it was not */
};

/* A table in front of host_linux_ops; the n-th call from now on (1 is the first) fails. */
const struct host_ops *fault_host_table(unsigned n, enum fault_when when);
/* How many operations were called since. */
unsigned fault_host_calls(void);
/* The name of the one that failed, NULL when none did. */
const char *fault_host_hit(void);
/* Whether that is one that changes nothing in the machine. */
bool fault_host_reads(void);

#endif
