// SPDX-License-Identifier: MIT
/*
 * See fstab.h. The file is kept as it is, byte for byte, with where each field of each line stands;
 * a change replaces just the bytes of one line, which is checked by findmnt(8) where there is one,
 * and is put in place whole.
 */
#include "host/host_inner.h"

#include "base/path.h"
#include "base/str.h"
#include "base/strmap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FSTAB "/etc/fstab"

enum {
	FIELDS = 6,
	FIELDS_LEAST = 3, /* libmount passes over a line without a type */
	FSTAB_MOST = 4 << 20,
	CHECK_MS = 20000,
	FAULTS_MOST = 8,
	FAULT_SHOWN = 80, /* bytes of such a line */
};

struct line {
	struct fstab_line line;
	size_t start, end; /* bytes of it in the file, with its newline */
	size_t at[FIELDS], length[FIELDS];
	unsigned fields;
	struct line *next; /* the next one of the same target */
};

struct fstab {
	const char *text;
	size_t length;
	struct file_look look; /* FILE_NONE: there is no such file */
	struct line **lines;
	size_t count, cap;
	struct strmap *by_target;
	struct list faults;
	size_t faults_cap;
};

struct fstab_cache {
	struct arena *arena;
	struct fstab *fstab;
	bool stale;
};

/* ---- Reading ---- */

/* \ooo as in getmntent(3), any byte. */
static char *decode(struct arena *arena, const char *text, size_t n)
{
	char *out = arena_alloc(arena, n + 1), *to = out;

	for (size_t i = 0; i < n; to++) {
		if (text[i] == '\\' && i + 3 < n && text[i + 1] >= '0' && text[i + 1] <= '3' &&
		    text[i + 2] >= '0' && text[i + 2] <= '7' && text[i + 3] >= '0' && text[i + 3] <= '7') {
			*to = (char)((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 | (text[i + 3] - '0'));
			i += 4;
		} else {
			*to = text[i++];
		}
	}
	return out;
}

static struct list split(struct arena *arena, char *text)
{
	struct list list = {.set = true};
	size_t cap = 0;
	const char **items = NULL;

	for (char *save = NULL, *word = strtok_r(text, ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		items = arena_grow(arena, items, list.count, &cap, sizeof *items);
		items[list.count++] = word;
	}
	list.items = items;
	return list;
}

static void find_fields(const char *text, struct line *line)
{
	size_t at = line->start;

	while (line->fields < FIELDS) {
		at += strspn(text + at, " \t");
		size_t n = strcspn(text + at, " \t\n");

		/* Lines that end as on another system: libmount drops that byte as well. */
		n -= n && text[at + n - 1] == '\r' && (text[at + n] == '\n' || !text[at + n]);
		/* A # that starts a later field starts a comment there too, as libmount reads it. */
		if (!n || at >= line->end || text[at] == '#') {
			return;
		}
		line->at[line->fields] = at;
		line->length[line->fields++] = n;
		at += n;
	}
}

static struct line *parse_line(struct arena *arena, const char *text, size_t start, size_t end,
                               unsigned number)
{
	struct line *line = arena_alloc(arena, sizeof *line);
	char *value[FIELDS] = {NULL};

	line->start = start;
	line->end = end;
	find_fields(text, line);
	if (line->fields < 2) {
		return line;
	}
	for (unsigned i = 0; i < line->fields; i++) {
		value[i] = decode(arena, text + line->at[i], line->length[i]);
	}
	size_t n = strlen(value[1]);

	while (n > 1 && value[1][n - 1] == '/') {
		value[1][--n] = '\0'; /* /fsx/ and /fsx are one target */
	}
	line->line = (struct fstab_line){
	    .source = value[0],
	    .target = value[1],
	    .type = value[2] ? value[2] : "auto",
	    .options = split(arena, value[3] ? value[3] : arena_strdup(arena, "")),
	    .dump = value[4] ? (int)strtol(value[4], NULL, 10) : 0,
	    .pass = value[5] ? (int)strtol(value[5], NULL, 10) : 0,
	    .line = number,
	};
	return line;
}

static void add_line(struct arena *arena, struct fstab *fstab, struct line *line)
{
	struct line *first = strmap_get(fstab->by_target, line->line.target);

	fstab->lines =
	    arena_grow(arena, fstab->lines, fstab->count, &fstab->cap, sizeof(struct line *));
	fstab->lines[fstab->count++] = line;
	if (!first) {
		strmap_put(fstab->by_target, line->line.target, line);
		return;
	}
	while (first->next) {
		first = first->next;
	}
	first->next = line;
}

/* Swap has no target; "none", "swap" and the like are written there. */
static bool has_target(const struct fstab_line *line)
{
	return strcmp(line->type, "swap") != 0 && strcmp(line->target, "none") != 0;
}

/* Why the line mounts nothing, or NULL: it does, or is none (blank, a comment). */
static const char *fault_of(struct arena *arena, const struct fstab *fstab, const struct line *line)
{
	size_t last = line->fields ? line->at[line->fields - 1] + line->length[line->fields - 1] : 0;
	bool is_cut = line->end == fstab->length && fstab->text[line->end - 1] != '\n';

	if (line->fields && line->fields < FIELDS_LEAST) {
		size_t n = last - line->at[0];

		return arena_printf(arena,
		                    "\"%.*s%s\" mounts nothing: source, target and type are needed%s",
		                    (int)(n < FAULT_SHOWN ? n : FAULT_SHOWN), fstab->text + line->at[0],
		                    n < FAULT_SHOWN ? "" : "...",
		                    is_cut ? "; the file ends within this line, it may be cut off" : "");
	}
	const char *why =
	    line->fields && has_target(&line->line) ? path_fault(line->line.target) : NULL;

	return why ? arena_printf(arena, "the target %.*s %s", FAULT_SHOWN, line->line.target, why)
	           : NULL;
}

static void add_fault(struct arena *arena, struct fstab *fstab, unsigned number, const char *why)
{
	const char **items = (void *)fstab->faults.items;

	if (fstab->faults.count > FAULTS_MOST) {
		return;
	}
	items = arena_grow(arena, items, fstab->faults.count, &fstab->faults_cap, sizeof *items);
	items[fstab->faults.count] = fstab->faults.count < FAULTS_MOST
	                                 ? arena_printf(arena, FSTAB ":%u: %s", number, why)
	                                 : FSTAB ": more lines mount nothing";
	fstab->faults.count++;
	fstab->faults.items = items;
}

static struct fstab *parse(struct arena *arena, const char *text, size_t length)
{
	struct fstab *fstab = arena_alloc(arena, sizeof *fstab);
	unsigned number = 0;

	fstab->text = text;
	fstab->length = length;
	fstab->by_target = strmap_create(arena);
	fstab->faults.set = true;
	for (size_t start = 0, end; start < length; start = end) {
		const char *newline = memchr(text + start, '\n', length - start);
		struct line *line;

		end = newline ? (size_t)(newline - text) + 1 : length;
		line = parse_line(arena, text, start, end, ++number);
		const char *why = fault_of(arena, fstab, line);

		if (why) {
			add_fault(arena, fstab, number, why);
		}
		if (line->fields >= 2) {
			add_line(arena, fstab, line);
		}
	}
	return fstab;
}

static int load(struct host *host, struct arena *arena, struct fstab **ret_fstab, struct err *err)
{
	struct file_look look;
	struct file_bytes bytes = {.data = ""};

	if (files_look(host, FSTAB, &look, err)) {
		return -(int)err->code;
	}
	if (look.type != FILE_NONE && files_read(host, FSTAB, FSTAB_MOST, arena, &bytes, err)) {
		return -(int)err->code;
	}
	if (memchr(bytes.data, '\0', bytes.length)) {
		return err_set(err, ERR_HOST, 0, FSTAB " holds a NUL byte: it is no text");
	}
	*ret_fstab = parse(arena, bytes.data, bytes.length);
	(*ret_fstab)->look = bytes.look;
	return 0;
}

int fstab_read(struct host *host, const struct fstab **ret_fstab, struct err *err)
{
	struct host_cache *all = host_cache_of(host);

	if (!all->fstab) {
		all->fstab = mem_alloc(sizeof *all->fstab);
		*all->fstab = (struct fstab_cache){.stale = true};
	}
	if (all->fstab->stale) {
		struct arena *arena = arena_create();
		struct fstab *fstab;

		if (load(host, arena, &fstab, err)) {
			arena_free(arena);
			return -(int)err->code;
		}
		arena_free(all->fstab->arena);
		*all->fstab = (struct fstab_cache){.arena = arena, .fstab = fstab};
	}
	*ret_fstab = all->fstab->fstab;
	return 0;
}

void fstab_forget(struct host_cache *cache)
{
	if (cache->fstab) {
		arena_free(cache->fstab->arena);
		free(cache->fstab);
		cache->fstab = NULL;
	}
}

const struct fstab_line *fstab_find(const struct fstab *fstab, const char *target,
                                    size_t *ret_count)
{
	struct line *first = strmap_get(fstab->by_target, target);
	size_t count = 0;

	for (const struct line *line = first; line; line = line->next) {
		count++;
	}
	if (ret_count) {
		*ret_count = count;
	}
	return first ? &first->line : NULL;
}

size_t fstab_count(const struct fstab *fstab)
{
	return fstab->count;
}

const struct fstab_line *fstab_at(const struct fstab *fstab, size_t i)
{
	return &fstab->lines[i]->line;
}

const struct list *fstab_faults(const struct fstab *fstab)
{
	return &fstab->faults;
}

/* ---- Writing ---- */

static void encode(struct str *out, const char *text)
{
	if (!*text) {
		str_add(out, "none"); /* an empty field would shift the others */
	}
	for (const char *c = text; *c; c++) {
		if (*c == ' ' || *c == '\t' || *c == '\n' || *c == '\\' || (*c == '#' && c == text)) {
			str_addf(out, "\\%03o", (unsigned char)*c);
		} else {
			str_addc(out, *c);
		}
	}
}

static void encode_field(struct str *out, const struct fstab_line *line, unsigned field)
{
	AUTO(str_free) struct str options = {0};

	switch (field) {
	case 0:
		encode(out, line->source);
		break;
	case 1:
		encode(out, line->target);
		break;
	case 2:
		encode(out, line->type);
		break;
	case 3:
		for (size_t i = 0; i < line->options.count; i++) {
			str_addf(&options, "%s%s", i ? "," : "", line->options.items[i]);
		}
		encode(out, options.length ? options.data : "defaults");
		break;
	case 4:
		str_addf(out, "%d", line->dump);
		break;
	default:
		str_addf(out, "%d", line->pass);
	}
}

/* Does the field of the old line already say what the new one wants? Then its bytes stay. */
static bool says_the_same(const struct line *old, const struct fstab_line *line, unsigned field)
{
	const struct fstab_line *was = &old->line;

	switch (field) {
	case 0:
		return strcmp(was->source, line->source) == 0;
	case 1:
		return true;
	case 2:
		return strcmp(was->type, line->type) == 0;
	case 3:
		if (was->options.count != line->options.count || !was->options.count) {
			return false;
		}
		for (size_t i = 0; i < was->options.count; i++) {
			if (strcmp(was->options.items[i], line->options.items[i]) != 0) {
				return false;
			}
		}
		return true;
	case 4:
		return was->dump == line->dump;
	default:
		return was->pass == line->pass;
	}
}

static void replace_line(struct str *out, const struct fstab *fstab, const struct line *old,
                         const struct fstab_line *line)
{
	size_t kept = old->start;

	for (unsigned i = 0; i < old->fields; i++) {
		if (!says_the_same(old, line, i)) {
			str_addn(out, fstab->text + kept, old->at[i] - kept);
			encode_field(out, line, i);
			kept = old->at[i] + old->length[i];
		}
	}
	if (old->fields < 4) {
		size_t last = old->at[old->fields - 1] + old->length[old->fields - 1];

		str_addn(out, fstab->text + kept, last - kept);
		kept = last;
	}
	for (unsigned i = old->fields; i < 4; i++) {
		str_addc(out, ' ');
		encode_field(out, line, i);
	}
	str_addn(out, fstab->text + kept, old->end - kept);
}

static void new_line(struct str *out, const struct fstab_line *line)
{
	for (unsigned i = 0; i < FIELDS; i++) {
		if (i) {
			str_addc(out, i < 4 ? '\t' : ' ');
		}
		encode_field(out, line, i);
	}
	str_addc(out, '\n');
}

/* Of findmnt's last line, "N parse errors, N errors, N warnings"; -1 when there is none in the
 * text. */
static long read_summary(const char *text)
{
	long parse_errors, errors;

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		if (sscanf(text, "%ld parse error%*[s, ]%ld error", &parse_errors, &errors) == 2) {
			return parse_errors + errors;
		}
	}
	return -1;
}

/* How many faults `findmnt --verify` finds in the lines. -1: it cannot be told, for want of findmnt
 * or in time. They stand in a file of their own, in memory: what findmnt asks of every line of a
 * table takes the longer the more there are, and it looks at each target, of which one may be dead.
 */
static long count_faults(struct host *host, const char *lines, size_t length, struct str *ret_said)
{
	AUTO(fd_auto) int fd = memfd_create("fstab", MFD_CLOEXEC);
	char path[64];
	const char *argv[] = {"findmnt", "--verify", "--tab-file", path, NULL};
	struct child_command command = {.argv = argv, .timeout_ms = CHECK_MS};
	struct child_result result;
	long faults = -1;
	struct err err;

	if (fd < 0 || write(fd, lines, length) != (ssize_t)length) {
		return -1;
	}
	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), fd);
	if (host->ops->run(host, &command, &result, &err)) {
		return -1;
	}
	if (!result.timed_out && !result.signalled && result.status == 0) {
		faults = 0;
	} else if (!result.timed_out && !result.signalled) {
		faults = read_summary(str_text(&result.err));
		faults = faults < 0 ? read_summary(str_text(&result.out)) : faults;
	}
	str_add(ret_said, str_text(&result.out));
	child_result_free(&result);
	return faults;
}

/* What it says of one target stands on one line of ours. */
static void on_one_line(struct str *text)
{
	for (char *c = text->data; c && *c; c++) {
		*c = *c == '\n' || *c == '\t' ? ' ' : *c;
	}
}

/* A line of ours must not be worse than the one it replaces, if there is one: what was wrong with
 * that before is not ours to judge. */
static int verify(struct host *host, const struct str *line, const char *old, size_t old_length,
                  struct err *err)
{
	AUTO(str_free) struct str said = {0}, before = {0};
	long after = count_faults(host, line->data, line->length, &said);

	if (after <= 0 || (old_length && after <= count_faults(host, old, old_length, &before))) {
		return 0;
	}
	on_one_line(&said);
	return err_set(err, ERR_HOST, 0, FSTAB " is left as it was: findmnt --verify says: %s",
	               str_text(&said));
}

static int put(struct host *host, const struct fstab *fstab, const struct str *text,
               struct err *err)
{
	bool there = fstab->look.type != FILE_NONE;
	struct file_write write = {
	    .data = str_text(text),
	    .length = text->length,
	    .mode = there ? fstab->look.mode : 0644,
	    .uid = there ? fstab->look.uid : 0,
	    .gid = there ? fstab->look.gid : 0,
	};
	struct file_stage stage;

	if (files_stage(FSTAB, &write, &stage, err)) {
		return -(int)err->code;
	}
	int r = files_stage_commit(&stage, err);

	if (host->cache && host->cache->fstab) {
		host->cache->fstab->stale = true;
	}
	return r;
}

/* The one line of a target, or NULL; two are for a person to sort out. */
static int only_line(const struct fstab *fstab, const char *target, const struct line **ret_line,
                     struct err *err)
{
	struct line *line = strmap_get(fstab->by_target, target);

	if (line && line->next) {
		return err_set(err, ERR_BUSY, 0, FSTAB " has two lines for %s: %u and %u", target,
		               line->line.line, line->next->line.line);
	}
	*ret_line = line;
	return 0;
}

int fstab_put(struct host *host, const struct fstab_line *line, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	AUTO(str_free) struct str text = {0}, now = {0};
	const struct line *old;
	struct fstab *fstab;

	/* Read now: what is kept may be older than somebody's edit. */
	if (load(host, arena, &fstab, err) || only_line(fstab, line->target, &old, err)) {
		return -(int)err->code;
	}
	size_t start = old ? old->start : fstab->length, end = old ? old->end : fstab->length;

	if (old) {
		replace_line(&now, fstab, old, line);
	} else {
		new_line(&now, line);
	}
	if (verify(host, &now, fstab->text + start, end - start, err)) {
		return -(int)err->code;
	}
	str_addn(&text, fstab->text, start);
	if (!old && start && fstab->text[start - 1] != '\n') {
		str_addc(&text, '\n');
	}
	str_addn(&text, now.data, now.length);
	str_addn(&text, fstab->text + end, fstab->length - end);
	return put(host, fstab, &text, err);
}

int fstab_remove(struct host *host, const char *target, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	AUTO(str_free) struct str text = {0};
	const struct line *old;
	struct fstab *fstab;

	if (load(host, arena, &fstab, err) || only_line(fstab, target, &old, err)) {
		return -(int)err->code;
	}
	if (!old) {
		return 0;
	}
	str_addn(&text, fstab->text, old->start);
	str_addn(&text, fstab->text + old->end, fstab->length - old->end);
	return put(host, fstab, &text, err);
}
