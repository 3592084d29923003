// SPDX-License-Identifier: MIT
/* See ownership.h. */
#include "provider/ownership.h"

#include "base/path.h"

#include <stdlib.h>
#include <unistd.h>

const char *ownership_type(enum file_type type)
{
	switch (type) {
	case FILE_REGULAR:
		return "file";
	case FILE_DIRECTORY:
		return "directory";
	case FILE_LINK:
		return "link";
	default:
		return "other";
	}
}

void ownership_name(const struct file_look *look, const struct ownership *want, struct arena *arena,
                    const char **ret_owner, const char **ret_group)
{
	unsigned id;
	struct err err;

	/* A name that nobody has, or that cannot be looked up now, is none of what lies there. */
	*ret_owner = want->owner && !files_user(want->owner, &id, &err) && id == look->uid
	                 ? arena_strdup(arena, want->owner)
	                 : files_user_name(look->uid, arena);
	*ret_group = want->group && !files_group(want->group, &id, &err) && id == look->gid
	                 ? arena_strdup(arena, want->group)
	                 : files_group_name(look->gid, arena);
}

int ownership_resolve(const struct ownership *want, unsigned mode, struct ownership_ids *ret_ids,
                      struct err *err)
{
	/* Without root a new file can only be ours. */
	struct ownership_ids ids = {.mode = mode, .uid = geteuid(), .gid = getegid()};

	if (geteuid() == 0) {
		ids.gid = 0;
	}
	if (want->mode) {
		ids.mode = (unsigned)strtoul(want->mode, NULL, 8);
	}
	if ((want->owner && files_user(want->owner, &ids.uid, err)) ||
	    (want->group && files_group(want->group, &ids.gid, err))) {
		return -(int)err->code;
	}
	ids.foreign = ids.uid != geteuid() || ids.gid != getegid();
	*ret_ids = ids;
	return 0;
}

int ownership_need_parent(struct host *host, const char *path, struct arena *arena, struct err *err)
{
	const char *parent = path_parent(arena, path);
	struct file_look look;

	if (!parent) {
		return 0;
	}
	if (host->ops->look(host, parent, &look, err)) {
		return -(int)err->code;
	}
	return look.type == FILE_NONE
	           ? err_set(err, ERR_BUSY, 0, "the directory %s that it would lie in is missing",
	                     parent)
	           : 0;
}

void ownership_note_parent(struct host *host, struct arena *arena, struct resource *absent)
{
	struct err err = {0};

	if (ownership_need_parent(host, absent->key, arena, &err) && err.code == ERR_BUSY) {
		absent->why = arena_strdup(arena, err.text);
	}
}

static int settle(struct host *host, const char *path, const struct file_look *look,
                  const struct ownership_ids *ids, struct err *err)
{
	bool moves = ids->uid != look->uid || ids->gid != look->gid;

	if (moves && host->ops->set_owner(host, path, ids->uid, ids->gid, err)) {
		return -(int)err->code;
	}
	/* A mode with set-id bits has lost them by the change of owner. */
	if ((ids->mode != look->mode || (moves && (ids->mode & 06000))) &&
	    host->ops->set_mode(host, path, ids->mode, err)) {
		return -(int)err->code;
	}
	return 0;
}

int ownership_settle(struct host *host, const char *path, const struct ownership_ids *ids,
                     struct err *err)
{
	struct file_look look;

	return host->ops->look(host, path, &look, err) ? -(int)err->code
	                                               : settle(host, path, &look, ids, err);
}

int ownership_mend(struct host *host, const char *path, const struct ownership *want,
                   struct err *err)
{
	struct ownership_ids ids;
	struct file_look look;

	if (host->ops->look(host, path, &look, err)) {
		return -(int)err->code;
	}
	ids = (struct ownership_ids){.mode = look.mode, .uid = look.uid, .gid = look.gid};
	if (want->mode) {
		ids.mode = (unsigned)strtoul(want->mode, NULL, 8);
	}
	if ((want->owner && files_user(want->owner, &ids.uid, err)) ||
	    (want->group && files_group(want->group, &ids.gid, err))) {
		return -(int)err->code;
	}
	return settle(host, path, &look, &ids, err);
}

void ownership_predict(const struct ownership *had, bool was_there, const char *mode,
                       const char **mode_, const char **owner, const char **group)
{
	*mode_ = *mode_ ? *mode_ : was_there ? had->mode : mode;
	*owner = *owner ? *owner : was_there ? had->owner : "root";
	*group = *group ? *group : was_there ? had->group : "root";
}
