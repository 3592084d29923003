// SPDX-License-Identifier: MIT
/* Kind directory: that it is there, its mode, owner and group. Never what is in it: one that is not
 * empty is not removed. On the target of a mount it is the mounted root, since that is what the
 * path names. */
#include "base/str.h"
#include "provider/converge.h"
#include "provider/ownership.h"
#include "provider/table.h"

static struct ownership ownership_of(const struct resource *r)
{
	return (struct ownership){r->directory.mode, r->directory.owner, r->directory.group};
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_DIRECTORY], key);
	struct ownership wanted = want ? ownership_of(want) : (struct ownership){0};
	struct file_look look;

	if (host->ops->look(host, key, &look, err)) {
		return -(int)err->code;
	}
	if (look.type == FILE_NONE) {
		have->state = STATE_ABSENT;
		ownership_note_parent(host, arena, have);
	} else {
		have->directory.type = ownership_type(look.type);
		have->directory.mode = arena_printf(arena, "%04o", look.mode);
		ownership_name(&look, &wanted, arena, &have->directory.owner, &have->directory.group);
	}
	*ret_have = have;
	return 0;
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *verdict)
{
	const char *type = have->directory.type;

	if (have->state == STATE_PRESENT && type && !text_equal(type, "directory")) {
		verdict->outcome = OUTCOME_BLOCKED;
		verdict->why = text_equal(type, "link")
		                   ? "is a symbolic link, and links are not followed"
		                   : arena_printf(arena, "something else is in its place: %s", type);
		return;
	}
	converge_diff_fields(arena, want, have, verdict);
}

static int create(struct host *host, const struct resource *want, struct arena *arena,
                  struct err *err)
{
	struct ownership wanted = ownership_of(want);
	struct ownership_ids ids;

	if (ownership_resolve(&wanted, 0755, &ids, err) ||
	    ownership_need_parent(host, want->key, arena, err)) {
		return -(int)err->code;
	}
	/* Closed until it belongs to whom it should. */
	if (host->ops->make_directory(host, want->key, ids.foreign ? 0700 : ids.mode, err)) {
		return -(int)err->code;
	}
	return ownership_settle(host, want->key, &ids, err);
}

static int apply(struct host *host, const struct change *change, struct arena *arena,
                 struct applied *applied, struct err *err)
{
	struct ownership want = ownership_of(change->want);

	(void)applied;
	switch (change->action) {
	case ACTION_CREATE:
		return create(host, change->want, arena, err);
	case ACTION_UPDATE:
		return ownership_mend(host, change->want->key, &want, err);
	case ACTION_REMOVE:
		return host->ops->remove_directory(host, change->want->key, err);
	default:
		return err_set(err, ERR_BUG, 0, "a directory cannot %s", action_name(change->action));
	}
}

static const struct resource *predict(struct arena *arena, const struct change *change,
                                      bool *ret_exact)
{
	struct resource *after = resource_copy(arena, change->want);
	struct ownership had = ownership_of(change->have);

	(void)ret_exact;
	if (after->state == STATE_PRESENT) {
		after->directory.type = "directory";
		ownership_predict(&had, change->have->state == STATE_PRESENT, "0755",
		                  &after->directory.mode, &after->directory.owner, &after->directory.group);
	}
	return after;
}

const struct provider provider_directory = {
    .kind = KIND_DIRECTORY,
    .observe = observe,
    .diff = diff,
    .apply = apply,
    .predict = predict,
};
