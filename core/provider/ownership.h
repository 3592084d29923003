// SPDX-License-Identifier: MIT
/* Mode, owner and group, which files and directories have in common. Private to this room. */
#ifndef PROVIDER_OWNERSHIP_H
#define PROVIDER_OWNERSHIP_H

#include "provider/provider.h"

/* As wanted or observed; NULL = not enforced. */
struct ownership {
	const char *mode, *owner, *group;
};

struct ownership_ids {
	unsigned mode, uid, gid;
	bool foreign; /* of somebody else than the one who acts */
};

/* The words of the field "type". */
const char *ownership_type(enum file_type type);

/* The owner and group of what was looked at: by the names (or numbers) that are wanted where these
 * mean the same, so that one user has one name; else by the names the machine has for them. */
void ownership_name(const struct file_look *look, const struct ownership *want, struct arena *arena,
                    const char **ret_owner, const char **ret_group);
/* As numbers, with what a new one gets where nothing is wanted: root:root and `mode`. */
int ownership_resolve(const struct ownership *want, unsigned mode, struct ownership_ids *ret_ids,
                      struct err *err) MUST_CHECK;
/* ERR_BUSY when the folder it would lie in is not there: nobody said how that one should be. */
int ownership_need_parent(struct host *host, const char *path, struct arena *arena,
                          struct err *err) MUST_CHECK;
/* The same of one that was just observed absent, as its `why`: so that the plan can say it. */
void ownership_note_parent(struct host *host, struct arena *arena, struct resource *absent);
/* Changes what differs and nothing else. The owner comes first: changing it clears set-id bits. */
int ownership_mend(struct host *host, const char *path, const struct ownership *want,
                   struct err *err) MUST_CHECK;
/* Makes it so by numbers, again only where it differs: a folder hands its group on to what is made
 * in it. */
int ownership_settle(struct host *host, const char *path, const struct ownership_ids *ids,
                     struct err *err) MUST_CHECK;
/* What will be there: wanted, else what was there, else what a new one gets. The three are in and
 * out. */
void ownership_predict(const struct ownership *had, bool was_there, const char *mode,
                       const char **mode_, const char **owner, const char **group);

#endif
