// SPDX-License-Identifier: MIT
/* See agent.h. */
#include "cli/agent.h"

#include "base/child.h"
#include "base/json.h"
#include "base/path.h"
#include "host/self.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char name[] = "agent.json";

void agent_tell(const char *run_dir, int64_t next)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	AUTO(fd_auto) int folder = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(str_free) struct str text = {0};
	struct value v = value_map();

	if (folder < 0) {
		return;
	}
	value_put(arena, &v, "next", value_int(next));
	value_put(arena, &v, "pid", value_int(getpid()));
	value_put(arena, &v, "starttime", value_int((int64_t)child_starttime(getpid())));
	value_seal(&v);
	json_print(&text, &v, 2);
	str_addc(&text, '\n');
	self_show(folder, name, str_text(&text), text.length);
}

struct agent agent_look(const char *run_dir)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	const char *path = path_join(arena, run_dir, name), *text;
	struct value v;
	struct err ignored;

	if (self_state_read(path, arena, &text, &ignored) || !text ||
	    json_parse(text, strlen(text), path, arena, &v, &ignored)) {
		return (struct agent){0};
	}
	struct agent agent = {(pid_t)value_number(&v, "pid", 0), value_number(&v, "next", 0)};

	return agent.pid > 0 && child_is_alive(agent.pid, (uint64_t)value_number(&v, "starttime", 0))
	           ? agent
	           : (struct agent){0};
}

void agent_forget(const char *run_dir)
{
	AUTO(arena_auto) struct arena *arena = arena_create();

	if (agent_look(run_dir).pid == getpid()) {
		unlink(path_join(arena, run_dir, name));
	}
}

struct value agent_to_value(struct arena *arena, const struct agent *agent)
{
	struct value v = value_map();

	if (!agent->pid) {
		return value_null();
	}
	value_put(arena, &v, "pid", value_int(agent->pid));
	value_put(arena, &v, "next", agent->next ? value_int(agent->next) : value_null());
	value_seal(&v);
	return v;
}
