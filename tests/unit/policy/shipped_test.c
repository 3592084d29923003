// SPDX-License-Identifier: MIT
/* The policies of policies/, as they are built into the program, against recorded facts: what
 * they plan and what they say. Names and releases are those of a real cluster. */
#include "unit/policy/shipped.h"

#include <stdlib.h>

#define RUNS_1039                                               \
	"{\"kind\": \"kernel\", \"running\": \"6.8.0-1039-aws\", "  \
	"\"boot_default\": \"6.8.0-1042-aws\", "                    \
	"\"installed\": [\"6.8.0-1039-aws\", \"6.8.0-1042-aws\"], " \
	"\"that_matter\": [\"6.8.0-1039-aws\", \"6.8.0-1042-aws\"]},"
#define RUNS_1042                                               \
	"{\"kind\": \"kernel\", \"running\": \"6.8.0-1042-aws\", "  \
	"\"boot_default\": \"6.8.0-1042-aws\", "                    \
	"\"installed\": [\"6.8.0-1039-aws\", \"6.8.0-1042-aws\"], " \
	"\"that_matter\": [\"6.8.0-1042-aws\"]},"
#define PACKAGE_1039                                                              \
	"{\"kind\": \"package\", \"key\": \"lustre-client-modules-6.8.0-1039-aws\", " \
	"\"version\": \"2.15.6-1fsx21\"},"
#define NO_PACKAGE_1042                                                           \
	"{\"kind\": \"package\", \"key\": \"lustre-client-modules-6.8.0-1042-aws\", " \
	"\"state\": \"absent\"},"
#define NO_CANDIDATE_1042                                                           \
	"{\"kind\": \"candidate\", \"key\": \"lustre-client-modules-6.8.0-1042-aws\", " \
	"\"state\": \"absent\"},"
#define CANDIDATE_1042                                                              \
	"{\"kind\": \"candidate\", \"key\": \"lustre-client-modules-6.8.0-1042-aws\", " \
	"\"version\": \"2.15.6-1fsx25\"},"
#define LOADED "{\"kind\": \"module\", \"key\": \"lustre\", \"loaded\": true},"
#define NOT_LOADED "{\"kind\": \"module\", \"key\": \"lustre\", \"state\": \"absent\"},"
#define MOUNTED "{\"kind\": \"mount\", \"key\": \"/lustre\", \"live\": true, \"type\": \"lustre\"}"
#define NOT_MOUNTED "{\"kind\": \"mount\", \"key\": \"/lustre\", \"state\": \"absent\"}"

static const char cluster[] =
    "{\"modules\": {\"lustre\": {\"package\": \"lustre-client-modules-{kernel}\", "
    "\"version\": \"2.15.6-1fsx*\", \"filesystem\": \"lustre\"}},"
    "\"mounts\": {\"/lustre\": {\"source\": \"10.1.30.23@tcp:/czrc3amv\", \"type\": \"lustre\", "
    "\"options\": [\"relatime\", \"flock\"], \"manage\": \"live\"}}}";

static void every_policy_is_there(void **state)
{
	struct test_case *c = shipped("{}", "[]");

	(void)state;
	assert_int_equal(c->set.count + c->set.library_count, embedded_policies_count);
	assert_int_equal(c->decision.proposal_count, 0);
	case_done(c);
}

static void node_in_order_gets_its_wishes(void **state)
{
	struct test_case *c =
	    shipped(cluster, "[{\"kind\": \"kernel\", \"running\": \"6.8.0-1039-aws\", "
	                     "\"that_matter\": [\"6.8.0-1039-aws\"]}," PACKAGE_1039 LOADED MOUNTED "]");

	(void)state;
	const struct proposal *p = find(c, "package", "lustre-client-modules-6.8.0-1039-aws");

	assert_string_equal(p->provides_module, "lustre");
	assert_string_equal(p->provides_kernel, "6.8.0-1039-aws");
	assert_string_equal(p->want->package.version, "2.15.6-1fsx*");
	assert_string_equal(p->origin.reason, "kernel 6.8.0-1039-aws needs its own lustre");
	assert_true(find(c, "module", "lustre")->want->module.loaded.value);
	assert_string_equal(find(c, "mount", "/lustre")->want->mount.manage, "live");
	assert_int_equal(c->decision.block_count + c->decision.warning_count, 0);
	assert_int_equal(c->decision.undecided_count, 0);
	case_done(c);
}

static void next_kernel_without_a_module_is_said_before_the_reboot(void **state)
{
	struct test_case *c = shipped(
	    cluster, "[" RUNS_1039 PACKAGE_1039 NO_PACKAGE_1042 NO_CANDIDATE_1042 LOADED MOUNTED "]");

	(void)state;
	assert_int_equal(c->decision.block_count, 1);
	assert_block(
	    c, 0, "no-module-next-boot", NULL,
	    "6.8.0-1042-aws is installed and will boot next; no lustre module for it: "
	    "lustre-client-modules-6.8.0-1042-aws is not published; /lustre will be lost at the next "
	    "reboot");
	find(c, "package", "lustre-client-modules-6.8.0-1039-aws");
	case_done(c);
}

static void next_kernel_gets_its_module_before_the_reboot(void **state)
{
	struct test_case *c = shipped(
	    cluster, "[" RUNS_1039 PACKAGE_1039 NO_PACKAGE_1042 CANDIDATE_1042 LOADED MOUNTED "]");

	(void)state;
	assert_int_equal(c->decision.block_count, 0);
	assert_string_equal(
	    find(c, "package", "lustre-client-modules-6.8.0-1042-aws")->origin.reason,
	    "kernel 6.8.0-1042-aws needs its own lustre; it will boot next and /lustre would "
	    "be lost");
	case_done(c);
}

static void running_kernel_without_a_module_blocks_the_mount(void **state)
{
	struct test_case *c = shipped(
	    cluster,
	    "[" RUNS_1042 PACKAGE_1039 NO_PACKAGE_1042 NO_CANDIDATE_1042 NOT_LOADED NOT_MOUNTED "]");

	(void)state;
	assert_int_equal(c->decision.block_count, 2);
	assert_block(c, 0, "no-module-package", "module:lustre",
	             "6.8.0-1042-aws is running; no lustre module for it: "
	             "lustre-client-modules-6.8.0-1042-aws is not published; of the installed kernels "
	             "6.8.0-1039-aws has one; it is needed by /lustre");
	assert_block(c, 1, "no-module-for-mount", "mount:/lustre",
	             "lustre needs the module lustre, and the running kernel 6.8.0-1042-aws has none: "
	             "lustre-client-modules-6.8.0-1042-aws is not published; of the installed kernels "
	             "6.8.0-1039-aws has one");
	find(c, "mount", "/lustre");
	case_done(c);
}

static void running_kernel_gets_the_published_module(void **state)
{
	struct test_case *c = shipped(
	    cluster,
	    "[" RUNS_1042 PACKAGE_1039 NO_PACKAGE_1042 CANDIDATE_1042 NOT_LOADED NOT_MOUNTED "]");

	(void)state;
	assert_int_equal(c->decision.block_count, 0);
	find(c, "package", "lustre-client-modules-6.8.0-1042-aws");
	case_done(c);
}

/* No package can be called so: it is said, and the rest of the plan goes on. */
static void kernel_with_capitals_has_no_package(void **state)
{
	struct test_case *c = shipped(
	    cluster, "[{\"kind\": \"kernel\", \"running\": \"6.6.1_el9-WSL2\", \"installed\": "
	             "[\"6.6.1_el9-WSL2\", \"6.8.0-1039-aws\"], "
	             "\"that_matter\": [\"6.6.1_el9-WSL2\"]}," PACKAGE_1039 NOT_LOADED NOT_MOUNTED "]");

	(void)state;
	assert_block(c, 0, "no-module-package", "module:lustre",
	             "6.6.1_el9-WSL2 is running; no lustre module for it: "
	             "lustre-client-modules-6.6.1_el9-WSL2 is not published; of the installed kernels "
	             "6.8.0-1039-aws has one; it is needed by /lustre");
	assert_int_equal(find(c, "mount", "/lustre")->after_count, 1); /* the module itself */
	case_done(c);
}

static void missing_index_leaves_it_undecided(void **state)
{
	struct test_case *c =
	    shipped(cluster, "[" RUNS_1042 PACKAGE_1039 NO_PACKAGE_1042 NOT_LOADED NOT_MOUNTED "]");

	(void)state;
	assert_int_equal(c->decision.proposal_count, 0);
	assert_int_equal(c->decision.undecided_count, 2);
	assert_string_equal(c->decision.undecided[0].item, "modules.lustre");
	assert_string_equal(c->decision.undecided[0].fact,
	                    "candidate:lustre-client-modules-6.8.0-1042-aws");
	assert_string_equal(c->decision.undecided[1].item, "mounts./lustre");
	case_done(c);
}

static void builtin_module_needs_nothing(void **state)
{
	struct test_case *c = shipped(
	    cluster, "[" RUNS_1042
	             "{\"kind\": \"module\", \"key\": \"lustre\", \"builtin\": true}," NOT_MOUNTED "]");

	(void)state;
	assert_int_equal(c->decision.proposal_count, 1);
	assert_int_equal(c->decision.block_count, 0);
	case_done(c);
}

/* The comparison is the provider's: of another source as of any other field. */
static void observed_mounts_are_planned_as_observed(void **state)
{
	struct test_case *c =
	    shipped("{\"mounts\": {\"/a\": {\"source\": \"s\", \"type\": \"xfs\", \"manage\": "
	            "\"observe\", \"options\": [\"ro\"]}, "
	            "\"/b\": {\"state\": \"absent\", \"manage\": \"observe\"}}}",
	            "[]");
	const struct mount *want = &find(c, "mount", "/a")->want->mount;

	(void)state;
	assert_int_equal(c->decision.proposal_count, 2);
	assert_int_equal(c->decision.warning_count, 0);
	assert_string_equal(want->manage, "observe");
	assert_string_equal(want->source, "s");
	assert_string_equal(want->options.items[0], "ro");
	assert_int_equal(find(c, "mount", "/b")->want->state, STATE_ABSENT);
	case_done(c);
}

static void a_static_service_of_a_mount_is_not_wanted_enabled(void **state)
{
#define BY_SERVICE                                                                           \
	"{\"mounts\": {\"/b\": {\"source\": \"s\", \"type\": \"fuse.x\", \"manage\": \"live\", " \
	"\"service\": \"x.service\"}}}"
#define UNIT(state) "{\"kind\": \"service\", \"key\": \"x.service\", \"unit_state\": \"" state "\"}"
	struct test_case *c = shipped(BY_SERVICE, "[" UNIT("static/enabled") "]");

	(void)state;
	find(c, "mount", "/b");
	assert_false(plans(c, "service"));
	case_done(c);
	c = shipped(BY_SERVICE, "[" UNIT("disabled/enabled") "]");
	assert_true(find(c, "service", "x.service")->want->service.enabled.value);
	case_done(c);
}

static const char pinned[] =
    "{\"kernel\": {\"release\": \"6.8.0-1039-aws\", \"strategy\": \"pin\"}}";

static void pin_brings_the_node_to_the_pinned_kernel(void **state)
{
	struct test_case *c = shipped(pinned, "[" RUNS_1042 "{\"kind\": \"node\", \"name\": \"x\"}]");
	const struct resource *hold = find(c, "hold", "linux-image-6.8.0-1039-aws")->want;
	const struct resource *option = find(c, "apt_option", "APT::NeverAutoRemove")->want;

	(void)state;
	assert_string_equal(find(c, "kernel", "")->want->kernel.boot_default, "6.8.0-1039-aws");
	assert_true(hold->hold.manual.value);
	assert_string_equal(option->apt_option.items.items[0], "^linux-image-6\\.8\\.0-1039-aws$");
	find(c, "apt_option", "Unattended-Upgrade::Package-Blacklist");
	assert_string_equal(find(c, "reboot", "")->want->reboot.into, "6.8.0-1039-aws");
	assert_string_equal(find(c, "reboot", "")->want->reboot.when, "never");
	assert_string_equal(find(c, "reboot", "")->origin.reason,
	                    "6.8.0-1042-aws is running; 6.8.0-1039-aws is pinned");
	case_done(c);
}

#define RUNS_WELL                                               \
	"{\"kind\": \"kernel\", \"running\": \"6.8.0-1039-aws\", "  \
	"\"boot_default\": \"6.8.0-1039-aws\", "                    \
	"\"installed\": [\"6.8.0-1039-aws\", \"6.8.0-1042-aws\"], " \
	"\"that_matter\": [\"6.8.0-1039-aws\"]},"
#define OLD_ONE                                                                    \
	"{\"kind\": \"module\", \"key\": \"lustre\", \"loaded\": true, \"outdated\": " \
	"\"2.15.5 is loaded, another module (2.15.6) is on disk\"},"

static const char by_slurm[] =
    "{\"modules\": {\"lustre\": {\"package\": \"lustre-client-modules-{kernel}\"}}, "
    "\"mounts\": {\"/lustre\": {\"source\": \"1@tcp:/x\", \"type\": \"lustre\", "
    "\"manage\": \"observe\"}}, \"reboot\": {\"when\": \"slurm\"}}";

static void what_is_loaded_and_old_takes_another_boot_of_the_same_kernel(void **state)
{
	struct test_case *c = shipped(by_slurm, "[" RUNS_WELL PACKAGE_1039 OLD_ONE MOUNTED "]");
	const struct reboot *want = &find(c, "reboot", "")->want->reboot;

	(void)state;
	assert_string_equal(want->into, "6.8.0-1039-aws");
	assert_string_equal(want->when, "slurm");
	assert_string_equal(want->renew,
	                    "lustre: 2.15.5 is loaded, another module (2.15.6) is on disk");
	case_done(c);
	c = shipped(by_slurm, "[" RUNS_WELL PACKAGE_1039 LOADED MOUNTED "]");
	assert_false(plans(c, "reboot"));
	assert_false(plans(c, "scheduler"));
	case_done(c);
}

static void a_node_that_slurm_rebooted_is_given_work_again(void **state)
{
#define DRAINED \
	"{\"kind\": \"reboot\", \"into\": \"6.8.0-1039-aws\", \"when\": \"slurm\", \"drained\": true},"
	struct test_case *c = shipped(by_slurm, "[" RUNS_WELL PACKAGE_1039 LOADED DRAINED MOUNTED "]");
	const struct scheduler *want = &find(c, "scheduler", "")->want->scheduler;

	(void)state;
	assert_true(want->drained.set && !want->drained.value);
	case_done(c);
	/* Not while another reboot is due, nor without a mount that others make. */
	c = shipped(by_slurm, "[" RUNS_WELL PACKAGE_1039 OLD_ONE DRAINED MOUNTED "]");
	assert_false(plans(c, "scheduler"));
	case_done(c);
	c = shipped(by_slurm, "[" RUNS_WELL PACKAGE_1039 LOADED DRAINED NOT_MOUNTED "]");
	assert_false(plans(c, "scheduler"));
	assert_block(c, 0, "node-stays-drained", NULL,
	             "/lustre is not mounted since the reboot by Slurm; the node gets no work");
	case_done(c);
}

static void a_pattern_that_fits_no_kernel_is_said(void **state)
{
	struct test_case *c =
	    shipped("{\"kernel\": {\"release\": \"6.8.0-1043-*\", \"strategy\": \"pin\"}}",
	            "[" RUNS_1039 "{\"kind\": \"node\", \"name\": \"x\"}]");

	(void)state;
	assert_int_equal(c->decision.proposal_count, 0);
	assert_block(c, 0, "kernel-not-installed", NULL,
	             "neither an installed nor a published kernel fits 6.8.0-1043-*; kernel.packages "
	             "may name a package that brings one that does");
	case_done(c);
}

static void a_pattern_may_name_the_package_that_brings_its_first_kernel(void **state)
{
	struct test_case *c =
	    shipped("{\"kernel\": {\"release\": \"6.6.*\", \"strategy\": \"pin\", \"packages\": "
	            "[\"linux-image-6.6-cloud-amd64\"]}}",
	            "[" RUNS_1039 "{\"kind\": \"package\", \"key\": \"linux-image-6.6-cloud-amd64\", "
	            "\"state\": \"absent\"}, {\"kind\": \"candidate\", \"key\": "
	            "\"linux-image-6.6-cloud-amd64\", \"version\": \"6.6.13-1\"}]");

	(void)state;
	find(c, "package", "linux-image-6.6-cloud-amd64");
	assert_int_equal(c->decision.block_count, 0);
	case_done(c);
}

static void a_pattern_may_fit_a_published_kernel(void **state)
{
	struct test_case *c = shipped(
	    "{\"kernel\": {\"release\": \"6.6.*-aws\", \"strategy\": \"pin\"}}",
	    "[" RUNS_1039 "{\"kind\": \"candidate\", \"key\": \"linux-image-6.6.*-aws\", \"names\": "
	    "[\"linux-image-6.6.9-aws\", \"linux-image-6.6.13-aws\", "
	    "\"linux-image-6.6.14-dbg-aws\"]}, {\"kind\": \"package\", \"key\": "
	    "\"linux-image-6.6.13-aws\", \"state\": \"absent\"}, {\"kind\": \"candidate\", "
	    "\"key\": \"linux-image-6.6.13-aws\", \"version\": \"6.6.13-1\"}]");

	(void)state;
	find(c, "package", "linux-image-6.6.13-aws");
	assert_string_equal(find(c, "kernel", "")->want->kernel.boot_default, "6.6.13-aws");
	assert_int_equal(c->decision.block_count, 0);
	case_done(c);
}

static void follow_without_storage_wants_nothing(void **state)
{
	struct test_case *c = shipped("{\"kernel\": {\"strategy\": \"follow\"}}",
	                              "[" RUNS_1039 "{\"kind\": \"node\", \"name\": \"x\"}]");

	(void)state;
	assert_int_equal(c->decision.proposal_count, 0);
	assert_int_equal(c->decision.block_count + c->decision.warning_count, 0);
	case_done(c);
}

static void follow_boots_the_newest_kernel_that_has_the_module(void **state)
{
	struct test_case *c =
	    shipped("{\"kernel\": {\"strategy\": \"follow\"}, \"modules\": {\"lustre\": {\"package\": "
	            "\"lustre-client-modules-{kernel}\"}}}",
	            "[" RUNS_1039 PACKAGE_1039 NO_PACKAGE_1042 NO_CANDIDATE_1042 LOADED MOUNTED "]");

	(void)state;
	assert_string_equal(find(c, "kernel", "")->want->kernel.boot_default, "6.8.0-1039-aws");
	assert_string_equal(find(c, "kernel", "")->origin.reason,
	                    "6.8.0-1042-aws would boot next; no lustre module for it: "
	                    "lustre-client-modules-6.8.0-1042-aws is not published; 6.8.0-1039-aws is "
	                    "the newest installed kernel under which it loads or can be had");
	assert_int_equal(c->decision.block_count, 0);
	case_done(c);
}

static void a_reboot_alone_wants_nothing(void **state)
{
	struct test_case *c = shipped("{\"reboot\": {\"when\": \"slurm\"}}", "[]");

	(void)state;
	assert_int_equal(c->decision.proposal_count + c->decision.warning_count, 0);
	assert_int_equal(c->decision.undecided_count, 0);
	case_done(c);
}

static void plain_sections_are_handed_on(void **state)
{
	struct test_case *c = shipped(
	    "{\"packages\": {\"vim\": {\"version\": \"9.*\"}, \"ed\": {\"state\": \"absent\"}},"
	    "\"holds\": {\"linux-aws\": {}},"
	    "\"data_repositories\": {\"/lustre/data\": {\"repository\": \"s3://bucket/data/\", "
	    "\"import\": [\"NEW\"]}},"
	    "\"resources\": {\"file:/etc/motd\": {\"kind\": \"file\", \"path\": \"/etc/motd\", "
	    "\"content\": \"hi\\n\", \"mode\": \"0644\"}}}",
	    "[{\"kind\": \"data_repository\", \"key\": \"/lustre/data\", \"directory\": false}]");

	(void)state;
	assert_string_equal(find(c, "package", "vim")->want->package.version, "9.*");
	assert_int_equal(find(c, "package", "ed")->want->state, STATE_ABSENT);
	find(c, "hold", "linux-aws");
	const struct proposal *p = find(c, "file", "/etc/motd");

	assert_string_equal(p->want->file.content, "hi\n");
	assert_string_equal(p->origin.reason, "wanted by resources");
	assert_true(p->origin.yaml.line > 0);
	assert_int_equal(
	    find(c, "data_repository", "/lustre/data")->want->data_repository.import_events.count, 1);
	assert_int_equal(c->decision.block_count, 0); /* that it is not there, the kind says itself */
	case_done(c);
}

/* The first block of Lua of docs/policies.md. */
static const char *documented(struct arena *arena)
{
	static char text[32 << 10];
	const char *top = getenv("TOP");
	FILE *f = fopen(arena_printf(arena, "%s/docs/policies.md", top ? top : "."), "r");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

	if (f) {
		fclose(f);
	}
	text[n] = '\0';
	char *start = strstr(text, "```lua\n"), *end = start ? strstr(start + 7, "```") : NULL;

	assert_non_null(end);
	*end = '\0';
	return start + 7;
}

static void documented_example_works(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	case_policy(c, "beegfs", documented(c->arena));
	case_want(c, "{\"mounts\": {\"/mnt/beegfs\": {\"source\": \"beegfs_nodev\", "
	             "\"type\": \"beegfs\"}}}");
	case_facts(c, "[{\"kind\": \"kernel\", \"running\": \"6.12.41+deb12-cloud-amd64\", "
	              "\"installed\": [\"6.1.0-30-cloud-amd64\", \"6.12.41+deb12-cloud-amd64\"]}]");
	assert_runs(c);
	assert_int_equal(c->decision.block_count, 1);
	assert_block(c, 0, "beegfs-kernel", "mount:/mnt/beegfs",
	             "the BeeGFS client does not support 6.12.41+deb12-cloud-amd64; installed kernels "
	             "that it supports: 6.1.0-30-cloud-amd64");
	assert_int_equal(c->decision.blocks[0].origin.yaml.line, 2);
	case_done(c);
}

/* What guarded the node yesterday stays while the boot loader cannot be read; it goes when nothing
 * is left to guard. */
static void guard_is_not_taken_away_because_the_boot_loader_cannot_be_told(void **state)
{
	static const char facts[] =
	    "[" RUNS_1042 NO_PACKAGE_1042 NO_CANDIDATE_1042 LOADED NOT_MOUNTED
	    ",{\"kind\": \"file\", \"key\": \"/etc/kernel/postinst.d/zzz-reconcile\", \"content\": "
	    "\"# written by reconcile (policy preflight)\"},"
	    "{\"kind\": \"file\", \"key\": \"/etc/apt/apt.conf.d/zz-reconcile-preflight\", "
	    "\"state\": \"absent\"}]";
	struct test_case *c = shipped(cluster, facts);

	(void)state;
	assert_false(plans(c, "file"));
	case_done(c);
	c = shipped("{\"modules\": {\"lustre\": {\"state\": \"absent\"}}}", facts);
	assert_int_equal(find(c, "file", "/etc/kernel/postinst.d/zzz-reconcile")->want->state,
	                 STATE_ABSENT);
	assert_string_equal(find(c, "file", "/etc/kernel/postinst.d/zzz-reconcile")->origin.reason,
	                    "no module is wanted that a kernel could take away");
	case_done(c);
}

static void a_node_that_wants_modules_and_has_a_boot_loader_is_guarded_unasked(void **state)
{
	static const char facts[] =
	    "[{\"kind\": \"kernel\", \"running\": \"6.8.0-1039-aws\", \"loader\": \"grub\", "
	    "\"boot_default\": \"6.8.0-1039-aws\", \"installed\": [\"6.8.0-1039-aws\"]},"
	    "{\"kind\": \"directory\", \"key\": \"/etc/kernel/postinst.d\"}," PACKAGE_1039 LOADED
	        MOUNTED "]";
	struct test_case *c = shipped(cluster, facts);
	const struct proposal *hook = find(c, "file", "/etc/kernel/postinst.d/zzz-reconcile");

	(void)state;
	assert_int_equal(hook->want->state, STATE_PRESENT);
	assert_string_equal(hook->origin.reason,
	                    "modules are wanted, and preflight is guard unless it is said otherwise");
	case_done(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_policy_is_there),
	    cmocka_unit_test(node_in_order_gets_its_wishes),
	    cmocka_unit_test(next_kernel_without_a_module_is_said_before_the_reboot),
	    cmocka_unit_test(next_kernel_gets_its_module_before_the_reboot),
	    cmocka_unit_test(running_kernel_without_a_module_blocks_the_mount),
	    cmocka_unit_test(running_kernel_gets_the_published_module),
	    cmocka_unit_test(kernel_with_capitals_has_no_package),
	    cmocka_unit_test(missing_index_leaves_it_undecided),
	    cmocka_unit_test(builtin_module_needs_nothing),
	    cmocka_unit_test(observed_mounts_are_planned_as_observed),
	    cmocka_unit_test(a_static_service_of_a_mount_is_not_wanted_enabled),
	    cmocka_unit_test(pin_brings_the_node_to_the_pinned_kernel),
	    cmocka_unit_test(a_pattern_that_fits_no_kernel_is_said),
	    cmocka_unit_test(a_pattern_may_name_the_package_that_brings_its_first_kernel),
	    cmocka_unit_test(a_pattern_may_fit_a_published_kernel),
	    cmocka_unit_test(follow_without_storage_wants_nothing),
	    cmocka_unit_test(follow_boots_the_newest_kernel_that_has_the_module),
	    cmocka_unit_test(what_is_loaded_and_old_takes_another_boot_of_the_same_kernel),
	    cmocka_unit_test(a_node_that_slurm_rebooted_is_given_work_again),
	    cmocka_unit_test(a_reboot_alone_wants_nothing),
	    cmocka_unit_test(plain_sections_are_handed_on),
	    cmocka_unit_test(documented_example_works),
	    cmocka_unit_test(guard_is_not_taken_away_because_the_boot_loader_cannot_be_told),
	    cmocka_unit_test(a_node_that_wants_modules_and_has_a_boot_loader_is_guarded_unasked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
