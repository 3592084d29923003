// SPDX-License-Identifier: MIT
/* See modules_tree.h. */
#include "host/modules_tree.h"

#include "base/str.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TREE_DEPTH = 12 };

static const char *const suffixes[] = {".ko", ".ko.gz", ".ko.xz", ".ko.zst"};

/* ---- Names and small files ---- */

static char same(char c)
{
	return c == '-' ? '_' : c;
}

static bool is_name(const char *text, size_t n, const char *name)
{
	if (strlen(name) != n) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (same(text[i]) != same(name[i])) {
			return false;
		}
	}
	return true;
}

bool modules_tree_same(const char *a, const char *b)
{
	return is_name(a, strlen(a), b);
}

/* How long the name before the suffix is; 0: it is no module's file. */
static size_t stem_length(const char *file)
{
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		if (text_ends(file, suffixes[i])) {
			return strlen(file) - strlen(suffixes[i]);
		}
	}
	return 0;
}

bool modules_tree_is_file_of(const char *file, const char *name)
{
	size_t n = stem_length(file);

	return n && is_name(file, n, name);
}

const char *modules_tree_name_of(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *file = slash ? slash + 1 : path;
	size_t n = stem_length(file);
	char *name = n ? arena_strndup(arena, file, n) : NULL;

	for (char *c = name; c && *c; c++) {
		*c = same(*c);
	}
	return name;
}

const char *modules_tree_line(struct arena *arena, const char *path)
{
	AUTO(fd_auto) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char text[4096];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (n < 0) {
		return NULL;
	}
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return arena_strdup(arena, text);
}

const char *modules_tree_packing(const char *path)
{
	static const struct {
		const char *name, *bytes;
		size_t n;
	} magics[] = {
	    {"gzip", "\x1f\x8b", 2},
	    {"xz", "\xfd\x37zXZ", 5},
	    {"zstd", "\x28\xb5\x2f\xfd", 4},
	};
	/* Not to wait for the other end of a pipe. */
	AUTO(fd_auto) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char head[8] = "";

	if (fd < 0 || read(fd, head, sizeof head) < 0) {
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_LEN(magics); i++) {
		if (memcmp(head, magics[i].bytes, magics[i].n) == 0) {
			return magics[i].name;
		}
	}
	return NULL;
}

/* ---- Finding ---- */

/* The built-in order of depmod is "updates built-in", distributions add theirs; what is in neither
 * (weak-updates) is taken last. */
static int rank_of(const char *relative)
{
	static const char *const order[] = {"updates/", "ubuntu/", "extra/", "kernel/"};

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		if (text_starts(relative, order[i])) {
			return (int)i;
		}
	}
	return (int)ARRAY_LEN(order);
}

struct search {
	struct arena *arena;
	const char *folder, *name;
	const char *found;
};

static bool is_better(const struct search *s, const char *path)
{
	size_t skip = strlen(s->folder) + 1;

	if (!s->found) {
		return true;
	}
	int a = rank_of(path + skip), b = rank_of(s->found + skip);

	return a < b || (a == b && strcmp(path, s->found) < 0);
}

/* Where the sources and headers of the kernel are, as a rule by a link; depmod does not enter it
 * either. */
static bool is_of_sources(const char *name, int depth)
{
	return depth == TREE_DEPTH && (strcmp(name, "build") == 0 || strcmp(name, "source") == 0);
}

static void find_below(struct search *s, const char *folder, int depth)
{
	DIR *dir = depth > 0 ? opendir(folder) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		bool is_file = modules_tree_is_file_of(entry->d_name, s->name);
		bool may_be_folder = entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;

		if (entry->d_name[0] == '.' || (!is_file && !may_be_folder) ||
		    is_of_sources(entry->d_name, depth)) {
			continue;
		}
		const char *path = arena_printf(s->arena, "%s/%s", folder, entry->d_name);

		if (!is_file) {
			find_below(s, path, depth - 1);
		} else if (is_better(s, path)) {
			s->found = path;
		}
	}
	if (dir) {
		closedir(dir);
	}
}

const char *modules_tree_find(struct arena *arena, const char *folder, const char *name)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	struct search s = {.arena = scratch, .folder = folder, .name = name};

	find_below(&s, folder, TREE_DEPTH);
	return s.found ? arena_strdup(arena, s.found) : NULL;
}

/* A built-in module without parameters is not in sysfs. */
bool modules_tree_is_builtin(struct arena *arena, const char *folder, const char *name)
{
	FILE *f = fopen(arena_printf(arena, "%s/modules.builtin", folder), "re");
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof line, f)) {
		const char *slash = strrchr(line, '/');

		line[strcspn(line, "\n")] = '\0';
		found = modules_tree_is_file_of(slash ? slash + 1 : line, name);
	}
	if (f) {
		fclose(f);
	}
	return found;
}

/* ---- The kernel's own ---- */

struct own {
	struct arena *arena;
	struct modules_tree_file *files;
	size_t count, cap;
};

static void own_below(struct own *own, const char *folder, int depth)
{
	DIR *dir = depth > 0 ? opendir(folder) : NULL;
	struct dirent *entry;
	struct stat st;

	while (dir && (entry = readdir(dir))) {
		bool is_file = stem_length(entry->d_name) > 0;

		if (entry->d_name[0] == '.' ||
		    (!is_file && entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)) {
			continue;
		}
		const char *path = arena_printf(own->arena, "%s/%s", folder, entry->d_name);

		if (!is_file) {
			own_below(own, path, depth - 1);
		} else if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		           S_ISREG(st.st_mode)) {
			own->files =
			    arena_grow(own->arena, own->files, own->count, &own->cap, sizeof *own->files);
			own->files[own->count++] = (struct modules_tree_file){.path = path, .size = st.st_size};
		}
	}
	if (dir) {
		closedir(dir);
	}
}

static int by_size(const void *a, const void *b)
{
	const struct modules_tree_file *x = a, *y = b;

	if (x->size != y->size) {
		return x->size < y->size ? 1 : -1;
	}
	return strcmp(x->path, y->path);
}

size_t modules_tree_own(struct arena *arena, const char *folder,
                        struct modules_tree_file **ret_files)
{
	struct own own = {.arena = arena};

	own_below(&own, arena_printf(arena, "%s/kernel", folder), TREE_DEPTH);
	if (own.count) {
		qsort(own.files, own.count, sizeof *own.files, by_size);
	}
	*ret_files = own.files;
	return own.count;
}
