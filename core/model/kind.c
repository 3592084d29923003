// SPDX-License-Identifier: MIT
/* See kind.h. One field table per kind, in the order in which a person wants to read the fields. */
#include "model/kind.h"

#include "base/str.h"
#include "model/resource.h"

#include <string.h>

/* The type comes from the C member, so a row cannot state it wrongly. Last: the help, then
 * whatever else the row has. */
#define FIELD(member, called, looks, compared, bits, ...)                     \
	{                                                                         \
		.name = (called), .type = FIELD_TYPE(((struct resource *)0)->member), \
		.format = FORMAT_##looks, .match = MATCH_##compared, .flags = (bits), \
		.offset = offsetof(struct resource, member), .help = __VA_ARGS__      \
	}
#define FACT(member, called, looks, ...) \
	FIELD(member, called, looks, EXACT, FIELD_FACT, __VA_ARGS__)

const char *const choices_manage[] = {"full", "live", "observe", NULL};
const char *const choices_manage_repository[] = {"observe", "owner", NULL};
const char *const choices_event[] = {"NEW", "CHANGED", "DELETED", NULL};
static const char *const choices_index[] = {"apt", NULL};
static const char *const choices_file_type[] = {"file", "link", "directory", "other", NULL};

static const struct field node_fields[] = {
    FACT(node.name, "name", WORD, "the name under which the state describes it"),
    FACT(node.os, "os", WORD, "the distribution: ID of os-release(5)"),
    FACT(node.os_version, "os_version", WORD, "VERSION_ID of os-release(5)"),
    FACT(node.architecture, "architecture", WORD, "of the processor: uname -m"),
    FACT(node.boot_id, "boot_id", WORD, "changes with each boot"),
};

static const struct field kernel_fields[] = {
    FACT(kernel.running, "running", RELEASE, "the release that runs: uname -r"),
    FACT(kernel.installed, "installed", RELEASE, "releases that could boot, newest last"),
    FACT(kernel.boot_default, "boot_default", RELEASE, "the release the boot loader would start"),
    FACT(kernel.boot_next, "boot_next", RELEASE, "the release of a one-shot boot entry"),
    FACT(kernel.command_line, "command_line", TEXT, "what the running kernel was started with"),
    FACT(kernel.that_matter, "that_matter", RELEASE, "running, next boot and pinned"),
};

static const struct field scheduler_fields[] = {
    FACT(scheduler.name, "name", WORD, "slurm, or unset when there is none"),
    FACT(scheduler.jobs, "jobs", TEXT, "job steps that run on this node"),
};

static const struct field filesystem_fields[] = {
    FACT(filesystem.nodev, "nodev", TEXT, "it needs no block device"),
};

static const struct field candidate_fields[] = {
    FACT(candidate.version, "version", GLOB, "what an install would bring"),
    FACT(candidate.origin, "origin", TEXT, "where that version comes from"),
    FACT(candidate.versions, "versions", GLOB, "all that are offered, newest first"),
    FACT(candidate.index_age, "index_age", TEXT, "seconds since the index was refreshed"),
};

static const struct field package_index_fields[] = {
    /* Two different measures, an age and its limit: the provider's diff knows. */
    FIELD(package_index.max_age, "max_age", DURATION, NEVER, 0,
          "refreshed when older than this; 1d when not given"),
    FACT(package_index.age, "age", TEXT, "seconds since it was refreshed"),
};

static const struct field hold_fields[] = {
    FACT(hold.selection, "selection", WORD, "what dpkg has selected: hold, install, deinstall"),
    FACT(hold.obstacle, "obstacle", TEXT, "why a wanted one cannot be set"),
};

static const struct field package_fields[] = {
    FIELD(package.version, "version", GLOB, GLOB, 0,
          "a version or glob that the installed one must match"),
    FACT(package.status, "status", WORD, "dpkg's word: installed, half-configured, config-files"),
    FACT(package.architecture, "architecture", WORD, "of the installed package"),
    FACT(package.candidate, "candidate", GLOB, "the version that a change would bring"),
    FACT(package.offered, "offered", GLOB, "all versions of the package index, newest first"),
    FACT(package.brings, "brings", SETTING, "name=version of what would be installed with it"),
    FACT(package.repair, "repair", TEXT, "what dpkg --configure -a has to finish before"),
    FACT(package.obstacle, "obstacle", TEXT, "why a wanted one cannot be changed now"),
};

static const struct field module_fields[] = {
    FIELD(module.loaded, "loaded", TEXT, EXACT, 0, "it is in the kernel"),
    FIELD(module.version, "version", GLOB, GLOB, 0,
          "a version or glob that the loaded one matches"),
    FIELD(module.parameters, "parameters", SETTING, SETTINGS, 0, "parameters and their values"),
    FIELD(module.blacklisted, "blacklisted", TEXT, EXACT, 0, "it is not loaded by its aliases"),
    FACT(module.builtin, "builtin", TEXT, "it is part of the kernel image"),
    FACT(module.file, "file", PATH, "the file that the running kernel would load"),
    FACT(module.file_version, "file_version", TEXT, "the version in that file"),
    FACT(module.obstacle, "obstacle", TEXT, "why it could not be loaded as things are"),
};

static const struct field directory_fields[] = {
    FIELD(directory.mode, "mode", MODE, EXACT, 0, "permissions; 0755 when it is created"),
    FIELD(directory.owner, "owner", OWNER, EXACT, 0, "user; root when it is created"),
    FIELD(directory.group, "group", OWNER, EXACT, 0, "group; root when it is created"),
    FACT(directory.type, "type", CHOICE, "what lies there", .choices = choices_file_type),
};

static const struct field mount_fields[] = {
    FIELD(mount.source, "source", TEXT, SOURCE, FIELD_REQUIRED,
          "what is mounted: a device, LABEL=, UUID=, host:/path, NID:/name, a folder to bind"),
    FIELD(mount.type, "type", WORD, TYPE, FIELD_REQUIRED,
          "file system type; none for a bind mount"),
    FIELD(mount.options, "options", OPTION, OPTIONS, 0,
          "options that must be in force; others do not matter"),
    FIELD(
        mount.manage, "manage", CHOICE, NEVER, 0,
        "full: fstab line and live mount; live: somebody else owns the line; observe: only report",
        .choices = choices_manage),
    FACT(mount.live, "live", TEXT, "it is mounted now"),
    FACT(mount.automount, "automount", TEXT, "an armed automount waits on the target"),
    FACT(mount.fstab, "fstab", TEXT, "fstab has a line for the target"),
    FIELD(mount.fstab_source, "fstab_source", TEXT, SOURCE, FIELD_FACT, "source of the fstab line"),
    FIELD(mount.fstab_type, "fstab_type", WORD, TYPE, FIELD_FACT, "type of the fstab line"),
    FIELD(mount.fstab_options, "fstab_options", OPTION, FSTAB, FIELD_FACT,
          "options of the fstab line"),
    FACT(mount.fstab_lines, "fstab_lines", WORD,
         "line numbers, when fstab has several for the target"),
    FACT(mount.covers, "covers", TEXT, "how many mounts lie below it on the same target"),
    FACT(mount.root, "root", TEXT, "of a bind mount: the path within its file system"),
    FACT(mount.beneath, "beneath", TEXT,
         "what is at the target while nothing is mounted: missing, empty, not empty, link, "
         "behind a link, file, other"),
};

static const struct field file_fields[] = {
    /* Compared through the digest, so that nothing secret is ever shown or stored. */
    FIELD(file.content, "content", CONTENT, NEVER, FIELD_SECRET, "the whole content"),
    FACT(file.digest, "digest", DIGEST, "SHA-256 of the content"),
    FIELD(file.mode, "mode", MODE, EXACT, 0, "permissions; 0644 when it is created"),
    FIELD(file.owner, "owner", OWNER, EXACT, 0, "user; root when it is created"),
    FIELD(file.group, "group", OWNER, EXACT, 0, "group; root when it is created"),
    FACT(file.type, "type", CHOICE, "what lies there", .choices = choices_file_type),
};

static const struct field data_repository_fields[] = {
    FIELD(data_repository.repository, "repository", S3, NEVER, FIELD_REQUIRED,
          "the bucket and prefix that the directory is tied to"),
    FIELD(data_repository.file_system, "file_system", WORD, NEVER, 0,
          "id of the file system: fs-04cb64a224a31f75d"),
    FIELD(data_repository.region, "region", WORD, NEVER, 0, "region of the file system"),
    FIELD(data_repository.import_events, "import", CHOICE, NEVER, 0,
          "changes of the bucket that are taken over", .choices = choices_event),
    FIELD(data_repository.export_events, "export", CHOICE, NEVER, 0,
          "changes of the directory that are written back", .choices = choices_event),
    FIELD(data_repository.manage, "manage", CHOICE, NEVER, 0,
          "observe: only report; owner: the node named by `owner` writes the association",
          .choices = choices_manage_repository),
    FIELD(data_repository.owner, "owner", NODE, NEVER, 0, "the one node that writes it"),
    FACT(data_repository.directory, "directory", TEXT, "the directory is there, on a live mount"),
};

static const struct field service_fields[] = {
    FIELD(service.enabled, "enabled", TEXT, EXACT, 0, "it starts at boot"),
    FIELD(service.active, "active", TEXT, EXACT, 0, "it runs"),
    FIELD(service.masked, "masked", TEXT, EXACT, 0, "it cannot be started"),
    FACT(service.unit_state, "unit_state", WORD, "systemd's words: enabled/active"),
};

static const struct field command_fields[] = {
    FIELD(command.argv, "argv", TEXT, NEVER, FIELD_REQUIRED,
          "program and arguments, without a shell"),
    FIELD(command.unless, "unless", TEXT, NEVER, 0,
          "the guard: program and arguments; exit 0 means there is nothing to do"),
    FIELD(command.creates, "creates", PATH, NEVER, 0,
          "the guard: nothing to do when this path exists"),
    FACT(command.satisfied, "satisfied", TEXT, "the guard holds"),
};

#define FIELDS(table) .fields = (table), .field_count = ARRAY_LEN(table)

const struct kind kind_table[KIND_COUNT] = {
    [KIND_NODE] = {.id = KIND_NODE,
                   .name = "node",
                   .traits = KIND_SINGLETON | KIND_FACT_ONLY,
                   .help = "the machine itself",
                   FIELDS(node_fields)},
    [KIND_KERNEL] = {.id = KIND_KERNEL,
                     .name = "kernel",
                     .traits = KIND_SINGLETON | KIND_FACT_ONLY,
                     .help = "which kernels there are and which will boot",
                     FIELDS(kernel_fields)},
    [KIND_SCHEDULER] = {.id = KIND_SCHEDULER,
                        .name = "scheduler",
                        .traits = KIND_SINGLETON | KIND_FACT_ONLY,
                        .help = "work that the node does for others",
                        FIELDS(scheduler_fields)},
    [KIND_FILESYSTEM] = {.id = KIND_FILESYSTEM,
                         .name = "filesystem",
                         .key_name = "name",
                         .key_format = FORMAT_WORD,
                         .traits = KIND_FACT_ONLY,
                         .help = "a file system type that the kernel has registered",
                         FIELDS(filesystem_fields)},
    [KIND_CANDIDATE] = {.id = KIND_CANDIDATE,
                        .name = "candidate",
                        .key_name = "name",
                        .key_format = FORMAT_PACKAGE,
                        .traits = KIND_FACT_ONLY,
                        .help = "what the package index offers",
                        FIELDS(candidate_fields)},
    [KIND_PACKAGE_INDEX] = {.id = KIND_PACKAGE_INDEX,
                            .name = "package_index",
                            .key_name = "source",
                            .key_format = FORMAT_CHOICE,
                            .key_choices = choices_index,
                            .traits = KIND_UNDER_JOBS | KIND_NEVER_ABSENT,
                            .help = "the lists of what can be installed; apt: all of apt's",
                            FIELDS(package_index_fields)},
    [KIND_HOLD] = {.id = KIND_HOLD,
                   .name = "hold",
                   .key_name = "package",
                   .key_format = FORMAT_PACKAGE,
                   .help = "a package that must be neither upgraded nor removed by others",
                   FIELDS(hold_fields)},
    [KIND_PACKAGE] = {.id = KIND_PACKAGE,
                      .name = "package",
                      .key_name = "name",
                      .key_format = FORMAT_PACKAGE,
                      .traits = KIND_UNDER_JOBS,
                      .help = "an installed package",
                      FIELDS(package_fields)},
    [KIND_MODULE] = {.id = KIND_MODULE,
                     .name = "module",
                     .key_name = "name",
                     .key_format = FORMAT_MODULE,
                     .help = "a kernel module",
                     FIELDS(module_fields)},
    [KIND_DIRECTORY] = {.id = KIND_DIRECTORY,
                        .name = "directory",
                        .key_name = "path",
                        .key_format = FORMAT_PATH,
                        .help = "a directory; on the target of a mount, the mounted root",
                        FIELDS(directory_fields)},
    [KIND_MOUNT] = {.id = KIND_MOUNT,
                    .name = "mount",
                    .key_name = "target",
                    .key_format = FORMAT_PATH,
                    .help = "a mounted file system",
                    FIELDS(mount_fields)},
    [KIND_FILE] = {.id = KIND_FILE,
                   .name = "file",
                   .key_name = "path",
                   .key_format = FORMAT_PATH,
                   .help = "a regular file",
                   FIELDS(file_fields)},
    [KIND_DATA_REPOSITORY] = {.id = KIND_DATA_REPOSITORY,
                              .name = "data_repository",
                              .key_name = "path",
                              .key_format = FORMAT_PATH,
                              .traits = KIND_NOT_YET | KIND_NEVER_ABSENT,
                              .help = "a directory of a Lustre file system tied to a bucket",
                              FIELDS(data_repository_fields)},
    [KIND_SERVICE] = {.id = KIND_SERVICE,
                      .name = "service",
                      .key_name = "unit",
                      .key_format = FORMAT_UNIT,
                      .traits = KIND_NOT_YET | KIND_NEVER_ABSENT,
                      .help = "a systemd unit",
                      FIELDS(service_fields)},
    [KIND_COMMAND] = {.id = KIND_COMMAND,
                      .name = "command",
                      .key_name = "name",
                      .key_format = FORMAT_WORD,
                      .traits = KIND_NEVER_ABSENT,
                      .help = "a command with a guard that says when there is nothing to do",
                      FIELDS(command_fields)},
};

const struct kind *kind_find(const char *name)
{
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (strcmp(kind_table[i].name, name) == 0) {
			return &kind_table[i];
		}
	}
	return NULL;
}

const char *kind_nearest(const char *name)
{
	const char *names[KIND_COUNT];

	for (size_t i = 0; i < KIND_COUNT; i++) {
		names[i] = kind_table[i].name;
	}
	return text_nearest(name, names, KIND_COUNT);
}

struct field kind_key_field(const struct kind *kind)
{
	return (struct field){
	    .name = kind->key_name ? kind->key_name : "key",
	    .type = FIELD_TEXT,
	    .format = kind->key_format,
	    .match = MATCH_EXACT,
	    .flags = FIELD_KEY | FIELD_REQUIRED,
	    .help = kind->help,
	    .choices = kind->key_choices,
	};
}
