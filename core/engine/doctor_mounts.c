// SPDX-License-Identifier: MIT
/* See doctor.h: the mounts that a node wants, and how each stands. */
#include "engine/doctor_inner.h"

#include "base/path.h"
#include "engine/next_boot.h"
#include "model/mount_options.h"

#include <stdlib.h>
#include <string.h>

/* ---- What is a storage client's ---- */

/* FUSE file systems of the desktop and of containers: nobody's data lies there. */
static bool is_plumbing(const char *type)
{
	static const char *const types[] = {
	    "autofs",
	    "fuseblk",
	    "fuse.lxcfs",
	    "fuse.snapfuse",
	    "fuse.portal",
	    "fuse.gvfsd-fuse",
	    "fuse.fuse-overlayfs",
	    "fuse.squashfuse",
	    "vboxsf",
	    "fuse.vmware-vmblock",
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(types[i], type) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_storage(const char *type, const char *target)
{
	return type && mount_type_is_remote(type) && !is_plumbing(type) && strcmp(target, "/") != 0;
}

/* The module that registers a type: mostly of its name; else as the clients name theirs. */
static const char *module_of(const char *type)
{
	static const char *const modules[][2] = {
	    {"nfs4", "nfs"},   {"efs", "nfs"},     {"smb3", "cifs"},
	    {"smbfs", "cifs"}, {"gpfs", "mmfs26"}, {"glusterfs", "fuse"},
	    {"sshfs", "fuse"}, {"davfs", "fuse"},  {"9p", "9p"},
	};

	const char *external = next_boot_module_of(type);

	if (external) {
		return external;
	}
	if (text_starts(type, "fuse")) {
		return "fuse";
	}
	for (size_t i = 0; i < ARRAY_LEN(modules); i++) {
		if (strcmp(modules[i][0], type) == 0) {
			return modules[i][1];
		}
	}
	return type;
}

static bool is_pseudo(const char *type)
{
	return mount_type_is_sourceless(type) && strcmp(type, "tmpfs") != 0 &&
	       strcmp(type, "beegfs") != 0 && strcmp(type, "overlay") != 0;
}

/* ---- Which mounts ---- */

/* "/fsx/" is /fsx. */
static bool is_same_target(const char *asked, const char *target)
{
	size_t n = strlen(asked);

	while (n > 1 && asked[n - 1] == '/') {
		n--;
	}
	return strncmp(asked, target, n) == 0 && !target[n];
}

static bool is_asked_for(const char *const *only, const char *target)
{
	for (size_t i = 0; only && only[i]; i++) {
		if (is_same_target(only[i], target)) {
			return true;
		}
	}
	return !only || !only[0];
}

/* The type that its line or unit asks for; NULL: that is left open. */
static const char *wanted_type(const struct doctor_mount *mount)
{
	const struct mount *m = &mount->fact->mount;
	bool fstab = m->fstab.set && m->fstab.value;
	const char *type = fstab                                    ? m->fstab_type
	                   : text_starts(mount->wanted_by, "unit ") ? m->unit_type
	                                                            : NULL;

	return !type || strcmp(type, "auto") == 0 || strcmp(type, "none") == 0 ||
	               (fstab && mount_options_bind(&m->fstab_options))
	           ? NULL
	           : type;
}

/* tmpfs where lustre is wanted. Of the types of servers only those are told apart here that have
 * one name; the others differ in their sources. */
static bool is_other_type(const struct doctor_mount *mount)
{
	const char *wanted = wanted_type(mount), *have = mount->fact->mount.type;

	return mount->storage && wanted && have && !mount_type_same(wanted, have) &&
	       (next_boot_module_of(wanted) || !mount_type_is_remote(have));
}

/* Is this one of those that the node wants? Then it is added. */
static void take(struct engine *engine, struct doctor *doctor, const struct resource *fact)
{
	const struct mount *m = &fact->mount;
	bool fstab = m->fstab.set && m->fstab.value, live = m->live.set && m->live.value;
	struct doctor_mount mount = {.target = fact->key, .fact = fact};

	if (fact->state == STATE_UNDETERMINED) {
		mount.wanted_by = "";
		mount.standing = DOCTOR_UNTOLD;
		mount.why = fact->why;
	} else if (fstab && !text_equal(m->fstab_type, "swap") && !is_pseudo(m->fstab_type)) {
		mount.wanted_by = "fstab";
		mount.type = live ? m->type : m->fstab_type;
		mount.source = live ? m->source : m->fstab_source;
	} else if (m->unit && is_storage(m->unit_type, fact->key)) {
		mount.wanted_by = arena_printf(engine->arena, "unit %s", m->unit);
		mount.type = live ? m->type : m->unit_type;
		mount.source = live ? m->source : m->unit_source;
	} else if (live && is_storage(m->type, fact->key)) {
		mount.wanted_by = "mounted";
		mount.type = m->type;
		mount.source = m->source;
	} else {
		return;
	}
	const char *wanted = wanted_type(&mount), *type = wanted ? wanted : mount.type;

	/* Of a bind mount the type is that of what it shows. */
	mount.storage = is_storage(type, fact->key) && !(fstab && text_equal(m->fstab_type, "none"));
	mount.module = mount.storage ? module_of(type) : NULL;
	doctor->list =
	    arena_grow(engine->arena, doctor->list, doctor->count, &doctor->cap, sizeof mount);
	doctor->list[doctor->count++] = mount;
}

static bool is_listed(const struct doctor *doctor, const char *asked)
{
	for (size_t i = 0; i < doctor->count; i++) {
		if (is_same_target(asked, doctor->list[i].target)) {
			return true;
		}
	}
	return false;
}

/* Who asks for one that nobody knows is not told that all is well: its line may be gone. */
static void add_unknown(struct engine *engine, struct doctor *doctor, const char *const *only)
{
	static const char why[] =
	    "neither fstab nor a unit names it, and no file system of a storage client is "
	    "mounted there";

	for (size_t i = 0; only && only[i]; i++) {
		const struct doctor_mount mount = {
		    .target = only[i],
		    .wanted_by = "",
		    .standing = DOCTOR_UNTOLD,
		    .why = why,
		    .fact = resource_undetermined(engine->arena, &kind_table[KIND_MOUNT], only[i], why),
		};

		if (!is_listed(doctor, only[i])) {
			doctor->list =
			    arena_grow(engine->arena, doctor->list, doctor->count, &doctor->cap, sizeof mount);
			doctor->list[doctor->count++] = mount;
		}
	}
}

/* ---- Looking ---- */

struct look {
	enum kind_id kind;
	const struct keys *keys;
	const struct resource *want;
	bool apart; /* they may hang: asked apart from each other, which costs a process each */
};

/* Facts of the kind, in one go; logged as read. */
static int look_at(struct engine *engine, const struct look *look,
                   const struct resource **ret_facts, struct err *err)
{
	const struct keys *keys = look->keys;
	enum kind_id kind = look->kind;
	struct worker_query *queries = arena_array(engine->arena, keys->count, sizeof *queries);

	for (size_t i = 0; engine->recorded && i < keys->count; i++) {
		if (doctor_fact(engine, kind, keys->list[i], &ret_facts[i], err)) {
			return -(int)err->code;
		}
	}
	if (engine->recorded) {
		return 0;
	}
	for (size_t i = 0; i < keys->count; i++) {
		queries[i] = (struct worker_query){&kind_table[kind], keys->list[i], look->want};
	}
	if (look->apart
	        ? worker_observe_apart(engine->worker, queries, keys->count, engine->arena, ret_facts,
	                               err)
	        : worker_observe(engine->worker, queries, keys->count, engine->arena, ret_facts, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < keys->count; i++) {
		strmap_put(engine->facts.log, resource_id(engine->arena, &kind_table[kind], keys->list[i]),
		           (void *)ret_facts[i]);
	}
	return 0;
}

/* Splits the targets into those that lie below another one (but the root) and those that do not. */
static void split(struct arena *arena, const struct keys *all, bool below, struct keys *ret_part)
{
	struct strmap *known = strmap_create(arena);

	*ret_part = (struct keys){0};
	for (size_t i = 0; i < all->count; i++) {
		strmap_put(known, all->list[i], (void *)all->list[i]);
	}
	for (size_t i = 0; i < all->count; i++) {
		const char *above = path_parent(arena, all->list[i]);

		while (above && above[1] && !strmap_get(known, above)) {
			above = path_parent(arena, above);
		}
		if (below == (above && above[1])) {
			keys_add(arena, ret_part, all->list[i]);
		}
	}
}

static int look_at_mounts(struct engine *engine, const struct keys *targets,
                          const char *const *only, struct doctor *doctor, struct err *err)
{
	const struct resource **facts = arena_array(engine->arena, targets->count, sizeof *facts);
	struct resource *hint = NULL;

	if (doctor->fstab_why) {
		/* Somebody else's line may be left in the dark. */
		hint = resource_create(engine->arena, &kind_table[KIND_MOUNT], "/");
		hint->mount.manage = "live";
	}
	const struct look look = {.kind = KIND_MOUNT, .keys = targets, .want = hint};

	if (look_at(engine, &look, facts, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < targets->count; i++) {
		if (strcmp(facts[i]->key, "/") == 0 && facts[i]->state == STATE_PRESENT) {
			doctor->fstab_faults = facts[i]->mount.fstab_faults;
		}
		if (is_asked_for(only, facts[i]->key)) {
			take(engine, doctor, facts[i]);
		}
	}
	return 0;
}

/* May a look at it wait for a server? What cannot be told may. */
static bool may_hang(const struct mount *mount)
{
	return !mount->type || mount_type_is_remote(mount->type);
}

static int look_at_some_spaces(struct engine *engine, struct doctor *doctor, size_t first,
                               bool apart, struct err *err)
{
	struct keys targets = {0};
	const struct resource **facts =
	    arena_array(engine->arena, doctor->count - first, sizeof *facts);
	const struct look look = {.kind = KIND_SPACE, .keys = &targets, .apart = apart};
	size_t n = 0;

	for (size_t i = first; i < doctor->count; i++) {
		const struct resource *fact = doctor->list[i].fact;

		if (fact->state == STATE_PRESENT && fact->mount.live.value &&
		    may_hang(&fact->mount) == apart) {
			keys_add(engine->arena, &targets, fact->key);
		}
	}
	if (look_at(engine, &look, facts, err)) {
		return -(int)err->code;
	}
	for (size_t i = first; i < doctor->count && n < targets.count; i++) {
		if (strcmp(doctor->list[i].target, targets.list[n]) == 0) {
			doctor->list[i].space = facts[n++];
		}
	}
	return 0;
}

/* How full those from `first` on are that are live. Those that may hang come first: what lies below
 * a dead one is not asked any more. */
static int look_at_spaces(struct engine *engine, struct doctor *doctor, size_t first,
                          struct err *err)
{
	return look_at_some_spaces(engine, doctor, first, true, err) ||
	               look_at_some_spaces(engine, doctor, first, false, err)
	           ? -(int)err->code
	           : 0;
}

/* ---- How it stands ---- */

static bool option(const struct doctor_mount *mount, const char *name)
{
	const struct mount *m = &mount->fact->mount;

	return list_has(&m->fstab_options, name) || list_has(&m->unit_options, name);
}

/* What a recording does not hold says nothing of the node. */
static bool is_told(struct engine *engine, const struct resource *fact)
{
	return !engine->recorded ||
	       strmap_get(engine->recorded, resource_id(engine->arena, fact->kind, fact->key));
}

static void judge_live(struct engine *engine, struct doctor_mount *mount)
{
	const struct mount *m = &mount->fact->mount;
	const struct resource *space = mount->space;
	const char *wanted = m->fstab.value ? m->fstab_source : m->unit_source;
	bool unsure;

	mount->standing = DOCTOR_MOUNTED;
	if (space && space->state == STATE_UNDETERMINED && is_told(engine, space)) {
		mount->standing = DOCTOR_HUNG;
		mount->health = DOCTOR_CRITICAL;
		mount->why = space->why;
	} else if (space && space->state == STATE_PRESENT && space->space.error) {
		bool shut = strcmp(space->space.error, "Permission denied") == 0;

		mount->standing = shut ? DOCTOR_MOUNTED : DOCTOR_BROKEN;
		mount->health = shut ? DOCTOR_OK : DOCTOR_CRITICAL;
		mount->why = arena_printf(engine->arena,
		                          shut ? "its space may not be asked for: %s"
		                               : "it answers with an error: %s",
		                          space->space.error);
	} else if (is_other_type(mount)) {
		mount->replaced = true;
		mount->health = DOCTOR_CRITICAL;
		mount->why = arena_printf(engine->arena, "%s wants %s, and something else is mounted: %s",
		                          mount->wanted_by, wanted_type(mount), m->type);
	} else if (mount->storage && wanted && m->source &&
	           !mount_source_same(wanted, m->source, m->type, &unsure)) {
		mount->health = DOCTOR_CRITICAL;
		mount->why = arena_printf(engine->arena, "%s says %s, and something else is mounted",
		                          mount->wanted_by, wanted);
	}
}

static void judge_not_live(struct engine *engine, struct doctor_mount *mount)
{
	const struct mount *m = &mount->fact->mount;

	if (m->automount.value) {
		mount->standing = DOCTOR_ARMED;
		mount->why = "an automount is armed: it mounts at the first use, which doctor is not";
		return;
	}
	mount->standing = DOCTOR_NOT_MOUNTED;
	mount->health = DOCTOR_CRITICAL;
	if (option(mount, "x-systemd.automount")) {
		mount->why = arena_printf(engine->arena,
		                          "%s wants an automount, and none is armed: nothing will mount it",
		                          mount->wanted_by);
	} else if (option(mount, "noauto")) {
		mount->health = DOCTOR_OK;
		mount->why = "noauto: it is mounted on request only";
	} else if (text_equal(m->beneath, "missing")) {
		mount->why = "the folder to mount it on is missing";
	}
}

static void judge(struct engine *engine, struct doctor_mount *mount)
{
	if (mount->standing == DOCTOR_UNTOLD) {
		mount->health = DOCTOR_UNKNOWN;
	} else if (mount->fact->mount.live.value) {
		judge_live(engine, mount);
	} else {
		judge_not_live(engine, mount);
	}
}

static int by_target(const void *a, const void *b)
{
	return strcmp(((const struct doctor_mount *)a)->target,
	              ((const struct doctor_mount *)b)->target);
}

/* fstab that cannot be read leaves what is mounted. */
static int find_targets(struct engine *engine, struct doctor *doctor, struct keys *ret_keys,
                        struct err *err)
{
	struct err fault = {0};

	if (!doctor_keys(engine, KIND_MOUNT, ret_keys, &fault)) {
		return 0;
	}
	doctor->fstab_why = arena_strdup(engine->arena, fault.text);
	*ret_keys = (struct keys){0};
	return doctor_keys(engine, KIND_SPACE, ret_keys, err);
}

int doctor_find_mounts(struct engine *engine, const char *const *only, struct doctor *doctor,
                       struct err *err)
{
	struct keys all = {0}, part;

	if (find_targets(engine, doctor, &all, err)) {
		return -(int)err->code;
	}
	/* What lies below others comes second: by then it is known which of those are dead. */
	for (int below = 0; below < 2; below++) {
		size_t first = doctor->count;

		split(engine->arena, &all, below != 0, &part);
		if (look_at_mounts(engine, &part, only, doctor, err) ||
		    look_at_spaces(engine, doctor, first, err)) {
			return -(int)err->code;
		}
	}
	add_unknown(engine, doctor, only);
	if (doctor->count) {
		qsort(doctor->list, doctor->count, sizeof *doctor->list, by_target);
	}
	for (size_t i = 0; i < doctor->count; i++) {
		judge(engine, &doctor->list[i]);
		doctor->mounts = doctor_worse(doctor->mounts, doctor->list[i].health);
	}
	return 0;
}
