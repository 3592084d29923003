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
const char *const choices_when[] = {"never", "window", "slurm", "now", NULL};
static const char *const choices_verdict[] = {"yes", "no", "unproven", NULL};
static const char *const choices_rival[] = {"cron", "timer", "service", "hook", NULL};
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
    FIELD(kernel.boot_default, "boot_default", RELEASE, EXACT, 0,
          "the release the boot loader starts; distribution: the choice is given back"),
    FIELD(kernel.boot_next, "boot_next", RELEASE, EXACT, 0,
          "the release that the boot loader starts once, at the next boot; none"),
    FACT(kernel.loader, "loader", WORD, "grub, bls or systemd-boot; unset when there is none"),
    FACT(kernel.default_entry, "default_entry", TEXT, "id of the entry behind boot_default"),
    FACT(kernel.own_entry, "own_entry", TEXT,
         "the entry that reconcile made the default; empty when that is not in force yet"),
    FACT(kernel.entries, "entries", TEXT, "release=id of entries that could be the default"),
    FACT(kernel.stale_entry, "stale_entry", TEXT,
         "what the boot loader was told to start and has no entry for"),
    FACT(kernel.obstacle, "obstacle", TEXT, "why the default cannot be set here"),
    FACT(kernel.once_obstacle, "once_obstacle", TEXT, "why nothing can be started once here"),
    FACT(kernel.metapackages, "metapackages", PACKAGE,
         "installed packages that pull in the next kernel when they are upgraded"),
    FACT(kernel.command_line, "command_line", TEXT, "what the running kernel was started with"),
    FACT(kernel.that_matter, "that_matter", RELEASE, "running, next boot and pinned"),
    FACT(kernel.closed, "closed", TEXT,
         "the running kernel takes no more modules until the next boot (kernel.modules_disabled)"),
};

static const struct field scheduler_fields[] = {
    FACT(scheduler.name, "name", WORD, "slurm, or unset when there is none"),
    FACT(scheduler.jobs, "jobs", TEXT, "job steps that run on this node"),
    FIELD(scheduler.drained, "drained", TEXT, EXACT, FIELD_REQUIRED,
          "it is kept from work for a reboot by reconcile; only false can be wanted"),
    FACT(scheduler.drain_reason, "drain_reason", TEXT, "why it is kept from work, by whomever"),
    FACT(scheduler.awaits, "awaits", TEXT, "why it cannot be given work again yet"),
    FACT(scheduler.unasked, "unasked", TEXT, "why the scheduler could not be asked"),
};

static const struct field filesystem_fields[] = {
    FACT(filesystem.nodev, "nodev", TEXT, "it needs no block device"),
};

static const struct field candidate_fields[] = {
    FACT(candidate.version, "version", GLOB, "what an install would bring"),
    FACT(candidate.origin, "origin", TEXT, "where that version comes from"),
    FACT(candidate.versions, "versions", GLOB, "all that are offered, newest first"),
    FACT(candidate.index_age, "index_age", TEXT, "seconds since the index was refreshed"),
    FACT(candidate.names, "names", PACKAGE, "when a glob is asked for: packages that it fits"),
};

static const struct field package_index_fields[] = {
    /* Two different measures, an age and its limit: the provider's diff knows. */
    FIELD(package_index.max_age, "max_age", DURATION, NEVER, 0,
          "refreshed when older than this; 1d when not given"),
    FACT(package_index.age, "age", TEXT, "seconds since it was refreshed"),
    FACT(package_index.outdated, "outdated", TEXT, "the source that was written after it"),
};

static const struct field hold_fields[] = {
    FACT(hold.selection, "selection", WORD, "what dpkg has selected: hold, install, deinstall"),
    FIELD(hold.manual, "manual", TEXT, EXACT, 0,
          "apt does not take it for something that it may remove by itself"),
    FACT(hold.obstacle, "obstacle", TEXT, "why a wanted one cannot be set"),
};

static const struct field package_fields[] = {
    FIELD(package.version, "version", GLOB, GLOB, 0,
          "a version or glob that the installed one must match"),
    FIELD(package.intact, "intact", TEXT, EXACT, 0,
          "true: a file of it that is damaged or missing is put back by installing it anew"),
    FACT(package.status, "status", WORD, "dpkg's word: installed, half-configured, config-files"),
    FACT(package.architecture, "architecture", WORD, "of the installed package"),
    FACT(package.damaged, "damaged", TEXT, "which files are not as they were installed"),
    FACT(package.candidate, "candidate", GLOB, "the version that a change would bring"),
    FACT(package.offered, "offered", GLOB, "all versions of the package index, newest first"),
    FACT(package.brings, "brings", SETTING, "name=version of what would be installed with it"),
    FACT(package.from, "from", TEXT, "where the candidate is when the index does not have it"),
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
    FACT(module.needs_depmod, "needs_depmod", TEXT, "depmod has to run before it can be loaded"),
    FACT(module.outdated, "outdated", TEXT, "how the loaded one differs from that file"),
    FACT(module.blacklisted_by, "blacklisted_by", TEXT, "where: file:line"),
    FACT(module.options, "options", SETTING, "parameters that modprobe.d gives it"),
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
    FIELD(mount.service, "service", UNIT, NEVER, 0,
          "the unit that makes this mount, where mount(2) is not the way: beegfs-client.service"),
    FACT(mount.live, "live", TEXT, "it is mounted now"),
    FACT(mount.automount, "automount", TEXT, "an armed automount waits on the target"),
    FACT(mount.fstab, "fstab", TEXT, "fstab has a line for the target"),
    FIELD(mount.fstab_source, "fstab_source", TEXT, SOURCE, FIELD_FACT, "source of the fstab line"),
    FIELD(mount.fstab_type, "fstab_type", WORD, TYPE, FIELD_FACT, "type of the fstab line"),
    FIELD(mount.fstab_options, "fstab_options", OPTION, FSTAB, FIELD_FACT,
          "options of the fstab line"),
    FACT(mount.other_source, "other_source", TEXT,
         "why the source is another one although its name would fit"),
    FACT(mount.unit, "unit", UNIT, "a mount or automount unit that somebody wrote for the target"),
    FIELD(mount.unit_source, "unit_source", TEXT, SOURCE, FIELD_FACT, "source of that unit"),
    FIELD(mount.unit_type, "unit_type", WORD, TYPE, FIELD_FACT, "type of that unit"),
    FIELD(mount.unit_options, "unit_options", OPTION, FSTAB, FIELD_FACT, "options of that unit"),
    FACT(mount.fstab_lines, "fstab_lines", WORD,
         "line numbers, when fstab has several for the target"),
    FACT(mount.fstab_faults, "fstab_faults", TEXT,
         "of / alone: lines of fstab that mount nothing, cut off or without a path as target"),
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
    FIELD(data_repository.repository, "repository", S3, EXACT, FIELD_REQUIRED,
          "the bucket and prefix that the directory is tied to"),
    FIELD(data_repository.file_system, "file_system", WORD, NEVER, 0,
          "id of the file system: fs-04cb64a224a31f75d"),
    FIELD(data_repository.region, "region", WORD, NEVER, 0, "region of the file system"),
    FIELD(data_repository.import_events, "import", CHOICE, SET, 0,
          "changes of the bucket that are taken over", .choices = choices_event),
    FIELD(data_repository.export_events, "export", CHOICE, SET, 0,
          "changes of the directory that are written back", .choices = choices_event),
    FIELD(data_repository.batch_import, "batch_import", TEXT, NEVER, 0,
          "when it is created: take over what the bucket holds already"),
    FIELD(data_repository.chunk_mib, "chunk_mib", TEXT, EXACT, 0,
          "MiB of an imported file that lie on one disk", .least = 1, .most = 512000),
    FIELD(data_repository.manage, "manage", CHOICE, NEVER, 0,
          "observe: only report; owner: the node named by `owner` writes the association",
          .choices = choices_manage_repository),
    FIELD(data_repository.owner, "owner", NODE, NEVER, 0, "the one node that writes it"),
    FACT(data_repository.directory, "directory", TEXT, "the directory is there, on a live mount"),
    FACT(data_repository.association, "association", WORD, "its id"),
    FACT(data_repository.lifecycle, "lifecycle", WORD,
         "AVAILABLE, CREATING, MISCONFIGURED, FAILED"),
    FACT(data_repository.failure, "failure", TEXT, "what the service says is wrong with it"),
    FACT(data_repository.file_system_path, "file_system_path", TEXT,
         "the directory, as the file system sees it"),
    FACT(data_repository.legacy, "legacy", TEXT,
         "of a file system of the older kind: its ImportPath and ExportPath"),
    FACT(data_repository.unasked, "unasked", TEXT, "why the service could not be asked"),
};

static const struct field service_fields[] = {
    FIELD(service.enabled, "enabled", TEXT, EXACT, 0, "it starts at boot"),
    FIELD(service.active, "active", TEXT, EXACT, 0, "it runs"),
    FIELD(service.masked, "masked", TEXT, EXACT, 0, "it cannot be started"),
    FACT(service.unit_state, "unit_state", WORD, "systemd's words: enabled/active"),
    FACT(service.needs_reload, "needs_reload", TEXT, "its file changed since systemd read it"),
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

static const struct field boot_entry_fields[] = {
    FACT(boot_entry.entry, "entry", TEXT, "id path in the menu of the boot loader"),
    FACT(boot_entry.image, "image", PATH, "the kernel itself"),
    FACT(boot_entry.initrd, "initrd", PATH, "its initial ram disk"),
    FACT(boot_entry.packages, "packages", PACKAGE, "installed packages of exactly this release"),
    FACT(boot_entry.installed, "installed", WORD, "when it came, as far as the logs tell"),
    FACT(boot_entry.brought, "brought", TEXT, "who brought it"),
    FACT(boot_entry.incomplete, "incomplete", TEXT, "why it could not boot as it is"),
};

static const struct field loadable_fields[] = {
    FACT(loadable.verdict, "verdict", CHOICE, "yes, no, or unproven", .choices = choices_verdict),
    FACT(loadable.cause, "cause", WORD, "why not, in a word: missing, magic, symbols, signature"),
    FACT(loadable.reason, "reason", TEXT, "why not, in a sentence"),
    FACT(loadable.file, "file", PATH, "the file that would be loaded"),
    FACT(loadable.vermagic, "vermagic", TEXT, "what that file was built for"),
    FACT(loadable.version, "version", TEXT, "the version in that file"),
};

static const struct field space_fields[] = {
    FACT(space.size, "size", TEXT, "bytes in all"),
    FACT(space.used, "used", TEXT, "bytes in use"),
    FACT(space.available, "available", TEXT, "bytes that users may still take"),
    FACT(space.percent, "percent", TEXT, "how full it is, as df(1) says"),
    FACT(space.error, "error", TEXT, "it answers, but with this error: no sizes then"),
};

static const struct field port_fields[] = {
    FACT(port.answer, "answer", TEXT, "open, refused, silent, unreachable or unknown host"),
    FACT(port.why, "error", TEXT, "what the system said"),
};

static const struct field archive_fields[] = {
    FACT(archive.files, "files", TEXT, "modules, kernel images and mount helpers that it brings"),
};

static const struct field package_files_fields[] = {
    FACT(package_files.damaged, "damaged", TEXT,
         "its files that are missing or have another content; configuration and documentation "
         "are not looked at"),
};

static const struct field rival_fields[] = {
    FACT(rival.kind, "means", CHOICE, "cron, timer, service or hook", .choices = choices_rival),
    FACT(rival.where, "where", TEXT, "file and line, or unit"),
    FACT(rival.does, "does", TEXT, "what it does, in its own words"),
};

static const struct field package_source_fields[] = {
    FIELD(package_source.uri, "uri", WORD, EXACT, FIELD_REQUIRED,
          "where the packages are: https://host/path"),
    FIELD(package_source.suites, "suites", WORD, SET, FIELD_REQUIRED, "jammy, or a path with /"),
    FIELD(package_source.components, "components", WORD, SET, 0, "parts of each suite: main"),
    FIELD(package_source.signed_by, "signed_by", PATH, EXACT, 0, "the keyring that its key is in"),
    FIELD(package_source.key, "public_key", CONTENT, NEVER, 0,
          "the key, armoured; written to signed_by when it is not there"),
    FACT(package_source.key_digest, "key_digest", DIGEST, "SHA-256 of the keyring"),
    FACT(package_source.file, "file", TEXT, "file and line where it stands"),
    FACT(package_source.others, "others", TEXT, "other places where it stands as well"),
    FACT(package_source.obstacle, "obstacle", TEXT, "why it cannot be changed here"),
};

static const struct field cached_package_fields[] = {
    FIELD(cached_package.version, "version", GLOB, GLOB, 0, "the version that is kept"),
    FACT(cached_package.files, "files", SETTING, "name=sha256 of each .deb"),
    FACT(cached_package.size, "size", TEXT, "its length in bytes"),
    FACT(cached_package.damaged, "damaged", TEXT, "what is wrong with what is there"),
    FACT(cached_package.candidate, "candidate", GLOB, "the version that would be fetched"),
    FACT(cached_package.obstacle, "obstacle", TEXT, "why it cannot be had now"),
};

static const struct field apt_option_fields[] = {
    FIELD(apt_option.items, "items", TEXT, ITEMS, FIELD_REQUIRED,
          "what must be in the list; other items do not matter"),
    FACT(apt_option.ours, "ours", TEXT, "what the file that was written for it puts into the list"),
    FACT(apt_option.obstacle, "obstacle", TEXT, "why it cannot be set"),
};

static const struct field dkms_fields[] = {
    FIELD(dkms.version, "version", GLOB, GLOB, 0, "a version or glob of the module's source"),
    FACT(dkms.status, "status", TEXT, "installed, built, added, failed, no headers or excluded"),
    FACT(dkms.headers, "headers", TEXT, "the headers of that kernel are there"),
    FACT(dkms.log, "log", TEXT, "of a failed build: the lines that matter"),
    FACT(dkms.log_file, "log_file", PATH, "where the whole log is"),
    FACT(dkms.obstacle, "obstacle", TEXT, "why it cannot be built now"),
};

static const struct field reboot_fields[] = {
    FIELD(reboot.into, "into", RELEASE, EXACT, FIELD_REQUIRED, "the kernel to be started"),
    FIELD(reboot.when, "when", CHOICE, NEVER, FIELD_REQUIRED, "never, window, slurm or now",
          .choices = choices_when),
    FIELD(reboot.window, "window", WINDOW, NEVER, 0, "when it may start"),
    FIELD(reboot.per_day, "per_day", TEXT, NEVER, 0, "at most so many in 24 hours", .least = 1,
          .most = 24),
    FIELD(reboot.attempts_per_kernel, "attempts_per_kernel", TEXT, NEVER, 0,
          "at most so many into one kernel", .least = 1, .most = 10),
    FIELD(reboot.force, "force", TEXT, NEVER, 0,
          "even of a node that runs slurmctld, exports NFS or belongs to a fleet"),
    FIELD(reboot.trial, "trial", TEXT, NEVER, 0,
          "once; it becomes the default after the checks passed"),
    FIELD(reboot.renew, "renew", TEXT, EXACT, 0,
          "even into the kernel that runs: what that is to put right"),
    FACT(reboot.open, "open", RELEASE, "a reboot that was begun: into which kernel"),
    FACT(reboot.result, "result", TEXT, "of it: waiting, arrived, or came back in another kernel"),
    FACT(reboot.open_trial, "open_trial", TEXT, "it is a trial"),
    FACT(reboot.runs, "runs", TEXT, "runs that were begun under that trial, this one counted"),
    FACT(reboot.attempts, "attempts", SETTING, "release=count of reboots into it"),
    FACT(reboot.last_day, "last_day", TEXT, "reboots by reconcile in 24 hours"),
    FACT(reboot.drained, "drained", TEXT, "Slurm did the last one; it was not resumed since"),
    FACT(reboot.fleet, "fleet", TEXT, "why a reboot outside the scheduler would lose the node"),
    FACT(reboot.obstacle, "obstacle", TEXT, "why it may not be rebooted now"),
};

#define FIELDS(table) .fields = (table), .field_count = ARRAY_LEN(table)

const struct kind kind_table[KIND_COUNT] = {
    [KIND_NODE] = {.id = KIND_NODE,
                   .name = "node",
                   .traits = KIND_SINGLETON | KIND_FACT_ONLY,
                   .help = "the machine itself",
                   FIELDS(node_fields)},
    [KIND_SCHEDULER] = {.id = KIND_SCHEDULER,
                        .name = "scheduler",
                        .traits = KIND_SINGLETON | KIND_NEVER_ABSENT,
                        .help = "work that the node does for others",
                        FIELDS(scheduler_fields)},
    [KIND_FILESYSTEM] = {.id = KIND_FILESYSTEM,
                         .name = "filesystem",
                         .key_name = "name",
                         .key_format = FORMAT_WORD,
                         .traits = KIND_FACT_ONLY,
                         .help = "a file system type that the kernel has registered",
                         FIELDS(filesystem_fields)},
    [KIND_SPACE] = {.id = KIND_SPACE,
                    .name = "space",
                    .key_name = "path",
                    .key_format = FORMAT_PATH,
                    .traits = KIND_FACT_ONLY,
                    .help = "how full a mounted file system is",
                    FIELDS(space_fields)},
    [KIND_PORT] = {.id = KIND_PORT,
                   .name = "port",
                   .key_name = "address",
                   .key_format = FORMAT_WORD,
                   .traits = KIND_FACT_ONLY,
                   .help = "a TCP port of another host: host:988",
                   FIELDS(port_fields)},
    [KIND_ARCHIVE] = {.id = KIND_ARCHIVE,
                      .name = "archive",
                      .key_name = "path",
                      .key_format = FORMAT_PATH,
                      .traits = KIND_FACT_ONLY,
                      .help = "a package as a file (.deb), and what of a kernel is in it",
                      FIELDS(archive_fields)},
    [KIND_PACKAGE_FILES] = {.id = KIND_PACKAGE_FILES,
                            .name = "package_files",
                            .key_name = "name",
                            .key_format = FORMAT_PACKAGE,
                            .traits = KIND_FACT_ONLY,
                            .help = "the files of an installed package, checked by dpkg",
                            FIELDS(package_files_fields)},
    [KIND_RIVAL] = {.id = KIND_RIVAL,
                    .name = "rival",
                    .key_name = "name",
                    .key_format = FORMAT_WORD,
                    .traits = KIND_FACT_ONLY,
                    .help = "something else that repairs or changes the same things",
                    FIELDS(rival_fields)},
    [KIND_BOOT_ENTRY] = {.id = KIND_BOOT_ENTRY,
                         .name = "boot_entry",
                         .key_name = "release",
                         .key_format = FORMAT_RELEASE,
                         .traits = KIND_FACT_ONLY,
                         .help = "what is there of one kernel release",
                         FIELDS(boot_entry_fields)},
    [KIND_LOADABLE] = {.id = KIND_LOADABLE,
                       .name = "loadable",
                       .key_name = "module",
                       .key_format = FORMAT_MODULE_AT,
                       .traits = KIND_FACT_ONLY,
                       .help = "would a module load under a kernel: lustre@6.8.0-1039-aws",
                       FIELDS(loadable_fields)},
    [KIND_CANDIDATE] = {.id = KIND_CANDIDATE,
                        .name = "candidate",
                        .key_name = "name",
                        .key_format = FORMAT_GLOB,
                        .traits = KIND_FACT_ONLY,
                        .help = "what the package index offers",
                        FIELDS(candidate_fields)},
    [KIND_PACKAGE_SOURCE] = {.id = KIND_PACKAGE_SOURCE,
                             .name = "package_source",
                             .key_name = "name",
                             .key_format = FORMAT_WORD,
                             .traits = KIND_UNDER_JOBS,
                             .help = "a place where packages come from, and its key",
                             FIELDS(package_source_fields)},
    [KIND_PACKAGE_INDEX] = {.id = KIND_PACKAGE_INDEX,
                            .name = "package_index",
                            .key_name = "source",
                            .key_format = FORMAT_CHOICE,
                            .key_choices = choices_index,
                            .traits = KIND_UNDER_JOBS | KIND_NEVER_ABSENT,
                            .help = "the lists of what can be installed; apt: all of apt's",
                            FIELDS(package_index_fields)},
    [KIND_CACHED_PACKAGE] =
        {.id = KIND_CACHED_PACKAGE,
         .name = "cached_package",
         .key_name = "name",
         .key_format = FORMAT_PACKAGE,
         .help = "a package and what it needs, kept on the node for a repair without network",
         FIELDS(cached_package_fields)},
    [KIND_APT_OPTION] = {.id = KIND_APT_OPTION,
                         .name = "apt_option",
                         .key_name = "option",
                         .key_format = FORMAT_APT,
                         .help = "a list of apt's configuration that must have certain items",
                         FIELDS(apt_option_fields)},
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
    [KIND_DKMS] = {.id = KIND_DKMS,
                   .name = "dkms",
                   .key_name = "module",
                   .key_format = FORMAT_MODULE_AT,
                   .traits = KIND_UNDER_JOBS | KIND_NEVER_ABSENT,
                   .help = "a module that DKMS builds, for one kernel: beegfs@6.1.0-50-amd64",
                   FIELDS(dkms_fields)},
    [KIND_KERNEL] = {.id = KIND_KERNEL,
                     .name = "kernel",
                     .traits = KIND_SINGLETON | KIND_NEVER_ABSENT,
                     .help = "which kernels there are and which will boot",
                     FIELDS(kernel_fields)},
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
                              .traits = KIND_NEVER_ABSENT,
                              .help = "a directory of a Lustre file system tied to a bucket",
                              FIELDS(data_repository_fields)},
    [KIND_SERVICE] = {.id = KIND_SERVICE,
                      .name = "service",
                      .key_name = "unit",
                      .key_format = FORMAT_UNIT,
                      .traits = KIND_NEVER_ABSENT,
                      .help = "a systemd unit",
                      FIELDS(service_fields)},
    [KIND_COMMAND] = {.id = KIND_COMMAND,
                      .name = "command",
                      .key_name = "name",
                      .key_format = FORMAT_WORD,
                      .traits = KIND_NEVER_ABSENT,
                      .help = "a command with a guard that says when there is nothing to do",
                      FIELDS(command_fields)},
    [KIND_REBOOT] = {.id = KIND_REBOOT,
                     .name = "reboot",
                     .traits = KIND_SINGLETON | KIND_NEVER_ABSENT,
                     .help = "the node started anew, into a kernel",
                     FIELDS(reboot_fields)},
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
