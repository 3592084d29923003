// SPDX-License-Identifier: MIT
/* See mount_table.h. The text is cut up in place: rows point into it. */
#include "host/mount_table.h"

#include "base/strmap.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct mount_table {
	struct arena *arena;
	struct mount_row **rows; /* in the order in which the kernel tells them */
	size_t count, cap;
	struct strmap *by_target; /* target → the row that is seen there */
	struct strmap *above;     /* every folder above some target */
	uint32_t *by_id; /* row number + 1 at a hash of its mount id; 0 = free; at most half full */
	size_t id_mask;
	bool has_trigger; /* an autofs row that nothing lay on */
};

/* ---- Text ---- */

/* Blanks, newlines and backslashes are written as \ooo (proc(5)). */
static void decode(char *text)
{
	char *to = strchr(text, '\\');

	if (!to) {
		return;
	}
	for (const char *from = to; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* The next field, cut off in place; NULL at the end of the line. */
static char *field(char **at)
{
	char *start = *at;

	if (!start || !*start) {
		return NULL;
	}
	*at = strchr(start, ' ');
	if (*at) {
		*(*at)++ = '\0';
	}
	return start;
}

static size_t count_words(const char *text)
{
	size_t n = 1;

	for (; *text; text++) {
		n += *text == ',';
	}
	return n;
}

static size_t split(char *text, const char **words)
{
	size_t n = 0;

	for (char *word = text; word; n++) {
		char *comma = strchr(word, ',');

		if (comma) {
			*comma++ = '\0';
		}
		words[n] = word;
		word = comma;
	}
	return n;
}

static bool is_access(const char *word)
{
	return (word[0] == 'r') && (word[1] == 'o' || word[1] == 'w') && !word[2];
}

/* One list of what is in force: of the two sides' ro and rw only what comes of them, ro if either
 * says so. */
static void join_options(struct arena *arena, struct mount_row *row, char *of_mount, char *of_fs)
{
	size_t vfs = count_words(of_mount), fs = count_words(of_fs), n = 1;
	const char **words = arena_array(arena, vfs + fs, sizeof *words);
	const char **both = arena_array(arena, vfs + fs + 1, sizeof *both);

	split(of_mount, words);
	split(of_fs, words + vfs);
	both[0] = "rw";
	for (size_t i = 0; i < vfs + fs; i++) {
		if (!is_access(words[i])) {
			both[n] = words[i];
			n += words[i][0] != '\0';
		} else if (words[i][1] == 'o') {
			both[0] = "ro";
		}
	}
	row->vfs_options = (struct list){.set = true, .count = vfs, .items = words};
	row->options = (struct list){.set = true, .count = n, .items = both};
}

static bool number(char **at, int end, uint64_t *ret_number)
{
	char *stop;

	errno = 0;
	*ret_number = strtoull(*at, &stop, 10);
	if (stop == *at || *stop != end || errno) {
		return false;
	}
	*at = stop + 1;
	return true;
}

/* ID PARENT MAJOR:MINOR ROOT TARGET OPTIONS [TAG...] - TYPE SOURCE OPTIONS (proc(5)). */
static bool parse_row(struct arena *arena, char *line, struct mount_row *row)
{
	uint64_t major, minor;
	char *root, *target, *of_mount, *tag, *type, *source;

	if (!number(&line, ' ', &row->id) || !number(&line, ' ', &row->parent) ||
	    !number(&line, ':', &major) || !number(&line, ' ', &minor)) {
		return false;
	}
	root = field(&line);
	target = field(&line);
	of_mount = field(&line);
	do {
		tag = field(&line);
	} while (tag && strcmp(tag, "-") != 0);
	type = field(&line);
	source = field(&line);
	if (!of_mount || !tag || !source) {
		return false;
	}
	decode(root);
	decode(target);
	decode(source);
	row->major = (unsigned)major;
	row->minor = (unsigned)minor;
	row->root = root;
	row->target = target;
	row->type = type;
	row->source = source;
	join_options(arena, row, of_mount, line ? line : arena_strdup(arena, ""));
	return true;
}

/* ---- What is seen where ---- */

static size_t slot_of(const struct mount_table *table, uint64_t id)
{
	size_t i = (id * 0x9e3779b97f4a7c15u >> 32) & table->id_mask;

	while (table->by_id[i] && table->rows[table->by_id[i] - 1]->id != id) {
		i = (i + 1) & table->id_mask;
	}
	return i;
}

static struct mount_row *find_id(const struct mount_table *table, uint64_t id)
{
	uint32_t number = table->by_id[slot_of(table, id)];

	return number ? table->rows[number - 1] : NULL;
}

static void index_ids(struct mount_table *table)
{
	size_t size = 64;

	while (size < table->count * 4) {
		size *= 2;
	}
	table->by_id = arena_array(table->arena, size, sizeof *table->by_id);
	table->id_mask = size - 1;
	for (size_t i = 0; i < table->count; i++) {
		table->by_id[slot_of(table, table->rows[i]->id)] = (uint32_t)i + 1;
	}
}

static const struct mount_row *lookup(const struct strmap *by_target, const char *path, size_t n)
{
	char prefix[PATH_MAX];

	if (n >= sizeof prefix) {
		return NULL;
	}
	memcpy(prefix, path, n);
	for (;;) {
		prefix[n ? n : 1] = '\0';
		prefix[0] = '/';
		const struct mount_row *row = strmap_get(by_target, prefix);

		if (row || !n) {
			return row;
		}
		do {
			n--;
		} while (n && prefix[n] != '/');
	}
}

static int by_length(const void *a, const void *b)
{
	const struct mount_row *p = *(struct mount_row *const *)a, *q = *(struct mount_row *const *)b;
	size_t m = strlen(p->target), n = strlen(q->target);

	return m != n ? (m < n ? -1 : 1) : p->id < q->id ? -1 : p->id > q->id;
}

/* A row is the lowest one seen on its target when it hangs on what is seen at the folder it lies
 * in: otherwise something was mounted over that folder later. */
static bool is_reached(const struct mount_table *table, const struct mount_row *row)
{
	const char *slash = strrchr(row->target, '/');

	if (!row->target[1] || !slash) {
		return true;
	}
	const struct mount_row *over =
	    lookup(table->by_target, row->target, (size_t)(slash - row->target));

	return !over || over->id == row->parent;
}

/* Is it the kind of row that stands for a file system, not for one that is to come? */
static bool is_trigger(const struct mount_row *row)
{
	return strcmp(row->type, "autofs") == 0;
}

static void put_on_top(struct mount_row *row, const struct mount_row *below)
{
	row->below = below;
	row->covers = below->covers + !is_trigger(below);
}

/* Notes the folders above a target, up to one that is known: those above it are known too. */
static void note_above(struct mount_table *table, const char *target)
{
	char *path = arena_strdup(table->arena, target);

	for (char *slash; (slash = strrchr(path, '/')) && slash != path;) {
		*slash = '\0';
		if (strmap_get(table->above, path)) {
			return;
		}
		const char *key = arena_strdup(table->arena, path);

		strmap_put(table->above, key, (void *)key);
	}
}

static void show(struct mount_table *table, struct mount_row *row)
{
	table->has_trigger |= is_trigger(row);
	strmap_put(table->by_target, row->target, row);
	note_above(table, row->target);
}

/* The row that lies on this one. None on a row whose id a later one has as well (the table changed
 * while it was read): what names that id means the later one, and the rows would go in a ring. */
static struct mount_row *next_above(const struct mount_table *table, struct mount_row *const *above,
                                    const struct mount_row *row)
{
	return find_id(table, row->id) == row ? above[table->by_id[slot_of(table, row->id)] - 1] : NULL;
}

/* Finds for each target the row on top, and what lies beneath it. */
static void stack(struct mount_table *table)
{
	struct mount_row **order = arena_array(table->arena, table->count, sizeof(struct mount_row *));
	struct mount_row **above = arena_array(table->arena, table->count, sizeof(struct mount_row *));

	for (size_t i = 0; i < table->count; i++) {
		struct mount_row *row = table->rows[i], *parent = find_id(table, row->parent);

		order[i] = row;
		if (parent && parent != row && strcmp(parent->target, row->target) == 0) {
			row->below = parent;
			above[table->by_id[slot_of(table, parent->id)] - 1] = row;
		}
	}
	if (table->count) {
		qsort(order, table->count, sizeof(struct mount_row *), by_length);
	}
	for (size_t i = 0; i < table->count; i++) {
		struct mount_row *row = order[i];

		if (row->below || !is_reached(table, row)) {
			continue;
		}
		for (struct mount_row *next; (next = next_above(table, above, row)); row = next) {
			put_on_top(next, row);
		}
		show(table, row);
	}
}

/* ---- Making ---- */

static int parse_rows(struct mount_table *table, char *text, struct err *err)
{
	for (char *line = text, *next; *line; line = next) {
		struct mount_row *row = arena_alloc(table->arena, sizeof *row);

		next = strchr(line, '\n');
		if (next) {
			*next++ = '\0';
		} else {
			next = line + strlen(line);
		}
		if (!parse_row(table->arena, line, row)) {
			return err_set(err, ERR_HOST, 0, "/proc/self/mountinfo: line %zu makes no sense",
			               table->count + 1);
		}
		table->rows = arena_grow(table->arena, table->rows, table->count, &table->cap,
		                         sizeof(struct mount_row *));
		table->rows[table->count++] = row;
	}
	return 0;
}

int mount_table_parse(char *text, struct arena *arena, struct mount_table **ret_table,
                      struct err *err)
{
	struct mount_table *table = arena_alloc(arena, sizeof *table);

	table->arena = arena;
	table->by_target = strmap_create(arena);
	table->above = strmap_create(arena);
	if (parse_rows(table, text, err)) {
		return -(int)err->code;
	}
	index_ids(table);
	stack(table);
	*ret_table = table;
	return 0;
}

/* One more row, the newest: on what is seen there, or where nothing was, and hiding nothing. */
static bool add(struct mount_table *table, struct mount_row *row)
{
	struct mount_row *there = strmap_get(table->by_target, row->target);

	if (!row->target[1] || strmap_get(table->above, row->target) || find_id(table, row->id)) {
		return false;
	}
	if (there) {
		if (there->id != row->parent) {
			return false;
		}
		put_on_top(row, there);
	} else if (!is_reached(table, row)) {
		return false;
	}
	show(table, row);
	return true;
}

bool mount_table_extend(struct mount_table *table, char *text)
{
	size_t before = table->count;
	struct err err;

	if (parse_rows(table, text, &err)) {
		return false;
	}
	for (size_t i = before; i < table->count; i++) {
		table->count = i; /* it is not found among those that are there already */
		bool fits = add(table, table->rows[i]);

		table->count = i + 1;
		if (!fits) {
			return false;
		}
		if (table->count * 2 > table->id_mask) {
			index_ids(table);
		} else {
			table->by_id[slot_of(table, table->rows[i]->id)] = (uint32_t)i + 1;
		}
	}
	return table->count > before;
}

/* ---- Asking ---- */

const struct mount_row *mount_table_at(const struct mount_table *table, const char *target)
{
	return strmap_get(table->by_target, target);
}

const struct mount_row *mount_table_over(const struct mount_table *table, const char *path)
{
	return lookup(table->by_target, path, path[1] ? strlen(path) : 0);
}

size_t mount_table_count(const struct mount_table *table)
{
	return table->count;
}

const struct mount_row *mount_table_row(const struct mount_table *table, size_t i)
{
	return table->rows[i];
}

const char *mount_table_trigger_over(const struct mount_table *table, const char *path,
                                     bool or_same)
{
	const struct mount_row *over = table->has_trigger ? mount_table_over(table, path) : NULL;

	if (!over || !is_trigger(over) || (!or_same && strcmp(over->target, path) == 0)) {
		return NULL;
	}
	return over->target;
}
