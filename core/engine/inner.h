// SPDX-License-Identifier: MIT
/* What the files of the engine share of a run. Private to this room. */
#ifndef ENGINE_INNER_H
#define ENGINE_INNER_H

#include "engine/backoff.h"
#include "engine/engine.h"
#include "engine/facts.h"
#include "base/clock.h"
#include "engine/gate.h"
#include "host/self.h"
#include "policy/policy.h"
#include "provider/worker.h"

struct engine {
	const struct engine_options *options;
	const struct engine_watch *watch;
	const char *const *only; /* of the options, or of the saved plan that is carried out */
	bool misnamed;           /* what it names is not wanted: no fault of the tree */
	struct arena *arena;
	struct worker *worker;
	const char *boot_id;

	/* After engine_load. */
	struct tree_files files;            /* of the tree: YAML and Lua */
	struct desired_file *desired_files; /* the YAML among them, and node.yaml */
	size_t desired_file_count;
	struct policy_set policies;
	struct desired_tree *tree;
	struct desired_identity identity;
	struct desired desired;
	char tree_digest[65], policies_digest[65];
	bool stale;
	const char *stale_reason;
	int64_t stale_since;
	const char *kept_node; /* node.yaml as the last good tree had it, while that serves */
	const char *node_text; /* node.yaml as it is; NULL: there is none */
	/* The tree lost much and nobody accepted that: it does not become the last good one. */
	bool shrink_alarming;

	struct strmap *recorded; /* --facts */
	struct facts facts;

	struct self_lock lock;   /* fd -1: not held */
	bool waited;             /* for it */
	struct backoff *backoff; /* what `run` failed at lately; NULL: this run does not mind */

	struct store *store; /* NULL: no history */
	struct store_condition condition;
	/* Of a run that records: */
	bool history_writes, history_changed; /* opened for writing; something was done */
	bool journaled;                       /* some of it stands in the journal */
	bool tree_not_kept;                   /* as the last good one */
};

/* inputs.c: reading tree and policies, from the node or from a text kept in history. */
int inputs_read(struct engine *engine, struct err *err) MUST_CHECK;
int inputs_from_document(struct engine *engine, const struct value *document,
                         struct err *err) MUST_CHECK;
struct value inputs_document(struct engine *engine);
/* Path → digest: what history keeps of a tree, since its texts may hold what not all may read. */
struct value inputs_manifest(struct engine *engine);
int inputs_identify(struct engine *engine, struct diags *diags, struct err *err) MUST_CHECK;

/* planning.c: policies, planner, settle proof; with fresh facts when `again`. */
int planning_make(struct engine *engine, bool again, struct plan **ret_plan,
                  struct err *err) MUST_CHECK;

/* What limits the changes of this run. */
struct gate planning_gate(const struct engine *engine);

/* settle.c: plans again on paper. ERR_POLICY when the policies would flip. *ret_more: wants that a
 * further pass adds; *ret_unproven: a sentence, or NULL. */
int settle_prove(struct engine *engine, const struct wanted_set *set, const struct plan *plan,
                 const char **ret_unproven, size_t *ret_more, struct err *err) MUST_CHECK;
/* The facts as they will be when the plan was carried out, as far as can be told. */
void settle_on_paper(struct engine *engine, const struct wanted_set *set, const struct plan *plan,
                     struct facts *ret_paper);

/* fallback.c: goes on with the last good tree, when the options allow it; `why` this one does not
 * do. Negative: there is none, or it is too old, or it is this very one; what was loaded stays. */
int fallback_to_last_good(struct engine *engine, const struct err *why, struct err *err) MUST_CHECK;
/* fallback.c: the plan of this tree or, where the options allow it and this one lost too much or
 * its policies fail, of the last good one. */
int fallback_plan(struct engine *engine, struct plan **ret_plan, struct err *err) MUST_CHECK;

/* engine.c: parsing and overlays of the files that are there, and the facts to plan with. */
int engine_load_state(struct engine *engine, struct diags *diags, struct err *err) MUST_CHECK;
void engine_init_facts(struct engine *engine);

/* engine.c: the list of the run-dir, as the options would have it. */
struct backoff *engine_read_backoff(struct engine *engine);

/* engine.c: what --facts names, when it names something. */
int engine_read_recording(struct engine *engine, struct err *err) MUST_CHECK;

/* carry.c: carrying out the steps of a plan. */
struct carry {
	struct engine *engine;
	struct plan *plan;
	int64_t run; /* 0: not recorded */
	int stopped; /* signal that ended it early, or 0 */
	/* Why no further step may be done, or NULL, and the exit code for it. */
	const char *broken_off;
	int broken_code;
	size_t done, total, changed;
};
void carry_out(struct carry *carry);

/* history.c: the engine's dealings with the store; none of them fails a run. */
void history_open(struct engine *engine, enum store_mode mode);
void history_tidy(struct engine *engine);
/* plan NULL: it could not be made. 0: the run is not recorded. */
int64_t history_begin(struct engine *engine, const struct plan *plan);
/* Steps that are recorded in one commit, at most. */
enum { BATCH = 64 };
/* Where their intents were committed before the steps. */
struct intents {
	enum { INTENT_NOWHERE, INTENT_IN_STORE, INTENT_IN_JOURNAL } place;
	int64_t numbers[BATCH];
};
struct intents history_intents(struct engine *engine, int64_t run, struct step *const *steps,
                               size_t n);
void history_outcomes(struct engine *engine, const struct intents *intents,
                      struct step *const *steps, size_t n);
void history_end(struct engine *engine, int64_t run, int exit_code, const struct plan *plan,
                 const char *error, bool changed);
/* history_gap.c: one run more of which the history will not tell; and what it is told of those when
 * it can be written again. */
void history_gap_widen(struct engine *engine);
int history_gap_tell(struct engine *engine, struct err *err) MUST_CHECK;
/* Looks after the history for a bounded time, when all that somebody waits for is out, and closes
 * it. */
void history_close(struct engine *engine);
/* Why the folder of the history is not to be touched, or NULL: it may lie on a dead file system,
 * and only the worker may hang. */
const char *history_unreached(struct engine *engine);
/* Beside the history; NULL: its folder does not answer, or that is no path. */
const char *history_last_good_path(struct engine *engine);

void engine_note(struct engine *engine, const char *fmt, ...) PRINTF(2, 3);
/* Tells those who find us holding the lock what we are at now. */
void engine_doing(struct engine *engine, const char *fmt, ...) PRINTF(2, 3);

#endif
