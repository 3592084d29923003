// SPDX-License-Identifier: MIT
/* See import_inner.h: the mounts, and how much of each reconcile may call its own. */
#include "engine/import_inner.h"
#include "model/mount_options.h"

#include <string.h>

/* How much of it reconcile may call its own, and why. */
static const char *manage_of(const struct doctor_mount *m, const char **ret_why)
{
	const struct mount *mount = &m->fact->mount;
	bool fstab = mount->fstab.value, live = mount->live.value;

	if (strcmp(m->target, "/") == 0 || text_starts(m->target, "/boot")) {
		*ret_why = "needed to boot: only reported";
		return "observe";
	}
	if (mount->unit) {
		*ret_why = "the unit belongs to whoever wrote it";
		return "live";
	}
	if (!fstab) {
		*ret_why = "mounted, with no line in fstab: somebody else mounts it";
		return "live";
	}
	if (list_has(&mount->fstab_options, "x-systemd.automount")) {
		*ret_why = "its fstab line is an automount's and belongs to whoever wrote it";
		return "live";
	}
	if (list_has(&mount->fstab_options, "noauto")) {
		*ret_why = "its fstab line says noauto: it belongs to whoever mounts it";
		return live ? "live" : "observe";
	}
	if (mount->fstab_lines.count > 1) {
		*ret_why = "fstab has several lines for it";
		return "live";
	}
	*ret_why = "both the line and the mount are kept";
	return "full";
}

/* What may be asserted: what a line names and, of what is mounted, what is in force. */
static struct list options_of(struct import_writer *w, const struct doctor_mount *m, bool full)
{
	const struct mount *mount = &m->fact->mount;
	const struct list *written = mount->fstab.value ? &mount->fstab_options : &mount->unit_options;
	const char **items = arena_array(w->engine->arena, written->count + 1, sizeof *items);
	size_t n = 0;

	for (size_t i = 0; i < written->count; i++) {
		const char *option = written->items[i];
		bool kernel = mount_option_class(option) == OPTION_KERNEL;

		if (strcmp(option, "defaults") == 0 || !import_yaml_takes(KIND_MOUNT, "options", option) ||
		    (!kernel && !full) || !mount_option_stands(option, written, m->type)) {
			continue;
		}
		if (kernel && mount->live.value && !m->replaced &&
		    !mount_option_holds(option, &mount->options, m->type)) {
			import_yaml_comment(w->s, "    ",
			                    arena_printf(w->engine->arena, "%s says %s, which is not in force",
			                                 m->wanted_by, option));
			continue;
		}
		items[n++] = option;
	}
	return (struct list){.set = true, .count = n, .items = items};
}

static const char *source_of(const struct doctor_mount *m, bool full)
{
	const struct mount *mount = &m->fact->mount;
	const char *written = mount->fstab.value ? mount->fstab_source : mount->unit_source;
	bool unsure;

	if (full || !mount->live.value || m->replaced) {
		return written;
	}
	return written && mount->source &&
	               (mount_options_bind(&mount->fstab_options) ||
	                mount_source_same(written, mount->source, mount->type, &unsure))
	           ? written
	           : mount->source;
}

/* nfs where the table says nfs4: as it was written. */
static const char *type_of(const struct doctor_mount *m, bool full)
{
	const struct mount *mount = &m->fact->mount;
	const char *written = mount->fstab.value ? mount->fstab_type : mount->unit_type;

	if (mount_options_bind(&mount->fstab_options)) {
		return "none";
	}
	return written && (full || m->replaced ||
	                   (strcmp(written, "auto") != 0 && strcmp(written, "none") != 0 && m->type &&
	                    mount_type_same(written, m->type)))
	           ? written
	           : m->type;
}

static int find_service(struct import_writer *w, const struct doctor_mount *m,
                        const char **ret_service, struct err *err)
{
	static const char beegfs[] = "beegfs-client.service";
	const struct resource *fact;

	*ret_service = NULL;
	if (!text_equal(m->type, "beegfs")) {
		return 0;
	}
	if (doctor_fact(w->engine, KIND_SERVICE, beegfs, &fact, err)) {
		return -(int)err->code;
	}
	*ret_service = fact->state == STATE_PRESENT ? beegfs : NULL;
	return 0;
}

static bool can_be_written(struct import_writer *w, const struct doctor_mount *m,
                           const char *source, const char *type)
{
	struct err err;
	struct value target = value_string(m->target);
	struct field key = kind_key_field(&kind_table[KIND_MOUNT]);

	if (m->standing != DOCTOR_UNTOLD && source && type && !field_check(&key, &target, &err) &&
	    import_yaml_takes(KIND_MOUNT, "source", source) &&
	    import_yaml_takes(KIND_MOUNT, "type", type)) {
		return true;
	}
	import_leave_out(w, arena_printf(w->engine->arena, "%s: %s", m->target,
	                                 m->standing == DOCTOR_UNTOLD
	                                     ? m->why
	                                     : "its target, source or type cannot stand in a tree"));
	return false;
}

static int add_mount(struct import_writer *w, const struct doctor_mount *m, struct err *err)
{
	const char *why, *manage, *service, *source, *type;

	if (m->standing == DOCTOR_UNTOLD) {
		can_be_written(w, m, NULL, NULL);
		return 0;
	}
	if (find_service(w, m, &service, err)) {
		return -(int)err->code;
	}
	manage = manage_of(m, &why);
	/* Rightly not mounted: whoever observes it would miss it. */
	if (strcmp(manage, "observe") == 0 && !m->fact->mount.live.value && m->health == DOCTOR_OK) {
		import_leave_out(w, arena_printf(w->engine->arena, "%s: %s", m->target, why));
		return 0;
	}
	bool full = strcmp(manage, "full") == 0;

	source = source_of(m, full);
	type = type_of(m, full);
	if (!can_be_written(w, m, source, type)) {
		return 0;
	}
	str_add(w->s, "  ");
	import_yaml_scalar(w->s, m->target);
	str_add(w->s, ":\n");
	import_yaml_comment(w->s, "    ",
	                    arena_printf(w->engine->arena, "%s: %s",
	                                 strcmp(m->wanted_by, "mounted") == 0
	                                     ? "the mount table"
	                                     : arena_printf(w->engine->arena, "%s, %s", m->wanted_by,
	                                                    doctor_standing_name(m->standing)),
	                                 why));
	str_add(w->s, "    source: ");
	import_yaml_scalar(w->s, source);
	str_add(w->s, "\n    type: ");
	import_yaml_scalar(w->s, type);
	str_addc(w->s, '\n');
	struct list options = options_of(w, m, full);

	if (options.count) {
		str_add(w->s, "    options: ");
		import_yaml_list(w->s, &options);
		str_addc(w->s, '\n');
	}
	str_addf(w->s, "    manage: %s\n", manage);
	if (service) {
		str_addf(w->s, "    service: %s\n", service);
	}
	if (m->health == DOCTOR_CRITICAL) {
		import_is_broken(w, arena_printf(w->engine->arena, "%s is %s%s%s", m->target,
		                                 doctor_standing_name(m->standing), m->why ? ": " : "",
		                                 m->why ? m->why : ""));
	}
	return 0;
}

bool import_takes(const struct import_writer *w, const struct doctor_mount *mount)
{
	return mount->storage || (w->all && strcmp(mount->wanted_by, "fstab") == 0) ||
	       mount->standing == DOCTOR_UNTOLD;
}

int import_mounts(struct import_writer *w, struct err *err)
{
	size_t before, head = w->s->length;

	str_add(w->s, "\nmounts:\n");
	before = w->s->length;
	for (size_t i = 0; i < w->doctor->count; i++) {
		const struct doctor_mount *m = &w->doctor->list[i];

		if (import_takes(w, m) && add_mount(w, m, err)) {
			return -(int)err->code;
		}
	}
	if (w->s->length == before) {
		w->s->length = head;
		w->s->data[head] = '\0';
		str_addf(w->s, "\n# No file system of a storage client is mounted%s.\n",
		         w->doctor->fstab_why || w->import->left_count ? "" : " or in fstab");
	}
	if (w->doctor->fstab_why) {
		w->import->is_partial = true;
		import_leave_out(w, arena_printf(w->engine->arena, "mounts that are not mounted: %s",
		                                 w->doctor->fstab_why));
		import_yaml_comment(w->s, "",
		                    arena_printf(w->engine->arena, "What fstab wants is not here: %s",
		                                 w->doctor->fstab_why));
	}
	return 0;
}
