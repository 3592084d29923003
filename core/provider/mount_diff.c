// SPDX-License-Identifier: MIT
/*
 * What is to be done about a mount, or why nothing is. Pure. See mount.h.
 */
#include "provider/mount.h"

#include "base/str.h"
#include "model/mount_options.h"
#include "model/mount_source.h"

#include <string.h>

static const char only_observed[] =
    "only observed (manage: observe): whoever manages it has not brought it about";

bool mount_is_managed(const struct resource *want, const char *how)
{
	return text_equal(want->mount.manage ? want->mount.manage : "full", how);
}

bool mount_is_live(const struct resource *have)
{
	return have->mount.live.set && have->mount.live.value;
}

bool mount_fails(const struct resource *want, const struct resource *have, const char *field)
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
	if (!mount_is_live(have) || have->mount.other_source) {
		return false;
	}
	return mount_options_bind(&want->mount.options)
	           ? !is_wrong_bind(want, have)
	           : !mount_fails(want, have, "source") && !mount_fails(want, have, "type");
}

static void diff_absent(struct arena *arena, const struct resource *want,
                        const struct resource *have, struct verdict *verdict)
{
	bool line = mount_is_managed(want, "full") && have->mount.fstab.value;

	if (!mount_is_live(have) && !line) {
		return;
	}
	verdict->outcome = OUTCOME_CHANGE;
	verdict->action = ACTION_REMOVE;
	if (mount_is_live(have)) {
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

/* What is written as nfs or efs is mounted as nfs4, and as that it may be wanted. */
static bool is_mounted_as(const struct field *field, const struct resource *want,
                          const struct resource *have)
{
	const char *written =
	    field->offset == offsetof(struct resource, mount.fstab_type)  ? have->mount.fstab_type
	    : field->offset == offsetof(struct resource, mount.unit_type) ? have->mount.unit_type
	                                                                  : NULL;

	return written && want->mount.type && strcmp(written, "auto") != 0 &&
	       strcmp(written, "none") != 0 && mount_type_same(written, want->mount.type);
}

/* The first of the fields in which the machine says otherwise, as it says it; or NULL. */
static const char *says_otherwise(struct arena *arena, const char *const *fields, size_t n,
                                  const struct resource *want, const struct resource *have)
{
	for (size_t i = 0; i < n; i++) {
		const struct field *field =
		    field_find(want->kind->fields, want->kind->field_count, fields[i]);

		if (field_is_set(field, have) && !compare_field(field, want, have) &&
		    !is_mounted_as(field, want, have)) {
			return compare_show(arena, field, have);
		}
	}
	return NULL;
}

/* What the line of fstab says otherwise: in so many words, or since mount(8) takes it so when
 * nothing is said. What it leaves to the client may well be what is wanted, as it is live. */
static const char *line_says(struct arena *arena, const struct resource *as_line,
                             const struct resource *have)
{
	static const char *const fields[] = {"fstab_source", "fstab_type"};
	const struct list *line = &have->mount.fstab_options;
	const char *type = have->mount.fstab_type;
	const char *said = says_otherwise(arena, fields, ARRAY_LEN(fields), as_line, have);
	struct list wanted = mount_options_in_force(arena, &as_line->mount.options, false);

	for (size_t i = 0; i < wanted.count && !said; i++) {
		const char *option = wanted.items[i];
		const char *other = mount_option_counterpart(option, line, true, type);

		if (other && !mount_option_stands(option, line, type)) {
			said = arena_printf(arena, "%s, not %s", other, option);
		}
	}
	return said;
}

/* As fstab or a unit would have to say it. */
static const struct resource *as_written(struct arena *arena, const struct resource *want)
{
	struct resource *written = resource_copy(arena, want);
	struct mount *mount = &written->mount;

	mount->unit_source = mount->fstab_source = mount->source;
	mount->unit_type = mount->fstab_type = mount->type;
	mount->unit_options = mount->options;
	return written;
}

/* What is written for the target otherwise: in a unit that somebody wrote, or in a line of fstab
 * that is not ours to mend. NULL: nothing. */
static const char *contradiction(struct arena *arena, const struct resource *want,
                                 const struct resource *have)
{
	static const char *const unit[] = {"unit_source", "unit_type", "unit_options"};
	const struct resource *written = as_written(arena, want);
	const char *said = NULL;

	if (have->mount.unit) {
		said = says_otherwise(arena, unit, ARRAY_LEN(unit), written, have);
	}
	if (said) {
		return arena_printf(arena, "%s says otherwise (%s): it will mount that at the next boot",
		                    have->mount.unit, said);
	}
	if (have->mount.fstab.value && !mount_is_managed(want, "full")) {
		said = line_says(arena, written, have);
	}
	return said ? arena_printf(arena,
	                           "the line of fstab says otherwise (%s): that is mounted at the "
	                           "next boot",
	                           said)
	            : NULL;
}

/* Why no line of fstab can be written for it, where one is wanted. */
static const char *line_obstacle(struct arena *arena, const struct resource *want,
                                 const struct resource *have)
{
	const struct mount *mount = &have->mount;

	if (!mount_is_managed(want, "full")) {
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

/* Of the wanted options those that a remount can change, where something is mounted. */
static struct list remountable(struct arena *arena, const struct resource *want,
                               const struct resource *have)
{
	const struct list *options = &want->mount.options;
	const char **items = arena_array(arena, options->count, sizeof *items);
	struct list list = {.set = options->set, .items = items};

	for (size_t i = 0; i < options->count; i++) {
		if (!mount_is_live(have) || mount_option_remounts(options->items[i], have->mount.type)) {
			items[list.count++] = options->items[i];
		}
	}
	return list;
}

/* Does it not hold, and a remount does not change that? */
static bool is_for_next_mount(const char *option, const struct resource *have)
{
	const struct mount *mount = &have->mount;

	return !mount_option_remounts(option, mount->type) &&
	       !mount_option_holds(option, &mount->options, mount->type);
}

/* Which of these somebody else's line of fstab does not have: then the next boot brings it no
 * nearer. NULL: none, or no such line. */
static const char *unwritten(const struct resource *want, const struct resource *have)
{
	const struct list *wanted = &want->mount.options;
	const struct mount *mount = &have->mount;
	bool is_theirs = mount->fstab.value && !mount_is_managed(want, "full");

	for (size_t i = 0; is_theirs && i < wanted->count; i++) {
		if (is_for_next_mount(wanted->items[i], have) &&
		    !mount_option_stands(wanted->items[i], &mount->fstab_options, mount->fstab_type)) {
			return wanted->items[i];
		}
	}
	return NULL;
}

/* Leaves only what can be done now among the differences; returns what a remount does not change,
 * or NULL when there is nothing of that kind. */
static const char *leave_for_next_mount(struct arena *arena, const struct resource *want,
                                        const struct resource *have, struct verdict *verdict)
{
	struct list wanted = mount_options_in_force(arena, &want->mount.options, false);
	struct resource *now = resource_copy(arena, want);
	struct differences all = verdict->differences, possible = {0};
	AUTO(str_free) struct str later = {0};

	for (size_t i = 0; i < wanted.count; i++) {
		if (is_for_next_mount(wanted.items[i], have)) {
			str_addf(&later, "%s%s", later.length ? ", " : "", wanted.items[i]);
		}
	}
	if (!later.length) {
		return NULL;
	}
	now->mount.options = remountable(arena, want, have);
	compare_resources(arena, now, have, &possible);
	verdict->differences = (struct differences){0};
	for (size_t i = 0; i < all.count + possible.count; i++) {
		bool is_all = i < all.count;
		const struct difference *d = is_all ? &all.list[i] : &possible.list[i - all.count];

		if ((strcmp(d->field, "options") == 0) != is_all) {
			differences_add(arena, &verdict->differences, d->field, d->from, d->to);
		}
	}
	return arena_strdup(arena, str_text(&later));
}

/* Nothing can be done now, but all of it will have come about once it is mounted anew. */
static void wait_for_next_mount(struct arena *arena, const struct resource *want,
                                const struct resource *have, const char *later,
                                struct verdict *verdict)
{
	const char *other = contradiction(arena, want, have);
	const char *missing = other ? NULL : unwritten(want, have);

	if (missing) {
		other = arena_printf(arena, "the line of fstab does not say %s", missing);
	}
	verdict->outcome = OUTCOME_PENDING;
	verdict->why = arena_printf(arena,
	                            "a remount of %s does not change %s: that counts when it is "
	                            "mounted the next time%s%s",
	                            have->mount.type, later, other ? "; but " : "", other ? other : "");
}

static void diff_present(struct arena *arena, const struct resource *want,
                         const struct resource *have, struct verdict *verdict)
{
	const struct mount *mount = &have->mount;

	if (mount_is_live(have) && !mount_is_right(want, have)) {
		if (mount_is_managed(want, "observe")) {
			verdict->outcome = OUTCOME_PENDING;
			verdict->why = arena_printf(arena, "%s (%s is mounted%s%s)", only_observed,
			                            mount->source, mount->other_source ? ": " : "",
			                            mount->other_source ? mount->other_source : "");
			return;
		}
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
	struct differences all = verdict->differences;
	const char *later = mount_is_live(have) && !want->mount.service
	                        ? leave_for_next_mount(arena, want, have, verdict)
	                        : NULL;

	if (later && !verdict->differences.count) {
		verdict->differences = all;
		wait_for_next_mount(arena, want, have, later, verdict);
		return;
	}
	verdict->why = line_obstacle(arena, want, have);
	verdict->outcome = verdict->why ? OUTCOME_BLOCKED : OUTCOME_CHANGE;
	if (verdict->why) {
		return;
	}
	if (!mount_is_live(have)) {
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
		if (strcmp(want->mount.options.items[i], "ro") == 0 && mount_fails(want, have, "options") &&
		    !mount_option_holds("ro", &mount->options, mount->type)) {
			verdict->marks |= MARK_DISRUPTIVE; /* whoever writes there */
		}
	}
}

/* The automount that waits there is that of a line of fstab which says what is wanted: an idle node
 * is whole like this, and to look closer would mount it. Ours, such a line is only when an
 * automount is wanted in so many words. */
static bool is_armed_as_wanted(struct arena *arena, const struct resource *want,
                               const struct resource *have)
{
	static const char automount[] = "x-systemd.automount";
	const struct mount *mount = &have->mount;
	struct list options = mount_options_in_force(arena, &want->mount.options, false);

	if (want->state != STATE_PRESENT || !mount->fstab.value || mount->fstab_lines.count ||
	    mount->unit || !list_has(&mount->fstab_options, automount) ||
	    (mount_is_managed(want, "full") && !list_has(&want->mount.options, automount)) ||
	    line_says(arena, as_written(arena, want), have)) {
		return false;
	}
	for (size_t i = 0; i < options.count; i++) {
		if (!mount_option_stands(options.items[i], &mount->fstab_options, mount->fstab_type)) {
			return false;
		}
	}
	return true;
}

static bool is_armed(const struct resource *have)
{
	return have->mount.automount.value && !mount_is_live(have);
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

void mount_diff(struct arena *arena, const struct resource *want, const struct resource *have,
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
	} else if (is_armed(have) && is_armed_as_wanted(arena, want, have)) {
		verdict->differences = (struct differences){0};
		verdict->outcome = OUTCOME_KEPT;
	} else if (verdict->differences.count && mount_is_managed(want, "observe")) {
		verdict->outcome = OUTCOME_PENDING;
		verdict->why = only_observed;
	} else if (verdict->differences.count && is_armed(have)) {
		verdict->outcome = OUTCOME_PENDING;
		verdict->why = "an armed automount waits there: it is mounted when first used";
	} else if (want->state == STATE_ABSENT) {
		verdict->differences = (struct differences){0};
		diff_absent(arena, want, have, verdict);
	} else {
		diff_present(arena, want, have, verdict);
	}
}
