// SPDX-License-Identifier: MIT
/* See tree_watch_inner.h: the child's side. It may block anywhere; nobody depends on it but its
 * socket. */
#include "provider/tree_watch_inner.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/path.h"
#include "base/remote_fs.h"
#include "base/wire.h"
#include "host/host.h"
#include "provider/worker_inner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a file: that its content, its name or its rights may be others. Not that it was read. */
static const uint32_t mask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE |
                             IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

/* Which names in a folder are of interest. */
enum interest { OF_THE_TREE, OF_FOLDERS, OF_ONE, OF_NODE };

struct folder {
	const char *path;
	enum interest interest;
	const char *name; /* with OF_ONE */
	int watch;        /* inotify's number; -1: it is not there */
};

/* Folders, and names in them, that are watched at most; links that are followed from one path
 * (path_resolution(7)). What lies beyond is seen when a pass reads the tree anyway. */
enum { FOLDERS = 1024, LINKS = 40 };

struct watching {
	int fd, notify;
	const struct tree_watch_task *task;
	struct arena *arena; /* of the folders: those of one look */
	struct folder *folders;
	size_t count, cap;
	struct arena *table_arena; /* while looking: the mount table as it is */
	struct host host;
	const struct mount_table *table;
	uint64_t over;  /* the mount that was told last; 0: none in this look */
	bool deaf;      /* the supervisor is gone */
	bool compare;   /* inotify does not tell of everything */
	uint64_t print; /* of what was compared last */
};

static int say(const struct watching *w, struct value *map)
{
	struct err err;

	value_seal(map);
	return wire_send(w->fd, map, 0, &err);
}

static bool is_avoided(const struct watching *w, const char *path)
{
	for (const char *const *avoid = w->task->avoid; avoid && *avoid; avoid++) {
		if (path_is_below(path, *avoid, true)) {
			return true;
		}
	}
	return false;
}

/* Before each look: says where, for whoever finds us hanging there; once for each mount. False:
 * somebody hangs there already, or nobody listens. */
static bool may_look(struct watching *w, const char *path)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct value map = value_map();

	if (is_avoided(w, path)) {
		return false;
	}
	const struct mount_row *row = w->table ? mount_table_over(w->table, path) : NULL;

	if (w->deaf || (w->over && row && row->id == w->over)) {
		return !w->deaf;
	}
	w->over = row ? row->id : 0;
	value_put(arena, &map, "over", value_string(row ? row->target : NULL));
	value_put(arena, &map, "id", value_int(row ? (int64_t)row->id : 0));
	w->deaf = say(w, &map) != 0;
	return !w->deaf;
}

static void add_folder(struct watching *w, const char *path, enum interest interest,
                       const char *name)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct folder *f = &w->folders[i];

		if (f->interest == interest && strcmp(f->path, path) == 0 && text_equal(f->name, name)) {
			return;
		}
	}
	if (w->count < FOLDERS) {
		w->folders = arena_grow(w->arena, w->folders, w->count, &w->cap, sizeof *w->folders);
		w->folders[w->count++] = (struct folder){path, interest, name, -1};
	}
}

/* ---- Which folders ---- */

/* NULL: it is no link. */
static const char *link_target(struct watching *w, const char *path)
{
	char target[PATH_MAX];

	ssize_t n = may_look(w, path) ? readlink(path, target, sizeof target) : -1;

	return n > 0 && n < (ssize_t)sizeof target ? arena_strndup(w->arena, target, (size_t)n) : NULL;
}

/* Where a path leads. Each link on the way may be exchanged, so its folder is watched for it. NULL:
 * in a circle. */
static const char *follow(struct watching *w, const char *path)
{
	const char *at = "/", *rest = path;

	for (int links = 0; links < LINKS;) {
		rest += strspn(rest, "/");
		size_t n = strcspn(rest, "/");

		if (!n) {
			return at;
		}
		const char *name = arena_strndup(w->arena, rest, n), *folder = at;

		rest += n;
		if (strcmp(name, ".") == 0) {
			continue;
		}
		if (strcmp(name, "..") == 0) {
			const char *parent = path_parent(w->arena, at);

			at = parent ? parent : "/";
			continue;
		}
		at = path_join(w->arena, folder, name);
		const char *target = link_target(w, at);

		if (target) {
			links++;
			add_folder(w, folder, OF_ONE, name);
			rest = arena_printf(w->arena, "%s/%s", target, rest);
			at = target[0] == '/' ? "/" : folder;
		}
	}
	return NULL;
}

static bool is_of_tree(const char *name);

/* A file of the tree that is a link is another one when that is edited which it leads to. */
static void follow_links_in(struct watching *w, const char *path)
{
	DIR *dir = may_look(w, path) ? opendir(path) : NULL;

	if (!dir) {
		return;
	}
	for (const struct dirent *entry; w->count < FOLDERS && (entry = readdir(dir));) {
		if (!is_of_tree(entry->d_name) ||
		    (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)) {
			continue;
		}
		const char *name = path_join(w->arena, path, entry->d_name), *file = follow(w, name);
		const char *folder = file && strcmp(file, name) != 0 ? path_parent(w->arena, file) : NULL;

		if (folder) {
			add_folder(w, folder, OF_ONE, path_name(file));
		}
	}
	closedir(dir);
}

/* The folders that a tree is read from (provider/tree.c), what is above them, what links on the way
 * there and in them lead to, and where this node's own name and the pause stand. */
static void list_folders(struct watching *w)
{
	static const char *const parts[] = {"state", "state/nodes", "state/roles", "policies",
	                                    "policies/lib"};
	const char *tree = w->task->tree;
	const char *parent = path_parent(w->arena, tree), *place;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		place = follow(w, path_join(w->arena, tree, parts[i]));
		if (place) {
			add_folder(w, place, OF_THE_TREE, NULL);
			follow_links_in(w, place);
		}
	}
	place = follow(w, tree);
	if (place) {
		add_folder(w, place, OF_FOLDERS, NULL);
	}
	add_folder(w, parent ? parent : "/", OF_ONE, path_name(tree));
	add_folder(w, "/etc/reconcile", OF_NODE, NULL);
	if (w->task->run_dir) {
		add_folder(w, w->task->run_dir, OF_ONE, TREE_WATCH_WAKE);
	}
}

static bool is_of_tree(const char *name)
{
	/* Hidden ones are what editors leave. */
	return name[0] != '.' &&
	       (text_ends(name, ".yaml") || text_ends(name, ".yml") || text_ends(name, ".lua"));
}

static bool is_of_interest(const struct folder *folder, const char *name)
{
	static const char *const below[] = {"state", "nodes", "roles", "policies", "lib"};

	switch (folder->interest) {
	case OF_ONE:
		return strcmp(name, folder->name) == 0;
	case OF_NODE:
		return strcmp(name, "node.yaml") == 0 || strcmp(name, "PAUSE") == 0;
	case OF_THE_TREE:
		if (is_of_tree(name)) {
			return true;
		}
		break;
	default:
		break;
	}
	for (size_t i = 0; i < ARRAY_LEN(below); i++) {
		if (strcmp(name, below[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* ---- Comparing ---- */

/* Summed, because a server may list a folder in another order each time. */
static void add_entry(uint64_t *sum, const char *path, const char *name, const struct stat *st)
{
	AUTO(str_free) struct str text = {0};
	char half[17] = "";

	str_addf(&text, "%s/%s %" PRIu64 " %lld %lld.%09ld %lld.%09ld %o %u:%u", path, name,
	         (uint64_t)st->st_ino, (long long)st->st_size, (long long)st->st_mtim.tv_sec,
	         st->st_mtim.tv_nsec, (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec,
	         (unsigned)st->st_mode, (unsigned)st->st_uid, (unsigned)st->st_gid);
	memcpy(half, digest_bytes(str_text(&text), text.length).hex, sizeof half - 1);
	*sum += strtoull(half, NULL, 16);
}

static void add_names(const struct watching *w, uint64_t *sum, const struct folder *folder)
{
	DIR *dir = is_avoided(w, folder->path) ? NULL : opendir(folder->path);
	struct stat st;

	if (!dir) {
		return;
	}
	for (const struct dirent *entry; (entry = readdir(dir));) {
		if (is_of_interest(folder, entry->d_name) && !fstatat(dirfd(dir), entry->d_name, &st, 0) &&
		    !S_ISDIR(st.st_mode)) {
			add_entry(sum, folder->path, entry->d_name, &st);
		}
	}
	closedir(dir);
}

static uint64_t print_of(const struct watching *w)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < w->count; i++) {
		if (w->folders[i].interest == OF_THE_TREE || w->folders[i].interest == OF_NODE) {
			add_names(w, &sum, &w->folders[i]);
		}
	}
	return sum;
}

/* ---- Watching ---- */

static bool is_used(const struct watching *w, int watch)
{
	for (size_t i = 0; i < w->count; i++) {
		if (w->folders[i].watch == watch) {
			return true;
		}
	}
	return false;
}

/* As it was found at the last look; NULL: it was not. */
static const struct folder *as_before(const struct watching *before, const struct folder *folder)
{
	for (size_t i = 0; i < before->count; i++) {
		const struct folder *f = &before->folders[i];

		if (f->interest == folder->interest && strcmp(f->path, folder->path) == 0 &&
		    text_equal(f->name, folder->name)) {
			return f;
		}
	}
	return NULL;
}

static void watch_one(struct watching *w, struct folder *folder)
{
	/* The same folder has the same number (inotify_add_watch(2)). */
	folder->watch = w->notify < 0 ? -1 : inotify_add_watch(w->notify, folder->path, mask);
	/* No more watches to be had is no reason to be blind. */
	w->compare |= folder->watch < 0 && (errno == ENOSPC || errno == ENOMEM);
	w->compare |= (folder->interest == OF_THE_TREE || folder->interest == OF_ONE) &&
	              remote_fs_at(folder->path) != NULL;
}

/* Watches what stands at each path now. True: one of them is another folder than before. */
static bool watch_folders(struct watching *w, const struct watching *before)
{
	bool moved = w->count != before->count;

	w->compare = w->notify < 0;
	for (size_t i = 0; i < w->count; i++) {
		struct folder *folder = &w->folders[i];
		const struct folder *was = as_before(before, folder);

		if (may_look(w, folder->path)) {
			watch_one(w, folder);
		}
		moved |= !was || was->watch != folder->watch;
	}
	for (size_t i = 0; i < before->count; i++) {
		int watch = before->folders[i].watch;

		if (watch >= 0 && !is_used(w, watch)) {
			inotify_rm_watch(w->notify, watch); /* it may be gone already */
		}
	}
	return moved;
}

static bool concerns(const struct watching *w, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW) {
		return true;
	}
	for (size_t i = 0; i < w->count; i++) {
		if (w->folders[i].watch == event->wd && event->len &&
		    is_of_interest(&w->folders[i], event->name)) {
			return true;
		}
	}
	return false;
}

/* *ret_again: a folder of ours came, went or was exchanged. Others that come and go beside the tree
 * are nothing to us, and may be many. */
static bool read_events(const struct watching *w, bool *ret_again)
{
	_Alignas(struct inotify_event) char bytes[16 << 10];
	const uint32_t moves = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED | IN_Q_OVERFLOW;
	bool changed = false;
	ssize_t n;

	while (w->notify >= 0 && (n = read(w->notify, bytes, sizeof bytes)) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)&bytes[at];

			bool ours = concerns(w, event);

			changed |= ours;
			*ret_again |= (event->mask & moves) || ours; /* it may be a link that was exchanged */
			at += (ssize_t)(sizeof *event + event->len);
		}
	}
	return changed;
}

/* ---- The loop ---- */

static int say_changed(const struct watching *w, bool changed)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct value map = value_map();

	value_put(arena, &map, "changed", value_bool(changed));
	return say(w, &map);
}

/* Where the folders are. True: others than before. */
static bool find_folders(struct watching *w)
{
	const struct watching before = *w;
	struct err err;

	w->arena = arena_create();
	w->folders = NULL;
	w->count = w->cap = 0;
	w->table_arena = arena_create();
	host_init(&w->host, &host_linux_ops, w->table_arena);
	w->table = NULL;
	w->over = 0;
	if (w->host.ops->mounts(&w->host, &w->table, &err)) {
		w->table = NULL;
	}
	list_folders(w);
	bool moved = watch_folders(w, &before);

	w->table = NULL;
	host_done(&w->host);
	arena_free(w->table_arena);
	arena_free(before.arena);
	return moved;
}

/* A look of our own: where the folders are, and (if need be) what is in them. */
static int look(struct watching *w, bool *ret_changed)
{
	enum { TRIES = 3 };

	/* A link may be exchanged between its being followed and its folder's being watched. */
	for (int i = 0; i < TRIES && !w->deaf && find_folders(w); i++) {
		*ret_changed = true;
	}
	if (w->compare && !w->deaf) {
		uint64_t print = print_of(w);

		*ret_changed |= print != w->print;
		w->print = print;
	}
	return w->deaf ? -1 : 0;
}

/* 1: asked to look again; -1: the supervisor is gone. */
static int hear(const struct watching *w)
{
	char bytes[64];
	ssize_t n = recv(w->fd, bytes, sizeof bytes, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		return -1;
	}
	return n > 0;
}

static int watch(struct watching *w, int again_ms)
{
	int64_t next = clock_ms() + again_ms;
	bool changed = false;

	/* What the first look finds is what there is. */
	if (look(w, &changed) || say_changed(w, false)) {
		return -1;
	}
	changed = false;
	for (;;) {
		struct pollfd p[] = {{.fd = w->fd, .events = POLLIN}, {.fd = w->notify, .events = POLLIN}};
		bool again = false;

		poll(p, ARRAY_LEN(p), (int)clock_left(next));
		changed = read_events(w, &again);
		int asked = hear(w);
		bool looks = asked > 0 || again || !clock_left(next);

		if (asked < 0 || (looks && look(w, &changed)) ||
		    ((looks || changed) && say_changed(w, changed))) {
			return -1;
		}
		next = looks ? clock_ms() + again_ms : next;
	}
}

int tree_watch_child(int fd, void *context)
{
	const struct tree_watch_task *task = context;
	struct watching w = {.fd = fd, .task = task, .arena = arena_create()};

	char go;

	/* Not before it is written down who we are. */
	if (chdir("/") || recv(fd, &go, 1, 0) != 1) {
		return 1;
	}
	w.notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	watch(&w, task->again_ms);
	return 0; /* it is over when nobody listens */
}
