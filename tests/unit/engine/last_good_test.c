// SPDX-License-Identifier: MIT
#include "engine/last_good.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"

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

static const char boot[] = "11111111-2222-3333-4444-555555555555";

static void keep_with(const struct value *document, const char *node)
{
	struct last_good served = {.document = *document, .node = node};
	struct err err = {0};

	memcpy(served.digest, digest_value(document).hex, sizeof served.digest);
	if (last_good_keep(path, &served, boot, &err)) {
		fail_msg("%s", err.text);
	}
}

static void keep(const struct value *document)
{
	keep_with(document, NULL);
}

static void what_was_kept_is_read_and_only_root_may(void **state)
{
	struct arena *arena = arena_create();
	struct value document = tree(arena, "version: 1\n");
	struct last_good kept;
	char digest[65];
	struct stat st;
	struct err err = {0};

	(void)state;
	assert_int_equal(last_good_read(path, boot, arena, &kept, &err), -ERR_INPUT);
	assert_int_equal(err.os, ENOENT);
	assert_false(last_good_digest(path, digest));
	keep(&document);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(last_good_read(path, boot, arena, &kept, &err), 0);
	assert_true(value_equal(&kept.document, &document));
	assert_int_equal(kept.served, st.st_mtime);
	assert_null(kept.node);
	assert_true(last_good_digest(path, digest));
	assert_string_equal(digest, digest_value(&document).hex);
	assert_string_equal(kept.digest, digest);
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

static void the_name_of_the_node_is_kept_with_the_tree(void **state)
{
	struct arena *arena = arena_create();
	struct value document = tree(arena, "version: 1\n");
	struct last_good kept;
	struct err err = {0};

	(void)state;
	keep_with(&document, "name: n\n");
	assert_int_equal(last_good_read(path, boot, arena, &kept, &err), 0);
	assert_string_equal(kept.node, "name: n\n");
	keep_with(&document, "name: m\n"); /* the same tree, another node */
	assert_int_equal(last_good_read(path, boot, arena, &kept, &err), 0);
	assert_string_equal(kept.node, "name: m\n");
	keep_with(&document, NULL);
	assert_int_equal(last_good_read(path, boot, arena, &kept, &err), 0);
	assert_null(kept.node);
	arena_free(arena);
}

/* One byte after the other; the line is as long as last_good.c says. */
enum { LINE = 3 * 65 + 37 + 21 };

static void what_was_touched_is_not_believed_and_is_replaced(void **state)
{
	struct arena *arena = arena_create();
	struct value document = tree(arena, "version: 1\n");
	struct last_good kept;
	struct stat st;

	(void)state;
	keep_with(&document, "name: n\n");
	assert_int_equal(stat(path, &st), 0);
	for (off_t i = 0; i < st.st_size; i++) {
		struct err err = {0};
		int fd = open(path, O_RDWR);
		char byte;

		assert_true(fd >= 0);
		assert_int_equal(pread(fd, &byte, 1, i), 1);
		byte ^= 1;
		assert_int_equal(pwrite(fd, &byte, 1, i), 1);
		close(fd);
		bool refused = last_good_read(path, boot, arena, &kept, &err) != 0;

		/* In the line before it something may change that nothing of it is told by. */
		assert_true(refused || (i < LINE && text_equal(kept.node, "name: n\n") &&
		                        value_equal(&kept.document, &document)));
		keep_with(&document, "name: n\n");
		assert_int_equal(last_good_read(path, boot, arena, &kept, &err), 0);
	}
	arena_free(arena);
}

static void what_is_cut_or_not_private_is_not_believed_and_is_replaced(void **state)
{
	struct arena *arena = arena_create();
	struct value document = tree(arena, "version: 1\n");
	struct last_good kept;
	struct err err = {0};

	(void)state;
	for (off_t length = 0; length < 300; length += 7) {
		keep(&document);
		assert_int_equal(truncate(path, length), 0);
		assert_int_equal(last_good_read(path, boot, arena, &kept, &err), -ERR_INPUT);
		assert_non_null(strstr(err.text, "damaged"));
	}
	keep(&document);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(last_good_read(path, boot, arena, &kept, &err), -ERR_INPUT);
	assert_non_null(strstr(err.text, "not a private file"));
	keep(&document);
	assert_int_equal(last_good_read(path, boot, arena, &kept, &err), 0);
	arena_free(arena);
}

static void what_earlier_versions_kept_is_read_and_taken_over(void **state)
{
	struct arena *arena = arena_create();
	struct value document = tree(arena, "version: 1\n");
	AUTO(str_free) struct str text = {0};
	const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct last_good kept;
	struct err err = {0};

	(void)state;
	str_addf(&text, "%s\n", digest_value(&document).hex);
	json_print(&text, &document, 0);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, str_text(&text), text.length), text.length);
	close(fd);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	assert_int_equal(last_good_read(path, boot, arena, &kept, &err), 0);
	assert_true(value_equal(&kept.document, &document));
	assert_int_equal(kept.served, 1000);
	assert_true(kept.age > 1000000);
	keep_with(&document, "name: n\n");
	assert_int_equal(last_good_read(path, boot, arena, &kept, &err), 0);
	assert_string_equal(kept.node, "name: n\n");
	arena_free(arena);
}

/* What the age of the file is by the wall clock: long ago, or yet to come. */
static void in_one_boot_no_jump_of_the_clock_makes_it_old_or_young(void **state)
{
	static const time_t stamps[] = {1000, 4000000000};
	struct arena *arena = arena_create();
	struct value document = tree(arena, "version: 1\n");
	struct last_good kept;
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stamps); i++) {
		const struct timespec t[2] = {{.tv_sec = stamps[i]}, {.tv_sec = stamps[i]}};

		keep(&document);
		assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
		assert_int_equal(last_good_read(path, boot, arena, &kept, &err), 0);
		assert_true(kept.age >= 0 && kept.age < 600);
		/* In another boot the clock tells; one that is yet to come is as old as the boot. */
		assert_int_equal(last_good_read(path, "another", arena, &kept, &err), 0);
		assert_true(i ? kept.age >= clock_ms() / 1000 - 600 && kept.age <= clock_ms() / 1000
		              : kept.age > 1000000000);
	}
	arena_free(arena);
}

static void the_age_is_told_by_the_better_clock(void **state)
{
	(void)state;
	assert_int_equal(last_good_age(1000, 5000, 9999999, 65000), 60);
	assert_int_equal(last_good_age(1000, 5000, 10, 65000), 60);
	assert_int_equal(last_good_age(1000, -1, 1600, 65000), 600);
	assert_int_equal(last_good_age(1000, -1, 10, 65000), 65);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_kept_is_read_and_only_root_may),
	    cmocka_unit_test(serving_again_only_moves_the_time),
	    cmocka_unit_test(the_name_of_the_node_is_kept_with_the_tree),
	    cmocka_unit_test(what_was_touched_is_not_believed_and_is_replaced),
	    cmocka_unit_test(what_is_cut_or_not_private_is_not_believed_and_is_replaced),
	    cmocka_unit_test(what_earlier_versions_kept_is_read_and_taken_over),
	    cmocka_unit_test(in_one_boot_no_jump_of_the_clock_makes_it_old_or_young),
	    cmocka_unit_test(the_age_is_told_by_the_better_clock),
	};

	return cmocka_run_group_tests(tests, open_folder, close_folder);
}
