// SPDX-License-Identifier: MIT
/* See holders.h. */
#include "host/holders.h"

#include "base/path.h"
#include "base/str.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PROCESSES_MOST = 20000, FILES_MOST = 1024, NAMED_MOST = 3 };

/* Does the link lead to the path or below it? */
static bool leads_there(const char *link, const char *path)
{
	char text[PATH_MAX];
	ssize_t n = readlink(link, text, sizeof text - 1);

	if (n <= 0 || text[0] != '/') {
		return false;
	}
	text[n] = '\0';
	return path_is_below(text, path, true);
}

static bool holds_file(const char *process, const char *path)
{
	char name[300];
	struct dirent *entry;
	bool found = false;

	snprintf(name, sizeof name, "/proc/%.20s/fd", process);
	DIR *dir = opendir(name);

	for (unsigned i = 0; dir && !found && i < FILES_MOST && (entry = readdir(dir)); i++) {
		snprintf(name, sizeof name, "/proc/%.20s/fd/%.200s", process, entry->d_name);
		found = leads_there(name, path);
	}
	if (dir) {
		closedir(dir);
	}
	return found;
}

static bool maps_file(const char *process, const char *path)
{
	char line[PATH_MAX + 128];
	bool found = false;

	snprintf(line, sizeof line, "/proc/%.20s/maps", process);
	FILE *f = fopen(line, "re");

	while (f && !found && fgets(line, sizeof line, f)) {
		const char *file = strchr(line, '/');

		line[strcspn(line, "\n")] = '\0';
		found = file && path_is_below(file, path, true);
	}
	if (f) {
		fclose(f);
	}
	return found;
}

static bool uses(const char *process, const char *path)
{
	static const char *const links[] = {"cwd", "root", "exe"};
	char name[64];

	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		snprintf(name, sizeof name, "/proc/%.20s/%s", process, links[i]);
		if (leads_there(name, path)) {
			return true;
		}
	}
	return holds_file(process, path) || maps_file(process, path);
}

static void add_name(struct str *out, const char *process)
{
	char name[64], path[64];

	snprintf(path, sizeof path, "/proc/%.20s/comm", process);
	FILE *f = fopen(path, "re");

	if (!f || !fgets(name, sizeof name, f)) {
		snprintf(name, sizeof name, "process");
	}
	if (f) {
		fclose(f);
	}
	name[strcspn(name, "\n")] = '\0';
	str_add(out, out->length ? ", " : "");
	str_add_printable(out, name, sizeof name);
	str_addf(out, " (%.20s)", process);
}

const char *holders_of(const char *path, struct arena *arena)
{
	AUTO(str_free) struct str out = {0};
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	size_t found = 0;

	for (unsigned i = 0; dir && i < PROCESSES_MOST && (entry = readdir(dir)); i++) {
		if (!isdigit((unsigned char)entry->d_name[0]) || !uses(entry->d_name, path)) {
			continue;
		}
		if (found++ < NAMED_MOST) {
			add_name(&out, entry->d_name);
		}
	}
	if (dir) {
		closedir(dir);
	}
	if (found > NAMED_MOST) {
		str_addf(&out, " and %zu more", found - NAMED_MOST);
	}
	return found ? arena_strdup(arena, str_text(&out)) : NULL;
}
