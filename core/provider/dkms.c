// SPDX-License-Identifier: MIT
/*
 * Kind dkms: a module that DKMS builds, for one kernel (key module@release). What DKMS did is read
 * from its tree, /var/lib/dkms (dkms(8)): `dkms status` prints no line at all for a build that
 * failed, nor for one that was skipped by rule. A build that failed is not tried again before
 * something it depends on has changed.
 */
#include "base/path.h"
#include "base/str.h"
#include "provider/dkms_log.h"
#include "provider/lines.h"
#include "provider/table.h"
#include "provider/transaction.h"

#include <regex.h>
#include <string.h>

/* A build that tells all it does leaves tens of megabytes. KEPT: the log of a failed one is kept
 * whole up to that size, else only the lines that matter. */
enum { LOG_MOST = 256 << 20, KEPT_MOST = 1 << 20 };

static const char tree[] = "/var/lib/dkms";
/* DKMS keeps the log of the last build only, whichever kernel it was for. Of each kernel that a
 * module does not build for, its log is kept here. */
static const char kept[] = "/var/lib/reconcile/dkms";

struct place {
	const char *module, *release;
	const char *version; /* of its source, once that is known */
};

static struct place place_of(struct arena *arena, const char *key)
{
	const char *at = strchr(key, '@');
	size_t n = at ? (size_t)(at - key) : strlen(key);

	return (struct place){
	    .module = arena_printf(arena, "%.*s", (int)n, key),
	    .release = at ? at + 1 : "",
	};
}

static int is_there(struct host *host, const char *path, bool *ret_there,
                    struct file_look *ret_look, struct err *err)
{
	struct file_look look;

	if (host->ops->look(host, path, &look, err)) {
		return -(int)err->code;
	}
	*ret_there = look.type != FILE_NONE;
	if (ret_look) {
		*ret_look = look;
	}
	return 0;
}

/* ---- Observe ---- */

/* The versions whose source DKMS has, oldest first, as dkms(8) "add" leaves them. */
static int find_versions(struct host *host, const char *module, struct arena *arena,
                         struct list *ret_versions, struct err *err)
{
	const char *folder = path_join(arena, tree, module);
	struct list versions = {.set = true};
	struct file_names names;
	size_t cap = 0;

	if (files_names_in(host, folder, arena, &names, NULL, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < names.count; i++) {
		bool source = false;

		if (is_there(host, arena_printf(arena, "%s/%s/source", folder, names.list[i]), &source,
		             NULL, err)) {
			return -(int)err->code;
		}
		if (source) {
			lines_add(arena, &versions, &cap, names.list[i]);
		}
	}
	*ret_versions = versions;
	return 0;
}

/* The newest of them, by Debian's order. */
static const char *newest(const struct list *versions)
{
	const char *found = versions->items[0];

	for (size_t i = 1; i < versions->count; i++) {
		found = packages_compare(versions->items[i], found) > 0 ? versions->items[i] : found;
	}
	return found;
}

/* MODULE/kernel-RELEASE-ARCH is a link to VERSION/RELEASE/ARCH while that one is installed. */
static int is_installed(struct host *host, const struct place *place, struct arena *arena,
                        bool *ret_installed, struct err *err)
{
	const char *prefix = arena_printf(arena, "kernel-%s-", place->release);
	struct file_names names;

	*ret_installed = false;
	if (files_names_in(host, path_join(arena, tree, place->module), arena, &names, NULL, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < names.count; i++) {
		*ret_installed |=
		    text_starts(names.list[i], prefix) && !strchr(names.list[i] + strlen(prefix), '-');
	}
	return 0;
}

/* What may not be read, is no file, or is too long to be true, is as good as not there: NULL. */
static int read_text(struct host *host, const char *path, size_t most, struct arena *arena,
                     const char **ret_text, struct err *err)
{
	struct file_bytes bytes;
	struct err fault = {0};

	*ret_text = NULL;
	if (!host->ops->read(host, path, most, arena, &bytes, &fault)) {
		*ret_text = bytes.data;
		return 0;
	}
	return files_is_missing(&fault) || files_is_hidden(&fault) || fault.code == ERR_LIMIT
	           ? 0
	           : err_copy(err, &fault);
}

/* BUILD_EXCLUSIVE_KERNEL="regex" of dkms.conf, which is a shell script: only a plain text is
 * understood, anything else excludes nothing as far as we can tell. */
static int is_excluded(struct host *host, const struct place *place, const char *version,
                       struct arena *arena, bool *ret_excluded, struct err *err)
{
	static const char name[] = "BUILD_EXCLUSIVE_KERNEL=";
	const char *found;

	*ret_excluded = false;
	/* source is a link to /usr/src/MODULE-VERSION. */
	if (read_text(host, arena_printf(arena, "/usr/src/%s-%s/dkms.conf", place->module, version),
	              KEPT_MOST, arena, &found, err)) {
		return -(int)err->code;
	}
	char *text = found ? arena_strdup(arena, found) : NULL;

	for (char *line; (line = lines_next(&text));) {
		if (!text_starts(line, name)) {
			continue;
		}
		char *pattern = line + sizeof name - 1;
		size_t quote = strspn(pattern, "\"'");
		regex_t regex;

		pattern += quote;
		pattern[strcspn(pattern, "\"'")] = '\0';
		if (!*pattern || strpbrk(pattern, "`") || strstr(pattern, "$(") || strstr(pattern, "${") ||
		    regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB)) {
			continue;
		}
		*ret_excluded = regexec(&regex, place->release, 0, NULL, 0) == REG_NOMATCH;
		regfree(&regex);
	}
	return 0;
}

static const char *kept_log(struct arena *arena, const struct place *place, const char *version)
{
	return arena_printf(arena, "%s/%s-%s-%s.log", kept, place->module, version, place->release);
}

/* Whether something that the build depended on is newer than its log. */
static int is_stale(struct host *host, const struct place *place, int64_t built_ns,
                    struct arena *arena, bool *ret_stale, struct err *err)
{
	const char *const depends[] = {
	    arena_printf(arena, "/usr/src/%s-%s", place->module, place->version),
	    arena_printf(arena, "/usr/src/%s-%s/dkms.conf", place->module, place->version),
	    arena_printf(arena, "/lib/modules/%s/build", place->release),
	    arena_printf(arena, "/usr/src/linux-headers-%s", place->release),
	};

	*ret_stale = false;
	for (size_t i = 0; i < ARRAY_LEN(depends); i++) {
		struct file_look look;
		bool there;

		if (is_there(host, depends[i], &there, &look, err)) {
			return -(int)err->code;
		}
		*ret_stale |= there && look.modified_ns > built_ns;
	}
	return 0;
}

/* A failed build leaves its log under build/, whose first line says for which kernel it was. Sets
 * dkms->log unless there is none, or it speaks of what is no more. */
static int read_log(struct host *host, const struct place *place, struct dkms *dkms,
                    struct arena *arena, struct err *err)
{
	const char *const paths[] = {
	    arena_printf(arena, "%s/%s/%s/build/make.log", tree, place->module, dkms->version),
	    kept_log(arena, place, dkms->version),
	};

	for (size_t i = 0; i < ARRAY_LEN(paths) && !dkms->log; i++) {
		AUTO(arena_auto) struct arena *scratch = arena_create();
		struct file_look log = {.type = FILE_NONE};
		bool there = false, stale = false;
		const char *text;

		if (is_there(host, paths[i], &there, &log, err) ||
		    read_text(host, paths[i], LOG_MOST, scratch, &text, err)) {
			return -(int)err->code;
		}
		if (!there || !text || !dkms_log_is_for(text, place->release) ||
		    !dkms_log_is_final(text, i > 0)) {
			continue;
		}
		if (is_stale(host, place, log.modified_ns, arena, &stale, err)) {
			return -(int)err->code;
		}
		if (!stale) {
			dkms->log = dkms_log_lines(arena, text);
			dkms->log_file = paths[i];
		}
	}
	return 0;
}

static int find_status(struct host *host, const struct place *place, struct dkms *dkms,
                       struct arena *arena, struct err *err)
{
	bool installed = false, built = false, excluded = false;
	const char *folder =
	    arena_printf(arena, "%s/%s/%s/%s", tree, place->module, dkms->version, place->release);

	if (is_installed(host, place, arena, &installed, err) ||
	    is_there(host, folder, &built, NULL, err) ||
	    is_there(host, arena_printf(arena, "/lib/modules/%s/build", place->release),
	             &dkms->headers.value, NULL, err) ||
	    is_excluded(host, place, dkms->version, arena, &excluded, err)) {
		return -(int)err->code;
	}
	dkms->headers.set = true;
	dkms->status = installed              ? "installed"
	               : built                ? "built"
	               : excluded             ? "excluded"
	               : !dkms->headers.value ? "no headers"
	                                      : "added";
	if (strcmp(dkms->status, "added") != 0) {
		return 0;
	}
	if (read_log(host, place, dkms, arena, err)) {
		return -(int)err->code;
	}
	if (dkms->log) {
		dkms->status = "failed";
	}
	return 0;
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_DKMS], key);
	struct place place = place_of(arena, key);
	struct dkms *dkms = &have->dkms;
	struct list versions;

	(void)want;
	*ret_have = have;
	if (find_versions(host, place.module, arena, &versions, err)) {
		return -(int)err->code;
	}
	if (!versions.count) {
		have->state = STATE_ABSENT;
		return 0;
	}
	place.version = dkms->version = newest(&versions);
	if (versions.count > 1) {
		dkms->obstacle =
		    arena_printf(arena, "DKMS has %zu versions of %s and builds none of them by itself",
		                 versions.count, place.module);
	}
	return find_status(host, &place, dkms, arena, err);
}

/* ---- Diff ---- */

static const char *why_not(struct arena *arena, const struct place *place, const struct dkms *dkms)
{
	if (strcmp(dkms->status, "failed") == 0) {
		return arena_printf(arena,
		                    "%s %s does not build for %s: %s (%s); it is tried again when its "
		                    "source or the headers change",
		                    place->module, dkms->version, place->release, dkms->log,
		                    dkms->log_file);
	}
	if (strcmp(dkms->status, "no headers") == 0) {
		return arena_printf(arena, "the headers of %s are not there: %s is needed to build %s",
		                    place->release, arena_printf(arena, "linux-headers-%s", place->release),
		                    place->module);
	}
	if (strcmp(dkms->status, "excluded") == 0) {
		return arena_printf(
		    arena,
		    "%s %s says itself that it is not for %s (BUILD_EXCLUSIVE_KERNEL): DKMS "
		    "skips it without a word",
		    place->module, dkms->version, place->release);
	}
	return NULL;
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *verdict)
{
	struct place place = place_of(arena, want->key);
	const struct dkms *dkms = &have->dkms;

	if (have->state == STATE_ABSENT) {
		verdict->outcome = OUTCOME_BLOCKED;
		verdict->why = arena_printf(
		    arena, "DKMS has no source of %s: the package that brings it is missing", place.module);
		return;
	}
	if (want->dkms.version &&
	    !compare_field(field_find(want->kind->fields, want->kind->field_count, "version"), want,
	                   have)) {
		differences_add(arena, &verdict->differences, "version", dkms->version, want->dkms.version);
		verdict->outcome = OUTCOME_BLOCKED;
		verdict->why = arena_printf(arena,
		                            "DKMS has the source of %s only: the version comes from "
		                            "the package that brings it",
		                            dkms->version);
		return;
	}
	if (strcmp(dkms->status, "installed") == 0) {
		return;
	}
	differences_add(arena, &verdict->differences, "status", dkms->status, "installed");
	verdict->why = why_not(arena, &place, dkms);
	verdict->outcome = verdict->why ? OUTCOME_BLOCKED : OUTCOME_CHANGE;
	verdict->action = ACTION_RUN;
}

/* ---- Apply ---- */

/* The log of a build that has come to its end without a module. What cannot be kept is only tried
 * again. */
static void keep_log(struct host *host, const struct place *place, const struct dkms *dkms,
                     struct arena *arena)
{
	const char *path =
	    arena_printf(arena, "%s/%s/%s/build/make.log", tree, place->module, dkms->version);
	AUTO(arena_auto) struct arena *scratch = arena_create();
	const char *text = NULL;
	struct err ignored = {0};

	if (read_text(host, path, LOG_MOST, scratch, &text, &ignored) || !text ||
	    !dkms_log_is_for(text, place->release)) {
		return;
	}
	if (strlen(text) > KEPT_MOST) {
		text =
		    arena_printf(arena, "DKMS make.log for %s-%s for kernel %s (what matters)\n%s\n",
		                 place->module, dkms->version, place->release, dkms_log_lines(arena, text));
	}
	struct file_write write = {.data = text, .length = strlen(text), .mode = 0644};

	(void)!host->ops->make_directory(host, "/var/lib/reconcile", 0755, &ignored);
	(void)!host->ops->make_directory(host, kept, 0755, &ignored);
	(void)!host->ops->write(host, kept_log(arena, place, dkms->version), &write, &ignored);
}

/* What flock(1) says by its status, and dkms never does. */
#define BUSY_STATUS "75"

static struct applied judge(struct arena *arena, const struct transaction *done)
{
	if (text_equal(done->why, "flock ended with status " BUSY_STATUS)) {
		return (struct applied){
		    .outcome = OUTCOME_BLOCKED,
		    .why = "DKMS is still at work: an earlier run that was cut off had started it",
		};
	}
	const char *why = done->why && text_starts(done->why, "flock")
	                      ? arena_printf(arena, "dkms%s", done->why + strlen("flock"))
	                      : done->why;

	return (struct applied){.outcome = done->outcome, .why = why, .detail = done->detail};
}

static int apply(struct host *host, const struct change *change, struct arena *arena,
                 struct applied *applied, struct err *err)
{
	struct place place = place_of(arena, change->want->key);
	const char *source = arena_printf(arena, "%s/%s", place.module, change->have->dkms.version);
	/* What was started goes on when we are killed, and two that build the same spoil it for each
	 * other: the tree stays locked as long as anything of it runs. */
	const char *const argv[] = {"flock",   "-n",   "-E", BUSY_STATUS,   tree, "dkms",
	                            "install", source, "-k", place.release, NULL};
	struct host_package_manager manager;
	struct transaction done;
	struct resource *have;
	const char *busy;

	/* The package manager runs DKMS too: the two must not build the same thing at once. */
	if (transaction_busy(host, arena, &manager, &busy, err)) {
		return -(int)err->code;
	}
	if (busy) {
		*applied = (struct applied){.outcome = OUTCOME_BLOCKED, .why = busy};
		return 0;
	}
	if (transaction_run(host, &manager, argv, arena, &done, err)) {
		return -(int)err->code;
	}
	*applied = judge(arena, &done);
	if (applied->outcome != OUTCOME_FAILED) {
		return 0;
	}
	keep_log(host, &place, &change->have->dkms, arena);
	if (observe(host, change->want->key, change->want, arena, &have, err)) {
		return -(int)err->code;
	}
	if (have->state == STATE_PRESENT && have->dkms.log) {
		applied->why =
		    arena_printf(arena, "%s %s does not build for %s: %s (%s)", place.module,
		                 have->dkms.version, place.release, have->dkms.log, have->dkms.log_file);
	}
	return 0;
}

static const struct resource *predict(struct arena *arena, const struct change *change,
                                      bool *ret_exact)
{
	struct resource *after = resource_copy(arena, change->have);

	after->dkms.status = "installed";
	*ret_exact = false; /* whether it builds is known when it was built */
	return after;
}

static int list(struct host *host, struct arena *arena, struct keys *ret_keys, struct err *err)
{
	struct file_names modules, releases;
	struct list versions;

	if (files_names_in(host, tree, arena, &modules, NULL, err) ||
	    files_names_in(host, "/lib/modules", arena, &releases, NULL, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < modules.count; i++) {
		if (find_versions(host, modules.list[i], arena, &versions, err)) {
			return -(int)err->code;
		}
		for (size_t k = 0; versions.count && k < releases.count; k++) {
			keys_add(arena, ret_keys,
			         arena_printf(arena, "%s@%s", modules.list[i], releases.list[k]));
		}
	}
	return 0;
}

const struct provider provider_dkms = {
    .kind = KIND_DKMS,
    .waits_at_deadline = true,
    .observe = observe,
    .list = list,
    .diff = diff,
    .apply = apply,
    .predict = predict,
};
