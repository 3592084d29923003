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
	KIND_SCHEDULER,
	KIND_FILESYSTEM,
	KIND_SPACE,
	KIND_PORT,
	KIND_RIVAL,
	KIND_BOOT_ENTRY,
	KIND_LOADABLE,
	KIND_CANDIDATE,
	KIND_ARCHIVE,
	KIND_PACKAGE_FILES,
	KIND_PACKAGE_SOURCE,
	KIND_PACKAGE_INDEX,
	KIND_CACHED_PACKAGE,
	KIND_APT_OPTION,
	KIND_HOLD,
	KIND_PACKAGE,
	KIND_DKMS,
	KIND_KERNEL,
	KIND_MODULE,
	KIND_DIRECTORY,
	KIND_MOUNT,
	KIND_FILE,
	KIND_DATA_REPOSITORY,
	KIND_SERVICE,
	KIND_COMMAND,
	KIND_REBOOT,
	KIND_COUNT
};

/* The machine itself (singleton). Sources: uname(2), /etc/os-release,
 * /proc/sys/kernel/random/boot_id. */
struct node {
	const char *name, *os, *os_version, *architecture, *boot_id;
};

/* Which kernels there are (singleton). Wanted are only what boots by default and what once. */
struct kernel {
	const char *running;      /* uname -r */
	struct list installed;    /* folders of /lib/modules that have a kernel in /boot, newest last */
	const char *boot_default; /* release the boot loader would start; wanted also: distribution */
	const char *boot_next;    /* release of a one-shot entry; wanted also: none */
	const char *loader;       /* grub, bls, systemd-boot; unset: none that we can read */
	const char *default_entry; /* id of the entry behind boot_default */
	const char *own_entry;     /* the one that a file of ours made the default; "": not in force */
	struct list entries;       /* "RELEASE=ID" of those that could be made the default */
	const char *stale_entry;   /* what the boot loader was told to start and has no entry for */
	const char *obstacle;      /* why the default cannot be set here */
	const char *once_obstacle; /* why an entry cannot be started once here */
	const char *command_line;
	struct list metapackages; /* installed packages that pull in the next kernel when upgraded */
	struct list that_matter;  /* running, next boot, pinned: filled in by the engine */
	struct truth closed; /* the running one takes no more modules; unset: that cannot be told */
};

/* What is there of one kernel release, and where it came from. */
struct boot_entry {
	const char *entry;     /* id path in the boot loader's menu */
	const char *image;     /* /boot/vmlinuz-RELEASE */
	const char *initrd;    /* unset: there is none, or it is empty */
	struct list packages;  /* installed packages of exactly this release: image, headers, modules */
	const char *installed; /* when, 2026-11-20T06:12:40Z, as far as apt's or dpkg's log tells */
	const char *brought;   /* by whom: "unattended-upgrades", "apt-get dist-upgrade by root" */
	const char *incomplete; /* why it could not boot as it is */
};

/* Would that module load under that kernel? Told from files, without loading it. */
struct loadable {
	const char *verdict; /* yes | no | unproven */
	const char *cause;   /* of the others: a short stable word */
	const char *reason;  /* and the sentence */
	const char *file;
	const char *vermagic;
	const char *version;
};

/* How full a mounted file system is: statfs(2). Undetermined: it does not answer. */
struct space {
	struct number size, used, available; /* bytes */
	struct number percent;               /* as df(1) rounds */
	const char *error;                   /* it answers, but with this error: no sizes then */
};

/* A TCP port of another host, asked once with a deadline. */
struct port {
	const char *answer; /* open | refused | silent | unknown host | unreachable */
	const char *why;
};

/* A .deb as a file: which modules, kernel images and mount helpers it would put in place. */
struct archive {
	struct list files; /* paths */
};

/* The files of an installed package, as dpkg finds them (read again, so it takes a moment). */
struct package_files {
	struct list damaged; /* paths that are missing or have another content */
};

/* Something else on this node that repairs or changes what reconcile looks after. */
struct rival {
	const char *where; /* file and line, or unit */
	const char *does;  /* what, in its own words */
	const char *kind;  /* shown as `means`: cron | timer | service | hook */
};

/* Work that a node does for others (singleton): changes "under jobs" wait while jobs > 0. Wanted is
 * only that a drain of ours is over; the scheduler itself is asked only then. */
struct scheduler {
	const char *name;         /* "slurm", unset when there is none */
	struct number jobs;       /* job steps on this node, from its processes */
	struct truth drained;     /* it is kept from work, by us and for a reboot */
	const char *drain_reason; /* why it is kept from work, by whomever */
	const char *awaits;       /* why a drain of ours cannot be ended yet */
	const char *unasked;      /* why the scheduler could not be asked */
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
	struct list names;       /* of a key that is a glob: packages that it fits, newest last */
};

struct package_index {
	const char *max_age;
	struct number age;    /* seconds */
	const char *outdated; /* the source that was written after it; NULL: none */
};

struct package {
	const char *version;
	const char *status; /* dpkg: installed, half-configured, unpacked, config-files, ... */
	const char *architecture;
	struct truth intact; /* its files are as they were installed; observed only when wanted */
	const char *damaged; /* then: which are not */
	/* Observed only of a wanted one that is not as wanted: the index is not asked otherwise. */
	const char *candidate; /* the version that a change would bring */
	struct list offered;   /* all versions of the index, newest first; unset: cannot be told */
	struct list brings;    /* name=version of what would be installed with it */
	const char *from;      /* where the candidate is when it does not come from the index */
	const char *repair;    /* what dpkg --configure -a has to finish before */
	const char *obstacle;  /* why it cannot be changed now */
};

/* An apt source: where packages come from, and the key that signs them. */
struct package_source {
	const char *uri;
	struct list suites, components;
	const char *signed_by;  /* path of the keyring */
	const char *key;        /* the key itself, armoured; its file is written when it differs */
	const char *key_digest; /* of that file */
	const char *file;       /* where the source stands, /etc/apt/sources.list.d/x.list:1 */
	struct list others;     /* further places where the same source stands */
	const char *obstacle;
};

/* The .debs of a package and of what it needs, kept on the node. */
struct cached_package {
	const char *version;
	struct list files;     /* name=sha256 of each .deb */
	struct number size;    /* bytes */
	const char *damaged;   /* what is wrong with what is there */
	const char *candidate; /* the version that would be fetched; NULL: nothing is to be done */
	const char *obstacle;
};

/* A list option of apt's configuration, as all its files together make it. */
struct apt_option {
	struct list items; /* wanted: those that must be in it */
	struct list ours;  /* those that our own file puts into it; unset: there is no such file */
	const char *obstacle;
};

/* A module that DKMS builds, for one kernel. */
struct dkms {
	const char *version;
	const char *status;   /* installed, built, added, failed, no headers, excluded */
	struct truth headers; /* those of that kernel are there */
	const char *log;      /* of a failed build: the lines that matter */
	const char *log_file;
	const char *obstacle;
};

struct hold {
	const char *selection; /* dpkg's word: hold, install, deinstall, ... */
	struct truth manual;   /* apt does not take it for something it may remove by itself */
	const char *obstacle;  /* of a wanted one: why it cannot be set */
};

struct module {
	struct truth loaded;
	const char *version;    /* of the loaded module, if it has one */
	struct list parameters; /* name=value */
	struct truth blacklisted;
	struct truth builtin;
	const char *file;          /* for the running kernel, found by libkmod */
	const char *file_version;  /* of that file */
	const char *obstacle;      /* why it could not be loaded (or, wanted gone, unloaded) as it is */
	struct truth needs_depmod; /* no index names its file, or not what it needs */
	const char *outdated;      /* how the loaded one differs from that file */
	const char *blacklisted_by; /* file:line */
	struct list options;        /* name=value, as modprobe.d gives them to it */
};

struct directory {
	const char *mode, *owner, *group;
	const char *type; /* observed: directory, or what lies in its place: link, file, other */
};

struct mount {
	const char *source, *type;
	struct list options;
	const char *manage;  /* full | live | observe */
	const char *service; /* the unit that makes this mount, where mount(2) is not the way */
	/* Observed: live and fstab are two facts. source, type and options above are the live ones.
	 * Of a wanted one resource_complete() fills in live and, for manage: full, what the fstab
	 * line says. */
	struct truth live;
	struct truth automount; /* an armed autofs trigger is on the target */
	struct truth fstab;
	const char *fstab_source, *fstab_type;
	struct list fstab_options;
	/* Why the source is another one although the texts do not tell: a name that was wanted stands
	 * for another address. */
	const char *other_source;
	const char *unit; /* a mount or automount unit that somebody wrote for the target */
	const char *unit_source, *unit_type;
	struct list unit_options;
	struct list fstab_lines;  /* their numbers, when fstab has several lines for the target */
	struct list fstab_faults; /* lines of fstab that mount nothing; told with / */
	struct number covers;     /* how many mounts lie on the target below the top one */
	const char *root;         /* of a bind mount: the path within its file system */
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
	struct truth batch_import; /* at creation: take over what the bucket holds already */
	struct number chunk_mib;   /* how large a piece of a file one disk holds */
	const char *manage;        /* observe | owner: the node named by owner writes it */
	const char *owner;
	struct truth directory; /* observed: the directory is there, on a live mount */
	/* Observed through the FSx API; unset when it could not be asked: `unasked` says why. */
	const char *association; /* id: dra-... */
	const char *lifecycle;   /* AVAILABLE, CREATING, MISCONFIGURED, FAILED, ... */
	const char *failure;     /* the service's words */
	const char *file_system_path;
	const char *legacy; /* a file system of the older kind: its ImportPath and ExportPath */
	const char *unasked;
};

struct service {
	struct truth enabled, active, masked;
	const char *unit_state;    /* systemd's words: "enabled/active" */
	struct truth needs_reload; /* its file changed since systemd read it */
};

struct command {
	struct list argv, unless;
	const char *creates;
	struct truth satisfied; /* observed: the guard holds */
};

/* The node started anew, into a kernel (singleton). Observed: what the ledger of reboots says. */
struct reboot {
	const char *into; /* wanted: the release; observed: the one that runs */
	const char *when; /* never | window | slurm | now */
	const char *window;
	struct number per_day, attempts_per_kernel;
	struct truth force;
	struct truth trial; /* once, and the default only after the checks passed */
	const char *renew;  /* even into the kernel that runs: what it is to put right */
	/* Observed. */
	const char *open;   /* a reboot that was begun: into which kernel */
	const char *result; /* of it: "waiting", "arrived", "came back" (in another kernel) */
	struct truth open_trial;
	struct number runs;     /* begun under it since, this one counted */
	struct list attempts;   /* release=count, of the present desired state */
	struct number last_day; /* reboots of ours in 24 hours */
	struct truth drained;   /* Slurm did the last one, and its drain is not over yet */
	const char *fleet;      /* why a reboot outside the scheduler would lose the node */
	const char *obstacle;   /* ledger missing or unreadable, a job runs, outside the window */
};

enum kind_trait {
	KIND_SINGLETON = 1 << 0,    /* one of it on a node: its key is "" and its name stands alone */
	KIND_FACT_ONLY = 1 << 1,    /* cannot be wanted */
	KIND_UNDER_JOBS = 1 << 2,   /* changes wait while jobs run on the node */
	KIND_NEVER_ABSENT = 1 << 3, /* state: absent makes no sense for it */
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
extern const char *const choices_when[];              /* of a reboot */

#endif
