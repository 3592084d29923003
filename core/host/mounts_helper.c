// SPDX-License-Identifier: MIT
/*
 * Mounting through libmount, which knows helpers, labels and loop devices: what it is told, what a
 * helper said meanwhile, and what of its codes is an errno. Also the words of a mount that failed.
 */
#include "host/mounts_inner.h"

#include "base/str.h"
#include "host/mounts_library.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	WORDS_MOST = 300,     /* bytes kept of what a helper said */
	LIBRARY_CODES = 5000, /* MNT_ERR_NOFSTAB, the lowest (libmount.h) */
};

/* Types that only their own program can mount: it resolves names, talks to a daemon, sets up the
 * client. */
static const char *const need_helper[] = {"lustre",    "nfs",  "nfs4", "cifs", "smb3",
                                          "glusterfs", "fuse", "ceph", "gpfs"};

/* ---- What went wrong ---- */

/* Does the kernel know the type now? */
static bool is_registered(const char *type)
{
	char line[256];
	FILE *f = fopen("/proc/filesystems", "re");
	bool found = false;

	while (f && !found && fgets(line, sizeof line, f)) {
		const char *name = strrchr(line, '\t');

		line[strcspn(line, "\n")] = '\0';
		found = name && strcmp(name + 1, type) == 0;
	}
	if (f) {
		fclose(f);
	}
	return found;
}

int mounts_helper_fail(struct err *err, int os, const struct mount_request *request,
                       const char *said)
{
	const char *type = request->type ? request->type : "";
	enum err_code code = os == EBUSY ? ERR_BUSY : ERR_HOST;
	char words[WORDS_MOST + 4] = "";

	if (said && *said) {
		snprintf(words, sizeof words, ": %.*s", WORDS_MOST, said);
	} else if (request->source && (os == ENOENT || os == ENXIO || os == ENOTBLK)) {
		snprintf(words, sizeof words, ": source %.*s", WORDS_MOST - 16, request->source);
	}
	if (os == ENODEV && !is_registered(type)) {
		return err_set(
		    err, code, ENODEV,
		    "cannot mount %s: the kernel has no file system type %s, is its module there?%s",
		    request->target, type, words);
	}
	/* Who said it in words need not say it twice. */
	if (os && strstr(words, strerror(os))) {
		int r = err_set(err, code, 0, "cannot mount %s%s", request->target, words);

		err->os = os;
		return r;
	}
	return err_set(err, code, os, "cannot mount %s%s", request->target, words);
}

/* ---- Stderr of a helper ---- */

/* The helper writes to our stderr; for the time of the call that is a file in memory. */
struct hearing {
	int file, before;
};

static void hear(struct hearing *h)
{
	h->file = memfd_create("stderr", MFD_CLOEXEC);
	h->before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (h->file >= 0) {
		dup2(h->file, STDERR_FILENO);
	}
}

static void heard(struct hearing *h, struct str *ret_words)
{
	char text[WORDS_MOST];
	ssize_t n = h->file < 0 ? -1 : pread(h->file, text, sizeof text, 0);

	if (h->file >= 0) {
		if (h->before >= 0) {
			dup2(h->before, STDERR_FILENO);
		} else {
			close(STDERR_FILENO);
		}
	}
	fd_auto(&h->file);
	fd_auto(&h->before);
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' ')) {
		n--;
	}
	for (ssize_t i = 0; i < n; i++) {
		text[i] = text[i] == '\n' ? ' ' : text[i];
	}
	if (n > 0) {
		AUTO(mem_auto) char *words = mem_alloc((size_t)n + 1);

		memcpy(words, text, (size_t)n);
		words[n] = '\0';
		str_add_printable(ret_words, words, (size_t)n);
	}
}

/* ---- Mounting ---- */

/* "fuse.sshfs" is mounted by mount.fuse. */
int mounts_helper_check(const struct mount_request *request, struct err *err)
{
	size_t n = strcspn(request->type, ".");
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(need_helper); i++) {
		if (strlen(need_helper[i]) != n || strncmp(need_helper[i], request->type, n) != 0) {
			continue;
		}
		snprintf(path, sizeof path, "/sbin/mount.%s", need_helper[i]);
		if (access(path, X_OK)) {
			return err_set(err, ERR_HOST, errno,
			               "cannot mount %s: the mount program %s of type %s is missing",
			               request->target, path, request->type);
		}
	}
	return 0;
}

static bool is_tag(const char *source)
{
	static const char *const tags[] = {"LABEL=", "UUID=", "PARTLABEL=", "PARTUUID=", "ID="};

	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		if (text_starts(source, tags[i])) {
			return true;
		}
	}
	return false;
}

/* A return code of 0 says nothing about the helper, and its status nothing about the mount: see
 * mnt_context_get_status(3) and the helpers themselves, which exit with what they like. */
static int judge(const struct mounts_library *library, struct libmnt_context *context, int rc,
                 const struct mount_request *request, const char *said, struct err *err)
{
	char words[WORDS_MOST] = "";
	int code = library->mnt_context_get_excode(context, rc, words, sizeof words);

	if (library->mnt_context_helper_executed(context)) {
		int status = library->mnt_context_get_helper_status(context);

		if (!status) {
			return 0;
		}
		/* mount.lustre ends with an errno, unless it cannot make sense of its own words. Others
		 * have 1, 2, 4 ... 64 for kinds of trouble. */
		bool is_errno = strcmp(request->type, "lustre") == 0 && !strstr(said, "Can't parse NID");

		snprintf(words, sizeof words, "mount.%s ended with status %d%s%s", request->type, status,
		         *said ? ": " : ", and no word: could it be run at all?", said);
		return mounts_helper_fail(err, is_errno ? status : 0, request, words);
	}
	if (library->mnt_context_syscall_called(context) &&
	    library->mnt_context_get_syscall_errno(context)) {
		return mounts_helper_fail(err, library->mnt_context_get_syscall_errno(context), request,
		                          said);
	}
	/* From 5000 on these are codes of the library, not errnos: its words say it. */
	return rc || code ? mounts_helper_fail(err, rc < 0 && rc > -LIBRARY_CODES ? -rc : 0, request,
	                                       *said ? said : words)
	                  : 0;
}

/* Is there a program for the type? It is given the target by name: a descriptor of ours means
 * nothing to it. Of a type that is still to be found out nothing is known. */
static bool has_helper(const char *type)
{
	static const char *const folders[] = {"/sbin", "/sbin/fs.d", "/sbin/fs"};
	char path[128];

	if (strcmp(type, "auto") == 0 || strchr(type, ',')) {
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		snprintf(path, sizeof path, "%s/mount.%s", folders[i], type);
		if (!access(path, F_OK)) {
			return true;
		}
		snprintf(path, sizeof path, "%s/mount.%.*s", folders[i], (int)strcspn(type, "."), type);
		if (!access(path, F_OK)) {
			return true;
		}
	}
	return false;
}

int mounts_helper_mount(const struct mount_request *request, const char *place, const char *options,
                        struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	/* A label is looked up here: the library would look up the target with it. */
	const char *source = request->source && is_tag(request->source)
	                         ? mounts_resolve(request->source, arena)
	                         : request->source;
	const struct mounts_library *library = mounts_library(err);
	struct libmnt_context *context = library ? library->mnt_new_context() : NULL;
	AUTO(str_free) struct str said = {0};
	struct hearing hearing;

	if (!library) {
		return -(int)err->code;
	}
	if (!context) {
		return err_set(err, ERR_HOST, ENOMEM, "cannot mount %s", request->target);
	}
	/* On the context and nowhere else: from 2.39 on, options of a libmnt_fs are ignored silently.
	 * fstab is not looked at: what is wanted is said in full. */
	if (library->mnt_context_set_target(context,
	                                    has_helper(request->type) ? request->target : place) ||
	    library->mnt_context_set_source(context, source ? source : "none") ||
	    library->mnt_context_set_fstype(context, request->type) ||
	    library->mnt_context_set_options(context, options) ||
	    library->mnt_context_set_optsmode(context, MNT_OMODE_NOTAB)) {
		library->mnt_free_context(context);
		return err_set(err, ERR_HOST, ENOMEM, "cannot mount %s", request->target);
	}
	library->mnt_context_disable_canonicalize(context, 1); /* names are taken as they are written */
	hear(&hearing);
	int rc = library->mnt_context_mount(context);

	heard(&hearing, &said);
	int r = judge(library, context, rc, request, str_text(&said), err);

	library->mnt_free_context(context);
	return r;
}

/* ---- Sources ---- */

const char *mounts_resolve(const char *source, struct arena *arena)
{
	if (!is_tag(source) && !text_starts(source, "/dev/")) {
		return source;
	}
	struct err ignored;
	const struct mounts_library *library = mounts_library(&ignored);
	char *found = library ? library->mnt_resolve_spec(source, NULL) : NULL;
	const char *resolved = found ? arena_strdup(arena, found) : source;

	free(found);
	return resolved;
}
