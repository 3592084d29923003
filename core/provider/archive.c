// SPDX-License-Identifier: MIT
/*
 * Kind archive, a fact: which modules, kernel images and mount helpers a .deb brings. dpkg-deb
 * unpacks all of it to tell, which takes seconds for a kernel; then the checksums that nearly every
 * package carries are asked, which name its regular files. The file is never written.
 */
#include "base/capture.h"
#include "base/str.h"
#include "provider/lines.h"
#include "provider/table.h"

#include <string.h>

enum { CONTENTS_MS = 3000, SUMS_MS = 1500, OUTPUT_MOST = 8 << 20 };

/* As it is named in an archive ("./lib/...", "lib/..."), from "/" on. NULL: of no interest. */
static const char *path_of(struct arena *arena, const char *name)
{
	name += text_starts(name, "./") ? 2 : *name == '/' ? 1 : 0;
	/* Before and after the merge of / and /usr. */
	const char *at = text_starts(name, "usr/") ? name + strlen("usr/") : name;
	bool is_module = text_starts(at, "lib/modules/") && strstr(at, ".ko");

	if (!is_module && !text_starts(at, "boot/vmlinuz-") && !text_starts(at, "sbin/mount.")) {
		return NULL;
	}
	return arena_printf(arena, "/%s", name);
}

/* "-rw-r--r-- root/root 1234 2026-11-20 06:12 ./lib/x", of a link with " -> to" behind it. */
static const char *name_in_listing(char *line)
{
	char type = *line;

	for (int word = 0; word < 5; word++) {
		if (!lines_word(&line)) {
			return NULL;
		}
	}
	char *end = line ? strstr(line, type == 'l' ? " -> " : " link to ") : NULL;

	if (end && (type == 'l' || type == 'h')) {
		*end = '\0';
	}
	return type == 'd' ? NULL : line;
}

/* "d41d8cd98f00b204e9800998ecf8427e  lib/x" */
static const char *name_in_sums(char *line)
{
	size_t n = strcspn(line, " ");

	return line[n] ? line + n + strspn(line + n, " ") : NULL;
}

static const char *why_not(struct arena *arena, const struct child_result *result)
{
	char *words = arena_strdup(arena, str_text(&result->err));
	const char *said = lines_next(&words);

	if (result->timed_out) {
		return "dpkg-deb does not answer";
	}
	if (result->signalled || result->status != 0) {
		return said && *said ? said : "dpkg-deb failed";
	}
	return NULL;
}

/* What dpkg-deb is asked, and where a line of its answer names a file; NULL: nowhere. */
struct question {
	const char *const *argv;
	int timeout_ms;
	const char *(*name_in)(char *line);
};

/* *ret_why: why it could not be told, or NULL. */
static int ask(struct host *host, const struct question *question, struct arena *arena,
               struct list *ret_files, const char **ret_why, struct err *err)
{
	const struct child_command command = {
	    .argv = question->argv,
	    .timeout_ms = host_patience(host, question->timeout_ms),
	    .output_most = OUTPUT_MOST,
	};
	struct list files = {.set = true};
	struct child_result result;
	size_t cap = 0;

	if (host->ops->run(host, &command, &result, err)) {
		return -(int)err->code;
	}
	char *text = arena_strdup(arena, str_text(&result.out));

	*ret_why = why_not(arena, &result);
	child_result_free(&result);
	for (char *line; !*ret_why && (line = lines_next(&text));) {
		if (*line == '[' && text_ends(line, CAPTURE_CUT)) {
			*ret_why = "it has more files than can be looked at";
			break;
		}
		const char *name = question->name_in(line);
		const char *path = name ? path_of(arena, name) : NULL;

		if (path) {
			lines_add(arena, &files, &cap, path);
		}
	}
	*ret_files = files;
	return 0;
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	const char *const contents[] = {"dpkg-deb", "--contents", key, NULL};
	const char *const sums[] = {"dpkg-deb", "--info", key, "md5sums", NULL};
	const struct question first = {contents, CONTENTS_MS, name_in_listing};
	const struct question then = {sums, SUMS_MS, name_in_sums};
	struct resource *have = resource_create(arena, &kind_table[KIND_ARCHIVE], key);
	const char *why, *why_no_sums;
	struct file_look look;

	(void)want;
	*ret_have = have;
	if (host->ops->look(host, key, &look, err)) {
		return -(int)err->code;
	}
	if (look.type == FILE_NONE) {
		have->state = STATE_ABSENT;
		return 0;
	}
	if (ask(host, &first, arena, &have->archive.files, &why, err)) {
		return -(int)err->code;
	}
	if (!why) {
		return 0;
	}
	if (ask(host, &then, arena, &have->archive.files, &why_no_sums, err)) {
		return -(int)err->code;
	}
	if (why_no_sums) {
		*ret_have = resource_undetermined(arena, have->kind, key, "%s", why);
	}
	return 0;
}

const struct provider provider_archive = {.kind = KIND_ARCHIVE, .observe = observe};
