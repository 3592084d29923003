// SPDX-License-Identifier: MIT
/*
 * Kind module: what the kernel has loaded or built in, and what it could load. Loading is not in
 * this version; what is asked for and not there is blocked, with the reason why it could not be
 * loaded as things are.
 */
#include "base/str.h"
#include "provider/lines.h"
#include "provider/table.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

static struct truth truth_of(bool value)
{
	return (struct truth){.set = true, .value = value};
}

static int find_obstacle(struct host *host, const struct host_module *module, struct arena *arena,
                         const char **ret_obstacle, struct err *err)
{
	struct utsname names;
	struct file_look look;

	if (uname(&names)) {
		return err_set(err, ERR_HOST, errno, "uname");
	}
	if (host->ops->look(host, "/proc/modules", &look, err)) {
		return -(int)err->code;
	}
	if (look.type == FILE_NONE) {
		*ret_obstacle = "the running kernel loads no modules: all it has is built in";
		return 0;
	}
	const char *folder = arena_printf(arena, "/lib/modules/%s", names.release);

	if (host->ops->look(host, folder, &look, err)) {
		return -(int)err->code;
	}
	if (look.type == FILE_NONE) {
		*ret_obstacle =
		    arena_printf(arena, "the modules of the running kernel %s are not there: %s is missing",
		                 names.release, folder);
	} else if (!module->exists) {
		*ret_obstacle =
		    arena_printf(arena, "there is no such module for the running kernel %s", names.release);
	} else if (module->index_missing) {
		*ret_obstacle = arena_printf(arena, "%s is in no index: depmod is needed", module->file);
	}
	return 0;
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_MODULE], key);
	struct module *fact = &have->module;
	struct host_module module;

	if (host->ops->module(host, key, want && want->module.blacklisted.set, &module, err)) {
		return -(int)err->code;
	}
	have->state = module.exists ? STATE_PRESENT : STATE_ABSENT;
	if (!module.loaded && find_obstacle(host, &module, arena, &fact->obstacle, err)) {
		return -(int)err->code;
	}
	if (module.exists) {
		fact->loaded = truth_of(module.loaded);
		fact->builtin = truth_of(module.builtin);
		fact->version = module.version;
		fact->parameters = module.parameters;
		fact->file = module.file;
		fact->file_version = module.file_version;
	}
	if (module.is_whole) {
		fact->blacklisted = truth_of(module.blacklisted);
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

static bool is_old(const struct module *have)
{
	return have->loaded.value && have->version && have->file_version &&
	       strcmp(have->version, have->file_version) != 0;
}

/* Would the file on disk be as wanted, if it were loaded? */
static bool is_right_after_reboot(const struct resource *want, const struct resource *have)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct resource *after = resource_copy(arena, have);
	struct differences differences;

	after->module.version = after->module.file_version;
	compare_resources(arena, want, after, &differences);
	return differences.count == 0;
}

static const char *why_not(struct arena *arena, const struct resource *want,
                           const struct resource *have)
{
	const struct module *module = &have->module;
	bool unload =
	    want->state == STATE_ABSENT || (want->module.loaded.set && !want->module.loaded.value);
	const char *obstacle = module->loaded.value ? NULL : module->obstacle;

	return arena_printf(arena, "%s%s%s modules is not in this version of reconcile",
	                    obstacle ? obstacle : "", obstacle ? "; " : "",
	                    unload                 ? "unloading"
	                    : module->loaded.value ? "changing"
	                                           : "loading");
}

/* Wanted absent means: not in the kernel. The file belongs to a package. */
static void find_differences(struct arena *arena, const struct resource *want,
                             const struct resource *have, struct differences *differences)
{
	if (want->state == STATE_PRESENT) {
		compare_resources(arena, want, have, differences);
	} else if (have->module.loaded.value) {
		differences_add(arena, differences, "state",
		                have->module.builtin.value ? "built in" : "loaded", "absent");
	}
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *verdict)
{
	find_differences(arena, want, have, &verdict->differences);
	/* A newer one was installed meanwhile. */
	if (want->state == STATE_PRESENT && is_old(&have->module) &&
	    is_right_after_reboot(want, have)) {
		verdict->outcome = OUTCOME_PENDING;
		verdict->marks |= MARK_NEEDS_REBOOT;
		verdict->why =
		    arena_printf(arena, "%s is loaded, a newer module (%s) is on disk: a reboot is needed",
		                 have->module.version, have->module.file_version);
	} else if (verdict->differences.count) {
		verdict->outcome = OUTCOME_BLOCKED;
		verdict->why = why_not(arena, want, have);
	}
}

const struct provider provider_module = {
    .kind = KIND_MODULE,
    .observe = observe,
    .list = list,
    .diff = diff,
};
