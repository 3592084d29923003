// SPDX-License-Identifier: MIT
/*
 * A package transaction, judged by what it leaves behind: is a wanted module gone from the kernel
 * that runs or boots next, would a kernel boot that nobody has a wanted module for, is the helper
 * of a wanted mount gone? Only what is proved is a loss; a module that can still be had is none,
 * since unattended-upgrades brings kernel and module in separate small steps.
 */
#ifndef ENGINE_PREFLIGHT_APT_H
#define ENGINE_PREFLIGHT_APT_H

#include "engine/allow.h"
#include "engine/preflight.h"
#include "engine/transaction_list.h"

struct preflight_apt {
	const char **losses; /* sentences */
	size_t loss_count, loss_cap;
	const char **allowed; /* losses that an override lets pass, and by whom */
	size_t allowed_count, allowed_cap;
	const char *release; /* an override of this one would let the losses pass */
};

struct preflight_case {
	struct fact_source *source; /* kernel, loadable, package, candidate, archive */
	/* The text of a file of dpkg's, in the arena; NULL: there is no such file. */
	int (*read)(void *context, const char *path, struct arena *arena, const char **ret_text,
	            struct err *err);
	void *context; /* of read */
	const struct preflight_wants *wants;
	const struct allowed_list *allowed;
	const struct transaction_list *transaction;
};

/* No fact is asked for when the transaction neither removes something that matters nor brings a
 * kernel image, and no file is read when it removes nothing. */
int preflight_apt(const struct preflight_case *c, struct arena *arena, struct preflight_apt *ret,
                  struct err *err) MUST_CHECK;
/* The same with the facts and files of this node. */
int preflight_apt_live(struct worker *worker, const struct preflight_case *c, struct arena *arena,
                       struct preflight_apt *ret, struct err *err) MUST_CHECK;

#endif
