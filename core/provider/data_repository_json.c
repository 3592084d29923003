// SPDX-License-Identifier: MIT
/* See data_repository.h. Names and rules are those of the service model of 2018-03-01. */
#include "provider/data_repository.h"

#include "base/digest.h"
#include "base/json.h"
#include "base/str.h"

#include <string.h>

enum { ASSOCIATIONS_MOST = 8 };

/* The service adds the slash at the end, or does not. */
static const char *slashed(struct arena *arena, const char *path)
{
	return text_ends(path, "/") ? path : arena_printf(arena, "%s/", path);
}

static bool is_same_path(struct arena *arena, const char *a, const char *b)
{
	return a && b && strcmp(slashed(arena, a), slashed(arena, b)) == 0;
}

/* The same, or one within the other: the service wants neither. */
static bool overlaps(struct arena *arena, const char *a, const char *b)
{
	if (!a || !b) {
		return false;
	}
	a = slashed(arena, a);
	b = slashed(arena, b);
	return text_starts(a, b) || text_starts(b, a);
}

/* ---- From the service ---- */

static struct list events_of(struct arena *arena, const struct value *association,
                             const char *policy)
{
	const struct value *s3 = value_get(association, "S3");
	const struct value *part = s3 ? value_get(s3, policy) : NULL;
	const struct value *events = part ? value_get(part, "Events") : NULL;
	size_t n = events && events->type == VALUE_LIST ? events->count : 0;
	const char **items = arena_array(arena, n, sizeof *items);
	struct list list = {.set = true, .items = items};

	for (size_t i = 0; i < n; i++) {
		if (events->items[i].type == VALUE_STRING) {
			items[list.count++] = events->items[i].string;
		}
	}
	return list;
}

static void take_association(struct arena *arena, const struct value *association,
                             const struct data_repository *want, struct data_repository *have)
{
	const struct value *failure = value_get(association, "FailureDetails");
	const char *repository = value_text(association, "DataRepositoryPath");

	have->association = value_text(association, "AssociationId");
	if (!have->association) {
		have->unasked = "the service tells of an association without an id";
		return;
	}
	have->lifecycle = value_text(association, "Lifecycle");
	have->lifecycle = have->lifecycle ? have->lifecycle : "unknown";
	have->failure = failure ? value_text(failure, "Message") : NULL;
	/* With or without the slash at its end it is the same bucket. */
	have->repository =
	    is_same_path(arena, repository, want->repository) ? want->repository : repository;
	have->file_system = value_text(association, "FileSystemId");
	have->import_events = events_of(arena, association, "AutoImportPolicy");
	have->export_events = events_of(arena, association, "AutoExportPolicy");
	have->chunk_mib = (struct number){
	    .set = value_get(association, "ImportedFileChunkSize") != NULL,
	    .value = value_number(association, "ImportedFileChunkSize", 0),
	};
}

/* File systems made with an import path, and SCRATCH_1 in any case, know no associations. */
static void take_legacy(struct arena *arena, const struct value *file_system,
                        struct data_repository *have)
{
	const struct value *lustre = value_get(file_system, "LustreConfiguration");
	const struct value *old = lustre ? value_get(lustre, "DataRepositoryConfiguration") : NULL;
	const char *type = lustre ? value_text(lustre, "DeploymentType") : NULL;
	const char *import = old ? value_text(old, "ImportPath") : NULL;
	const char *export = old ? value_text(old, "ExportPath") : NULL;
	const char *policy = old ? value_text(old, "AutoImportPolicy") : NULL;

	if (import) {
		have->legacy = arena_printf(arena, "ImportPath=%s ExportPath=%s AutoImportPolicy=%s",
		                            import, export ? export : "none", policy ? policy : "NONE");
	} else if (text_equal(type, "SCRATCH_1")) {
		have->legacy = "SCRATCH_1";
	}
}

/* Is another file system mounted there than the one that is asked about? Then nothing that the
 * service says is about this directory. */
static bool is_another(struct arena *arena, const struct value *file_system, const char *mounted,
                       const struct data_repository *want, struct data_repository *have)
{
	const struct value *lustre = value_get(file_system, "LustreConfiguration");
	const char *name = lustre ? value_text(lustre, "MountName") : NULL;

	if (!name || !mounted || strcmp(name, mounted) == 0) {
		return false;
	}
	have->lifecycle = "impossible";
	have->failure = arena_printf(arena, "%s is mounted as %s, and what is mounted here is %s",
	                             want->file_system, name, mounted);
	return true;
}

static const char *named(const struct value *association, const char *member)
{
	const char *text = value_text(association, member);

	return text ? text : "(not told)";
}

/* What speaks against making one more. */
static void find_hindrance(struct arena *arena, const struct value *associations,
                           const struct data_repository *want, struct data_repository *have)
{
	for (size_t i = 0; i < associations->count && !have->failure; i++) {
		const struct value *a = &associations->items[i];
		const char *state = value_text(a, "Lifecycle");
		const char *path = value_text(a, "FileSystemPath");
		const char *repository = value_text(a, "DataRepositoryPath");

		if (overlaps(arena, path, have->file_system_path) ||
		    overlaps(arena, repository, want->repository)) {
			have->lifecycle = "impossible";
			have->failure = arena_printf(arena, "it would overlap with %s, which ties %s to %s",
			                             named(a, "AssociationId"), named(a, "FileSystemPath"),
			                             named(a, "DataRepositoryPath"));
		} else if (text_equal(state, "CREATING") || text_equal(state, "UPDATING") ||
		           text_equal(state, "DELETING")) {
			have->lifecycle = "busy";
			have->failure =
			    arena_printf(arena, "waits for %s, which is %s: the service works at one at a time",
			                 named(a, "AssociationId"), state);
		}
	}
	if (!have->failure && associations->count >= ASSOCIATIONS_MOST) {
		have->lifecycle = "impossible";
		have->failure =
		    arena_printf(arena, "the file system has %zu associations, and %d is the most",
		                 associations->count, ASSOCIATIONS_MOST);
	}
}

void data_repository_take(struct arena *arena, const struct value *description,
                          const struct data_repository *want, const char *mounted,
                          struct data_repository *have)
{
	static const struct value none = {.type = VALUE_LIST};
	const struct value *file_system = value_get(description, "file_system");
	const struct value *associations = value_get(description, "associations");

	if (file_system && is_another(arena, file_system, mounted, want, have)) {
		return;
	}
	if (file_system) {
		take_legacy(arena, file_system, have);
	}
	if (!associations || associations->type != VALUE_LIST) {
		associations = &none;
	}
	for (size_t i = 0; i < associations->count; i++) {
		const struct value *a = &associations->items[i];

		if (is_same_path(arena, value_text(a, "FileSystemPath"), have->file_system_path)) {
			take_association(arena, a, want, have);
			return;
		}
	}
	find_hindrance(arena, associations, want, have);
}

/* ---- To the service ---- */

static struct value policy_of(struct arena *arena, const struct list *events)
{
	struct value list = value_list(), policy = value_map();

	for (size_t i = 0; i < events->count; i++) {
		value_append(arena, &list, value_string(events->items[i]));
	}
	value_put(arena, &policy, "Events", list);
	return policy;
}

/* Does a request for a change name this policy? One that is empty turns off what is on: Events has
 * a greatest length and no least (API_AutoImportPolicy), and what leaving it out means is not told.
 * Nothing is on of what is about to be made. */
static bool is_said(const struct change *change, const struct list *wanted, const struct list *used)
{
	return used->count || (wanted->set && change->action == ACTION_UPDATE);
}

/* Both policies always go together: what is not wanted otherwise stays as it is. */
static void put_events(struct arena *arena, const struct change *change, struct value *request)
{
	const struct data_repository *want = &change->want->data_repository;
	const struct data_repository *have = &change->have->data_repository;
	const struct list *import =
	    want->import_events.set ? &want->import_events : &have->import_events;
	const struct list *export =
	    want->export_events.set ? &want->export_events : &have->export_events;
	struct value s3 = value_map();

	if (is_said(change, &want->import_events, import)) {
		value_put(arena, &s3, "AutoImportPolicy", policy_of(arena, import));
	}
	if (is_said(change, &want->export_events, export)) {
		value_put(arena, &s3, "AutoExportPolicy", policy_of(arena, export));
	}
	if (s3.count || change->action == ACTION_UPDATE) {
		value_put(arena, request, "S3", s3);
	}
	if (want->chunk_mib.set) {
		value_put(arena, request, "ImportedFileChunkSize", value_int(want->chunk_mib.value));
	}
}

/* The same request twice, after a crash in between, is one request; the same wish after something
 * else was in force is another one. At most 63 characters. */
static const char *token_of(struct arena *arena, const struct change *change, struct value *request)
{
	struct value basis = value_map();

	value_seal(request);
	value_put(arena, &basis, "request", *request);
	value_put(arena, &basis, "found", resource_to_value(arena, change->have));
	value_seal(&basis);
	return arena_printf(arena, "reconcile-%.40s", digest_value(&basis).hex);
}

const char *data_repository_request(struct arena *arena, const struct change *change)
{
	const struct data_repository *want = &change->want->data_repository;
	const struct data_repository *have = &change->have->data_repository;
	AUTO(str_free) struct str text = {0};
	struct value request = value_map();

	if (change->action == ACTION_CREATE) {
		value_put(arena, &request, "FileSystemId", value_string(want->file_system));
		value_put(arena, &request, "FileSystemPath", value_string(have->file_system_path));
		value_put(arena, &request, "DataRepositoryPath", value_string(want->repository));
		if (want->batch_import.set) {
			value_put(arena, &request, "BatchImportMetaDataOnCreate",
			          value_bool(want->batch_import.value));
		}
		put_events(arena, change, &request);
	} else {
		value_put(arena, &request, "AssociationId", value_string(have->association));
		if (change->action == ACTION_UPDATE) {
			put_events(arena, change, &request);
		} else {
			value_put(arena, &request, "DeleteDataInFileSystem", value_bool(false));
		}
	}
	value_put(arena, &request, "ClientRequestToken",
	          value_string(token_of(arena, change, &request)));
	value_seal(&request);
	json_print(&text, &request, 0);
	return arena_strdup(arena, str_text(&text));
}
