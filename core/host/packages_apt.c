// SPDX-License-Identifier: MIT
/*
 * See packages.h. apt-cache policy tells candidate, versions and where each comes from in one go.
 * Without a cache file of its own (the two options), it writes nothing, whoever calls it.
 */
#include "host/packages_inner.h"

#include "base/clock.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CACHE_MS = 60000 };

#define LISTS "/var/lib/apt/lists"

struct policy {
	struct arena *arena;
	struct host_candidate *candidate;
	const char **versions;
	size_t cap;
	const char *wanted;  /* what apt would take */
	const char *version; /* the row of the table we are in */
	bool offered;        /* and somebody offers it */
	const char *name;    /* of whom is asked */
	bool is_it;          /* the section we are in is about that */
};

/* The word at `text`, and what stands behind it. */
static const char *take_word(struct arena *arena, const char *text, const char **ret_rest)
{
	const char *word = text + strspn(text, " ");
	size_t n = strcspn(word, " ");

	*ret_rest = word + n + strspn(word + n, " ");
	return arena_strndup(arena, word, n);
}

/* " 500 http://mirror.example/debian bookworm/main amd64 Packages": a source of the version
 * above. */
static void take_source(struct policy *p, const char *line)
{
	const char *place;

	take_word(p->arena, line, &place);
	if (!p->version || place[0] == '/') {
		return; /* /var/lib/dpkg/status: installed, which is no offer */
	}
	if (!p->offered) {
		p->versions = arena_grow(p->arena, p->versions, p->candidate->versions.count, &p->cap,
		                         sizeof *p->versions);
		p->versions[p->candidate->versions.count++] = p->version;
		p->offered = true;
	}
	if (p->wanted && !p->candidate->version && strcmp(p->version, p->wanted) == 0) {
		p->candidate->version = p->version;
		p->candidate->origin = arena_strdup(p->arena, place);
	}
}

/* "libc6:", "libc6:i386:": apt leaves the machine's own architecture away. */
static bool is_header_of(const char *line, const char *name)
{
	size_t n = strcspn(name, ":"), length = strlen(line);

	return strncmp(line, name, n) == 0 && line[n] == ':' && line[length - 1] == ':' &&
	       (length == n + 1 || !name[n] || strncmp(line, name, length - 1) == 0);
}

static void take_line(struct policy *p, const char *line)
{
	static const char candidate[] = "  Candidate: ";
	const char *rest;

	if (*line != ' ') {
		p->is_it = is_header_of(line, p->name);
	} else if (!p->is_it) {
		return;
	} else if (text_starts(line, candidate)) {
		const char *version = line + strlen(candidate);

		p->wanted = strcmp(version, "(none)") == 0 ? NULL : arena_strdup(p->arena, version);
	} else if (text_starts(line, "        ")) {
		take_source(p, line);
	} else if (text_starts(line, "     ") || text_starts(line, " *** ")) {
		p->version = take_word(p->arena, line + 5, &rest);
		p->offered = false;
	}
}

static int newest_first(const void *a, const void *b)
{
	return packages_compare(*(const char *const *)b, *(const char *const *)a);
}

void packages_policy_parse(struct arena *arena, char *text, const char *name,
                           struct host_candidate *ret_candidate)
{
	struct host_candidate candidate = {.versions = {.set = true}};
	struct policy p = {.arena = arena, .candidate = &candidate, .name = name};

	for (char *line = text, *end; *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end) {
			*end++ = '\0';
		}
		take_line(&p, line);
	}
	if (candidate.versions.count) {
		qsort(p.versions, candidate.versions.count, sizeof *p.versions, newest_first);
	}
	candidate.versions.items = p.versions;
	candidate.known = candidate.versions.count > 0;
	*ret_candidate = candidate;
}

int packages_candidate(struct host *host, const char *name, struct host_candidate *ret_candidate,
                       struct err *err)
{
	const char *const argv[] = {"apt-cache",
	                            "-o",
	                            "Dir::Cache::pkgcache=",
	                            "-o",
	                            "Dir::Cache::srcpkgcache=",
	                            "-o",
	                            PACKAGES_EXACT,
	                            "policy",
	                            "--",
	                            name,
	                            NULL};
	const char *const environment[] = {"LC_ALL=C", NULL};
	struct child_command command = {
	    .argv = argv, .environment = environment, .timeout_ms = host_patience(host, CACHE_MS)};
	struct child_result result;

	if (child_run(&command, &result, err)) {
		return -(int)err->code;
	}
	if (result.timed_out || result.signalled || result.status) {
		AUTO(str_free) struct str words = {0};

		str_add_words(&words, str_text(&result.err), 200);
		err_set(err, ERR_HOST, 0, "apt-cache %s%s",
		        result.timed_out ? "does not answer" : "failed: ", str_text(&words));
		child_result_free(&result);
		return -(int)err->code;
	}
	packages_policy_parse(host->arena, arena_strdup(host->arena, str_text(&result.out)), name,
	                      ret_candidate);
	child_result_free(&result);
	return 0;
}

/* When the file was put there. The time of its content is the server's clock, and may lie
 * months back. */
static int64_t changed_at(const char *folder, const char *name, struct arena *arena)
{
	struct stat st;

	return lstat(arena_printf(arena, "%s/%s", folder, name), &st) ? 0 : (int64_t)st.st_ctime;
}

static bool is_release(const char *name)
{
	return text_ends(name, "_InRelease") || text_ends(name, "_Release");
}

/* Sources without a Release file exist, and their lists may be packed in any way. */
static bool is_list(const char *name)
{
	return strstr(name, "_Packages") != NULL;
}

/* apt notes nowhere when it has last looked: it gives an unchanged file of a list a new change
 * time on most transports, but not on all. The stamps are what apt's own timer, others and we
 * leave after a success. */
int packages_index_age(struct host *host, int64_t *ret_seconds, struct err *err)
{
	static const char *const stamps[] = {"update-success-stamp", "update-stamp"};
	DIR *dir = opendir(LISTS);
	int64_t newest = 0;
	bool has_list = false;
	struct dirent *entry;

	if (!dir && errno != ENOENT) {
		return err_set(err, ERR_HOST, errno, "cannot list %s", LISTS);
	}
	while (dir && (entry = readdir(dir))) {
		bool list = is_list(entry->d_name);

		has_list |= list;
		if (list || is_release(entry->d_name)) {
			int64_t at = changed_at(LISTS, entry->d_name, host->arena);

			newest = at > newest ? at : newest;
		}
	}
	if (dir) {
		closedir(dir);
	}
	for (size_t i = 0; i < ARRAY_LEN(stamps); i++) {
		int64_t at = changed_at("/var/lib/apt/periodic", stamps[i], host->arena);

		newest = at > newest ? at : newest;
	}
	int64_t age = clock_now() - newest;

	*ret_seconds = !has_list ? -1 : age > 0 ? age : 0;
	return 0;
}
