// SPDX-License-Identifier: MIT
/*
 * Loading and unloading, by libkmod. Its codes are hints: a positive one names the blacklist that
 * stopped it, 0 may come from an `install` line that loaded nothing. Whether the module is there is
 * for the next look to say. The flags that force a module on a kernel it was not built for are
 * never passed.
 */
#include "base/clock.h"
#include "base/str.h"
#include "host/modules_inner.h"
#include "host/modules_library.h"
#include "host/modules_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	COMING_MS = 30000, /* the longest that a module may take to come up */
	LOOK_EVERY_MS = 50,
	LOG_MOST = 20,      /* lines */
	RECORD_MOST = 8192, /* bytes of one record of /dev/kmsg, as the kernel bounds them */
};

/* ---- The kernel's log ---- */

/* Stands behind the last record: what is read from it was logged since. -1: it may not be read. */
static int open_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0) {
		lseek(fd, 0, SEEK_END);
	}
	return fd;
}

/* "6,339,5140900,-;TEXT\n KEY=VALUE\n" (Documentation/ABI/testing/dev-kmsg). Lines that name the
 * module, and those of the module loader, which name none. */
static const char *read_log(struct arena *arena, int fd, const char *name)
{
	AUTO(str_free) struct str log = {0};
	char record[RECORD_MOST + 1];
	unsigned lines = 0;
	ssize_t n;

	while (fd >= 0 && lines < LOG_MOST) {
		n = read(fd, record, RECORD_MOST);
		if (n < 0 && errno == EPIPE) {
			continue; /* some were overwritten meanwhile */
		}
		if (n <= 0) {
			break;
		}
		record[n] = '\0';
		char *text = strchr(record, ';');

		if (!text) {
			continue;
		}
		text[strcspn(text, "\n")] = '\0';
		if (strstr(text, name) || strstr(text, "ELF") || strstr(text, "odule")) {
			str_addf(&log, "%s\n", text + 1);
			lines++;
		}
	}
	return log.length ? arena_strdup(arena, str_text(&log)) : NULL;
}

/* ---- Loading ---- */

struct refusal {
	struct arena *arena;
	const struct modules_library *kmod;
	const char *redirected;
};

/* An `install` line: libkmod would hand it to a shell, as root. */
static int refuse_install(struct kmod_module *m, const char *command, void *data)
{
	struct refusal *refusal = data;

	(void)command;
	refusal->redirected = arena_strdup(refusal->arena, refusal->kmod->kmod_module_get_name(m));
	return -EPERM;
}

/* The module of that very name, NULL: there is none. */
static struct kmod_module *find(const struct modules_library *kmod, struct kmod_ctx *ctx,
                                const char *name)
{
	struct kmod_list *list = NULL;
	struct kmod_module *found = NULL;

	if (kmod->kmod_load_resources(ctx) < 0 ||
	    kmod->kmod_module_new_from_lookup(ctx, name, &list) < 0) {
		return NULL;
	}
	for (struct kmod_list *l = list; l && !found; l = kmod->kmod_list_next(list, l)) {
		struct kmod_module *m = kmod->kmod_module_get_module(l);

		if (kmod->kmod_module_get_path(m) &&
		    modules_tree_same(kmod->kmod_module_get_name(m), name)) {
			found = m;
		} else {
			kmod->kmod_module_unref(m);
		}
	}
	kmod->kmod_module_unref_list(list);
	return found;
}

static void insert(struct arena *arena, const struct modules_library *kmod, struct kmod_module *m,
                   const struct module_request *request, struct module_done *done)
{
	struct refusal refusal = {.arena = arena, .kmod = kmod};
	unsigned flags = request->over_blacklist ? 0 : KMOD_PROBE_APPLY_BLACKLIST;
	int r = kmod->kmod_module_probe_insert_module(m, flags, request->parameters, refuse_install,
	                                              &refusal, NULL);

	done->redirected = refusal.redirected;
	done->blacklisted =
	    r > 0 && (r & (KMOD_PROBE_APPLY_BLACKLIST | KMOD_PROBE_APPLY_BLACKLIST_ALL));
	/* Somebody else may have been quicker. */
	done->error = r < 0 && r != -EEXIST ? -r : 0;
}

/* As long as the kernel says that it is coming, it is neither there nor not. */
static void await(struct arena *arena, const struct modules_place *place, const char *name)
{
	struct timespec pause = {.tv_nsec = LOOK_EVERY_MS * 1000000L};
	int64_t end = clock_ms() + COMING_MS;
	struct host_module module;
	struct err busy;

	while (modules_look_in(arena, place, name, false, &module, &busy) == -ERR_BUSY &&
	       clock_left(end) > 0) {
		nanosleep(&pause, NULL);
	}
}

int modules_load(struct host *host, const struct module_request *request,
                 struct module_done *ret_done, struct err *err)
{
	const struct modules_library *kmod = modules_library(err);
	struct module_done done = {0};
	struct modules_place place;

	if (!kmod || modules_place(host->arena, NULL, &place, err)) {
		return -(int)err->code;
	}
	struct kmod_ctx *ctx = modules_library_context(kmod, place.folder, place.config, err);

	if (!ctx) {
		return -(int)err->code;
	}
	struct kmod_module *m = find(kmod, ctx, request->name);

	if (!m) {
		kmod->kmod_unref(ctx);
		return err_set(err, ERR_HOST, 0, "the index of %s names no module %s", place.folder,
		               request->name);
	}
	AUTO(fd_auto) int log = open_log();

	insert(host->arena, kmod, m, request, &done);
	kmod->kmod_module_unref(m);
	kmod->kmod_unref(ctx);
	await(host->arena, &place, request->name);
	done.log = read_log(host->arena, log, request->name);
	*ret_done = done;
	return 0;
}

int modules_load_undo(struct host *host, const char *name, struct module_done *ret_done,
                      struct err *err)
{
	const struct modules_library *kmod = modules_library(err);
	struct modules_place place;
	struct kmod_module *m = NULL;

	if (!kmod || modules_place(host->arena, NULL, &place, err)) {
		return -(int)err->code;
	}
	struct kmod_ctx *ctx = modules_library_context(kmod, place.folder, place.config, err);

	if (!ctx) {
		return -(int)err->code;
	}
	int r = kmod->kmod_module_new_from_name(ctx, name, &m);

	if (r >= 0) {
		/* Never waits and never forces: the kernel refuses what is in use. */
		r = kmod->kmod_module_remove_module(m, 0);
		kmod->kmod_module_unref(m);
	}
	kmod->kmod_unref(ctx);
	*ret_done = (struct module_done){.error = r < 0 ? -r : 0};
	return 0;
}
