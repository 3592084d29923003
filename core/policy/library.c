// SPDX-License-Identifier: MIT
/*
 * `lib`: helpers that are part of the program, and those of policies/lib/NAME.lua as lib.NAME,
 * each loaded when a policy first asks for it. All of them are pure.
 */
#include "policy/sandbox.h"

#include <fnmatch.h>
#include <lauxlib.h>
#include <string.h>

/* lib.template(text, values): {name} becomes values.name */
static int l_template(lua_State *L)
{
	size_t length;
	const char *at = luaL_checklstring(L, 1, &length), *end = at + length;
	luaL_Buffer text;

	globals_check_table(L, 2);
	luaL_buffinit(L, &text);
	while (at < end) {
		const char *open = memchr(at, '{', (size_t)(end - at));
		const char *close = open ? memchr(open, '}', (size_t)(end - open)) : NULL;

		if (!close) {
			luaL_addlstring(&text, at, (size_t)(end - at));
			break;
		}
		luaL_addlstring(&text, at, (size_t)(open - at));
		lua_pushlstring(L, open + 1, (size_t)(close - open - 1));
		lua_pushvalue(L, -1);
		lua_rawget(L, 2);
		if (!lua_isstring(L, -1)) {
			luaL_error(L, "template: there is no value for {%s}", lua_tostring(L, -2));
		}
		lua_remove(L, -2);
		luaL_addvalue(&text);
		at = close + 1;
	}
	luaL_pushresult(&text);
	return 1;
}

/* lib.glob(pattern, text): fnmatch(3) without flags, as in the desired state */
static int l_glob(lua_State *L)
{
	size_t pattern_length, length;
	const char *pattern = luaL_checklstring(L, 1, &pattern_length);
	const char *text = luaL_checklstring(L, 2, &length);

	if (pattern_length > SANDBOX_PATTERN_MOST || length > SANDBOX_FACT_MOST) {
		luaL_error(L, "glob: the pattern has at most %d bytes and the text %d",
		           SANDBOX_PATTERN_MOST, SANDBOX_FACT_MOST);
	}
	sandbox_note(L);
	lua_pushboolean(L, fnmatch(pattern, text, 0) == 0);
	return 1;
}

/* lib.has(list, value) */
static int l_has(lua_State *L)
{
	bool has = false;

	if (!lua_isnil(L, 1)) {
		globals_check_table(L, 1);
	}
	luaL_checkany(L, 2);
	for (lua_Integer i = 1, n = lua_isnil(L, 1) ? 0 : (lua_Integer)lua_rawlen(L, 1); !has && i <= n;
	     i++) {
		lua_rawgeti(L, 1, i);
		has = lua_rawequal(L, -1, 2);
		lua_pop(L, 1);
	}
	lua_pushboolean(L, has);
	return 1;
}

/* lib.with(table, more): a new table with the entries of both; those of `more` win */
static int l_with(lua_State *L)
{
	lua_settop(L, 2);
	lua_newtable(L);
	for (int from = 1; from <= 2; from++) {
		globals_check_table(L, from);
		for (lua_pushnil(L); lua_next(L, from); lua_pop(L, 1)) {
			lua_pushvalue(L, -2);
			lua_pushvalue(L, -2);
			lua_rawset(L, 3);
		}
	}
	return 1;
}

static const luaL_Reg built_in[] = {
    {"glob", l_glob}, {"has", l_has}, {"template", l_template}, {"with", l_with}, {NULL, NULL}};

static const char loading;

/* lib.NAME of a file */
static int l_library(lua_State *L)
{
	const struct policy_set *set = sandbox_run(L)->job->set;
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "(no text)";
	size_t i = 0;

	while (i < set->library_count && strcmp(set->libraries[i].name, name) != 0) {
		i++;
	}
	if (i == set->library_count) {
		return luaL_error(L, "lib.%s: there is no such helper, and no policies/lib/%s.lua", name,
		                  name);
	}
	lua_pushvalue(L, 2);
	lua_rawget(L, lua_upvalueindex(1));
	if (lua_touserdata(L, -1) == &loading) {
		return luaL_error(L, "lib.%s needs itself while it is being loaded", name);
	}
	lua_pushvalue(L, 2);
	lua_pushlightuserdata(L, (void *)&loading);
	lua_rawset(L, lua_upvalueindex(1));
	sandbox_load(L, &set->libraries[i], (unsigned)i + 1);
	lua_call(L, 0, 1);
	if (!lua_istable(L, -1)) {
		return luaL_error(L, "lib.%s: the file must return a table, not %s", name,
		                  luaL_typename(L, -1));
	}
	lua_pushvalue(L, 2);
	lua_pushvalue(L, -2);
	lua_rawset(L, 1);
	return 1;
}

void library_push(lua_State *L)
{
	luaL_newlib(L, built_in);
	sandbox_push_tagged(L, TAG_LIB);
	lua_newtable(L);
	lua_pushcclosure(L, l_library, 1);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}
