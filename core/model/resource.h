// SPDX-License-Identifier: MIT
/*
 * A resource: one thing on the node that can be right or wrong. Wanted and observed are both this
 * type.
 *
 * A resource and its texts live in the arena it was made in. `state` and the fields of its kind
 * are all it has; where it came from is kept beside it (model/decision.h, struct origin).
 */
#ifndef MODEL_RESOURCE_H
#define MODEL_RESOURCE_H

#include "base/diag.h"
#include "model/kind.h"

enum state {
	STATE_PRESENT,
	STATE_ABSENT,
	STATE_UNDETERMINED, /* of an observed one: could not be told, `why` says the reason */
};

struct resource {
	const struct kind *kind;
	const char *key; /* "" of a singleton */
	enum state state;
	const char *why; /* STATE_UNDETERMINED: the reason; else NULL */
	union {
		struct node node;
		struct kernel kernel;
		struct scheduler scheduler;
		struct filesystem filesystem;
		struct candidate candidate;
		struct package_index package_index;
		struct package package;
		struct hold hold;
		struct module module;
		struct directory directory;
		struct mount mount;
		struct file file;
		struct data_repository data_repository;
		struct service service;
		struct command command;
		struct space space;
		struct port port;
		struct archive archive;
		struct package_files package_files;
		struct rival rival;
		struct boot_entry boot_entry;
		struct loadable loadable;
		struct package_source package_source;
		struct cached_package cached_package;
		struct apt_option apt_option;
		struct dkms dkms;
		struct reboot reboot;
	};
};

/* A present resource with no field set; the key is copied. */
struct resource *resource_create(struct arena *arena, const struct kind *kind, const char *key);
/* An observed one that could not be told. */
struct resource *resource_undetermined(struct arena *arena, const struct kind *kind,
                                       const char *key, const char *why_fmt, ...) PRINTF(4, 5);
struct resource *resource_copy(struct arena *arena, const struct resource *r); /* deep */

const char *state_name(enum state state);
/* "mount:/fsx", "kernel". */
const char *resource_id(struct arena *arena, const struct kind *kind, const char *key);
/* Splits "KIND:KEY" or "KIND"; ERR_INPUT when there is no such kind or the key is malformed. The
 * key of a singleton is "", that of another kind alone is NULL: all of that kind. */
int resource_parse_id(const char *id, struct arena *arena, const struct kind **ret_kind,
                      const char **ret_key, struct err *err) MUST_CHECK;

/* As a map: kind, key, state, (why), and each field that is set. Sealed. */
struct value resource_to_value(struct arena *arena, const struct resource *r);

enum resource_use { USE_WANTED, USE_OBSERVED };
/* From a map as above, where the key may also stand under the kind's own key name ({kind: file,
 * path: /x}). All faults are added to *diags; NULL when there was one. Wanted ones are checked
 * with the field tables, rules across fields included, and may not have fields that are only
 * observed; of observed ones only the types are checked, since the machine chose the texts. */
struct resource *resource_from_value(struct arena *arena, const struct value *value,
                                     enum resource_use use, struct diags *diags);

/* Fills in what follows from what was wanted, by pure rules: a file's digest from its content and
 * its type, option lists without duplicates, manage: full, a mount's live and (of manage: full)
 * fstab with fstab_source, fstab_type and fstab_options, a command's satisfied, an index's
 * max_age. Call once on each wanted resource before comparing. */
void resource_complete(struct arena *arena, struct resource *want);

/* Both wanted, of one id: lays `more` over `r` where r has nothing; returns the row of the first
 * field (or "state") in which they want different values, else NULL. */
const char *resource_merge(struct arena *arena, struct resource *r, const struct resource *more);

#endif
