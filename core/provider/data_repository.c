// SPDX-License-Identifier: MIT
/*
 * Kind data_repository: a directory of a Lustre file system that is tied to a bucket. The
 * association belongs to the file system and not to the node. Every node checks the directory,
 * which comes with the association and is never made here: one below a target that is not mounted
 * would hide that it is missing. The one node whose policy sets `owner` also asks the FSx service,
 * and with `manage: owner` writes there. What lies on the file system is never deleted.
 */
#include "provider/data_repository.h"

#include "base/str.h"
#include "provider/fsx_call.h"
#include "provider/table.h"

#include <string.h>

/* ---- Rules ---- */

static int check(const struct resource *want, struct err *err)
{
	const struct data_repository *r = &want->data_repository;

	if (text_equal(r->manage, "owner") && (!r->owner || !r->file_system)) {
		return err_set(err, ERR_INPUT, 0,
		               "manage: owner needs owner, the node that writes it, and file_system");
	}
	return 0;
}

/* ---- Observe ---- */

/* Only the source of a Lustre mount is HOST@NETWORK:/NAME, whatever its type is called (LNet(8):
 * tcp, o2ib and others, with a number behind them). */
static bool is_lustre(const struct mount_row *row)
{
	static const char *const networks[] = {"@tcp", "@o2ib", "@kfi", "@gni"};
	const char *end = row->source ? strstr(row->source, ":/") : NULL;

	if (text_equal(row->type, "lustre")) {
		return true;
	}
	for (size_t i = 0; end && i < ARRAY_LEN(networks); i++) {
		const char *at = strstr(row->source, networks[i]);

		if (at && at < end) {
			at += strlen(networks[i]);
			return at + strspn(at, "0123456789") == end || strchr(",:", *at);
		}
	}
	return false;
}

/* What the file system is called by those that mount it: "fs" of 10.0.0.1@tcp:/fs/folder. */
static const char *mounted_name(struct arena *arena, const struct mount_row *row)
{
	const char *colon = row->source ? strstr(row->source, ":/") : NULL;

	return colon ? arena_printf(arena, "%.*s", (int)strcspn(colon + 2, "/"), colon + 2) : NULL;
}

/* The path within the file system: that of the node below the mount's target, below the folder of
 * the file system that is mounted (NID:/NAME/FOLDER). */
static const char *path_inside(struct arena *arena, const char *path, const struct mount_row *row)
{
	const char *colon = row->source ? strstr(row->source, ":/") : NULL;
	const char *folder = colon ? strchr(colon + 2, '/') : NULL;
	const char *below = path + strlen(row->target);

	below = *below ? below : "/";
	return folder && folder[1]
	           ? arena_printf(arena, "%s%s", folder, strcmp(below, "/") ? below : "")
	           : arena_strdup(arena, below);
}

static int ask_service(struct host *host, const struct resource *want, const struct mount_row *row,
                       struct arena *arena, struct data_repository *have, struct err *err)
{
	const struct data_repository *r = &want->data_repository;
	struct fsx_answer answer;

	if (!r->file_system) {
		have->unasked = "file_system is not set";
		return 0;
	}
	if (fsx_ask(host, &(struct fsx_question){"describe", r->file_system, r->region}, arena, &answer,
	            err)) {
		return -(int)err->code;
	}
	if (answer.trouble) {
		have->unasked = answer.why;
	} else {
		data_repository_take(arena, &answer.body, r, mounted_name(arena, row), have);
	}
	return 0;
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_DATA_REPOSITORY], key);
	const struct mount_table *table;
	struct file_look look;

	*ret_have = have;
	if (host->ops->mounts(host, &table, err)) {
		return -(int)err->code;
	}
	const struct mount_row *row = mount_table_over(table, key);

	if (!row || !is_lustre(row)) {
		have->state = STATE_ABSENT; /* its file system is not mounted: nothing below is looked at */
		return 0;
	}
	have->data_repository.file_system_path = path_inside(arena, key, row);
	if (host->ops->look(host, key, &look, err)) {
		return -(int)err->code;
	}
	have->data_repository.directory =
	    (struct truth){.set = true, .value = look.type == FILE_DIRECTORY};
	return want && want->data_repository.owner
	           ? ask_service(host, want, row, arena, &have->data_repository, err)
	           : 0;
}

/* ---- Diff ---- */

static void say(struct verdict *verdict, enum outcome outcome, const char *why)
{
	verdict->outcome = outcome;
	verdict->why = why;
}

static bool is_one_of(const char *word, const char *const *words)
{
	for (size_t i = 0; words[i]; i++) {
		if (text_equal(word, words[i])) {
			return true;
		}
	}
	return false;
}

/* An empty list is a wish as any other. */
static const char *shown(struct arena *arena, const struct field *field, const struct resource *r)
{
	const char *text = compare_show(arena, field, r);

	return field->type == FIELD_LIST && !*text ? "none" : text;
}

static void compare_association(struct arena *arena, const struct resource *want,
                                const struct resource *have, struct verdict *verdict)
{
	static const char *const fields[] = {"repository", "import", "export", "chunk_mib"};
	const struct kind *kind = want->kind;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const struct field *field = field_find(kind->fields, kind->field_count, fields[i]);

		if (!compare_field(field, want, have)) {
			differences_add(arena, &verdict->differences, field->name,
			                field_is_set(field, have) ? shown(arena, field, have) : NULL,
			                shown(arena, field, want));
		}
	}
}

/* There is none for this directory. */
static void diff_missing(struct arena *arena, const struct resource *want,
                         const struct resource *have, struct verdict *verdict)
{
	const struct data_repository *h = &have->data_repository;

	compare_association(arena, want, have, verdict);
	if (h->legacy) {
		say(verdict, OUTCOME_BLOCKED,
		    arena_printf(arena,
		                 "%s is tied to a bucket as a whole, in the older way (%s): it takes no "
		                 "associations",
		                 want->data_repository.file_system, h->legacy));
	} else if (h->failure) {
		say(verdict, text_equal(h->lifecycle, "busy") ? OUTCOME_PENDING : OUTCOME_BLOCKED,
		    h->failure);
	} else if (!text_equal(want->data_repository.manage, "owner")) {
		say(verdict, OUTCOME_PENDING,
		    arena_printf(arena, "%s has no association for %s; it is only observed",
		                 want->data_repository.file_system,
		                 h->file_system_path ? h->file_system_path : want->key));
	} else {
		say(verdict, OUTCOME_CHANGE, NULL);
		verdict->action = ACTION_CREATE;
	}
}

static bool is_repository_same(const struct resource *want, const struct resource *have)
{
	const struct kind *kind = want->kind;

	return compare_field(field_find(kind->fields, kind->field_count, "repository"), want, have);
}

/* There is one, and it is not as wanted. */
static void diff_association(struct arena *arena, const struct resource *want,
                             const struct resource *have, struct verdict *verdict)
{
	const struct data_repository *h = &have->data_repository;

	if (!text_equal(want->data_repository.manage, "owner")) {
		say(verdict, OUTCOME_PENDING,
		    arena_printf(arena, "%s is not as wanted; it is only observed", h->association));
		return;
	}
	say(verdict, OUTCOME_CHANGE, NULL);
	verdict->action = ACTION_UPDATE;
	/* UpdateDataRepositoryAssociation changes neither of the two paths. */
	if (!is_repository_same(want, have)) {
		verdict->action = ACTION_REPLACE;
		verdict->marks |= MARK_DISRUPTIVE | MARK_IRREVERSIBLE;
	}
}

/* What the service makes of it is no field that is wanted, and is not hidden by those that are. */
static void add_lifecycle(struct arena *arena, const struct data_repository *h,
                          struct verdict *verdict)
{
	if (!text_equal(h->lifecycle, "AVAILABLE")) {
		differences_add(arena, &verdict->differences, "lifecycle",
		                h->failure ? arena_printf(arena, "%s: %s", h->lifecycle, h->failure)
		                           : h->lifecycle,
		                "AVAILABLE");
	}
}

/* A failed one never comes back. It is replaced where another repository is wanted; the very same
 * would fail again, unless somebody put right what the service says. */
static void diff_failed(struct arena *arena, const struct resource *want,
                        const struct resource *have, struct verdict *verdict)
{
	const struct data_repository *h = &have->data_repository;

	if (text_equal(want->data_repository.manage, "owner") && !is_repository_same(want, have)) {
		add_lifecycle(arena, h, verdict);
		diff_association(arena, want, have, verdict);
		return;
	}
	say(verdict, OUTCOME_BLOCKED,
	    arena_printf(arena,
	                 "%s is FAILED, which is final: %s; once that is put right, delete it (aws fsx "
	                 "delete-data-repository-association --association-id %s "
	                 "--no-delete-data-in-file-system), and with manage: owner the next run "
	                 "creates it anew",
	                 h->association, h->failure ? h->failure : "the service does not say why",
	                 h->association));
}

static void diff_asked(struct arena *arena, const struct resource *want,
                       const struct resource *have, struct verdict *verdict)
{
	static const char *const moving[] = {"CREATING", "UPDATING", "DELETING", NULL};
	const struct data_repository *h = &have->data_repository;

	if (!h->association) {
		diff_missing(arena, want, have, verdict);
		return;
	}
	compare_association(arena, want, have, verdict);
	if (is_one_of(h->lifecycle, moving)) {
		say(verdict, OUTCOME_PENDING,
		    arena_printf(arena, "%s is %s: the service is at it", h->association, h->lifecycle));
	} else if (text_equal(h->lifecycle, "FAILED")) {
		diff_failed(arena, want, have, verdict);
	} else if (verdict->differences.count) {
		add_lifecycle(arena, h, verdict);
		diff_association(arena, want, have, verdict);
	} else if (!text_equal(h->lifecycle, "AVAILABLE")) {
		say(verdict, OUTCOME_BLOCKED,
		    arena_printf(arena, "%s is %s: %s; it mends itself once that is put right",
		                 h->association, h->lifecycle,
		                 h->failure ? h->failure : "the service does not say why"));
	} else if (!h->directory.value) {
		say(verdict, OUTCOME_BLOCKED,
		    arena_printf(arena, "%s is AVAILABLE, and %s is missing on the mounted file system",
		                 h->association, want->key));
	}
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *verdict)
{
	const struct data_repository *h = &have->data_repository;

	if (have->state == STATE_ABSENT) {
		say(verdict, OUTCOME_BLOCKED,
		    arena_printf(arena, "%s lies on no Lustre mount: its file system is not mounted",
		                 want->key));
	} else if (h->unasked) {
		say(verdict, OUTCOME_UNDETERMINED,
		    arena_printf(arena, "the association cannot be told: %s", h->unasked));
	} else if (want->data_repository.owner) {
		diff_asked(arena, want, have, verdict);
	} else if (!h->directory.value) {
		say(verdict, OUTCOME_BLOCKED,
		    arena_printf(arena,
		                 "%s is missing on the mounted file system; reconcile never creates it",
		                 want->key));
	}
}

/* ---- Apply ---- */

static int apply(struct host *host, const struct change *change, struct arena *arena,
                 struct applied *applied, struct err *err)
{
	const struct data_repository *h = &change->have->data_repository;
	const char *verb = change->action == ACTION_CREATE   ? "create"
	                   : change->action == ACTION_UPDATE ? "update"
	                                                     : "delete";
	const char *request = data_repository_request(arena, change);
	struct fsx_answer answer;

	if (fsx_ask(host, &(struct fsx_question){verb, request, change->want->data_repository.region},
	            arena, &answer, err)) {
		return -(int)err->code;
	}
	if (answer.trouble) {
		*applied = (struct applied){.outcome = OUTCOME_FAILED, .why = answer.why};
		return 0;
	}
	const struct value *association = value_get(&answer.body, "Association");
	const char *id = association ? value_text(association, "AssociationId") : h->association;

	*applied = (struct applied){
	    .outcome = OUTCOME_PENDING,
	    .why = change->action == ACTION_REPLACE
	               ? arena_printf(arena,
	                              "%s is being deleted, and what lies on the file system stays; a "
	                              "later run creates the new one",
	                              h->association)
	               : arena_printf(arena, "the service %ss %s; that takes minutes", verb,
	                              id ? id : "it"),
	};
	return 0;
}

static const struct resource *predict(struct arena *arena, const struct change *change,
                                      bool *ret_exact)
{
	struct resource *after = resource_copy(arena, change->have);

	after->data_repository.lifecycle = change->action == ACTION_UPDATE   ? "UPDATING"
	                                   : change->action == ACTION_CREATE ? "CREATING"
	                                                                     : "DELETING";
	*ret_exact = false;
	return after;
}

const struct provider provider_data_repository = {
    .kind = KIND_DATA_REPOSITORY,
    .check = check,
    .observe = observe,
    .diff = diff,
    .apply = apply,
    .predict = predict,
};
