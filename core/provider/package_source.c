// SPDX-License-Identifier: MIT
/*
 * Kind package_source: a place where apt gets packages from, and the key that signs them. A source
 * that stands anywhere is mended where it stands; only one that stands nowhere gets a file of its
 * own. apt reads all its sources or none, so every change is tried on a copy of them first, and
 * taken back when apt cannot read the real ones after all.
 *
 * A keyring is never removed: others may rely on it.
 */
#include "base/path.h"
#include "base/str.h"
#include "provider/apt_key.h"
#include "provider/converge.h"
#include "provider/source_files.h"
#include "provider/table.h"
#include "provider/transaction.h"

#include <errno.h>
#include <string.h>

enum { KEY_MOST = 1 << 20, KEY_TIMEOUT_MS = 180000 };

#define TRIAL "/var/cache/reconcile/apt-sources"
#define TRIAL_PARTS TRIAL "/parts"

static const char trial_list[] = "Dir::Etc::sourcelist=" TRIAL "/sources.list";
static const char trial_parts[] = "Dir::Etc::sourceparts=" TRIAL_PARTS;

/* ---- What may be wanted ---- */

/* No word may end the part of a line it stands in. */
static int check_word(const char *what, const char *word, struct err *err)
{
	return word[strcspn(word, "#[]")]
	           ? err_set(err, ERR_INPUT, 0, "%s: %s has a letter with a meaning of its own: # [ ]",
	                     what, word)
	           : 0;
}

static int check_suites(const struct package_source *source, struct err *err)
{
	for (size_t i = 0; i < source->suites.count; i++) {
		const char *suite = source->suites.items[i];
		bool is_path = text_ends(suite, "/");

		if (check_word("suites", suite, err)) {
			return -(int)err->code;
		}
		if (is_path && source->components.count) {
			return err_set(err, ERR_INPUT, 0,
			               "suites: %s ends with a slash and so is a path, which has no components",
			               suite);
		}
		if (!is_path && !source->components.count) {
			return err_set(err, ERR_INPUT, 0,
			               "components: the suite %s needs some (main), only a path, with a slash "
			               "at its end, has none",
			               suite);
		}
	}
	for (size_t i = 0; i < source->components.count; i++) {
		if (check_word("components", source->components.items[i], err)) {
			return -(int)err->code;
		}
	}
	return 0;
}

static int check_key(const struct package_source *source, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *bytes;
	size_t length;

	if (source->signed_by && !text_ends(source->signed_by, ".asc") &&
	    !text_ends(source->signed_by, ".gpg")) {
		return err_set(err, ERR_INPUT, 0,
		               "signed_by: apt reads a keyring by the end of its name: expected %s.gpg or "
		               "%s.asc",
		               source->signed_by, source->signed_by);
	}
	if (source->key && !source->signed_by) {
		return err_set(err, ERR_INPUT, 0,
		               "key: needs signed_by, the file it is kept in "
		               "(/etc/apt/keyrings/NAME.asc)");
	}
	return source->key ? apt_key_bytes(arena, source->key, &bytes, &length, err) : 0;
}

/* Its file in sources.list.d is called so; as a fact it may be asked for by its place as well. */
static bool is_name(const char *key)
{
	return key[0] != '.' &&
	       key[strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")] ==
	           '\0';
}

static int check(const struct resource *want, struct err *err)
{
	const struct package_source *source = &want->package_source;

	if (!is_name(want->key)) {
		return err_set(err, ERR_INPUT, 0,
		               "name: expected letters, digits, dots, dashes and underscores, which the "
		               "file is called by");
	}

	if (source->uri && (check_word("uri", source->uri, err))) {
		return -(int)err->code;
	}
	if (source->uri && !strchr(source->uri, ':')) {
		return err_set(err, ERR_INPUT, 0, "uri: %s names no way to get there: expected https://...",
		               source->uri);
	}
	if (want->state == STATE_PRESENT && check_suites(source, err)) {
		return -(int)err->code;
	}
	return check_key(source, err);
}

/* ---- What is there ---- */

static const char *keyring_of(const struct resource *want, const struct resource *have)
{
	const char *path = want && want->package_source.signed_by ? want->package_source.signed_by
	                                                          : have->package_source.signed_by;

	return path && !path_fault(path) ? path : NULL;
}

static int digest_key(struct host *host, const struct resource *want, struct arena *arena,
                      struct resource *have, struct err *err)
{
	const char *path = keyring_of(want, have);
	struct file_bytes bytes;
	struct err fault = {0};

	if (!path) {
		return 0;
	}
	if (host->ops->read(host, path, KEY_MOST, arena, &bytes, &fault)) {
		return fault.os == ENOENT || fault.os == ENOTDIR ? 0 : err_copy(err, &fault);
	}
	have->package_source.key_digest = apt_key_digest(arena, bytes.data, bytes.length);
	return 0;
}

static bool is_on(const struct source_group *group, const struct resource *want)
{
	/* Wanted away are also the sources of its packages, which nobody asked about otherwise. */
	bool all = want && want->state == STATE_ABSENT;

	for (size_t i = 0; i < group->count; i++) {
		if (group->list[i]->enabled && (all || group->list[i]->binary)) {
			return true;
		}
	}
	return false;
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_PACKAGE_SOURCE], key);
	struct resource *by_place = resource_create(arena, &kind_table[KIND_PACKAGE_SOURCE], key);
	struct source_files files;
	struct file_look look;

	if (!want && !is_name(key)) {
		by_place->package_source.uri = key;
		want = by_place;
	}
	if (host->ops->look(host, "/etc/apt", &look, err)) {
		return -(int)err->code;
	}
	if (look.type != FILE_DIRECTORY) {
		*ret_have = resource_undetermined(arena, have->kind, key,
		                                  "apt is not used here: there is no /etc/apt");
		return 0;
	}
	if (source_files_read(host, arena, &files, err)) {
		return -(int)err->code;
	}
	struct source_group group = source_files_find(arena, &files, key, want);

	have->state = is_on(&group, want) ? STATE_PRESENT : STATE_ABSENT;
	if (group.main) {
		source_files_describe(arena, &group, want, have);
	}
	if (digest_key(host, want, arena, have, err)) {
		return -(int)err->code;
	}
	*ret_have = resource_copy(arena, have);
	return 0;
}

/* The names of the files in its folder that apt reads: good enough, since a source that stands in
 * another file is found by whoever knows its place. */
static int list(struct host *host, struct arena *arena, struct keys *ret_keys, struct err *err)
{
	struct source_files files;

	if (source_files_read(host, arena, &files, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < files.count; i++) {
		const char *name = path_name(files.list[i].path), *dot = strrchr(name, '.');

		if (path_is_below(files.list[i].path, SOURCE_PARTS, false) && dot) {
			keys_add(arena, ret_keys, arena_strndup(arena, name, (size_t)(dot - name)));
		}
	}
	return 0;
}

/* ---- What would be done ---- */

static const char *wanted_digest(struct arena *arena, const struct resource *want)
{
	const char *key = want->package_source.key;

	return key && want->state == STATE_PRESENT ? apt_key_digest(arena, key, strlen(key)) : NULL;
}

static const char *shown_digest(struct arena *arena, const char *digest)
{
	return digest ? arena_printf(arena, "SHA-256 %.16s...", digest) : NULL;
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *verdict)
{
	const char *digest = wanted_digest(arena, want), *file = have->package_source.file;

	converge_diff_fields(arena, want, have, verdict);
	if (verdict->outcome == OUTCOME_CHANGE) {
		differences_add(arena, &verdict->differences, "file", file,
		                want->state == STATE_ABSENT ? "without it"
		                : file                      ? "mended there"
		                       : arena_printf(arena, SOURCE_PARTS "/%s.sources", want->key));
	}
	if (digest && !text_equal(digest, have->package_source.key_digest)) {
		bool is_shown = verdict->action == ACTION_CREATE; /* with all its fields */

		if (!is_shown) {
			differences_add(arena, &verdict->differences, "public_key",
			                shown_digest(arena, have->package_source.key_digest),
			                shown_digest(arena, digest));
		}
		verdict->action = verdict->outcome == OUTCOME_CHANGE ? verdict->action : ACTION_UPDATE;
		verdict->outcome = OUTCOME_CHANGE;
	}
	if (verdict->outcome == OUTCOME_CHANGE && have->package_source.obstacle) {
		verdict->outcome = OUTCOME_BLOCKED;
		verdict->why = have->package_source.obstacle;
	}
}

static const struct resource *predict(struct arena *arena, const struct change *change,
                                      bool *ret_exact)
{
	struct resource *after = resource_copy(arena, change->want);
	const struct package_source *had = &change->have->package_source;
	const char *digest = wanted_digest(arena, change->want);

	(void)ret_exact;
	if (after->state == STATE_ABSENT) {
		return after;
	}
	after->package_source.key_digest = digest ? digest : had->key_digest;
	after->package_source.file =
	    had->file ? had->file
	              : arena_printf(arena, SOURCE_PARTS "/%s.sources:1", change->want->key);
	after->package_source.others = had->others;
	if (!after->package_source.signed_by) {
		after->package_source.signed_by = had->signed_by;
	}
	return after;
}

/* ---- The change ---- */

/* One level is made: /etc/apt/keyrings is not there on every release. */
static int need_folder(struct host *host, const char *path, struct arena *arena, struct err *err)
{
	const char *folder = path_parent(arena, path);
	struct file_look look;

	if (host->ops->look(host, folder, &look, err)) {
		return -(int)err->code;
	}
	return look.type == FILE_NONE ? host->ops->make_directory(host, folder, 0755, err) : 0;
}

static int write_key(struct host *host, const struct change *change, struct arena *arena,
                     struct err *err)
{
	const struct package_source *want = &change->want->package_source;
	const char *digest = wanted_digest(arena, change->want), *data = want->key;
	size_t length;

	if (!digest || text_equal(digest, change->have->package_source.key_digest)) {
		return 0;
	}
	length = strlen(data);
	if (text_ends(want->signed_by, ".gpg") &&
	    apt_key_bytes(arena, want->key, &data, &length, err)) {
		return -(int)err->code;
	}
	const struct file_write write = {.data = data, .length = length, .mode = 0644};

	return need_folder(host, want->signed_by, arena, err)
	           ? -(int)err->code
	           : host->ops->write(host, want->signed_by, &write, err);
}

/* apt's own word on whether it can read its sources: NULL when it can. */
static int ask_apt(struct host *host, bool trial, struct arena *arena, const char **ret_why,
                   struct err *err)
{
	static const char *const real[] = {"apt-get",
	                                   "-o",
	                                   "Dir::Cache::pkgcache=",
	                                   "-o",
	                                   "Dir::Cache::srcpkgcache=",
	                                   "indextargets",
	                                   "--format",
	                                   "$(SITE)",
	                                   NULL};
	static const char *const tried[] = {"apt-get",
	                                    "-o",
	                                    "Dir::Cache::pkgcache=",
	                                    "-o",
	                                    "Dir::Cache::srcpkgcache=",
	                                    "-o",
	                                    trial_list,
	                                    "-o",
	                                    trial_parts,
	                                    "indextargets",
	                                    "--format",
	                                    "$(SITE)",
	                                    NULL};
	char *out;

	return transaction_ask(host, trial ? tried : real, arena, &out, ret_why, err);
}

static const char *trial_path(struct arena *arena, const char *path)
{
	return arena_printf(arena, "%s/%s", strcmp(path, SOURCE_LIST) == 0 ? TRIAL : TRIAL_PARTS,
	                    path_name(path));
}

/* What a trial left behind, this one or one that was cut off. */
static int clear_trial(struct host *host, struct arena *arena, struct err *err)
{
	static const char *const folders[] = {TRIAL_PARTS, TRIAL};

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		struct file_names names = {0};
		struct err fault = {0};

		if (host->ops->list(host, folders[i], arena, &names, &fault)) {
			if (fault.os == ENOENT) {
				continue;
			}
			return err_copy(err, &fault);
		}
		for (size_t k = 0; k < names.count; k++) {
			if (host->ops->remove_file(host, path_join(arena, folders[i], names.list[k]), err)) {
				return -(int)err->code;
			}
		}
		if (host->ops->remove_directory(host, folders[i], err)) {
			return -(int)err->code;
		}
	}
	return 0;
}

static int make_trial(struct host *host, const struct source_files *files, struct arena *arena,
                      struct err *err)
{
	static const char *const folders[] = {"/var/cache/reconcile", TRIAL, TRIAL_PARTS};

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		struct file_look look;

		if (host->ops->look(host, folders[i], &look, err) ||
		    (look.type == FILE_NONE && host->ops->make_directory(host, folders[i], 0755, err))) {
			return -(int)err->code;
		}
	}
	for (size_t i = 0; i < files->count; i++) {
		const struct source_file *file = &files->list[i];
		const struct file_write write = {
		    .data = file->after, .length = file->after ? strlen(file->after) : 0, .mode = 0600};

		if (file->after && host->ops->write(host, trial_path(arena, file->path), &write, err)) {
			return -(int)err->code;
		}
	}
	return 0;
}

/* Would apt read them? Nothing of its own is touched. */
static int try_out(struct host *host, const struct source_files *files, struct arena *arena,
                   const char **ret_why, struct err *err)
{
	return clear_trial(host, arena, err) || make_trial(host, files, arena, err) ||
	               ask_apt(host, true, arena, ret_why, err)
	           ? -(int)err->code
	           : clear_trial(host, arena, err);
}

static int put(struct host *host, const struct source_file *file, const char *text, struct err *err)
{
	const struct file_write write = {
	    .data = text,
	    .length = text ? strlen(text) : 0,
	    .mode = file->mode,
	    .uid = file->uid,
	    .gid = file->gid,
	};
	struct err fault = {0};

	if (text) {
		return host->ops->write(host, file->path, &write, err);
	}
	if (host->ops->remove_file(host, file->path, &fault) && fault.os != ENOENT) {
		return err_copy(err, &fault);
	}
	return 0;
}

static int put_all(struct host *host, const struct source_files *files, bool back, struct err *err)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct source_file *file = &files->list[i];

		if (file->after != file->text && put(host, file, back ? file->text : file->after, err)) {
			return -(int)err->code;
		}
	}
	return 0;
}

static int apply(struct host *host, const struct change *change, struct arena *arena,
                 struct applied *applied, struct err *err)
{
	struct source_files files;
	const char *why = NULL;

	if (source_files_read(host, arena, &files, err)) {
		return -(int)err->code;
	}
	source_files_plan(arena, &files, change->want);
	if (try_out(host, &files, arena, &why, err)) {
		return -(int)err->code;
	}
	if (why) {
		applied->outcome = OUTCOME_FAILED;
		applied->why = arena_printf(
		    arena, "nothing was changed, apt could not read its sources with it: %s", why);
		return 0;
	}
	/* The key first: a source whose key is missing is worse than a key without a source. */
	if (write_key(host, change, arena, err) || put_all(host, &files, false, err) ||
	    ask_apt(host, false, arena, &why, err)) {
		return -(int)err->code;
	}
	if (why) {
		if (put_all(host, &files, true, err)) {
			return -(int)err->code;
		}
		applied->outcome = OUTCOME_FAILED;
		applied->why =
		    arena_printf(arena, "taken back, apt could not read its sources with it: %s", why);
	}
	return 0;
}

const struct provider provider_package_source = {
    .kind = KIND_PACKAGE_SOURCE,
    .timeout_ms = KEY_TIMEOUT_MS,
    .check = check,
    .observe = observe,
    .list = list,
    .diff = diff,
    .apply = apply,
    .predict = predict,
};
