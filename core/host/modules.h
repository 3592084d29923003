// SPDX-License-Identifier: MIT
/* Kernel modules: /sys/module first (cheap), libkmod (loaded with dlopen when first needed) for
 * the rest. */
#ifndef HOST_MODULES_H
#define HOST_MODULES_H

#include "base/list.h"

struct host_module {
	bool loaded;        /* live, or part of the kernel image */
	bool builtin;       /* in modules.builtin, or in /sys/module without initstate */
	bool exists;        /* a file for the running kernel, or built in, or loaded */
	bool is_whole;      /* libkmod was asked: what follows up to vermagic means something */
	bool blacklisted;   /* by modprobe.d or the kernel's command line */
	bool index_missing; /* the file is there but not indexed: depmod is needed */
	const char *file, *file_version, *vermagic;
	const char *version;    /* of the loaded one */
	struct list parameters; /* name=value, of the loaded one, as far as they may be read */
};

#endif
