// SPDX-License-Identifier: MIT
/*
 * The next-boot invariant: which kernel boots next, and which wanted modules and mounts would be
 * lost under it. Told from facts alone (kernel, boot_entry, loadable), without loading or rebooting
 * anything; usable without a tree. Results live in the caller's arena. Calls no provider itself.
 */
#ifndef ENGINE_NEXT_BOOT_H
#define ENGINE_NEXT_BOOT_H

#include "model/fact_source.h"
#include "model/next_boot.h"

/* One module and the mounts that are nothing without it. */
struct next_boot_want {
	const char *module;
	const char **mounts; /* targets */
	size_t mount_count, mount_cap;
	bool wanted; /* the module is wanted for itself, not only for its mounts */
};

struct next_boot_wants {
	struct next_boot_want *list;
	size_t count, cap;
	bool kernel; /* judged also where nothing else is wanted: can it boot at all? */
};

/* Adds a module (wanted for itself when `target` is NULL) or one more mount that needs it. Texts
 * are borrowed. */
void next_boot_wants_add(struct arena *arena, struct next_boot_wants *wants, const char *module,
                         const char *target);

/* The module that brings a file system type where the desired state names none, or NULL: of types
 * whose module is no part of the kernel's own package. They are named as their modules are. */
const char *next_boot_module_of(const char *type);

/* What an effective desired state wants: `modules`, and `mounts` by the types that these register.
 * What is wanted absent, and `unsupported: skip`, is not in it. */
void next_boot_wants_of(struct arena *arena, const struct value *state,
                        struct next_boot_wants *ret_wants);

/* Judges the kernel that boots next, or `release` when it is not NULL (preflight asks about one
 * that may become it). Facts are asked for through `source`: kernel, boot_entry:RELEASE and
 * loadable:MODULE@RELEASE. *ret NULL: nothing is wanted that a kernel could lose (and, where that
 * is asked, nothing says that it could not boot). Errors are those of the source. */
int next_boot_judge(struct arena *arena, struct fact_source *source,
                    const struct next_boot_wants *wants, const char *release,
                    struct next_boot **ret, struct err *err) MUST_CHECK;

/* The plan that shows `before` carries out `after`: is what would be lost put right by it? Says so
 * in before->sentence and before->remedied. */
void next_boot_remedy(struct arena *arena, struct next_boot *before, const struct next_boot *after);

#endif
