// SPDX-License-Identifier: MIT
#include "unit/support/hosted.h"

#include "host/host_inner.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT                                                                                    \
	"# /etc/fstab\n/dev/a\t/a ext4 defaults 0 1\n\n tmpfs /t\\040t tmpfs size=1m,x-y 0 0 # c\n" \
	"none none swap sw\nbroken\n/dev/b /b/ xfs"

static const struct fstab *fstab(void)
{
	const struct fstab *fstab;

	if (host.ops->fstab(&host, &fstab, &err)) {
		fail_msg("%s", err.text);
	}
	return fstab;
}

static struct fstab_line line(const char *source, const char *target, const char *type,
                              const char **options, size_t n)
{
	return (struct fstab_line){
	    .source = source,
	    .target = target,
	    .type = type,
	    .options = {.set = true, .count = n, .items = options},
	};
}

static void lines_are_found_by_target(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const struct fstab_line *found;
	size_t count;

	scratch_write("/etc/fstab", TEXT, 0644);
	assert_int_equal(fstab_count(fstab()), 4);
	found = fstab_find(fstab(), "/t t", &count);
	assert_int_equal(count, 1);
	assert_int_equal(found->line, 4);
	assert_int_equal(found->options.count, 2);
	assert_string_equal(found->options.items[1], "x-y");
	assert_int_equal(fstab_find(fstab(), "/a", NULL)->pass, 1);
	assert_string_equal(fstab_find(fstab(), "/b", NULL)->type, "xfs");
	assert_null(fstab_find(fstab(), "/no", &count));
	assert_int_equal(count, 0);
}

static void lines_that_mount_nothing_are_named(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const struct list *faults;

	scratch_write("/etc/fstab",
	              "# comment\n\n  \t\n/dev/a /a ext4\nnone none swap sw\n/dev/s swap swap sw 0 0\n"
	              "a /two\ntmpfs run/x tmpfs\ntmpfs /a/../b tmpfs\n10.1.30.23@tc",
	              0644);
	faults = fstab_faults(fstab());
	assert_int_equal(faults->count, 4);
	assert_string_equal(
	    faults->items[0],
	    "/etc/fstab:7: \"a /two\" mounts nothing: source, target and type are needed");
	assert_string_equal(faults->items[1], "/etc/fstab:8: the target run/x is relative, expected "
	                                      "an absolute path");
	assert_string_equal(faults->items[2], "/etc/fstab:9: the target /a/../b has a part \"..\"");
	assert_string_equal(faults->items[3],
	                    "/etc/fstab:10: \"10.1.30.23@tc\" mounts nothing: source, target and type "
	                    "are needed; the file ends within this line, it may be cut off");
	host_forget(&host);
	scratch_write("/etc/fstab", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n", 0644);
	faults = fstab_faults(fstab());
	assert_int_equal(faults->count, 9);
	assert_string_equal(faults->items[8], "/etc/fstab: more lines mount nothing");
	host_forget(&host);
	scratch_write("/etc/fstab", "/dev/a /a ext4", 0644);
	assert_int_equal(fstab_faults(fstab())->count, 0);
}

static void no_fstab_is_an_empty_one(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *words[] = {"ro"};
	struct fstab_line added = line("tmpfs", "/mnt", "tmpfs", words, 1);
	struct stat st;

	unlink("/etc/fstab");
	assert_int_equal(fstab_count(fstab()), 0);
	assert_int_equal(host.ops->fstab_put(&host, &added, &err), 0);
	assert_string_equal(scratch_read("/etc/fstab"), "tmpfs\t/mnt\ttmpfs\tro 0 0\n");
	assert_int_equal(stat("/etc/fstab", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void a_line_is_added_and_every_other_byte_stays(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *target = scratch_path("m\tm");
	struct fstab_line added = line("tmp fs", target, "tmpfs", NULL, 0);

	scratch_mkdir(target, 0755);
	scratch_write("/etc/fstab", TEXT, 0640);
	assert_int_equal(host.ops->fstab_put(&host, &added, &err), 0);
	assert_string_equal(scratch_read("/etc/fstab"),
	                    arena_printf(arena, TEXT "\ntmp\\040fs\t%s\\011m\ttmpfs\tdefaults 0 0\n",
	                                 scratch_path("m")));
	assert_non_null(fstab_find(fstab(), target, NULL));
}

static void only_the_fields_that_differ_are_written_anew(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *words[] = {"size=2m", "x-y"};
	struct fstab_line changed = line("tmpfs", "/t t", "tmpfs", words, 2);
	struct fstab_line shorter = line("/dev/b", "/b", "xfs", words, 1);

	scratch_write("/etc/fstab", TEXT, 0644);
	assert_int_equal(host.ops->fstab_put(&host, &changed, &err), 0);
	assert_int_equal(host.ops->fstab_put(&host, &shorter, &err), 0);
	assert_string_equal(
	    scratch_read("/etc/fstab"),
	    "# /etc/fstab\n/dev/a\t/a ext4 defaults 0 1\n\n tmpfs /t\\040t tmpfs size=2m,x-y 0 0 # "
	    "c\nnone none swap sw\nbroken\n/dev/b /b/ xfs size=2m");
}

static void a_line_is_removed_and_every_other_byte_stays(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	scratch_write("/etc/fstab", TEXT, 0644);
	assert_int_equal(host.ops->fstab_remove(&host, "/t t", &err), 0);
	assert_string_equal(
	    scratch_read("/etc/fstab"),
	    "# /etc/fstab\n/dev/a\t/a ext4 defaults 0 1\n\nnone none swap sw\nbroken\n/dev/b /b/ xfs");
	assert_int_equal(host.ops->fstab_remove(&host, "/no", &err), 0);
}

static void somebody_elses_edit_meanwhile_is_kept(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct fstab_line added = line("tmpfs", "/mnt", "tmpfs", NULL, 0);

	scratch_write("/etc/fstab", "# one\n", 0644);
	assert_int_equal(fstab_count(fstab()), 0);
	scratch_write("/etc/fstab", "# one\n# two\n", 0644);
	assert_int_equal(host.ops->fstab_put(&host, &added, &err), 0);
	assert_string_equal(scratch_read("/etc/fstab"),
	                    "# one\n# two\ntmpfs\t/mnt\ttmpfs\tdefaults 0 0\n");
}

static void two_lines_are_left_to_a_person(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *text = "a /m ext4 ro\n\nb /m/ ext4 rw\n";
	struct fstab_line added = line("tmpfs", "/m", "tmpfs", NULL, 0);

	scratch_write("/etc/fstab", text, 0644);
	assert_int_equal(host.ops->fstab_put(&host, &added, &err), -ERR_BUSY);
	assert_non_null(strstr(err.text, "1 and 3"));
	assert_int_equal(host.ops->fstab_remove(&host, "/m", &err), -ERR_BUSY);
	assert_string_equal(scratch_read("/etc/fstab"), text);
}

static void a_line_that_findmnt_refuses_is_not_put(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct fstab_line bad = line("/dev/no-such-device", "/no/such/target", "ext4", NULL, 0);

	scratch_write("/etc/fstab", "# nothing\n", 0644);
	assert_int_equal(host.ops->fstab_put(&host, &bad, &err), -ERR_HOST);
	assert_non_null(strstr(err.text, "findmnt"));
	assert_string_equal(scratch_read("/etc/fstab"), "# nothing\n");
	assert_int_equal(access("/etc/.fstab.reconcile", F_OK), -1);
}

static void a_link_in_its_place_is_not_replaced(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct fstab_line added = line("tmpfs", "/m", "tmpfs", NULL, 0);

	unlink("/etc/fstab");
	assert_int_equal(symlink("/proc/self/mounts", "/etc/fstab"), 0);
	assert_int_not_equal(host.ops->fstab_put(&host, &added, &err), 0);
	unlink("/etc/fstab");
}

static void lines_may_end_as_on_another_system(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	const char *words[] = {"size=2m"};
	const char *target = scratch_path("m");
	struct fstab_line changed = line("x", target, "tmpfs", words, 1);

	scratch_mkdir(target, 0755);
	scratch_write("/etc/fstab", arena_printf(arena, "# a\r\n\r\nx %s tmpfs size=1m\r\n", target),
	              0644);
	assert_int_equal(fstab_count(fstab()), 1);
	assert_string_equal(fstab_find(fstab(), target, NULL)->options.items[0], "size=1m");
	assert_int_equal(host.ops->fstab_put(&host, &changed, &err), 0);
	assert_string_equal(scratch_read("/etc/fstab"),
	                    arena_printf(arena, "# a\r\n\r\nx %s tmpfs size=2m\r\n", target));
}

static char *checked;

/* Stands in for findmnt, to see what it is asked to look at. */
static int note_table(struct host *h, const struct child_command *command,
                      struct child_result *ret_result, struct err *e)
{
	(void)h;
	(void)e;
	checked = arena_strdup(arena, scratch_read(command->argv[3]));
	*ret_result = (struct child_result){0};
	return 0;
}

/* The others may name what is dead, and findmnt would wait for it. */
static void only_the_new_line_is_checked(void **state)
{
	(void)state;
	SCRATCH_NEEDS_ROOT();
	struct host_ops ops = host_linux_ops;
	struct fstab_line added = line("tmpfs", "/m", "tmpfs", NULL, 0);

	ops.run = note_table;
	host.ops = &ops;
	scratch_write("/etc/fstab", "server:/dead /dead nfs defaults 0 0\n", 0644);
	assert_int_equal(host.ops->fstab_put(&host, &added, &err), 0);
	assert_string_equal(checked, "tmpfs\t/m\ttmpfs\tdefaults 0 0\n");
	host.ops = &host_linux_ops;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(lines_are_found_by_target),
	    TEST(lines_that_mount_nothing_are_named),
	    TEST(no_fstab_is_an_empty_one),
	    TEST(a_line_is_added_and_every_other_byte_stays),
	    TEST(only_the_fields_that_differ_are_written_anew),
	    TEST(a_line_is_removed_and_every_other_byte_stays),
	    TEST(somebody_elses_edit_meanwhile_is_kept),
	    TEST(two_lines_are_left_to_a_person),
	    TEST(a_line_that_findmnt_refuses_is_not_put),
	    TEST(a_link_in_its_place_is_not_replaced),
	    TEST(lines_may_end_as_on_another_system),
	    TEST(only_the_new_line_is_checked),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
