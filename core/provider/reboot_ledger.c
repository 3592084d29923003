// SPDX-License-Identifier: MIT
/* See reboot_ledger.h. */
#include "provider/reboot_ledger.h"

#include "base/json.h"
#include "base/str.h"

#include <string.h>

/* How long the node may take to go down: once the command was carried out, when it is not known
 * whether it was (a crash), and when the scheduler waits for jobs to end. */
enum { VERSION = 1, DAY = 24 * 3600, GOES_DOWN = 900, CUT_OFF = 120, DRAINS = 7 * DAY };

static const char version_key[] = "reconcile_reboots";

static int damaged(struct err *err)
{
	return err_set(err, ERR_INPUT, 0, "the ledger of reboots is damaged");
}

static int take_entry(const struct value *item, struct reboot_entry *ret_entry, struct err *err)
{
	struct reboot_entry entry = {
	    .boot_id = value_text(item, "boot_id"),
	    .from = value_text(item, "from"),
	    .into = value_text(item, "into"),
	    .how = value_text(item, "how"),
	    .at = value_number(item, "at", -1),
	    .uptime = value_number(item, "uptime", 0),
	    .trial = value_truth(item, "trial", false),
	    .renew = value_text(item, "renew"),
	    .asked = value_truth(item, "asked", false),
	    .result = value_text(item, "result"),
	    .resumed = value_truth(item, "resumed", false),
	    .runs = value_number(item, "runs", 0),
	};

	if (!entry.boot_id || !entry.from || !entry.into || !entry.how || entry.at < 0) {
		return damaged(err);
	}
	*ret_entry = entry;
	return 0;
}

int reboot_ledger_parse(const char *text, size_t n, struct arena *arena,
                        struct reboot_ledger *ret_ledger, struct err *err)
{
	struct reboot_ledger ledger = {0};
	const struct value *list;
	struct value document;
	struct err fault;

	if (json_parse(text, n, "the ledger of reboots", arena, &document, &fault)) {
		return damaged(err);
	}
	list = value_get(&document, "reboots");
	if (!list || list->type != VALUE_LIST || list->count > REBOOT_ENTRIES) {
		return damaged(err);
	}
	if (value_number(&document, version_key, 0) != VERSION) {
		return err_set(err, ERR_INPUT, 0, "the ledger of reboots is of another version");
	}
	for (size_t i = 0; i < list->count; i++) {
		if (take_entry(&list->items[i], &ledger.list[i], err)) {
			return -(int)err->code;
		}
	}
	ledger.count = list->count;
	*ret_ledger = ledger;
	return 0;
}

static struct value entry_value(struct arena *arena, const struct reboot_entry *entry)
{
	struct value map = value_map();

	value_put(arena, &map, "boot_id", value_string(entry->boot_id));
	value_put(arena, &map, "from", value_string(entry->from));
	value_put(arena, &map, "into", value_string(entry->into));
	value_put(arena, &map, "how", value_string(entry->how));
	value_put(arena, &map, "at", value_int(entry->at));
	value_put(arena, &map, "uptime", value_int(entry->uptime));
	value_put(arena, &map, "trial", value_bool(entry->trial));
	value_put(arena, &map, "renew", value_string(entry->renew));
	value_put(arena, &map, "asked", value_bool(entry->asked));
	value_put(arena, &map, "result", value_string(entry->result));
	value_put(arena, &map, "resumed", value_bool(entry->resumed));
	value_put(arena, &map, "runs", value_int(entry->runs));
	return map;
}

const char *reboot_ledger_text(struct arena *arena, const struct reboot_ledger *ledger)
{
	struct value document = value_map(), list = value_list();
	AUTO(str_free) struct str text = {0};

	for (size_t i = 0; i < ledger->count; i++) {
		value_append(arena, &list, entry_value(arena, &ledger->list[i]));
	}
	value_put(arena, &document, version_key, value_int(VERSION));
	value_put(arena, &document, "reboots", list);
	value_seal(&document);
	json_print(&text, &document, 1);
	str_addc(&text, '\n');
	return arena_strdup(arena, str_text(&text));
}

void reboot_ledger_add(struct reboot_ledger *ledger, const struct reboot_entry *entry)
{
	if (ledger->count == REBOOT_ENTRIES) {
		ledger->count--;
		memmove(&ledger->list[0], &ledger->list[1], ledger->count * sizeof ledger->list[0]);
	}
	ledger->list[ledger->count++] = *entry;
}

const struct reboot_entry *reboot_ledger_open(const struct reboot_ledger *ledger)
{
	const struct reboot_entry *last = ledger->count ? &ledger->list[ledger->count - 1] : NULL;

	return last && (!last->result || (last->trial && text_equal(last->result, REBOOT_ARRIVED)) ||
	                text_equal(last->result, REBOOT_CAME_BACK))
	           ? last
	           : NULL;
}

/* Nothing came of it as far as its own boot tells. */
static bool is_unproved(const struct reboot_entry *entry)
{
	return !entry->result || strcmp(entry->result, REBOOT_FAILED) == 0;
}

/* Of several that failed in one boot only the last can have been what ended it. */
static bool is_last_of_its_boot(const struct reboot_ledger *ledger, size_t n)
{
	return n + 1 == ledger->count ||
	       strcmp(ledger->list[n].boot_id, ledger->list[n + 1].boot_id) != 0;
}

/* How long a node may take to go down for it. */
static int64_t goes_down_within(const struct reboot_entry *entry)
{
	return strcmp(entry->how, "slurm") == 0 ? DRAINS : GOES_DOWN;
}

/* A command says that it failed also when it was killed as the machine went down, or gave up
 * waiting for an answer to what was accepted: the boot that follows knows better. */
static bool is_final(const struct reboot_ledger *ledger, size_t n, const struct reboot_boot *boot)
{
	const struct reboot_entry *entry = &ledger->list[n];

	return text_equal(entry->result, REBOOT_FAILED) &&
	       (!is_last_of_its_boot(ledger, n) || boot->began - entry->at > goes_down_within(entry));
}

static const char *result_of(const struct reboot_entry *entry, const struct reboot_boot *boot)
{
	bool is_there = strcmp(entry->into, boot->running) == 0;

	if (is_unproved(entry)) {
		return is_there ? REBOOT_ARRIVED : REBOOT_CAME_BACK;
	}
	if (entry->trial && strcmp(entry->result, REBOOT_ARRIVED) == 0) {
		/* Started once: without having become the default the next boot leaves it again. */
		return !is_there                                     ? REBOOT_CAME_BACK
		       : text_equal(boot->boot_default, entry->into) ? REBOOT_KEPT
		                                                     : REBOOT_ARRIVED;
	}
	return entry->result;
}

bool reboot_ledger_settle(struct reboot_ledger *ledger, const struct reboot_boot *boot)
{
	bool noted = false;

	for (size_t i = 0; i < ledger->count; i++) {
		struct reboot_entry *entry = &ledger->list[i];
		const char *before = entry->result;

		if (is_unproved(entry)) {
			if (strcmp(entry->boot_id, boot->id) == 0 || is_final(ledger, i, boot)) {
				continue;
			}
			entry->asked = true;
			entry->result = result_of(entry, boot);
		}
		/* Also of one just settled: a trial may have arrived and been decided since the last
		 * look. */
		entry->result = result_of(entry, boot);
		noted |= !text_equal(before, entry->result);
	}
	return noted;
}

bool reboot_ledger_is_awaited(const struct reboot_entry *entry, int64_t uptime)
{
	return uptime - entry->uptime < (entry->asked ? goes_down_within(entry) : CUT_OFF);
}

static bool went_well(const struct reboot_entry *entry)
{
	return text_equal(entry->result, REBOOT_KEPT) ||
	       (!entry->trial && text_equal(entry->result, REBOOT_ARRIVED));
}

int64_t reboot_ledger_attempts(const struct reboot_ledger *ledger, const char *into,
                               const char *renew)
{
	int64_t attempts = 0;

	for (size_t i = 0; i < ledger->count; i++) {
		const struct reboot_entry *entry = &ledger->list[i];

		if (strcmp(entry->into, into) == 0 && text_equal(entry->renew, renew) &&
		    !text_equal(entry->result, REBOOT_FAILED)) {
			attempts = !renew && went_well(entry) ? 0 : attempts + 1;
		}
	}
	return attempts;
}

const struct reboot_entry *reboot_ledger_drained(const struct reboot_ledger *ledger,
                                                 const char *running)
{
	const struct reboot_entry *last = ledger->count ? &ledger->list[ledger->count - 1] : NULL;

	return last && !last->resumed && last->asked && strcmp(last->how, "slurm") == 0 &&
	               strcmp(last->into, running) == 0 &&
	               (text_equal(last->result, REBOOT_ARRIVED) ||
	                text_equal(last->result, REBOOT_KEPT))
	           ? last
	           : NULL;
}

void reboot_ledger_resume(struct reboot_ledger *ledger)
{
	if (ledger->count) {
		ledger->list[ledger->count - 1].resumed = true;
	}
}

int64_t reboot_ledger_last_day(const struct reboot_ledger *ledger, int64_t now)
{
	int64_t count = 0;

	for (size_t i = 0; i < ledger->count; i++) {
		count +=
		    ledger->list[i].at > now - DAY && !text_equal(ledger->list[i].result, REBOOT_FAILED);
	}
	return count;
}

bool reboot_ledger_count_run(struct reboot_ledger *ledger)
{
	struct reboot_entry *last = ledger->count ? &ledger->list[ledger->count - 1] : NULL;

	if (!last || !last->trial || !last->result || strcmp(last->result, REBOOT_ARRIVED) != 0) {
		return false;
	}
	last->runs++;
	return true;
}
