// SPDX-License-Identifier: MIT
/* Formats: what passes and what is said of what does not. */
#include "model/format.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *const choices[] = {"pin", "follow", "none", NULL};

static const struct {
	enum field_format format;
	const char *text;
	const char *fault; /* NULL: right */
} cases[] = {
    {FORMAT_TEXT, "any text: \"with\" marks, ümlaut", NULL},
    {FORMAT_TEXT, "", "is empty"},
    {FORMAT_TEXT, "two\nlines", "has more than one line"},
    {FORMAT_TEXT, "bell\a", "has a control character"},
    {FORMAT_TEXT, "del\x7f", "has a control character"},
    {FORMAT_TEXT, "csi \xc2\x9b", "has a control character"},
    {FORMAT_TEXT, "not UTF-8: \xff", "is not UTF-8"},
    {FORMAT_TEXT, "overlong \xc0\xaf", "is not UTF-8"},
    {FORMAT_CONTENT, "", NULL},
    {FORMAT_CONTENT, "many\nlines\r\n\twith \a anything", NULL},
    {FORMAT_CONTENT, "but \xff", "is not UTF-8"},
    {FORMAT_PATH, "/", NULL},
    {FORMAT_PATH, "/fsx/data", NULL},
    {FORMAT_PATH, "/with blank", NULL},
    {FORMAT_PATH, "fsx", "is relative"},
    {FORMAT_PATH, "", "is empty"},
    {FORMAT_PATH, "/a//b", "has an empty part"},
    {FORMAT_PATH, "/a/../b", "has a part \"..\""},
    {FORMAT_PATH, "/a/./b", "has a part \".\""},
    {FORMAT_PATH, "/a/", "ends in a slash"},
    {FORMAT_PATH, "/a\nb", "has more than one line"},
    {FORMAT_MODE, "0644", NULL},
    {FORMAT_MODE, "4755", NULL},
    {FORMAT_MODE, "644", "is no mode"},
    {FORMAT_MODE, "0844", "is no mode"},
    {FORMAT_MODE, "00644", "is no mode"},
    {FORMAT_MODE, "u=rw", "is no mode"},
    {FORMAT_MODE, "", "is no mode"},
    {FORMAT_DURATION, "90s", NULL},
    {FORMAT_DURATION, "7d", NULL},
    {FORMAT_DURATION, "0s", "is no duration"},
    {FORMAT_DURATION, "-1s", "is no duration"},
    {FORMAT_DURATION, "1 day", "is no duration"},
    {FORMAT_RELEASE, "6.8.0-1039-aws", NULL},
    {FORMAT_RELEASE, "6.12.*+deb1?-cloud_amd64~", NULL},
    {FORMAT_RELEASE, "6.8/1", "has a character that kernel releases do not have"},
    {FORMAT_RELEASE, "", "is empty"},
    {FORMAT_GLOB, "2.15.6-1fsx*", NULL},
    {FORMAT_GLOB, "1:2.3~rc1-4+deb12u1", NULL},
    {FORMAT_GLOB, ">= 2", "has a character that versions do not have"},
    {FORMAT_PACKAGE, "linux-aws", NULL},
    {FORMAT_PACKAGE, "g++", NULL},
    {FORMAT_PACKAGE, "0ad", NULL},
    {FORMAT_PACKAGE, "libstdc++6", NULL},
    {FORMAT_PACKAGE, "a", "is too short"},
    {FORMAT_PACKAGE, "-yes", "does not start with a letter or digit"},
    {FORMAT_PACKAGE, "Linux", "has a character that package names do not have"},
    {FORMAT_PACKAGE, "a b", "has a character that package names do not have"},
    {FORMAT_PACKAGE, "a-{kernel}", "has a template, which is not possible here"},
    {FORMAT_WORD, "fs-04cb64a224a31f75d", NULL},
    {FORMAT_WORD, "a b", "has a blank"},
    {FORMAT_WORD, "a\tb", "has a control character"},
    {FORMAT_WORD, "", "is empty"},
    {FORMAT_OWNER, "root", NULL},
    {FORMAT_OWNER, "_apt", NULL},
    {FORMAT_OWNER, "user@example.com", NULL},
    {FORMAT_OWNER, "DOMAIN\\user", NULL},
    {FORMAT_OWNER, "1000", NULL},
    {FORMAT_OWNER, "4294967294", NULL},
    {FORMAT_OWNER, "4294967295", "is too large a number"},
    {FORMAT_OWNER, "99999999999999999999", "is too large a number"},
    {FORMAT_OWNER, "root:root", "has a character that names do not have"},
    {FORMAT_OWNER, "-x", "does not start like a name"},
    {FORMAT_OWNER, "", "is empty"},
    {FORMAT_OPTION, "noatime", NULL},
    {FORMAT_OPTION, "size=64m", NULL},
    {FORMAT_OPTION, "flock,noatime", "has a comma, write each option by itself"},
    {FORMAT_OPTION, "a b", "has a blank"},
    {FORMAT_OPTION, "", "is empty"},
    {FORMAT_MODULE, "nvidia_uvm", NULL},
    {FORMAT_MODULE, "lustre.ko", "has a character that module names do not have"},
    {FORMAT_SETTING, "networks=tcp0(eth0)", NULL},
    {FORMAT_SETTING, "empty=", NULL},
    {FORMAT_SETTING, "networks", "is not of the form name=value"},
    {FORMAT_SETTING, "=1", "is not of the form name=value"},
    {FORMAT_SETTING, "a=1 b=2", "has a blank"},
    {FORMAT_S3, "s3://BUCKET/data/", NULL},
    {FORMAT_S3, "s3://my.bucket-1", NULL},
    {FORMAT_S3, "https://bucket", "does not start with s3://"},
    {FORMAT_S3, "s3://", "does not name a bucket"},
    {FORMAT_S3, "s3:///data", "does not name a bucket"},
    {FORMAT_S3, "s3://a b c/", "does not name a bucket"},
    {FORMAT_UNIT, "beegfs-client.service", NULL},
    {FORMAT_UNIT, "mnt-a\\x2db.mount", NULL},
    {FORMAT_UNIT, "getty@tty1.service", NULL},
    {FORMAT_UNIT, ".service", "has no suffix of a unit"},
    {FORMAT_UNIT, "ssh", "has no suffix of a unit"},
    {FORMAT_UNIT, "../ssh.service", "has a character that unit names do not have"},
    {FORMAT_CHOICE, "pin", NULL},
    {FORMAT_CHOICE, "folow", "is unknown, did you mean follow"},
    {FORMAT_CHOICE, "whatever", "is unknown"},
    {FORMAT_NODE, "compute-*", NULL},
    {FORMAT_NODE, "compute-gpu-st-distributed-ml-1", NULL},
    {FORMAT_NODE, "ip-10-0-3-12.ec2.internal", NULL},
    {FORMAT_NODE, "a/b", "has a character that node names do not have"},
    {FORMAT_NAME, "compute.gpu_1", NULL},
    {FORMAT_NAME, "..", "does not start with a letter or digit"},
    {FORMAT_NAME, "a/b", "has a character that names do not have"},
    {FORMAT_WINDOW, "Sun 02:00-05:00 Asia/Seoul", NULL},
    {FORMAT_WINDOW, "Mon-Fri 22:00-04:00 UTC", NULL},
    {FORMAT_WINDOW, "Sat,Sun 00:00-23:59 Etc/GMT+9", NULL},
    {FORMAT_WINDOW, "daily 02:00-03:00 UTC", NULL},
    {FORMAT_WINDOW, "Sonntag 02:00-05:00 UTC", "does not start with days"},
    {FORMAT_WINDOW, "Sun, 02:00-05:00 UTC", "does not start with days"},
    {FORMAT_WINDOW, "", "does not start with days"},
    {FORMAT_WINDOW, "Sun", "has no hours after the days"},
    {FORMAT_WINDOW, "Sun 2:00-5:00 UTC", "has no hours after the days"},
    {FORMAT_WINDOW, "Sun 24:00-25:00 UTC", "has no hours after the days"},
    {FORMAT_WINDOW, "Sun 02:60-03:00 UTC", "has no hours after the days"},
    {FORMAT_WINDOW, "Sun 02:0x-03:00 UTC", "has no hours after the days"},
    {FORMAT_WINDOW, "Sun 02:x0-03:00 UTC", "has no hours after the days"},
    {FORMAT_WINDOW, "Sun 02-00-03:00 UTC", "has no hours after the days"},
    {FORMAT_WINDOW, "Sun 02:00+03:00 UTC", "has no hours after the days"},
    {FORMAT_WINDOW, "Sun 02:00-02:00 UTC", "ends when it begins"},
    {FORMAT_WINDOW, "Sun 02:00-05:00", "has no time zone after the hours"},
    {FORMAT_WINDOW, "Sun 02:00-05:00 ", "is empty"},
    {FORMAT_WINDOW, "Sun 02:00-05:00 ../etc zone", "has no time zone after the hours"},
    {FORMAT_DIGEST, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", NULL},
    {FORMAT_DIGEST, "e3b0", "is no digest"},
    {FORMAT_MODULE_AT, "lustre@6.8.0-1039-aws", NULL},
    {FORMAT_MODULE_AT, "lustre-client-modules@6.1.0+rc1~2", NULL},
    {FORMAT_MODULE_AT, "", "is empty"},
    {FORMAT_MODULE_AT, "@6.1", "does not start with a module name"},
    {FORMAT_MODULE_AT, "lustre", "is not of the form module@release"},
    {FORMAT_MODULE_AT, "lustre@6.1/../x", "has a character that kernel releases do not have"},
    {FORMAT_APT, "APT::NeverAutoRemove", NULL},
    {FORMAT_APT, "Unattended-Upgrade::Package-Blacklist", NULL},
    {FORMAT_APT, "APT", "is not of the form Group::Option"},
    {FORMAT_APT, "::APT", "is not of the form Group::Option"},
    {FORMAT_APT, "APT::Never Remove", "has a character that options of apt do not have"},
};

static void format_fault_says_what_is_wrong(void **state)
{
	AUTO(arena_auto) struct arena *arena = arena_create();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct field field = {.format = cases[i].format, .choices = choices};
		const char *fault = format_fault(&field, cases[i].text, arena);

		if (!fault != !cases[i].fault || (fault && strcmp(fault, cases[i].fault) != 0)) {
			fail_msg("format %d, \"%s\": %s, expected %s", cases[i].format, cases[i].text,
			         fault ? fault : "right", cases[i].fault ? cases[i].fault : "right");
		}
	}
}

static void format_of_each_kind_is_tested_and_has_words(void **state)
{
	(void)state;
	for (enum field_format format = 0; format < FORMAT_COUNT; format++) {
		size_t right = 0, wrong = 0;

		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			right += cases[i].format == format && !cases[i].fault;
			wrong += cases[i].format == format && cases[i].fault;
		}
		assert_true(right > 0 && wrong > 0);
		assert_non_null(format_words(format, false));
		assert_non_null(format_words(format, true));
	}
}

static void format_of_a_template_takes_only_the_kernel(void **state)
{
	static const struct {
		const char *text;
		bool right;
	} templates[] = {
	    {"lustre-client-modules-{kernel}", true},
	    {"{kernel}-modules", true},
	    {"a-{kernel}-b-{kernel}", true},
	    {"lustre-{release}", false},
	    {"lustre-{kernel", false},
	    {"Lustre-{kernel}", false},
	    {"{}", false},
	};
	const struct field field = {.format = FORMAT_PACKAGE, .flags = FIELD_TEMPLATE};
	AUTO(arena_auto) struct arena *arena = arena_create();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(templates); i++) {
		assert_true(!format_fault(&field, templates[i].text, arena) == templates[i].right);
	}
}

static void format_of_an_argument_may_be_empty(void **state)
{
	const struct field field = {.type = FIELD_LIST, .format = FORMAT_TEXT};
	AUTO(arena_auto) struct arena *arena = arena_create();

	(void)state;
	assert_null(format_fault(&field, "", arena));
}

static void format_takes_numbers_where_they_mean_something(void **state)
{
	(void)state;
	assert_true(format_takes_number(FORMAT_OWNER));
	assert_true(format_takes_number(FORMAT_DURATION));
	assert_false(format_takes_number(FORMAT_MODE));
	assert_false(format_takes_number(FORMAT_GLOB));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(format_fault_says_what_is_wrong),
	    cmocka_unit_test(format_of_each_kind_is_tested_and_has_words),
	    cmocka_unit_test(format_of_a_template_takes_only_the_kernel),
	    cmocka_unit_test(format_of_an_argument_may_be_empty),
	    cmocka_unit_test(format_takes_numbers_where_they_mean_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
