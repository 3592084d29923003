// SPDX-License-Identifier: MIT
/*
 * The `facts` of a policy: asked of the parent one by one over the socket, once per run, and
 * handed to Lua as plain tables by value. A fact that could not be determined is a table that
 * cannot be read: reading it ends the innermost item of plan:each, or the policy, by raising a
 * value that only C can catch.
 */
#include "policy/sandbox.h"

#include "base/str.h"
#include "base/wire.h"

#include <lauxlib.h>
#include <string.h>
#include <unistd.h>

/* Its address is the error value that ends an item. */
static const char unknown_error;

bool sandbox_facts_is_unknown(lua_State *L)
{
	return lua_touserdata(L, -1) == &unknown_error;
}

/* ---- Asking ---- */

/* The answer lives as long as the process. A parent that is gone ends us. */
static const struct value *ask(struct run *run, const char *id)
{
	struct value message = value_map(), *fact = strmap_get(run->facts, id);
	struct err err;

	if (fact) {
		return fact;
	}
	fact = arena_alloc(run->fact_arena, sizeof *fact);
	value_put(run->fact_arena, &message, "op", value_string("fact"));
	value_put(run->fact_arena, &message, "id", value_string(id));
	value_seal(&message);
	if (wire_send(run->fd, &message, 0, &err) ||
	    wire_receive(run->fd, run->fact_arena, 0, fact, &err)) {
		_exit(1);
	}
	strmap_put(run->facts, arena_strdup(run->fact_arena, id), fact);
	return fact;
}

static const struct value *find(lua_State *L, const struct kind *kind, const char *key, size_t n)
{
	struct run *run = sandbox_run(L);
	const struct kind *same;
	const char *checked;
	struct err err;

	if (n > SANDBOX_FACT_MOST || memchr(key, '\0', n) || text_utf8_until(key, n) != n) {
		luaL_error(L, "facts.%s: a key that is too long, or not UTF-8", kind->name);
	}
	bridge_count(L, 2 * n + 64);
	const char *id = resource_id(run->arena, kind, key);

	if (resource_parse_id(id, run->arena, &same, &checked, &err)) {
		luaL_error(L, "facts.%s[\"%s\"]: %s", kind->name, key, err.text);
	}
	sandbox_note(L);
	return ask(run, id);
}

/* ---- As tables ---- */

static int l_touch(lua_State *L)
{
	sandbox_facts_touch(L, 1);
	return 0;
}

void sandbox_facts_touch(lua_State *L, int index)
{
	struct run *run = sandbox_run(L);

	if (sandbox_tag(L, index) != TAG_UNKNOWN) {
		return;
	}
	lua_getmetatable(L, index);
	lua_rawgeti(L, -1, 2);
	run->unknown = *(const struct value *)lua_touserdata(L, -1);
	run->unknown_spot = sandbox_spot(L, 1);
	lua_pushlightuserdata(L, (void *)&unknown_error);
	lua_error(L);
}

/* A field that this kind can have is nil when it is not set; any other is a misspelt one. */
static int l_no_such_field(lua_State *L)
{
	const struct kind *kind = lua_touserdata(L, lua_upvalueindex(1));
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : NULL;

	if (!name || field_find(kind->fields, kind->field_count, name) || strcmp(name, "why") == 0) {
		lua_pushnil(L);
		return 1;
	}
	const char *nearest = field_nearest(kind->fields, kind->field_count, name);

	return luaL_error(L, "the fact %s has no field '%s'%s%s%s", kind->name, name,
	                  nearest ? "; did you mean '" : "", nearest ? nearest : "",
	                  nearest ? "'" : "");
}

static void push_fact(lua_State *L, const struct kind *kind, const struct value *fact)
{
	const char *state = value_text(fact, "state");

	luaL_checkstack(L, 8, NULL);
	if (!state || strcmp(state, "undetermined") == 0) {
		lua_newtable(L);
		sandbox_push_tagged(L, TAG_UNKNOWN);
		lua_pushlightuserdata(L, (void *)fact);
		lua_rawseti(L, -2, 2);
		lua_pushcfunction(L, l_touch);
		lua_setfield(L, -2, "__index");
		lua_pushcfunction(L, l_touch);
		lua_setfield(L, -2, "__len");
	} else {
		bridge_push(L, fact);
		sandbox_push_tagged(L, TAG_FACT);
		lua_pushlightuserdata(L, (void *)kind);
		lua_pushcclosure(L, l_no_such_field, 1);
		lua_setfield(L, -2, "__index");
	}
	lua_setmetatable(L, -2);
}

/* facts.KIND[KEY] */
static int l_key(lua_State *L)
{
	const struct kind *kind = lua_touserdata(L, lua_upvalueindex(1));
	size_t n;

	if (lua_type(L, 2) != LUA_TSTRING) {
		luaL_error(L, "facts.%s takes a text as key, not a %s", kind->name, luaL_typename(L, 2));
	}
	const char *key = lua_tolstring(L, 2, &n);

	push_fact(L, kind, find(L, kind, key, n));
	lua_pushvalue(L, 2);
	lua_pushvalue(L, -2);
	lua_rawset(L, 1);
	return 1;
}

static const struct kind *check_kind(lua_State *L, int index)
{
	const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "(no text)";
	const struct kind *kind = kind_find(name);

	if (!kind) {
		const char *nearest = kind_nearest(name);

		luaL_error(L, "there are no facts of a kind '%s'%s%s%s", name,
		           nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'" : "");
	}
	return kind;
}

/* facts.KIND: the fact itself when there is one of it on a node */
static int l_kind(lua_State *L)
{
	const struct kind *kind = check_kind(L, 2);

	if (kind->traits & KIND_SINGLETON) {
		push_fact(L, kind, find(L, kind, "", 0));
	} else {
		lua_newtable(L);
		sandbox_push_tagged(L, TAG_KIND);
		lua_pushlightuserdata(L, (void *)kind);
		lua_pushcclosure(L, l_key, 1);
		lua_setfield(L, -2, "__index");
		lua_setmetatable(L, -2);
	}
	lua_pushvalue(L, 2);
	lua_pushvalue(L, -2);
	lua_rawset(L, 1);
	return 1;
}

/* facts:known(kind, key) */
static int l_known(lua_State *L)
{
	if (sandbox_tag(L, 1) != TAG_FACTS) {
		luaL_error(L, "call it with a colon: facts:known(kind, key)");
	}
	const struct kind *kind = check_kind(L, 2);
	size_t n = 0;
	const char *key = kind->traits & KIND_SINGLETON ? "" : luaL_checklstring(L, 3, &n);
	const char *state = value_text(find(L, kind, key, n), "state");

	lua_pushboolean(L, state && strcmp(state, "undetermined") != 0);
	return 1;
}

void sandbox_facts_push(lua_State *L)
{
	luaL_checkstack(L, 8, NULL);
	lua_newtable(L);
	lua_pushcfunction(L, l_known);
	lua_setfield(L, -2, "known");
	sandbox_push_tagged(L, TAG_FACTS);
	lua_pushcfunction(L, l_kind);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}
