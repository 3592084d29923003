// SPDX-License-Identifier: MIT
/* See next_boot.h. */
#include "engine/next_boot.h"

#include "base/str.h"
#include "model/resource.h"

#include <stdio.h>
#include <string.h>

/* ---- What is wanted ---- */

static struct next_boot_want *want_of(struct arena *arena, struct next_boot_wants *wants,
                                      const char *module)
{
	for (size_t i = 0; i < wants->count; i++) {
		if (strcmp(wants->list[i].module, module) == 0) {
			return &wants->list[i];
		}
	}
	wants->list = arena_grow(arena, wants->list, wants->count, &wants->cap, sizeof *wants->list);
	wants->list[wants->count] = (struct next_boot_want){.module = module};
	return &wants->list[wants->count++];
}

void next_boot_wants_add(struct arena *arena, struct next_boot_wants *wants, const char *module,
                         const char *target)
{
	struct next_boot_want *want = want_of(arena, wants, module);

	if (!target) {
		want->wanted = true;
		return;
	}
	want->mounts = arena_grow(arena, (void *)want->mounts, want->mount_count, &want->mount_cap,
	                          sizeof *want->mounts);
	want->mounts[want->mount_count++] = target;
}

const char *next_boot_module_of(const char *type)
{
	static const char *const types[] = {"lustre", "beegfs"}; /* named as their modules are */

	for (size_t i = 0; type && i < ARRAY_LEN(types); i++) {
		if (strcmp(types[i], type) == 0) {
			return types[i];
		}
	}
	return NULL;
}

static bool is_absent(const struct value *entry)
{
	return text_equal(value_text(entry, "state"), "absent");
}

/* "skip": the node does without it on a kernel that it cannot be built for. */
static bool is_dispensable(const struct value *module)
{
	return text_equal(value_text(module, "unsupported"), "skip");
}

/* The entry of `modules` that brings a file system type; policies/lib/kernels.lua has the same. */
static const struct value_entry *module_by_type(const struct value *modules, const char *type)
{
	for (size_t i = 0; modules && modules->type == VALUE_MAP && i < modules->count; i++) {
		const struct value_entry *entry = &modules->entries[i];
		const char *registers = value_text(&entry->value, "filesystem");

		if (text_equal(registers ? registers : entry->key, type)) {
			return entry;
		}
	}
	return NULL;
}

void next_boot_wants_of(struct arena *arena, const struct value *state,
                        struct next_boot_wants *ret_wants)
{
	const struct value *modules = value_get(state, "modules"), *mounts = value_get(state, "mounts");

	*ret_wants = (struct next_boot_wants){0};
	for (size_t i = 0; modules && modules->type == VALUE_MAP && i < modules->count; i++) {
		const struct value_entry *entry = &modules->entries[i];

		if (!is_absent(&entry->value) && !is_dispensable(&entry->value)) {
			next_boot_wants_add(arena, ret_wants, entry->key, NULL);
		}
	}
	for (size_t i = 0; mounts && mounts->type == VALUE_MAP && i < mounts->count; i++) {
		const struct value_entry *mount = &mounts->entries[i];
		const char *type = value_text(&mount->value, "type");
		const struct value_entry *brings = module_by_type(modules, type);
		const char *module = brings ? brings->key : next_boot_module_of(type);

		if (module && !is_absent(&mount->value) &&
		    !(brings && (is_absent(&brings->value) || is_dispensable(&brings->value)))) {
			next_boot_wants_add(arena, ret_wants, module, mount->key);
		}
	}
}

/* ---- What would become of it ---- */

struct judging {
	struct arena *arena;
	struct fact_source *source;
	struct next_boot *next;
	size_t loss_cap;
	bool is_next;         /* it boots next; else that is only asked */
	struct str missing;   /* "no lustre module for it" */
	struct str doubtful;  /* "whether lustre loads under it cannot be told: ..." */
	const char **targets; /* that would be lost for certain */
	size_t target_count, target_cap;
};

static int look(struct judging *j, enum kind_id kind, const char *key,
                const struct resource **ret_fact, struct err *err)
{
	return j->source->get(j->source, &kind_table[kind], key, ret_fact, err);
}

static void add_loss(struct judging *j, const char *id, const char *verdict, const char *cause,
                     const char *reason)
{
	struct next_boot *next = j->next;

	next->losses =
	    arena_grow(j->arena, next->losses, next->loss_count, &j->loss_cap, sizeof *next->losses);
	next->losses[next->loss_count++] = (struct next_boot_loss){
	    .id = id,
	    .verdict = verdict,
	    .cause = cause,
	    .reason = reason,
	};
	next->lost += strcmp(verdict, "no") == 0;
}

static void add_clause(struct str *s, const char *clause)
{
	str_add(s, s->length ? "; " : "");
	str_add(s, clause);
}

static void lose_mounts(struct judging *j, const struct next_boot_want *want, const char *verdict,
                        const char *cause, const char *reason)
{
	for (size_t i = 0; i < want->mount_count; i++) {
		add_loss(j, arena_printf(j->arena, "mount:%s", want->mounts[i]), verdict, cause, reason);
		if (strcmp(verdict, "no") == 0) {
			j->targets = arena_grow(j->arena, (void *)j->targets, j->target_count, &j->target_cap,
			                        sizeof *j->targets);
			j->targets[j->target_count++] = want->mounts[i];
		}
	}
}

static const char *clause_of(struct judging *j, const char *module, const char *verdict,
                             const char *cause, const char *reason)
{
	if (strcmp(verdict, "no") != 0) {
		return arena_printf(j->arena, "whether %s loads under it cannot be told: %s", module,
		                    reason);
	}
	return text_equal(cause, "missing")
	           ? arena_printf(j->arena, "no %s module for it", module)
	           : arena_printf(j->arena, "%s would not load under it: %s", module, reason);
}

static int judge_module(struct judging *j, const struct next_boot_want *want, struct err *err)
{
	const char *key = arena_printf(j->arena, "%s@%s", want->module, j->next->release);
	const struct resource *fact;

	if (look(j, KIND_LOADABLE, key, &fact, err)) {
		return -(int)err->code;
	}
	const bool known = fact->state == STATE_PRESENT && fact->loadable.verdict;
	const char *verdict = known ? fact->loadable.verdict : "unproven";
	const char *cause = known ? fact->loadable.cause : "undetermined";
	const char *reason = known ? fact->loadable.reason : fact->why;

	if (strcmp(verdict, "yes") == 0) {
		return 0;
	}
	if (fact->state == STATE_ABSENT) {
		verdict = "no";
		cause = "missing";
	}
	reason = reason ? reason
	                : arena_printf(j->arena, "no %s module for %s", want->module, j->next->release);
	/* Without its helper a module loads, and only mount(8) fails. */
	if (!text_equal(cause, "no-helper")) {
		add_loss(j, arena_printf(j->arena, "module:%s", want->module), verdict, cause, reason);
	}
	lose_mounts(j, want, verdict, cause, reason);
	add_clause(strcmp(verdict, "no") == 0 ? &j->missing : &j->doubtful,
	           clause_of(j, want->module, verdict, cause, reason));
	return 0;
}

/* ---- Which kernel ---- */

static void find_release(struct judging *j, const struct resource *fact, const char *asked)
{
	const struct kernel *kernel = &fact->kernel;
	struct next_boot *next = j->next;

	if (fact->state == STATE_PRESENT) {
		next->running = kernel->running;
		next->once = kernel->boot_next && *kernel->boot_next;
		next->release = next->once ? kernel->boot_next : kernel->boot_default;
	}
	j->is_next = !asked || text_equal(asked, next->release);
	if (!j->is_next) {
		next->once = false;
	}
	next->release = asked ? asked : next->release;
	if (!next->release) {
		next->why = fact->state == STATE_UNDETERMINED
		                ? fact->why
		                : "the boot loader does not say, or cannot be read";
	}
}

static int look_at_entry(struct judging *j, struct err *err)
{
	struct next_boot *next = j->next;
	const struct resource *fact;

	if (look(j, KIND_BOOT_ENTRY, next->release, &fact, err)) {
		return -(int)err->code;
	}
	if (fact->state != STATE_PRESENT) {
		return 0; /* who brought it is not known, and no reason for alarm */
	}
	next->installed = fact->boot_entry.installed;
	next->brought = fact->boot_entry.brought;
	if (fact->boot_entry.incomplete) {
		add_loss(j, "kernel", "no", "incomplete", fact->boot_entry.incomplete);
		add_clause(&j->missing, arena_printf(j->arena, "it could not boot as it is: %s",
		                                     fact->boot_entry.incomplete));
	}
	return 0;
}

/* ---- The sentence ---- */

static void add_names(struct str *s, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		str_add(s, i == 0 ? "" : i + 1 == n ? " and " : ", ");
		str_add(s, names[i]);
	}
}

static void add_kernel(struct str *s, const struct judging *j)
{
	const struct next_boot *next = j->next;

	str_add(s, next->release);
	if (!j->is_next) {
		str_add(s, " is asked about");
	} else if (text_equal(next->release, next->running)) {
		str_add(s, next->once ? " is running and will boot next, once"
		                      : " is running and will boot next");
	} else {
		str_add(s, next->once ? " is installed and will boot next, once"
		                      : " is installed and will boot next");
	}
}

/* "2026-11-20T06:12:40Z": when, to the minute. */
static void add_moment(struct str *s, const char *stamp)
{
	if (strlen(stamp) >= strlen("2026-11-20T06:12") && stamp[10] == 'T') {
		str_addf(s, " at %.5s%s on %.10s", stamp + 11, text_ends(stamp, "Z") ? " UTC" : "", stamp);
	} else {
		str_addf(s, " at %s", stamp);
	}
}

static void add_culprit(struct str *s, const struct next_boot *next)
{
	if (!next->brought && !next->installed) {
		return;
	}
	str_add(s, "; brought in");
	if (next->brought) {
		str_addf(s, " by %s", next->brought);
	}
	if (next->installed) {
		add_moment(s, next->installed);
	}
}

static void add_whole(struct str *s, const struct next_boot_wants *wants)
{
	size_t targets = 0;

	str_add(s, "; ");
	for (size_t i = 0; i < wants->count; i++) {
		str_addf(s, "%s%s",
		         i == 0                  ? ""
		         : i + 1 == wants->count ? " and "
		                                 : ", ",
		         wants->list[i].module);
		targets += wants->list[i].mount_count;
	}
	str_add(s, wants->count == 1 ? " loads under it" : " load under it");
	str_add(s, targets ? ", and what needs it comes up" : "");
}

/* What becomes of the mounts. */
static const char *fate(const struct judging *j)
{
	if (!j->is_next) {
		return " would be lost under it";
	}
	return text_equal(j->next->release, j->next->running) ? " cannot come up under it"
	                                                      : " will be lost at the next reboot";
}

static const char *sentence(struct judging *j, const struct next_boot_wants *wants)
{
	AUTO(str_free) struct str s = {0};
	const struct next_boot *next = j->next;

	if (!next->release) {
		return arena_printf(j->arena, "what boots next cannot be told: %s", next->why);
	}
	add_kernel(&s, j);
	if (j->missing.length) {
		add_clause(&s, str_text(&j->missing));
	}
	if (j->target_count) {
		str_add(&s, "; ");
		add_names(&s, j->targets, j->target_count);
		str_add(&s, fate(j));
	}
	if (j->doubtful.length) {
		add_clause(&s, str_text(&j->doubtful));
	}
	if (next->loss_count) {
		add_culprit(&s, next);
	} else {
		add_whole(&s, wants);
	}
	return arena_strdup(j->arena, str_text(&s));
}

static int judge(struct judging *j, const struct next_boot_wants *wants, const char *release,
                 struct err *err)
{
	const struct resource *kernel;

	if (look(j, KIND_KERNEL, "", &kernel, err)) {
		return -(int)err->code;
	}
	find_release(j, kernel, release);
	if (j->next->release && look_at_entry(j, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; j->next->release && i < wants->count; i++) {
		if (judge_module(j, &wants->list[i], err)) {
			return -(int)err->code;
		}
	}
	j->next->sentence = sentence(j, wants);
	return 0;
}

int next_boot_judge(struct arena *arena, struct fact_source *source,
                    const struct next_boot_wants *wants, const char *release,
                    struct next_boot **ret, struct err *err)
{
	struct judging j = {.arena = arena, .source = source};

	*ret = NULL;
	if (!wants->count && !wants->kernel) {
		return 0;
	}
	j.next = arena_alloc(arena, sizeof *j.next);
	int r = judge(&j, wants, release, err);

	str_free(&j.missing);
	str_free(&j.doubtful);
	*ret = r || (!wants->count && !j.next->lost) ? NULL : j.next;
	return r;
}

void next_boot_remedy(struct arena *arena, struct next_boot *before, const struct next_boot *after)
{
	if (!before->lost || !after->release || after->lost) {
		return;
	}
	before->remedied = true;
	before->sentence =
	    text_equal(before->release, after->release)
	        ? arena_printf(arena, "%s; this plan puts that right", before->sentence)
	        : arena_printf(arena, "%s; this plan puts that right: %s will boot instead",
	                       before->sentence, after->release);
}
