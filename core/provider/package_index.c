// SPDX-License-Identifier: MIT
/*
 * Kind package_index: the lists of what can be installed, not older than max_age. apt says of an
 * update only that it went well, and keeps no time of it that can be relied on: a success leaves
 * the stamp that apt's own timer and others know (/var/lib/apt/periodic/update-success-stamp).
 */
#include "base/clock.h"
#include "base/path.h"
#include "base/str.h"
#include "provider/source_files.h"
#include "provider/table.h"
#include "provider/transaction.h"

#define STAMP_FOLDER "/var/lib/apt/periodic"
#define STAMP STAMP_FOLDER "/update-success-stamp"

static int check(const struct resource *want, struct err *err)
{
	const char *max_age = want->package_index.max_age;

	if (max_age && clock_duration(max_age) <= 0) {
		return err_set(err, ERR_INPUT, 0,
		               "max_age: %s is no time that an index could be younger than", max_age);
	}
	return 0;
}

/* Was it written after the index was made? By the times of files; one that is still to come says
 * nothing: the clock was wrong, and would make the index old for ever. */
static int is_newer(struct host *host, const char *path, int64_t made_ns, bool *ret_newer,
                    struct err *err)
{
	struct file_look look;

	if (host->ops->look(host, path, &look, err)) {
		return -(int)err->code;
	}
	*ret_newer = look.type == FILE_REGULAR && look.modified_ns > made_ns &&
	             look.modified_ns / 1000000000 <= clock_now();
	return 0;
}

/* The file of sources, or the key of one, that the index does not know yet. */
static int find_newer(struct host *host, int64_t age, struct arena *arena, const char **ret_path,
                      struct err *err)
{
	int64_t made_ns = (clock_now() - age) * 1000000000;
	struct source_files files;
	struct file_look stamp;
	bool newer = false;

	if (source_files_read(host, arena, &files, err) || host->ops->look(host, STAMP, &stamp, err)) {
		return -(int)err->code;
	}
	/* The age is told in whole seconds; what was refreshed here is known better. */
	if (stamp.type == FILE_REGULAR && stamp.modified_ns > made_ns) {
		made_ns = stamp.modified_ns;
	}
	for (size_t i = 0; i < files.count + files.entries.count; i++) {
		const char *path =
		    i < files.count ? files.list[i].path : files.entries.list[i - files.count].signed_by;
		bool is_used = i < files.count || files.entries.list[i - files.count].enabled;

		if (!path || path_fault(path) || !is_used) {
			continue;
		}
		if (is_newer(host, path, made_ns, &newer, err)) {
			return -(int)err->code;
		}
		if (newer) {
			*ret_path = path;
			return 0;
		}
	}
	return 0;
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	struct resource *have = resource_create(arena, &kind_table[KIND_PACKAGE_INDEX], key);
	struct list names;
	int64_t age;

	(void)want;
	/* Where dpkg is not, apt's lists mean nothing. */
	if (host->ops->package_list(host, &names, err) ||
	    host->ops->package_index_age(host, &age, err)) {
		return -(int)err->code;
	}
	if (age >= 0) {
		have->package_index.age = (struct number){.set = true, .value = age};
	}
	if (age >= 0 && find_newer(host, age, arena, &have->package_index.outdated, err)) {
		return -(int)err->code;
	}
	*ret_have = resource_copy(arena, have);
	return 0;
}

static int list(struct host *host, struct arena *arena, struct keys *ret_keys, struct err *err)
{
	(void)host;
	(void)err;
	keys_add(arena, ret_keys, "apt");
	return 0;
}

static const char *span(struct arena *arena, int64_t seconds)
{
	AUTO(str_free) struct str text = {0};

	clock_add_span(&text, seconds * 1000);
	return arena_printf(arena, "%s old", str_text(&text));
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *verdict)
{
	const struct number *age = &have->package_index.age;
	const char *max_age = want->package_index.max_age ? want->package_index.max_age : "1d";

	const char *outdated = have->package_index.outdated;

	if (age->set && age->value <= clock_duration(max_age) && !outdated) {
		return;
	}
	verdict->outcome = OUTCOME_CHANGE;
	verdict->action = ACTION_RUN;
	if (outdated && age->set && age->value <= clock_duration(max_age)) {
		differences_add(arena, &verdict->differences, "age", span(arena, age->value),
		                "refreshed, since a source has changed");
		return;
	}
	differences_add(arena, &verdict->differences, "age", age->set ? span(arena, age->value) : NULL,
	                arena_printf(arena, "refreshed, at most %s old", max_age));
}

/* A node that cannot keep the time refreshes again the next time: no reason to fail. */
static void leave_stamp(struct host *host)
{
	struct file_write stamp = {.data = "", .mode = 0644};
	struct err fault = {0};

	if (host->ops->write(host, STAMP, &stamp, &fault)) {
		return;
	}
}

static int apply(struct host *host, const struct change *change, struct arena *arena,
                 struct applied *applied, struct err *err)
{
	/* Otherwise apt counts a source that it could not reach as a warning, and ends well. */
	static const char *const argv[] = {"apt-get",
	                                   "-q",
	                                   "-o",
	                                   "APT::Update::Error-Mode=any",
	                                   "-o",
	                                   "Acquire::Retries=2",
	                                   TRANSACTION_PATIENCE,
	                                   "update",
	                                   NULL};
	struct host_package_manager manager;
	struct transaction done;
	const char *busy;

	(void)change;
	if (transaction_busy(host, arena, &manager, &busy, err)) {
		return -(int)err->code;
	}
	if (transaction_run(host, &manager, argv, arena, &done, err)) {
		return -(int)err->code;
	}
	if (done.outcome == OUTCOME_CHANGED) {
		leave_stamp(host);
	}
	*applied = (struct applied){.outcome = done.outcome, .why = done.why, .detail = done.detail};
	return 0;
}

static const struct resource *predict(struct arena *arena, const struct change *change,
                                      bool *ret_exact)
{
	struct resource *after = resource_copy(arena, change->have);

	(void)ret_exact;
	after->package_index.age = (struct number){.set = true, .value = 0};
	after->package_index.outdated = NULL;
	return after;
}

const struct provider provider_package_index = {
    .kind = KIND_PACKAGE_INDEX,
    .waits_at_deadline = true,
    .check = check,
    .observe = observe,
    .list = list,
    .diff = diff,
    .apply = apply,
    .predict = predict,
};
