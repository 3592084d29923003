// SPDX-License-Identifier: MIT
/*
 * See module_change.h. A module is loaded through libkmod, never by force and never by a shell; an
 * index that does not know it is made anew first. Parameters go into a drop-in, since mostly it is
 * a mount or the next boot that loads the module, and not we.
 */
#include "provider/module_change.h"

#include "base/str.h"
#include "model/setting.h"
#include "provider/lines.h"
#include "provider/module_verdict.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

enum { DEPMOD_MS = 50000 /* a large tree on a slow disk */ };

#define DROPIN_FOLDER "/etc/modprobe.d"

/* ---- Settings ---- */

const char *module_change_dropin(struct arena *arena, const char *name)
{
	char *path = arena_printf(arena, DROPIN_FOLDER "/reconcile-%s.conf", name);

	for (char *c = path + strlen(DROPIN_FOLDER "/reconcile-"); *c; c++) {
		*c = *c == '-' ? '_' : *c;
	}
	return path;
}

bool module_change_unloads(const struct resource *want)
{
	return want->state == STATE_ABSENT || (want->module.loaded.set && !want->module.loaded.value);
}

bool module_change_is_configured(const struct list *parameters, const struct list *options)
{
	for (size_t i = 0; i < parameters->count; i++) {
		const char *have = setting_find(options, parameters->items[i]);

		if (!have || !setting_agrees(parameters->items[i], have)) {
			return false;
		}
	}
	return true;
}

/* "a=1 b=2", as modprobe.d(5) and the kernel take it. */
static const char *joined(struct arena *arena, const struct list *parameters)
{
	AUTO(str_free) struct str text = {0};

	for (size_t i = 0; i < parameters->count; i++) {
		str_addf(&text, "%s%s", i ? " " : "", parameters->items[i]);
	}
	return arena_strdup(arena, str_text(&text));
}

/* ---- The drop-in ---- */

/* What it is to say; "": nothing, it goes. What is not wanted this or that way stays as it is. */
static const char *dropin_text(struct arena *arena, const struct resource *want, char *present)
{
	const struct module *w = &want->module;
	const char *blacklist = NULL, *options = NULL;

	for (char *line; present && (line = lines_next(&present));) {
		blacklist = text_starts(line, "blacklist ") ? line : blacklist;
		options = text_starts(line, "options ") ? line : options;
	}
	if (w->blacklisted.set) {
		blacklist = w->blacklisted.value ? arena_printf(arena, "blacklist %s", want->key) : NULL;
	}
	if (w->parameters.set) {
		options = w->parameters.count ? arena_printf(arena, "options %s %s", want->key,
		                                             joined(arena, &w->parameters))
		                              : NULL;
	}
	if (!blacklist && !options) {
		return "";
	}
	return arena_printf(arena, "# Written by reconcile.\n%s%s%s%s", blacklist ? blacklist : "",
	                    blacklist ? "\n" : "", options ? options : "", options ? "\n" : "");
}

static int write_dropin(struct host *host, const struct resource *want, struct arena *arena,
                        struct err *err)
{
	const char *path = module_change_dropin(arena, want->key);
	char *present = NULL;

	if (!want->module.blacklisted.set && !want->module.parameters.set) {
		return 0;
	}
	if (lines_read(host, path, arena, &present, err)) {
		return -(int)err->code;
	}
	const char *before = present ? arena_strdup(arena, present) : "";
	const char *text = dropin_text(arena, want, present);
	const struct file_write write = {.data = text, .length = strlen(text), .mode = 0644};
	struct file_look folder;

	if (strcmp(text, before) == 0) {
		return 0;
	}
	if (!*text) {
		return host->ops->remove_file(host, path, err) ? -(int)err->code : 0;
	}
	if (host->ops->look(host, DROPIN_FOLDER, &folder, err) ||
	    (folder.type == FILE_NONE && host->ops->make_directory(host, DROPIN_FOLDER, 0755, err)) ||
	    host->ops->write(host, path, &write, err)) {
		return -(int)err->code;
	}
	return 0;
}

/* ---- Loading ---- */

static int run_depmod(struct host *host, struct arena *arena, struct applied *applied,
                      struct err *err)
{
	struct child_result result;
	struct utsname names;

	if (uname(&names)) {
		return err_set(err, ERR_HOST, errno, "uname");
	}
	const char *const argv[] = {"depmod", "-a", names.release, NULL};
	const struct child_command command = {.argv = argv, .timeout_ms = DEPMOD_MS};

	if (host->ops->run(host, &command, &result, err)) {
		return -(int)err->code;
	}
	if (result.timed_out || result.signalled || result.status) {
		*applied = (struct applied){
		    .outcome = OUTCOME_FAILED,
		    .why = result.timed_out ? arena_printf(arena, "depmod -a %s took longer than %d s",
		                                           names.release, DEPMOD_MS / 1000)
		                            : arena_printf(arena, "depmod -a %s ended with %d",
		                                           names.release, result.status),
		    .detail = arena_strdup(arena, str_text(&result.err)),
		};
	}
	child_result_free(&result);
	return 0;
}

/* What the kernel means, as far as the number tells (kernel/module/main.c). */
static const struct {
	int error;
	const char *name, *meaning;
} errors[] = {
    {ENOEXEC, "ENOEXEC", "the file is not a module for this kernel, or damaged"},
    {EINVAL, "EINVAL", "a symbol version or a parameter is not what this kernel takes"},
    {ENOENT, "ENOENT",
     "it uses a symbol that nothing in this kernel exports, or was given a parameter that it does "
     "not have"},
    {EKEYREJECTED, "EKEYREJECTED",
     "its signature is missing, or made with a key that the kernel does not know"},
    {ENOKEY, "ENOKEY", "it is signed with a key that the kernel does not know"},
    {EBADMSG, "EBADMSG", "its signature is damaged"},
    {EPERM, "EPERM",
     "the kernel does not permit it (lockdown, kernel.modules_disabled), or we are not root"},
    {ENODEV, "ENODEV", "it found nothing on this machine that it could work for"},
    {ENOSYS, "ENOSYS", "the running kernel loads no modules"},
};

static const char *meaning_of(struct arena *arena, int error)
{
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		if (errors[i].error == error) {
			return arena_printf(arena, "%s (%s)", errors[i].meaning, errors[i].name);
		}
	}
	return arena_strdup(arena, strerror(error));
}

static const char *name_of(struct arena *arena, int error)
{
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		if (errors[i].error == error) {
			return errors[i].name;
		}
	}
	return arena_strdup(arena, strerror(error));
}

/* The files tell more than the number, when they can. */
static void explain(struct host *host, const char *name, const struct module_done *done,
                    struct arena *arena, struct applied *applied)
{
	struct host_loadable found;
	struct err fault = {0};
	const char *reason = NULL;

	if (done->error && !host->ops->loadable(host, name, NULL, &found, &fault)) {
		struct module_verdict verdict = module_verdict(arena, name, &found);

		reason = verdict.answer == MODULE_NO ? verdict.reason : NULL;
	}
	applied->detail = done->log ? arena_strdup(arena, done->log) : NULL;
	if (done->redirected) {
		applied->outcome = OUTCOME_BLOCKED;
		applied->why = arena_printf(
		    arena, "modprobe.d has a command run instead of loading %s: it was not run",
		    done->redirected);
	} else if (done->blacklisted) {
		applied->outcome = OUTCOME_BLOCKED;
		applied->why = arena_printf(arena, "%s is blacklisted", name);
	} else if (done->error) {
		applied->outcome = done->error == EBUSY ? OUTCOME_BLOCKED : OUTCOME_FAILED;
		applied->why = reason ? arena_printf(arena, "%s; the kernel said %s", reason,
		                                     name_of(arena, done->error))
		                      : arena_printf(arena, "%s was not loaded: %s", name,
		                                     meaning_of(arena, done->error));
	}
}

static int load(struct host *host, const struct change *change, struct arena *arena,
                struct applied *applied, struct err *err)
{
	const struct module *w = &change->want->module;
	const struct module_request request = {
	    .name = change->want->key,
	    /* The drop-in gives them: given here too, each would be set twice. */
	    .parameters = NULL,
	    .over_blacklist = w->blacklisted.set && w->blacklisted.value,
	};
	struct module_done done;

	if (change->have->module.needs_depmod.value && run_depmod(host, arena, applied, err)) {
		return -(int)err->code;
	}
	if (applied->outcome == OUTCOME_FAILED) {
		return 0;
	}
	if (host->ops->module_load(host, &request, &done, err)) {
		return -(int)err->code;
	}
	explain(host, request.name, &done, arena, applied);
	return 0;
}

static int unload(struct host *host, const struct change *change, struct arena *arena,
                  struct applied *applied, struct err *err)
{
	struct module_done done;

	if (host->ops->module_unload(host, change->want->key, &done, err)) {
		return -(int)err->code;
	}
	if (done.error && done.error != ENOENT) {
		applied->outcome =
		    done.error == EWOULDBLOCK || done.error == EBUSY ? OUTCOME_BLOCKED : OUTCOME_FAILED;
		applied->why =
		    arena_printf(arena, "%s was not unloaded: %s", change->want->key, strerror(done.error));
	}
	return 0;
}

int module_change_apply(struct host *host, const struct change *change, struct arena *arena,
                        struct applied *ret_applied, struct err *err)
{
	const struct module *w = &change->want->module, *h = &change->have->module;
	struct applied applied = {.outcome = OUTCOME_CHANGED};

	if (change->want->state == STATE_PRESENT && write_dropin(host, change->want, arena, err)) {
		return -(int)err->code;
	}
	if (module_change_unloads(change->want)) {
		if (h->loaded.value && unload(host, change, arena, &applied, err)) {
			return -(int)err->code;
		}
	} else if (w->loaded.set && !h->loaded.value && load(host, change, arena, &applied, err)) {
		return -(int)err->code;
	}
	*ret_applied = applied;
	return 0;
}
