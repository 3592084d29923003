// SPDX-License-Identifier: MIT
/*
 * Kind data_repository: is the directory that is tied to a bucket there, on a live mount? The
 * directory comes with the association (of the file system, not of the node), so it is checked and
 * never created: one made by us below a target that is not mounted would hide that it is missing.
 */
#include "base/str.h"
#include "provider/table.h"

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_DATA_REPOSITORY], key);
	const struct mount_table *table;
	struct file_look look;

	(void)want;
	if (host->ops->mounts(host, &table, err)) {
		return -(int)err->code;
	}
	const struct mount_row *row = mount_table_over(table, key);

	if (!row || text_equal(row->target, "/")) {
		have->state = STATE_ABSENT; /* its file system is not mounted: nothing below is looked at */
		*ret_have = have;
		return 0;
	}
	if (host->ops->look(host, key, &look, err)) {
		return -(int)err->code;
	}
	have->data_repository.directory =
	    (struct truth){.set = true, .value = look.type == FILE_DIRECTORY};
	*ret_have = have;
	return 0;
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *verdict)
{
	if (have->state == STATE_ABSENT) {
		verdict->outcome = OUTCOME_BLOCKED;
		verdict->why =
		    arena_printf(arena, "%s lies on no mount: its file system is not mounted", want->key);
	} else if (!have->data_repository.directory.value) {
		verdict->outcome = OUTCOME_BLOCKED;
		verdict->why = arena_printf(
		    arena, "%s is missing on the mounted file system; reconcile never creates it",
		    want->key);
	} else {
		verdict->outcome = OUTCOME_SKIPPED;
		verdict->why =
		    arena_printf(arena,
		                 "the directory is there; the association with %s is not managed by this "
		                 "version",
		                 want->data_repository.repository);
	}
}

const struct provider provider_data_repository = {
    .kind = KIND_DATA_REPOSITORY,
    .observe = observe,
    .diff = diff,
};
