// SPDX-License-Identifier: MIT
/*
 * What has to be kept so that a package can be installed without a network: itself, all that apt
 * would bring with it now, and of what is installed already what comes from the same place as it
 * does (the vendor's other packages), since a repair may have to bring those back too. The rest of
 * the system is taken to be there.
 *
 * By apt's own simulation and index; nothing is changed. Only cached_package and tests use it.
 */
#ifndef PROVIDER_PACKAGE_CLOSURE_H
#define PROVIDER_PACKAGE_CLOSURE_H

#include "provider/provider.h"

struct closure_part {
	const char *name, *version;
	const char *file;   /* as apt-get download calls it */
	const char *sha256; /* as the signed index has it */
	const char *place;  /* the URI it would come from */
	int64_t size;       /* bytes */
};

struct closure {
	struct closure_part *list; /* the package itself first */
	size_t count, cap;
};

/* Of that name and version. *ret_why: why it cannot be had, as one sentence (and nothing in
 * *ret_closure), or NULL. */
int package_closure_find(struct host *host, const struct closure_part *of, struct arena *arena,
                         struct closure *ret_closure, const char **ret_why,
                         struct err *err) MUST_CHECK;

/* Why apt would not bring it as things stand, or NULL; NULL as well when an observation has no time
 * left to be told: the fetching will say it. */
int package_closure_obstacle(struct host *host, const char *name, const char *version,
                             struct arena *arena, const char **ret_why, struct err *err) MUST_CHECK;

/* Why what this place offers must not be kept, or NULL. `place` may go on behind a blank. */
int package_closure_distrust(struct host *host, const char *name, const char *place,
                             struct arena *arena, const char **ret_why, struct err *err) MUST_CHECK;

/* ---- Pure; for tests ---- */

/* Of `apt-cache policy NAME...`: the URIs that offer this version. Cuts nothing up. */
struct list package_closure_places(struct arena *arena, const char *text, const char *name,
                                   const char *version);
/* Of `apt-cache show NAME=VERSION...`: fills in size, digest and file; false when it is not there.
 */
bool package_closure_take(struct arena *arena, const char *text, struct closure_part *part);

#endif
