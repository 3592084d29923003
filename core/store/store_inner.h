// SPDX-License-Identifier: MIT
/* What the store_*.c files share; nobody outside this room includes it. */
#ifndef STORE_STORE_INNER_H
#define STORE_STORE_INNER_H

#include "store/db.h"
#include "store/store.h"

struct store {
	struct db *db;
	char *path;
	enum store_mode mode;
	int schema;
	const char *damage; /* found out while in use: set aside when it is closed; in `arena` */
	struct arena *arena;
	const char *boot_id; /* of this boot, once somebody asked; "" when it cannot be told */
};

/* The first schema that has the table gap: a reader may meet an older one. */
enum { SCHEMA_WITH_GAPS = 2 };

/* Wraps a failure of this store for those outside; remembers damage. Returns -code. */
int store_fail(struct store *store, struct err *err);

/* Differences and origins as JSON, added to `out`; the arena is for what is made on the way. */
void store_add_differences(struct str *out, const struct step *step, struct arena *arena);
void store_add_origins(struct str *out, const struct step *step, struct arena *arena);

/* Within a transaction: what a step that ended so means for the list of what reconcile made. */
int store_note_made(struct store *store, int64_t run, const char *id, const char *action, bool done,
                    struct err *err) MUST_CHECK;

/* Within a transaction, at the end of a run: brings `resource` and `resource_past` to what the plan
 * says. */
int store_stand(struct store *store, int64_t run, bool partial, const struct plan *plan,
                struct err *err) MUST_CHECK;

/* Columns of a run whose tree is good to go back to; a condition on the table run. */
#define STORE_GOOD_RUN                                                            \
	"finished IS NOT NULL AND error IS NULL AND kept IS NOT NULL AND partial = 0" \
	" AND stale_tree = 0 AND tree IS NOT NULL AND state IS NOT NULL"              \
	" AND exit_code NOT IN (1, 3, 7)"
_Static_assert(EXIT_ERROR == 1 && EXIT_LOCKED == 3 && EXIT_PAUSED == 7, "as named above");

#endif
