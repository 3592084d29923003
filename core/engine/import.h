// SPDX-License-Identifier: MIT
/*
 * What the doctor found, written as a tree's node file: what reconcile should manage, where each
 * value came from, and nothing that a person has to decide. On a node that is whole it plans empty.
 * Writes no file.
 */
#ifndef ENGINE_IMPORT_H
#define ENGINE_IMPORT_H

#include "engine/doctor.h"

struct import {
	const char *node;  /* who this node is: also the stem of the file's name */
	struct str text;   /* the YAML; str_free */
	const char **left; /* what was left out, and why: sentences */
	size_t left_count, left_cap;
	const char **broken; /* what keeps the plan from being empty: sentences */
	size_t broken_count, broken_cap;
	bool is_partial; /* what the node wants cannot be read: there may be more */
};

/* `all`: every mount of fstab, not only those of storage clients. ERR_INPUT when /etc/reconcile/
 * node.yaml makes no sense; ERR_BUG when what came out does not load. */
int import_make(struct engine *engine, const struct doctor *doctor, bool all,
                struct import *ret_import, struct err *err) MUST_CHECK;

#endif
