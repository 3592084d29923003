// SPDX-License-Identifier: MIT
/*
 * Kernel modules: /sys/module first (cheap), libkmod (loaded with dlopen when first needed) for the
 * rest. What is found is told; what it means is decided elsewhere. Texts live in the host's arena.
 */
#ifndef HOST_MODULES_H
#define HOST_MODULES_H

#include "base/list.h"

struct host_module {
	bool loaded;        /* live, or part of the kernel image */
	bool builtin;       /* in modules.builtin, or in /sys/module without initstate */
	bool exists;        /* a file for the running kernel, or built in, or loaded */
	bool is_whole;      /* libkmod was asked: what follows up to `options` means something */
	bool blacklisted;   /* by modprobe.d or the kernel's command line */
	bool index_missing; /* the file is there but not indexed: depmod is needed */
	const char *file, *file_version, *file_srcversion, *vermagic;
	const char *file_build_id; /* NULL: packed, or has none */
	const char *filesystem;    /* the type that the file's alias fs-TYPE names */
	/* /etc/modprobe.d/x.conf:3; NULL with blacklisted: the command line. */
	const char *blacklisted_by;
	struct list settings; /* names of the parameters that the file takes; unset: not known */
	struct list options;  /* name=value, as modprobe.d gives them */
	/* Of the loaded one. */
	const char *version, *srcversion;
	const char *build_id;   /* hex */
	struct number users;    /* other modules, mounts, open files: /sys/module/X/refcnt */
	struct list holders;    /* modules that need it */
	struct list parameters; /* name=value, as far as they may be read */
};

/* One file of a module, as far as libkmod could read it. */
struct host_module_file {
	const char *name;
	const char *path;    /* NULL: there is no such file */
	const char *damaged; /* why it cannot be read as a module */
	const char *hidden;  /* why it may not be read by us: nothing is known of it */
	const char *packed;  /* it may be whole, but libkmod cannot unpack it here: gzip, xz, zstd */
	const char *vermagic, *version;
	const char *filesystem; /* the type that its alias fs-TYPE names */
	const char *signer;     /* who signed it, NULL: it is not signed */
	const char *key;        /* with which key */
	bool has_crcs;          /* it carries the versions of the symbols that it imports */
};

/* The versions (CRCs) of the symbols that a module and those it needs import, against what the
 * kernel and those modules export. */
struct host_symbols {
	size_t total, proved;
	bool complete; /* all that the kernel exports was known: what is missing there is missing */
	/* The first that differs, module_layout before others. */
	const char *bad, *bad_in;
	uint32_t bad_wanted, bad_offered;
	const char *bad_by; /* what offers it: a file */
	/* The first that nobody exports; only when complete. */
	const char *missing, *missing_in;
};

/* What files tell about loading a module under a kernel, which need not be the running one. */
struct host_loadable {
	const char *release;
	bool is_running;
	bool has_tree; /* /lib/modules/RELEASE is there */
	bool builtin;
	struct host_module_file file;
	struct host_module_file *needs; /* all that must be loaded before it, built in ones left out */
	size_t need_count;
	const char *index_fault; /* why depmod has to run */
	bool blacklisted;
	const char *blacklisted_by; /* file:line; NULL with blacklisted: the command line */
	const char *redirected;     /* the command that modprobe.d has instead of loading */
	const char *redirected_by;  /* file:line, when it could be found */
	const char *vermagic, *key; /* of that kernel's own modules; NULL: none could be read */
	const char *enforced;       /* who demands a signature */
	struct host_symbols symbols;
};

struct module_request {
	const char *name;
	const char *parameters; /* "a=1 b=2", or NULL */
	bool over_blacklist;
};

struct module_done {
	int error;              /* errno of the kernel or libkmod; 0: it says it went well */
	bool blacklisted;       /* refused by a blacklist */
	const char *redirected; /* refused: a module of the chain that has an `install` line */
	const char *log;        /* what the kernel logged meanwhile, lines, or NULL */
};

#endif
