// SPDX-License-Identifier: MIT
#include "engine/last_good.h"

#include "base/digest.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/reconcile-last-good.XXXXXX", path[64];

static int open_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder)) {
		return -1;
	}
	strcpy(path, folder);
	strcat(path, "/last-good.json");
	return 0;
}

static int close_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static struct value tree(struct arena *arena, const char *text)
{
	struct value map = value_map();

	value_put(arena, &map, "state/defaults.yaml", value_string(text));
	value_seal(&map);
	return map;
}

static void keep(const struct value *document)
{
	struct err err = {0};

	if (last_good_keep(path, digest_value(document).hex, document, &err)) {
		fail_msg("%s", err.text);
	}
}

static void what_was_kept_is_read_and_only_root_may(void **state)
{
	struct arena *arena = arena_create();
	struct value document = tree(arena, "version: 1\n"), read;
	struct stat st;
	int64_t since = 0;
	struct err err = {0};

	(void)state;
	assert_int_equal(last_good_read(path, arena, &read, &since, &err), -ERR_INPUT);
	assert_int_equal(err.os, ENOENT);
	keep(&document);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(last_good_read(path, arena, &read, &since, &err), 0);
	assert_true(value_equal(&read, &document));
	assert_int_equal(since, st.st_mtime);
	arena_free(arena);
}

static void serving_again_only_moves_the_time(void **state)
{
	struct arena *arena = arena_create();
	struct value document = tree(arena, "version: 1\n"),
	             other = tree(arena, "version: 1\nmode: safe\n");
	const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct stat before, after;

	(void)state;
	keep(&document);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	assert_int_equal(stat(path, &before), 0);
	keep(&document);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_true(after.st_mtime > 1000);
	keep(&other);
	assert_int_equal(stat(path, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	arena_free(arena);
}

static void what_was_touched_or_is_not_private_is_not_believed(void **state)
{
	struct arena *arena = arena_create();
	struct value document = tree(arena, "version: 1\n"), read;
	int64_t since;
	struct err err = {0};
	int fd;

	(void)state;
	keep(&document);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "0", 1, 10), 1);
	close(fd);
	assert_int_equal(last_good_read(path, arena, &read, &since, &err), -ERR_INPUT);
	assert_non_null(strstr(err.text, "damaged"));
	assert_int_equal(truncate(path, 20), 0);
	assert_int_equal(last_good_read(path, arena, &read, &since, &err), -ERR_INPUT);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(last_good_read(path, arena, &read, &since, &err), -ERR_INPUT);
	assert_non_null(strstr(err.text, "not a private file"));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_kept_is_read_and_only_root_may),
	    cmocka_unit_test(serving_again_only_moves_the_time),
	    cmocka_unit_test(what_was_touched_or_is_not_private_is_not_believed),
	};

	return cmocka_run_group_tests(tests, open_folder, close_folder);
}
