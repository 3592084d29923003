// SPDX-License-Identifier: MIT
/*
 * The `plan` of a policy: plan:each, plan:KIND{...}, plan:block{...}, plan:warn{...}. What is
 * planned is kept as messages for the parent, which checks them (reader.c); here only the line
 * and the place in the desired state are added.
 */
#include "policy/sandbox.h"

#include "base/str.h"

#include <lauxlib.h>
#include <string.h>

static void check_self(lua_State *L, const char *name)
{
	if (sandbox_tag(L, 1) != TAG_PLAN) {
		luaL_error(L, "call it with a colon: plan:%s", name);
	}
}

/* ---- Saying what is wanted ---- */

static struct value *add_item(struct run *run, const char *what, struct spot spot)
{
	struct value item = value_map();

	item.at = run->item ? run->item->yaml : run->yaml;
	value_put(run->arena, &item, "what", value_string(what));
	value_put(run->arena, &item, "file", value_int(spot.file));
	value_put(run->arena, &item, "line", value_int(spot.line));
	return value_append(run->arena, &run->items, item);
}

static void check_count(lua_State *L)
{
	const struct run *run = sandbox_run(L);

	if (run->planned + run->items.count > run->job->limits->resources) {
		luaL_error(L, "more than %I resources were planned",
		           (lua_Integer)run->job->limits->resources);
	}
}

static void say(lua_State *L, const char *what, const struct kind *kind)
{
	struct run *run = sandbox_run(L);
	const char *name = kind ? kind->name : what;

	check_self(L, name);
	if (!lua_istable(L, 2)) {
		luaL_error(L, "plan:%s takes a table: plan:%s{...}", name, name);
	}
	size_t before = run->bytes;
	struct value table = bridge_read(L, 2, name);

	if (run->bytes - before > SANDBOX_CALL_MOST) {
		luaL_error(L, "plan:%s: more than %d MiB in one call", name, SANDBOX_CALL_MOST >> 20);
	}
	struct value *item = add_item(run, what, sandbox_spot(L, 1));

	if (kind) {
		value_put(run->arena, item, "kind", value_string(kind->name));
	}
	value_put(run->arena, item, "table", table);
	check_count(L);
}

static int l_want(lua_State *L)
{
	say(L, "want", lua_touserdata(L, lua_upvalueindex(1)));
	return 0;
}

static int l_block(lua_State *L)
{
	say(L, "block", NULL);
	return 0;
}

static int l_warn(lua_State *L)
{
	say(L, "warn", NULL);
	return 0;
}

/* plan.KIND */
static int l_kind(lua_State *L)
{
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "(no text)";
	const struct kind *kind = kind_find(name);

	if (!kind) {
		const char *nearest = kind_nearest(name);

		luaL_error(L, "plan:%s: there is no such kind%s%s%s", name,
		           nearest ? "; did you mean plan:" : "", nearest ? nearest : "",
		           nearest ? "" : "; plan also has each, block and warn");
	}
	if (kind->traits & KIND_FACT_ONLY) {
		luaL_error(L, "plan:%s: a %s can be observed, not planned", name, name);
	}
	lua_pushlightuserdata(L, (void *)kind);
	lua_pushcclosure(L, l_want, 1);
	lua_pushvalue(L, 2);
	lua_pushvalue(L, -2);
	lua_rawset(L, 1);
	return 1;
}

/* ---- Items ---- */

enum {
	KEY_SHOWN = 200
}; /* bytes of a key, which may be any text when the table is the policy's own */

static void add_name(struct str *name, const struct run *run, const struct item *item)
{
	if (!item) {
		str_add(name, run->policy->name);
	} else {
		if (item->section) {
			str_add(name, item->section);
		} else {
			add_name(name, run, item->outer);
		}
		str_addc(name, '.');
		str_add_printable(name, item->key, KEY_SHOWN);
	}
}

void api_undecided(struct run *run, size_t keep)
{
	AUTO(str_free) struct str name = {0};
	struct arena *arena = run->arena;
	const char *why = value_text(&run->unknown, "why"), *kind = value_text(&run->unknown, "kind"),
	           *key = value_text(&run->unknown, "key");

	run->items.count = keep;
	add_name(&name, run, run->item);
	struct value *item = add_item(run, "undecided", run->unknown_spot);

	value_put(arena, item, "item", value_string(arena_strdup(arena, str_text(&name))));
	value_put(arena, item, "fact",
	          value_string(key && *key ? arena_printf(arena, "%s:%s", kind ? kind : "", key)
	                                   : (kind ? kind : "")));
	value_put(arena, item, "reason", value_string(why ? why : "it could not be determined"));
}

/* Where the entry `key` of the table at index 2 was written, and of which section it is. */
static void place_item(lua_State *L, struct item *item)
{
	struct run *run = sandbox_run(L);
	const struct value *want = run->job->want, *source = bridge_source(L, 2);
	const struct value_entry *entry = NULL;

	item->outer = run->item;
	item->section = NULL;
	item->yaml = run->item ? run->item->yaml : run->yaml;
	if (!source) {
		return;
	}
	for (size_t i = 0; i < want->count && !item->section; i++) {
		item->section = &want->entries[i].value == source ? want->entries[i].key : NULL;
	}
	if (source->type == VALUE_MAP) {
		entry = value_entry(source, item->key);
	}
	if (entry) {
		item->yaml = entry->key_at;
	} else if (source->type == VALUE_LIST && lua_isinteger(L, -1)) {
		lua_Integer i = lua_tointeger(L, -1);

		if (i >= 1 && (size_t)i <= source->count && source->items[i - 1].at.line) {
			item->yaml = source->items[i - 1].at;
		}
	}
}

/* Calls the function at index 3 with the key on top and its value; pops the key. */
static void run_item(lua_State *L)
{
	struct run *run = sandbox_run(L);
	size_t keep = run->items.count;
	struct item item;

	lua_pushvalue(L, -1);
	item.key = lua_tostring(L, -1); /* the copy: a number would become a text in place */
	lua_pushvalue(L, -2);
	place_item(L, &item);
	lua_pushvalue(L, 3);
	lua_insert(L, -2);
	lua_pushvalue(L, -1);
	lua_rawget(L, 2);
	run->item = &item;
	int status = lua_pcall(L, 2, 0, 5);

	if (status && !sandbox_facts_is_unknown(L)) {
		if (status == LUA_ERRMEM) { /* raised again it would be an error like any other */
			lua_pushfstring(L, "\1%d:%d: it used more than %d MiB of memory",
			                (int)atomic_load(&run->job->page->file),
			                (int)atomic_load(&run->job->page->line),
			                (int)(run->job->limits->memory >> 20));
		}
		lua_error(L);
	}
	if (status) {
		lua_pop(L, 1);
		api_undecided(run, keep);
		check_count(L);
	}
	run->item = item.outer;
	lua_pop(L, 2);
}

/* plan:each(table, function(key, value) ... end), in sorted order */
static int l_each(lua_State *L)
{
	check_self(L, "each(table, function(key, value) ... end)");
	luaL_checktype(L, 3, LUA_TFUNCTION);
	lua_settop(L, 3);
	if (lua_isnil(L, 2)) {
		return 0; /* a section that nobody wrote */
	}
	globals_check_table(L, 2);
	luaL_checkstack(L, 12, NULL);
	globals_push_keys(L, 2);               /* at 4 */
	lua_pushcfunction(L, sandbox_message); /* at 5 */
	for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, 4); i <= n; i++) {
		lua_rawgeti(L, 4, i);
		lua_pushvalue(L, -1);
		bool there = lua_rawget(L, 2) != LUA_TNIL; /* not removed since */

		lua_pop(L, 1);
		if (there) {
			run_item(L);
		} else {
			lua_pop(L, 1);
		}
	}
	return 0;
}

void api_push(lua_State *L)
{
	static const luaL_Reg functions[] = {
	    {"block", l_block}, {"each", l_each}, {"warn", l_warn}, {NULL, NULL}};

	luaL_checkstack(L, 8, NULL);
	lua_createtable(L, 0, 16);
	luaL_setfuncs(L, functions, 0);
	sandbox_push_tagged(L, TAG_PLAN);
	lua_pushcfunction(L, l_kind);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}
