// SPDX-License-Identifier: MIT
/*
 * Which tree serves: the one that lies there, or, for `run`, the last good one while that cannot be
 * used: because it is gone, does not answer, is faulty, its policies fail, or it lost much and
 * nobody has said that this is meant.
 */
#include "engine/inner.h"

#include "base/json.h"
#include "engine/last_good.h"

#include <string.h>

enum { STALE_MOST = 7 * 86400 }; /* seconds, unless the tree says stale_max */

static int check_age(struct engine *engine, const struct last_good *kept, struct err *err)
{
	const char *stale_max = value_text(&engine->desired.state, "stale_max");
	int64_t most = stale_max ? clock_duration(stale_max) : STALE_MOST;
	AUTO(str_free) struct str age = {0}, limit = {0};

	if (kept->age <= most) {
		return 0;
	}
	clock_add_span(&age, kept->age * 1000);
	clock_add_span(&limit, most * 1000);
	return err_set(err, ERR_INPUT, 0, "it last served %s ago, and stale_max is %s", str_text(&age),
	               str_text(&limit));
}

static int load_last_good(struct engine *engine, struct err *err)
{
	struct diags none = {.arena = engine->arena};
	struct last_good kept;
	const char *path = history_last_good_path(engine);

	if (!path) {
		const char *why = history_unreached(engine);

		return err_set(err, ERR_INPUT, 0, "it lies with the history: %s",
		               why ? why : "that is no usable path");
	}
	if (last_good_read(path, engine->boot_id, engine->arena, &kept, err)) {
		return -(int)err->code;
	}
	if (strcmp(kept.digest, engine->tree_digest) == 0) {
		return err_set(err, ERR_INPUT, 0, "it is this one");
	}
	engine->kept_node = kept.node;
	if (inputs_from_document(engine, &kept.document, err) ||
	    engine_load_state(engine, &none, err)) {
		return err_wrap(err, "it does not load either");
	}
	engine->stale_since = kept.served;
	return check_age(engine, &kept, err);
}

/* As an error is printed, in one line. */
static const char *reason_of(struct arena *arena, const struct err *why)
{
	AUTO(str_free) struct str s = {0};

	if (why->at.file && why->at.line) {
		str_addf(&s, "%s:%u:", why->at.file, why->at.line);
		if (why->at.col) {
			str_addf(&s, "%u:", why->at.col);
		}
		str_addc(&s, ' ');
	}
	str_add(&s, why->text);
	return arena_strdup(arena, str_text(&s));
}

int fallback_to_last_good(struct engine *engine, const struct err *why, struct err *err)
{
	const struct engine before = *engine;

	if (!engine->options->stale_ok) {
		return err_copy(err, why);
	}
	if (load_last_good(engine, err)) {
		*engine = before;
		engine_note(engine, "not going on with the last good tree: %s", err->text);
		return -(int)err->code;
	}
	engine->stale = true;
	engine->shrink_alarming = false; /* what is planned for now is what was accepted */
	engine->stale_reason = reason_of(engine->arena, why);
	engine_note(engine, "going on with the last good tree: %s", engine->stale_reason);
	engine_init_facts(engine);
	return 0;
}

/* ---- A tree that lost much ---- */

static size_t count_policies(const struct value *document)
{
	size_t count = 0;

	for (size_t i = 0; i < document->count; i++) {
		count += text_starts(document->entries[i].key, "policies/");
	}
	return count;
}

/* A folder of policies that is empty all of a sudden: shipped ones would take their place, and what
 * only they wanted would be wanted no more. NULL: it is not so. */
static const char *lost_policies(struct engine *engine)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *path = history_last_good_path(engine);
	struct value now = inputs_document(engine);
	struct err ignored = {0};
	struct last_good kept;
	char digest[65];

	if (count_policies(&now) || !path || !last_good_digest(path, digest) ||
	    strcmp(digest, engine->tree_digest) == 0 ||
	    last_good_read(path, engine->boot_id, arena, &kept, &ignored)) {
		return NULL;
	}
	size_t before = count_policies(&kept.document);

	return before
	           ? arena_printf(engine->arena,
	                          "there is no policy in the tree any more, and there were %zu", before)
	           : NULL;
}

/* What the state that was last applied wanted and this one does not. NULL: nothing to speak of. */
static const char *lost_state(struct engine *engine)
{
	struct err ignored = {0};
	struct store_last last;
	struct value before;
	const char *text;
	size_t n;

	if (!engine->store || store_last_good(engine->store, engine->arena, &last, &ignored) ||
	    !last.run || !last.state[0] ||
	    text_equal(last.state, engine->desired.digest) || /* most runs: nothing to read back */
	    store_fetch(engine->store, last.state, engine->arena, &text, &n, &ignored) || !text ||
	    json_parse(text, n, "the last state", engine->arena, &before, &ignored)) {
		return NULL; /* nothing to compare with */
	}
	struct desired_shrink shrink = desired_shrink(engine->arena, &before, &engine->desired.state);

	return shrink.alarming ? shrink.text : NULL;
}

static int guard_shrink(struct engine *engine, struct err *err)
{
	const char *accepted = value_text(&engine->desired.state, "accept");
	const char *digest = engine->desired.digest, *lost = NULL;

	if (engine->options->accept_shrink) {
		return 0;
	}
	if (!text_equal(accepted, digest)) {
		lost = lost_state(engine);
	}
	if (!lost && !text_equal(accepted, engine->policies_digest)) {
		digest = engine->policies_digest;
		lost = lost_policies(engine);
	}
	if (!lost) {
		return 0;
	}
	engine->shrink_alarming = true;
	if (!engine->options->stale_ok) {
		if (engine->options->write_state) {
			engine_note(engine, "%s; `run` will not use this tree until `apply --accept-shrink`",
			            lost);
		}
		return 0;
	}
	return err_set(err, ERR_INPUT, 0,
	               "%s. If that is meant: reconcile apply --accept-shrink, or write `accept: %s` "
	               "into the tree",
	               lost, digest);
}

/* ---- The plan ---- */

/* Is it the tree that is to blame, and not the machine or whoever called? */
static bool is_of_tree(const struct engine *engine, const struct err *err)
{
	return err->code == ERR_POLICY || (err->code == ERR_INPUT && !engine->misnamed);
}

int fallback_plan(struct engine *engine, struct plan **ret_plan, struct err *err)
{
	struct err ignored = {0}, lost = {0};

	if (!engine->stale && guard_shrink(engine, &lost) &&
	    fallback_to_last_good(engine, &lost, &ignored)) {
		return err_copy(err, &lost);
	}
	if (!planning_make(engine, false, ret_plan, err)) {
		return 0;
	}
	if (!is_of_tree(engine, err) || engine->stale || fallback_to_last_good(engine, err, &ignored)) {
		return -(int)err->code;
	}
	return planning_make(engine, false, ret_plan, err) ? err_wrap(err, "the last good tree") : 0;
}
