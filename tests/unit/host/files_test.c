// SPDX-License-Identifier: MIT
#include "unit/support/hosted.h"

#include "host/host_inner.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct file_look look(const char *path)
{
	struct file_look look;

	if (host.ops->look(&host, path, &look, &err)) {
		fail_msg("%s", err.text);
	}
	return look;
}

static void a_look_tells_what_lies_there_and_follows_no_link(void **state)
{
	(void)state;
	scratch_write(scratch_path("f"), "12345", 0640);
	scratch_mkdir(scratch_path("d"), 01777);
	assert_int_equal(symlink("f", scratch_path("l")), 0);
	assert_int_equal(mkfifo(scratch_path("p"), 0600), 0);
	assert_int_equal(look(scratch_path("f")).type, FILE_REGULAR);
	assert_int_equal(look(scratch_path("f")).mode, 0640);
	assert_int_equal(look(scratch_path("f")).size, 5);
	assert_int_equal(look(scratch_path("d")).type, FILE_DIRECTORY);
	assert_int_equal(look(scratch_path("d")).mode, 01777);
	assert_int_equal(look(scratch_path("l")).type, FILE_LINK);
	assert_int_equal(look(scratch_path("p")).type, FILE_OTHER);
	assert_int_equal(look(scratch_path("no")).type, FILE_NONE);
	assert_int_equal(look(scratch_path("f/below")).type, FILE_NONE);
	assert_true(look("/").mount_root);
}

static void a_file_is_read_up_to_a_bound(void **state)
{
	(void)state;
	struct file_bytes bytes;

	scratch_write(scratch_path("f"), "12345", 0644);
	assert_int_equal(host.ops->read(&host, scratch_path("f"), 5, arena, &bytes, &err), 0);
	assert_string_equal(bytes.data, "12345");
	assert_int_equal(bytes.length, 5);
	assert_int_equal(host.ops->read(&host, scratch_path("f"), 4, arena, &bytes, &err), -ERR_LIMIT);
	/* Its size is said to be 0. */
	assert_int_equal(host.ops->read(&host, "/proc/self/mountinfo", 1 << 20, arena, &bytes, &err),
	                 0);
	assert_true(bytes.length > 0);
}

static void neither_a_link_nor_a_pipe_is_read(void **state)
{
	(void)state;
	struct file_bytes bytes;

	scratch_write(scratch_path("f"), "x", 0644);
	assert_int_equal(symlink("f", scratch_path("l")), 0);
	assert_int_equal(mkfifo(scratch_path("p"), 0600), 0);
	assert_int_equal(host.ops->read(&host, scratch_path("l"), 9, arena, &bytes, &err), -ERR_HOST);
	assert_int_equal(host.ops->read(&host, scratch_path("p"), 9, arena, &bytes, &err), -ERR_HOST);
}

static void names_are_listed_by_their_bytes(void **state)
{
	(void)state;
	struct file_names names;

	scratch_write(scratch_path("b"), "", 0644);
	scratch_write(scratch_path("B"), "", 0644);
	scratch_write(scratch_path(".a"), "", 0644);
	assert_int_equal(host.ops->list(&host, scratch_dir(), arena, &names, &err), 0);
	assert_int_equal(names.count, 3);
	assert_string_equal(names.list[0], ".a");
	assert_string_equal(names.list[1], "B");
	assert_string_equal(names.list[2], "b");
}

static int refusal;

static int refuse_list(struct host *h, const char *path, struct arena *into,
                       struct file_names *ret_names, struct err *fault)
{
	(void)h;
	(void)into;
	*ret_names = (struct file_names){.count = 7};
	return err_set(fault, ERR_HOST, refusal, "cannot list %s", path);
}

static void what_is_missing_has_no_names_and_what_is_hidden_may_have(void **state)
{
	static const struct {
		int os;
		bool missing, hidden, shut;
	} cases[] = {
	    {ENOENT, true, false, false}, {ENOTDIR, true, false, false}, {EACCES, false, true, true},
	    {ELOOP, false, true, false},  {EIO, false, false, false},    {0, false, false, false},
	};
	struct host_ops ops = host_linux_ops;
	struct file_names names;

	(void)state;
	scratch_write(scratch_path("a"), "", 0644);
	assert_int_equal(files_names_in(&host, scratch_dir(), arena, &names, NULL, &err), 0);
	assert_int_equal(names.count, 1);
	ops.list = refuse_list;
	host.ops = &ops;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool hidden = true;
		struct err fault = {.os = cases[i].os};

		refusal = cases[i].os;
		assert_int_equal(files_is_missing(&fault), cases[i].missing);
		assert_int_equal(files_is_hidden(&fault), cases[i].hidden);
		assert_int_equal(!files_names_in(&host, "/x", arena, &names, NULL, &err), cases[i].missing);
		assert_int_equal(!files_names_in(&host, "/x", arena, &names, &hidden, &err),
		                 cases[i].missing || cases[i].hidden);
		assert_int_equal(hidden, cases[i].shut);
		assert_int_equal(names.count, 0);
	}
	host.ops = &host_linux_ops;
}

static void a_link_of_somebody_else_on_the_way_is_not_followed(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct file_write write = {
	    .data = "x", .length = 1, .mode = 0644, .uid = geteuid(), .gid = getegid()};

	scratch_mkdir(scratch_path("real"), 0755);
	assert_int_equal(symlink("real", scratch_path("ours")), 0);
	assert_int_equal(symlink("real", scratch_path("theirs")), 0);
	assert_int_equal(lchown(scratch_path("theirs"), 65534, 65534), 0);
	assert_int_equal(host.ops->write(&host, scratch_path("ours/f"), &write, &err), 0);
	assert_int_equal(host.ops->write(&host, scratch_path("theirs/g"), &write, &err), -ERR_INPUT);
	assert_non_null(strstr(err.text, scratch_path("theirs")));
	assert_int_equal(host.ops->make_directory(&host, scratch_path("theirs/d"), 0755, &err),
	                 -ERR_INPUT);
	assert_int_equal(access(scratch_path("real/f"), F_OK), 0);
	assert_int_equal(access(scratch_path("real/g"), F_OK), -1);
}

static void what_is_not_empty_is_not_removed_and_counts_as_busy(void **state)
{
	(void)state;
	scratch_mkdir(scratch_path("d"), 0755);
	scratch_write(scratch_path("d/f"), "", 0644);
	assert_int_equal(host.ops->remove_directory(&host, scratch_path("d"), &err), -ERR_BUSY);
	assert_int_equal(host.ops->remove_file(&host, scratch_path("d/f"), &err), 0);
	assert_int_equal(host.ops->remove_directory(&host, scratch_path("d"), &err), 0);
}

static void a_file_that_others_may_have_linked_there_keeps_owner_and_mode(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("home/f");

	scratch_mkdir(scratch_path("home"), 0755);
	scratch_write(scratch_path("shadow"), "secret", 0600);
	assert_int_equal(link(scratch_path("shadow"), path), 0);
	assert_int_equal(host.ops->set_mode(&host, path, 0640, &err), 0);
	assert_int_equal(chown(scratch_path("home"), 1000, 1000), 0);
	assert_int_equal(host.ops->set_owner(&host, path, 1000, 1000, &err), -ERR_HOST);
	assert_non_null(strstr(err.text, "hard links"));
	assert_int_equal(host.ops->set_mode(&host, path, 0666, &err), -ERR_HOST);
	assert_int_equal(look(path).uid, 0);
	assert_int_equal(look(path).mode, 0640);
}

static void own_files_are_found_through_links(void **state)
{
	(void)state;
	struct file_bytes bytes;

	scratch_write(scratch_path("f"), "x", 0644);
	assert_int_equal(symlink("f", scratch_path("l")), 0);
	assert_int_equal(files_own_read(scratch_path("l"), true, 9, arena, &bytes, &err), 0);
	assert_string_equal(bytes.data, "x");
	assert_int_equal(chmod(scratch_path("f"), 0666), 0);
	assert_int_equal(files_own_read(scratch_path("l"), true, 9, arena, &bytes, &err), -ERR_INPUT);
	assert_int_equal(files_own_read(scratch_path("l"), false, 9, arena, &bytes, &err), 0);
	assert_int_equal(files_trusted(scratch_path("l"), &err), -ERR_INPUT);
	assert_non_null(strstr(err.text, scratch_path("f")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_look_tells_what_lies_there_and_follows_no_link),
	    TEST(a_file_is_read_up_to_a_bound),
	    TEST(neither_a_link_nor_a_pipe_is_read),
	    TEST(names_are_listed_by_their_bytes),
	    TEST(what_is_missing_has_no_names_and_what_is_hidden_may_have),
	    TEST(a_link_of_somebody_else_on_the_way_is_not_followed),
	    TEST(what_is_not_empty_is_not_removed_and_counts_as_busy),
	    TEST(own_files_are_found_through_links),
	    TEST(a_file_that_others_may_have_linked_there_keeps_owner_and_mode),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
