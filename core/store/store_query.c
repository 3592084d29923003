// SPDX-License-Identifier: MIT
/* See store.h: reading. Nothing here writes, and everything works on a read-only connection. */
#include "store/store.h"

#include "base/child.h"
#include "base/json.h"
#include "store/store_inner.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *read_boot_id(struct arena *arena)
{
	char text[64];
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	bool have = file && fgets(text, sizeof text, file);

	if (file) {
		fclose(file);
	}
	if (have) {
		text[strcspn(text, "\n")] = '\0';
	}
	return have ? arena_strdup(arena, text) : "";
}

/* Is the process that wrote a row, of that boot, at it right now? */
static bool is_alive(struct store *store, int64_t pid, int64_t starttime, const char *boot_id)
{
	if (!store->boot_id) {
		store->boot_id = read_boot_id(store->arena);
	}
	/* What is started at each boot has about the same number and time each time. */
	if (*store->boot_id && !text_equal(store->boot_id, boot_id)) {
		return false;
	}
	return child_is_alive((pid_t)pid, (uint64_t)starttime);
}

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

static struct value run_value(struct store *store, struct db_statement *s, struct arena *arena)
{
	struct value map = row_value(s, RUN_TEXTS, RUN_NUMBERS, true, arena), counts = value_map();
	int process = RUN_COUNTS + (int)ARRAY_LEN(counted);
	bool alive = is_alive(store, db_column_number(s, process), db_column_number(s, process + 1),
	                      value_text(&map, "boot_id"));
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

/* What a row of a query is put into. */
struct gather {
	struct store *store;
	struct arena *arena;
	struct value *list;
	int texts, numbers; /* columns of the row, texts first */
};

static void gather_run(struct db_statement *s, void *context)
{
	struct gather *gather = context;

	value_append(gather->arena, gather->list, run_value(gather->store, s, gather->arena));
}

static void gather_row(struct db_statement *s, void *context)
{
	struct gather *gather = context;

	value_append(gather->arena, gather->list,
	             row_value(s, gather->texts, gather->numbers, false, gather->arena));
}

/* All rows of the query, each as a map. */
static int rows(struct store *store, const char *sql, int64_t number, struct gather *gather,
                struct err *err)
{
	return db_each(store->db, sql, DB_ARGS(db_number(number)), gather_row, gather, err);
}

int store_runs(struct store *store, struct arena *arena, size_t most, struct value *ret_list,
               struct err *err)
{
	struct value list = value_list();
	struct gather gather = {.store = store, .arena = arena, .list = &list};

	if (db_each(store->db, "SELECT " RUN_COLUMNS " FROM run ORDER BY id DESC LIMIT ?1",
	            DB_ARGS(db_number(most > INT64_MAX ? INT64_MAX : (int64_t)most)), gather_run,
	            &gather, err)) {
		return store_fail(store, err);
	}
	value_seal(&list);
	*ret_list = list;
	return 0;
}

#define STANDING_COLUMNS "id, outcome, why, action, differences, origins, since, since_run"

static const char steps_of_run[] =
    "SELECT id, action, outcome, marks, differences, origins, why, detail, found, intent_at,"
    " finished_at, duration_ms FROM step WHERE run = ?1 ORDER BY intent";
static const char standing_at_run[] =
    "SELECT " STANDING_COLUMNS " FROM resource WHERE run <= ?1 AND outcome <> 'kept' UNION ALL "
    "SELECT " STANDING_COLUMNS " FROM resource_past WHERE run <= ?1 AND until_run > ?1"
    " AND outcome <> 'kept' ORDER BY id";

int store_run(struct store *store, struct arena *arena, int64_t run, struct value *ret_run,
              struct err *err)
{
	struct value runs = value_list(), steps = value_list(), standing = value_list();
	struct gather of_run = {.store = store, .arena = arena, .list = &runs};
	struct gather of_steps = {.arena = arena, .list = &steps, .texts = 9, .numbers = 3};
	struct gather of_standing = {.arena = arena, .list = &standing, .texts = 6, .numbers = 2};

	if (db_each(store->db, "SELECT " RUN_COLUMNS " FROM run WHERE id = ?1", DB_ARGS(db_number(run)),
	            gather_run, &of_run, err) ||
	    rows(store, steps_of_run, run, &of_steps, err) ||
	    rows(store, standing_at_run, run, &of_standing, err)) {
		return store_fail(store, err);
	}
	if (!runs.count) {
		*ret_run = value_null();
		return 0;
	}
	struct value map = runs.items[0];

	value_put(arena, &map, "steps", steps);
	value_put(arena, &map, "standing", standing);
	value_seal(&map);
	*ret_run = map;
	return 0;
}

/* Ids of runs that ended, in order, and the resources that are counted with them. */
struct since {
	struct arena *arena;
	struct value map;
	int64_t *ended;
	size_t count, cap;
};

static void add_ended(struct db_statement *s, void *context)
{
	struct since *since = context;

	since->ended =
	    arena_grow(since->arena, since->ended, since->count, &since->cap, sizeof *since->ended);
	since->ended[since->count++] = db_column_number(s, 0);
}

/* How many of them are `from` or later. */
static size_t ended_from(const struct since *since, int64_t from)
{
	size_t low = 0, high = since->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (since->ended[middle] < from) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return since->count - low;
}

static void add_since(struct db_statement *s, void *context)
{
	struct since *since = context;
	struct value one = row_value(s, 5, 2, false, since->arena);
	size_t times = ended_from(since, db_column_number(s, 6));

	value_put(since->arena, &one, "times", value_int((int64_t)times));
	value_put(since->arena, &since->map, db_column_text(s, 7, since->arena), one);
}

int store_since(struct store *store, struct arena *arena, struct value *ret_map, struct err *err)
{
	struct since since = {.arena = arena, .map = value_map()};

	if (db_each(store->db, "SELECT id FROM run WHERE finished IS NOT NULL ORDER BY id", DB_NO_ARGS,
	            add_ended, &since, err) ||
	    db_each(store->db,
	            "SELECT outcome, why, action, differences, origins, since, since_run, id"
	            " FROM resource ORDER BY id",
	            DB_NO_ARGS, add_since, &since, err)) {
		return store_fail(store, err);
	}
	value_seal(&since.map);
	*ret_map = since.map;
	return 0;
}

enum { GAPS_SHOWN = 10 };

static const char newest_gaps[] = "SELECT why, set_aside, since, until, runs FROM gap"
                                  " ORDER BY id DESC LIMIT ?1";
static const char newest_set_aside[] = "SELECT why, set_aside, until AS at FROM gap"
                                       " WHERE set_aside IS NOT NULL ORDER BY id DESC LIMIT ?1";

/* What the history does not tell; of one that was written before there was a table for it,
 * nothing. */
static int add_gaps(struct store *store, struct arena *arena, struct value *map, struct err *err)
{
	struct value gaps = value_list(), aside = value_list();
	struct gather of_gaps = {.arena = arena, .list = &gaps, .texts = 2, .numbers = 3};
	struct gather of_aside = {.arena = arena, .list = &aside, .texts = 2, .numbers = 1};

	if (store->schema >= SCHEMA_WITH_GAPS && (rows(store, newest_gaps, GAPS_SHOWN, &of_gaps, err) ||
	                                          rows(store, newest_set_aside, 1, &of_aside, err))) {
		return -(int)err->code;
	}
	value_put(arena, map, "gaps", gaps);
	value_put(arena, map, "set_aside", aside.count ? aside.items[0] : value_null());
	return 0;
}

int store_about(struct store *store, struct arena *arena, struct value *ret_about, struct err *err)
{
	static const struct {
		const char *name, *sql;
	} numbers[] = {
	    {"schema", "PRAGMA user_version"},
	    {"pages", "PRAGMA page_count"},
	    {"page_size", "PRAGMA page_size"},
	    {"runs", "SELECT count(*) FROM run"},
	    {"oldest", "SELECT started FROM run ORDER BY id LIMIT 1"},
	    {"created", "SELECT at FROM meta WHERE key = 'created'"},
	    {"checked", "SELECT at FROM meta WHERE key = 'checked'"},
	};
	struct value map = value_map();

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		int64_t number;

		if (db_ask(store->db, numbers[i].sql, DB_NO_ARGS, 0, &number, err)) {
			return store_fail(store, err);
		}
		value_put(arena, &map, numbers[i].name, value_int(number));
	}
	if (add_gaps(store, arena, &map, err)) {
		return store_fail(store, err);
	}
	int64_t bytes = value_number(&map, "pages", 0) * value_number(&map, "page_size", 0);

	value_put(arena, &map, "bytes", value_int(bytes));
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

struct cuts {
	struct store *store;
	struct arena *arena;
	struct store_cut *list;
	size_t count, cap;
};

static void add_cut(struct db_statement *s, void *context)
{
	struct cuts *cuts = context;
	const char *boot_id = db_column_text(s, 5, cuts->arena);
	int64_t pid = db_column_number(s, 6);

	/* Somebody is at it right now. Ourselves: an earlier run of this process that could not end. */
	if (pid != getpid() && is_alive(cuts->store, pid, db_column_number(s, 7), boot_id)) {
		return;
	}
	cuts->list = arena_grow(cuts->arena, cuts->list, cuts->count, &cuts->cap, sizeof *cuts->list);
	cuts->list[cuts->count++] = (struct store_cut){.run = db_column_number(s, 0),
	                                               .intent = db_column_number(s, 1),
	                                               .started = db_column_number(s, 2),
	                                               .id = db_column_text(s, 3, cuts->arena),
	                                               .action = db_column_text(s, 4, cuts->arena),
	                                               .boot_id = boot_id};
}

int store_cut_list(struct store *store, struct arena *arena, struct store_cut **ret_list,
                   size_t *ret_count, struct err *err)
{
	struct cuts cuts = {.store = store, .arena = arena};

	if (db_each(
	        store->db,
	        "SELECT step.run, intent, coalesce(intent_at, started), step.id, action, boot_id, pid,"
	        " starttime FROM step JOIN run ON run.id = step.run WHERE outcome IS NULL"
	        " ORDER BY intent",
	        DB_NO_ARGS, add_cut, &cuts, err)) {
		return store_fail(store, err);
	}
	*ret_list = cuts.list;
	*ret_count = cuts.count;
	return 0;
}

struct orphans {
	struct arena *arena;
	struct orphan *list;
	size_t count, cap;
};

static void add_orphan(struct db_statement *s, void *context)
{
	struct orphans *all = context;

	all->list = arena_grow(all->arena, all->list, all->count, &all->cap, sizeof *all->list);
	all->list[all->count++] = (struct orphan){.id = db_column_text(s, 0, all->arena),
	                                          .made_at = db_column_number(s, 1),
	                                          .run = db_column_number(s, 2)};
}

int store_made_list(struct store *store, struct arena *arena, struct orphan **ret_list,
                    size_t *ret_count, struct err *err)
{
	struct orphans all = {.arena = arena};

	if (db_each(store->db, "SELECT id, at, run FROM made ORDER BY id", DB_NO_ARGS, add_orphan, &all,
	            err)) {
		return store_fail(store, err);
	}
	*ret_list = all.list;
	*ret_count = all.count;
	return 0;
}

struct last {
	struct arena *arena;
	struct store_last *last;
};

static void take_last(struct db_statement *s, void *context)
{
	struct last *last = context;

	*last->last = (struct store_last){.tree = db_column_text(s, 0, last->arena),
	                                  .policies = db_column_text(s, 1, last->arena),
	                                  .state = db_column_text(s, 2, last->arena),
	                                  .run = db_column_number(s, 3),
	                                  .finished = db_column_number(s, 4),
	                                  .exit_code = (int)db_column_number(s, 5)};
}

int store_last_good(struct store *store, struct arena *arena, struct store_last *ret_last,
                    struct err *err)
{
	struct last last = {.arena = arena, .last = ret_last};

	*ret_last = (struct store_last){.tree = "", .policies = "", .state = ""};
	if (db_each(
	        store->db,
	        "SELECT coalesce(tree, ''), coalesce(policies, ''), coalesce(state, ''), id, finished,"
	        " exit_code FROM run WHERE " STORE_GOOD_RUN " ORDER BY id DESC LIMIT 1",
	        DB_NO_ARGS, take_last, &last, err)) {
		return store_fail(store, err);
	}
	return 0;
}
