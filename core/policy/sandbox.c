// SPDX-License-Identifier: MIT
/* See sandbox.h. The child process itself: privileges, a fresh state for each policy, limits, and
 * how an error becomes a message with its line. What policies can see is made in the files beside
 * this one. */
#include "policy/sandbox.h"

#include "base/clock.h"
#include "base/wire.h"

#include <grp.h>
#include <lauxlib.h>
#include <linux/capability.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
	NOBODY = 65534, /* user and group without rights, Debian Policy 9.2.2 */
	HOOK_INSTRUCTIONS = 10000,
	BATCH_BYTES = 1 << 20, /* of items in one message, about */
	LATE_US = 100000,      /* of CPU time from the hook's end to that by a signal */
};

/* ---- Where we are ---- */

struct run *sandbox_run(lua_State *L)
{
	return *(struct run **)lua_getextraspace(L);
}

/* Chunks are named "=\1N": short enough never to be cut (luaO_chunkid), and no text a policy is
 * likely to put before a message of its own. */
static bool source_file(struct run *run, const char *source, unsigned *ret_file)
{
	if (source != run->source) {
		char *end;

		if (source[0] != '=' || source[1] != '\1') {
			return false;
		}
		run->source_file = (unsigned)strtoul(source + 2, &end, 10);
		run->source = source;
	}
	*ret_file = run->source_file;
	return true;
}

struct spot sandbox_spot(lua_State *L, int level)
{
	struct spot spot = {0};
	lua_Debug ar;

	for (; lua_getstack(L, level, &ar); level++) {
		lua_getinfo(L, "Sl", &ar);
		if (ar.currentline > 0 && source_file(sandbox_run(L), ar.source, &spot.file)) {
			spot.line = (unsigned)ar.currentline;
			break;
		}
	}
	return spot;
}

static void note(const struct run *run, struct spot spot)
{
	if (spot.line) {
		atomic_store_explicit(&run->job->page->file, spot.file, memory_order_relaxed);
		atomic_store_explicit(&run->job->page->line, spot.line, memory_order_relaxed);
	}
}

void sandbox_note(lua_State *L)
{
	note(sandbox_run(L), sandbox_spot(L, 1));
}

enum tag sandbox_tag(lua_State *L, int index)
{
	if (!lua_getmetatable(L, index)) {
		return TAG_NONE;
	}
	lua_rawgeti(L, -1, 1);
	enum tag tag = (enum tag)lua_tointeger(L, -1);

	lua_pop(L, 2);
	return tag;
}

void sandbox_push_tagged(lua_State *L, enum tag tag)
{
	lua_createtable(L, 2, 2);
	lua_pushinteger(L, tag);
	lua_rawseti(L, -2, 1);
}

/* ---- Limits ---- */

static void *allocate(void *ud, void *old, size_t old_size, size_t size)
{
	struct run *run = ud;

	if (!old) {
		old_size = 0; /* Lua passes a type there */
	}
	if (!size) {
		run->memory -= old_size;
		free(old);
		return NULL;
	}
	if (size > old_size && run->memory - old_size + size > run->job->limits->memory) {
		return NULL; /* Lua collects garbage and asks once more before it gives up */
	}
	void *p = realloc(old, size);

	if (p) {
		run->memory += size - old_size;
	}
	return p;
}

static int64_t cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* A courtesy that gives good messages: loops inside C functions never come here; SIGPROF and the
 * parent's deadline end those. */
static void hook(lua_State *L, lua_Debug *ar)
{
	struct run *run = sandbox_run(L);
	struct spot spot = {0};

	lua_getinfo(L, "Sl", ar);
	if (ar->currentline > 0 && source_file(run, ar->source, &spot.file)) {
		spot.line = (unsigned)ar->currentline;
		note(run, spot);
	}
	if (ar->event == LUA_HOOKCOUNT && cpu_now() > run->cpu_end) {
		lua_pushfstring(L, "\1%d:%d: it used more than %d s of CPU time", (int)spot.file,
		                (int)spot.line, (int)run->job->limits->cpu_seconds);
		lua_error(L);
	}
}

/* RLIMIT_CPU counts whole seconds of all policies together; it is only the last resort. */
static void start_clock(struct run *run)
{
	time_t seconds = run->job->limits->cpu_seconds;
	const struct itimerval end = {.it_value = {.tv_sec = seconds, .tv_usec = LATE_US}};

	run->cpu_end = cpu_now() + seconds * INT64_C(1000000000);
	setitimer(ITIMER_PROF, &end, NULL);
}

/* Best effort: in a user namespace there may be no other user to become. There is nothing to open
 * with the rights that are left anyway: no descriptor can be made. */
static void drop_privileges(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	struct rlimit zero = {0};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (geteuid() == 0) {
		int failed = setgroups(0, NULL);

		failed |= setresgid(NOBODY, NOBODY, NOBODY);
		failed |= setresuid(NOBODY, NOBODY, NOBODY);
		(void)failed; /* then at least without capabilities, below */
		/* Another user than the parent's: the death signal was cleared (prctl(2)). */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	}
	syscall(SYS_capset, &header, none);
	setrlimit(RLIMIT_NPROC, &zero);
	setrlimit(RLIMIT_FSIZE, &zero);
}

/* ---- Talking to the parent ---- */

static int tell(struct run *run, struct value *message)
{
	struct err err;

	value_seal(message);
	return wire_send(run->fd, message, 0, &err);
}

static int tell_error(struct run *run, struct spot spot, const char *text)
{
	struct value message = value_map();

	value_put(run->arena, &message, "op", value_string("error"));
	value_put(run->arena, &message, "text", value_string(text));
	value_put(run->arena, &message, "file", value_int(spot.file));
	value_put(run->arena, &message, "line", value_int(spot.line));
	return tell(run, &message);
}

static size_t size_about(const struct value *value)
{
	size_t size = 16;

	if (value->type == VALUE_STRING) {
		size += strlen(value->string);
	}
	for (size_t i = 0; value->type == VALUE_LIST && i < value->count; i++) {
		size += size_about(&value->items[i]);
	}
	for (size_t i = 0; value->type == VALUE_MAP && i < value->count; i++) {
		size += strlen(value->entries[i].key) + size_about(&value->entries[i].value);
	}
	return size;
}

/* Everything a policy planned, in messages of a bounded size, then that it is done. */
static int tell_plan(struct run *run)
{
	struct value batch = value_list(), message;
	size_t bytes = 0;

	for (size_t i = 0; i < run->items.count; i++) {
		bytes += size_about(&run->items.items[i]);
		value_append(run->arena, &batch, run->items.items[i]);
		if (bytes > BATCH_BYTES || i + 1 == run->items.count) {
			message = value_map();
			value_put(run->arena, &message, "op", value_string("plan"));
			value_put(run->arena, &message, "items", batch);
			if (tell(run, &message)) {
				return -1;
			}
			batch = value_list();
			bytes = 0;
		}
	}
	message = value_map();
	value_put(run->arena, &message, "op", value_string("done"));
	value_put(run->arena, &message, "handles", run->handles);
	return tell(run, &message);
}

/* ---- One policy ---- */

void sandbox_load(lua_State *L, const struct policy_source *source, unsigned file)
{
	const char *name = lua_pushfstring(L, "=\1%d", (int)file);

	if (source->length > sandbox_run(L)->job->limits->source) {
		lua_pushfstring(L, "\1%d:1: the file is longer than %d KiB", (int)file,
		                (int)(sandbox_run(L)->job->limits->source >> 10));
		lua_error(L);
	}
	if (source->length && source->text[0] == LUA_SIGNATURE[0]) {
		lua_pushfstring(L, "\1%d:1: the file is bytecode; a policy is a text", (int)file);
		lua_error(L);
	}
	if (luaL_loadbufferx(L, source->text, source->length, name, "t")) {
		lua_error(L);
	}
	lua_remove(L, -2);
}

static const char *const row_names[] = {"handles", "name", "plan", "summary"};

/* The table that the file returned, on top: right in shape? */
static void check_table(lua_State *L)
{
	struct run *run = sandbox_run(L);

	if (!lua_istable(L, -1)) {
		luaL_error(L, "the file must return a table with name, summary, handles and plan, not %s",
		           luaL_typename(L, -1));
	}
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "(no text)";
		bool known = false;

		for (size_t i = 0; i < ARRAY_LEN(row_names); i++) {
			known = known || strcmp(key, row_names[i]) == 0;
		}
		if (!known) {
			luaL_error(L, "a policy has no '%s'; it has name, summary, handles and plan", key);
		}
	}
	lua_getfield(L, -1, "name");
	if (lua_type(L, -1) != LUA_TSTRING || strcmp(lua_tostring(L, -1), run->policy->name) != 0) {
		luaL_error(L, "name must be \"%s\", as the file is called", run->policy->name);
	}
	lua_getfield(L, -2, "summary");
	if (lua_type(L, -1) != LUA_TSTRING) {
		luaL_error(L, "summary must be a text");
	}
	lua_getfield(L, -3, "plan");
	if (!lua_isfunction(L, -1)) {
		luaL_error(L, "plan must be a function(want, facts, plan)");
	}
	lua_pop(L, 3);
}

/* Reads handles of the table on top; is anything of it wanted on this node? A policy that handles
 * nothing looks at the whole node and always runs. */
static bool read_handles(lua_State *L)
{
	struct run *run = sandbox_run(L);
	const struct value_entry *only = NULL;
	bool wanted = false;

	lua_getfield(L, -1, "handles");
	run->handles = bridge_read(L, lua_gettop(L), "handles");
	if (run->handles.type != VALUE_LIST) {
		luaL_error(L, "handles must be a list of sections, as in handles = {\"mounts\"}");
	}
	for (size_t i = 0; i < run->handles.count; i++) {
		const struct value *name = &run->handles.items[i];

		if (name->type != VALUE_STRING) {
			luaL_error(L, "handles must be a list of texts");
		}
		only = value_entry(run->job->want, name->string);
		wanted = wanted || only;
	}
	if (run->handles.count == 1 && only) {
		run->yaml = only->key_at;
	}
	lua_pop(L, 1);
	return wanted || !run->handles.count;
}

/* Everything that may raise an error, set-up included. */
static int l_policy(lua_State *L)
{
	struct run *run = sandbox_run(L);

	luaL_checkstack(L, 32, NULL);
	lua_newtable(L);
	globals_fill(L);
	library_push(L);
	lua_setfield(L, -2, "lib");
	lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);

	sandbox_load(L, run->policy, 0);
	lua_sethook(L, hook, LUA_MASKLINE | LUA_MASKCOUNT, HOOK_INSTRUCTIONS);
	lua_call(L, 0, 1);
	check_table(L);
	if (!read_handles(L)) {
		return 0;
	}
	lua_getfield(L, -1, "plan");
	bridge_push_want(L);
	sandbox_facts_push(L);
	api_push(L);
	lua_call(L, 3, 1);
	if (!lua_isnil(L, -1)) {
		luaL_error(L, "plan returned a %s; what is wanted is said with plan:KIND{...}",
		           luaL_typename(L, -1));
	}
	return 0;
}

int sandbox_message(lua_State *L)
{
	if (sandbox_facts_is_unknown(L)) {
		return 1;
	}
	const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1)
	                                                 : "it raised an error that is not a text";

	if (text[0] != '\1') {
		struct spot spot = sandbox_spot(L, 1);

		if (spot.line) {
			lua_pushfstring(L, "\1%d:%d: %s", (int)spot.file, (int)spot.line, text);
		} else {
			lua_pushstring(L, text);
		}
	}
	return 1;
}

/* The error value on top as a message. Its line is the one it names, else the last one seen. */
static int report(struct run *run, lua_State *L, int status)
{
	struct spot spot = {atomic_load(&run->job->page->file), atomic_load(&run->job->page->line)};
	const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "it failed";
	AUTO(str_free) struct str shown = {0};
	char *end;

	if (status == LUA_ERRMEM) {
		str_addf(&shown, "it used more than %zu MiB of memory", run->job->limits->memory >> 20);
		return tell_error(run, spot, str_text(&shown));
	}
	if (text[0] == '\1') {
		spot.file = (unsigned)strtoul(text + 1, &end, 10);
		spot.line = *end == ':' ? (unsigned)strtoul(end + 1, &end, 10) : 0;
		text = end + strspn(end, ": ");
	}
	str_add_printable(&shown, text, 400);
	return tell_error(run, spot, str_text(&shown));
}

static void start_policy(struct run *run, const struct policy_source *policy)
{
	run->policy = policy;
	run->arena = arena_create();
	run->memory = run->bytes = 0;
	run->planned += run->items.count;
	run->source = NULL;
	run->items = value_list();
	run->handles = value_list();
	run->item = NULL;
	run->yaml = (struct pos){0};
	atomic_store(&run->job->page->file, 0);
	atomic_store(&run->job->page->line, 0);
	start_clock(run);
}

/* 0 when it may go on with the next policy. */
static int run_policy(struct run *run)
{
	lua_State *L = lua_newstate(allocate, run);

	if (!L) {
		return tell_error(run, (struct spot){0}, "there is no memory to run it"), -1;
	}
	*(struct run **)lua_getextraspace(L) = run;
	lua_pushcfunction(L, sandbox_message);
	lua_pushcfunction(L, l_policy);
	int status = lua_pcall(L, 0, 0, 1);

	if (status == LUA_OK) {
		return tell_plan(run);
	}
	if (sandbox_facts_is_unknown(L)) {
		api_undecided(run, 0);
		return tell_plan(run);
	}
	report(run, L, status);
	return -1;
}

int sandbox_main(int fd, void *context)
{
	struct run run = {.job = context, .fd = fd};

	setlocale(LC_ALL, "C");
	drop_privileges();
	run.fact_arena = arena_create();
	run.facts = strmap_create(run.fact_arena);
	for (size_t i = 0; i < run.job->set->count; i++) {
		start_policy(&run, &run.job->set->policies[i]);
		int r = run_policy(&run);

		arena_free(run.arena);
		if (r) {
			return 1;
		}
	}
	return 0;
}
