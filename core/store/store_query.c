// SPDX-License-Identifier: MIT
/* See store.h: reading. Nothing here writes, and everything works on a read-only connection. */
#include "store/store.h"

#include "base/child.h"
#include "base/json.h"
#include "store/store_inner.h"

#include <string.h>
#include <unistd.h>

/* How a column is shown. */
enum show { SHOW_PLAIN, SHOW_TRUTH, SHOW_JSON };

static const struct {
	const char *name;
	enum show show;
} shows[] = {
    {"stale_tree", SHOW_TRUTH},
    {"partial", SHOW_TRUTH},
    {"differences", SHOW_JSON},
    {"origins", SHOW_JSON},
};

static enum show show_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(shows); i++) {
		if (!strcmp(shows[i].name, name)) {
			return shows[i].show;
		}
	}
	return SHOW_PLAIN;
}

static struct value column_value(struct db_statement *s, int column, bool number,
                                 struct arena *arena)
{
	enum show show = show_of(db_column_name(s, column));
	struct value value;
	struct err err;

	if (db_column_is_null(s, column)) {
		return value_null();
	}
	if (show == SHOW_TRUTH) {
		return value_bool(db_column_number(s, column) != 0);
	}
	if (number) {
		return value_int(db_column_number(s, column));
	}
	const char *text = db_column_text(s, column, arena);

	/* What somebody else wrote there is shown as it is. */
	if (show == SHOW_JSON && !json_parse(text, strlen(text), "history", arena, &value, &err)) {
		return value;
	}
	return value_string(text);
}

/* The columns of the row as a map: the first `texts` are texts, the rest numbers; nulls are left
 * out when the map is of one resource. */
static struct value row_value(struct db_statement *s, int texts, int numbers, bool with_null,
                              struct arena *arena)
{
	struct value map = value_map();

	for (int i = 0; i < texts + numbers; i++) {
		struct value value = column_value(s, i, i >= texts, arena);

		if (with_null || value.type != VALUE_NULL) {
			value_put(arena, &map, arena_strdup(arena, db_column_name(s, i)), value);
		}
	}
	return map;
}

/* Columns of a run: so many texts, numbers, then what run_value puts together. */
enum { RUN_TEXTS = 13, RUN_NUMBERS = 7, RUN_COUNTS = RUN_TEXTS + RUN_NUMBERS };
#define RUN_COLUMNS                                                                           \
	"command, started_by AS \"trigger\", who, version, node, boot_id, mode, tree_path, tree," \
	" policies, facts, state, error, id AS run, stale_tree, partial, started, finished,"      \
	" duration_ms, exit_code, kept, to_change, changed, pending, blocked, skipped, failed,"   \
	" undetermined, pid, starttime"

static const enum outcome counted[] = {OUTCOME_KEPT,    OUTCOME_CHANGE,      OUTCOME_CHANGED,
                                       OUTCOME_PENDING, OUTCOME_BLOCKED,     OUTCOME_SKIPPED,
                                       OUTCOME_FAILED,  OUTCOME_UNDETERMINED};

static struct value run_value(struct db_statement *s, struct arena *arena)
{
	struct value map = row_value(s, RUN_TEXTS, RUN_NUMBERS, true, arena), counts = value_map();
	int process = RUN_COUNTS + (int)ARRAY_LEN(counted);
	bool alive = child_is_alive((pid_t)db_column_number(s, process),
	                            (uint64_t)db_column_number(s, process + 1));
	bool ended = value_get(&map, "finished")->type != VALUE_NULL;

	for (size_t i = 0; i < ARRAY_LEN(counted); i++) {
		value_put(arena, &counts, outcome_name(counted[i]),
		          value_int(db_column_number(s, RUN_COUNTS + (int)i)));
	}
	value_put(arena, &map, "counts", db_column_is_null(s, RUN_COUNTS) ? value_null() : counts);
	value_put(arena, &map, "status",
	          value_string(ended   ? "ended"
	                       : alive ? "running"
	                               : "interrupted"));
	return map;
}

int store_runs(struct store *store, struct arena *arena, size_t most, struct value *ret_list,
               struct err *err)
{
	AUTO(db_finish) struct db_statement s = {0};
	struct value list = value_list();
	bool row;

	if (db_query(store->db, "SELECT " RUN_COLUMNS " FROM run ORDER BY id DESC LIMIT ?1",
	             DB_ARGS(db_number(most > INT64_MAX ? INT64_MAX : (int64_t)most)), &s, err)) {
		return store_fail(store, err);
	}
	for (;;) {
		if (db_step(&s, &row, err)) {
			return store_fail(store, err);
		}
		if (!row) {
			break;
		}
		value_append(arena, &list, run_value(&s, arena));
	}
	value_seal(&list);
	*ret_list = list;
	return 0;
}

/* A query about run ?1: its columns are texts first, then numbers. */
struct listing {
	const char *sql;
	int texts, numbers;
};

/* All its rows, each as a map. */
static int rows(struct store *store, const struct listing *listing, int64_t run,
                struct arena *arena, struct value *list, struct err *err)
{
	AUTO(db_finish) struct db_statement s = {0};
	bool row;

	if (db_query(store->db, listing->sql, DB_ARGS(db_number(run)), &s, err)) {
		return store_fail(store, err);
	}
	for (;;) {
		if (db_step(&s, &row, err)) {
			return store_fail(store, err);
		}
		if (!row) {
			return 0;
		}
		value_append(arena, list, row_value(&s, listing->texts, listing->numbers, false, arena));
	}
}

#define STANDING_COLUMNS "id, outcome, why, action, differences, origins, since, since_run"

static const struct listing steps_listing = {
    "SELECT id, action, outcome, marks, differences, origins, why, detail, found, intent_at,"
    " finished_at, duration_ms FROM step WHERE run = ?1 ORDER BY intent",
    9, 3};
static const struct listing standing_listing = {
    "SELECT " STANDING_COLUMNS " FROM resource WHERE run <= ?1 AND outcome <> 'kept' UNION ALL "
    "SELECT " STANDING_COLUMNS " FROM resource_past WHERE run <= ?1 AND until_run > ?1"
    " AND outcome <> 'kept' ORDER BY id",
    6, 2};

int store_run(struct store *store, struct arena *arena, int64_t run, struct value *ret_run,
              struct err *err)
{
	AUTO(db_finish) struct db_statement s = {0};
	struct value map, steps = value_list(), standing = value_list();
	bool row;

	if (db_query(store->db, "SELECT " RUN_COLUMNS " FROM run WHERE id = ?1",
	             DB_ARGS(db_number(run)), &s, err) ||
	    db_step(&s, &row, err)) {
		return store_fail(store, err);
	}
	if (!row) {
		*ret_run = value_null();
		return 0;
	}
	map = run_value(&s, arena);
	if (rows(store, &steps_listing, run, arena, &steps, err) ||
	    rows(store, &standing_listing, run, arena, &standing, err)) {
		return -(int)err->code;
	}
	value_put(arena, &map, "steps", steps);
	value_put(arena, &map, "standing", standing);
	value_seal(&map);
	*ret_run = map;
	return 0;
}

/* Ids of runs that ended, in order. */
struct ended {
	int64_t *ids;
	size_t count, cap;
};

static int load_ended(struct store *store, struct arena *arena, struct ended *ended,
                      struct err *err)
{
	AUTO(db_finish) struct db_statement s = {0};
	bool row;

	if (db_prepare(store->db, "SELECT id FROM run WHERE finished IS NOT NULL ORDER BY id", &s,
	               err)) {
		return -(int)err->code;
	}
	for (;;) {
		if (db_step(&s, &row, err)) {
			return -(int)err->code;
		}
		if (!row) {
			return 0;
		}
		ended->ids = arena_grow(arena, ended->ids, ended->count, &ended->cap, sizeof *ended->ids);
		ended->ids[ended->count++] = db_column_number(&s, 0);
	}
}

/* How many of them are `from` or later. */
static size_t ended_from(const struct ended *ended, int64_t from)
{
	size_t low = 0, high = ended->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ended->ids[middle] < from) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return ended->count - low;
}

int store_since(struct store *store, struct arena *arena, struct value *ret_map, struct err *err)
{
	AUTO(db_finish) struct db_statement s = {0};
	struct value map = value_map();
	struct ended ended = {0};
	bool row;

	if (load_ended(store, arena, &ended, err) ||
	    db_prepare(
	        store->db,
	        "SELECT outcome, why, action, differences, origins, since, since_run, id FROM resource"
	        " ORDER BY id",
	        &s, err)) {
		return store_fail(store, err);
	}
	for (;;) {
		if (db_step(&s, &row, err)) {
			return store_fail(store, err);
		}
		if (!row) {
			break;
		}
		struct value one = row_value(&s, 5, 2, false, arena);
		size_t times = ended_from(&ended, db_column_number(&s, 6));

		value_put(arena, &one, "times", value_int((int64_t)times));
		value_put(arena, &map, db_column_text(&s, 7, arena), one);
	}
	value_seal(&map);
	*ret_map = map;
	return 0;
}

int store_about(struct store *store, struct arena *arena, struct value *ret_about, struct err *err)
{
	AUTO(db_finish) struct db_statement s = {0};
	static const struct {
		const char *name, *sql;
	} numbers[] = {
	    {"schema", "PRAGMA user_version"},
	    {"pages", "PRAGMA page_count"},
	    {"page_size", "PRAGMA page_size"},
	    {"runs", "SELECT count(*) FROM run"},
	    {"oldest", "SELECT started FROM run ORDER BY id LIMIT 1"},
	    {"created", "SELECT at FROM meta WHERE key = 'created'"},
	};
	struct value map = value_map(), aside = value_map();
	bool row;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		int64_t number;

		if (db_ask(store->db, numbers[i].sql, DB_NO_ARGS, 0, &number, err)) {
			return store_fail(store, err);
		}
		value_put(arena, &map, numbers[i].name, value_int(number));
	}
	if (db_prepare(store->db, "SELECT value, at FROM meta WHERE key = 'set_aside'", &s, err) ||
	    db_step(&s, &row, err)) {
		return store_fail(store, err);
	}
	if (row) {
		value_put(arena, &aside, "text", value_string(db_column_text(&s, 0, arena)));
		value_put(arena, &aside, "at", value_int(db_column_number(&s, 1)));
	}
	int64_t bytes = value_number(&map, "pages", 0) * value_number(&map, "page_size", 0);

	value_put(arena, &map, "bytes", value_int(bytes));
	value_put(arena, &map, "set_aside", row ? aside : value_null());
	value_put(arena, &map, "path", value_string(arena_strdup(arena, store->path)));
	value_seal(&map);
	*ret_about = map;
	return 0;
}

int store_fetch(struct store *store, const char *digest, struct arena *arena, const char **ret_text,
                size_t *ret_length, struct err *err)
{
	AUTO(db_finish) struct db_statement s = {0};
	bool row;

	if (db_query(store->db, "SELECT content FROM blob WHERE digest = ?1", DB_ARGS(db_text(digest)),
	             &s, err) ||
	    db_step(&s, &row, err)) {
		return store_fail(store, err);
	}
	*ret_text = row ? db_column_text(&s, 0, arena) : NULL;
	*ret_length = *ret_text ? strlen(*ret_text) : 0;
	return 0;
}

int store_is_kept(struct store *store, const char *digest, bool *ret_kept, struct err *err)
{
	AUTO(db_finish) struct db_statement s = {0};

	if (db_query(store->db, "SELECT 1 FROM blob WHERE digest = ?1", DB_ARGS(db_text(digest)), &s,
	             err) ||
	    db_step(&s, ret_kept, err)) {
		return store_fail(store, err);
	}
	return 0;
}

int store_cut_list(struct store *store, struct arena *arena, struct store_cut **ret_list,
                   size_t *ret_count, struct err *err)
{
	AUTO(db_finish) struct db_statement s = {0};
	struct store_cut *list = NULL;
	size_t count = 0, cap = 0;
	bool row;

	if (db_prepare(
	        store->db,
	        "SELECT step.run, intent, coalesce(intent_at, started), step.id, action, boot_id, pid,"
	        " starttime FROM step JOIN run ON run.id = step.run WHERE outcome IS NULL"
	        " ORDER BY intent",
	        &s, err)) {
		return store_fail(store, err);
	}
	for (;;) {
		if (db_step(&s, &row, err)) {
			return store_fail(store, err);
		}
		if (!row) {
			break;
		}
		pid_t pid = (pid_t)db_column_number(&s, 6);

		/* Somebody is at it right now. Ourselves: an earlier run of this process that could not
		 * end. */
		if (pid != getpid() && child_is_alive(pid, (uint64_t)db_column_number(&s, 7))) {
			continue;
		}
		list = arena_grow(arena, list, count, &cap, sizeof *list);
		list[count++] = (struct store_cut){.run = db_column_number(&s, 0),
		                                   .intent = db_column_number(&s, 1),
		                                   .started = db_column_number(&s, 2),
		                                   .id = db_column_text(&s, 3, arena),
		                                   .action = db_column_text(&s, 4, arena),
		                                   .boot_id = db_column_text(&s, 5, arena)};
	}
	*ret_list = list;
	*ret_count = count;
	return 0;
}

int store_made_list(struct store *store, struct arena *arena, struct orphan **ret_list,
                    size_t *ret_count, struct err *err)
{
	AUTO(db_finish) struct db_statement s = {0};
	struct orphan *list = NULL;
	size_t count = 0, cap = 0;
	bool row;

	if (db_prepare(store->db, "SELECT id, at, run FROM made ORDER BY id", &s, err)) {
		return store_fail(store, err);
	}
	for (;;) {
		if (db_step(&s, &row, err)) {
			return store_fail(store, err);
		}
		if (!row) {
			break;
		}
		list = arena_grow(arena, list, count, &cap, sizeof *list);
		list[count++] = (struct orphan){.id = db_column_text(&s, 0, arena),
		                                .made_at = db_column_number(&s, 1),
		                                .run = db_column_number(&s, 2)};
	}
	*ret_list = list;
	*ret_count = count;
	return 0;
}

int store_last_good(struct store *store, struct arena *arena, struct store_last *ret_last,
                    struct err *err)
{
	AUTO(db_finish) struct db_statement s = {0};
	struct store_last last = {.tree = "", .policies = "", .state = ""};
	bool row;

	if (db_prepare(
	        store->db,
	        "SELECT coalesce(tree, ''), coalesce(policies, ''), coalesce(state, ''), id, finished,"
	        " exit_code FROM run WHERE " STORE_GOOD_RUN " ORDER BY id DESC LIMIT 1",
	        &s, err) ||
	    db_step(&s, &row, err)) {
		return store_fail(store, err);
	}
	if (row) {
		last.tree = db_column_text(&s, 0, arena);
		last.policies = db_column_text(&s, 1, arena);
		last.state = db_column_text(&s, 2, arena);
		last.run = db_column_number(&s, 3);
		last.finished = db_column_number(&s, 4);
		last.exit_code = (int)db_column_number(&s, 5);
	}
	*ret_last = last;
	return 0;
}
