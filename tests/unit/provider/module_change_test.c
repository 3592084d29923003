// SPDX-License-Identifier: MIT
/*
 * A module is loaded on a machine that is made up as far as the kernel goes: its index, its file,
 * what is loaded. Files below /etc are real ones, in a namespace of our own.
 */
#include "unit/provider/observing.h"

#include "provider/module_change.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define DROPIN "/etc/modprobe.d/reconcile-lu_stre.conf"

static struct {
	bool indexed, loaded, file;
	const char *options, *parameters; /* one of each is enough here */
	int error;                        /* what the kernel answers */
	bool redirected, blacklisted;
	bool is_wrong; /* built for another kernel */
	const char *filesystem, *holder;
	int users;
	unsigned depmods, loads, unloads;
	const struct module_request *asked;
	bool over_blacklist;
	int depmod_status;
	/* The n-th operation fails, before or after it was done. */
	unsigned calls, fails_at;
	bool after;
} machine;

static struct host_ops ops;

static bool fails_now(bool after)
{
	return machine.calls == machine.fails_at && machine.after == after;
}

static int blow(struct err *err)
{
	return err_set(err, ERR_HOST, EIO, "injected fault");
}

/* Carries out `what` between the two places where it may fail. */
#define FALLIBLE(what)        \
	do {                      \
		machine.calls++;      \
		if (fails_now(false)) \
			return blow(err); \
		what;                 \
		if (fails_now(true))  \
			return blow(err); \
	} while (0)

static struct list one(struct arena *a, const char *item)
{
	const char **items = arena_array(a, 1, sizeof *items);

	items[0] = item;
	return (struct list){.set = true, .count = item != NULL, .items = items};
}

/* As modprobe.d gives them: from the real file. */
static void read_options(struct arena *a)
{
	FILE *f = fopen(DROPIN, "re");
	char line[256];

	machine.options = NULL;
	machine.blacklisted = false;
	while (f && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		if (text_starts(line, "options lu-stre ")) {
			machine.options = arena_strdup(a, line + strlen("options lu-stre "));
		}
		machine.blacklisted |= strcmp(line, "blacklist lu-stre") == 0;
	}
	if (f) {
		fclose(f);
	}
}

static int fake_module(struct host *host, const char *name, bool whole, struct host_module *ret,
                       struct err *err)
{
	(void)name;
	(void)whole;
	FALLIBLE(read_options(host->arena));
	*ret = (struct host_module){
	    .loaded = machine.loaded,
	    .exists = machine.file || machine.loaded,
	    .is_whole = true,
	    .blacklisted = machine.blacklisted,
	    .blacklisted_by = machine.blacklisted ? DROPIN ":2" : NULL,
	    .index_missing = !machine.indexed,
	    .file = machine.file ? "/m/lu-stre.ko" : NULL,
	    .options = one(host->arena, machine.options),
	    .settings = one(host->arena, "debug"),
	    .users = {.set = true, .value = machine.users},
	    .filesystem = machine.filesystem,
	    .holders = one(host->arena, machine.holder),
	    .parameters = one(host->arena, machine.loaded ? machine.parameters : NULL),
	};
	return 0;
}

static int fake_loadable(struct host *host, const char *name, const char *release,
                         struct host_loadable *ret, struct err *err)
{
	(void)host;
	FALLIBLE((void)release);
	*ret = (struct host_loadable){
	    .release = "6.1.0-56-test",
	    .is_running = true,
	    .has_tree = true,
	    .file = {.name = name,
	             .path = machine.file ? "/m/lu-stre.ko" : NULL,
	             .vermagic = machine.is_wrong ? "6.1.0-50-test " : "6.1.0-56-test "},
	    .vermagic = "6.1.0-56-test ",
	    .index_fault = machine.indexed ? NULL : "/m/lu-stre.ko is in no index",
	};
	return 0;
}

static int fake_load(struct host *host, const struct module_request *request,
                     struct module_done *ret, struct err *err)
{
	FALLIBLE(read_options(host->arena));
	machine.loads++;
	machine.over_blacklist = request->over_blacklist;
	*ret = (struct module_done){.error = machine.error, .log = "lu_stre: the kernel's words\n"};
	if (!machine.indexed) {
		return err_set(err, ERR_HOST, 0, "the index names no module");
	}
	if (machine.redirected) {
		ret->redirected = request->name;
		ret->error = EPERM;
	} else if (machine.blacklisted && !request->over_blacklist) {
		ret->blacklisted = true;
	} else if (!machine.error) {
		machine.loaded = true;
		machine.parameters = machine.options;
	}
	return 0;
}

static int fake_unload(struct host *host, const char *name, struct module_done *ret,
                       struct err *err)
{
	(void)host;
	(void)name;
	FALLIBLE(machine.unloads++);
	*ret = (struct module_done){.error = machine.error};
	machine.loaded = machine.error != 0;
	return 0;
}

static int fake_run(struct host *host, const struct child_command *command,
                    struct child_result *ret, struct err *err)
{
	(void)host;
	assert_string_equal(command->argv[0], "depmod");
	assert_string_equal(command->argv[1], "-a");
	assert_null(command->argv[3]);
	*ret = (struct child_result){.status = machine.depmod_status};
	FALLIBLE(machine.depmods++);
	machine.indexed = machine.depmod_status == 0;
	return 0;
}

static int fake_look(struct host *host, const char *path, struct file_look *ret, struct err *err)
{
	if (strcmp(path, "/proc/modules") == 0) {
		*ret = (struct file_look){.type = FILE_REGULAR};
		return 0;
	}
	return host_linux_ops.look(host, path, ret, err);
}

static int fake_write(struct host *host, const char *path, const struct file_write *write,
                      struct err *err)
{
	int r;

	FALLIBLE(r = host_linux_ops.write(host, path, write, err));
	return r;
}

static void reset(void)
{
	memset(&machine, 0, sizeof machine);
	machine.indexed = machine.file = true;
	unlink(DROPIN);
}

/* As the engine does it: look, compare, do, look again. */
static enum outcome run(const char *json, const char **ret_why)
{
	const struct resource *want = converging_want(arena, json);
	struct applied applied = {0};
	struct change change = {.kind = want->kind, .want = want};
	struct resource *have = NULL;
	struct verdict verdict = {0};
	struct host host;
	struct err err;

	ops = host_linux_ops;
	ops.module = fake_module;
	ops.loadable = fake_loadable;
	ops.module_load = fake_load;
	ops.module_unload = fake_unload;
	ops.run = fake_run;
	ops.look = fake_look;
	ops.write = fake_write;
	host_init(&host, &ops, arena);
	if (converge_observe(&host, want->kind, want->key, want, arena, &have, &err)) {
		fail_msg("%s", err.text);
	}
	converge_diff(arena, want, have, &verdict);
	*ret_why = verdict.why;
	if (verdict.outcome != OUTCOME_CHANGE) {
		host_done(&host);
		return verdict.outcome;
	}
	change.action = verdict.action;
	change.have = have;
	if (converge_apply(&host, &change, arena, &applied, &err) ||
	    converge_observe(&host, want->kind, want->key, want, arena, &have, &err)) {
		fail_msg("%s", err.text);
	}
	host_done(&host);
	verdict = (struct verdict){0};
	converge_diff(arena, want, have, &verdict);
	*ret_why = applied.why ? applied.why : verdict.why;
	return verdict.outcome == OUTCOME_KEPT      ? OUTCOME_CHANGED
	       : verdict.outcome == OUTCOME_PENDING ? OUTCOME_PENDING
	                                            : applied.outcome;
}

static enum outcome apply(const char *rest, const char **ret_why)
{
	return run(arena_printf(arena, "{\"kind\": \"module\", \"name\": \"lu-stre\"%s}", rest),
	           ret_why);
}

#define LOADED ", \"loaded\": true"
#define DEBUG_ONE ", \"parameters\": [\"debug=1\"]"

static void it_is_loaded_once(void **state)
{
	const char *why;

	(void)state;
	reset();
	assert_int_equal(apply(LOADED, &why), OUTCOME_CHANGED);
	assert_int_equal(apply(LOADED, &why), OUTCOME_KEPT);
	assert_int_equal(machine.loads, 1);
	assert_int_equal(machine.depmods, 0);
	assert_false(machine.over_blacklist);
	assert_int_equal(access(DROPIN, F_OK), -1);
}

static void depmod_runs_once_when_the_index_is_behind(void **state)
{
	const char *why;

	(void)state;
	reset();
	machine.indexed = false;
	assert_int_equal(apply(LOADED, &why), OUTCOME_CHANGED);
	assert_int_equal(machine.depmods, 1);
	reset();
	machine.indexed = false;
	machine.depmod_status = 1;
	assert_int_equal(apply(LOADED, &why), OUTCOME_FAILED);
	assert_has(why, "depmod -a ");
	assert_int_equal(machine.loads, 0);
}

static void parameters_are_there_before_it_is_loaded(void **state)
{
	const char *why;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	reset();
	assert_int_equal(apply(LOADED DEBUG_ONE, &why), OUTCOME_CHANGED);
	assert_string_equal(machine.parameters, "debug=1");
	assert_string_equal(scratch_read(DROPIN), "# Written by reconcile.\noptions lu-stre debug=1\n");
	assert_int_equal(apply(LOADED DEBUG_ONE, &why), OUTCOME_KEPT);
	/* The kernel writes a truth as Y. */
	machine.parameters = "debug=Y";
	assert_int_equal(apply(LOADED DEBUG_ONE, &why), OUTCOME_KEPT);
}

static void a_loaded_one_is_never_exchanged(void **state)
{
	const char *why;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	reset();
	machine.loaded = true;
	machine.parameters = "debug=0";
	assert_int_equal(apply(LOADED DEBUG_ONE, &why), OUTCOME_PENDING);
	assert_has(why, "a reboot is needed");
	assert_int_equal(machine.loads + machine.unloads, 0);
	assert_int_equal(apply(LOADED DEBUG_ONE, &why), OUTCOME_PENDING);
	/* The reboot. */
	machine.parameters = machine.options;
	assert_int_equal(apply(LOADED DEBUG_ONE, &why), OUTCOME_KEPT);
}

static void a_parameter_that_it_does_not_have_is_refused(void **state)
{
	const char *why;

	(void)state;
	reset();
	assert_int_equal(apply(LOADED ", \"parameters\": [\"debugg=1\"]", &why), OUTCOME_BLOCKED);
	assert_string_equal(why, "it has no parameter debugg; it has debug");
	machine.loaded = true;
	assert_int_equal(apply(LOADED ", \"parameters\": [\"debugg=1\"]", &why), OUTCOME_BLOCKED);
	assert_int_equal(machine.loads, 0);
	assert_int_equal(access(DROPIN, F_OK), -1);
}

static void a_blacklist_of_ours_comes_and_goes(void **state)
{
	const char *why;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	reset();
	assert_int_equal(apply(", \"blacklisted\": true", &why), OUTCOME_CHANGED);
	assert_string_equal(scratch_read(DROPIN), "# Written by reconcile.\nblacklist lu-stre\n");
	assert_int_equal(apply(", \"blacklisted\": true", &why), OUTCOME_KEPT);
	/* It does not stop whoever wants both, and stops who says nothing of it. */
	assert_int_equal(apply(LOADED, &why), OUTCOME_BLOCKED);
	assert_has(why, "it is blacklisted by " DROPIN ":2");
	assert_int_equal(apply(LOADED DEBUG_ONE ", \"blacklisted\": true", &why), OUTCOME_CHANGED);
	assert_true(machine.over_blacklist);
	assert_string_equal(scratch_read(DROPIN),
	                    "# Written by reconcile.\nblacklist lu-stre\noptions lu-stre debug=1\n");
	/* What is not spoken of stays as it is. */
	assert_int_equal(apply(", \"blacklisted\": false", &why), OUTCOME_CHANGED);
	assert_string_equal(scratch_read(DROPIN), "# Written by reconcile.\noptions lu-stre debug=1\n");
	assert_int_equal(apply(", \"blacklisted\": true", &why), OUTCOME_CHANGED);
	machine.loaded = false;
	unlink(DROPIN);
	assert_int_equal(apply(", \"blacklisted\": true", &why), OUTCOME_CHANGED);
	assert_int_equal(apply(", \"blacklisted\": false", &why), OUTCOME_CHANGED);
	assert_int_equal(access(DROPIN, F_OK), -1);
}

static void what_the_kernel_refuses_is_explained(void **state)
{
	static const struct {
		int error;
		const char *part;
	} cases[] = {
	    {ENOEXEC, "not a module for this kernel, or damaged (ENOEXEC)"},
	    {EINVAL, "symbol version or a parameter"},
	    {ENOENT, "uses a symbol that nothing in this kernel exports"},
	    {EKEYREJECTED, "signature is missing"},
	    {EPERM, "lockdown"},
	    {ENOMEM, "Cannot allocate memory"},
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		reset();
		machine.error = cases[i].error;
		assert_int_equal(apply(LOADED, &why), OUTCOME_FAILED);
		assert_has(why, cases[i].part);
	}
	reset();
	machine.error = EBUSY;
	assert_int_equal(apply(LOADED, &why), OUTCOME_BLOCKED);
	reset();
	machine.redirected = true;
	assert_int_equal(apply(LOADED, &why), OUTCOME_BLOCKED);
	assert_has(why, "it was not run");
	/* Known before: the kernel is not even asked. */
	reset();
	machine.is_wrong = true;
	assert_int_equal(apply(LOADED, &why), OUTCOME_BLOCKED);
	assert_has(why, "lu-stre was built for \"6.1.0-50-test\", the kernel is \"6.1.0-56-test\"");
	assert_int_equal(machine.loads, 0);
}

static void one_that_went_wrong_meanwhile_is_explained_by_its_file(void **state)
{
	struct applied applied = {0};
	struct change change = {.kind = &kind_table[KIND_MODULE]};
	struct host host;
	struct err err;

	(void)state;
	reset();
	machine.is_wrong = true;
	machine.error = ENOEXEC;
	change.want =
	    converging_want(arena, "{\"kind\": \"module\", \"name\": \"lu-stre\", \"loaded\": true}");
	change.have = recorded("{\"kind\": \"module\", \"key\": \"lu-stre\", \"loaded\": false}");
	host_init(&host, &ops, arena);
	if (module_change_apply(&host, &change, arena, &applied, &err)) {
		fail_msg("%s", err.text);
	}
	host_done(&host);
	assert_int_equal(applied.outcome, OUTCOME_FAILED);
	assert_has(applied.why, "was built for \"6.1.0-50-test\"");
	assert_has(applied.why, "the kernel said ENOEXEC");
	assert_string_equal(applied.detail, "lu_stre: the kernel's words\n");
}

static void it_is_unloaded_when_nothing_uses_it(void **state)
{
	const char *why;

	(void)state;
	reset();
	machine.loaded = true;
	assert_int_equal(apply(", \"state\": \"absent\"", &why), OUTCOME_CHANGED);
	assert_int_equal(apply(", \"state\": \"absent\"", &why), OUTCOME_KEPT);
	assert_int_equal(machine.unloads, 1);
	reset();
	machine.loaded = true;
	machine.error = EWOULDBLOCK;
	assert_int_equal(apply(", \"loaded\": false", &why), OUTCOME_BLOCKED);
	assert_has(why, "was not unloaded");
}

static void what_is_used_or_a_file_system_is_left_alone(void **state)
{
	const char *why;

	(void)state;
	reset();
	machine.loaded = true;
	machine.filesystem = "lustre";
	assert_int_equal(apply(", \"state\": \"absent\"", &why), OUTCOME_BLOCKED);
	assert_has(why, "it is the file system lustre, and none is ever unloaded here");
	machine.filesystem = NULL;
	machine.holder = "lnet";
	assert_int_equal(apply(", \"state\": \"absent\"", &why), OUTCOME_BLOCKED);
	assert_string_equal(why, "the module lnet uses it");
	machine.holder = NULL;
	machine.users = 2;
	assert_int_equal(apply(", \"loaded\": false", &why), OUTCOME_BLOCKED);
	assert_string_equal(why, "it is in use, 2 times");
	machine.users = 0;
	machine.file = false;
	assert_int_equal(apply(", \"loaded\": false", &why), OUTCOME_BLOCKED);
	assert_has(why, "its file is gone");
	assert_int_equal(machine.unloads, 0);
}

/* Whatever fails, the next run converges and the one after it does nothing. */
static void it_converges_after_any_fault(void **state)
{
	const char *const wanted = LOADED DEBUG_ONE ", \"blacklisted\": true";
	unsigned n = 0;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	for (bool more = true; more;) {
		n++;
		for (int after = 0; after < 2; after++) {
			const char *why;

			reset();
			machine.indexed = false;
			machine.fails_at = n;
			machine.after = after;
			apply(wanted, &why);
			more = machine.calls >= n;
			machine.fails_at = 0;
			enum outcome second = apply(wanted, &why);

			if (second != OUTCOME_CHANGED && second != OUTCOME_KEPT) {
				fail_msg("fault %u: %s", n, why);
			}
			unsigned loads = machine.loads;

			assert_int_equal(apply(wanted, &why), OUTCOME_KEPT);
			assert_int_equal(machine.loads, loads);
			assert_true(machine.loaded);
		}
	}
	assert_true(n > 6);
}

static void its_dropin_is_named_by_underscores(void **state)
{
	(void)state;
	assert_string_equal(module_change_dropin(arena, "lu-stre"), DROPIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_is_loaded_once),
	    TEST(depmod_runs_once_when_the_index_is_behind),
	    TEST(parameters_are_there_before_it_is_loaded),
	    TEST(a_loaded_one_is_never_exchanged),
	    TEST(a_parameter_that_it_does_not_have_is_refused),
	    TEST(a_blacklist_of_ours_comes_and_goes),
	    TEST(what_the_kernel_refuses_is_explained),
	    TEST(one_that_went_wrong_meanwhile_is_explained_by_its_file),
	    TEST(it_is_unloaded_when_nothing_uses_it),
	    TEST(what_is_used_or_a_file_system_is_left_alone),
	    TEST(it_converges_after_any_fault),
	    TEST(its_dropin_is_named_by_underscores),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
