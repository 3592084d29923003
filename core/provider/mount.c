// SPDX-License-Identifier: MIT
/*
 * Kind mount: what is mounted on a target, and the line of fstab, as two facts. A target that
 * somebody else's file system occupies is never freed, what is in use is never unmounted, an
 * automount is never triggered. Observing is in mount_observe.c, comparing in mount_diff.c, fstab
 * lines are composed in mount_line.c.
 */
#include "provider/mount.h"

#include "base/path.h"
#include "base/str.h"
#include "model/mount_options.h"
#include "provider/mount_explain.h"
#include "provider/table.h"

#include <string.h>

enum { STACK_MOST = 16 };

/* ---- Rules ---- */

static int check(const struct resource *want, struct err *err)
{
	const struct mount *mount = &want->mount;
	bool is_bind = mount_options_bind(&mount->options);

	if (want->state == STATE_ABSENT) {
		return strcmp(want->key, "/") == 0
		           ? err_set(err, ERR_INPUT, 0, "the root file system cannot be wanted absent")
		           : 0;
	}
	if (is_bind && mount->source && path_fault(mount->source)) {
		return err_set(err, ERR_INPUT, 0, "the source of a bind mount %s: %s",
		               path_fault(mount->source), mount->source);
	}
	if (!is_bind && text_equal(mount->type, "none")) {
		return err_set(err, ERR_INPUT, 0,
		               "type none is for bind mounts, and bind is not among the options");
	}
	if (mount->service && text_equal(mount->manage, "full")) {
		return err_set(err, ERR_INPUT, 0,
		               "a mount that %s makes has no line of fstab: manage is live or observe",
		               mount->service);
	}
	if (text_equal(mount->type, "swap") || text_equal(mount->type, "autofs")) {
		return err_set(err, ERR_INPUT, 0, "type %s is not mounted", mount->type);
	}
	for (size_t i = 0; i < mount->options.count; i++) {
		const char *option = mount->options.items[i];

		if (strcmp(option, "remount") == 0 || strcmp(option, "move") == 0) {
			return err_set(err, ERR_INPUT, 0, "option %s says what to do, not what to be", option);
		}
	}
	return 0;
}

/* What is bound must be there first, with what is mounted above it. */
static void needs(struct arena *arena, const struct resource *want, struct keys *ret_ids)
{
	const char *source = want->mount.source;

	if (want->state == STATE_PRESENT && want->mount.service) {
		keys_add(arena, ret_ids, arena_printf(arena, "service:%s", want->mount.service));
	}
	if (want->state != STATE_PRESENT || !source || source[0] != '/' || path_fault(source)) {
		return;
	}
	keys_add(arena, ret_ids, arena_printf(arena, "directory:%s", source));
	keys_add(arena, ret_ids, arena_printf(arena, "file:%s", source));
	for (const char *path = source; path && path[1]; path = path_parent(arena, path)) {
		if (strcmp(path, want->key) != 0) {
			keys_add(arena, ret_ids, arena_printf(arena, "mount:%s", path));
		}
	}
}

/* ---- Apply ---- */

/* The target and what is missing above it. They are the mount's own, and only carry it. */
static int make_target(struct host *host, const char *path, struct arena *arena, struct err *err)
{
	const char *parent = path_parent(arena, path);
	struct file_look look;

	if (host->ops->look(host, path, &look, err)) {
		return -(int)err->code;
	}
	if (look.type != FILE_NONE) {
		return 0;
	}
	if (parent && make_target(host, parent, arena, err)) {
		return -(int)err->code;
	}
	return host->ops->make_directory(host, path, 0755, err);
}

/* Of the wanted options those the host is to be told: without those for fstab, and of a mount that
 * is live only those that do not hold and that a remount changes, beside bind, which says how to
 * change them. */
static struct list options_to_set(struct arena *arena, const struct resource *want,
                                  const struct resource *have)
{
	struct list wanted = mount_options_in_force(arena, &want->mount.options, false);
	const char **items = arena_array(arena, wanted.count, sizeof *items);
	struct list set = {.set = true, .items = items};

	for (size_t i = 0; i < wanted.count; i++) {
		const char *option = wanted.items[i];
		bool is_bind = strcmp(option, "bind") == 0 || strcmp(option, "rbind") == 0;

		if (!mount_is_live(have) || is_bind ||
		    (mount_option_remounts(option, have->mount.type) &&
		     !mount_option_holds(option, &have->mount.options, have->mount.type))) {
			items[set.count++] = option;
		}
	}
	return set;
}

static int observe_again(struct host *host, const struct resource *want, struct arena *arena,
                         struct resource **ret_have, struct err *err)
{
	return mount_observe(host, want->key, want, arena, ret_have, err);
}

/* The line of fstab, which comes only after the mount has proved good; and systemd is told, which
 * otherwise acts on what it read before. */
static int put_line(struct host *host, const struct resource *want, const struct resource *have,
                    struct arena *arena, struct applied *applied, struct err *err)
{
	struct fstab_line line;

	if (!mount_is_managed(want, "full") ||
	    (have->mount.fstab.value && !mount_fails(want, have, "fstab_source") &&
	     !mount_fails(want, have, "fstab_type") && !mount_fails(want, have, "fstab_options"))) {
		return 0;
	}
	if (mount_compose_line(host, want, arena, &line, err) ||
	    host->ops->fstab_put(host, &line, err)) {
		return -(int)err->code;
	}
	mount_tell_systemd(host, arena, applied);
	return 0;
}

static int create(struct host *host, const struct change *change, struct arena *arena,
                  struct applied *applied, struct err *err)
{
	const struct resource *want = change->want;
	struct list options = options_to_set(arena, want, change->have);
	struct mount_request request = {
	    .target = want->key,
	    .source = want->mount.source,
	    .type = want->mount.type,
	    .options = &options,
	};
	struct err complaint = {0};
	struct resource *have;

	if (make_target(host, want->key, arena, err)) {
		return -(int)err->code;
	}
	if (want->mount.service) {
		return mount_through_service(host, want, arena, applied, err);
	}
	int r = host->ops->mount(host, &request, &complaint);

	/* A helper may have complained and mounted all the same, or be silent and have mounted nothing.
	 * */
	if (observe_again(host, want, arena, &have, err)) {
		return -(int)err->code;
	}
	if (!mount_is_right(want, have)) {
		return r ? mount_explain_failure(host, want, &complaint, arena, applied, err)
		         : err_set(err, ERR_HOST, 0, "mounting %s reported no error, but %s", want->key,
		                   mount_is_live(have) ? "something else is there" : "nothing is mounted");
	}
	if (r) {
		applied->detail = arena_strdup(arena, complaint.text);
	}
	return put_line(host, want, have, arena, applied, err);
}

static int update(struct host *host, const struct change *change, struct arena *arena,
                  struct applied *applied, struct err *err)
{
	const struct resource *want = change->want;
	struct list options = options_to_set(arena, want, change->have);
	struct mount_request request = {.target = want->key, .options = &options};

	if (options.count && mount_fails(want, change->have, "options") &&
	    host->ops->remount(host, &request, err)) {
		return -(int)err->code;
	}
	return put_line(host, want, change->have, arena, applied, err);
}

static int remove_mount(struct host *host, const struct change *change, struct arena *arena,
                        struct applied *applied, struct err *err)
{
	const struct resource *want = change->want;
	struct resource *have;

	if (observe_again(host, want, arena, &have, err)) {
		return -(int)err->code;
	}
	/* Wanted absent is the word for unmounting; of several on one target, all. */
	if (want->mount.service && mount_is_live(have)) {
		return err_set(err, ERR_HOST, 0, "%s made this mount: stop it through that service",
		               want->mount.service);
	}
	for (int i = 0; i < STACK_MOST && mount_is_live(have); i++) {
		if (host->ops->unmount(host, want->key, err) ||
		    observe_again(host, want, arena, &have, err)) {
			return -(int)err->code;
		}
	}
	if (!mount_is_managed(want, "full") || !have->mount.fstab.value) {
		return 0;
	}
	if (host->ops->fstab_remove(host, want->key, err)) {
		return -(int)err->code;
	}
	mount_tell_systemd(host, arena, applied);
	return 0;
}

static int apply(struct host *host, const struct change *change, struct arena *arena,
                 struct applied *applied, struct err *err)
{
	switch (change->action) {
	case ACTION_CREATE:
		return create(host, change, arena, applied, err);
	case ACTION_UPDATE:
		return update(host, change, arena, applied, err);
	case ACTION_REMOVE:
		return remove_mount(host, change, arena, applied, err);
	default:
		return err_set(err, ERR_BUG, 0, "a mount cannot %s", action_name(change->action));
	}
}

/* ---- Predict ---- */

static const struct resource *predict(struct arena *arena, const struct change *change,
                                      bool *ret_exact)
{
	const struct resource *want = change->want, *have = change->have;
	struct resource *after = resource_copy(arena, have);
	struct mount *mount = &after->mount;
	bool line = mount->fstab.value;

	(void)ret_exact;
	if (want->state == STATE_ABSENT) {
		if (mount_is_managed(want, "full") || !line) {
			return resource_copy(arena, want);
		}
		mount->live = (struct truth){.set = true};
		mount->source = mount->type = mount->root = NULL;
		mount->options = (struct list){0};
		return after;
	}
	after->state = STATE_PRESENT;
	mount->live = (struct truth){.set = true, .value = true};
	mount->automount = (struct truth){.set = true};
	mount->source = want->mount.source;
	mount->type = want->mount.type;
	mount->options = want->mount.options;
	mount->covers = (struct number){.set = true};
	mount->beneath = NULL;
	if (mount_is_managed(want, "full")) {
		mount->fstab = mount->live;
		mount->fstab_source = want->mount.source;
		mount->fstab_type = want->mount.type;
		mount->fstab_options = want->mount.options;
	}
	return after;
}

const struct provider provider_mount = {
    .kind = KIND_MOUNT,
    .check = check,
    .observe = mount_observe,
    .list = mount_list,
    .diff = mount_diff,
    .apply = apply,
    .needs = needs,
    .predict = predict,
};
