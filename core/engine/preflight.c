// SPDX-License-Identifier: MIT
/* See preflight.h. */
#include "engine/preflight.h"

#include "base/json.h"
#include "base/path.h"
#include "host/self.h"

#include <string.h>

enum { VERSION = 1 };

static const char version_key[] = "reconcile_preflight", file_name[] = "preflight.json";

/* ---- What is wanted ---- */

static bool is_wanted(const struct value *entry)
{
	return !text_equal(value_text(entry, "state"), "absent");
}

static bool is_map(const struct value *value)
{
	return value && value->type == VALUE_MAP;
}

void preflight_wants_of(struct arena *arena, const struct value *state,
                        struct preflight_wants *ret_wants)
{
	const struct value *modules = value_get(state, "modules"), *mounts = value_get(state, "mounts");
	const char *mode = value_text(state, "preflight");
	struct preflight_wants w = {.mode = mode ? mode : "guard"};

	next_boot_wants_of(arena, state, &w.wants);
	w.modules = arena_array(arena, is_map(modules) ? modules->count : 0, sizeof *w.modules);
	w.mounts = arena_array(arena, is_map(mounts) ? mounts->count : 0, sizeof *w.mounts);
	for (size_t i = 0; is_map(modules) && i < modules->count; i++) {
		const struct value_entry *entry = &modules->entries[i];

		if (is_wanted(&entry->value)) {
			w.modules[w.module_count++] = (struct preflight_module){
			    .name = entry->key,
			    .package = value_text(&entry->value, "package"),
			    .built = value_text(&entry->value, "dkms") != NULL,
			};
		}
	}
	for (size_t i = 0; is_map(mounts) && i < mounts->count; i++) {
		const struct value_entry *entry = &mounts->entries[i];
		const char *type = value_text(&entry->value, "type");

		if (type && is_wanted(&entry->value)) {
			w.mounts[w.mount_count++] =
			    (struct preflight_mount){.target = entry->key, .type = type};
		}
	}
	*ret_wants = w;
}

/* ---- The file ---- */

static struct value wants_value(struct arena *arena, const struct next_boot_wants *wants)
{
	struct value list = value_list();

	for (size_t i = 0; i < wants->count; i++) {
		struct value item = value_map(), mounts = value_list();

		for (size_t k = 0; k < wants->list[i].mount_count; k++) {
			value_append(arena, &mounts, value_string(wants->list[i].mounts[k]));
		}
		value_put(arena, &item, "module", value_string(wants->list[i].module));
		value_put(arena, &item, "mounts", mounts);
		value_put(arena, &item, "wanted", value_bool(wants->list[i].wanted));
		value_append(arena, &list, item);
	}
	return list;
}

const char *preflight_text(struct arena *arena, const struct preflight_wants *wants)
{
	struct value document = value_map(), modules = value_list(), mounts = value_list();
	AUTO(str_free) struct str text = {0};

	for (size_t i = 0; i < wants->module_count; i++) {
		struct value item = value_map();

		value_put(arena, &item, "name", value_string(wants->modules[i].name));
		value_put(arena, &item, "package", value_string(wants->modules[i].package));
		value_put(arena, &item, "built", value_bool(wants->modules[i].built));
		value_append(arena, &modules, item);
	}
	for (size_t i = 0; i < wants->mount_count; i++) {
		struct value item = value_map();

		value_put(arena, &item, "target", value_string(wants->mounts[i].target));
		value_put(arena, &item, "type", value_string(wants->mounts[i].type));
		value_append(arena, &mounts, item);
	}
	value_put(arena, &document, version_key, value_int(VERSION));
	value_put(arena, &document, "mode", value_string(wants->mode));
	value_put(arena, &document, "wants", wants_value(arena, &wants->wants));
	value_put(arena, &document, "modules", modules);
	value_put(arena, &document, "mounts", mounts);
	value_seal(&document);
	json_print(&text, &document, 1);
	str_addc(&text, '\n');
	return arena_strdup(arena, str_text(&text));
}

static const struct value *list_in(const struct value *document, const char *key)
{
	const struct value *list = value_get(document, key);

	return list && list->type == VALUE_LIST ? list : NULL;
}

static bool take_want(struct arena *arena, const struct value *item, struct next_boot_wants *wants)
{
	const struct value *mounts = list_in(item, "mounts");
	const char *module = value_text(item, "module");

	if (!module || !mounts) {
		return false;
	}
	if (value_truth(item, "wanted", false)) {
		next_boot_wants_add(arena, wants, module, NULL);
	}
	for (size_t i = 0; i < mounts->count; i++) {
		if (mounts->items[i].type != VALUE_STRING) {
			return false;
		}
		next_boot_wants_add(arena, wants, module, mounts->items[i].string);
	}
	return true;
}

static bool is_mode(const char *mode)
{
	static const char *const modes[] = {"off", "warn", "guard", "refuse"};

	for (size_t i = 0; mode && i < ARRAY_LEN(modes); i++) {
		if (strcmp(modes[i], mode) == 0) {
			return true;
		}
	}
	return false;
}

static bool take_all(struct arena *arena, const struct value *document, struct preflight_wants *w)
{
	const struct value *wants = list_in(document, "wants"), *modules = list_in(document, "modules"),
	                   *mounts = list_in(document, "mounts");

	w->mode = value_text(document, "mode");
	if (value_number(document, version_key, 0) != VERSION || !is_mode(w->mode) || !wants ||
	    !modules || !mounts) {
		return false;
	}
	w->modules = arena_array(arena, modules->count, sizeof *w->modules);
	w->mounts = arena_array(arena, mounts->count, sizeof *w->mounts);
	for (size_t i = 0; i < wants->count; i++) {
		if (!take_want(arena, &wants->items[i], &w->wants)) {
			return false;
		}
	}
	for (w->module_count = 0; w->module_count < modules->count; w->module_count++) {
		const struct value *item = &modules->items[w->module_count];

		w->modules[w->module_count] = (struct preflight_module){
		    .name = value_text(item, "name"),
		    .package = value_text(item, "package"),
		    .built = value_truth(item, "built", false),
		};
		if (!w->modules[w->module_count].name) {
			return false;
		}
	}
	for (w->mount_count = 0; w->mount_count < mounts->count; w->mount_count++) {
		const struct value *item = &mounts->items[w->mount_count];

		w->mounts[w->mount_count] = (struct preflight_mount){
		    .target = value_text(item, "target"),
		    .type = value_text(item, "type"),
		};
		if (!w->mounts[w->mount_count].target || !w->mounts[w->mount_count].type) {
			return false;
		}
	}
	return true;
}

int preflight_parse(const char *text, const char *path, struct arena *arena,
                    struct preflight_wants *ret_wants, struct err *err)
{
	struct preflight_wants wants = {0};
	struct value document;

	if (json_parse(text, strlen(text), path, arena, &document, err)) {
		return -(int)err->code;
	}
	if (!take_all(arena, &document, &wants)) {
		return err_set(err, ERR_INPUT, 0,
		               "%s is damaged, or of another version; `reconcile apply` writes it anew",
		               path);
	}
	*ret_wants = wants;
	return 0;
}

int preflight_read(const char *state_dir, struct arena *arena, struct preflight_wants *ret_wants,
                   struct err *err)
{
	const char *path = path_join(arena, state_dir, file_name), *text;

	if (self_state_read(path, arena, &text, err)) {
		return -(int)err->code;
	}
	if (!text) {
		*ret_wants = (struct preflight_wants){.mode = "off", .gone = path};
		return 0;
	}
	return preflight_parse(text, path, arena, ret_wants, err);
}

static bool is_hook(const struct step *step)
{
	return step->want->kind->id == KIND_FILE && step->want->state == STATE_PRESENT &&
	       (strcmp(step->want->key, PREFLIGHT_KERNEL_HOOK) == 0 ||
	        strcmp(step->want->key, PREFLIGHT_APT_HOOK) == 0);
}

void preflight_keep(struct engine *engine, const struct plan *plan)
{
	const char *path = path_join(engine->arena, engine->options->state_dir, file_name), *before;
	struct preflight_wants wants;
	struct err err = {0};
	bool hooked = false;
	int r;

	for (size_t i = 0; i < plan->step_count; i++) {
		hooked |= is_hook(&plan->steps[i]);
	}
	const char *unanswered = worker_unanswered(engine->worker, path, engine->arena);

	if (unanswered) {
		engine_note(engine, "what preflight rests on cannot be kept: %s", unanswered);
		return;
	}
	/* What cannot be read is written anew. */
	if (self_state_read(path, engine->arena, &before, &err)) {
		before = "";
	}
	if (hooked) {
		preflight_wants_of(engine->arena, &engine->desired.state, &wants);
		const char *text = preflight_text(engine->arena, &wants);

		r = text_equal(before, text) ? 0 : self_state_write(path, text, strlen(text), &err);
	} else {
		r = before ? self_state_remove(path, &err) : 0;
	}
	if (r) {
		engine_note(engine, "what preflight rests on cannot be kept: %s", err.text);
	}
}

/* ---- A kernel, by hand ---- */

const char *preflight_package(struct arena *arena, const struct preflight_wants *wants,
                              const char *module, const char *release)
{
	static const char mark[] = "{kernel}";

	for (size_t i = 0; i < wants->module_count; i++) {
		const char *package = wants->modules[i].package;
		const char *at = package ? strstr(package, mark) : NULL;

		if (strcmp(wants->modules[i].name, module) == 0 && package) {
			return at ? arena_printf(arena, "%.*s%s%s", (int)(at - package), package, release,
			                         at + strlen(mark))
			          : package;
		}
	}
	return NULL;
}

/* A kernel that is not there yet has no module yet, which proves nothing: what matters is whether
 * one can be had. */
struct promise {
	struct fact_source source; /* first */
	struct fact_source *below;
	struct arena *arena;
	const struct preflight_wants *wants;
	const char *release;
};

static bool is_built(const struct preflight_wants *wants, const char *module)
{
	for (size_t i = 0; i < wants->module_count; i++) {
		if (strcmp(wants->modules[i].name, module) == 0) {
			return wants->modules[i].built;
		}
	}
	return false;
}

static int promised(struct promise *p, const char *module, struct resource *loadable,
                    struct err *err)
{
	const char *package = preflight_package(p->arena, p->wants, module, p->release);
	const struct resource *candidate = NULL;

	loadable->state = STATE_PRESENT;
	loadable->loadable.verdict = "unproven";
	loadable->loadable.cause = "not-installed";
	if (!package) {
		loadable->loadable.reason =
		    is_built(p->wants, module)
		        ? "the kernel is not installed; DKMS would have to build it"
		        : "the kernel is not installed, and no package is named that brings the module";
		return 0;
	}
	if (p->below->get(p->below, &kind_table[KIND_CANDIDATE], package, &candidate, err)) {
		return -(int)err->code;
	}
	if (candidate->state == STATE_PRESENT) {
		loadable->loadable.reason =
		    arena_printf(p->arena, "%s is on offer and not installed", package);
	} else if (candidate->state == STATE_ABSENT) {
		loadable->loadable.verdict = "no";
		loadable->loadable.cause = "missing";
		loadable->loadable.reason = arena_printf(p->arena, "%s is not published", package);
	} else {
		loadable->loadable.reason = candidate->why;
	}
	return 0;
}

static int promise_get(struct fact_source *self, const struct kind *kind, const char *key,
                       const struct resource **ret_fact, struct err *err)
{
	struct promise *p = (struct promise *)(void *)self;
	const char *at = strchr(key, '@');

	if (kind->id != KIND_LOADABLE || !at) {
		return p->below->get(p->below, kind, key, ret_fact, err);
	}
	struct resource *fact = resource_create(p->arena, kind, key);

	if (promised(p, arena_strndup(p->arena, key, (size_t)(at - key)), fact, err)) {
		return -(int)err->code;
	}
	*ret_fact = fact;
	return 0;
}

static bool is_installed(const struct kernel *kernel, const char *release)
{
	for (size_t i = 0; i < kernel->installed.count; i++) {
		if (strcmp(kernel->installed.items[i], release) == 0) {
			return true;
		}
	}
	return text_equal(kernel->running, release);
}

/* Is the candidate certainly not published? What cannot be told may be. */
static int is_unpublished(struct engine *engine, const char *package, bool *ret_unpublished,
                          struct err *err)
{
	const struct resource *candidate;

	if (facts_look(&engine->facts, &kind_table[KIND_CANDIDATE], package, &candidate, err)) {
		return -(int)err->code;
	}
	*ret_unpublished = candidate->state == STATE_ABSENT;
	return 0;
}

/* A slip of the pen is no kernel that loses its modules. Its image may be published elsewhere:
 * where a module of that release is, the release is no invention. */
static int check_is_kernel(struct engine *engine, const struct preflight_wants *wants,
                           const char *release, struct err *err)
{
	static const char *const images[] = {"linux-image-", "linux-image-unsigned-"};
	bool unpublished = true;

	for (size_t i = 0; unpublished && i < wants->module_count; i++) {
		const char *package =
		    preflight_package(engine->arena, wants, wants->modules[i].name, release);

		if (package && strstr(package, release) &&
		    is_unpublished(engine, package, &unpublished, err)) {
			return -(int)err->code;
		}
	}
	for (size_t i = 0; unpublished && i < ARRAY_LEN(images); i++) {
		const char *image = arena_printf(engine->arena, "%s%s", images[i], release);

		if (is_unpublished(engine, image, &unpublished, err)) {
			return -(int)err->code;
		}
	}
	return unpublished ? err_set(err, ERR_INPUT, 0,
	                             "%s: no such kernel is installed or published; expected a release "
	                             "as uname -r prints it",
	                             release)
	                   : 0;
}

int preflight_kernel(struct engine *engine, const char *release, struct next_boot **ret,
                     struct err *err)
{
	struct preflight_wants wants;
	const struct resource *kernel;
	struct promise promise = {
	    .source = {.get = promise_get},
	    .below = &engine->facts.source,
	    .arena = engine->arena,
	    .wants = &wants,
	    .release = release,
	};

	preflight_wants_of(engine->arena, &engine->desired.state, &wants);
	if (facts_look(&engine->facts, &kind_table[KIND_KERNEL], "", &kernel, err)) {
		return -(int)err->code;
	}
	bool is_there = kernel->state != STATE_PRESENT || is_installed(&kernel->kernel, release);

	if (!is_there && check_is_kernel(engine, &wants, release, err)) {
		return -(int)err->code;
	}
	return next_boot_judge(engine->arena, is_there ? &engine->facts.source : &promise.source,
	                       &wants.wants, release, ret, err);
}
