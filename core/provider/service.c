// SPDX-License-Identifier: MIT
/* Kind service, as a fact: what systemd says of a unit. Nothing is changed in this version. */
#include "base/str.h"
#include "provider/lines.h"
#include "provider/table.h"

#include <string.h>

enum { SHOW_MS = 4000 };

static struct truth truth_of(bool value)
{
	return (struct truth){.set = true, .value = value};
}

/* A reload is a state of a unit that runs; whatever else is under way has not come to that yet. */
static bool is_active(const char *state)
{
	return text_equal(state, "active") || text_equal(state, "reloading") ||
	       text_equal(state, "refreshing");
}

/* Wanted by something at boot; static ones start when something else needs them and are neither. */
static bool is_enabled(const char *state)
{
	return text_equal(state, "enabled") || text_equal(state, "enabled-runtime") ||
	       text_equal(state, "alias");
}

static void take(struct arena *arena, char *text, struct resource *have)
{
	const char *load = "", *file = "", *active = "";

	for (char *line; (line = lines_next(&text));) {
		char *value = strchr(line, '=');

		if (!value) {
			continue;
		}
		*value++ = '\0';
		if (strcmp(line, "LoadState") == 0) {
			load = value;
		} else if (strcmp(line, "UnitFileState") == 0) {
			file = value;
		} else if (strcmp(line, "ActiveState") == 0) {
			active = value;
		}
	}
	if (text_equal(load, "not-found")) {
		have->state = STATE_ABSENT;
		return;
	}
	have->service.enabled = truth_of(is_enabled(file));
	have->service.active = truth_of(is_active(active));
	have->service.masked = truth_of(text_equal(load, "masked"));
	have->service.unit_state = arena_printf(arena, "%s/%s", *file ? file : load, active);
}

static int observe(struct host *host, const char *key, const struct resource *want,
                   struct arena *arena, struct resource **ret_have, struct err *err)
{
	const struct kind *kind = &kind_table[KIND_SERVICE];
	const char *const argv[] = {
	    "systemctl", "--no-pager", "show", "-p", "LoadState,UnitFileState,ActiveState",
	    "--",        key,          NULL};
	struct child_command command = {.argv = argv, .timeout_ms = SHOW_MS};
	struct child_result result;
	struct file_look look;

	(void)want;
	if (host->ops->look(host, "/run/systemd/system", &look, err)) {
		return -(int)err->code;
	}
	if (look.type != FILE_DIRECTORY) {
		*ret_have = resource_undetermined(arena, kind, key, "systemd does not run here");
		return 0;
	}
	if (host->ops->run(host, &command, &result, err)) {
		return -(int)err->code;
	}
	if (result.timed_out) {
		*ret_have = resource_undetermined(arena, kind, key, "systemd does not answer");
	} else if (result.signalled || result.status) {
		AUTO(str_free) struct str words = {0};

		str_add_printable(&words, str_text(&result.err), 200);
		*ret_have =
		    resource_undetermined(arena, kind, key, "systemctl failed: %s", str_text(&words));
	} else {
		*ret_have = resource_create(arena, kind, key);
		take(arena, arena_strdup(arena, str_text(&result.out)), *ret_have);
	}
	child_result_free(&result);
	return 0;
}

static void diff(struct arena *arena, const struct resource *want, const struct resource *have,
                 struct verdict *verdict)
{
	if (have->state == STATE_ABSENT) {
		verdict->outcome = OUTCOME_BLOCKED;
		verdict->why = "there is no such unit";
		return;
	}
	compare_resources(arena, want, have, &verdict->differences);
	if (verdict->differences.count) {
		verdict->outcome = OUTCOME_BLOCKED;
		verdict->why = "changing services is not in this version of reconcile";
	}
}

const struct provider provider_service = {.kind = KIND_SERVICE, .observe = observe, .diff = diff};
