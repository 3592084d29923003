// SPDX-License-Identifier: MIT
/* See saved.h. The text is JSON with a digest over its own content, so that one cut short or
 * touched is known. */
#include "engine/saved.h"

#include "base/digest.h"
#include "base/json.h"
#include "engine/inner.h"
#include "host/self.h"

#include <string.h>
#include <unistd.h>

enum { FORMAT_VERSION = 1, SAVED_MOST = 64 << 20 };

/* What is compared: id, action and differences of each change. */
static struct value changes_of(struct arena *arena, const struct plan *plan)
{
	struct value list = value_list();

	for (size_t i = 0; i < plan->step_count; i++) {
		const struct step *step = &plan->steps[i];

		if (step->outcome == OUTCOME_CHANGE) {
			struct value v = plan_step_to_value(arena, step), change = value_map();

			value_put(arena, &change, "id", value_string(step->id));
			value_put(arena, &change, "action", value_string(action_name(step->action)));
			value_put(arena, &change, "differences", *value_get(&v, "differences"));
			value_seal(&change);
			value_append(arena, &list, change);
		}
	}
	return list;
}

static struct value basis_of(struct arena *arena, const struct plan *plan)
{
	struct value basis = value_map();

	value_put(arena, &basis, "node", value_string(plan->basis.node));
	value_put(arena, &basis, "tree", value_string(plan->basis.tree));
	value_put(arena, &basis, "policies", value_string(plan->basis.policies));
	value_put(arena, &basis, "facts", value_string(plan->basis.facts));
	value_put(arena, &basis, "boot_id", value_string(plan->basis.boot_id));
	value_seal(&basis);
	return basis;
}

void engine_plan_save(struct engine *engine, const struct plan *plan, struct str *ret_text)
{
	struct value content = value_map(), document = value_map(), only = value_list();

	for (const char *const *id = engine->only; id && *id; id++) {
		value_append(engine->arena, &only, value_string(*id));
	}
	value_put(engine->arena, &content, "only", only);
	value_put(engine->arena, &content, "basis", basis_of(engine->arena, plan));
	value_put(engine->arena, &content, "changes", changes_of(engine->arena, plan));
	value_put(engine->arena, &content, "plan", plan_to_value(engine->arena, plan));
	value_seal(&content);
	value_put(engine->arena, &document, "reconcile_plan", value_int(FORMAT_VERSION));
	value_put(engine->arena, &document, "content", content);
	value_put(engine->arena, &document, "digest",
	          value_string(arena_strdup(engine->arena, digest_value(&content).hex)));
	value_seal(&document);
	json_print(ret_text, &document, 1);
	str_addc(ret_text, '\n');
}

int engine_plan_read(struct engine *engine, const char *path, struct value *ret_saved,
                     struct err *err)
{
	struct tree_file file;
	struct value document;

	if (worker_read_file(engine->worker, path, self_is_root(), SAVED_MOST, engine->arena, &file,
	                     err) ||
	    json_parse(file.text, file.length, path, engine->arena, &document, err)) {
		return err->code == ERR_INPUT && err->at.file ? err_wrap(err, "not a whole saved plan")
		                                              : -(int)err->code;
	}
	const struct value *content = value_get(&document, "content");
	const char *digest = value_text(&document, "digest");

	if (value_number(&document, "reconcile_plan", 0) != FORMAT_VERSION || !content || !digest) {
		return err_at(
		    err, ERR_INPUT, (struct pos){.file = path},
		    "not a saved plan of this version: expected what `reconcile plan -o FILE` writes");
	}
	if (strcmp(digest_value(content).hex, digest) != 0) {
		return err_at(err, ERR_INPUT, (struct pos){.file = path},
		              "this saved plan was touched or damaged: its digest does not hold");
	}
	*ret_saved = *content;
	return 0;
}

static int stale(const char *what, struct err *err)
{
	return err_set(err, ERR_INPUT, 0,
	               "the saved plan is stale: %s moved since it was made; plan again", what);
}

/* The id of the first change in which the two lists differ. */
static const char *first_unlike(const struct value *saved, const struct value *now)
{
	size_t i = 0;

	while (i < saved->count && i < now->count && value_equal(&saved->items[i], &now->items[i])) {
		i++;
	}
	const struct value *change = i < saved->count ? &saved->items[i] : &now->items[i];
	const char *id = value_text(change, "id");

	return id ? id : "a change";
}

int saved_check(struct engine *engine, const struct value *saved, const struct plan *now,
                struct err *err)
{
	/* Policies of the tree count as part of it, too: they are named first. */
	static const struct {
		const char *key, *what;
	} parts[] = {
	    {"node", "the node"},          {"boot_id", "the boot (the node was rebooted)"},
	    {"policies", "a policy"},      {"tree", "the desired state"},
	    {"facts", "the node's state"},
	};
	const struct value *basis = value_get(saved, "basis"), *changes = value_get(saved, "changes");
	struct value fresh = basis_of(engine->arena, now);
	struct value fresh_changes = changes_of(engine->arena, now);

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (!text_equal(value_text(basis, parts[i].key), value_text(&fresh, parts[i].key))) {
			return stale(parts[i].what, err);
		}
	}
	if (!changes || changes->type != VALUE_LIST) {
		return err_set(err, ERR_INPUT, 0, "the saved plan has no list of changes");
	}
	if (!value_equal(changes, &fresh_changes)) {
		return err_set(err, ERR_INPUT, 0,
		               "the saved plan is not what would be done now: %s differs (another --only, "
		               "--allow or no terminal?); plan again",
		               first_unlike(changes, &fresh_changes));
	}
	return 0;
}
