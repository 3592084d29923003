// SPDX-License-Identifier: MIT
/*
 * A mount or automount unit that somebody wrote for a target (systemd.mount(5)): beside fstab and
 * the live mount a third place that says what should be there. Units that systemd makes of fstab
 * are not meant.
 */
#include "base/str.h"
#include "provider/lines.h"
#include "provider/mount.h"

#include <errno.h>
#include <string.h>

/* systemd.unit(5), "String Escaping for Inclusion in Unit Names". */
static const char *unit_name(struct arena *arena, const char *target, const char *suffix)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_.";
	AUTO(str_free) struct str name = {0};

	for (const char *c = target + 1; *c; c++) {
		if (*c == '/') {
			str_addc(&name, '-');
		} else if (!strchr(plain, *c) || (c == target + 1 && *c == '.')) {
			str_addf(&name, "\\x%02x", (unsigned char)*c);
		} else {
			str_addc(&name, *c);
		}
	}
	return arena_printf(arena, "%s%s", name.length ? str_text(&name) : "-", suffix);
}

/* Options= is a list with commas. */
static struct list split_options(struct arena *arena, char *text)
{
	struct list list = {.set = true};
	size_t cap = 0;

	for (char *item; (item = strsep(&text, ","));) {
		if (*item) {
			lines_add(arena, &list, &cap, item);
		}
	}
	return list;
}

static void take(struct arena *arena, char *text, struct mount *mount)
{
	for (char *line; (line = lines_next(&text));) {
		char *value = strchr(line, '=');

		if (!value || *line == '#' || *line == ';') {
			continue;
		}
		*value++ = '\0';
		value += strspn(value, " \t");
		line[strcspn(line, " \t")] = '\0'; /* blanks may stand on both sides of the = */
		if (strcmp(line, "What") == 0) {
			mount->unit_source = value;
		} else if (strcmp(line, "Type") == 0) {
			mount->unit_type = value;
		} else if (strcmp(line, "Options") == 0) {
			mount->unit_options = split_options(arena, value);
		}
	}
}

/* A folder or link in its place (a masked unit is a link to /dev/null), or one that may not be
 * read, says nothing of a mount. */
static int read_unit(struct host *host, const char *path, struct arena *arena, char **ret_text,
                     struct err *err)
{
	struct err fault = {0};

	*ret_text = NULL;
	if (!lines_read(host, path, arena, ret_text, &fault)) {
		return 0;
	}
	*ret_text = NULL;
	/* What has no errno is no regular file, or too large for one. */
	return fault.os == EACCES || fault.os == ELOOP || (!fault.os && fault.code != ERR_BUG)
	           ? 0
	           : err_copy(err, &fault);
}

int mount_read_unit(struct host *host, const char *target, struct arena *arena, struct mount *mount,
                    struct err *err)
{
	/* In the order in which systemd prefers them; generated ones lie elsewhere. */
	static const char *const folders[] = {"/etc/systemd/system", "/run/systemd/system",
	                                      "/usr/lib/systemd/system"};
	static const char *const suffixes[] = {".mount", ".automount"};

	for (size_t s = 0; s < ARRAY_LEN(suffixes) && !mount->unit; s++) {
		const char *name = unit_name(arena, target, suffixes[s]);

		for (size_t i = 0; i < ARRAY_LEN(folders) && !mount->unit; i++) {
			char *text;

			if (read_unit(host, arena_printf(arena, "%s/%s", folders[i], name), arena, &text,
			              err)) {
				return -(int)err->code;
			}
			if (text) {
				mount->unit = name;
				take(arena, text, mount);
			}
		}
	}
	return 0;
}
