// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "cli/doctor_text.h"

#include <string.h>

static struct arena *arena;
static struct doctor doctor;

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	struct resource *kernel = resource_create(arena, &kind_table[KIND_KERNEL], "");

	kernel->kernel.running = "6.8.0-1042-aws";
	doctor = (struct doctor){.node = "n1", .kernel = kernel, .index_age = -1, .root = true};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static const char *size(int64_t bytes)
{
	AUTO(str_free) struct str s = {0};

	doctor_add_size(&s, bytes);
	return arena_strdup(arena, str_text(&s));
}

static void sizes_are_those_of_df(void **state)
{
	static const struct {
		int64_t bytes;
		const char *text;
	} cases[] = {
	    /* numfmt --to=iec --round=up says the same */
	    {0, "0"},
	    {1, "1"},
	    {1023, "1023"},
	    {1024, "1.0K"},
	    {1025, "1.1K"},
	    {10137, "9.9K"},
	    {10138, "10K"},
	    {10240, "10K"},
	    {10241, "11K"},
	    {1048575, "1.0M"},
	    {1048576, "1.0M"},
	    {1047552, "1023K"},
	    {1047553, "1.0M"},
	    {16777216, "16M"},
	    {1099511627776, "1.0T"},
	    {2418925581107, "2.2T"},
	    {INT64_MAX, "8.0E"},
	    {-1, "0"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_string_equal(size(cases[i].bytes), cases[i].text);
	}
}

static struct doctor_mount a_mount(const char *target, const char *source,
                                   enum doctor_standing standing)
{
	return (struct doctor_mount){.target = target, .source = source, .standing = standing};
}

static const char *lines(struct doctor_mount *list, size_t n)
{
	AUTO(str_free) struct str s = {0};

	doctor.list = list;
	doctor.count = n;
	doctor_lines(&s, &doctor);
	return arena_strdup(arena, str_text(&s));
}

static void a_line_has_eight_fields_whatever_they_hold(void **state)
{
	struct doctor_mount list[] = {
	    a_mount("/a b\tc\\", "//server/share of all", DOCTOR_HUNG),
	    a_mount("/lustre", NULL, DOCTOR_NOT_MOUNTED),
	};

	(void)state;
	const char *text = lines(list, 2);

	assert_string_equal(text,
	                    "n1  HUNG         /a\\040b\\011c\\134  //server/share\\040of\\040all  "
	                    "   -     -     -     -\n"
	                    "n1  NOT_MOUNTED  /lustre           -                             "
	                    "  -     -     -     -\n");
}

static void a_mounted_one_shows_its_space(void **state)
{
	struct doctor_mount list[] = {a_mount("/lustre", "10.1.30.23@tcp:/czrc3amv", DOCTOR_MOUNTED)};
	struct resource *space = resource_create(arena, &kind_table[KIND_SPACE], "/lustre");

	(void)state;
	space->space.size = (struct number){true, 2418925581107};
	space->space.used = (struct number){true, 16777216};
	space->space.available = (struct number){true, 2418908803891};
	space->space.percent = (struct number){true, 1};
	list[0].space = space;
	assert_string_equal(
	    lines(list, 1),
	    "n1  MOUNTED      /lustre  10.1.30.23@tcp:/czrc3amv  2.2T   16M  2.2T    1%\n");
}

static void what_comes_from_outside_cannot_command_the_terminal(void **state)
{
	struct doctor_mount list[] = {a_mount("/\033[31mred", "a\nb", DOCTOR_BROKEN)};
	AUTO(str_free) struct str s = {0};

	(void)state;
	list[0].why = "because\nof\033this";
	doctor.list = list;
	doctor.count = 1;
	doctor_text(&s, false, &doctor);
	assert_null(strchr(str_text(&s), '\033'));
	assert_non_null(strstr(str_text(&s), "\\x1b[31mred"));
	assert_non_null(strstr(str_text(&s), "because\\x0aof\\x1bthis"));
	assert_null(strchr(lines(list, 1), '\033'));
}

static void who_brought_a_kernel_is_said_once(void **state)
{
	struct doctor_kernel kernel = {.release = "6.8.0-1042-aws",
	                               .running = true,
	                               .is_default = true,
	                               .next = true,
	                               .installed = "2026-11-20T06:12:40Z",
	                               .brought = "unattended-upgrades"};
	struct resource *fact = resource_copy(arena, doctor.kernel);
	AUTO(str_free) struct str s = {0};

	(void)state;
	fact->kernel.boot_default = "6.8.0-1042-aws";
	doctor.kernel = fact;
	doctor.kernels = &kernel;
	doctor.kernel_count = 1;
	doctor_text(&s, false, &doctor);
	const char *first = strstr(str_text(&s), "by unattended-upgrades");

	assert_non_null(first);
	assert_null(strstr(first + 1, "by unattended-upgrades"));
	assert_non_null(
	    strstr(str_text(&s), "\nDefault    6.8.0-1042-aws\nNext       6.8.0-1042-aws\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static int count_of(const char *text, const char *part)
{
	int n = 0;

	for (const char *at = text; (at = strstr(at, part)); at++) {
		n++;
	}
	return n;
}

static void why_a_kernel_cannot_boot_is_said_once(void **state)
{
	struct doctor_kernel kernel = {
	    .release = "6.8.0-1043-aws", .is_default = true, .next = true, .incomplete = "no initrd"};
	struct next_boot next = {.release = kernel.release,
	                         .sentence = "it could not boot as it is: no initrd"};
	struct resource *fact = resource_copy(arena, doctor.kernel);
	AUTO(str_free) struct str s = {0};

	(void)state;
	fact->kernel.boot_default = kernel.release;
	doctor.kernel = fact;
	doctor.kernels = &kernel;
	doctor.kernel_count = 1;
	doctor.next_boot = &next;
	doctor_text(&s, false, &doctor);
	assert_int_equal(count_of(str_text(&s), "no initrd"), 1);
	/* of one that does not boot next nobody else says it */
	fact->kernel.boot_next = "6.8.0-1042-aws";
	kernel.next = false;
	next.sentence = "all is well";
	str_clear(&s);
	doctor_text(&s, false, &doctor);
	assert_int_equal(count_of(str_text(&s), "no initrd"), 1);
}

static void what_the_boot_loader_was_told_in_vain_is_said(void **state)
{
	struct resource *fact = resource_copy(arena, doctor.kernel);
	AUTO(str_free) struct str s = {0};

	(void)state;
	fact->kernel.stale_entry = "gone>entry";
	doctor.kernel = fact;
	doctor_text(&s, false, &doctor);
	assert_int_equal(count_of(str_text(&s), "told to start gone>entry, of which"), 1);
}

static void rivals_that_nobody_looked_for_are_not_said_to_be_none(void **state)
{
	AUTO(str_free) struct str s = {0};

	(void)state;
	doctor.rivals_why = "they cannot be listed";
	doctor_text(&s, false, &doctor);
	assert_int_equal(count_of(str_text(&s), "nothing else here repairs"), 0);
	assert_int_equal(count_of(str_text(&s), "they cannot be listed"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(sizes_are_those_of_df),
	    TEST(a_line_has_eight_fields_whatever_they_hold),
	    TEST(a_mounted_one_shows_its_space),
	    TEST(what_comes_from_outside_cannot_command_the_terminal),
	    TEST(who_brought_a_kernel_is_said_once),
	    TEST(why_a_kernel_cannot_boot_is_said_once),
	    TEST(what_the_boot_loader_was_told_in_vain_is_said),
	    TEST(rivals_that_nobody_looked_for_are_not_said_to_be_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
