// SPDX-License-Identifier: MIT
/*
 * Kind kernel: which kernels there are, which one runs, and which one the boot loader will start.
 *
 * What can be wanted, with GRUB as Debian and Ubuntu set it up:
 *  - boot_default = RELEASE. The default is then that kernel's entry, named by its id path in a
 *    file of ours below /etc/default/grub.d, and grub.cfg made from it. That the kernel happens to
 *    be the first in the menu is not enough: the next one that is installed would take its place.
 *  - boot_default = distribution. That file goes, and what was chosen without us holds again.
 *  - boot_next = RELEASE is started once, at the next boot; boot_next = none: nothing is.
 * What is not wanted is left as it is. Where one of the two cannot be done, neither is.
 */
#include "base/str.h"
#include "provider/boot_files.h"
#include "provider/boot_loader.h"
#include "provider/grub_default.h"
#include "provider/grub_once.h"
#include "provider/lines.h"
#include "provider/metapackages.h"
#include "provider/module_closed.h"
#include "provider/table.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { APPLY_MS = 20 * 60 * 1000 }; /* three times grub-mkconfig, and some */

static const char give_back[] = "distribution", no_next[] = "none";

static int check(const struct resource *want, struct err *err)
{
	const struct kernel *kernel = &want->kernel;
	const char *const texts[] = {kernel->boot_default, kernel->boot_next};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (texts[i] && strpbrk(texts[i], "*?")) {
			return err_set(err, ERR_INPUT, 0, "%s: a release is needed here, not a glob", texts[i]);
		}
	}
	return 0;
}

/* ---- What there is ---- */

/* Entries that could boot as they are. */
static int find_entries(struct host *host, const struct boot_loader *loader, struct arena *arena,
                        struct kernel *kernel, struct err *err)
{
	struct boot_files files;
	size_t cap = 0;

	kernel->entries.set = loader->name != NULL;
	for (size_t i = 0; i < loader->count; i++) {
		const struct boot_choice *choice = &loader->choices[i];

		if (!choice->path) {
			continue;
		}
		if (boot_files_find(host, choice->release, kernel->running, arena, &files, err)) {
			return -(int)err->code;
		}
		if (!files.fault) {
			lines_add(arena, &kernel->entries, &cap,
			          arena_printf(arena, "%s=%s", choice->release, choice->path));
		}
	}
	return 0;
}

static int find_boot(struct host *host, const struct resource *want, struct arena *arena,
                     struct kernel *kernel, struct err *err)
{
	const char *once = want ? want->kernel.boot_next : NULL;
	struct boot_loader loader;

	if (boot_loader_read(host, arena, &loader, err) ||
	    find_entries(host, &loader, arena, kernel, err)) {
		return -(int)err->code;
	}
	kernel->loader = loader.name;
	kernel->boot_default = loader.boot_default;
	kernel->boot_next = loader.boot_next;
	kernel->default_entry = loader.default_entry;
	kernel->stale_entry = loader.stale_entry;
	kernel->obstacle = loader.obstacle;
	kernel->once_obstacle = loader.once_obstacle;
	if (loader.own_default) {
		kernel->own_entry = text_equal(loader.own_default, loader.preset) ? loader.own_default : "";
	}
	/* The mount table told enough for a fact; before something rests on it GRUB's own tool is
	 * asked. */
	return once && strcmp(once, no_next) != 0 && !kernel->once_obstacle && geteuid() == 0
	           ? grub_once_probe(host, arena, &kernel->once_obstacle, err)
	           : 0;
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_KERNEL], key);
	struct kernel *kernel = &have->kernel;
	struct utsname names;
	char *line;

	if (uname(&names)) {
		return err_set(err, ERR_HOST, errno, "uname");
	}
	kernel->running = arena_strdup(arena, names.release);
	if (boot_files_releases(host, arena, &kernel->installed, err) ||
	    find_boot(host, want, arena, kernel, err) ||
	    metapackages_find(host, arena, &kernel->metapackages, err) ||
	    module_closed_read(host, arena, &kernel->closed, err) ||
	    lines_read(host, "/proc/cmdline", arena, &line, err)) {
		return -(int)err->code;
	}
	kernel->command_line = line ? lines_next(&line) : NULL;
	*ret_have = have;
	return 0;
}

/* ---- What is wanted ---- */

/* Its id path, or NULL. */
static const char *entry_of(const struct kernel *have, const char *release)
{
	size_t n = strlen(release);

	for (size_t i = 0; i < have->entries.count; i++) {
		const char *item = have->entries.items[i];

		if (strncmp(item, release, n) == 0 && item[n] == '=') {
			return item + n + 1;
		}
	}
	return NULL;
}

static bool is_default_right(const struct kernel *want, const struct kernel *have)
{
	const char *release = want->boot_default;

	if (!release) {
		return true;
	}
	if (strcmp(release, give_back) == 0) {
		return !have->own_entry;
	}
	/* Where it cannot be set it can still be so. */
	return text_equal(release, have->boot_default) &&
	       (have->obstacle ||
	        (have->own_entry && text_equal(have->own_entry, have->default_entry)));
}

static bool is_next_right(const struct kernel *want, const struct kernel *have)
{
	const char *release = want->boot_next;

	if (!release) {
		return true;
	}
	return strcmp(release, no_next) == 0 ? !have->boot_next : text_equal(release, have->boot_next);
}

static const char *why_no_entry(struct arena *arena, const struct kernel *have, const char *release)
{
	if (entry_of(have, release)) {
		return NULL;
	}
	return list_has(&have->installed, release)
	           ? arena_printf(arena,
	                          "%s has no entry in the menu of the boot loader that could boot; "
	                          "reconcile facts boot_entry:%s says what is missing",
	                          release, release)
	           : arena_printf(arena, "%s is not installed", release);
}

static const char *why_not_default(struct arena *arena, const struct kernel *want,
                                   const struct kernel *have)
{
	if (strcmp(want->boot_default, give_back) == 0) {
		return have->obstacle;
	}
	return have->obstacle ? have->obstacle : why_no_entry(arena, have, want->boot_default);
}

/* To forget one needs no GRUB that can write. */
static const char *why_not_next(struct arena *arena, const struct kernel *want,
                                const struct kernel *have)
{
	if (strcmp(want->boot_next, no_next) == 0) {
		return text_equal(have->loader, "grub") ? NULL : have->once_obstacle;
	}
	return have->once_obstacle ? have->once_obstacle : why_no_entry(arena, have, want->boot_next);
}

static void note_default(struct arena *arena, const struct kernel *want, const struct kernel *have,
                         struct differences *differences)
{
	bool back = strcmp(want->boot_default, give_back) == 0;
	const char *entry = back ? "what the distribution chooses" : entry_of(have, want->boot_default);

	if (back || !text_equal(want->boot_default, have->boot_default)) {
		differences_add(arena, differences, "boot_default", have->boot_default, want->boot_default);
	}
	if (entry) {
		differences_add(arena, differences, "own_entry",
		                have->own_entry && *have->own_entry ? have->own_entry : NULL, entry);
	}
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *verdict)
{
	bool as_default = is_default_right(&want->kernel, &have->kernel);
	bool as_next = is_next_right(&want->kernel, &have->kernel);

	if (as_default && as_next) {
		return;
	}
	verdict->outcome = OUTCOME_CHANGE;
	verdict->action = ACTION_UPDATE;
	if (!as_next) {
		differences_add(arena, &verdict->differences, "boot_next", have->kernel.boot_next,
		                want->kernel.boot_next);
		verdict->why = why_not_next(arena, &want->kernel, &have->kernel);
	}
	if (!as_default) {
		const char *why = why_not_default(arena, &want->kernel, &have->kernel);

		note_default(arena, &want->kernel, &have->kernel, &verdict->differences);
		verdict->why = why ? why : verdict->why;
	}
	if (verdict->why) {
		verdict->outcome = OUTCOME_BLOCKED;
	}
}

static int apply(struct host *host, const struct change *change, struct arena *arena,
                 struct applied *applied, struct err *err)
{
	const struct kernel *want = &change->want->kernel, *have = &change->have->kernel;
	const char *release = want->boot_default;
	struct boot_loader now;

	if (!is_default_right(want, have) &&
	    grub_default_set(host, strcmp(release, give_back) == 0 ? NULL : release, arena, applied,
	                     err)) {
		return -(int)err->code;
	}
	if (applied->outcome != OUTCOME_CHANGED || !want->boot_next) {
		return 0;
	}
	/* A new menu may have new ids. */
	if (boot_loader_read(host, arena, &now, err)) {
		return -(int)err->code;
	}
	const struct kernel then = {.boot_next = now.boot_next};

	if (is_next_right(want, &then)) {
		return 0;
	}
	return grub_once_set(host, strcmp(want->boot_next, no_next) == 0 ? "" : want->boot_next, arena,
	                     applied, err);
}

/* Its image comes first, if this plan brings it. */
static void needs(struct arena *arena, const struct resource *want, struct keys *ret_ids)
{
	const char *const releases[] = {want->kernel.boot_default, want->kernel.boot_next};

	for (size_t i = 0; i < ARRAY_LEN(releases); i++) {
		if (releases[i] && strcmp(releases[i], give_back) != 0 &&
		    strcmp(releases[i], no_next) != 0) {
			keys_add(arena, ret_ids,
			         resource_id(arena, &kind_table[KIND_PACKAGE],
			                     arena_printf(arena, "linux-image-%s", releases[i])));
		}
	}
}

static const struct resource *predict(struct arena *arena, const struct change *change,
                                      bool *ret_exact)
{
	struct resource *after = resource_copy(arena, change->have);
	const struct kernel *want = &change->want->kernel;
	struct kernel *kernel = &after->kernel;

	if (!is_default_right(want, kernel)) {
		bool back = strcmp(want->boot_default, give_back) == 0;
		const char *entry = back ? NULL : entry_of(kernel, want->boot_default);

		*ret_exact = !back;
		kernel->boot_default = back ? NULL : want->boot_default;
		kernel->default_entry = kernel->own_entry = entry;
		kernel->stale_entry = NULL;
	}
	if (!is_next_right(want, kernel)) {
		kernel->boot_next = strcmp(want->boot_next, no_next) == 0 ? NULL : want->boot_next;
	}
	return after;
}

const struct provider provider_kernel = {
    .kind = KIND_KERNEL,
    .timeout_ms = APPLY_MS,
    .check = check,
    .observe = observe,
    .diff = diff,
    .apply = apply,
    .needs = needs,
    .predict = predict,
};
