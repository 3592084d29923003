// SPDX-License-Identifier: MIT
/* See reboot_fleet.h. */
#include "provider/reboot_fleet.h"

#include "base/path.h"
#include "base/str.h"
#include "provider/lines.h"

#include <errno.h>
#include <string.h>

static int runs_controller(struct host *host, struct arena *arena, bool *ret_runs, struct err *err)
{
	struct file_names names;

	*ret_runs = false;
	if (host->ops->list(host, "/proc", arena, &names, err)) {
		return -(int)err->code;
	}
	for (size_t i = 0; i < names.count && !*ret_runs; i++) {
		struct err gone = {0};
		struct file_bytes comm;

		if (names.list[i][0] >= '1' && names.list[i][0] <= '9' &&
		    !host->ops->read(host, arena_printf(arena, "/proc/%s/comm", names.list[i]), 64, arena,
		                     &comm, &gone)) {
			*ret_runs = strcmp(comm.data, "slurmctld\n") == 0;
		}
	}
	return 0;
}

/* exports(5): a line that is no comment. /var/lib/nfs/etab has what is exported at present, those
 * of exportfs(8) by hand included. */
static int has_exports(struct host *host, const char *path, struct arena *arena, bool *ret_has,
                       struct err *err)
{
	char *text;

	if (lines_read(host, path, arena, &text, err)) {
		return -(int)err->code;
	}
	*ret_has = false;
	for (char *line; text && !*ret_has && (line = lines_next(&text));) {
		line += strspn(line, " \t");
		*ret_has = *line && *line != '#';
	}
	return 0;
}

static int exports_files(struct host *host, struct arena *arena, bool *ret_exports, struct err *err)
{
	static const char folder[] = "/etc/exports.d";
	struct file_names names = {0};
	struct err fault = {0};

	if (has_exports(host, "/etc/exports", arena, ret_exports, err) ||
	    (!*ret_exports && has_exports(host, "/var/lib/nfs/etab", arena, ret_exports, err))) {
		return -(int)err->code;
	}
	if (*ret_exports) {
		return 0;
	}
	if (host->ops->list(host, folder, arena, &names, &fault)) {
		return fault.os == ENOENT || fault.os == ENOTDIR ? 0 : err_copy(err, &fault);
	}
	for (size_t i = 0; i < names.count && !*ret_exports; i++) {
		if (text_ends(names.list[i], ".exports") &&
		    has_exports(host, path_join(arena, folder, names.list[i]), arena, ret_exports, err)) {
			return -(int)err->code;
		}
	}
	return 0;
}

/* The folders that the cluster's own recipes make on each node. */
static int is_in_cluster(struct host *host, bool *ret_is, struct err *err)
{
	static const char *const folders[] = {"/etc/parallelcluster", "/opt/parallelcluster"};
	struct file_look look;

	*ret_is = false;
	for (size_t i = 0; i < ARRAY_LEN(folders) && !*ret_is; i++) {
		if (host->ops->look(host, folders[i], &look, err)) {
			return -(int)err->code;
		}
		*ret_is = look.type == FILE_DIRECTORY;
	}
	return 0;
}

int reboot_fleet(struct host *host, struct arena *arena, const char **ret_why, struct err *err)
{
	bool found;

	*ret_why = NULL;
	if (runs_controller(host, arena, &found, err)) {
		return -(int)err->code;
	}
	if (found) {
		*ret_why = "slurmctld runs here: the whole cluster would be without its controller";
		return 0;
	}
	if (exports_files(host, arena, &found, err)) {
		return -(int)err->code;
	}
	if (found) {
		*ret_why = "it exports file systems over NFS that other nodes have mounted";
		return 0;
	}
	if (is_in_cluster(host, &found, err)) {
		return -(int)err->code;
	}
	if (found) {
		*ret_why =
		    "it belongs to a ParallelCluster, which replaces nodes that reboot outside Slurm";
	}
	return 0;
}

int reboot_fleet_scontrol(struct host *host, struct arena *arena, const char **ret_path,
                          struct err *err)
{
	/* The last is where ParallelCluster has it. */
	static const char *const folders[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
	                                      "/usr/bin",        "/sbin",          "/bin",
	                                      "/opt/slurm/bin"};
	struct file_look look;

	*ret_path = NULL;
	for (size_t i = 0; i < ARRAY_LEN(folders) && !*ret_path; i++) {
		const char *path = path_join(arena, folders[i], "scontrol");

		if (host->ops->look(host, path, &look, err)) {
			return -(int)err->code;
		}
		*ret_path = look.type == FILE_REGULAR || look.type == FILE_LINK ? path : NULL;
	}
	return 0;
}
