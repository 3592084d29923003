// SPDX-License-Identifier: MIT
/* See slurm_node.h. */
#include "provider/slurm_node.h"

#include "base/str.h"
#include "provider/lines.h"
#include "provider/reboot_fleet.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

int slurm_node_run(struct host *host, const char *const *argv, int timeout_ms, struct arena *arena,
                   const char **ret_said, struct err *err)
{
	const struct child_command command = {.argv = argv, .timeout_ms = timeout_ms};
	struct child_result result;

	if (host->ops->run(host, &command, &result, err)) {
		return -(int)err->code;
	}
	bool well = !result.timed_out && !result.signalled && result.status == 0;
	const struct str *said = !well && result.err.length ? &result.err : &result.out;

	*ret_said = said->length ? arena_strdup(arena, str_text(said)) : NULL;
	if (!well) {
		err_set(err, ERR_HOST, 0, "%s %s", argv[0],
		        result.timed_out ? "did not answer" : "failed, see what it said");
	}
	child_result_free(&result);
	return well ? 0 : -(int)err->code;
}

/* ---- What it prints: NAME=VALUE, between blanks. Values may have blanks, but of those that are
 * looked for only the reason has, and that is the last. ---- */

static const char *value_of(struct arena *arena, const char *line, const char *name)
{
	const char *at =
	    text_starts(line, name) ? line : strstr(line, arena_printf(arena, " %s", name));

	if (!at) {
		return NULL;
	}
	at += strlen(name) + (*at == ' ');
	return arena_strndup(arena, at, strcspn(at, " "));
}

static bool is_short_of(const char *name, const char *host_name)
{
	return name && strncmp(name, host_name, strcspn(name, ".")) == 0 &&
	       host_name[strcspn(name, ".")] == '\0';
}

/* "IDLE+DRAIN+REBOOT_ISSUED", of older versions also with a mark at the end. */
static bool has_flag(const char *state, const char *flag)
{
	const char *at = strstr(state, flag);

	return at && (at == state || at[-1] == '+');
}

/* "TEXT [root@2026-11-21T06:10:05]" */
static const char *reason_of(struct arena *arena, const char *line)
{
	static const char name[] = " Reason=";
	const char *text = strstr(line, name), *end = NULL;

	if (!text) {
		return NULL;
	}
	text += strlen(name);
	for (const char *at = text; (at = strstr(at, " [")); at++) {
		end = at;
	}
	return end ? arena_strndup(arena, text, (size_t)(end - text)) : arena_strdup(arena, text);
}

int slurm_node_parse(const char *text, const char *host_name, struct arena *arena,
                     struct slurm_node *ret_node, struct err *err)
{
	char *rest = arena_strdup(arena, text);

	*ret_node = (struct slurm_node){0};
	for (char *line; (line = lines_next(&rest));) {
		const char *state = value_of(arena, line, "State=");

		if (!is_short_of(value_of(arena, line, "NodeHostName="), host_name)) {
			continue;
		}
		if (ret_node->name) {
			return err_set(err, ERR_HOST, 0, "Slurm has several nodes on %s", host_name);
		}
		ret_node->name = value_of(arena, line, "NodeName=");
		if (!ret_node->name || !state) {
			return err_set(err, ERR_HOST, 0, "what scontrol says of %s has no state", host_name);
		}
		ret_node->drained = has_flag(state, "DRAIN");
		ret_node->reboots = has_flag(state, "REBOOT");
		ret_node->reason = reason_of(arena, line);
	}
	return 0;
}

bool slurm_node_is_ours(const struct slurm_node *node, const char *into)
{
	static const char *const added[] = {" : reboot issued", " : reboot complete",
	                                    " : reboot timed out"};
	const char *rest = node->reason;

	if (!rest || !text_starts(rest, SLURM_REBOOT) ||
	    !text_starts(rest + strlen(SLURM_REBOOT), into)) {
		return false;
	}
	rest += strlen(SLURM_REBOOT) + strlen(into);
	for (size_t i = 0; i < ARRAY_LEN(added); i++) {
		rest += text_starts(rest, added[i]) ? strlen(added[i]) : 0;
	}
	return *rest == '\0';
}

const char *slurm_node_taken(const struct slurm_node *node, struct arena *arena)
{
	if (node->reason && !text_starts(node->reason, SLURM_LEADER)) {
		return arena_printf(arena, "Slurm keeps %s from work for another reason: %s", node->name,
		                    node->reason);
	}
	return node->drained && !node->reason
	           ? arena_printf(arena, "Slurm keeps %s from work, and not for us", node->name)
	           : NULL;
}

/* ---- Asking ---- */

static int show(struct host *host, const struct slurm_node *node, int timeout_ms,
                struct arena *arena, const char **ret_said, struct err *err)
{
	const char *const argv[] = {node->scontrol, "show", "node", "-o", node->name, NULL};

	return slurm_node_run(host, argv, timeout_ms, arena, ret_said, err);
}

/* By the name of the host first, as on nearly all clusters; else among all nodes. */
int slurm_node_ask(struct host *host, int timeout_ms, struct arena *arena,
                   struct slurm_node *ret_node, struct err *err)
{
	struct slurm_node asked = {0};
	const char *said = NULL;
	struct utsname names;

	*ret_node = (struct slurm_node){0};
	if (uname(&names)) {
		return err_set(err, ERR_HOST, errno, "uname");
	}
	if (reboot_fleet_scontrol(host, arena, &asked.scontrol, err)) {
		return -(int)err->code;
	}
	if (!asked.scontrol) {
		return err_set(err, ERR_HOST, 0, "there is no scontrol");
	}
	const char *host_name = arena_strndup(arena, names.nodename, strcspn(names.nodename, "."));

	asked.name = host_name;
	for (unsigned i = 0; i < 2 && !ret_node->name; i++) {
		struct err fault = {0};

		if (show(host, &asked, timeout_ms, arena, &said, &fault)) {
			if (asked.name && said && strstr(said, "not found")) {
				asked.name = NULL;
				continue;
			}
			return err_set(err, ERR_HOST, 0, "%s%s%.*s", fault.text, said ? ": " : "",
			               said ? (int)strcspn(said, "\n") : 0, said ? said : "");
		}
		if (slurm_node_parse(said ? said : "", host_name, arena, ret_node, err)) {
			return -(int)err->code;
		}
		asked.name = NULL;
	}
	if (!ret_node->name) {
		return err_set(err, ERR_HOST, 0, "Slurm knows of no node on %s", host_name);
	}
	ret_node->scontrol = asked.scontrol;
	return 0;
}
