// SPDX-License-Identifier: MIT
/*
 * The FSx service (model of 2018-03-01) over its JSON 1.1 protocol: file systems of Lustre and
 * their data repository associations. Throttling and faults of the service are tried again until
 * the deadline; what it refuses is not.
 */
#ifndef HELPER_FSX_H
#define HELPER_FSX_H

#include "base/value.h"
#include "helper/credentials.h"

enum fsx_trouble {
	FSX_NO_TROUBLE,
	FSX_NO_CREDENTIALS,
	FSX_DENIED,      /* not permitted: what is there cannot be told */
	FSX_REFUSED,     /* the service does not want it so: `type` and message say why */
	FSX_NOT_FOUND,   /* there is no such file system */
	FSX_UNREACHABLE, /* no answer in time, or none that can be understood */
};

struct fsx {
	struct arena *arena;
	const char *region;
	const char *endpoint; /* NULL: https://fsx.REGION.amazonaws.com */
	int64_t deadline;
	struct credentials credentials;
	/* After a failure. */
	enum fsx_trouble trouble;
	const char *type; /* the service's word: "ThrottlingException" */
};

const char *fsx_trouble_name(enum fsx_trouble trouble); /* "denied", ... */

/* {"file_system": {...}, "associations": [...]}, as the service describes them. */
int fsx_describe(struct fsx *fsx, const char *file_system, struct value *ret_value,
                 struct err *err) MUST_CHECK;
/* One operation, such as CreateDataRepositoryAssociation, with its request as it is. */
int fsx_call(struct fsx *fsx, const char *operation, const struct value *request,
             struct value *ret_value, struct err *err) MUST_CHECK;

#endif
