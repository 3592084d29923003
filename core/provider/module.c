// SPDX-License-Identifier: MIT
/*
 * Kind module: what the kernel has loaded or built in, and what it could load. A loaded module is
 * never exchanged: one that is older than its file, or has other parameters, waits for a reboot.
 * Nothing that is in use is unloaded, and no file system at all: a mount that was lazily detached
 * would hang it for ever. What could not load is blocked with the reason, told from its files.
 */
#include "base/str.h"
#include "model/setting.h"
#include "provider/lines.h"
#include "provider/module_change.h"
#include "provider/module_closed.h"
#include "provider/module_verdict.h"
#include "provider/table.h"

#include <errno.h>
#include <string.h>

static struct truth truth_of(bool value)
{
	return (struct truth){.set = true, .value = value};
}

/* ---- Observe ---- */

/* Why it could not be loaded by its name, and whether depmod must run before. */
static int look_at_loading(struct host *host, const char *key, struct arena *arena,
                           struct module *fact, struct err *err)
{
	struct host_loadable found;

	if (module_closed_why(host, arena, &fact->obstacle, err)) {
		return -(int)err->code;
	}
	if (fact->obstacle) {
		return 0;
	}
	if (host->ops->loadable(host, key, NULL, &found, err)) {
		return -(int)err->code;
	}
	struct module_verdict verdict = module_verdict(arena, key, &found);

	if (module_verdict_stops(&verdict) || (found.file.packed && found.index_fault)) {
		fact->obstacle = verdict.reason;
	}
	fact->needs_depmod = truth_of(found.index_fault != NULL);
	return 0;
}

/* Why it may not be unloaded. */
static const char *unload_obstacle(struct arena *arena, const struct host_module *module)
{
	if (module->builtin) {
		return "it is part of the kernel image";
	}
	if (module->filesystem) {
		return arena_printf(arena,
		                    "it is the file system %s, and none is ever unloaded here: a reboot "
		                    "without it is needed",
		                    module->filesystem);
	}
	if (!module->file) {
		return "its file is gone: whether it is a file system cannot be told";
	}
	if (module->holders.count) {
		return arena_printf(arena, "the module %s uses it", module->holders.items[0]);
	}
	if (!module->users.set || module->users.value) {
		return module->users.set
		           ? arena_printf(arena, "it is in use, %lld times", (long long)module->users.value)
		           : "the running kernel does not unload modules";
	}
	return NULL;
}

static const char *listed(struct arena *arena, const struct list *list)
{
	AUTO(str_free) struct str text = {0};

	for (size_t i = 0; i < list->count; i++) {
		str_addf(&text, "%s%s", i ? ", " : "", list->items[i]);
	}
	return list->count ? arena_strdup(arena, str_text(&text)) : "none";
}

/* Taken by the module loader itself, for every module (kernel/module/main.c). */
static bool is_of_loader(const char *setting)
{
	return text_starts(setting, "dyndbg=") || text_starts(setting, "async_probe=");
}

/* The kernel passes over a parameter that a module does not have, and says so in its log only. */
static const char *unknown_parameter(struct arena *arena, const struct host_module *module,
                                     const struct resource *want)
{
	for (size_t i = 0; module->settings.set && i < want->module.parameters.count; i++) {
		const char *wanted = want->module.parameters.items[i];

		if (!is_of_loader(wanted) && !setting_find(&module->settings, wanted)) {
			return arena_printf(arena, "it has no parameter %.*s; it has %s",
			                    (int)strcspn(wanted, "="), wanted,
			                    listed(arena, &module->settings));
		}
	}
	return NULL;
}

static bool differ(const char *loaded, const char *file)
{
	return loaded && file && strcmp(loaded, file) != 0;
}

/* By whichever mark both have. Without any it cannot be told, and nothing is said. */
static const char *outdated(struct arena *arena, const struct host_module *module)
{
	if (!module->loaded || module->builtin || !module->file) {
		return NULL;
	}
	if (differ(module->version, module->file_version)) {
		return arena_printf(arena, "%s is loaded, another module (%s) is on disk", module->version,
		                    module->file_version);
	}
	if (differ(module->srcversion, module->file_srcversion)) {
		return arena_printf(arena,
		                    "it was loaded from other sources (%s) than the file on disk (%s)",
		                    module->srcversion, module->file_srcversion);
	}
	if (differ(module->build_id, module->file_build_id)) {
		return arena_printf(arena,
		                    "it was loaded from another build (%.12s) than the file on disk "
		                    "(%.12s)",
		                    module->build_id, module->file_build_id);
	}
	return NULL;
}

static void take(struct arena *arena, const struct host_module *module, struct module *fact)
{
	fact->loaded = truth_of(module->loaded);
	fact->builtin = truth_of(module->builtin);
	fact->version = module->version;
	fact->parameters = module->parameters;
	fact->file = module->file;
	fact->file_version = module->file_version;
	fact->outdated = outdated(arena, module);
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_MODULE], key);
	bool unloads = want && module_change_unloads(want);
	bool whole = unloads || (want && (want->module.blacklisted.set || want->module.parameters.set));
	struct module *fact = &have->module;
	struct host_module module;

	if (host->ops->module(host, key, whole, &module, err)) {
		return -(int)err->code;
	}
	have->state = module.exists ? STATE_PRESENT : STATE_ABSENT;
	if (!module.loaded && look_at_loading(host, key, arena, fact, err)) {
		return -(int)err->code;
	}
	if (module.exists) {
		take(arena, &module, fact);
	}
	if (module.loaded && unloads) {
		fact->obstacle = unload_obstacle(arena, &module);
	}
	if (!fact->obstacle && want && !module.builtin) {
		fact->obstacle = unknown_parameter(arena, &module, want);
	}
	if (module.is_whole) {
		fact->blacklisted = truth_of(module.blacklisted);
		fact->blacklisted_by = module.blacklisted && !module.blacklisted_by
		                           ? "the kernel's command line"
		                           : module.blacklisted_by;
		fact->options = module.options;
	}
	*ret_have = resource_copy(arena, have); /* its texts may be the host's */
	return 0;
}

static int list(struct host *host, struct arena *arena, struct keys *ret_keys, struct err *err)
{
	char *text;

	if (lines_read(host, "/proc/modules", arena, &text, err)) {
		return -(int)err->code;
	}
	for (char *line; (line = lines_next(&text));) {
		const char *name = lines_word(&line);

		if (name) {
			keys_add(arena, ret_keys, name);
		}
	}
	return 0;
}

/* ---- Rules and diff ---- */

static int check(const struct resource *want, struct err *err)
{
	const struct list *parameters = &want->module.parameters;

	for (size_t i = 0; i < parameters->count; i++) {
		if (strpbrk(parameters->items[i], "\"'#\\")) {
			return err_set(err, ERR_INPUT, 0,
			               "parameters: %s: no quotes, # or \\, which modprobe.d would take "
			               "apart",
			               parameters->items[i]);
		}
	}
	if (parameters->count && module_change_unloads(want)) {
		return err_set(err, ERR_INPUT, 0, "a module that is not to be loaded has no parameters");
	}
	return 0;
}

struct judging {
	struct arena *arena;
	const struct resource *want, *have;
	struct verdict *verdict;
	bool can; /* something can be done now */
};

/* The first reason counts; blocked over pending. */
static void stop(struct judging *j, enum outcome outcome, const char *why)
{
	struct verdict *verdict = j->verdict;

	if (verdict->outcome == OUTCOME_BLOCKED ||
	    (verdict->outcome == OUTCOME_PENDING && outcome == OUTCOME_PENDING)) {
		return;
	}
	verdict->outcome = outcome;
	verdict->why = why;
}

/* Would it be as wanted, were the file on disk loaded? */
static bool is_right_once_loaded(const struct judging *j)
{
	struct resource *after = resource_copy(j->arena, j->have);

	after->module.version = after->module.file_version;
	return compare_field(field_find(after->kind->fields, after->kind->field_count, "version"),
	                     j->want, after);
}

static void judge_loading(struct judging *j)
{
	const struct module *w = &j->want->module, *h = &j->have->module;

	if (h->obstacle) {
		stop(j, OUTCOME_BLOCKED, h->obstacle);
	} else if (h->blacklisted.value && !w->blacklisted.set) {
		stop(j, OUTCOME_BLOCKED,
		     arena_printf(j->arena,
		                  "it is blacklisted by %s; blacklisted: true would load it all the same, "
		                  "by its name",
		                  h->blacklisted_by));
	} else if (h->file && !is_right_once_loaded(j)) {
		stop(j, OUTCOME_BLOCKED,
		     arena_printf(j->arena, "its file has the version %s, wanted is %s",
		                  h->file_version ? h->file_version : "that it does not tell", w->version));
	} else {
		j->can = true;
	}
	if (h->needs_depmod.value) {
		differences_add(j->arena, &j->verdict->differences, "index", "does not know it",
		                "made by depmod");
	}
}

static void judge_unloading(struct judging *j)
{
	if (j->have->module.obstacle) {
		stop(j, OUTCOME_BLOCKED, j->have->module.obstacle);
	} else {
		j->can = true;
	}
}

static bool is_old(const struct module *have)
{
	return have->outdated || (have->loaded.value && !have->builtin.value &&
	                          differ(have->version, have->file_version));
}

static void judge_loaded(struct judging *j)
{
	const struct module *w = &j->want->module, *h = &j->have->module;
	bool matches = compare_field(
	    field_find(j->want->kind->fields, j->want->kind->field_count, "version"), j->want, j->have);

	if (is_old(h) && is_right_once_loaded(j)) {
		j->verdict->marks |= MARK_NEEDS_REBOOT;
		stop(j, OUTCOME_PENDING,
		     arena_printf(j->arena, "%s: a reboot is needed",
		                  h->outdated ? h->outdated
		                              : arena_printf(j->arena,
		                                             "%s is loaded, another module (%s) is on disk",
		                                             h->version, h->file_version)));
	} else if (!matches) {
		stop(j, OUTCOME_BLOCKED,
		     arena_printf(j->arena, "version %s is loaded, and %s is not on disk either",
		                  h->version ? h->version : "(none)", w->version));
	}
}

/* Of those that can be seen; some parameters may not be read by anybody. */
static void compare_parameters(struct judging *j)
{
	const struct module *w = &j->want->module, *h = &j->have->module;

	if (w->parameters.count && h->obstacle) {
		stop(j, OUTCOME_BLOCKED, h->obstacle);
	}
	for (size_t i = 0; i < w->parameters.count; i++) {
		const char *wanted = w->parameters.items[i];
		const char *now = setting_find(&h->parameters, wanted);

		if (h->loaded.value && now && !setting_agrees(wanted, now)) {
			differences_add(j->arena, &j->verdict->differences, "parameters", now, wanted);
			if (h->builtin.value) {
				stop(j, OUTCOME_BLOCKED,
				     "it is part of the kernel image: its parameters stand on the kernel's command "
				     "line");
			} else {
				j->verdict->marks |= MARK_NEEDS_REBOOT;
				stop(j, OUTCOME_PENDING, "it is loaded with other parameters: a reboot is needed");
			}
		}
	}
	if (w->parameters.count && h->options.set && !h->builtin.value &&
	    !module_change_is_configured(&w->parameters, &h->options)) {
		for (size_t i = 0; i < w->parameters.count; i++) {
			differences_add(j->arena, &j->verdict->differences, "options",
			                setting_find(&h->options, w->parameters.items[i]),
			                w->parameters.items[i]);
		}
		j->can = true;
	}
}

static void judge_blacklist(struct judging *j)
{
	const struct truth *w = &j->want->module.blacklisted, *h = &j->have->module.blacklisted;
	const char *by = j->have->module.blacklisted_by;
	const char *ours = module_change_dropin(j->arena, j->want->key);

	if (!w->set || w->value == h->value) {
		return;
	}
	if (!w->value && !(by && text_starts(by, ours))) {
		stop(j, OUTCOME_BLOCKED, arena_printf(j->arena, "%s blacklists it", by ? by : "somebody"));
	} else {
		j->can = true;
	}
}

/* Parameters are compared apart: the kernel writes them in its own way. One of which there is no
 * file can still be blacklisted or not. */
static void find_differences(struct judging *j)
{
	struct resource *rest = resource_copy(j->arena, j->want);
	struct resource *have = resource_copy(j->arena, j->have);

	rest->module.parameters = (struct list){0};
	have->state = STATE_PRESENT;
	compare_resources(j->arena, rest, have, &j->verdict->differences);
}

static void judge_present(struct judging *j)
{
	const struct module *w = &j->want->module, *h = &j->have->module;

	find_differences(j);
	if (w->loaded.set && w->loaded.value && !h->loaded.value) {
		judge_loading(j);
	} else if (w->loaded.set && !w->loaded.value && h->loaded.value) {
		judge_unloading(j);
	} else if (h->loaded.value) {
		judge_loaded(j);
	}
	compare_parameters(j);
	judge_blacklist(j);
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *verdict)
{
	struct judging j = {.arena = arena, .want = want, .have = have, .verdict = verdict};

	if (want->state == STATE_PRESENT) {
		judge_present(&j);
	} else if (have->module.loaded.value) {
		/* Wanted absent means: not in the kernel. The file belongs to a package. */
		differences_add(arena, &verdict->differences, "state",
		                have->module.builtin.value ? "built in" : "loaded", "absent");
		judge_unloading(&j);
	}
	/* What can be done is done first, and what then still waits is said afterwards. */
	if (j.can && verdict->outcome != OUTCOME_BLOCKED) {
		verdict->outcome = OUTCOME_CHANGE;
		verdict->why = NULL;
		verdict->marks = 0;
		verdict->action = want->state == STATE_ABSENT   ? ACTION_REMOVE
		                  : have->state == STATE_ABSENT ? ACTION_CREATE
		                                                : ACTION_UPDATE;
	}
}

/* ---- Predict ---- */

static const struct resource *predict(struct arena *arena, const struct change *change,
                                      bool *ret_exact)
{
	struct resource *after = resource_copy(arena, change->have);
	const struct module *w = &change->want->module;
	struct module *m = &after->module;
	bool unloads = module_change_unloads(change->want);

	(void)ret_exact;
	after->state = STATE_PRESENT;
	m->obstacle = NULL;
	if (unloads) {
		m->loaded = truth_of(false);
		m->version = m->outdated = NULL;
		m->parameters = (struct list){0};
	} else if (w->loaded.set && !m->loaded.value) {
		m->loaded = truth_of(true);
		m->needs_depmod = (struct truth){0};
		m->version = m->file_version;
		m->parameters = w->parameters;
	}
	if (w->parameters.set) {
		m->options = w->parameters;
	}
	if (w->blacklisted.set) {
		m->blacklisted = w->blacklisted;
		m->blacklisted_by =
		    w->blacklisted.value ? module_change_dropin(arena, change->want->key) : NULL;
	}
	return after;
}

const struct provider provider_module = {
    .kind = KIND_MODULE,
    .timeout_ms = 120000,
    .check = check,
    .observe = observe,
    .list = list,
    .diff = diff,
    .apply = module_change_apply,
    .predict = predict,
};
