// SPDX-License-Identifier: MIT
/* See section.h. A section that speaks of a kind names its fields as the kind does. */
#include "model/section.h"

#include "base/str.h"

#include <string.h>

/* Rows of a section have no C member. Last: the help, then whatever else the row has. */
#define ROW(called, shape, looks, bits, ...)                                                     \
	{                                                                                            \
		.name = (called), .type = FIELD_##shape, .format = FORMAT_##looks, .match = MATCH_NEVER, \
		.flags = (bits), .help = __VA_ARGS__                                                     \
	}

static const char *const choices_mode[] = {"observe", "safe", "full", NULL};
static const char *const choices_strategy[] = {"pin", "follow", "none", NULL};
static const char *const choices_unsupported[] = {"pin", "skip", NULL};
static const char *const choices_preflight[] = {"off", "warn", "guard", "refuse", NULL};

static const struct field version_fields[] = {
    ROW("version", NUMBER, TEXT, FIELD_REQUIRED, "version of this format; each file starts with it",
        .least = 1, .most = 1),
};

static const struct field nodes_fields[] = {
    ROW("nodes", LIST, NODE, FIELD_REQUIRED,
        "names or globs of the nodes that this file speaks of; a name beats a glob, a longer "
        "literal part a shorter"),
};

static const struct field roles_fields[] = {
    ROW("roles", LIST, NAME, 0, "files of roles/ to lay under this one, in this order"),
};

static const struct field mode_fields[] = {
    ROW("mode", TEXT, CHOICE, 0,
        "what may be changed unasked: nothing; what carries no mark; disruptive changes too",
        .choices = choices_mode),
};

static const struct field stale_max_fields[] = {
    ROW("stale_max", TEXT, DURATION, 0,
        "how long the last good tree serves when this one does not load; 7d when not given"),
};

static const struct field change_max_fields[] = {
    ROW("change_max", TEXT, DURATION, 0,
        "how long one change may take, of what has no longer deadline of its own (packages, "
        "modules, commands); 60s when not given"),
};

static const struct field transaction_max_fields[] = {
    ROW("transaction_max", TEXT, DURATION, 0,
        "how long a change made by a package manager or DKMS is waited for; then it is left to go "
        "on by itself, never ended; 30m when not given"),
};

static const struct field history_fields[] = {
    ROW("keep", TEXT, DURATION, 0, "how long a run is kept; 90d when not given"),
    ROW("size_mib", NUMBER, TEXT, 0,
        "MiB that the history may have in use; the oldest runs go first; 64 when not given",
        .least = 1, .most = 65536),
};

static const struct field accept_fields[] = {
    ROW("accept", TEXT, DIGEST, 0,
        "digest of this node's effective state that may be used although it lost much; the "
        "message of a refused run prints it"),
};

static const struct field kernel_fields[] = {
    ROW("release", TEXT, RELEASE, 0, "the kernel to pin, as uname -r prints it, or a glob"),
    ROW("strategy", TEXT, CHOICE, 0,
        "pin: the kernel above is right; follow: the newest that has what is needed; none: no "
        "opinion. The last two undo what a pin has made",
        .choices = choices_strategy),
    ROW("packages", LIST, PACKAGE, FIELD_TEMPLATE,
        "packages of the pinned kernel; linux-image-{kernel} when not given"),
};

static const struct field preflight_fields[] = {
    ROW("preflight", TEXT, CHOICE, 0,
        "what happens when a package transaction would take a wanted module or mount away",
        .choices = choices_preflight),
};

static const struct field package_sources_fields[] = {
    ROW("uri", TEXT, WORD, FIELD_REQUIRED, "where the packages are: https://host/path"),
    ROW("suites", LIST, WORD, FIELD_REQUIRED, "jammy, or a path with / at its end"),
    ROW("components", LIST, WORD, 0, "parts of each suite: main"),
    ROW("signed_by", TEXT, PATH, 0, "the keyring that its key is in"),
    ROW("key", TEXT, CONTENT, 0, "the key, armoured; written to signed_by when it is not there"),
};

static const struct field reboot_fields[] = {
    ROW("when", TEXT, CHOICE, 0, "never, in the window, by Slurm, or at once",
        .choices = choices_when),
    ROW("window", TEXT, WINDOW, 0, "days, hours and time zone in which a reboot may start"),
    ROW("per_day", NUMBER, TEXT, 0, "at most so many reboots in 24 hours", .least = 1, .most = 24),
    ROW("attempts_per_kernel", NUMBER, TEXT, 0, "at most so many reboots into one kernel",
        .least = 1, .most = 10),
    ROW("trial", TRUTH, TEXT, 0,
        "a kernel that never ran here is started once, and becomes the default after the checks"),
    ROW("force", TRUTH, TEXT, 0,
        "reboot even a node that runs slurmctld, exports NFS or belongs to a fleet"),
};

static const struct field modules_fields[] = {
    ROW("package", TEXT, PACKAGE, FIELD_TEMPLATE,
        "the package that brings it; {kernel} stands for each kernel release that matters"),
    ROW("version", TEXT, GLOB, 0, "a version or glob of that package"),
    ROW("cached", TRUTH, TEXT, 0,
        "its package is kept on the node, for a repair without network; yes unless it is said"),
    ROW("filesystem", TEXT, WORD, 0, "the file system type that it registers"),
    ROW("parameters", LIST, SETTING, 0, "parameters and their values"),
    ROW("dkms", TEXT, NAME, 0, "the name under which DKMS builds it"),
    ROW("unsupported", TEXT, CHOICE, 0,
        "on a kernel it cannot be built for. pin: a kernel that it can be built for is made the "
        "default; skip: its mounts are blocked and the rest of the node converges",
        .choices = choices_unsupported),
};

static const struct field mounts_fields[] = {
    ROW("source", TEXT, TEXT, FIELD_REQUIRED,
        "what is mounted: a device, LABEL=, UUID=, host:/path, NID:/name, a folder to bind"),
    ROW("type", TEXT, WORD, FIELD_REQUIRED, "file system type; none for a bind mount"),
    ROW("options", LIST, OPTION, 0, "options that must be in force; others do not matter"),
    ROW("manage", TEXT, CHOICE, 0,
        "full: fstab line and live mount; live: somebody else owns the line; observe: only report",
        .choices = choices_manage),
    ROW("service", TEXT, UNIT, 0,
        "the unit that makes this mount, where mount(2) is not the way: beegfs-client.service"),
};

static const struct field data_repositories_fields[] = {
    ROW("repository", TEXT, S3, FIELD_REQUIRED,
        "the bucket and prefix that the directory is tied to"),
    ROW("file_system", TEXT, WORD, 0, "id of the file system: fs-04cb64a224a31f75d"),
    ROW("region", TEXT, WORD, 0, "region of the file system"),
    ROW("import", LIST, CHOICE, 0, "changes of the bucket that are taken over",
        .choices = choices_event),
    ROW("export", LIST, CHOICE, 0, "changes of the directory that are written back",
        .choices = choices_event),
    ROW("batch_import", TRUTH, TEXT, 0,
        "when it is created: take over what the bucket holds already"),
    ROW("chunk_mib", NUMBER, TEXT, 0, "MiB of an imported file that lie on one disk", .least = 1,
        .most = 512000),
    ROW("manage", TEXT, CHOICE, 0,
        "observe: only report; owner: the node named by `owner` writes the association",
        .choices = choices_manage_repository),
    ROW("owner", TEXT, NODE, 0, "the one node that writes it"),
};

static const struct field packages_fields[] = {
    ROW("version", TEXT, GLOB, 0, "a version or glob that the installed one must match"),
};

#define FIELDS(table) .fields = (table), .field_count = ARRAY_LEN(table)

const struct section section_table[] = {
    {.name = "version",
     .shape = SECTION_VALUE,
     .places = ANYWHERE,
     FIELDS(version_fields),
     .help = "version of this format; each file starts with it"},
    {.name = "nodes",
     .shape = SECTION_VALUE,
     .places = IN_NODE,
     FIELDS(nodes_fields),
     .help = "which nodes a file of nodes/ speaks of"},
    {.name = "roles",
     .shape = SECTION_VALUE,
     .places = IN_NODE,
     FIELDS(roles_fields),
     .help = "which roles these nodes have"},
    {.name = "mode",
     .shape = SECTION_VALUE,
     .places = ANYWHERE,
     FIELDS(mode_fields),
     .help = "how far reconcile may go when nobody is asked; safe when not given"},
    {.name = "stale_max",
     .shape = SECTION_VALUE,
     .places = ANYWHERE,
     FIELDS(stale_max_fields),
     .help = "how long a tree that no longer loads may be replaced by the last good one"},
    {.name = "change_max",
     .shape = SECTION_VALUE,
     .places = ANYWHERE,
     FIELDS(change_max_fields),
     .help = "how long a mount, say, is waited for"},
    {.name = "transaction_max",
     .shape = SECTION_VALUE,
     .places = ANYWHERE,
     FIELDS(transaction_max_fields),
     .help = "how long a package manager is waited for"},
    {.name = "history",
     .shape = SECTION_GROUP,
     .places = ANYWHERE,
     FIELDS(history_fields),
     .help = "how much of what was done is kept"},
    {.name = "accept",
     .shape = SECTION_VALUE,
     .places = ANYWHERE,
     FIELDS(accept_fields),
     .help = "consent to a tree that lost a section, or much of what was applied before"},
    {.name = "kernel",
     .shape = SECTION_GROUP,
     .places = ANYWHERE,
     FIELDS(kernel_fields),
     .for_policies = true,
     .help = "which kernel the node should run"},
    {.name = "reboot",
     .shape = SECTION_GROUP,
     .places = ANYWHERE,
     FIELDS(reboot_fields),
     .for_policies = true,
     .help = "whether and when the node may be rebooted; never when not given"},
    {.name = "preflight",
     .shape = SECTION_VALUE,
     .places = ANYWHERE,
     FIELDS(preflight_fields),
     .for_policies = true,
     .help = "guards against package transactions that would break the next boot; guard when not "
             "given"},
    {.name = "package_sources",
     .shape = SECTION_COLLECTION,
     .places = ANYWHERE,
     .key_name = "name",
     .key_format = FORMAT_NAME,
     FIELDS(package_sources_fields),
     .for_policies = true,
     .help = "where packages come from, by the name of the file in sources.list.d"},
    {.name = "modules",
     .shape = SECTION_COLLECTION,
     .places = ANYWHERE,
     .key_name = "name",
     .key_format = FORMAT_MODULE,
     FIELDS(modules_fields),
     .for_policies = true,
     .help = "kernel modules, and the packages that bring them for each kernel"},
    {.name = "mounts",
     .shape = SECTION_COLLECTION,
     .places = ANYWHERE,
     .key_name = "target",
     .key_format = FORMAT_PATH,
     FIELDS(mounts_fields),
     .for_policies = true,
     .help = "mounted file systems, by target"},
    {.name = "data_repositories",
     .shape = SECTION_COLLECTION,
     .places = ANYWHERE,
     .key_name = "path",
     .key_format = FORMAT_PATH,
     FIELDS(data_repositories_fields),
     .for_policies = true,
     .help = "directories of a Lustre file system that are tied to a bucket, by path on the node"},
    {.name = "packages",
     .shape = SECTION_COLLECTION,
     .places = ANYWHERE,
     .key_name = "name",
     .key_format = FORMAT_PACKAGE,
     FIELDS(packages_fields),
     .for_policies = true,
     .help = "installed packages, by name"},
    {.name = "holds",
     .shape = SECTION_COLLECTION,
     .places = ANYWHERE,
     .key_name = "package",
     .key_format = FORMAT_PACKAGE,
     .for_policies = true,
     .help = "packages that nobody else may upgrade or remove"},
    {.name = "resources",
     .shape = SECTION_RESOURCES,
     .places = ANYWHERE,
     .for_policies = true,
     .help = "resources of any kind, as they are, without a policy of their own"},
};
const size_t section_count = ARRAY_LEN(section_table);

const struct section *section_find(const char *name)
{
	for (size_t i = 0; i < section_count; i++) {
		if (strcmp(section_table[i].name, name) == 0) {
			return &section_table[i];
		}
	}
	return NULL;
}

const char *section_nearest(const char *name)
{
	const char *names[ARRAY_LEN(section_table)];

	for (size_t i = 0; i < ARRAY_LEN(section_table); i++) {
		names[i] = section_table[i].name;
	}
	return text_nearest(name, names, ARRAY_LEN(names));
}
