// SPDX-License-Identifier: MIT
/* See format.h. */
#include "model/format.h"

#include "base/clock.h"
#include "base/path.h"
#include "base/str.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static const char *const faults_empty = "is empty";

static const char *only(const char *text, const char *allowed, const char *fault)
{
	if (!*text) {
		return faults_empty;
	}
	return text[strspn(text, allowed)] ? fault : NULL;
}

/* The control characters of ASCII and of Latin 1 (U+0080 to U+009F): terminals obey both. */
static bool has_control(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p < 0x20 || *p == 0x7f || (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)) {
			return true;
		}
	}
	return false;
}

static const char *fault_of_word(const char *text)
{
	if (!*text) {
		return faults_empty;
	}
	return strchr(text, ' ') ? "has a blank" : NULL;
}

static const char *fault_of_mode(const char *text)
{
	if (strlen(text) == 4 && strspn(text, "01234567") == 4) {
		return NULL;
	}
	return "is no mode";
}

/* deb-control(5), "Package": lower case letters, digits, plus, minus, period; at least two
 * characters, the first a letter or digit. */
static const char *fault_of_package(const struct field *field, const char *text,
                                    struct arena *arena)
{
	static const char kernel[] = "{kernel}";
	const char *hole = strstr(text, kernel);

	if (hole && (field->flags & FIELD_TEMPLATE)) {
		/* A release is made of characters that a package name may have. */
		return fault_of_package(
		    field,
		    arena_printf(arena, "%.*s0%s", (int)(hole - text), text, hole + sizeof kernel - 1),
		    arena);
	}
	if (strpbrk(text, "{}")) {
		return field->flags & FIELD_TEMPLATE ? "has a template other than {kernel}"
		                                     : "has a template, which is not possible here";
	}
	const char *fault = only(text, "abcdefghijklmnopqrstuvwxyz0123456789+-.",
	                         "has a character that package names do not have");

	if (fault) {
		return fault;
	}
	if (!isalnum((unsigned char)text[0])) {
		return "does not start with a letter or digit";
	}
	return text[1] ? NULL : "is too short";
}

/* Names as useradd(8) and directories of domains (user@domain, DOMAIN\user) make them, or a
 * number. */
static const char *fault_of_owner(const char *text)
{
	if (*text && !text[strspn(text, "0123456789")]) {
		/* (uid_t)-1 means "leave it" to chown(2). */
		return strlen(text) > 10 || strtoull(text, NULL, 10) >= UINT32_MAX ? "is too large a number"
		                                                                   : NULL;
	}
	const char *fault = only(text, ALNUM "_.@\\-$", "has a character that names do not have");

	if (fault) {
		return fault;
	}
	if (text[0] == '-' || text[0] == '.' || text[0] == '$') {
		return "does not start like a name";
	}
	return strlen(text) > 256 ? "is too long" : NULL;
}

static const char *fault_of_setting(const char *text)
{
	size_t name = strspn(text, ALNUM "_.-");

	if (name == 0 || text[name] != '=') {
		return "is not of the form name=value";
	}
	return fault_of_word(text);
}

/* Buckets of the first years may have capitals and underscores and up to 255 characters; the
 * whole is what the FSx API takes as DataRepositoryPath. */
static const char *fault_of_s3(const char *text)
{
	if (!text_starts(text, "s3://")) {
		return "does not start with s3://";
	}
	const char *bucket = text + strlen("s3://");
	size_t n = strcspn(bucket, "/");

	if (n < 3 || n > 255 || strspn(bucket, ALNUM "._-") < n) {
		return "does not name a bucket";
	}
	return strlen(text) > 4357 ? "is too long" : NULL;
}

/* systemd.unit(5): names and suffixes. */
static const char *fault_of_unit(const char *text)
{
	static const char *const suffixes[] = {".service",   ".socket", ".timer", ".mount",
	                                       ".automount", ".swap",   ".path",  ".target",
	                                       ".slice",     ".scope",  ".device"};
	const char *fault = only(text, ALNUM ":_.\\@-", "has a character that unit names do not have");

	if (fault) {
		return fault;
	}
	if (strlen(text) > 255) {
		return "is too long";
	}
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		if (text_ends(text, suffixes[i]) && strlen(text) > strlen(suffixes[i])) {
			return NULL;
		}
	}
	return "has no suffix of a unit";
}

static const char *fault_of_choice(const struct field *field, const char *text, struct arena *arena)
{
	size_t n = 0;

	for (; field->choices[n]; n++) {
		if (strcmp(field->choices[n], text) == 0) {
			return NULL;
		}
	}
	const char *near = text_nearest(text, field->choices, n);

	return near ? arena_printf(arena, "is unknown, did you mean %s", near) : "is unknown";
}

static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

static bool is_day(const char *text, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(days); i++) {
		if (n == 3 && strncmp(text, days[i], 3) == 0) {
			return true;
		}
	}
	return false;
}

/* Days with commas and ranges: "Sat,Sun", "Mon-Fri". */
static bool are_days(const char *text, size_t n)
{
	if (n == 5 && strncmp(text, "daily", 5) == 0) {
		return true;
	}
	for (;;) {
		size_t part = 0;

		while (part < n && text[part] != ',' && text[part] != '-') {
			part++;
		}
		if (!is_day(text, part)) {
			return false;
		}
		if (part == n) {
			return true;
		}
		text += part + 1;
		n -= part + 1;
	}
}

static bool is_hour(const char *text)
{
	if (!isdigit((unsigned char)text[0]) || !isdigit((unsigned char)text[1]) || text[2] != ':' ||
	    !isdigit((unsigned char)text[3]) || !isdigit((unsigned char)text[4])) {
		return false;
	}
	return atoi(text) < 24 && atoi(text + 3) < 60;
}

static const char *fault_of_window(const char *text)
{
	size_t n = strcspn(text, " ");

	if (!are_days(text, n)) {
		return "does not start with days";
	}
	const char *hours = text + n + (text[n] == ' ');

	if (strlen(hours) < 11 || !is_hour(hours) || hours[5] != '-' || !is_hour(hours + 6)) {
		return "has no hours after the days";
	}
	if (strncmp(hours, hours + 6, 5) == 0) {
		return "ends when it begins";
	}
	if (hours[11] != ' ') {
		return "has no time zone after the hours";
	}
	return only(hours + 12, ALNUM "_+-/", "has no time zone after the hours");
}

/* DKMS module names may have a dot, a plus and a dash (dkms.conf), kernel modules may not. */
static const char *fault_of_module_at(const char *text)
{
	size_t n = strspn(text, ALNUM "_.+-");

	if (n == 0) {
		return *text ? "does not start with a module name" : faults_empty;
	}
	if (text[n] != '@') {
		return "is not of the form module@release";
	}
	return only(text + n + 1, ALNUM "._+~-", "has a character that kernel releases do not have");
}

/* apt.conf(5): parts of a name, joined with two colons. */
static const char *fault_of_apt(const char *text)
{
	const char *fault = only(text, ALNUM "_-.:", "has a character that options of apt do not have");

	if (fault) {
		return fault;
	}
	return strstr(text, "::") && text[0] != ':' && !text_ends(text, ":")
	           ? NULL
	           : "is not of the form Group::Option";
}

/* Formats that need no more than a set of characters. */
static const struct {
	const char *allowed, *fault;
} plain[FORMAT_COUNT] = {
    [FORMAT_RELEASE] = {ALNUM "._+~*?-", "has a character that kernel releases do not have"},
    [FORMAT_GLOB] = {ALNUM "._+~:*?-", "has a character that versions do not have"},
    [FORMAT_MODULE] = {ALNUM "_-", "has a character that module names do not have"},
    [FORMAT_NODE] = {ALNUM "._*?-", "has a character that node names do not have"},
    [FORMAT_NAME] = {ALNUM "._-", "has a character that names do not have"},
};

static const char *fault_of_format(const struct field *field, const char *text, struct arena *arena)
{
	switch (field->format) {
	case FORMAT_PATH:
		return *text == '/' ? path_fault(text) : *text ? "is relative" : faults_empty;
	case FORMAT_MODE:
		return fault_of_mode(text);
	case FORMAT_DURATION:
		return clock_duration(text) > 0 ? NULL : "is no duration";
	case FORMAT_PACKAGE:
		return fault_of_package(field, text, arena);
	case FORMAT_WORD:
		return fault_of_word(text);
	case FORMAT_OWNER:
		return fault_of_owner(text);
	case FORMAT_OPTION:
		return strchr(text, ',') ? "has a comma, write each option by itself" : fault_of_word(text);
	case FORMAT_SETTING:
		return fault_of_setting(text);
	case FORMAT_S3:
		return fault_of_s3(text);
	case FORMAT_UNIT:
		return fault_of_unit(text);
	case FORMAT_CHOICE:
		return fault_of_choice(field, text, arena);
	case FORMAT_NAME:
		if (text[0] == '.' || text[0] == '-') {
			return "does not start with a letter or digit";
		}
		break;
	case FORMAT_WINDOW:
		return fault_of_window(text);
	case FORMAT_MODULE_AT:
		return fault_of_module_at(text);
	case FORMAT_APT:
		return fault_of_apt(text);
	case FORMAT_DIGEST:
		return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64 ? NULL : "is no digest";
	default:
		break;
	}
	return only(text, plain[field->format].allowed, plain[field->format].fault);
}

const char *format_fault(const struct field *field, const char *text, struct arena *arena)
{
	if (text[text_utf8_until(text, strlen(text))]) {
		return "is not UTF-8";
	}
	if (field->format == FORMAT_CONTENT) {
		return NULL;
	}
	if (has_control(text)) {
		return strpbrk(text, "\n\r") ? "has more than one line" : "has a control character";
	}
	if (field->format == FORMAT_TEXT) {
		/* Within a list an empty text can be meant: an argument. */
		return *text || field->type == FIELD_LIST ? NULL : faults_empty;
	}
	return fault_of_format(field, text, arena);
}

const char *format_words(enum field_format format, bool plural)
{
	static const struct {
		const char *one, *many;
	} words[FORMAT_COUNT] = {
	    [FORMAT_TEXT] = {"text on one line", "texts"},
	    [FORMAT_CONTENT] = {"text", "texts"},
	    [FORMAT_PATH] = {"an absolute path", "absolute paths"},
	    [FORMAT_MODE] = {"a quoted octal of four digits, \"0644\"",
	                     "quoted octals of four digits, \"0644\""},
	    [FORMAT_DURATION] = {"a duration such as 90s, 5m, 2h or 7d",
	                         "durations such as 90s, 5m, 2h or 7d"},
	    [FORMAT_RELEASE] = {"a kernel release or glob", "kernel releases or globs"},
	    [FORMAT_GLOB] = {"a version or glob", "versions or globs"},
	    [FORMAT_PACKAGE] = {"a package name", "package names"},
	    [FORMAT_WORD] = {"a word", "words"},
	    [FORMAT_OWNER] = {"a name or number", "names or numbers"},
	    [FORMAT_OPTION] = {"a mount option", "mount options"},
	    [FORMAT_MODULE] = {"a module name", "module names"},
	    [FORMAT_SETTING] = {"name=value", "name=value texts"},
	    [FORMAT_S3] = {"s3://BUCKET or s3://BUCKET/PREFIX", "s3://BUCKET/PREFIX texts"},
	    [FORMAT_UNIT] = {"a unit name such as ssh.service", "unit names such as ssh.service"},
	    [FORMAT_CHOICE] = {"a choice", "choices"},
	    [FORMAT_NODE] = {"a node name or glob", "node names or globs"},
	    [FORMAT_NAME] = {"a name of letters, digits, dots, dashes and underscores", "names"},
	    [FORMAT_WINDOW] = {"days, hours and time zone, \"Sun 02:00-05:00 Asia/Seoul\"", "windows"},
	    [FORMAT_MODULE_AT] = {"module@release", "module@release texts"},
	    [FORMAT_APT] = {"an option of apt such as APT::NeverAutoRemove", "options of apt"},
	    [FORMAT_DIGEST] = {"a SHA-256 in hex", "SHA-256 in hex"},
	};

	return plural ? words[format].many : words[format].one;
}

bool format_takes_number(enum field_format format)
{
	return format == FORMAT_OWNER || format == FORMAT_DURATION;
}
