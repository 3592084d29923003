// SPDX-License-Identifier: MIT
/*
 * See boot_origin.h. apt's history has a paragraph for each transaction (Start-Date, Commandline,
 * Requested-By, then a line for each kind of change), dpkg's log a line for each step; both tell
 * local time. logrotate leaves NAME.1 and NAME.2.gz behind.
 */
#include "provider/boot_origin.h"

#include "base/clock.h"
#include "base/path.h"
#include "base/str.h"
#include "provider/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* SEARCH: in all, within the deadline of an observation. */
enum { SEARCH_MS = 2500, COMMAND_MOST = 120, CLOCKS_APART_S = 3600 };

struct search {
	struct host *host;
	const char *package; /* linux-image-RELEASE */
	const char *needle;  /* "linux-image-RELEASE:" */
	int64_t end;         /* of the time there is for it */
	int64_t since_ns;    /* when dpkg last wrote its list of files; 0: not known */
	struct arena *arena;
	struct boot_origin found;
};

/* ---- What a log says ---- */

/* "2026-11-20  06:12:40" of the local zone. NULL: that is no date. */
static const char *as_utc(struct arena *arena, const char *text)
{
	struct tm tm = {.tm_isdst = -1};
	const char *rest = text ? strptime(text, "%Y-%m-%d %H:%M:%S", &tm) : NULL;
	time_t at = rest ? mktime(&tm) : (time_t)-1;

	if (at == (time_t)-1 || !gmtime_r(&at, &tm)) {
		return NULL;
	}
	return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
	                    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

struct paragraph {
	const char *date, *command, *user;
	bool brings; /* the line at hand is one of what was unpacked */
};

static const char *value_behind(const char *line, const char *key)
{
	return text_starts(line, key) ? line + strlen(key) + strspn(line + strlen(key), " ") : NULL;
}

/* "apt-get dist-upgrade by ubuntu": apt tells who asked only where sudo or polkit told it. */
static const char *who(struct arena *arena, const struct paragraph *p)
{
	AUTO(str_free) struct str text = {0};

	if (p->command && strstr(p->command, "unattended-upgrade")) {
		return "unattended-upgrades";
	}
	str_add_printable(&text, p->command ? p->command : "apt", COMMAND_MOST);
	if (p->user) {
		str_addf(&text, " by %.*s", (int)strcspn(p->user, " "), p->user);
	} else if (p->command) {
		str_add(&text, " by root");
	}
	return arena_strdup(arena, str_text(&text));
}

/* Whole, not as the end of another name. */
static bool names_it(const char *line, const char *needle)
{
	for (const char *at = strstr(line, needle); at; at = strstr(at + 1, needle)) {
		if (at == line || at[-1] == ' ') {
			return true;
		}
	}
	return false;
}

/* A package of one kernel may be upgraded in place: then what is there came with that. */
static bool brings(const char *line)
{
	static const char *const words[] = {"Install:", "Reinstall:", "Upgrade:", "Downgrade:"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (text_starts(line, words[i])) {
			return true;
		}
	}
	return false;
}

/* The last one in the file counts. */
static void take_history(struct search *s, char *text)
{
	struct paragraph p = {0};
	const char *value;

	for (char *line; (line = lines_next(&text));) {
		if ((value = value_behind(line, "Start-Date:"))) {
			p = (struct paragraph){.date = value};
		} else if ((value = value_behind(line, "Commandline:"))) {
			p.command = value;
		} else if ((value = value_behind(line, "Requested-By:"))) {
			p.user = value;
		} else if (line[0] >= 'A' && line[0] <= 'Z') {
			p.brings = brings(line);
		}
		if (p.brings && names_it(line, s->needle) && as_utc(s->arena, p.date)) {
			s->found.installed = as_utc(s->arena, p.date);
			s->found.brought = who(s->arena, &p);
		}
	}
}

/* "2026-11-20 06:12:36 install linux-image-6.8.0-1042-aws:amd64 <none> 6.8.0-1042.44" */
static void take_log(struct search *s, char *text)
{
	for (char *line; (line = lines_next(&text));) {
		const char *step = strlen(line) > 20 ? line + 20 : "";
		bool unpacks = text_starts(step, "install ") || text_starts(step, "upgrade ");

		if (unpacks && text_starts(step + strlen("install "), s->needle) &&
		    as_utc(s->arena, line)) {
			s->found.installed = as_utc(s->arena, line);
			s->found.brought = "dpkg; the history of apt does not tell more";
		}
	}
}

/* ---- Which logs there are ---- */

struct log {
	const char *folder, *name;
	const char *pattern; /* of what is taken from a compressed one; %s is the needle */
	void (*take)(struct search *, char *text);
};

static const struct log logs[] = {
    {"/var/log/apt", "history.log",
     "^(Start-Date|Commandline|Requested-By): .*|^[A-Z][a-z-]*:|%s[^,]*", take_history},
    {"/var/log", "dpkg.log", ".* (install|upgrade) %s.*", take_log},
};

/* "+" and "." are signs in an expression, and releases hold them. */
static const char *literal(struct arena *arena, const char *text)
{
	AUTO(str_free) struct str escaped = {0};

	for (; *text; text++) {
		if (strchr(".+*?", *text)) {
			str_addc(&escaped, '\\');
		}
		str_addc(&escaped, *text);
	}
	return arena_strdup(arena, str_text(&escaped));
}

/* Only the lines that matter: of a whole log the middle would be lost on the way. */
static int read_compressed(struct search *s, const struct log *log, const char *path,
                           char **ret_text, struct err *err)
{
	const char *sign = strstr(log->pattern, "%s");
	const char *pattern =
	    arena_printf(s->arena, "%.*s%s%s", (int)(sign - log->pattern), log->pattern,
	                 literal(s->arena, s->needle), sign + strlen("%s"));
	const char *const argv[] = {"zgrep", "-a", "-h", "-o", "-E", "--", pattern, path, NULL};
	int64_t left = clock_left(s->end);
	struct child_command command = {.argv = argv, .timeout_ms = (int)left};
	struct child_result result;
	struct err fault = {0};

	*ret_text = NULL;
	if (left <= 0) {
		return 0; /* who brought it is then not told */
	}
	if (s->host->ops->run(s->host, &command, &result, &fault)) {
		return fault.os == ENOENT ? 0 : err_copy(err, &fault);
	}
	if (!result.timed_out && !result.signalled && result.status == 0) {
		*ret_text = arena_strdup(s->arena, str_text(&result.out));
	}
	child_result_free(&result);
	return 0;
}

static int read_log(struct search *s, const struct log *log, const char *path, char **ret_text,
                    struct err *err)
{
	struct err fault = {0};

	if (text_ends(path, ".gz")) {
		return read_compressed(s, log, path, ret_text, err);
	}
	*ret_text = NULL;
	if (lines_read(s->host, path, s->arena, ret_text, &fault)) {
		/* Not for us to see, or grown beyond all measure. */
		return files_is_hidden(&fault) || fault.code == ERR_LIMIT ? 0 : err_copy(err, &fault);
	}
	return 0;
}

/* "history.log" is 0, "history.log.2.gz" 2; -1: something else. */
static int number_of(const char *name, const char *log)
{
	const char *rest = name + strlen(log);
	char *end;

	if (!text_starts(name, log) || (*rest && *rest != '.')) {
		return -1;
	}
	if (!*rest) {
		return 0;
	}
	unsigned long number = strtoul(rest + 1, &end, 10);

	return number && number < 1000 && end != rest + 1 && (!*end || strcmp(end, ".gz") == 0)
	           ? (int)number
	           : -1;
}

struct log_file {
	const char *path;
	int number;
};

static int oldest_first(const void *a, const void *b)
{
	return ((const struct log_file *)b)->number - ((const struct log_file *)a)->number;
}

/* Those that may hold it, the oldest first: one that was written last before the kernel came does
 * not. */
static int find_files(struct search *s, const struct log *log, struct log_file **ret_files,
                      size_t *ret_count, struct err *err)
{
	struct log_file *files = NULL;
	struct file_names names;
	struct file_look look;
	size_t count = 0, cap = 0;
	bool hidden;

	*ret_count = 0;
	if (files_names_in(s->host, log->folder, s->arena, &names, &hidden, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < names.count; i++) {
		int number = number_of(names.list[i], log->name);
		const char *path = path_join(s->arena, log->folder, names.list[i]);

		if (number < 0) {
			continue;
		}
		if (s->host->ops->look(s->host, path, &look, err)) {
			return -(int)err->code;
		}
		if (look.modified_ns + CLOCKS_APART_S * 1000000000LL >= s->since_ns) {
			files = arena_grow(s->arena, files, count, &cap, sizeof *files);
			files[count++] = (struct log_file){.path = path, .number = number};
		}
	}
	if (count) {
		qsort(files, count, sizeof *files, oldest_first);
	}
	*ret_files = files;
	*ret_count = count;
	return 0;
}

/* A later log overrules an earlier one only where the kernel was removed and came back; with the
 * time that dpkg's list was written, the first hit is the one. Without it, the last. */
static int search_log(struct search *s, const struct log *log, struct err *err)
{
	struct log_file *files;
	size_t count;
	char *text;

	if (find_files(s, log, &files, &count, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < count && !(s->since_ns && s->found.installed); i++) {
		if (read_log(s, log, files[i].path, &text, err)) {
			return -(int)err->code;
		}
		if (text) {
			log->take(s, text);
		}
	}
	return 0;
}

/* ---- The package ---- */

/* The file is written anew whenever the package is unpacked. */
static int find_since(struct search *s, struct err *err)
{
	struct file_look look;

	if (s->host->ops->look(s->host,
	                       arena_printf(s->arena, "/var/lib/dpkg/info/%s.list", s->package), &look,
	                       err)) {
		return -(int)err->code;
	}
	s->since_ns = look.type == FILE_REGULAR ? look.modified_ns : 0;
	return 0;
}

int boot_origin_find(struct host *host, const char *release, struct arena *arena,
                     struct boot_origin *ret_origin, struct err *err)
{
	static const char *const prefixes[] = {"linux-image-", "linux-image-unsigned-"};

	*ret_origin = (struct boot_origin){0};
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		struct host_package package;
		struct search s = {
		    .host = host, .arena = arena, .end = clock_ms() + host_patience(host, SEARCH_MS)};

		s.package = arena_printf(arena, "%s%s", prefixes[i], release);
		s.needle = arena_printf(arena, "%s:", s.package);
		if (host->ops->package(host, s.package, &package, err)) {
			return -(int)err->code;
		}
		if (!package.known) {
			continue;
		}
		if (find_since(&s, err)) {
			return -(int)err->code;
		}
		for (size_t k = 0; k < ARRAY_LEN(logs) && !s.found.installed; k++) {
			if (search_log(&s, &logs[k], err)) {
				return -(int)err->code;
			}
		}
		*ret_origin = s.found;
		return 0;
	}
	return 0;
}
