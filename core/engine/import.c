// SPDX-License-Identifier: MIT
/* See import.h. */
#include "engine/import.h"

#include "engine/import_inner.h"

#include <ctype.h>
#include <string.h>

static void note(struct import_writer *w, const char ***list, size_t *count, size_t *cap,
                 const char *text)
{
	*list = arena_grow(w->engine->arena, *list, *count, cap, sizeof **list);
	(*list)[(*count)++] = text;
}

void import_leave_out(struct import_writer *w, const char *text)
{
	note(w, &w->import->left, &w->import->left_count, &w->import->left_cap, text);
}

void import_is_broken(struct import_writer *w, const char *text)
{
	note(w, &w->import->broken, &w->import->broken_count, &w->import->broken_cap, text);
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
static int find_bringer(struct import_writer *w, const char *module, const struct keys *packages,
                        struct brought *ret_brought, struct err *err)
{
	struct engine *engine = w->engine;
	struct err fault = {0};
	struct keys dkms = {0};
	size_t n = strlen(module);

	*ret_brought = (struct brought){0};
	for (size_t i = 0; i < packages->count && !ret_brought->template; i++) {
		const char *template = template_of(engine->arena, packages->list[i], module, w->doctor);
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

/* For certain: of what cannot be told the policies decide nothing either. */
static bool is_missing(struct engine *engine, enum kind_id kind, const char *key)
{
	const struct resource *fact;
	struct err fault = {0};

	return !doctor_fact(engine, kind, key, &fact, &fault) && fact->state == STATE_ABSENT;
}

/* A module or a mount would be lost, and not only a kernel that could not boot. */
static bool loses(const struct next_boot *next)
{
	for (size_t i = 0; next && next->lost && i < next->loss_count; i++) {
		if (strcmp(next->losses[i].verdict, "no") == 0 &&
		    strcmp(next->losses[i].id, "kernel") != 0) {
			return true;
		}
	}
	return false;
}

/* Is the plan of what is written empty but for guards of our own? */
static bool is_whole(const struct import_writer *w)
{
	for (size_t i = 0; i < w->doctor->count; i++) {
		if (w->doctor->list[i].health == DOCTOR_CRITICAL && import_takes(w, &w->doctor->list[i])) {
			return false;
		}
	}
	return !loses(w->doctor->next_boot);
}

static void add_package_of_module(struct import_writer *w, const struct brought *brought)
{
	struct arena *arena = w->engine->arena;

	import_yaml_comment(
	    w->s, "    ",
	    arena_printf(arena, "from the name of the installed package %s", brought->package));
	str_add(w->s, "    package: ");
	import_yaml_scalar(w->s, brought->template);
	str_addc(w->s, '\n');
	if (is_whole(w) && is_missing(w->engine, KIND_CACHED_PACKAGE, brought->package)) {
		str_add(w->s, "    # take this line away, and it is kept for a repair without network\n"
		              "    cached: false\n");
	}
}

/* Guards of our own that are not there yet would be the only change that a whole node's plan shows:
 * they are named, and left for a person to take. */
static void add_guards(struct import_writer *w)
{
	if (!is_whole(w) || !is_missing(w->engine, KIND_FILE, "/etc/kernel/postinst.d/zzz-reconcile")) {
		return;
	}
	str_add(w->s,
	        "\n# Take this line away, and the boot default is kept on a kernel that loads all of\n"
	        "# these.\n"
	        "preflight: off\n");
}

static int add_modules(struct import_writer *w, const struct keys *packages, struct err *err)
{
	bool first = true;

	for (size_t i = 0; i < w->doctor->module_count; i++) {
		const struct doctor_module *module = &w->doctor->modules[i];
		struct brought brought;

		if (module->of_kernel) {
			continue;
		}
		if (find_bringer(w, module->name, packages, &brought, err)) {
			return -(int)err->code;
		}
		str_addf(w->s, "%s  %s:\n", first ? "\nmodules:\n" : "", module->name);
		first = false;
		if (brought.template) {
			add_package_of_module(w, &brought);
		} else if (brought.dkms) {
			str_addf(w->s, "    # DKMS builds it on this node\n    dkms: %s\n", module->name);
		} else {
			import_yaml_comment(
			    w->s, "    ",
			    arena_printf(w->engine->arena,
			                 "no installed package is named as one that brings it for one "
			                 "kernel; if there is one: package: \"%s-modules-{kernel}\"",
			                 module->name));
		}
		str_addf(w->s, "    filesystem: %s\n", module->name); /* named alike: next_boot_module_of */
	}
	if (!first) {
		add_guards(w);
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

static int add_packages(struct import_writer *w, const struct keys *packages, struct err *err)
{
	const struct field key = kind_key_field(&kind_table[KIND_PACKAGE]);
	bool first = true;

	for (size_t i = 0; i < packages->count; i++) {
		const struct resource *fact;

		struct value name = value_string(packages->list[i]);
		struct err fault;

		if (!is_client_package(packages->list[i])) {
			continue;
		}
		if (field_check(&key, &name, &fault)) {
			import_leave_out(
			    w, arena_printf(w->engine->arena, "package %s: %s", packages->list[i], fault.text));
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
		import_yaml_comment(w->s, "  ",
		                    arena_printf(w->engine->arena, "installed: %s", fact->package.version));
		str_add(w->s, "  ");
		import_yaml_scalar(w->s, fact->key);
		str_add(w->s, ": {version: \"");
		str_addf(w->s, "%s\"}\n", series_of(w->engine->arena, fact->package.version));
	}
	return 0;
}

static void add_holds(struct import_writer *w)
{
	struct err fault = {0};
	struct keys keys;

	if (doctor_keys(w->engine, KIND_HOLD, &keys, &fault)) {
		import_leave_out(w, arena_printf(w->engine->arena, "holds: %s", fault.text));
		return;
	}
	const struct field key = kind_key_field(&kind_table[KIND_HOLD]);
	bool first = true;

	/* A recording names those that were looked at and are none as well. */
	for (size_t i = 0; i < keys.count; i++) {
		const struct resource *hold;

		if (doctor_fact(w->engine, KIND_HOLD, keys.list[i], &hold, &fault) ||
		    hold->state != STATE_PRESENT) {
			continue;
		}
		struct value name = value_string(keys.list[i]);

		/* "libc6:i386", of another architecture, cannot stand in a tree. */
		if (field_check(&key, &name, &fault)) {
			import_leave_out(
			    w, arena_printf(w->engine->arena, "hold %s: %s", keys.list[i], fault.text));
			continue;
		}
		str_add(w->s, first ? "\n# Held on this node (apt-mark showhold).\nholds:\n  - " : "  - ");
		import_yaml_scalar(w->s, keys.list[i]);
		str_addc(w->s, '\n');
		first = false;
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

static void add_head(struct import_writer *w)
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

	AUTO(str_free) struct str name = {0}, release = {0};

	/* In a comment nothing ends the line. */
	str_add_printable(&name, w->import->node, 200);
	str_add_printable(&release, proven, 200);
	str_addf(
	    w->s,
	    "# What `reconcile import` found on %s.\n"
	    "# Nothing changes before somebody runs `reconcile apply`. What must hold on every node\n"
	    "# of a kind belongs into a role.\n"
	    "version: 1\nnodes: [",
	    str_text(&name));
	import_yaml_scalar(w->s, w->import->node);
	str_addf(
	    w->s,
	    "]\n\n"
	    "# The kernel is left as it is until you choose what is right when kernel and module\n"
	    "# part ways:\n"
	    "#   kernel: {strategy: follow}   the running kernel is right: get the modules for it,\n"
	    "#                                and for the next one before it boots\n"
	    "#   kernel: {strategy: pin, release: %s}\n"
	    "#                                this kernel is right: keep it, hold its packages,\n"
	    "#                                make it the default of the boot loader\n",
	    str_text(&release));
}

/* What was written must load, or it was not worth writing. */
static int prove(struct import_writer *w, struct err *err)
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

/* A loss that is still to come; where nothing is mounted already that has been said. */
static void add_next_boot(struct import_writer *w)
{
	const struct next_boot *next = w->doctor->next_boot;

	if (loses(next) && !w->import->broken_count) {
		import_is_broken(w, next->sentence);
	}
}

int import_make(struct engine *engine, const struct doctor *doctor, bool all,
                struct import *ret_import, struct err *err)
{
	struct import_writer w = {.engine = engine,
	                          .doctor = doctor,
	                          .import = ret_import,
	                          .s = &ret_import->text,
	                          .all = all};
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
		import_leave_out(&w, arena_printf(engine->arena, "packages: %s", fault.text));
	}
	add_head(&w);
	if (add_modules(&w, &packages, err) || import_mounts(&w, err) ||
	    add_packages(&w, &packages, err)) {
		return -(int)err->code;
	}
	add_holds(&w);
	add_next_boot(&w);
	return prove(&w, err);
}
