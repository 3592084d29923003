// SPDX-License-Identifier: MIT
#include "mounting.h"

#include "provider/mount.h"

static void the_line_is_added_to_what_is_mounted_already(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("with space");
	struct stat before, after;

	scratch_mkdir(path, 0755);
	assert_int_equal(mount("x", path, "tmpfs", 0, NULL), 0);
	assert_int_equal(stat(path, &before), 0);
	converging_twice(arena, want(path, TMPFS), "/etc/fstab");
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_dev, after.st_dev);
	assert_non_null(strstr(scratch_read("/etc/fstab"), "/with\\040space\ttmpfs\tdefaults 0 0\n"));
}

static void a_line_is_mended_in_place_and_the_others_stay(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");
	const char *before =
	    "a /a xfs  ro 1 2\n  tmpfs   %s/  tmpfs   rw,size=1m,x-mine   0  0  # ours\n\n"
	    "b /b xfs ro\n";
	const char *after =
	    "a /a xfs  ro 1 2\n  tmpfs   %s/  tmpfs   rw,size=2m,x-mine,nodev   0  0  # ours\n\n"
	    "b /b xfs ro\n";
	AUTO(str_free) struct str text = {0};

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	str_addf(&text, before, path);
	scratch_write("/etc/fstab", text.data, 0640);
	converging_twice(arena, want(path, TMPFS ", \"options\": [\"size=2m\", \"nodev\"]"),
	                 "/etc/fstab");
	str_clear(&text);
	str_addf(&text, after, path);
	assert_string_equal(scratch_read("/etc/fstab"), text.data);
	struct stat st;

	assert_int_equal(stat("/etc/fstab", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void two_lines_for_one_target_block_and_are_named(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m"), *why;

	scratch_write("/etc/fstab",
	              arena_printf(arena, "# c\ntmpfs %s tmpfs ro\n\ntmpfs %s/ tmpfs rw\n", path, path),
	              0644);
	assert_int_equal(converge(want(path, TMPFS), &why), OUTCOME_BLOCKED);
	assert_non_null(strstr(why, "2 and 4"));
	assert_false(seen(path)->live.value);
}

static void lines_of_a_faulty_fstab_do_not_stand_in_the_way(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *path = scratch_path("m");

	scratch_write("/etc/fstab", "/dev/nowhere /srv/nothing ext4 defaults 0 2\n", 0644);
	converging_twice(arena, want(path, TMPFS), "/etc/fstab");
}

/* The line that would be written for a wish, as "TYPE OPTIONS DUMP PASS". */
static const char *line_for(const char *fstab, const char *rest)
{
	AUTO(str_free) struct str options = {0};
	struct fstab_line line;
	struct host host;
	struct err err;

	scratch_write("/etc/fstab", fstab, 0644);
	host_init(&host, &host_linux_ops, arena);
	if (mount_compose_line(&host, want("/l", rest), arena, &line, &err)) {
		fail_msg("%s", err.text);
	}
	for (size_t i = 0; i < line.options.count; i++) {
		str_addf(&options, "%s%s", i ? "," : "", line.options.items[i]);
	}
	host_done(&host);
	return arena_printf(arena, "%s %s %d %d", line.type, str_text(&options), line.dump, line.pass);
}

#define NFS "\"source\": \"s:/x\", \"type\": \"nfs4\", \"options\": "

static void what_stands_in_the_line_is_not_written_twice(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_string_equal(line_for("s:/x /l nfs4 defaults,hard 1 2\n", NFS "[\"rw\", \"nodev\"]"),
	                    "nfs4 defaults,hard,nodev 1 2");
	assert_string_equal(
	    line_for("s:/x /l nfs4 ro,noatime,hard 0 0\n", NFS "[\"rw\", \"relatime\"]"),
	    "nfs4 rw,relatime,hard 0 0");
}

static void a_new_line_of_the_network_says_so_once_and_an_old_one_is_left(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_string_equal(line_for("", NFS "[\"hard\"]"), "nfs4 hard,_netdev 0 0");
	assert_string_equal(line_for("", NFS "[\"_netdev\", \"hard\"]"), "nfs4 _netdev,hard 0 0");
	assert_string_equal(line_for("s:/x /l nfs4 soft\n", NFS "[\"hard\"]"), "nfs4 hard 0 0");
	assert_string_equal(line_for("", TMPFS ", \"options\": [\"nodev\"]"), "tmpfs nodev 0 0");
}

static int no_run(struct host *host, const struct child_command *command,
                  struct child_result *ret_result, struct err *err)
{
	(void)host;
	(void)ret_result;
	return err_set(err, ERR_BUG, 0, "%s was run", command->argv[0]);
}

/* The fstab of a namespace is not the one that systemd reads. */
static void systemd_is_told_nothing_from_within_a_namespace(void **state)
{
	struct host_ops ops = host_linux_ops;
	struct applied applied = {0};
	struct host host;

	(void)state;
	SCRATCH_NEEDS_ROOT();
	assert_int_equal(mount("tmpfs", "/run", "tmpfs", 0, "mode=0755"), 0);
	scratch_mkdir("/run/systemd", 0755);
	scratch_mkdir("/run/systemd/system", 0755);
	ops.run = no_run;
	host_init(&host, &ops, arena);
	mount_tell_systemd(&host, arena, &applied);
	host_done(&host);
	assert_int_equal(umount2("/run", MNT_DETACH), 0);
	assert_null(applied.detail);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_line_is_added_to_what_is_mounted_already),
	    TEST(a_line_is_mended_in_place_and_the_others_stay),
	    TEST(two_lines_for_one_target_block_and_are_named),
	    TEST(lines_of_a_faulty_fstab_do_not_stand_in_the_way),
	    TEST(what_stands_in_the_line_is_not_written_twice),
	    TEST(a_new_line_of_the_network_says_so_once_and_an_old_one_is_left),
	    TEST(systemd_is_told_nothing_from_within_a_namespace),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
