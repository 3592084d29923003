// SPDX-License-Identifier: MIT
/* See preflight_apt.h. */
#include "engine/preflight_apt.h"

#include "base/path.h"
#include "provider/release.h"

#include <errno.h>
#include <string.h>

enum { LIST_MOST = 16 << 20 };

/* A file that goes with its package and that something wanted needs. */
struct gone {
	const char *package, *path;
	const char *release; /* NULL: it belongs to no kernel */
	const char *module;  /* with release: which one; NULL: the kernel's image */
	const char *type;    /* without: the file system that it is the mount helper of */
};

struct judging {
	const struct preflight_case *c;
	const struct preflight_wants *wants;
	const struct allowed_list *allowed;
	const struct transaction_list *transaction;
	struct arena *arena;
	struct preflight_apt *ret;
	struct gone *gone;
	size_t gone_count, gone_cap;
	const struct kernel *kernel;
};

/* ---- What goes ---- */

static bool is_module_file(const char *file, const char *module)
{
	size_t n = strlen(module);

	for (size_t i = 0; i < n; i++) {
		/* modprobe(8): dashes and underscores are the same. */
		char a = file[i] == '-' ? '_' : file[i], b = module[i] == '-' ? '_' : module[i];

		if (a != b) {
			return false;
		}
	}
	return strncmp(file + n, ".ko", 3) == 0 && (!file[n + 3] || file[n + 3] == '.');
}

static void add_gone(struct judging *j, const struct gone *gone)
{
	j->gone = arena_grow(j->arena, j->gone, j->gone_count, &j->gone_cap, sizeof *j->gone);
	j->gone[j->gone_count++] = *gone;
}

/* What of a kernel, or of a wanted mount, that path is; false: nothing that matters. */
static bool classify(struct judging *j, const char *path, struct gone *ret_gone)
{
	static const char trees[] = "/lib/modules/", helpers[] = "/sbin/mount.";
	static const char images[] = "/boot/vmlinuz-";
	/* Before and after the merge of / and /usr. */
	const char *at = text_starts(path, "/usr/") ? path + strlen("/usr") : path;
	struct gone gone = {.path = path};

	if (text_starts(at, helpers)) {
		gone.type = at + strlen(helpers);
		for (size_t i = 0; i < j->wants->mount_count; i++) {
			if (strcmp(j->wants->mounts[i].type, gone.type) == 0) {
				*ret_gone = gone;
				return true;
			}
		}
	} else if (text_starts(at, images)) {
		gone.release = at + strlen(images);
		*ret_gone = gone;
		return true;
	} else if (text_starts(at, trees)) {
		at += strlen(trees);
		gone.release = arena_strndup(j->arena, at, strcspn(at, "/"));
		for (size_t i = 0; i < j->wants->wants.count; i++) {
			gone.module = j->wants->wants.list[i].module;
			if (is_module_file(path_name(path), gone.module)) {
				*ret_gone = gone;
				return true;
			}
		}
	}
	return false;
}

static void look_at_path(struct judging *j, const char *package, const char *path)
{
	struct gone gone;

	if (classify(j, path, &gone)) {
		gone.package = package;
		add_gone(j, &gone);
	}
}

/* dpkg keeps the files of a package in a list of its own. */
static int read_list(struct judging *j, const struct transaction_item *item, char **ret_text,
                     struct err *err)
{
	static const char folder[] = "/var/lib/dpkg/info";
	/* The second is that of packages of which there may be several architectures. */
	const char *const paths[] = {
	    arena_printf(j->arena, "%s/%s.list", folder, item->name),
	    arena_printf(j->arena, "%s/%s:%s.list", folder, item->name, item->architecture),
	};
	const char *text = NULL;

	for (size_t i = 0; i < ARRAY_LEN(paths) && !text; i++) {
		if (j->c->read(j->c->context, paths[i], j->arena, &text, err)) {
			return -(int)err->code;
		}
	}
	*ret_text = text ? arena_strdup(j->arena, text) : NULL;
	return 0;
}

static int look_at_removals(struct judging *j, struct err *err)
{
	for (size_t i = 0; i < j->transaction->count; i++) {
		const struct transaction_item *item = &j->transaction->list[i];
		char *text = NULL;

		if (item->new) {
			continue;
		}
		/* The name becomes part of a path. */
		if (strchr(item->name, '/') || strchr(item->architecture, '/')) {
			return err_set(err, ERR_INPUT, 0, "apt's list of packages has a name with a slash");
		}
		if (read_list(j, item, &text, err)) {
			return -(int)err->code;
		}
		for (char *line = text; line && *line;) {
			char *end = strchr(line, '\n');

			if (end) {
				*end = '\0';
			}
			look_at_path(j, item->name, line);
			line = end ? end + 1 : NULL;
		}
	}
	return 0;
}

static bool has_image_gone(const struct judging *j, const char *release)
{
	for (size_t i = 0; i < j->gone_count; i++) {
		if (j->gone[i].release && !j->gone[i].module && strcmp(j->gone[i].release, release) == 0) {
			return true;
		}
	}
	return false;
}

/* ---- What comes, and what boots then ---- */

static bool brings_kernel(const struct transaction_list *t)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->list[i].new && !t->list[i].old && transaction_list_release(t->list[i].name)) {
			return true;
		}
	}
	return false;
}

static const char *newer(const char *a, const char *b)
{
	return !a || (b && release_compare(b, a) > 0) ? b : a;
}

static const char *newest_after(const struct judging *j)
{
	const char *newest = NULL;

	for (size_t i = 0; i < j->kernel->installed.count; i++) {
		const char *release = j->kernel->installed.items[i];

		newest = has_image_gone(j, release) ? newest : newer(newest, release);
	}
	for (size_t i = 0; i < j->transaction->count; i++) {
		const struct transaction_item *item = &j->transaction->list[i];

		newest = item->new ? newer(newest, transaction_list_release(item->name)) : newest;
	}
	return newest;
}

static const char *next_now(const struct kernel *kernel)
{
	return kernel->boot_next && *kernel->boot_next ? kernel->boot_next : kernel->boot_default;
}

/* The kernel that boots after the transaction, NULL: it cannot be told. A default that stands in an
 * entry of ours stays. That the hook for new kernels would keep any other one is not counted on:
 * who wants such a kernel in, and not booted, says guard. */
static const char *next_after(const struct judging *j)
{
	const char *now = next_now(j->kernel);

	if (!now) {
		return NULL;
	}
	if (has_image_gone(j, now)) {
		return newest_after(j);
	}
	bool is_fixed = j->kernel->own_entry && *j->kernel->own_entry;

	return is_fixed || !brings_kernel(j->transaction) ? now : newer(now, newest_after(j));
}

/* ---- Losses ---- */

static void add(struct arena *arena, const char ***list, size_t *count, size_t *cap,
                const char *text)
{
	*list = arena_grow(arena, (void *)*list, *count, cap, sizeof **list);
	(*list)[(*count)++] = text;
}

static void lose(struct judging *j, const char *release, const char *sentence)
{
	const struct allowed *by = release ? allow_find(j->allowed, release) : NULL;
	struct preflight_apt *ret = j->ret;

	if (by) {
		add(j->arena, &ret->allowed, &ret->allowed_count, &ret->allowed_cap,
		    arena_printf(j->arena, "%s; allowed by %s: %s", sentence, by->who, by->reason));
		return;
	}
	ret->release = ret->release ? ret->release : release;
	add(j->arena, &ret->losses, &ret->loss_count, &ret->loss_cap, sentence);
}

static const char *mounts_of(struct arena *arena, const struct next_boot_wants *wants,
                             const char *module)
{
	AUTO(str_free) struct str text = {0};

	for (size_t i = 0; i < wants->count; i++) {
		const struct next_boot_want *w = &wants->list[i];

		for (size_t k = 0; strcmp(w->module, module) == 0 && k < w->mount_count; k++) {
			str_add(&text, k ? ", " : "; lost with it: ");
			str_add(&text, w->mounts[k]);
		}
	}
	return arena_strdup(arena, str_text(&text));
}

static bool is_replaced(const struct judging *j, const struct gone *gone)
{
	const char *package = preflight_package(j->arena, j->wants, gone->module, gone->release);

	for (size_t i = 0; package && i < j->transaction->count; i++) {
		if (j->transaction->list[i].new &&strcmp(j->transaction->list[i].name, package) == 0) {
			return true;
		}
	}
	return false;
}

static int observe(struct judging *j, enum kind_id kind, const char *key,
                   const struct resource **ret_fact, struct err *err)
{
	return j->c->source->get(j->c->source, &kind_table[kind], key, ret_fact, err);
}

static bool has_file(struct judging *j, const struct resource *archive, const struct gone *gone)
{
	for (size_t i = 0; i < archive->archive.files.count; i++) {
		struct gone brought;

		if (!classify(j, archive->archive.files.items[i], &brought)) {
			continue;
		}
		if (gone->type ? text_equal(brought.type, gone->type)
		               : text_equal(brought.module, gone->module) &&
		                     text_equal(brought.release, gone->release)) {
			return true;
		}
	}
	return false;
}

/* Does a package of any name bring it in the same transaction? Asked only where else the answer
 * would be a veto. */
static int is_brought(struct judging *j, const struct gone *gone, bool *ret_is, struct err *err)
{
	const struct resource *archive, *open = NULL;

	*ret_is = false;
	for (size_t i = 0; i < j->transaction->count && !*ret_is; i++) {
		const struct transaction_item *item = &j->transaction->list[i];

		if (!item->new || !item->archive) {
			continue;
		}
		if (observe(j, KIND_ARCHIVE, item->archive, &archive, err)) {
			return -(int)err->code;
		}
		open = archive->state == STATE_UNDETERMINED ? archive : open;
		*ret_is = archive->state == STATE_PRESENT && has_file(j, archive, gone);
	}
	if (!*ret_is && open) {
		return err_set(err, ERR_HOST, 0, "what %s brings cannot be told: %s", open->key, open->why);
	}
	return 0;
}

/* A module that has another file besides is not lost with this one. */
static int is_last_file(struct judging *j, const struct gone *gone, bool *ret_is, struct err *err)
{
	const char *key = arena_printf(j->arena, "%s@%s", gone->module, gone->release);
	const struct resource *fact;

	if (observe(j, KIND_LOADABLE, key, &fact, err)) {
		return -(int)err->code;
	}
	const char *file = fact->state == STATE_PRESENT ? fact->loadable.file : NULL;
	const char *plain = file && text_starts(file, "/usr/") ? file + strlen("/usr") : file;
	const char *path = text_starts(gone->path, "/usr/") ? gone->path + strlen("/usr") : gone->path;

	*ret_is = plain && strcmp(plain, path) == 0;
	return 0;
}

static int judge_modules(struct judging *j, const char *next, struct err *err)
{
	for (size_t i = 0; i < j->gone_count; i++) {
		const struct gone *gone = &j->gone[i];
		bool runs = gone->module && text_equal(gone->release, j->kernel->running);
		bool boots = gone->module && text_equal(gone->release, next);
		bool is_last = false, is_there = false;

		if ((!runs && !boots) || is_replaced(j, gone)) {
			continue;
		}
		if (is_last_file(j, gone, &is_last, err) ||
		    (is_last && is_brought(j, gone, &is_there, err))) {
			return -(int)err->code;
		}
		if (is_last && !is_there) {
			lose(j, gone->release,
			     arena_printf(j->arena, "%s goes, and with it %s from %s, which %s%s",
			                  gone->package, gone->module, gone->release,
			                  runs ? "is running" : "boots next",
			                  mounts_of(j->arena, &j->wants->wants, gone->module)));
		}
	}
	return 0;
}

static int judge_helpers(struct judging *j, struct err *err)
{
	for (size_t i = 0; i < j->gone_count; i++) {
		const struct gone *gone = &j->gone[i];
		AUTO(str_free) struct str text = {0};
		bool is_there = false;

		if (!gone->type) {
			continue;
		}
		if (is_brought(j, gone, &is_there, err)) {
			return -(int)err->code;
		}
		if (is_there) {
			continue;
		}
		str_addf(&text,
		         "%s goes, and with it %s, without which %s cannot be mounted: ", gone->package,
		         gone->path, gone->type);
		for (size_t k = 0, n = 0; k < j->wants->mount_count; k++) {
			if (strcmp(j->wants->mounts[k].type, gone->type) == 0) {
				str_addf(&text, "%s%s", n++ ? ", " : "", j->wants->mounts[k].target);
			}
		}
		lose(j, j->kernel->running, arena_strdup(j->arena, str_text(&text)));
	}
	return 0;
}

/* Is it proved that a module is not there for that kernel, and cannot be had? */
static int is_unserved(struct judging *j, const char *module, const char *release,
                       const char **ret_package, bool *ret_is, struct err *err)
{
	const char *package = preflight_package(j->arena, j->wants, module, release);
	const struct gone as_gone = {.module = module, .release = release};
	const struct resource *fact;

	*ret_is = false;
	*ret_package = package;
	for (size_t i = 0; i < j->wants->module_count; i++) {
		if (strcmp(j->wants->modules[i].name, module) == 0 && j->wants->modules[i].built) {
			return 0; /* DKMS may build it when the kernel is there */
		}
	}
	if (!package || is_replaced(j, &as_gone)) {
		return 0;
	}
	if (observe(j, KIND_PACKAGE, package, &fact, err)) {
		return -(int)err->code;
	}
	bool goes = false;

	for (size_t i = 0; i < j->transaction->count; i++) {
		goes |= !j->transaction->list[i].new &&strcmp(j->transaction->list[i].name, package) == 0;
	}
	if (fact->state == STATE_UNDETERMINED || (fact->state == STATE_PRESENT && !goes)) {
		return 0;
	}
	if (observe(j, KIND_LOADABLE, arena_printf(j->arena, "%s@%s", module, release), &fact, err)) {
		return -(int)err->code;
	}
	if (fact->state == STATE_PRESENT && !goes && fact->loadable.file) {
		return 0; /* there without that package */
	}
	if (observe(j, KIND_CANDIDATE, package, &fact, err)) {
		return -(int)err->code;
	}
	bool is_there = false;

	if (fact->state == STATE_ABSENT && is_brought(j, &as_gone, &is_there, err)) {
		return -(int)err->code;
	}
	*ret_is = fact->state == STATE_ABSENT && !is_there;
	return 0;
}

/* Another kernel than before would boot. */
static int judge_next(struct judging *j, const char *next, struct err *err)
{
	for (size_t i = 0; i < j->wants->wants.count; i++) {
		const char *module = j->wants->wants.list[i].module, *package;
		bool is;

		if (is_unserved(j, module, next, &package, &is, err)) {
			return -(int)err->code;
		}
		if (is) {
			lose(
			    j, next,
			    arena_printf(j->arena,
			                 "%s would boot next, and there is no %s for it: %s is not published%s",
			                 next, module, package, mounts_of(j->arena, &j->wants->wants, module)));
		}
	}
	return 0;
}

int preflight_apt(const struct preflight_case *c, struct arena *arena, struct preflight_apt *ret,
                  struct err *err)
{
	const struct resource *kernel;
	struct preflight_apt result = {0};
	struct judging j = {
	    .c = c,
	    .wants = c->wants,
	    .allowed = c->allowed,
	    .transaction = c->transaction,
	    .arena = arena,
	    .ret = &result,
	};

	*ret = result;
	if (look_at_removals(&j, err)) {
		return -(int)err->code;
	}
	if (!j.gone_count && !brings_kernel(c->transaction)) {
		return 0;
	}
	if (observe(&j, KIND_KERNEL, "", &kernel, err)) {
		return -(int)err->code;
	}
	if (kernel->state != STATE_PRESENT) {
		return err_set(err, ERR_HOST, 0, "which kernels there are cannot be told: %s", kernel->why);
	}
	j.kernel = &kernel->kernel;
	const char *next = next_after(&j);

	if (judge_modules(&j, next, err) ||
	    (next && !text_equal(next, next_now(j.kernel)) && judge_next(&j, next, err)) ||
	    judge_helpers(&j, err)) {
		return -(int)err->code;
	}
	*ret = result;
	return 0;
}

static int read_live(void *context, const char *path, struct arena *arena, const char **ret_text,
                     struct err *err)
{
	struct tree_file file;

	*ret_text = NULL;
	if (!worker_read_file(context, path, false, LIST_MOST, arena, &file, err)) {
		*ret_text = arena_strndup(arena, file.text, file.length);
		return 0;
	}
	return err->os == ENOENT ? 0 : -(int)err->code;
}

int preflight_apt_live(struct worker *worker, const struct preflight_case *c, struct arena *arena,
                       struct preflight_apt *ret, struct err *err)
{
	struct facts facts;
	struct preflight_case live = *c;

	facts_init_live(&facts, arena, worker, NULL);
	live.source = &facts.source;
	live.read = read_live;
	live.context = worker;
	return preflight_apt(&live, arena, ret, err);
}
