// SPDX-License-Identifier: MIT
/* Which schema a database has, and bringing it to ours: the files of state/schema/
 * (base/embedded.h), in order. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "store/db.h"

/* Stands in the header of the file (PRAGMA application_id): "Rcnc". */
enum { SCHEMA_APPLICATION_ID = 0x52636e63 };

/* The number of the last file: what this program writes. */
int schema_newest(void);

enum schema_state {
	SCHEMA_EMPTY,   /* no table yet */
	SCHEMA_OURS,    /* up to schema_newest() */
	SCHEMA_NEWER,   /* of a later version of this program */
	SCHEMA_FOREIGN, /* somebody else's database */
};

/* Reads only. */
int schema_identify(struct db *db, enum schema_state *ret_state, int *ret_version,
                    struct err *err) MUST_CHECK;

/* Of a database whose schema is the newest: the name of a table that it lacks all the same, for
 * whatever reason; NULL: none. */
int schema_lacks(struct db *db, const char **ret_table, struct err *err) MUST_CHECK;

/* Applies what is missing, each file in one transaction that also counts PRAGMA user_version up;
 * another process doing the same at the same time is fine. */
int schema_migrate(struct db *db, struct err *err) MUST_CHECK;

#endif
