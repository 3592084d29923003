// SPDX-License-Identifier: MIT
/*
 * A run from load to record: the one door of the engine, called by cli.
 *
 * engine_open → engine_load → engine_plan → (engine_apply) → engine_close. Results live until
 * engine_close. The engine prints nothing: it returns values and reports progress through struct
 * engine_watch. It touches no managed path itself (provider/worker.h does) and works on one node.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/diag.h"
#include "base/str.h"
#include "desired/desired.h"
#include "model/plan.h"
#include "store/store.h"

struct engine;

/* What the command line said. Texts are borrowed and outlive the engine. */
struct engine_options {
	const char *command;     /* "plan", "apply", "run", ...: for the history and the lock */
	const char *version;     /* of this program, for the history */
	const char *tree;        /* -C; default /etc/reconcile */
	bool tree_named;         /* by -C, and so expected to be there */
	const char *node;        /* --node, or NULL */
	const char *history;     /* --history; default /var/lib/reconcile/history.db */
	const char *run_dir;     /* --run-dir; default /run/reconcile */
	const char *state_dir;   /* /var/lib/reconcile: what outlives a reboot and is no history */
	const char *facts;       /* --facts FILE: plan for a recorded node, or NULL */
	const char *const *only; /* --only KIND:KEY or KIND, NULL-terminated, or NULL */
	int64_t lock_wait_ms;    /* --lock-timeout */
	int observe_ms;          /* how long one look may take; 0: the worker's default */
	unsigned allow;          /* --allow: marks consented to */
	bool person;             /* a person sits at the terminal: the mode does not bind */
	bool prune;              /* --prune: put orphans back ... */
	const char *prune_id;    /* ... or only this one */
	bool ignore_pause, accept_shrink;
	bool boot;           /* run --boot: modules only, with what they need to be loaded */
	const char *trigger; /* of run: a word for why this pass is made, or NULL */
	bool stale_ok;       /* run: go on with the last good tree when the tree does not load */
	bool write_state;    /* apply, run: this run records, locks and may change things */
	bool backs_off;      /* run: what failed lately is not tried again before its time */
	int64_t backoff_base_ms, backoff_most_ms; /* 0: as backoff.h has them */
};

/* Progress, for whoever shows it. Any member may be NULL. */
struct engine_watch {
	void (*waiting)(void *context, const char *what, int64_t elapsed_ms);
	void (*step_begin)(void *context, const struct step *step, size_t i, size_t n);
	void (*step_end)(void *context, const struct step *step, size_t i, size_t n);
	void (*begun)(void *context, int64_t run);     /* it has this number in the history */
	void (*note)(void *context, const char *text); /* a cut run found, history trouble, ... */
	void *context;
};

struct engine *engine_open(const struct engine_options *options, const struct engine_watch *watch);
/* NULL allowed. Ends the worker. */
void engine_close(struct engine *engine);
struct arena *engine_arena(struct engine *engine);

/* Reads and checks tree and policies, and finds out who this node is. Faults of what the operator
 * wrote are in *ret_diags (positions; source lines by engine_source_line). Negative: *err when it
 * is one thing (no tree, not trusted), or ERR_INPUT with diags->count > 0. */
int engine_load(struct engine *engine, struct diags *ret_diags, struct err *err) MUST_CHECK;
const struct desired *engine_desired(const struct engine *engine); /* after engine_load */
const struct desired_identity *engine_identity(const struct engine *engine);
const char *engine_source_line(const struct engine *engine, struct pos at, size_t *ret_length);

/* `validate`: every node of the tree, and the policies as far as they get without facts. What is no
 * fault and hardly meant is in *ret_warnings. */
int engine_validate(struct engine *engine, struct diags *ret_diags, struct diags *ret_warnings,
                    size_t *ret_files, size_t *ret_nodes, struct err *err) MUST_CHECK;

/* How many policies the tree and the program have together. */
size_t engine_policy_count(const struct engine *engine);

/* What must be done. Changes nothing. ERR_POLICY and ERR_INPUT carry positions. */
int engine_plan(struct engine *engine, struct plan **ret_plan, struct err *err) MUST_CHECK;
/* The history, opened for reading if it was not yet; NULL: none, *ret_condition says why. */
struct store *engine_history(struct engine *engine, const struct store_condition **ret_condition);

/* Asks before anything is changed; true = go on. */
typedef bool engine_consent(void *context, const struct plan *plan);

struct engine_result {
	int exit_code;      /* docs/exit-codes.md */
	struct plan *plan;  /* with outcomes */
	struct plan *after; /* the plan made afterwards, when something was changed, else NULL */
	int64_t run;        /* number in the history, 0 when not recorded */
	bool declined;      /* consent said no */
	const char *paused; /* why, who, since and until when; nothing was done then. Or NULL */
	int stopped;        /* signal that ended it early, or 0 */
	/* Said by notes; here so that somebody can tell when it is over. */
	bool no_history, tree_not_kept;
	int64_t next_try; /* of clock_ms, when something that failed is tried again, or
	                     * a pause ends; 0: nothing does */
};

/* Takes the lock, tidies after a crash, plans, asks, carries out, verifies, records. `saved` is the
 * text of a saved plan (its digests must hold) or NULL. Errors: ERR_LOCKED, ERR_INPUT (stale plan),
 * load errors. */
int engine_apply(struct engine *engine, const struct value *saved, engine_consent *consent,
                 void *context, struct engine_result *ret_result, struct err *err) MUST_CHECK;

/* ERR_LIMIT: what outlives a reboot lies on a file system that does not answer; nobody but a worker
 * may touch it. */
int engine_reach_state(struct engine *engine, struct err *err) MUST_CHECK;

/* Whatever `run` backs off from is tried at once again. */
int engine_forget_failures(const struct engine_options *options, struct err *err) MUST_CHECK;

/* A saved plan, as text to write; and its reading back (checks form and version, not the digests).
 * */
void engine_plan_save(struct engine *engine, const struct plan *plan, struct str *ret_text);
int engine_plan_read(struct engine *engine, const char *path, struct value *ret_saved,
                     struct err *err) MUST_CHECK;

/* Facts for `facts`: one, all keys of a kind, or (kind NULL) all that a plan reads. Each is an
 * observed resource. */
int engine_facts(struct engine *engine, const struct kind *kind, const char *key,
                 const struct resource ***ret_facts, size_t *ret_count, struct err *err) MUST_CHECK;
/* The recording of facts as a document for --facts. */
struct value engine_facts_document(struct engine *engine, const struct resource *const *facts,
                                   size_t n);

#endif
