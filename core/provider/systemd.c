// SPDX-License-Identifier: MIT
/* See systemd.h. */
#include "provider/systemd.h"

#include "base/str.h"
#include "provider/lines.h"

#include <string.h>

enum {
	SHOW_MS = 4000, /* within the deadline of an observation */
	CALL_MS = 30000,
	LOG_MS = 4000,
};

int systemd_is_here(struct host *host, bool *ret_here, struct err *err)
{
	struct file_look look;

	if (host->ops->look(host, "/run/systemd/system", &look, err)) {
		return -(int)err->code;
	}
	*ret_here = look.type == FILE_DIRECTORY;
	return 0;
}

static void take(char *text, struct systemd_unit *unit)
{
	const char *job = "", *reload = "";
	const struct {
		const char *name, **value;
	} properties[] = {
	    {"LoadState", &unit->load}, {"UnitFileState", &unit->file}, {"ActiveState", &unit->active},
	    {"Result", &unit->result},  {"NeedDaemonReload", &reload},  {"Job", &job},
	};

	*unit = (struct systemd_unit){.load = "", .file = "", .active = "", .result = ""};
	for (char *line; (line = lines_next(&text));) {
		char *value = strchr(line, '=');

		if (!value) {
			continue;
		}
		*value++ = '\0';
		for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
			if (strcmp(line, properties[i].name) == 0) {
				*properties[i].value = value;
			}
		}
	}
	unit->exists = !text_equal(unit->load, "not-found");
	unit->needs_reload = text_equal(reload, "yes");
	unit->has_job = *job && !text_equal(job, "0");
}

/* Why a call did not do what it should, or NULL. */
static const char *complaint(struct arena *arena, const char *what,
                             const struct child_result *result)
{
	AUTO(str_free) struct str words = {0};
	char *said = arena_strdup(arena, str_text(&result->err));
	const char *line = lines_next(&said);

	if (result->timed_out) {
		return arena_printf(arena, "systemd does not answer: systemctl %s", what);
	}
	if (!result->signalled && result->status == 0) {
		return NULL;
	}
	str_add_printable(&words, line ? line : "", 400);
	return words.length ? arena_printf(arena, "systemctl %s failed: %s", what, str_text(&words))
	                    : arena_printf(arena, "systemctl %s ended with %d and said nothing", what,
	                                   result->status);
}

int systemd_show(struct host *host, const char *unit, struct arena *arena,
                 struct systemd_unit *ret_unit, const char **ret_why, struct err *err)
{
	const char *const argv[] = {"systemctl",
	                            "--no-pager",
	                            "show",
	                            "-p",
	                            "LoadState,UnitFileState,ActiveState,Result,NeedDaemonReload,Job",
	                            "--",
	                            unit,
	                            NULL};
	struct child_command command = {.argv = argv, .timeout_ms = host_patience(host, SHOW_MS)};
	struct child_result result;

	if (host->ops->run(host, &command, &result, err)) {
		return -(int)err->code;
	}
	*ret_why = complaint(arena, "show", &result);
	if (!*ret_why) {
		take(arena_strdup(arena, str_text(&result.out)), ret_unit);
	}
	child_result_free(&result);
	return 0;
}

int systemd_call(struct host *host, const char *verb, const char *unit, struct arena *arena,
                 const char **ret_why, struct err *err)
{
	const char *const argv[] = {"systemctl", "--no-ask-password", "--no-block", "--quiet",
	                            verb,        unit ? "--" : NULL,  unit,         NULL};
	struct child_command command = {.argv = argv, .timeout_ms = CALL_MS};
	struct child_result result;

	if (host->ops->run(host, &command, &result, err)) {
		return -(int)err->code;
	}
	*ret_why = complaint(arena, verb, &result);
	child_result_free(&result);
	return 0;
}

const char *systemd_log(struct host *host, const char *unit, struct arena *arena)
{
	const char *const argv[] = {"journalctl", "--no-pager", "-q", "-n", "20", "-o",
	                            "cat",        "-b",         "-u", unit, NULL};
	struct child_command command = {.argv = argv, .timeout_ms = LOG_MS};
	struct child_result result;
	struct err ignored = {0};
	const char *lines = NULL;

	if (host->ops->run(host, &command, &result, &ignored)) {
		return NULL; /* no journalctl: there is no log to be shown */
	}
	if (!result.signalled && result.status == 0 && result.out.length) {
		lines = arena_strdup(arena, str_text(&result.out));
	}
	child_result_free(&result);
	return lines;
}
