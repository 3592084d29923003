// SPDX-License-Identifier: MIT
/*
 * Preflight: would a kernel, or a package transaction, take something from this node that is
 * wanted? What is wanted stands in a small file (preflight.json in the state folder) that apply and
 * run keep, so that a hook under the package manager's locks needs no tree, no policy and no
 * history. What is there is asked of a worker, and only when a transaction touches it.
 */
#ifndef ENGINE_PREFLIGHT_H
#define ENGINE_PREFLIGHT_H

#include "engine/inner.h"
#include "engine/next_boot.h"

/* The files that policies/preflight.lua plans. */
#define PREFLIGHT_KERNEL_HOOK "/etc/kernel/postinst.d/zzz-reconcile"
#define PREFLIGHT_APT_HOOK "/etc/apt/apt.conf.d/zz-reconcile-preflight"

/* How a wanted module gets there. */
struct preflight_module {
	const char *name;
	const char *package; /* "lustre-client-modules-{kernel}", or NULL */
	bool built;          /* DKMS builds it */
};

struct preflight_mount {
	const char *target, *type;
};

struct preflight_wants {
	const char *mode; /* off | warn | guard | refuse */
	const char *gone; /* the file that is not there, or NULL */
	struct next_boot_wants wants;
	struct preflight_module *modules;
	size_t module_count;
	struct preflight_mount *mounts;
	size_t mount_count;
};

/* Of an effective desired state. */
void preflight_wants_of(struct arena *arena, const struct value *state,
                        struct preflight_wants *ret_wants);
/* To the file's text and back; ERR_INPUT: it is damaged. `path`: for messages. */
const char *preflight_text(struct arena *arena, const struct preflight_wants *wants);
int preflight_parse(const char *text, const char *path, struct arena *arena,
                    struct preflight_wants *ret_wants, struct err *err) MUST_CHECK;
/* The file, mode "off" and `gone` when there is none. */
int preflight_read(const char *state_dir, struct arena *arena, struct preflight_wants *ret_wants,
                   struct err *err) MUST_CHECK;

/* The package that brings a module for a kernel, NULL when none is named. */
const char *preflight_package(struct arena *arena, const struct preflight_wants *wants,
                              const char *module, const char *release);

/* Writes the file when this plan wants one of the hooks, takes it away when it wants none, and
 * touches nothing when it is right. Trouble is a note. */
void preflight_keep(struct engine *engine, const struct plan *plan);

/* By hand, with the tree loaded: that kernel, installed or not. *ret NULL: nothing is wanted that a
 * kernel could lose. Of a kernel that is not installed, what could be had with it is unproven and
 * what nobody publishes is lost. ERR_INPUT: there is no such kernel, neither here nor published. */
int preflight_kernel(struct engine *engine, const char *release, struct next_boot **ret,
                     struct err *err) MUST_CHECK;

#endif
