// SPDX-License-Identifier: MIT
/*
 * Values over the border: plain values to Lua tables by value, and back with limits. Tables made
 * from the desired state are remembered, so that plan:each can tell which line of YAML an entry
 * came from.
 */
#include "policy/sandbox.h"

#include "base/str.h"
#include "model/section.h"

#include <lauxlib.h>
#include <string.h>

enum {
	DEPTH_MOST = 8
}; /* of what a policy plans; the desired state may nest deeper, up to the wire's 32 */

/* Registry key: the table from Lua tables of want to their struct value. */
static const char sources_key;

/* ---- To Lua ---- */

static void push(lua_State *L, const struct value *value, bool remember)
{
	switch (value->type) {
	case VALUE_NULL:
		lua_pushnil(L);
		return;
	case VALUE_BOOL:
		lua_pushboolean(L, value->boolean);
		return;
	case VALUE_INT:
		lua_pushinteger(L, value->integer);
		return;
	case VALUE_STRING:
		lua_pushstring(L, value->string);
		return;
	case VALUE_LIST:
	case VALUE_MAP:
		break;
	}
	int n = value->count < INT32_MAX ? (int)value->count : 0;

	luaL_checkstack(L, 4, NULL);
	lua_createtable(L, value->type == VALUE_LIST ? n : 0, value->type == VALUE_MAP ? n : 0);
	for (size_t i = 0; i < value->count; i++) {
		if (value->type == VALUE_LIST) {
			push(L, &value->items[i], remember);
			lua_rawseti(L, -2, (lua_Integer)i + 1);
		} else {
			lua_pushstring(L, value->entries[i].key);
			push(L, &value->entries[i].value, remember);
			lua_rawset(L, -3);
		}
	}
	if (remember) {
		lua_rawgetp(L, LUA_REGISTRYINDEX, &sources_key);
		lua_pushvalue(L, -2);
		lua_pushlightuserdata(L, (void *)value);
		lua_rawset(L, -3);
		lua_pop(L, 1);
	}
}

void bridge_push(lua_State *L, const struct value *value)
{
	push(L, value, false);
}

const struct value *bridge_source(lua_State *L, int index)
{
	index = lua_absindex(L, index);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &sources_key);
	if (lua_istable(L, -1)) {
		lua_pushvalue(L, index);
		lua_rawget(L, -2);
		lua_remove(L, -2);
	}
	const struct value *value = lua_touserdata(L, -1);

	lua_pop(L, 1);
	return value;
}

/* ---- The desired state ---- */

/* A field that no entry of the section can have is a misspelt one. */
static int l_no_such_field(lua_State *L)
{
	const struct section *section = lua_touserdata(L, lua_upvalueindex(1));
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : NULL;

	if (!name || field_find(section->fields, section->field_count, name) ||
	    strcmp(name, "state") == 0 || (section->key_name && strcmp(name, section->key_name) == 0)) {
		lua_pushnil(L);
		return 1;
	}
	const char *nearest = field_nearest(section->fields, section->field_count, name);

	return luaL_error(L, "%s has no field '%s'%s%s%s", section->name, name,
	                  nearest ? "; did you mean '" : "", nearest ? nearest : "",
	                  nearest ? "'" : "");
}

/* Gives the table on top (a group, or an entry of a collection) the metatable below it. */
static void guard(lua_State *L, int metatable)
{
	if (lua_istable(L, -1)) {
		lua_pushvalue(L, metatable);
		lua_setmetatable(L, -2);
	}
}

/* Pushes a section of the desired state and keeps it in the want table at `index`. */
static void push_section(lua_State *L, int index, const struct value_entry *entry)
{
	const struct section *section = section_find(entry->key);

	luaL_checkstack(L, 8, NULL);
	push(L, &entry->value, true);
	if (section && section->field_count && lua_istable(L, -1)) {
		sandbox_push_tagged(L, TAG_ENTRY);
		lua_pushlightuserdata(L, (void *)section);
		lua_pushcclosure(L, l_no_such_field, 1);
		lua_setfield(L, -2, "__index");
		int metatable = lua_gettop(L);

		lua_pushvalue(L, -2);
		if (section->shape == SECTION_GROUP) {
			guard(L, metatable);
		} else if (section->shape == SECTION_COLLECTION) {
			for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
				guard(L, metatable);
			}
		}
		lua_pop(L, 2);
	}
	lua_pushstring(L, entry->key);
	lua_pushvalue(L, -2);
	lua_rawset(L, index);
}

static int l_want(lua_State *L)
{
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "(no text)";
	const struct value_entry *entry = value_entry(sandbox_run(L)->job->want, name);

	if (entry) {
		push_section(L, 1, entry);
	} else if (section_find(name)) {
		lua_pushnil(L); /* nobody wrote it */
	} else {
		const char *nearest = section_nearest(name);

		luaL_error(L, "the desired state has no section '%s'%s%s%s", name,
		           nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'" : "");
	}
	return 1;
}

void bridge_push_want(lua_State *L)
{
	const struct value *want = sandbox_run(L)->job->want;

	luaL_checkstack(L, 8, NULL);
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &sources_key);
	lua_createtable(L, 0, (int)want->count);
	lua_rawgetp(L, LUA_REGISTRYINDEX, &sources_key);
	lua_pushvalue(L, -2);
	lua_pushlightuserdata(L, (void *)want);
	lua_rawset(L, -3);
	lua_pop(L, 1);
	sandbox_push_tagged(L, TAG_WANT);
	lua_pushcfunction(L, l_want);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}

void bridge_fill_want(lua_State *L, int index)
{
	const struct value *want = sandbox_run(L)->job->want;

	index = lua_absindex(L, index);
	for (size_t i = 0; i < want->count; i++) {
		lua_pushstring(L, want->entries[i].key);
		if (lua_rawget(L, index) == LUA_TNIL) {
			push_section(L, index, &want->entries[i]);
			lua_pop(L, 1);
		}
		lua_pop(L, 1);
	}
}

/* ---- From Lua ---- */

void bridge_count(lua_State *L, size_t bytes)
{
	struct run *run = sandbox_run(L);

	run->bytes += bytes;
	if (run->bytes > run->job->limits->memory) {
		luaL_error(L, "it planned more than %d MiB", (int)(run->job->limits->memory >> 20));
	}
}

static struct value read_text(lua_State *L, int index, const char *what)
{
	size_t n;
	const char *text = lua_tolstring(L, index, &n);

	if (n > SANDBOX_TEXT_MOST) {
		luaL_error(L, "%s: a text of %I bytes, %d are the limit", what, (lua_Integer)n,
		           SANDBOX_TEXT_MOST);
	}
	if (memchr(text, '\0', n) || text_utf8_until(text, n) != n) {
		luaL_error(L, "%s: the text is not UTF-8 or holds a NUL", what);
	}
	bridge_count(L, n);
	return value_string(arena_strndup(sandbox_run(L)->arena, text, n));
}

static struct value read_table(lua_State *L, int index, const char *what, unsigned depth);

static struct value read_value(lua_State *L, int index, const char *what, unsigned depth)
{
	int whole;

	bridge_count(L, sizeof(struct value_entry));
	switch (lua_type(L, index)) {
	case LUA_TBOOLEAN:
		return value_bool(lua_toboolean(L, index));
	case LUA_TNUMBER:
		lua_tointegerx(L, index, &whole);
		if (!whole) {
			luaL_error(L, "%s: not a whole number", what);
		}
		return value_int(lua_tointeger(L, index));
	case LUA_TSTRING:
		return read_text(L, index, what);
	case LUA_TTABLE:
		return read_table(L, lua_absindex(L, index), what, depth);
	default:
		luaL_error(L, "%s: a %s is not a plain value", what, luaL_typename(L, index));
	}
	return value_null();
}

/* A list has the keys 1 to n, a map has texts; {} is a list. */
static struct value read_table(lua_State *L, int index, const char *what, unsigned depth)
{
	struct arena *arena = sandbox_run(L)->arena;
	lua_Integer n = (lua_Integer)lua_rawlen(L, index);
	struct value map = value_map(), list = value_list();

	if (depth >= DEPTH_MOST) {
		luaL_error(L, "%s: tables nested deeper than %d levels", what, DEPTH_MOST);
	}
	sandbox_facts_touch(L, index);
	luaL_checkstack(L, 4, NULL);
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
		bool text = lua_type(L, -2) == LUA_TSTRING;

		if (!text && !(lua_isinteger(L, -2) && n > 0)) {
			luaL_error(L, "%s: a %s as key of a table", what, luaL_typename(L, -2));
		}
		if (text != (n == 0) || (!text && (lua_tointeger(L, -2) < 1 || lua_tointeger(L, -2) > n))) {
			luaL_error(L, "%s: a table is either a list without gaps or a map of texts", what);
		}
		if (text) {
			const char *key = read_text(L, -2, what).string;

			value_put(arena, &map, key, read_value(L, -1, key, depth + 1));
		}
	}
	for (lua_Integer i = 1; i <= n; i++) {
		lua_rawgeti(L, index, i);
		value_append(arena, &list, read_value(L, -1, what, depth + 1));
		lua_pop(L, 1);
	}
	return map.count ? map : list;
}

struct value bridge_read(lua_State *L, int index, const char *what)
{
	return read_value(L, index, what, 0);
}
