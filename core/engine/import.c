// SPDX-License-Identifier: MIT
/* See import.h. */
#include "engine/import.h"

#include "engine/doctor_inner.h"
#include "model/mount_options.h"

#include <ctype.h>
#include <string.h>

enum { LINE = 100 };

struct writer {
	struct engine *engine;
	const struct doctor *doctor;
	struct import *import;
	struct str *s;
	bool all;
};

static void note(struct writer *w, const char ***list, size_t *count, size_t *cap, const char *text)
{
	*list = arena_grow(w->engine->arena, *list, *count, cap, sizeof **list);
	(*list)[(*count)++] = text;
}

static void leave_out(struct writer *w, const char *text)
{
	note(w, &w->import->left, &w->import->left_count, &w->import->left_cap, text);
}

/* ---- YAML ---- */

static bool is_plain(const char *text)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcasecmp(words[i], text) == 0) {
			return false;
		}
	}
	for (const char *at = text; *at; at++) {
		if (!isalnum((unsigned char)*at) && !strchr("/_.-=", *at)) {
			return false;
		}
	}
	return isalpha((unsigned char)*text) || *text == '_' || (*text == '/' && text[1]);
}

static void add_scalar(struct str *s, const char *text)
{
	if (is_plain(text)) {
		str_add(s, text);
		return;
	}
	str_addc(s, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\') {
			str_addf(s, "\\%c", *text);
		} else if ((unsigned char)*text < ' ' || *text == 0x7f) {
			str_addf(s, "\\x%02X", (unsigned char)*text);
		} else {
			str_addc(s, *text);
		}
	}
	str_addc(s, '"');
}

static void add_list(struct str *s, const struct list *list)
{
	str_addc(s, '[');
	for (size_t i = 0; i < list->count; i++) {
		str_add(s, i ? ", " : "");
		add_scalar(s, list->items[i]);
	}
	str_addc(s, ']');
}

/* A comment of one line, whatever the text holds. */
static void add_comment(struct str *s, const char *indent, const char *text)
{
	str_addf(s, "%s# ", indent);
	str_add_printable(s, text, 300);
	str_addc(s, '\n');
}

/* Would the loader take it? The tables say what a field must look like. */
static bool is_writable(enum kind_id kind, const char *field, const char *text)
{
	const struct kind *k = &kind_table[kind];
	const struct field *row = field_find(k->fields, k->field_count, field);
	struct value value = value_string(text), list = value_list();
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct err err;

	if (text_utf8_until(text, strlen(text)) != strlen(text)) {
		return false;
	}
	if (row && row->type == FIELD_LIST) {
		value_append(arena, &list, value);
		return !field_check(row, &list, &err);
	}
	return row && !field_check(row, &value, &err);
}

/* ---- Modules ---- */

/* Does the text from `at` look like a kernel release: 6.8.0-1039-aws? */
static bool is_release(const char *at)
{
	int dots = 0;

	if (!isdigit((unsigned char)*at)) {
		return false;
	}
	for (; isdigit((unsigned char)*at) || *at == '.'; at++) {
		dots += *at == '.';
	}
	return dots == 2 && (*at == '-' || *at == '+' || !*at);
}

/* "lustre-client-modules-{kernel}" of a package of one release that brings the module, by its name;
 * NULL: it is no such package. */
static const char *template_of(struct arena *arena, const char *package, const char *module,
                               const struct doctor *d)
{
	const char *at = NULL;

	if (!strstr(package, module) || text_starts(package, "linux-")) {
		return NULL;
	}
	for (size_t i = 0; i < d->kernel_count && !at; i++) {
		const char *release = d->kernels[i].release;
		const char *found = strstr(package, release);

		at = found && found > package && found[-1] == '-' && !found[strlen(release)] ? found : NULL;
	}
	for (const char *dash = package; !at && (dash = strchr(dash, '-')); dash++) {
		at = is_release(dash + 1) ? dash + 1 : NULL;
	}
	return at && strstr(package, module) < at
	           ? arena_printf(arena, "%.*s{kernel}", (int)(at - package), package)
	           : NULL;
}

struct brought {
	const char *template, *package; /* or NULL */
	bool dkms;
};

static int is_installed(struct engine *engine, const char *package, bool *ret_installed,
                        struct err *err)
{
	const struct resource *fact;

	if (doctor_fact(engine, KIND_PACKAGE, package, &fact, err)) {
		return -(int)err->code;
	}
	*ret_installed = fact->state == STATE_PRESENT;
	return 0;
}

/* Where a module comes from: a package of its name for one kernel, or DKMS. */
static int find_bringer(struct writer *w, const char *module, const struct keys *packages,
                        struct brought *ret_brought, struct err *err)
{
	struct engine *engine = w->engine;
	struct err fault = {0};
	struct keys dkms = {0};
	size_t n = strlen(module);

	*ret_brought = (struct brought){0};
	for (size_t i = 0; i < packages->count && !ret_brought->template; i++) {
		const char *template =
		    template_of(engine->arena, packages->list[i], module, w->doctor);
		bool installed = false;

		if (!template) {
			continue;
		}
		if (is_installed(engine, packages->list[i], &installed, err)) {
			return -(int)err->code;
		}
		if (installed) {
			ret_brought->template = template;
			ret_brought->package = packages->list[i];
		}
	}
	if (doctor_keys(engine, KIND_DKMS, &dkms, &fault)) {
		return 0; /* without DKMS there is nothing to list */
	}
	for (size_t i = 0; i < dkms.count; i++) {
		ret_brought->dkms |= strncmp(dkms.list[i], module, n) == 0 && dkms.list[i][n] == '@';
	}
	return 0;
}

static int add_modules(struct writer *w, const struct keys *packages, struct err *err)
{
	bool first = true;

	for (size_t i = 0; i < w->doctor->module_count; i++) {
		const struct doctor_module *module = &w->doctor->modules[i];
		const char *type = NULL;
		struct brought brought;

		for (size_t k = 0; k < w->doctor->count; k++) {
			type = text_equal(w->doctor->list[k].module, module->name) ? w->doctor->list[k].type
			                                                            : type;
		}
		if (module->of_kernel || !type) {
			continue;
		}
		if (find_bringer(w, module->name, packages, &brought, err)) {
			return -(int)err->code;
		}
		str_addf(w->s, "%s  %s:\n", first ? "\nmodules:\n" : "", module->name);
		first = false;
		if (brought.template) {
			add_comment(w->s, "    ",
			            arena_printf(w->engine->arena, "from the name of the installed package %s",
			                         brought.package));
			str_add(w->s, "    package: ");
			add_scalar(w->s, brought.template);
			str_addc(w->s, '\n');
		} else if (brought.dkms) {
			str_addf(w->s, "    # DKMS builds it on this node\n    dkms: %s\n", module->name);
		} else {
			add_comment(w->s, "    ",
			            arena_printf(w->engine->arena,
			                         "no installed package is named as one that brings it for one "
			                         "kernel; if there is one: package: \"%s-modules-{kernel}\"",
			                         module->name));
		}
		str_addf(w->s, "    filesystem: %s\n", type);
	}
	return 0;
}

/* ---- Mounts ---- */

static bool holds(const struct list *list, const char *item)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], item) == 0) {
			return true;
		}
	}
	return false;
}

/* How much of it reconcile may call its own, and why. */
static const char *manage_of(const struct doctor_mount *m, const char **ret_why)
{
	const struct mount *mount = &m->fact->mount;
	bool fstab = mount->fstab.value, live = mount->live.value;

	if (strcmp(m->target, "/") == 0 || text_starts(m->target, "/boot")) {
		*ret_why = "needed to boot: only reported";
		return "observe";
	}
	if (mount->unit) {
		*ret_why = "the unit belongs to whoever wrote it";
		return "live";
	}
	if (!fstab) {
		*ret_why = "mounted, with no line in fstab: somebody else mounts it";
		return "live";
	}
	if (holds(&mount->fstab_options, "x-systemd.automount")) {
		*ret_why = "its fstab line is an automount's and belongs to whoever wrote it";
		return "live";
	}
	if (holds(&mount->fstab_options, "noauto")) {
		*ret_why = "its fstab line says noauto: it belongs to whoever mounts it";
		return live ? "live" : "observe";
	}
	if (mount->fstab_lines.count > 1) {
		*ret_why = "fstab has several lines for it";
		return "live";
	}
	*ret_why = "both the line and the mount are kept";
	return "full";
}

/* What may be asserted: what a line names and, of what is mounted, what is in force. */
static struct list options_of(struct writer *w, const struct doctor_mount *m, bool full)
{
	const struct mount *mount = &m->fact->mount;
	const struct list *written = mount->fstab.value ? &mount->fstab_options : &mount->unit_options;
	const char **items = arena_array(w->engine->arena, written->count + 1, sizeof *items);
	size_t n = 0;

	for (size_t i = 0; i < written->count; i++) {
		const char *option = written->items[i];
		bool kernel = mount_option_class(option) == OPTION_KERNEL;

		if (strcmp(option, "defaults") == 0 || !is_writable(KIND_MOUNT, "options", option) ||
		    (!kernel && !full) || !mount_option_stands(option, written)) {
			continue;
		}
		if (kernel && mount->live.value && !mount_option_holds(option, &mount->options, m->type)) {
			add_comment(w->s, "    ",
			            arena_printf(w->engine->arena, "%s says %s, which is not in force", m->wanted_by,
			                         option));
			continue;
		}
		items[n++] = option;
	}
	return (struct list){.set = true, .count = n, .items = items};
}

static const char *source_of(const struct doctor_mount *m, bool full)
{
	const struct mount *mount = &m->fact->mount;
	const char *written = mount->fstab.value ? mount->fstab_source : mount->unit_source;
	bool unsure;

	if (full || !mount->live.value) {
		return written;
	}
	return written && mount->source &&
	               (mount_options_bind(&mount->fstab_options) ||
	                mount_source_same(written, mount->source, mount->type, &unsure))
	           ? written
	           : mount->source;
}

/* nfs where the table says nfs4: as it was written. */
static const char *type_of(const struct doctor_mount *m, bool full)
{
	const struct mount *mount = &m->fact->mount;
	const char *written = mount->fstab.value ? mount->fstab_type : mount->unit_type;

	if (mount_options_bind(&mount->fstab_options)) {
		return "none";
	}
	return written && (full || (strcmp(written, "auto") != 0 && strcmp(written, "none") != 0 &&
	                            m->type && mount_type_same(written, m->type)))
	           ? written
	           : m->type;
}

static int find_service(struct writer *w, const struct doctor_mount *m, const char **ret_service,
                        struct err *err)
{
	static const char beegfs[] = "beegfs-client.service";
	const struct resource *fact;

	*ret_service = NULL;
	if (!text_equal(m->type, "beegfs")) {
		return 0;
	}
	if (doctor_fact(w->engine, KIND_SERVICE, beegfs, &fact, err)) {
		return -(int)err->code;
	}
	*ret_service = fact->state == STATE_PRESENT ? beegfs : NULL;
	return 0;
}

static bool can_be_written(struct writer *w, const struct doctor_mount *m, const char *source,
                           const char *type)
{
	struct err err;
	struct value target = value_string(m->target);
	struct field key = kind_key_field(&kind_table[KIND_MOUNT]);

	if (m->standing != DOCTOR_UNTOLD && source && type && !field_check(&key, &target, &err) &&
	    is_writable(KIND_MOUNT, "source", source) && is_writable(KIND_MOUNT, "type", type)) {
		return true;
	}
	leave_out(w, arena_printf(w->engine->arena, "%s: %s", m->target,
	                          m->standing == DOCTOR_UNTOLD
	                              ? m->why
	                              : "its target, source or type cannot stand in a tree"));
	return false;
}

static int add_mount(struct writer *w, const struct doctor_mount *m, struct err *err)
{
	const char *why, *manage, *service, *source, *type;

	if (m->standing == DOCTOR_UNTOLD) {
		can_be_written(w, m, NULL, NULL);
		return 0;
	}
	if (find_service(w, m, &service, err)) {
		return -(int)err->code;
	}
	manage = manage_of(m, &why);
	bool full = strcmp(manage, "full") == 0;

	source = source_of(m, full);
	type = type_of(m, full);
	if (!can_be_written(w, m, source, type)) {
		return 0;
	}
	str_add(w->s, "  ");
	add_scalar(w->s, m->target);
	str_add(w->s, ":\n");
	add_comment(w->s, "    ",
	            arena_printf(w->engine->arena, "%s: %s",
	                         strcmp(m->wanted_by, "mounted") == 0
	                             ? "the mount table"
	                             : arena_printf(w->engine->arena, "%s, %s", m->wanted_by,
	                                            doctor_standing_name(m->standing)),
	                         why));
	str_add(w->s, "    source: ");
	add_scalar(w->s, source);
	str_add(w->s, "\n    type: ");
	add_scalar(w->s, type);
	str_addc(w->s, '\n');
	struct list options = options_of(w, m, full);

	if (options.count) {
		str_add(w->s, "    options: ");
		add_list(w->s, &options);
		str_addc(w->s, '\n');
	}
	str_addf(w->s, "    manage: %s\n", manage);
	if (service) {
		str_addf(w->s, "    service: %s\n", service);
	}
	if (m->health == DOCTOR_CRITICAL) {
		note(w, &w->import->broken, &w->import->broken_count, &w->import->broken_cap,
		     arena_printf(w->engine->arena, "%s is %s%s%s", m->target,
		                  doctor_standing_name(m->standing), m->why ? ": " : "",
		                  m->why ? m->why : ""));
	}
	return 0;
}

static int add_mounts(struct writer *w, struct err *err)
{
	size_t before, head = w->s->length;

	str_add(w->s, "\nmounts:\n");
	before = w->s->length;
	for (size_t i = 0; i < w->doctor->count; i++) {
		const struct doctor_mount *m = &w->doctor->list[i];

		if ((m->storage || (w->all && strcmp(m->wanted_by, "fstab") == 0) ||
		     m->standing == DOCTOR_UNTOLD) &&
		    add_mount(w, m, err)) {
			return -(int)err->code;
		}
	}
	if (w->s->length == before) {
		w->s->length = head;
		w->s->data[head] = '\0';
		str_add(w->s, "\n# No file system of a storage client is mounted or in fstab.\n");
	}
	return 0;
}

/* ---- Packages and holds ---- */

/* Those of storage clients that are not of one kernel. */
static bool is_client_package(const char *name)
{
	static const char *const words[] = {"lustre", "beegfs"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strstr(name, words[i]) && !strstr(name, "-modules")) {
			return true;
		}
	}
	return false;
}

/* "2.15.*" of 2.15.6-1fsx21: fixes of the same series are no drift. */
static const char *series_of(struct arena *arena, const char *version)
{
	const char *dot = strchr(version, '.'), *second = dot ? strchr(dot + 1, '.') : NULL;

	return second ? arena_printf(arena, "%.*s.*", (int)(second - version), version) : version;
}

static int add_packages(struct writer *w, const struct keys *packages, struct err *err)
{
	bool first = true;

	for (size_t i = 0; i < packages->count; i++) {
		const struct resource *fact;

		if (!is_client_package(packages->list[i])) {
			continue;
		}
		if (doctor_fact(w->engine, KIND_PACKAGE, packages->list[i], &fact, err)) {
			return -(int)err->code;
		}
		if (fact->state != STATE_PRESENT || !fact->package.version) {
			continue;
		}
		str_add(w->s, first ? "\npackages:\n" : "");
		first = false;
		add_comment(w->s, "  ", arena_printf(w->engine->arena, "installed: %s",
		                                     fact->package.version));
		str_add(w->s, "  ");
		add_scalar(w->s, fact->key);
		str_add(w->s, ": {version: \"");
		str_addf(w->s, "%s\"}\n", series_of(w->engine->arena, fact->package.version));
	}
	return 0;
}

static void add_holds(struct writer *w)
{
	struct err fault = {0};
	struct keys keys;

	if (doctor_keys(w->engine, KIND_HOLD, &keys, &fault)) {
		leave_out(w, arena_printf(w->engine->arena, "holds: %s", fault.text));
		return;
	}
	for (size_t i = 0; i < keys.count; i++) {
		str_add(w->s, i ? "" : "\n# Held on this node (apt-mark showhold).\nholds:\n");
		str_addf(w->s, "  - %s\n", keys.list[i]);
	}
}

/* ---- All of it ---- */

static bool serves_all(const struct doctor *d, const char *release)
{
	bool served = false;

	for (size_t i = 0; i < d->verdict_count; i++) {
		if (strcmp(d->verdicts[i].release, release) != 0) {
			continue;
		}
		if (strcmp(d->verdicts[i].verdict, "yes") != 0) {
			return false;
		}
		served = true;
	}
	return served;
}

static void add_head(struct writer *w)
{
	const struct kernel *kernel =
	    w->doctor->kernel->state == STATE_PRESENT ? &w->doctor->kernel->kernel : NULL;
	const char *proven = kernel && kernel->running ? kernel->running : "RELEASE";

	/* Of the kernels that are there one that serves all modules is worth keeping. */
	for (size_t i = w->doctor->kernel_count; i-- > 0;) {
		proven = serves_all(w->doctor, w->doctor->kernels[i].release)
		             ? w->doctor->kernels[i].release
		             : proven;
	}

	str_addf(w->s,
	         "# What `reconcile import` found on %s.\n"
	         "# Nothing changes before somebody runs `reconcile apply`. What must hold on every node\n"
	         "# of a kind belongs into a role.\n"
	         "version: 1\nnodes: [",
	         w->import->node);
	add_scalar(w->s, w->import->node);
	str_addf(w->s,
	         "]\n\n"
	         "# The kernel is left as it is until you choose what is right when kernel and module\n"
	         "# part ways:\n"
	         "#   kernel: {strategy: follow}   the running kernel is right: get the modules for it,\n"
	         "#                                and for the next one before it boots\n"
	         "#   kernel: {strategy: pin, release: %s}\n"
	         "#                                this kernel is right: keep it, hold its packages,\n"
	         "#                                make it the default of the boot loader\n",
	         proven);
}

/* What was written must load, or it was not worth writing. */
static int prove(struct writer *w, struct err *err)
{
	struct arena *arena = w->engine->arena;
	struct desired_file file = {
	    .name = "the imported state",
	    .path = arena_printf(arena, "nodes/%s.yaml", w->import->node),
	    .text = str_text(w->s),
	    .length = w->s->length,
	};
	struct desired_identity identity = {.name = w->import->node, .source = "import"};
	struct diags diags = {.arena = arena};
	struct desired desired;
	struct desired_tree *tree = desired_load(arena, &file, 1, &diags);

	if (tree && !desired_effective(arena, tree, &identity, &desired, &diags)) {
		return 0;
	}
	const struct err *fault = &diags.list[0].err;

	return err_set(err, ERR_BUG, 0, "what was found cannot be written as a tree: line %u: %s",
	               fault->at.line, fault->text);
}

int import_make(struct engine *engine, const struct doctor *doctor, bool all,
                struct import *ret_import, struct err *err)
{
	struct writer w = {
	    .engine = engine, .doctor = doctor, .import = ret_import, .s = &ret_import->text, .all = all};
	struct diags diags = {.arena = engine->arena};
	struct err fault = {0};
	struct keys packages;

	*ret_import = (struct import){0};
	engine->desired_files = arena_array(engine->arena, 1, sizeof *engine->desired_files);
	engine->desired_file_count = 0;
	if (inputs_identify(engine, &diags, err)) {
		return -(int)err->code;
	}
	ret_import->node = engine->identity.name;
	if (doctor_keys(engine, KIND_PACKAGE, &packages, &fault)) {
		packages = (struct keys){0};
		leave_out(&w, arena_printf(engine->arena, "packages: %s", fault.text));
	}
	add_head(&w);
	if (add_modules(&w, &packages, err) || add_mounts(&w, err) ||
	    add_packages(&w, &packages, err)) {
		return -(int)err->code;
	}
	add_holds(&w);
	return prove(&w, err);
}
