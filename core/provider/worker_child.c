// SPDX-License-Identifier: MIT
/* See worker_inner.h: the child's side. It may block anywhere; nobody depends on it but its socket.
 * */
#include "base/child.h"
#include "base/clock.h"
#include "base/path.h"
#include "provider/mount_explain.h"
#include "provider/worker_inner.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

struct serving {
	int fd;
	struct host host;
};

/* With what a program that was run has left running, if any did: nobody else knows of it. */
static int answer(struct serving *s, const struct value *value, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct value all = value_map(), list = value_list();
	struct child_left left;

	child_run_left(&left);
	if (!left.count) {
		return wire_send(s->fd, value, 0, err);
	}
	for (size_t i = 0; i < left.count; i++) {
		struct value process = value_map();

		value_put(arena, &process, "pid", value_int(left.list[i].pid));
		value_put(arena, &process, "starttime", value_int((int64_t)left.list[i].starttime));
		value_append(arena, &list, process);
	}
	value_put(arena, &all, "answer", *value);
	value_put(arena, &all, "left", list);
	value_seal(&all);
	return wire_send(s->fd, &all, 0, err);
}

/* Makes every text of the value fit for a message. */
static void clean(struct arena *arena, struct value *value)
{
	AUTO(str_free) struct str text = {0};

	switch (value->type) {
	case VALUE_STRING:
		if (text_utf8_until(value->string, strlen(value->string)) != strlen(value->string)) {
			str_add_printable(&text, value->string, strlen(value->string));
			value->string = arena_strdup(arena, str_text(&text));
		}
		break;
	case VALUE_LIST:
		for (size_t i = 0; i < value->count; i++) {
			clean(arena, &value->items[i]);
		}
		break;
	case VALUE_MAP:
		for (size_t i = 0; i < value->count; i++) {
			clean(arena, &value->entries[i].value);
		}
		break;
	default:
		break;
	}
}

/* Our own parent asks, so a request that makes no sense is a defect. */
static int misunderstood(struct err *err)
{
	return err_set(err, ERR_BUG, 0, "a worker was asked for something it does not know");
}

/* Wanted ones too are read as observed: completing them has set fields that may only stand there.
 * */
static int read_resource(struct arena *arena, const struct value *value,
                         struct resource **ret_resource, struct err *err)
{
	struct diags diags = {.arena = arena};

	*ret_resource = NULL;
	if (!value) {
		return 0;
	}
	*ret_resource = resource_from_value(arena, value, USE_OBSERVED, &diags);
	return *ret_resource ? 0 : err_copy(err, &diags.list[0].err);
}

/* ---- observe, list, apply ---- */

static int observe_one(struct serving *s, const struct value *item, struct arena *arena,
                       struct value *ret_answer, struct err *err)
{
	const char *name = value_text(item, "kind"), *key = value_text(item, "key");
	const struct kind *kind = name ? kind_find(name) : NULL;
	struct resource *want, *have;

	if (!kind || !key) {
		return misunderstood(err);
	}
	if (read_resource(arena, value_get(item, "want"), &want, err) ||
	    converge_observe(&s->host, kind, key, want, arena, &have, err)) {
		return -(int)err->code;
	}
	*ret_answer = resource_to_value(arena, have);
	return 0;
}

static int observe(struct serving *s, const struct value *request, struct err *err)
{
	const struct value *items = value_get(request, "items");

	if (!items || items->type != VALUE_LIST) {
		return misunderstood(err);
	}
	if (value_truth(request, "fresh", false)) {
		host_forget(&s->host);
	}
	for (size_t i = 0; i < items->count; i++) {
		AUTO(arena_auto) struct arena *arena = arena_create();
		struct err fault = {0};
		struct value value;

		s->host.arena = arena;
		if (observe_one(s, &items->items[i], arena, &value, &fault)) {
			value = worker_error(arena, &fault);
		}
		clean(arena, &value);
		s->host.arena = NULL;
		if (answer(s, &value, err)) {
			return -(int)err->code;
		}
	}
	return 0;
}

static int list(struct serving *s, const struct value *request, struct arena *arena,
                struct value *ret_answer, struct err *err)
{
	const char *name = value_text(request, "kind");
	const struct kind *kind = name ? kind_find(name) : NULL;
	struct value keys = value_list(), map = value_map();
	struct keys found;

	if (!kind) {
		return misunderstood(err);
	}
	host_forget(&s->host);
	if (converge_list(&s->host, kind, arena, &found, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < found.count; i++) {
		value_append(arena, &keys, value_string(found.list[i]));
	}
	value_put(arena, &map, "keys", keys);
	value_seal(&map);
	*ret_answer = map;
	return 0;
}

static int apply(struct serving *s, const struct value *request, struct arena *arena,
                 struct value *ret_answer, struct err *err)
{
	struct value map = value_map();
	struct resource *want, *have;
	struct applied applied;

	if (read_resource(arena, value_get(request, "want"), &want, err) ||
	    read_resource(arena, value_get(request, "have"), &have, err)) {
		return -(int)err->code;
	}
	if (!want || !have) {
		return misunderstood(err);
	}
	struct change change = {
	    .kind = want->kind,
	    .action = (enum action)value_number(request, "action", ACTION_NONE),
	    .want = want,
	    .have = have,
	};

	int64_t patience_ms = value_number(request, "patience_ms", 0);

	s->host.patience = patience_ms > 0 ? clock_ms() + patience_ms : 0;
	int r = converge_apply(&s->host, &change, arena, &applied, err);

	s->host.patience = 0;
	if (r) {
		return r;
	}
	value_put(arena, &map, "outcome", value_int((int64_t)applied.outcome));
	value_put(arena, &map, "why", value_string(applied.why));
	value_put(arena, &map, "detail", value_string(applied.detail));
	value_seal(&map);
	*ret_answer = map;
	return 0;
}

/* Why may this mount have been waited for in vain? */
static int silence(struct serving *s, const struct value *request, struct arena *arena,
                   struct value *ret_answer, struct err *err)
{
	struct value map = value_map();
	struct resource *want;
	const char *words;

	if (read_resource(arena, value_get(request, "want"), &want, err)) {
		return -(int)err->code;
	}
	if (!want || want->kind->id != KIND_MOUNT || !want->mount.source) {
		return misunderstood(err);
	}
	if (mount_explain_silence(&s->host, want, arena, &words, err)) {
		return -(int)err->code;
	}
	value_put(arena, &map, "words", value_string(words));
	value_seal(&map);
	*ret_answer = map;
	return 0;
}

/* Which mount does the path lie on? From the table alone: the path may be what hangs. */
static int over(struct serving *s, const struct value *request, struct arena *arena,
                struct value *ret_answer, struct err *err)
{
	const char *path = value_text(request, "path");
	const struct mount_table *table;
	struct value map = value_map();

	if (!path) {
		return misunderstood(err);
	}
	host_forget(&s->host);
	if (s->host.ops->mounts(&s->host, &table, err)) {
		return -(int)err->code;
	}
	const struct mount_row *row = mount_table_over(table, path);

	value_put(arena, &map, "target", value_string(row ? row->target : NULL));
	value_put(arena, &map, "id", value_int(row ? (int64_t)row->id : 0));
	value_seal(&map);
	*ret_answer = map;
	return 0;
}

/* ---- Trees and files ---- */

static int send_file(void *context, const struct tree_file *file, struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct value map = value_map();

	value_put(arena, &map, "name", value_string(file->name));
	value_put(arena, &map, "path", value_string(file->path));
	value_put(arena, &map, "text", value_string(worker_pack(arena, file->text, file->length)));
	value_seal(&map);
	clean(arena, &map);
	return answer(context, &map, err);
}

static int tree(struct serving *s, const struct value *request, struct value *ret_answer,
                struct err *err)
{
	const char *dir = value_text(request, "path"), *shown = value_text(request, "shown");
	struct tree_sink sink = {.take = send_file, .context = s};

	if (!dir || !shown) {
		return misunderstood(err);
	}
	*ret_answer = value_null(); /* that was all */
	return tree_read(dir, shown, value_truth(request, "trusted", true), &sink, err);
}

static int file(const struct value *request, struct arena *arena, struct value *ret_answer,
                struct err *err)
{
	const char *path = value_text(request, "path");
	struct value map = value_map();
	struct file_bytes bytes;

	if (!path) {
		return misunderstood(err);
	}
	if (files_own_read(path, value_truth(request, "trusted", true),
	                   (size_t)value_number(request, "most", 0), arena, &bytes, err)) {
		err->code = err->code == ERR_HOST || err->code == ERR_LIMIT ? ERR_INPUT : err->code;
		return -(int)err->code;
	}
	value_put(arena, &map, "text", value_string(worker_pack(arena, bytes.data, bytes.length)));
	*ret_answer = map;
	return 0;
}

/* Comes back as soon as the file system does. Names may be known here of which the server has not
 * been asked for long; statfs(2) asks it. */
static int answers(const struct value *request, struct arena *arena, struct err *err)
{
	const char *path = value_text(request, "path");
	struct err ignored = {0};
	struct file_bytes bytes;
	struct statfs st;

	if (!path) {
		return misunderstood(err);
	}
	/* Whatever is wrong with it, it answered. */
	(void)!files_own_read(path, false, 0, arena, &bytes, &ignored);
	while (path && *path == '/' && path[1] && statfs(path, &st)) {
		path = path_parent(arena, path);
	}
	return 0;
}

/* ---- The loop ---- */

static int serve(struct serving *s, const struct value *request, struct arena *arena,
                 struct err *err)
{
	const char *op = value_text(request, "op");
	struct value value = value_null();
	struct err fault = {0};
	int r;

	op = op ? op : "";
	if (strcmp(op, "observe") == 0) {
		return observe(s, request, err);
	} else if (strcmp(op, "list") == 0) {
		r = list(s, request, arena, &value, &fault);
	} else if (strcmp(op, "apply") == 0) {
		r = apply(s, request, arena, &value, &fault);
	} else if (strcmp(op, "silence") == 0) {
		r = silence(s, request, arena, &value, &fault);
	} else if (strcmp(op, "over") == 0) {
		r = over(s, request, arena, &value, &fault);
	} else if (strcmp(op, "tree") == 0) {
		r = tree(s, request, &value, &fault);
	} else if (strcmp(op, "answers") == 0) {
		r = answers(request, arena, &fault);
	} else if (strcmp(op, "file") == 0) {
		r = file(request, arena, &value, &fault);
	} else {
		r = misunderstood(&fault);
	}
	if (r) {
		value = worker_error(arena, &fault);
	}
	clean(arena, &value);
	return answer(s, &value, err);
}

int worker_child(int fd, void *context)
{
	const struct worker_options *options = context;
	struct serving s = {.fd = fd};
	struct err err;
	int r = 0;

	/* Modes of ours are said in full; what a mount helper starts makes files of its own. */
	umask(022);
	if (chdir("/")) {
		return 1;
	}
	host_init(&s.host, &host_linux_ops, NULL);
	/* Less than whoever asks waits: what cannot be told in time is said, with the reason, before
	 * the whole worker is given up. */
	s.host.look_ms = options ? options->observe_ms - options->observe_ms / 5 : 0;
	while (!r) {
		AUTO(arena_auto) struct arena *arena = arena_create();
		struct value request;

		s.host.arena = arena;
		r = wire_receive(fd, arena, 0, &request, &err);
		r = r ? r : serve(&s, &request, arena, &err);
	}
	host_done(&s.host);
	return err.code == ERR_GONE ? 0 : 1;
}
