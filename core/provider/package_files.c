// SPDX-License-Identifier: MIT
/*
 * Kind package_files, a fact: see package_files.h. dpkg has the checksum of each file it unpacked,
 * also of packages that bring none. Its lines are those of dpkg --verify (dpkg(1)): "missing" or
 * nine marks of which the third is 5 where the content differs, then c for configuration, then the
 * path.
 */
#include "provider/package_files.h"

#include "base/str.h"
#include "provider/lines.h"
#include "provider/table.h"

#include <string.h>

enum { VERIFY_MS = 4000, MARKS = 9, OUTPUT_MOST = 1 << 20 };

/* Translations are looked for there as well, and left out as often. */
static bool is_documentation(const char *path)
{
	static const char *const folders[] = {
	    "/usr/share/doc/",   "/usr/share/man/",        "/usr/share/info/",     "/usr/share/locale/",
	    "/usr/share/groff/", "/usr/share/lintian/",    "/usr/share/doc-base/", "/usr/share/help/",
	    "/usr/share/linda/", "/usr/share/gnome/help/",
	};

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		if (text_starts(path, folders[i])) {
			return true;
		}
	}
	return false;
}

/* NULL: nothing is wrong with it that counts. */
static const char *damaged_path(const char *line)
{
	bool is_missing = text_starts(line, "missing  ");

	if (strlen(line) < MARKS + 3 || line[MARKS] != ' ' || line[MARKS + 1] == 'c' ||
	    (!is_missing && line[2] != '5')) {
		return NULL;
	}
	const char *path = line + MARKS + 1 + strspn(line + MARKS + 1, " ");

	return *path == '/' && !is_documentation(path) ? path : NULL;
}

int package_files_damaged(struct host *host, const char *package, struct arena *arena,
                          struct list *ret_damaged, const char **ret_why, struct err *err)
{
	const char *const argv[] = {"dpkg", "--verify", "--", package, NULL};
	const struct child_command command = {
	    .argv = argv, .timeout_ms = host_patience(host, VERIFY_MS), .output_most = OUTPUT_MOST};
	struct list damaged = {.set = true};
	struct child_result result;
	size_t cap = 0;

	if (host->ops->run(host, &command, &result, err)) {
		return -(int)err->code;
	}
	char *text = arena_strdup(arena, str_text(&result.out));
	char *words = arena_strdup(arena, str_text(&result.err));
	const char *said = lines_next(&words);

	/* What it finds is no failure; a later dpkg may say 1 for it, and then says no word. */
	*ret_why = result.timed_out                     ? "dpkg --verify does not come to an end"
	           : result.signalled                   ? "dpkg --verify was ended by a signal"
	           : result.status > 0 && said && *said ? said
	           : result.status > 1                  ? "dpkg --verify failed"
	                                                : NULL;
	for (char *line; !*ret_why && (line = lines_next(&text));) {
		const char *path = damaged_path(line);

		if (path) {
			lines_add(arena, &damaged, &cap, path);
		}
	}
	child_result_free(&result);
	*ret_damaged = damaged;
	return 0;
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_PACKAGE_FILES], key);
	struct host_package package;
	const char *why;

	(void)want;
	*ret_have = have;
	if (host->ops->package(host, key, &package, err)) {
		return -(int)err->code;
	}
	if (!package.known || !text_equal(package.status, "installed")) {
		have->state = STATE_ABSENT;
		return 0;
	}
	if (package_files_damaged(host, key, arena, &have->package_files.damaged, &why, err)) {
		return -(int)err->code;
	}
	if (why) {
		*ret_have = resource_undetermined(arena, have->kind, key, "%s", why);
	}
	return 0;
}

const struct provider provider_package_files = {.kind = KIND_PACKAGE_FILES, .observe = observe};
