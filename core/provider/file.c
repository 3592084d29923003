// SPDX-License-Identifier: MIT
/* Kind file: content, mode, owner and group of a regular file. What is in it is told by its digest;
 * the content itself only of files that everybody may read. A link or a directory in its place is
 * never touched. */
#include "base/digest.h"
#include "base/str.h"
#include "provider/converge.h"
#include "provider/ownership.h"
#include "provider/systemd.h"
#include "provider/table.h"

#include <stdlib.h>
#include <string.h>

enum {
	SHOWN_MOST = 64 << 10,
	DIGEST_MOST = 64 << 20, /* nothing that can be wanted is larger: a tree's file ends at 16 MiB */
};

static int read_content(struct host *host, const char *key, struct arena *arena,
                        struct resource *have, struct err *err)
{
	AUTO(arena_auto) struct arena *scratch = arena_create();
	struct file_bytes bytes;

	if (host->ops->read(host, key, DIGEST_MOST, scratch, &bytes, err)) {
		return -(int)err->code;
	}
	struct digest digest = digest_bytes(bytes.data, bytes.length);

	have->file.digest = arena_strdup(arena, digest.hex);
	if ((bytes.look.mode & 0004) && bytes.length <= SHOWN_MOST &&
	    text_utf8_until(bytes.data, bytes.length) == bytes.length &&
	    !memchr(bytes.data, '\0', bytes.length)) {
		have->file.content = arena_strndup(arena, bytes.data, bytes.length);
	}
	return 0;
}

static struct ownership ownership_of(const struct resource *r)
{
	return (struct ownership){r->file.mode, r->file.owner, r->file.group};
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_FILE], key);
	struct ownership wanted = want ? ownership_of(want) : (struct ownership){0};
	struct file_look look;

	if (host->ops->look(host, key, &look, err)) {
		return -(int)err->code;
	}
	*ret_have = have;
	if (look.type == FILE_NONE) {
		have->state = STATE_ABSENT;
		ownership_note_parent(host, arena, have);
		return 0;
	}
	have->file.type = ownership_type(look.type);
	have->file.mode = arena_printf(arena, "%04o", look.mode);
	ownership_name(&look, &wanted, arena, &have->file.owner, &have->file.group);
	/* Of a larger one only that its content is none that could be wanted. */
	if (look.type != FILE_REGULAR || look.size > DIGEST_MOST) {
		return 0;
	}
	return read_content(host, key, arena, have, err);
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *verdict)
{
	const char *type = have->file.type;

	if (have->state == STATE_PRESENT && type && !text_equal(type, "file")) {
		verdict->outcome = OUTCOME_BLOCKED;
		verdict->why = text_equal(type, "link")
		                   ? "is a symbolic link, and links are not followed"
		                   : arena_printf(arena, "something else is in its place: %s",
		                                  text_equal(type, "directory") ? "a directory" : type);
		return;
	}
	converge_diff_fields(arena, want, have, verdict);
}

static int write_whole(struct host *host, const struct resource *want,
                       const struct ownership_ids *ids, struct err *err)
{
	const char *content = want->file.content ? want->file.content : "";
	struct file_write write = {
	    .data = content,
	    .length = strlen(content),
	    .mode = ids->mode,
	    .uid = ids->uid,
	    .gid = ids->gid,
	};

	return host->ops->write(host, want->key, &write, err);
}

static int create(struct host *host, const struct resource *want, struct arena *arena,
                  struct err *err)
{
	struct ownership wanted = ownership_of(want);
	struct ownership_ids ids;

	if (ownership_resolve(&wanted, 0644, &ids, err) ||
	    ownership_need_parent(host, want->key, arena, err)) {
		return -(int)err->code;
	}
	return write_whole(host, want, &ids, err);
}

static int update(struct host *host, const struct change *change, struct err *err)
{
	const struct resource *want = change->want, *have = change->have;
	struct ownership wanted = ownership_of(want);
	struct ownership_ids ids;
	struct file_look look;

	bool is_right = !want->file.content || text_equal(want->file.digest, have->file.digest);
	bool grants = wanted.mode && (strtoul(wanted.mode, NULL, 8) & 06000);

	/* What runs with its owner's rights must be what was wanted: of a file that is there already
	 * somebody may put another in its place right before it is given them. */
	if (is_right && !(grants && want->file.content)) {
		return ownership_mend(host, want->key, &wanted, err);
	}
	if (host->ops->look(host, want->key, &look, err) ||
	    ownership_resolve(&wanted, look.mode, &ids, err)) {
		return -(int)err->code;
	}
	/* Of what is not wanted, a new content changes nothing. */
	ids.uid = wanted.owner ? ids.uid : look.uid;
	ids.gid = wanted.group ? ids.gid : look.gid;
	return write_whole(host, want, &ids, err);
}

static int carry_out(struct host *host, const struct change *change, struct arena *arena,
                     struct err *err)
{
	switch (change->action) {
	case ACTION_CREATE:
		return create(host, change->want, arena, err);
	case ACTION_UPDATE:
		return update(host, change, err);
	case ACTION_REMOVE:
		return host->ops->remove_file(host, change->want->key, err);
	default:
		return err_set(err, ERR_BUG, 0, "a file cannot %s", action_name(change->action));
	}
}

/* What systemd reads once and then acts on (systemd.unit(5), systemd-fstab-generator(8)). */
static bool is_read_by_systemd(const char *path)
{
	static const char *const folders[] = {"/etc/systemd/system/", "/run/systemd/system/",
	                                      "/usr/lib/systemd/system/", "/lib/systemd/system/"};

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		if (text_starts(path, folders[i])) {
			return true;
		}
	}
	return text_equal(path, "/etc/fstab");
}

static int apply(struct host *host, const struct change *change, struct arena *arena,
                 struct applied *applied, struct err *err)
{
	struct err complaint = {0};
	const char *why = NULL;
	bool here;

	if (carry_out(host, change, arena, err)) {
		return -(int)err->code;
	}
	/* The file is as wanted; that systemd was not told is worth saying, and no failure of it. */
	if (is_read_by_systemd(change->want->key) && !systemd_is_here(host, &here, &complaint) &&
	    here && systemd_call(host, "daemon-reload", NULL, arena, &why, &complaint)) {
		why = arena_printf(arena, "systemd was not told: %s", complaint.text);
	}
	applied->detail = why;
	return 0;
}

static const struct resource *predict(struct arena *arena, const struct change *change,
                                      bool *ret_exact)
{
	struct resource *after = resource_copy(arena, change->want);
	const struct file *had = &change->have->file;
	struct ownership was = ownership_of(change->have);
	bool was_there = change->have->state == STATE_PRESENT;

	(void)ret_exact;
	if (after->state != STATE_PRESENT) {
		return after;
	}
	after->file.type = "file";
	ownership_predict(&was, was_there, "0644", &after->file.mode, &after->file.owner,
	                  &after->file.group);
	if (!after->file.content) {
		after->file.content = was_there ? had->content : "";
		after->file.digest = was_there ? had->digest : arena_strdup(arena, digest_bytes("", 0).hex);
	}
	if (after->file.content && !(strtoul(after->file.mode, NULL, 8) & 0004)) {
		after->file.content = NULL; /* observing would not show it */
	}
	return after;
}

const struct provider provider_file = {
    .kind = KIND_FILE,
    .observe = observe,
    .diff = diff,
    .apply = apply,
    .predict = predict,
};
