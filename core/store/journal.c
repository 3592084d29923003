// SPDX-License-Identifier: MIT
/*
 * See journal.h. A line is one JSON map. An intent's number is the offset at which its line begins,
 * plus one, so that nothing has to be read to write. A line that a crash cut short stays as it is:
 * the next one begins on a line of its own.
 */
#include "store/journal.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/path.h"
#include "store/store_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than this is no journal of ours: a run of a hundred thousand steps writes a tenth. */
enum { JOURNAL_MOST = 256 << 20 };

static int trouble(const char *path, int os, struct err *err)
{
	return err_set(err, ERR_STORE, os, "journal %s", path);
}

/* Ours alone: what it says is believed by the next run. */
static int examine(const char *path, int fd, off_t *ret_size, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st)) {
		return trouble(path, errno, err);
	}
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 0022)) {
		return err_set(err, ERR_STORE, 0, "journal %s: not a file of our own", path);
	}
	if (st.st_size > JOURNAL_MOST) {
		return err_set(err, ERR_STORE, EFBIG, "journal %s", path);
	}
	*ret_size = st.st_size;
	return 0;
}

static int sync_folder(const char *path, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	char *folder = path_parent(arena, path);
	AUTO(fd_auto) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) ? trouble(folder, errno, err) : 0;
}

/* Writes one line and waits until it is on disk. *offset is where the line begins. A line that fits
 * only in part is taken back, so that it cannot be read as half of something. */
static int write_line(const char *path, int fd, off_t *offset, const struct value *map,
                      struct err *err)
{
	AUTO(str_free) struct str line = {0};
	off_t size = *offset;
	char last = '\n';

	if (size && pread(fd, &last, 1, size - 1) != 1) {
		return trouble(path, EIO, err);
	}
	if (last != '\n') {
		str_addc(&line, '\n');
		*offset += 1;
	}
	json_print(&line, map, 0);
	str_addc(&line, '\n');
	for (size_t done = 0; done < line.length;) {
		ssize_t n = pwrite(fd, line.data + done, line.length - done, size + (off_t)done);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			int os = n ? errno : EIO;

			return ftruncate(fd, size) ? trouble(path, errno, err) : trouble(path, os, err);
		}
		done += (size_t)n;
	}
	return fsync(fd) ? trouble(path, errno, err) : 0;
}

static int append(const char *path, bool create, const struct value *map, int64_t *ret_number,
                  struct err *err)
{
	AUTO(fd_auto)
	int fd =
	    open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (create ? O_CREAT : 0), 0600);
	off_t offset;

	if (fd < 0) {
		return trouble(path, errno, err);
	}
	if (examine(path, fd, &offset, err)) {
		return -(int)err->code;
	}
	bool fresh = offset == 0;

	if (write_line(path, fd, &offset, map, err) || (fresh && sync_folder(path, err))) {
		return -(int)err->code;
	}
	if (ret_number) {
		*ret_number = (int64_t)offset + 1;
	}
	return 0;
}

/* Whose line it is. */
static void put_process(struct arena *arena, struct value *map, int64_t run, const char *boot_id)
{
	value_put(arena, map, "run", value_int(run));
	value_put(arena, map, "at", value_int(clock_now()));
	value_put(arena, map, "pid", value_int(getpid()));
	value_put(arena, map, "starttime", value_int((int64_t)child_starttime(getpid())));
	value_put(arena, map, "boot_id", value_string(boot_id));
}

int journal_intent(const char *path, int64_t run, const char *boot_id, const struct step *step,
                   int64_t *ret_number, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	AUTO(str_free) struct str differences = {0};
	AUTO(str_free) struct str origins = {0};
	struct value map = value_map();

	store_add_differences(&differences, step, arena);
	store_add_origins(&origins, step, arena);
	value_put(arena, &map, "intent", value_string(step->id));
	put_process(arena, &map, run, boot_id);
	value_put(arena, &map, "action", value_string(action_name(step->action)));
	value_put(arena, &map, "marks", value_string(marks_text(arena, step->marks)));
	value_put(arena, &map, "differences", value_string(str_text(&differences)));
	value_put(arena, &map, "origins", value_string(str_text(&origins)));
	return append(path, true, &map, ret_number, err);
}

int journal_outcome(const char *path, int64_t number, const struct step *step, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct value map = value_map();

	value_put(arena, &map, "of", value_int(number));
	value_put(arena, &map, "outcome", value_string(outcome_name(step->outcome)));
	value_put(arena, &map, "at", value_int(clock_now()));
	value_put(arena, &map, "duration_ms", value_int(step->duration_ms));
	value_put(arena, &map, "why", value_string(step->why));
	value_put(arena, &map, "detail", value_string(step->detail));
	return append(path, false, &map, NULL, err);
}

int journal_end(const char *path, int64_t run, const char *boot_id, int exit_code,
                const char *error, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct value map = value_map();

	put_process(arena, &map, run, boot_id);
	value_put(arena, &map, "exit_code", value_int(exit_code));
	value_put(arena, &map, "error", value_string(error));
	return append(path, true, &map, NULL, err);
}

static int read_all(const char *path, struct arena *arena, char **ret_text, size_t *ret_n,
                    struct err *err)
{
	/* Not to wait for a writer, should it be a pipe. */
	AUTO(fd_auto) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	off_t size;
	size_t have = 0;

	if (fd < 0 && errno == ENOENT) {
		*ret_n = 0;
		return 0;
	}
	if (fd < 0) {
		return trouble(path, errno, err);
	}
	if (examine(path, fd, &size, err)) {
		return -(int)err->code;
	}
	char *text = arena_alloc(arena, (size_t)size + 1);

	while (have < (size_t)size) {
		ssize_t n = read(fd, text + have, (size_t)size - have);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return trouble(path, errno, err);
		}
		if (n == 0) {
			break;
		}
		have += (size_t)n;
	}
	*ret_text = text;
	*ret_n = have;
	return 0;
}

static bool read_intent(const struct value *map, int64_t number, struct journal_entry *entry)
{
	*entry = (struct journal_entry){
	    .number = number,
	    .run = value_number(map, "run", 0),
	    .at = value_number(map, "at", 0),
	    .pid = value_number(map, "pid", 0),
	    .starttime = value_number(map, "starttime", 0),
	    .boot_id = value_text(map, "boot_id"),
	    .id = value_text(map, "intent"),
	    .action = value_text(map, "action"),
	    .marks = value_text(map, "marks"),
	    .differences = value_text(map, "differences"),
	    .origins = value_text(map, "origins"),
	};
	entry->boot_id = entry->boot_id ? entry->boot_id : "";
	return entry->id && entry->action && entry->marks && entry->differences && entry->origins;
}

/* Entries are in the order of their numbers. */
static struct journal_entry *find(struct journal_entry *list, size_t count, int64_t number)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list[middle].number < number) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low < count && list[low].number == number ? &list[low] : NULL;
}

static bool is_outcome(const char *name)
{
	for (int i = 0; name && i < OUTCOME_COUNT; i++) {
		if (!strcmp(name, outcome_name((enum outcome)i))) {
			return true;
		}
	}
	return false;
}

static void read_outcome(const struct value *map, struct journal_entry *entry)
{
	const char *outcome = value_text(map, "outcome");

	if (!entry || !is_outcome(outcome)) {
		return;
	}
	entry->outcome = outcome;
	entry->finished_at = value_number(map, "at", 0);
	entry->duration_ms = value_number(map, "duration_ms", 0);
	entry->why = value_text(map, "why");
	entry->detail = value_text(map, "detail");
}

static bool read_end(const struct value *map, struct journal_end *end)
{
	*end = (struct journal_end){
	    .run = value_number(map, "run", 0),
	    .pid = value_number(map, "pid", 0),
	    .starttime = value_number(map, "starttime", 0),
	    .boot_id = value_text(map, "boot_id"),
	    .at = value_number(map, "at", 0),
	    .exit_code = value_number(map, "exit_code", -1),
	    .error = value_text(map, "error"),
	};
	return end->boot_id && end->exit_code >= 0 && !value_get(map, "of");
}

struct reading {
	struct arena *arena;
	struct journal *journal;
	size_t entry_cap, end_cap;
};

static void read_line(struct reading *reading, const struct value *map, int64_t number)
{
	struct journal *journal = reading->journal;
	struct journal_entry entry;
	struct journal_end end;

	if (read_intent(map, number, &entry)) {
		entry.part = journal->end_count;
		journal->entries = arena_grow(reading->arena, journal->entries, journal->entry_count,
		                              &reading->entry_cap, sizeof entry);
		journal->entries[journal->entry_count++] = entry;
	} else if (read_end(map, &end)) {
		journal->ends = arena_grow(reading->arena, journal->ends, journal->end_count,
		                           &reading->end_cap, sizeof end);
		journal->ends[journal->end_count++] = end;
	} else {
		read_outcome(map, find(journal->entries, journal->entry_count, value_number(map, "of", 0)));
	}
}

int journal_list(const char *path, struct arena *arena, struct journal *ret_journal,
                 struct err *err)
{
	struct reading reading = {.arena = arena, .journal = ret_journal};
	size_t n = 0;
	char *text = NULL;

	*ret_journal = (struct journal){0};
	if (read_all(path, arena, &text, &n, err)) {
		return -(int)err->code;
	}
	for (size_t at = 0; at < n;) {
		char *end = memchr(text + at, '\n', n - at);
		size_t length = end ? (size_t)(end - text) - at : n - at;
		struct value map;
		struct err fault;

		/* Cut short, or not ours: the other lines still say what they say. */
		if (end && !json_parse(text + at, length, path, arena, &map, &fault)) {
			read_line(&reading, &map, (int64_t)at + 1);
		}
		at += length + 1;
	}
	return 0;
}

int journal_clear(const char *path, struct err *err)
{
	if (unlink(path)) {
		return errno == ENOENT ? 0 : trouble(path, errno, err);
	}
	return sync_folder(path, err);
}
