// SPDX-License-Identifier: MIT
/* Users and groups of files.h. A directory service may be behind them: they may block. */
#include "host/files.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_MOST = 1 << 20 }; /* bytes of one entry, members of a group included */

static bool is_number(const char *name, unsigned *ret_id)
{
	char *end;

	if (name[0] < '0' || name[0] > '9') {
		return false;
	}
	errno = 0;
	unsigned long n = strtoul(name, &end, 10);

	if (*end || errno || n >= 0xffffffffu) {
		return false;
	}
	*ret_id = (unsigned)n;
	return true;
}

/* Calls one of the four look-ups with a buffer that grows until the entry fits. */
static int with_buffer(int (*look)(void *context, char *buffer, size_t size), void *context)
{
	for (size_t size = 1024;; size *= 4) {
		char *buffer = mem_alloc(size);
		int os = look(context, buffer, size);

		free(buffer);
		if (os != ERANGE || size >= RECORD_MOST) {
			return os;
		}
	}
}

struct lookup {
	const char *name; /* look for this, or NULL: for the id */
	unsigned id;
	struct arena *arena; /* for the name that was found */
	const char *found;   /* NULL: there is none */
};

static int look_user(void *context, char *buffer, size_t size)
{
	struct lookup *l = context;
	struct passwd entry, *found = NULL;
	int os = l->name ? getpwnam_r(l->name, &entry, buffer, size, &found)
	                 : getpwuid_r(l->id, &entry, buffer, size, &found);

	if (found) {
		l->id = found->pw_uid;
		l->found = l->arena ? arena_strdup(l->arena, found->pw_name) : l->name;
	}
	return os;
}

static int look_group(void *context, char *buffer, size_t size)
{
	struct lookup *l = context;
	struct group entry, *found = NULL;
	int os = l->name ? getgrnam_r(l->name, &entry, buffer, size, &found)
	                 : getgrgid_r(l->id, &entry, buffer, size, &found);

	if (found) {
		l->id = found->gr_gid;
		l->found = l->arena ? arena_strdup(l->arena, found->gr_name) : l->name;
	}
	return os;
}

static int id_of(const char *name, const char *what, int (*look)(void *, char *, size_t),
                 unsigned *ret_id, struct err *err)
{
	struct lookup l = {.name = name};

	if (is_number(name, ret_id)) {
		return 0;
	}
	if (strcmp(name, "root") == 0) {
		*ret_id = 0; /* by far the most, and no directory service is asked */
		return 0;
	}
	int os = with_buffer(look, &l);

	if (l.found) {
		*ret_id = l.id;
		return 0;
	}
	/* These say "not found" as well: getpwnam(3), ERRORS. */
	if (os == 0 || os == ENOENT || os == ESRCH || os == EBADF || os == EPERM) {
		return err_set(err, ERR_INPUT, 0, "there is no %s %s", what, name);
	}
	return err_set(err, ERR_HOST, os, "cannot look up the %s %s", what, name);
}

static const char *name_of(unsigned id, int (*look)(void *, char *, size_t), struct arena *arena)
{
	struct lookup l = {.id = id, .arena = arena};

	if (id == 0) {
		return "root";
	}
	if (with_buffer(look, &l) == 0 && l.found) {
		return l.found;
	}
	return arena_printf(arena, "%u", id);
}

int files_user(const char *name, unsigned *ret_uid, struct err *err)
{
	return id_of(name, "user", look_user, ret_uid, err);
}

int files_group(const char *name, unsigned *ret_gid, struct err *err)
{
	return id_of(name, "group", look_group, ret_gid, err);
}

const char *files_user_name(unsigned uid, struct arena *arena)
{
	return name_of(uid, look_user, arena);
}

const char *files_group_name(unsigned gid, struct arena *arena)
{
	return name_of(gid, look_group, arena);
}
