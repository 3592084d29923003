// SPDX-License-Identifier: MIT
/*
 * Kind mount: what is mounted on a target, and the line of fstab, as two facts. A target that
 * somebody else's file system occupies is never freed, what is in use is never unmounted, an
 * automount is never triggered. Observing is in mount_observe.c, fstab lines are composed in
 * mount_line.c.
 */
#include "provider/mount.h"

#include "base/path.h"
#include "base/str.h"
#include "model/mount_options.h"
#include "provider/mount_explain.h"
#include "provider/table.h"

#include <string.h>

enum { STACK_MOST = 16 };

static bool is_managed(const struct resource *want, const char *how)
{
	return text_equal(want->mount.manage ? want->mount.manage : "full", how);
}

static bool is_live(const struct resource *have)
{
	return have->mount.live.set && have->mount.live.value;
}

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

/* ---- Diff ---- */

static bool fails(const struct resource *want, const struct resource *have, const char *field)
{
	const struct kind *kind = want->kind;

	return !compare_field(field_find(kind->fields, kind->field_count, field), want, have);
}

/* Bind mounts look like what they show: observe has found out whether it is the wanted source. */
static bool is_wrong_bind(const struct resource *want, const struct resource *have)
{
	const char *root = have->mount.root;

	return want->mount.source && !text_equal(want->mount.source, have->mount.source) &&
	       (!root || !text_ends(want->mount.source, root));
}

bool mount_is_right(const struct resource *want, const struct resource *have)
{
	if (!is_live(have) || have->mount.other_source) {
		return false;
	}
	return mount_options_bind(&want->mount.options)
	           ? !is_wrong_bind(want, have)
	           : !fails(want, have, "source") && !fails(want, have, "type");
}

static void diff_absent(struct arena *arena, const struct resource *want,
                        const struct resource *have, struct verdict *verdict)
{
	bool line = is_managed(want, "full") && have->mount.fstab.value;

	if (!is_live(have) && !line) {
		return;
	}
	verdict->outcome = OUTCOME_CHANGE;
	verdict->action = ACTION_REMOVE;
	if (is_live(have)) {
		verdict->marks |= MARK_DISRUPTIVE;
		differences_add(arena, &verdict->differences, "live", "yes", "no");
	}
	if (line) {
		differences_add(arena, &verdict->differences, "fstab", "yes", "no");
	}
}

/* What the mount would lie on. Said in the plan, since it disappears from sight. */
static void look_beneath(struct arena *arena, const struct resource *have, struct verdict *verdict)
{
	const char *beneath = have->mount.beneath;

	if (!beneath || strcmp(beneath, "empty") == 0) {
		return;
	}
	if (strcmp(beneath, "missing") == 0) {
		differences_add(arena, &verdict->differences, "target", NULL, "made, mode 0755");
	} else if (strcmp(beneath, "not empty") == 0) {
		differences_add(arena, &verdict->differences, "target", beneath,
		                "what is in it is hidden by the mount");
	}
}

static const char *lines_text(struct arena *arena, const struct list *lines)
{
	AUTO(str_free) struct str text = {0};

	for (size_t i = 0; i < lines->count; i++) {
		str_add(&text, i == 0 ? "" : i + 1 == lines->count ? " and " : ", ");
		str_add(&text, lines->items[i]);
	}
	return arena_strdup(arena, str_text(&text));
}

/* What a unit that somebody wrote for the target says otherwise, or NULL. */
static const char *contradiction(struct arena *arena, const struct resource *want,
                                 const struct resource *have)
{
	static const char *const fields[] = {"unit_source", "unit_type", "unit_options"};
	struct resource *as_unit = resource_copy(arena, want);

	as_unit->mount.unit_source = want->mount.source;
	as_unit->mount.unit_type = want->mount.type;
	as_unit->mount.unit_options = want->mount.options;
	for (size_t i = 0; have->mount.unit && i < ARRAY_LEN(fields); i++) {
		const struct field *field =
		    field_find(want->kind->fields, want->kind->field_count, fields[i]);

		if (field_is_set(field, have) && !compare_field(field, as_unit, have)) {
			return arena_printf(arena,
			                    "%s says otherwise (%s): it will mount that at the next boot",
			                    have->mount.unit, compare_show(arena, field, have));
		}
	}
	return NULL;
}

/* Why no line of fstab can be written for it, where one is wanted. */
static const char *line_obstacle(struct arena *arena, const struct resource *want,
                                 const struct resource *have)
{
	const struct mount *mount = &have->mount;

	if (!is_managed(want, "full")) {
		return NULL;
	}
	if (mount->unit && !mount->fstab.value) {
		return arena_printf(
		    arena,
		    "%s describes it already, and a line of fstab beside it would be a second "
		    "owner: manage: live leaves the description to the unit",
		    mount->unit);
	}
	return mount->fstab_lines.count ? arena_printf(arena, "fstab has several lines for it: %s",
	                                               lines_text(arena, &mount->fstab_lines))
	                                : NULL;
}

static void diff_present(struct arena *arena, const struct resource *want,
                         const struct resource *have, struct verdict *verdict)
{
	const struct mount *mount = &have->mount;

	if (is_live(have) && !mount_is_right(want, have)) {
		verdict->outcome = OUTCOME_BLOCKED;
		verdict->why = arena_printf(
		    arena,
		    "another file system is mounted: %s (%s)%s%s%s; reconcile does not unmount it unasked",
		    mount->source, mount->type, mount->covers.value ? ", over others" : "",
		    mount->other_source ? ": " : "", mount->other_source ? mount->other_source : "");
		return;
	}
	if (!verdict->differences.count) {
		verdict->why = contradiction(arena, want, have);
		verdict->outcome = verdict->why ? OUTCOME_PENDING : OUTCOME_KEPT;
		return;
	}
	verdict->why = line_obstacle(arena, want, have);
	verdict->outcome = verdict->why ? OUTCOME_BLOCKED : OUTCOME_CHANGE;
	if (verdict->why) {
		return;
	}
	if (!is_live(have)) {
		verdict->action = ACTION_CREATE;
		look_beneath(arena, have, verdict);
		return;
	}
	if (want->mount.service) {
		verdict->outcome = OUTCOME_BLOCKED;
		verdict->why =
		    arena_printf(arena, "its options are set where %s reads them", want->mount.service);
		return;
	}
	verdict->action = ACTION_UPDATE;
	for (size_t i = 0; i < want->mount.options.count; i++) {
		if (strcmp(want->mount.options.items[i], "ro") == 0 && fails(want, have, "options") &&
		    !mount_option_holds("ro", &mount->options, mount->type)) {
			verdict->marks |= MARK_DISRUPTIVE; /* whoever writes there */
		}
	}
}

/* What is mounted behind a link goes by another name, whether it is wanted there or not. */
static const char *link_fault(const struct resource *have)
{
	const char *beneath = have->mount.beneath ? have->mount.beneath : "";

	if (strcmp(beneath, "link") == 0) {
		return "the target is a symbolic link, and links are not followed";
	}
	return strcmp(beneath, "behind a link") == 0
	           ? "a directory on the way to the target is a symbolic link: name the target by its "
	             "real path"
	           : NULL;
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *verdict)
{
	const char *fault = link_fault(have);

	compare_resources(arena, want, have, &verdict->differences);
	if (fault && want->state == STATE_ABSENT && strcmp(have->mount.beneath, "link") == 0) {
		fault = NULL; /* on a link itself nothing can be mounted */
	}
	if (fault && (verdict->differences.count || want->state == STATE_ABSENT)) {
		verdict->outcome = OUTCOME_BLOCKED;
		verdict->why = fault;
	} else if (verdict->differences.count && is_managed(want, "observe")) {
		verdict->outcome = OUTCOME_PENDING;
		verdict->why =
		    "only observed (manage: observe): whoever manages it has not brought it about";
	} else if (verdict->differences.count && have->mount.automount.value && !is_live(have)) {
		verdict->outcome = OUTCOME_PENDING;
		verdict->why = "an armed automount waits there: it is mounted when first used";
	} else if (want->state == STATE_ABSENT) {
		verdict->differences = (struct differences){0};
		diff_absent(arena, want, have, verdict);
	} else {
		diff_present(arena, want, have, verdict);
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
 * is live only those that do not hold, beside bind, which says how to change them. */
static struct list options_to_set(struct arena *arena, const struct resource *want,
                                  const struct resource *have)
{
	struct list wanted = mount_options_in_force(arena, &want->mount.options, false);
	const char **items = arena_array(arena, wanted.count, sizeof *items);
	struct list set = {.set = true, .items = items};

	for (size_t i = 0; i < wanted.count; i++) {
		const char *option = wanted.items[i];
		bool is_bind = strcmp(option, "bind") == 0 || strcmp(option, "rbind") == 0;

		if (!is_live(have) || is_bind ||
		    !mount_option_holds(option, &have->mount.options, have->mount.type)) {
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

	if (!is_managed(want, "full") ||
	    (have->mount.fstab.value && !fails(want, have, "fstab_source") &&
	     !fails(want, have, "fstab_type") && !fails(want, have, "fstab_options"))) {
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
		                   is_live(have) ? "something else is there" : "nothing is mounted");
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

	if (fails(want, change->have, "options") && host->ops->remount(host, &request, err)) {
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
	if (want->mount.service && is_live(have)) {
		return err_set(err, ERR_HOST, 0, "%s made this mount: stop it through that service",
		               want->mount.service);
	}
	for (int i = 0; i < STACK_MOST && is_live(have); i++) {
		if (host->ops->unmount(host, want->key, err) ||
		    observe_again(host, want, arena, &have, err)) {
			return -(int)err->code;
		}
	}
	if (!is_managed(want, "full") || !have->mount.fstab.value) {
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
		if (is_managed(want, "full") || !line) {
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
	if (is_managed(want, "full")) {
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
    .diff = diff,
    .apply = apply,
    .needs = needs,
    .predict = predict,
};
