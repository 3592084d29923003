// SPDX-License-Identifier: MIT
/* See dkms_log.h. */
#include "provider/dkms_log.h"

#include "base/str.h"

#include <string.h>

enum { LINES_MOST = 3, LINE_MOST = 160 };

bool dkms_log_is_for(const char *log, const char *release)
{
	static const char words[] = " for kernel ";
	size_t line = strcspn(log, "\n"), n = strlen(release);
	const char *at = memmem(log, line, words, sizeof words - 1);

	if (!at) {
		return false;
	}
	at += sizeof words - 1;
	return strncmp(at, release, n) == 0 && (at[n] == ' ' || at[n] == '\n' || !at[n]);
}

/* What gcc, ld and make print: "x.c:12:10: fatal error: ...", "make: *** ...", "ERROR: modpost". */
static bool is_complaint(const char *line, size_t n)
{
	static const char *const words[] = {" error: ", "ERROR: ", "undefined reference", "***"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (memmem(line, n, words[i], strlen(words[i]))) {
			return true;
		}
	}
	return false;
}

/* What make says after a compiler has said it adds nothing. */
static bool is_echo(const char *line, size_t n, size_t said)
{
	return said > 0 && memmem(line, n, "***", 3);
}

bool dkms_log_is_final(const char *log, bool is_whole)
{
	static const char *const passing[] = {"No space left on device", "Cannot allocate memory",
	                                      "virtual memory exhausted", "Killed signal terminated"};

	for (size_t i = 0; i < ARRAY_LEN(passing); i++) {
		if (strstr(log, passing[i])) {
			return false;
		}
	}
	for (const char *line = log; *line && !is_whole;) {
		size_t n = strcspn(line, "\n");

		is_whole = is_complaint(line, n);
		line += n + (line[n] == '\n');
	}
	return is_whole;
}

static void add(struct str *text, const char *line, size_t n)
{
	AUTO(str_free) struct str one = {0};

	str_addn(&one, line, n);
	str_add(text, text->length ? "; " : "");
	str_add_printable(text, str_text(&one), LINE_MOST);
}

const char *dkms_log_lines(struct arena *arena, const char *log)
{
	AUTO(str_free) struct str text = {0};
	const char *last = "";
	size_t said = 0, last_n = 0;

	for (const char *line = log; *line && said < LINES_MOST;) {
		size_t n = strcspn(line, "\n");

		if (is_complaint(line, n) && !is_echo(line, n, said)) {
			add(&text, line, n);
			said++;
		}
		if (n) {
			last = line;
			last_n = n;
		}
		line += n + (line[n] == '\n');
	}
	if (!said) {
		add(&text, last, last_n);
	}
	return arena_strdup(arena, str_text(&text));
}
