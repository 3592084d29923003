// SPDX-License-Identifier: MIT
/* See schema.h. */
#include "store/schema.h"

#include "base/clock.h"
#include "base/embedded.h"
#include "base/str.h"

#include <stdlib.h>

/* "001_history.sql": 1. */
static int number_of(const struct embedded *file)
{
	return (int)strtol(file->name, NULL, 10);
}

int schema_newest(void)
{
	return number_of(&embedded_schema[embedded_schema_count - 1]);
}

int schema_identify(struct db *db, enum schema_state *ret_state, int *ret_version, struct err *err)
{
	int64_t application, version, tables = 0;
	AUTO(db_abandon) struct db_change view = {0};

	/* All of one moment: another process may be making it ours just now. */
	if (db_view(db, &view, err) ||
	    db_ask(db, "PRAGMA application_id", DB_NO_ARGS, 0, &application, err) ||
	    db_ask(db, "PRAGMA user_version", DB_NO_ARGS, 0, &version, err) ||
	    (!version &&
	     db_ask(db, "SELECT count(*) FROM sqlite_master", DB_NO_ARGS, 0, &tables, err))) {
		return -(int)err->code;
	}
	*ret_version = (int)version;
	if (application == SCHEMA_APPLICATION_ID && version > 0) {
		*ret_state = version > schema_newest() ? SCHEMA_NEWER : SCHEMA_OURS;
	} else if (application == 0 && version == 0 && tables == 0) {
		*ret_state = SCHEMA_EMPTY;
	} else {
		*ret_state = SCHEMA_FOREIGN;
	}
	return 0;
}

int schema_lacks(struct db *db, const char **ret_table, struct err *err)
{
	static const char *const tables[] = {"run",  "step", "resource", "resource_past",
	                                     "made", "blob", "meta",     "gap"};

	*ret_table = NULL;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		int64_t found;

		if (db_ask(db, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?1",
		           DB_ARGS(db_text(tables[i])), 0, &found, err)) {
			return -(int)err->code;
		}
		if (!found) {
			*ret_table = tables[i];
			return 0;
		}
	}
	return 0;
}

static int apply(struct db *db, const struct embedded *file, struct err *err)
{
	AUTO(db_abandon) struct db_change change = {0};
	AUTO(str_free) struct str stamp = {0};
	int64_t version;

	if (db_begin(db, &change, err) ||
	    db_ask(db, "PRAGMA user_version", DB_NO_ARGS, 0, &version, err)) {
		return -(int)err->code;
	}
	if (version >= number_of(file)) {
		return 0; /* somebody else was faster */
	}
	str_addf(&stamp, "PRAGMA user_version = %d; PRAGMA application_id = %d;", number_of(file),
	         SCHEMA_APPLICATION_ID);
	if (db_script(db, file->text, err) || db_script(db, str_text(&stamp), err)) {
		return -(int)err->code;
	}
	if (version == 0 && db_do(db, "INSERT INTO meta (key, value, at) VALUES ('created', '', ?1)",
	                          DB_ARGS(db_number(clock_now())), err)) {
		return -(int)err->code;
	}
	return db_commit(&change, err);
}

int schema_migrate(struct db *db, struct err *err)
{
	int64_t version;

	if (db_ask(db, "PRAGMA user_version", DB_NO_ARGS, 0, &version, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < embedded_schema_count; i++) {
		if (number_of(&embedded_schema[i]) > version && apply(db, &embedded_schema[i], err)) {
			return err_wrap(err, "schema %s", embedded_schema[i].name);
		}
	}
	return 0;
}
