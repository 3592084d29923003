// SPDX-License-Identifier: MIT
/*
 * Runs policies in a child process without files, network, clock or chance, and hands back what
 * they decided as checked values. The only door to the policy room.
 *
 * The child is forked from us and asks for facts over a socket; every answer and everything it
 * plans is treated as untrusted and checked with the field tables. A policy that breaks a rule or
 * a limit fails the whole decision with an error that names policy, file and line: it is never
 * "no changes".
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "model/decision.h"
#include "model/fact_source.h"

struct policy_source {
	const char *name; /* "mounts": the file name without .lua */
	const char *file; /* as shown in messages: "policies/mounts.lua" */
	const char *text;
	size_t length;
};

struct policy_limits {
	unsigned wall_ms;     /* per policy; waiting for facts, and a suspend, do not count */
	unsigned cpu_seconds; /* per policy */
	size_t memory;        /* bytes of Lua's allocator, per policy */
	size_t source;        /* bytes of one file */
	size_t resources;     /* proposals, blocks and warnings of all policies together */
};

/* 30 s, 1 s, 64 MiB, 256 KiB, 100 000 (docs/policies.md, "Limits"). */
extern const struct policy_limits policy_default_limits;

struct policy_set {
	const struct policy_source *policies; /* in the order of their names */
	size_t count;
	/* policies/lib/NAME.lua: each returns a table, seen as lib.NAME. */
	const struct policy_source *libraries;
	size_t library_count;
};

/* Runs all of them whose sections are wanted (and those that handle none). `want` is the effective
 * desired state, sealed; the positions of its keys become origins. Facts are asked for once per
 * call, and whoever owns the source may log them there.
 *
 * Errors: ERR_POLICY with the position of the Lua line (or, for a section that no policy handles,
 * of the YAML), for whatever a policy or its process does wrong, limits included; ERR_HOST when
 * there is no process to be had; what the fact source returned. *ret_decision lives in `arena`, but
 * borrows the names and files of the policies from `set`. */
int policy_run(const struct policy_set *set, const struct value *want, struct fact_source *facts,
               const struct policy_limits *limits, struct arena *arena,
               struct decision *ret_decision, struct err *err) MUST_CHECK;

#endif
