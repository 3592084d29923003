// SPDX-License-Identifier: MIT
/* See doctor.h: kernels, modules, rivals, and what it all comes to. */
#include "engine/doctor_inner.h"

#include "base/path.h"
#include "engine/next_boot.h"
#include "host/self.h"

#include <string.h>

/* Installed kernels beside those that matter, which are looked at when one of these lacks a module.
 */
enum { OTHERS_MOST = 4 };

const char *doctor_health_name(enum doctor_health health)
{
	static const char *const names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

	return names[health];
}

enum doctor_health doctor_worse(enum doctor_health a, enum doctor_health b)
{
	static const int weights[] = {
	    [DOCTOR_OK] = 0, [DOCTOR_UNKNOWN] = 1, [DOCTOR_WARNING] = 2, [DOCTOR_CRITICAL] = 3};

	return weights[a] >= weights[b] ? a : b;
}

const char *doctor_standing_name(enum doctor_standing standing)
{
	static const char *const names[] = {
	    [DOCTOR_MOUNTED] = "MOUNTED", [DOCTOR_NOT_MOUNTED] = "NOT MOUNTED",
	    [DOCTOR_HUNG] = "HUNG",       [DOCTOR_BROKEN] = "BROKEN",
	    [DOCTOR_ARMED] = "ARMED",     [DOCTOR_UNTOLD] = "UNKNOWN",
	};

	return names[standing];
}

/* ---- Facts ---- */

int doctor_fact(struct engine *engine, enum kind_id kind, const char *key,
                const struct resource **ret_fact, struct err *err)
{
	return facts_look(&engine->facts, &kind_table[kind], key, ret_fact, err);
}

int doctor_keys(struct engine *engine, enum kind_id kind, struct keys *ret_keys, struct err *err)
{
	*ret_keys = (struct keys){0};
	if (!engine->recorded) {
		return worker_list(engine->worker, &kind_table[kind], engine->arena, ret_keys, err);
	}
	for (size_t i = 0; i < strmap_count(engine->recorded); i++) {
		const struct resource *fact = strmap_value(engine->recorded, i);

		if (fact->kind->id == kind) {
			keys_add(engine->arena, ret_keys, fact->key);
		}
	}
	return 0;
}

/* ---- Kernels and modules ---- */

static void add_kernel(struct doctor *d, const char *release)
{
	for (size_t i = 0; release && i < d->kernel_count; i++) {
		if (strcmp(d->kernels[i].release, release) == 0) {
			return;
		}
	}
	if (release) {
		d->kernels[d->kernel_count++] = (struct doctor_kernel){.release = release};
	}
}

static int describe_kernel(struct engine *engine, const struct kernel *kernel,
                           struct doctor_kernel *k, struct err *err)
{
	const char *next =
	    kernel->boot_next && *kernel->boot_next ? kernel->boot_next : kernel->boot_default;
	const struct resource *entry;

	k->running = text_equal(k->release, kernel->running);
	k->is_default = text_equal(k->release, kernel->boot_default);
	k->next = text_equal(k->release, next);
	if (doctor_fact(engine, KIND_BOOT_ENTRY, k->release, &entry, err)) {
		return -(int)err->code;
	}
	if (entry->state == STATE_PRESENT) {
		k->installed = entry->boot_entry.installed;
		k->brought = entry->boot_entry.brought;
		k->incomplete = entry->boot_entry.incomplete;
	}
	return 0;
}

static int find_kernels(struct engine *engine, struct doctor *d, struct err *err)
{
	if (doctor_fact(engine, KIND_KERNEL, "", &d->kernel, err)) {
		return -(int)err->code;
	}
	if (d->kernel->state != STATE_PRESENT) {
		d->kernel_why = d->kernel->why;
		return 0;
	}
	const struct kernel *kernel = &d->kernel->kernel;

	d->kernels =
	    arena_array(engine->arena, kernel->that_matter.count + 2 + OTHERS_MOST, sizeof *d->kernels);
	add_kernel(d, kernel->running);
	add_kernel(d, kernel->boot_default);
	for (size_t i = 0; i < kernel->that_matter.count; i++) {
		add_kernel(d, kernel->that_matter.items[i]);
	}
	for (size_t i = 0; i < d->kernel_count; i++) {
		if (describe_kernel(engine, kernel, &d->kernels[i], err)) {
			return -(int)err->code;
		}
	}
	return 0;
}

static void add_module(struct engine *engine, struct doctor *d, const char *name)
{
	for (size_t i = 0; i < d->module_count; i++) {
		if (strcmp(d->modules[i].name, name) == 0) {
			return;
		}
	}
	d->modules =
	    arena_grow(engine->arena, d->modules, d->module_count, &d->module_cap, sizeof *d->modules);
	d->modules[d->module_count++] =
	    (struct doctor_module){.name = name, .of_kernel = !next_boot_module_of(name)};
}

/* Of a kernel without any modules it is not known what is built into it. */
static bool is_missing(const struct doctor_verdict *v)
{
	return strcmp(v->verdict, "no") == 0 && !text_equal(v->cause, "no-tree");
}

static const char closed[] = "closed";

/* A file that would load helps nothing while the running kernel takes no more modules; what it has
 * loaded before stays. Of the next boot that says nothing. */
static int judge_closed(struct engine *engine, const struct doctor *d, struct doctor_verdict *v,
                        struct err *err)
{
	const struct kernel *kernel = &d->kernel->kernel;
	const struct resource *fact;

	if (!kernel->closed.value || !text_equal(v->release, kernel->running) ||
	    strcmp(v->verdict, "no") == 0) {
		return 0;
	}
	if (doctor_fact(engine, KIND_MODULE, v->module, &fact, err)) {
		return -(int)err->code;
	}
	if (fact->state != STATE_UNDETERMINED && !fact->module.loaded.value) {
		v->verdict = "no";
		v->cause = closed;
		v->reason = "kernel.modules_disabled is set: the running kernel takes no modules until "
		            "the next boot";
	}
	return 0;
}

/* Modules that are part of the kernel's own package are worth a word only when one is missing. */
static int judge_module(struct engine *engine, struct doctor *d, const struct doctor_module *module,
                        const char *release, struct err *err)
{
	const char *key = arena_printf(engine->arena, "%s@%s", module->name, release);
	struct doctor_verdict v = {.module = module->name, .release = release, .verdict = "unproven"};
	const struct resource *fact;

	if (doctor_fact(engine, KIND_LOADABLE, key, &fact, err)) {
		return -(int)err->code;
	}
	if (fact->state == STATE_PRESENT) {
		v.verdict = fact->loadable.verdict ? fact->loadable.verdict : "unproven";
		v.cause = fact->loadable.cause;
		v.reason = fact->loadable.reason;
	} else {
		v.verdict = fact->state == STATE_ABSENT ? "no" : "unproven";
		v.cause = fact->state == STATE_ABSENT ? "missing" : "untold";
		v.reason = fact->state == STATE_ABSENT ? "there is no such module" : fact->why;
	}
	if (judge_closed(engine, d, &v, err)) {
		return -(int)err->code;
	}
	if (module->of_kernel && !is_missing(&v)) {
		return 0;
	}
	d->verdicts = arena_grow(engine->arena, d->verdicts, d->verdict_count, &d->verdict_cap,
	                         sizeof *d->verdicts);
	d->verdicts[d->verdict_count++] = v;
	return 0;
}

static const struct doctor_verdict *verdict_of(const struct doctor *d, const char *module,
                                               const char *release)
{
	for (size_t i = 0; i < d->verdict_count; i++) {
		const struct doctor_verdict *v = &d->verdicts[i];

		if (text_equal(v->module, module) && text_equal(v->release, release)) {
			return v;
		}
	}
	return NULL;
}

/* Why a mount is not there, or will not come when it is first used: its module. */
static void blame_modules(struct engine *engine, struct doctor *d)
{
	for (size_t i = 0; i < d->count; i++) {
		struct doctor_mount *mount = &d->list[i];
		const struct doctor_verdict *v =
		    mount->module && d->kernel_count
		        ? verdict_of(d, mount->module, d->kernel->kernel.running)
		        : NULL;

		if (!v || strcmp(v->verdict, "no") != 0 ||
		    (mount->standing != DOCTOR_NOT_MOUNTED && mount->standing != DOCTOR_ARMED)) {
			continue;
		}
		mount->health = DOCTOR_CRITICAL;
		mount->why = arena_printf(engine->arena, "the running kernel %s cannot load %s: %s",
		                          v->release, v->module, v->reason ? v->reason : v->cause);
		d->mounts = doctor_worse(d->mounts, mount->health);
	}
}

/* Where a kernel that matters lacks a module, the other installed ones may be the way back. */
static int find_better_kernels(struct engine *engine, struct doctor *d, struct err *err)
{
	const struct list *installed = &d->kernel->kernel.installed;
	size_t before = d->kernel_count, verdicts = d->verdict_count;
	bool lacks = false;

	for (size_t i = 0; i < verdicts; i++) {
		/* A closed kernel lacks nothing that another one would have. */
		lacks |=
		    strcmp(d->verdicts[i].verdict, "no") == 0 && !text_equal(d->verdicts[i].cause, closed);
	}
	for (size_t i = installed->count; lacks && i-- && d->kernel_count < before + OTHERS_MOST;) {
		add_kernel(d, installed->items[i]);
	}
	for (size_t k = before; k < d->kernel_count; k++) {
		if (describe_kernel(engine, &d->kernel->kernel, &d->kernels[k], err)) {
			return -(int)err->code;
		}
		for (size_t i = 0; i < d->module_count; i++) {
			if (!d->modules[i].of_kernel &&
			    judge_module(engine, d, &d->modules[i], d->kernels[k].release, err)) {
				return -(int)err->code;
			}
		}
	}
	return 0;
}

static int find_modules(struct engine *engine, struct doctor *d, struct err *err)
{
	for (size_t i = 0; i < d->count; i++) {
		if (d->list[i].module) {
			add_module(engine, d, d->list[i].module);
		}
	}
	for (size_t i = 0; i < d->module_count; i++) {
		for (size_t k = 0; k < d->kernel_count; k++) {
			if (judge_module(engine, d, &d->modules[i], d->kernels[k].release, err)) {
				return -(int)err->code;
			}
		}
	}
	if (find_better_kernels(engine, d, err)) {
		return -(int)err->code;
	}
	blame_modules(engine, d);
	return 0;
}

/* ---- Rivals, the package index ---- */

static int find_rivals(struct engine *engine, struct doctor *d, struct err *err)
{
	struct err fault = {0};
	struct keys keys;

	if (doctor_keys(engine, KIND_RIVAL, &keys, &fault)) {
		d->rivals_why = arena_strdup(engine->arena, fault.text);
		return 0;
	}
	if (engine->recorded && !keys.count) {
		d->rivals_why = "none is recorded";
	}
	for (size_t i = 0; i < keys.count; i++) {
		const struct resource *fact;

		if (doctor_fact(engine, KIND_RIVAL, keys.list[i], &fact, err)) {
			return -(int)err->code;
		}
		if (fact->state == STATE_ABSENT) {
			continue;
		}
		d->rivals =
		    arena_grow(engine->arena, d->rivals, d->rival_count, &d->rival_cap, sizeof *d->rivals);
		d->rivals[d->rival_count++] = (struct doctor_rival){
		    .name = fact->key,
		    .kind = fact->rival.kind,
		    .where = fact->rival.where,
		    .does = fact->rival.does,
		    .why = fact->why,
		};
		d->unreadable |= fact->state == STATE_UNDETERMINED && !d->root;
	}
	return 0;
}

static int find_index(struct engine *engine, struct doctor *d, struct err *err)
{
	const struct resource *fact;

	if (doctor_fact(engine, KIND_PACKAGE_INDEX, "apt", &fact, err)) {
		return -(int)err->code;
	}
	d->index_age = fact->state == STATE_PRESENT && fact->package_index.age.set
	                   ? fact->package_index.age.value
	                   : -1;
	d->index_why = fact->state == STATE_UNDETERMINED ? fact->why : NULL;
	return 0;
}

/* ---- The next boot ---- */

/* Modules of the kernel's own package are there with the kernel, unless it is proven that one is
 * not. */
static bool is_at_stake(const struct doctor *d, const struct doctor_mount *mount)
{
	for (size_t i = 0; mount->module && i < d->module_count; i++) {
		if (strcmp(d->modules[i].name, mount->module) == 0 && !d->modules[i].of_kernel) {
			return true;
		}
	}
	for (size_t i = 0; mount->module && i < d->verdict_count; i++) {
		if (strcmp(d->verdicts[i].module, mount->module) == 0) {
			return true;
		}
	}
	return false;
}

static int judge_next_boot(struct engine *engine, struct doctor *d, struct err *err)
{
	struct next_boot_wants wants = {0};
	struct next_boot *next;

	for (size_t i = 0; i < d->count; i++) {
		if (is_at_stake(d, &d->list[i])) {
			next_boot_wants_add(engine->arena, &wants, d->list[i].module, d->list[i].target);
		}
	}
	wants.kernel = true;
	if (next_boot_judge(engine->arena, &engine->facts.source, &wants, NULL, &next, err)) {
		return -(int)err->code;
	}
	d->next_boot = next;
	return 0;
}

/* ---- What it comes to ---- */

static void sum_up(struct doctor *d)
{
	const struct next_boot *next = d->next_boot;
	bool at_stake = false;

	for (size_t i = 0; i < d->count; i++) {
		at_stake |= is_at_stake(d, &d->list[i]);
	}

	d->health = d->mounts;
	if (d->fstab_why) {
		d->health = doctor_worse(d->health, DOCTOR_UNKNOWN);
	}
	if (next && next->lost) {
		d->health = doctor_worse(d->health, DOCTOR_WARNING);
	} else if (at_stake && (!next || !next->release || next->loss_count)) {
		d->health = doctor_worse(d->health, DOCTOR_UNKNOWN);
	}
	d->unreadable |= !d->root && ((next && !next->release) || d->kernel_why || d->fstab_why);
}

const char doctor_default_tree[] = "/etc/reconcile";

int doctor_has_tree(struct engine *engine, bool *ret_tree, struct err *err)
{
	const char *tree = engine->options->tree;
	const struct resource *fact;

	*ret_tree = strcmp(tree, doctor_default_tree) != 0;
	if (engine->recorded || *tree != '/' || path_fault(tree)) {
		return 0; /* of another node, or relative to where we were started and the worker is not */
	}
	if (doctor_fact(engine, KIND_DIRECTORY, path_join(engine->arena, tree, "state"), &fact, err)) {
		return -(int)err->code;
	}
	*ret_tree = fact->state != STATE_ABSENT;
	return 0;
}

static int find_commands(struct engine *engine, struct doctor *d, struct err *err)
{
	const char *tree = engine->options->tree;
	bool is_default = strcmp(tree, doctor_default_tree) == 0;
	const char *c = is_default ? "" : arena_printf(engine->arena, " -C %s", tree);
	struct doctor_command doctor = {"sudo reconcile doctor", "says what only root may read"};
	struct doctor_command import = {
	    arena_printf(engine->arena, "sudo reconcile import -o %s", tree),
	    "writes what this node wants as a tree, for you to read"};
	struct doctor_command plan = {arena_printf(engine->arena, "sudo reconcile plan%s", c),
	                              "shows what would be mended, and why; changes nothing"};
	struct doctor_command apply = {arena_printf(engine->arena, "sudo reconcile apply%s", c),
	                               "mends it, after asking"};
	struct doctor_command check = {arena_printf(engine->arena, "reconcile check%s", c),
	                               "judges this node by its tree, in one line for a monitor"};

	if (doctor_has_tree(engine, &d->tree, err)) {
		return -(int)err->code;
	}
	if (d->tree) {
		d->unjudged =
		    arena_printf(engine->arena, "%s is not looked at here; `%s` judges this node by it",
		                 tree, check.line);
	}
	if (d->unreadable) {
		d->next[0] = doctor;
		d->next[1] = d->tree ? plan : import;
	} else if (d->tree) {
		d->next[0] = plan;
		d->next[1] = d->health == DOCTOR_OK ? check : apply;
	} else {
		d->next[0] = import;
		d->next[1] = plan;
	}
	return 0;
}

int doctor_begin(struct engine *engine, struct err *err)
{
	if (engine_read_recording(engine, err)) {
		return -(int)err->code;
	}
	if (!engine->facts.log && engine->recorded) {
		facts_init_recorded(&engine->facts, engine->arena, engine->recorded, NULL);
	} else if (!engine->facts.log) {
		facts_init_live(&engine->facts, engine->arena, engine->worker, NULL);
	}
	return 0;
}

static int find_name(struct engine *engine, struct doctor *d, struct err *err)
{
	const struct resource *node;

	d->node = engine->options->node;
	if (d->node) {
		return 0;
	}
	if (doctor_fact(engine, KIND_NODE, "", &node, err)) {
		return -(int)err->code;
	}
	d->node = node->state == STATE_PRESENT && node->node.name ? node->node.name
	                                                          : self_host_name(engine->arena);
	return 0;
}

static int begin(struct engine *engine, struct doctor **ret_doctor, struct err *err)
{
	struct doctor *d = arena_alloc(engine->arena, sizeof *d);

	if (doctor_begin(engine, err)) {
		return -(int)err->code;
	}
	d->root = self_is_root();
	d->index_age = -1;
	*ret_doctor = d;
	return find_name(engine, d, err);
}

/* Where the running kernel cannot load its module, no first use will mount it, and nobody on
 * request. Only that is judged here, and of the running kernel: who looks at mounts alone looks
 * often. */
static int judge_waiting(struct engine *engine, struct doctor *d, struct err *err)
{
	struct doctor waiting = {.list = d->list, .count = d->count, .mounts = d->mounts};

	for (size_t i = 0; i < d->count; i++) {
		const struct doctor_mount *mount = &d->list[i];
		bool waits = mount->standing == DOCTOR_ARMED ||
		             (mount->standing == DOCTOR_NOT_MOUNTED && mount->health == DOCTOR_OK);

		if (waits && mount->module) {
			add_module(engine, &waiting, mount->module);
		}
	}
	if (!waiting.module_count) {
		return 0;
	}
	if (doctor_fact(engine, KIND_KERNEL, "", &waiting.kernel, err)) {
		return -(int)err->code;
	}
	if (waiting.kernel->state != STATE_PRESENT) {
		return 0;
	}
	waiting.kernels = arena_array(engine->arena, 1, sizeof *waiting.kernels);
	add_kernel(&waiting, waiting.kernel->kernel.running);
	for (size_t i = 0; i < waiting.module_count; i++) {
		if (judge_module(engine, &waiting, &waiting.modules[i], waiting.kernel->kernel.running,
		                 err)) {
			return -(int)err->code;
		}
	}
	blame_modules(engine, &waiting);
	d->mounts = waiting.mounts;
	return 0;
}

int doctor_look_at_mounts(struct engine *engine, const char *const *only,
                          struct doctor **ret_doctor, struct err *err)
{
	struct doctor *d;

	if (begin(engine, &d, err) || doctor_find_mounts(engine, only, d, err) ||
	    judge_waiting(engine, d, err)) {
		return -(int)err->code;
	}
	d->health = d->fstab_why ? doctor_worse(d->mounts, DOCTOR_UNKNOWN) : d->mounts;
	*ret_doctor = d;
	return 0;
}

int doctor_look(struct engine *engine, const char *const *only, struct doctor **ret_doctor,
                struct err *err)
{
	struct doctor *d;

	if (begin(engine, &d, err) || doctor_find_mounts(engine, only, d, err) ||
	    find_kernels(engine, d, err) || find_modules(engine, d, err) ||
	    find_rivals(engine, d, err) || find_index(engine, d, err) ||
	    judge_next_boot(engine, d, err)) {
		return -(int)err->code;
	}
	sum_up(d);
	if (find_commands(engine, d, err)) {
		return -(int)err->code;
	}
	*ret_doctor = d;
	return 0;
}
