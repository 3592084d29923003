// SPDX-License-Identifier: MIT
/*
 * Kinds of resources: one C struct and one field table each. Wanted and observed are values of
 * the same struct; which one it is, is the variable's name. No I/O here.
 */
#ifndef MODEL_KIND_H
#define MODEL_KIND_H

#include "model/field.h"

/* In the order in which unrelated changes are made and shown. */
enum kind_id {
	KIND_NODE,
	KIND_KERNEL,
	KIND_SCHEDULER,
	KIND_FILESYSTEM,
	KIND_CANDIDATE,
	KIND_PACKAGE_INDEX,
	KIND_HOLD,
	KIND_PACKAGE,
	KIND_MODULE,
	KIND_DIRECTORY,
	KIND_MOUNT,
	KIND_FILE,
	KIND_DATA_REPOSITORY,
	KIND_SERVICE,
	KIND_COMMAND,
	KIND_COUNT
};

/* The machine itself (singleton). Sources: uname(2), /etc/os-release,
 * /proc/sys/kernel/random/boot_id. */
struct node {
	const char *name, *os, *os_version, *architecture, *boot_id;
};

/* Which kernels there are (singleton). */
struct kernel {
	const char *running;      /* uname -r */
	struct list installed;    /* folders of /lib/modules that have a kernel in /boot, newest last */
	const char *boot_default; /* release the boot loader would start */
	const char *boot_next;    /* release of a one-shot entry */
	const char *command_line;
	struct list that_matter; /* running, next boot, pinned: filled in by the engine */
};

/* Work that a node does for others (singleton): changes "under jobs" wait while jobs > 0. */
struct scheduler {
	const char *name;   /* "slurm", unset when there is none */
	struct number jobs; /* job steps on this node, from its processes */
};

/* A file system type the kernel has registered: /proc/filesystems. */
struct filesystem {
	struct truth nodev;
};

/* What the package index offers; never wanted. */
struct candidate {
	const char *version, *origin;
	struct list versions;    /* all that are offered, newest first */
	struct number index_age; /* seconds since the index was refreshed */
};

struct package_index {
	const char *max_age;
	struct number age; /* seconds */
};

struct package {
	const char *version;
	const char *status; /* dpkg: installed, half-configured, unpacked, config-files, ... */
	const char *architecture;
	/* Observed only of a wanted one that is not as wanted: the index is not asked otherwise. */
	const char *candidate; /* the version that a change would bring */
	struct list offered;   /* all versions of the index, newest first; unset: cannot be told */
	struct list brings;    /* name=version of what would be installed with it */
	const char *repair;    /* what dpkg --configure -a has to finish before */
	const char *obstacle;  /* why it cannot be changed now */
};

struct hold {
	const char *selection; /* dpkg's word: hold, install, deinstall, ... */
	const char *obstacle;  /* of a wanted one: why it cannot be set */
};

struct module {
	struct truth loaded;
	const char *version;    /* of the loaded module, if it has one */
	struct list parameters; /* name=value */
	struct truth blacklisted;
	struct truth builtin;
	const char *file;         /* for the running kernel, found by libkmod */
	const char *file_version; /* of that file */
	const char *obstacle;     /* why it could not be loaded as things are */
};

struct directory {
	const char *mode, *owner, *group;
	const char *type; /* observed: directory, or what lies in its place: link, file, other */
};

struct mount {
	const char *source, *type;
	struct list options;
	const char *manage; /* full | live | observe */
	/* Observed: live and fstab are two facts. source, type and options above are the live ones.
	 * Of a wanted one resource_complete() fills in live and, for manage: full, what the fstab
	 * line says. */
	struct truth live;
	struct truth automount; /* an armed autofs trigger is on the target */
	struct truth fstab;
	const char *fstab_source, *fstab_type;
	struct list fstab_options;
	struct list fstab_lines; /* their numbers, when fstab has several lines for the target */
	struct number covers;    /* how many mounts lie on the target below the top one */
	const char *root;        /* of a bind mount: the path within its file system */
	/* While nothing is mounted: missing, empty, not empty, link, behind a link, file, other. */
	const char *beneath;
};

struct file {
	const char *content; /* observed: only of files that all may read, up to 64 KiB */
	const char *digest;  /* SHA-256 of the content; of a wanted file made by resource_complete() */
	const char *mode, *owner, *group;
	const char *type; /* observed: file, link, directory, other; wanted: "file", by
	                           * resource_complete() */
};

struct data_repository {
	const char *repository, *file_system, *region;
	struct list import_events, export_events;
	const char *manage; /* observe | owner (of the association; not managed by this version) */
	const char *owner;
	struct truth directory; /* observed: the directory is there, on a live mount */
};

struct service {
	struct truth enabled, active, masked;
	const char *unit_state; /* systemd's words: "enabled/active" */
};

struct command {
	struct list argv, unless;
	const char *creates;
	struct truth satisfied; /* observed: the guard holds */
};

enum kind_trait {
	KIND_SINGLETON = 1 << 0, /* one of it on a node: its key is "" and its name stands alone */
	KIND_FACT_ONLY = 1 << 1, /* cannot be wanted */
	KIND_NOT_YET =
	    1 << 2, /* can be wanted and compared; a change is blocked: not in this version */
	KIND_UNDER_JOBS = 1 << 3,   /* changes wait while jobs run on the node */
	KIND_NEVER_ABSENT = 1 << 4, /* state: absent makes no sense for it */
};

struct kind {
	enum kind_id id;
	const char *name;     /* as in KIND:KEY, YAML and Lua */
	const char *key_name; /* the name of its key field: "path", "target", ...; NULL: a singleton */
	enum field_format key_format;
	const char *const *key_choices; /* FORMAT_CHOICE: NULL-terminated */
	unsigned traits;
	const char *help;
	const struct field *fields; /* without the key */
	size_t field_count;
};

extern const struct kind kind_table[KIND_COUNT];

/* The kind of that name, or NULL. */
const struct kind *kind_find(const char *name);
const char *kind_nearest(const char *name);
/* The key as a row, for field_check() and the reference; its offset means nothing. */
struct field kind_key_field(const struct kind *kind);

/* The words that a kind and the section that speaks of it share. */
extern const char *const choices_manage[];            /* of a mount */
extern const char *const choices_manage_repository[]; /* of a data repository */
extern const char *const choices_event[];             /* what a data repository reports */

#endif
