// SPDX-License-Identifier: MIT
/*
 * How a node stands that nobody has described yet: what it wants is read from fstab, from the units
 * and the live mounts of storage clients and from the modules behind them. Reads facts only and
 * changes nothing; file systems are asked apart from each other, so that dead ones do not add up.
 * Results live in the engine's arena.
 */
#ifndef ENGINE_DOCTOR_H
#define ENGINE_DOCTOR_H

#include "engine/engine.h"
#include "model/next_boot.h"

/* The exit codes of monitoring plugins. */
enum doctor_health { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_CRITICAL, DOCTOR_UNKNOWN };
const char *doctor_health_name(enum doctor_health health); /* "OK", "WARNING", ... */
/* The one of both that a monitor should see: critical, warning, unknown, OK. */
enum doctor_health doctor_worse(enum doctor_health a, enum doctor_health b);

enum doctor_standing {
	DOCTOR_MOUNTED,
	DOCTOR_NOT_MOUNTED,
	DOCTOR_HUNG,   /* it does not answer */
	DOCTOR_BROKEN, /* it answers with an error */
	DOCTOR_ARMED,  /* an automount waits for the first use */
	DOCTOR_UNTOLD, /* it cannot be told */
};
const char *doctor_standing_name(enum doctor_standing standing); /* "NOT MOUNTED", ... */

struct doctor_mount {
	const char *target, *source, *type;
	const char *module;    /* of a storage client: the module behind its type, or NULL */
	const char *wanted_by; /* "fstab", "unit lustre.mount", "mounted" */
	bool storage;          /* of a storage client: remote */
	bool replaced;         /* what is mounted there is of another type than the one wanted */
	enum doctor_standing standing;
	enum doctor_health health;
	const char *why;              /* what is wrong or to be known, or NULL */
	const struct resource *fact;  /* kind mount */
	const struct resource *space; /* of what is mounted, or NULL */
};

struct doctor_module {
	const char *name;
	bool of_kernel; /* it comes with the kernel's own package */
};

/* Of a module that comes with the kernel only what is missing. */
struct doctor_verdict {
	const char *module, *release;
	const char *verdict; /* yes | no | unproven */
	const char *cause, *reason;
};

struct doctor_kernel {
	const char *release;
	bool running, is_default, next;
	const char *installed, *brought, *incomplete; /* or NULL */
};

struct doctor_rival {
	const char *name, *kind, *where, *does;
	const char *why; /* it cannot be told whether there is one */
};

struct doctor {
	const char *node;
	bool root;                 /* we may read what there is */
	bool unreadable;           /* something could not be told that root may read */
	bool tree;                 /* there is a tree in the folder that -C names */
	const char *unjudged;      /* that it is not looked at here, and what does; or NULL */
	enum doctor_health health; /* of all together */
	enum doctor_health mounts; /* of the mounts alone */

	const struct resource *kernel;
	const char *kernel_why; /* why what boots next cannot be told, or NULL */
	struct doctor_kernel *kernels;
	size_t kernel_count;
	struct doctor_mount *list;
	size_t count, cap;
	struct doctor_module *modules;
	size_t module_count, module_cap;
	struct doctor_verdict *verdicts;
	size_t verdict_count, verdict_cap;
	struct doctor_rival *rivals;
	size_t rival_count, rival_cap;
	const char *rivals_why; /* whether there are any cannot be told */
	int64_t index_age;      /* seconds; -1: there is no index */
	const char *index_why;  /* it cannot be told */
	const struct next_boot *next_boot;
	const char *fstab_why;    /* fstab cannot be read */
	struct list fstab_faults; /* its lines that mount nothing: FILE:LINE: WHY */

	struct doctor_command {
		const char *line, *purpose;
	} next[2]; /* what to run next */
};

/* Looks at all of it; `only` (NULL: all) ends with NULL and names the targets to look at. ERR_HOST
 * when no worker can be started. */
int doctor_look(struct engine *engine, const char *const *only, struct doctor **ret_doctor,
                struct err *err) MUST_CHECK;
/* Only the mounts: what `doctor --line` and `check` need. */
int doctor_look_at_mounts(struct engine *engine, const char *const *only,
                          struct doctor **ret_doctor, struct err *err) MUST_CHECK;

extern const char doctor_default_tree[];
/* Is there a tree in the folder that -C names? True as well when that cannot be told. */
int doctor_has_tree(struct engine *engine, bool *ret_tree, struct err *err) MUST_CHECK;

/* All of it, for --json. Sealed. */
struct value doctor_to_value(struct arena *arena, const struct doctor *doctor);

#endif
