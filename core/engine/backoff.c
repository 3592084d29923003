// SPDX-License-Identifier: MIT
/* See backoff.h. */
#include "engine/backoff.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/path.h"
#include "host/self.h"

#include <string.h>

enum { ERROR_MOST = 300, FILE_VERSION = 1 };

static const char *file_of(struct arena *arena, const char *run_dir)
{
	return path_join(arena, run_dir, "backoff.json");
}

/* ---- Reading ---- */

static void read_entry(struct backoff *b, const char *id, const struct value *v)
{
	int64_t failures = value_number(v, "failures", 0), next = value_number(v, "next_try", 0);
	const char *want = value_text(v, "want"), *error = value_text(v, "error");

	/* Further away than we ever put it: the clock is another one, or the file is wrong. */
	if (!want || !error || failures < 1 || failures > UINT32_MAX ||
	    next > clock_ms() + 2 * (int64_t)BACKOFF_MOST_MS) {
		return;
	}
	struct backoff_entry *entry = arena_alloc(b->arena, sizeof *entry);

	*entry = (struct backoff_entry){id, want, (unsigned)failures, error, next};
	strmap_put(b->entries, id, entry);
}

struct backoff *backoff_read(const char *run_dir, const char *boot_id, const char *node,
                             struct arena *arena)
{
	struct backoff *b = arena_alloc(arena, sizeof *b);
	const char *text = NULL;
	const struct value *list;
	struct value v;
	struct err err = {0};

	*b = (struct backoff){
	    .arena = arena,
	    .path = file_of(arena, run_dir),
	    .boot_id = boot_id,
	    .node = node ? node : "",
	    .base_ms = BACKOFF_BASE_MS,
	    .most_ms = BACKOFF_MOST_MS,
	    .now = clock_ms(),
	    .entries = strmap_create(arena),
	};
	if (self_state_read(b->path, arena, &text, &err) || !text ||
	    json_parse(text, strlen(text), b->path, arena, &v, &err) ||
	    value_number(&v, "version", 0) != FILE_VERSION ||
	    !text_equal(value_text(&v, "boot_id"), boot_id)) {
		return b;
	}
	list = value_get(&v, "resources");
	for (size_t i = 0; list && list->type == VALUE_MAP && i < list->count; i++) {
		read_entry(b, list->entries[i].key, &list->entries[i].value);
	}
	return b;
}

/* ---- When again ---- */

/* A fifth less up to a fifth more, by node, resource and count: nodes that fail together at one
 * server do not come back together. */
static int64_t spread(const struct backoff *b, const struct backoff_entry *entry, int64_t delay)
{
	const char *seed =
	    arena_printf(b->arena, "%s %s %s %u", b->node, b->boot_id, entry->id, entry->failures);
	struct digest digest = digest_bytes(seed, strlen(seed));
	int64_t part = 0; /* 0 to 65535 */

	for (size_t i = 0; i < 4; i++) {
		char c = digest.hex[i];

		part = part * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return delay - delay / 5 + delay * 2 / 5 * part / 65535;
}

static int64_t delay_after(const struct backoff *b, const struct backoff_entry *entry)
{
	int64_t delay = b->base_ms;

	for (unsigned i = 1; i < entry->failures && delay < b->most_ms; i++) {
		delay *= 2;
	}
	/* So that the longest, too, are spread and none is longer. */
	return spread(b, entry, delay < b->most_ms * 5 / 6 ? delay : b->most_ms * 5 / 6);
}

static const char *digest_of(struct arena *arena, const struct resource *want)
{
	struct value v = resource_to_value(arena, want);

	value_seal(&v);
	return arena_strdup(arena, digest_value(&v).hex);
}

/* The entry that speaks of just this wish, or NULL. */
static struct backoff_entry *find(const struct backoff *b, struct arena *arena,
                                  const struct step *step)
{
	struct backoff_entry *entry = strmap_get(b->entries, step->id);

	return entry && entry->failures && strcmp(entry->want, digest_of(arena, step->want)) == 0
	           ? entry
	           : NULL;
}

static const struct retry *retry_of(struct arena *arena, const struct backoff_entry *entry,
                                    int64_t now)
{
	struct retry *retry = arena_alloc(arena, sizeof *retry);
	int64_t left = entry->next_try > now ? entry->next_try - now : 0;

	/* To the second that is not before it. */
	*retry = (struct retry){entry->failures, entry->error, clock_now() + (left + 999) / 1000};
	return retry;
}

void backoff_gate(const struct backoff *backoff, struct arena *arena, struct step *step)
{
	const struct backoff_entry *entry = find(backoff, arena, step);

	if (!entry) {
		return;
	}
	step->retry = retry_of(arena, entry, backoff->now);
	if (!backoff->holds || entry->next_try <= backoff->now) {
		return;
	}
	AUTO(str_free) struct str text = {0};

	retry_text(&text, step->retry, clock_now());
	step->outcome = OUTCOME_BLOCKED;
	step->why = arena_strdup(arena, str_text(&text));
}

/* ---- Learning ---- */

static void count_failure(struct backoff *b, struct step *step, int64_t now)
{
	struct backoff_entry *entry = find(b, b->arena, step);
	AUTO(str_free) struct str error = {0};

	if (!entry) {
		entry = arena_alloc(b->arena, sizeof *entry);
		entry->id = step->id;
		entry->want = digest_of(b->arena, step->want);
		strmap_put(b->entries, entry->id, entry);
	}
	str_add_printable(&error, step->why ? step->why : "it failed", ERROR_MOST);
	entry->error = arena_strdup(b->arena, str_text(&error));
	entry->failures++;
	entry->next_try = now + delay_after(b, entry);
	step->retry = retry_of(b->arena, entry, now);
	b->changed = true;
}

void backoff_learn(struct backoff *backoff, struct step *step, bool tried, int64_t now)
{
	struct backoff_entry *entry = strmap_get(backoff->entries, step->id);

	switch (step->outcome) {
	case OUTCOME_FAILED:
		if (tried) {
			count_failure(backoff, step, now);
		}
		break;
	case OUTCOME_KEPT:
	case OUTCOME_CHANGED:
	case OUTCOME_PENDING:
		if (entry && entry->failures) {
			entry->failures = 0;
			backoff->changed = true;
		}
		break;
	default:
		break;
	}
}

static struct value entry_value(struct arena *arena, const struct backoff_entry *entry)
{
	struct value v = value_map();

	value_put(arena, &v, "error", value_string(entry->error));
	value_put(arena, &v, "failures", value_int(entry->failures));
	value_put(arena, &v, "next_try", value_int(entry->next_try));
	value_put(arena, &v, "want", value_string(entry->want));
	return v;
}

int backoff_write(struct backoff *backoff, const struct plan *plan, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	AUTO(str_free) struct str text = {0};
	struct value v = value_map(), list = value_map();
	struct strmap *wanted = strmap_create(arena);

	if (!backoff->changed) {
		return 0;
	}
	for (size_t i = 0; i < plan->step_count; i++) {
		strmap_put(wanted, plan->steps[i].id, &plan->steps[i]);
	}
	for (size_t i = 0; i < strmap_count(backoff->entries); i++) {
		const struct backoff_entry *entry = strmap_value(backoff->entries, i);

		if (entry->failures && strmap_get(wanted, entry->id)) {
			value_put(arena, &list, entry->id, entry_value(arena, entry));
		}
	}
	if (!list.count) {
		return self_state_remove(backoff->path, err);
	}
	value_put(arena, &v, "boot_id", value_string(backoff->boot_id));
	value_put(arena, &v, "resources", list);
	value_put(arena, &v, "version", value_int(FILE_VERSION));
	value_seal(&v);
	json_print(&text, &v, 1);
	str_addc(&text, '\n');
	return self_state_write(backoff->path, str_text(&text), text.length, err);
}

int64_t backoff_earliest(const struct backoff *backoff, int64_t now)
{
	int64_t earliest = 0;

	for (size_t i = 0; i < strmap_count(backoff->entries); i++) {
		const struct backoff_entry *entry = strmap_value(backoff->entries, i);

		if (entry->failures && entry->next_try > now && (!earliest || entry->next_try < earliest)) {
			earliest = entry->next_try;
		}
	}
	return earliest;
}

int backoff_forget(const char *run_dir, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();

	return self_state_remove(file_of(arena, run_dir), err);
}
