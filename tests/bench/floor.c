// SPDX-License-Identifier: MIT
/*
 * floor: the least honest work of one run over the node family of tests/bench/run when everything
 * is right, straight on, with the libraries that the job calls for and no design at all. What the
 * program costs beyond this it costs for its promises.
 *
 *	floor ROOT DATABASE
 *
 * Reads the desired state (ROOT/tree/state), looks at the mounts, the package and the hold, the
 * module, the directories and files below ROOT, lets Lua run over a small table, and adds a row to
 * the database, without waiting for the disk as there is nothing to lose. Exit 0 only when all is
 * as it should be.
 */
#include <lauxlib.h>
#include <lualib.h>

#include <libkmod.h>
#include <libmount.h>
#include <sqlite3.h>
#include <yaml.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { MOUNTS = 4, DIRECTORIES = 4, FILES = 2 };

static const char *root;

static void fail(const char *what)
{
	fprintf(stderr, "floor: %s: not as it should be (%s)\n", what, strerror(errno));
	exit(1);
}

static const char *below_root(const char *folder, int i, const char *suffix)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s/%05d%s", root, folder, i, suffix);
	return path;
}

/* The whole file, terminated; the caller frees it. */
static char *read_whole(const char *path, size_t *ret_length)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	size_t length = 0;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) != 0) {
		fail(path);
	}
	size_t size = (size_t)st.st_size + 1;
	char *text = malloc(size + 1);

	while (text && (n = read(fd, text + length, size - length)) > 0) {
		length += (size_t)n;
	}
	close(fd);
	if (!text || length != (size_t)st.st_size) {
		fail(path);
	}
	text[length] = '\0';
	*ret_length = length;
	return text;
}

static void read_state(void)
{
	char path[PATH_MAX];
	size_t length;
	yaml_parser_t parser;
	yaml_document_t document;

	snprintf(path, sizeof path, "%s/tree/state/nodes/bench.yaml", root);
	char *text = read_whole(path, &length);

	if (!yaml_parser_initialize(&parser)) {
		fail("yaml");
	}
	yaml_parser_set_input_string(&parser, (unsigned char *)text, length);
	if (!yaml_parser_load(&parser, &document) || !yaml_document_get_root_node(&document)) {
		fail(path);
	}
	yaml_document_delete(&document);
	yaml_parser_delete(&parser);
	free(text);
}

static void look_at_mounts(void)
{
	struct libmnt_table *table = mnt_new_table_from_file("/proc/self/mountinfo");

	if (!table) {
		fail("mountinfo");
	}
	for (int i = 0; i < MOUNTS; i++) {
		const char *path = below_root("m", i, "");
		struct libmnt_fs *fs = mnt_table_find_target(table, path, MNT_ITER_BACKWARD);
		const char *options = fs ? mnt_fs_get_options(fs) : NULL;

		if (!options || strcmp(mnt_fs_get_fstype(fs), "tmpfs") != 0 || !strstr(options, "nosuid") ||
		    !strstr(options, "noexec") || !strstr(options, "size=64k")) {
			fail(path);
		}
	}
	mnt_unref_table(table);
}

static void look_at_module(const char *name)
{
	const char *no_configuration = NULL;
	struct kmod_ctx *kmod = kmod_new(NULL, &no_configuration);
	struct kmod_module *module = NULL;

	if (!kmod || kmod_module_new_from_name(kmod, name, &module) != 0 ||
	    kmod_module_get_initstate(module) < 0) {
		fail(name);
	}
	kmod_module_unref(module);
	kmod_unref(kmod);
}

static void look_at_package(const char *text, size_t length, const char *name, const char *status)
{
	char stanza[128];
	int n = snprintf(stanza, sizeof stanza, "\nPackage: %s\n", name);
	const char *found = memmem(text, length, stanza, (size_t)n);
	const char *end = found ? strstr(found, "\n\n") : NULL;
	const char *line = found ? strstr(found, "\nStatus: ") : NULL;

	if (!line || (end && line > end) ||
	    strncmp(line + strlen("\nStatus: "), status, strlen(status)) != 0) {
		fail(name);
	}
}

static void look_at_packages(void)
{
	size_t length;
	char *text = read_whole("/var/lib/dpkg/status", &length);

	look_at_package(text, length, "coreutils", "install ok installed");
	look_at_package(text, length, "bash", "hold ok installed");
	free(text);
}

static void look_at_files(void)
{
	struct stat st;
	char wanted[64];
	size_t length;

	for (int i = 0; i < DIRECTORIES; i++) {
		const char *path = below_root("d", i, "");

		if (lstat(path, &st) != 0 || st.st_mode != (S_IFDIR | 0750) || st.st_uid || st.st_gid) {
			fail(path);
		}
	}
	for (int i = 0; i < FILES; i++) {
		const char *path = below_root("f", i, ".conf");
		char *text = read_whole(path, &length);

		snprintf(wanted, sizeof wanted, "# managed\nsetting = %d\n", i);
		if (lstat(path, &st) != 0 || st.st_mode != (S_IFREG | 0644) || st.st_uid || st.st_gid ||
		    strcmp(text, wanted) != 0) {
			fail(path);
		}
		free(text);
	}
}

static void decide(void)
{
	static const char policy[] = "local plan = {}\n"
	                             "for i = 1, 13 do\n"
	                             "	plan[#plan + 1] = {path = '/x/' .. i, mode = '0750'}\n"
	                             "end\n"
	                             "return #plan\n";
	lua_State *lua = luaL_newstate();

	if (!lua) {
		fail("lua");
	}
	luaL_openlibs(lua);
	if (luaL_dostring(lua, policy) || lua_tointeger(lua, -1) != 13) {
		fail("lua");
	}
	lua_close(lua);
}

static void record(const char *path)
{
	static const char statements[] =
	    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
	    "CREATE TABLE IF NOT EXISTS run (id INTEGER PRIMARY KEY, at TEXT, outcome TEXT);"
	    "INSERT INTO run (at, outcome) VALUES (datetime('now'), 'in sync');";
	sqlite3 *database;

	if (sqlite3_open(path, &database) != SQLITE_OK ||
	    sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) != SQLITE_OK ||
	    sqlite3_exec(database, statements, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_close(database) != SQLITE_OK) {
		fail(path);
	}
}

int main(int argc, char **argv)
{
	struct utsname machine;

	if (argc != 3) {
		fprintf(stderr, "usage: floor ROOT DATABASE\n");
		return 1;
	}
	root = argv[1];
	read_state();
	if (uname(&machine) != 0) {
		fail("uname");
	}
	look_at_mounts();
	look_at_module("loop");
	look_at_packages();
	look_at_files();
	decide();
	record(argv[2]);
	return 0;
}
