// SPDX-License-Identifier: MIT
/*
 * The global functions of a policy: an allow-list. What Lua's own libraries have and this file
 * does not name is not there. Two reasons to replace a function: it may run for hours inside C,
 * where no hook fires (rep, move, patterns), or its result depends on addresses, the locale or
 * chance (pairs, tostring, sort: Lua's own chooses its pivot by the clock for large tables).
 */
#include "policy/sandbox.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

/* ---- Sorted keys ---- */

struct key {
	const char *text; /* NULL: a number */
	size_t length;
	lua_Integer number;
};

static int by_key(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (!x->text || !y->text) {
		return x->text ? 1 : y->text ? -1 : (x->number > y->number) - (x->number < y->number);
	}
	int r = memcmp(x->text, y->text, x->length < y->length ? x->length : y->length);

	return r ? r : (x->length > y->length) - (x->length < y->length);
}

static struct key read_key(lua_State *L, int index)
{
	struct key key = {0};

	if (lua_type(L, index) == LUA_TSTRING) {
		key.text = lua_tolstring(L, index, &key.length);
	} else if (lua_isinteger(L, index)) {
		key.number = lua_tointeger(L, index);
	} else {
		luaL_error(L, "a table is walked by whole numbers and texts; this one has a %s as key",
		           luaL_typename(L, index));
	}
	return key;
}

void globals_push_keys(lua_State *L, int index)
{
	size_t n = 0, i = 0;

	index = lua_absindex(L, index);
	luaL_checkstack(L, 8, NULL);
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
		n++;
	}
	lua_createtable(L, n < INT32_MAX ? (int)n : 0, 0);
	/* The texts live in the table, which nobody changes meanwhile. */
	struct key *keys = lua_newuserdatauv(L, (n + 1) * sizeof *keys, 0);

	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
		keys[i++] = read_key(L, -2);
	}
	qsort(keys, n, sizeof *keys, by_key);
	for (i = 0; i < n; i++) {
		if (keys[i].text) {
			lua_pushlstring(L, keys[i].text, keys[i].length);
		} else {
			lua_pushinteger(L, keys[i].number);
		}
		lua_rawseti(L, -3, (lua_Integer)i + 1);
	}
	lua_pop(L, 1);
}

void globals_check_table(lua_State *L, int index)
{
	luaL_checktype(L, index, LUA_TTABLE);
	switch (sandbox_tag(L, index)) {
	case TAG_UNKNOWN:
		sandbox_facts_touch(L, index);
		break;
	case TAG_WANT:
		bridge_fill_want(L, index);
		break;
	case TAG_FACTS:
	case TAG_KIND:
		luaL_error(L, "facts are asked for one by one, by kind and key; they cannot be listed");
		break;
	default:
		break;
	}
}

static int l_next_pair(lua_State *L)
{
	lua_Integer i = lua_tointeger(L, lua_upvalueindex(3));

	do {
		lua_settop(L, 0);
		if (lua_rawgeti(L, lua_upvalueindex(1), ++i) == LUA_TNIL) {
			return 1;
		}
		lua_pushvalue(L, -1);
	} while (lua_rawget(L, lua_upvalueindex(2)) == LUA_TNIL); /* removed since */
	lua_pushinteger(L, i);
	lua_replace(L, lua_upvalueindex(3));
	return 2;
}

static int l_pairs(lua_State *L)
{
	globals_check_table(L, 1);
	globals_push_keys(L, 1);
	lua_pushvalue(L, 1);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, l_next_pair, 3);
	return 1;
}

static int l_tostring(lua_State *L)
{
	luaL_checkany(L, 1);
	if (lua_type(L, 1) > LUA_TSTRING || lua_type(L, 1) == LUA_TLIGHTUSERDATA) {
		lua_pushstring(L, luaL_typename(L, 1)); /* never an address */
	} else {
		luaL_tolstring(L, 1, NULL);
	}
	return 1;
}

/* ---- Text ---- */

/* Runs the function of Lua's own library that was put into upvalue 1, with our arguments. */
static int original(lua_State *L)
{
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int l_rep(lua_State *L)
{
	size_t length, between;

	luaL_checklstring(L, 1, &length);
	lua_Integer n = luaL_checkinteger(L, 2);

	luaL_optlstring(L, 3, "", &between);
	if (n > 0 && (n > SANDBOX_TEXT_MOST || (uint64_t)n * (length + between) > SANDBOX_TEXT_MOST)) {
		luaL_error(L, "rep would make a text of more than %d bytes", SANDBOX_TEXT_MOST);
	}
	return original(L);
}

/* find, match, gmatch, gsub: subject and pattern bounded, so that all but malicious patterns end
 * soon. Where we are is written down first: a pattern that backtracks for ever is ended by a
 * kill. */
static int l_pattern(lua_State *L)
{
	size_t length, pattern;

	luaL_checklstring(L, 1, &length);
	luaL_checklstring(L, 2, &pattern);
	if (length > SANDBOX_TEXT_MOST) {
		luaL_error(L, "patterns work on texts of at most %d bytes, this one has %I",
		           SANDBOX_TEXT_MOST, (lua_Integer)length);
	}
	if (pattern > SANDBOX_PATTERN_MOST) {
		luaL_error(L, "a pattern has at most %d bytes, this one has %I", SANDBOX_PATTERN_MOST,
		           (lua_Integer)pattern);
	}
	sandbox_note(L);
	return original(L);
}

/* By length, as Lua itself goes over it: a NUL does not end a format. */
static int l_format(lua_State *L)
{
	size_t length;
	const char *at = luaL_checklstring(L, 1, &length), *end = at + length;
	int argument = 1;

	for (; at < end; at++) {
		if (*at != '%' || *++at == '%') {
			continue;
		}
		at += strspn(at, "-+ #0123456789.");
		argument++;
		if (*at == 'p') {
			luaL_error(L, "format has no %%p here: an address says nothing about a node");
		}
		if (*at == 's' && !lua_isnoneornil(L, argument) && !lua_isboolean(L, argument) &&
		    !lua_isstring(L, argument)) {
			luaL_error(L, "%%s takes a text or a number, not a %s", luaL_typename(L, argument));
		}
	}
	return original(L);
}

/* ---- Tables ---- */

/* insert, remove, unpack */
static int l_on_table(lua_State *L)
{
	globals_check_table(L, 1);
	return original(L);
}

static int l_concat(lua_State *L)
{
	globals_check_table(L, 1);
	lua_Integer from = luaL_optinteger(L, 3, 1);
	lua_Integer to = luaL_optinteger(L, 4, (lua_Integer)lua_rawlen(L, 1));

	if (to > from && (lua_Unsigned)to - (lua_Unsigned)from > SANDBOX_TABLE_MOST) {
		luaL_error(L, "concat goes over at most %d items", SANDBOX_TABLE_MOST);
	}
	return original(L);
}

static int l_move(lua_State *L)
{
	globals_check_table(L, 1);
	if (!lua_isnoneornil(L, 5)) {
		globals_check_table(L, 5);
	}
	lua_Integer from = luaL_checkinteger(L, 2), to = luaL_checkinteger(L, 3);

	if (to > from && (lua_Unsigned)to - (lua_Unsigned)from > SANDBOX_TABLE_MOST) {
		luaL_error(L, "move goes over at most %d items", SANDBOX_TABLE_MOST);
	}
	return original(L);
}

/* Is the value at the top less than the one below it? Pops both. */
static bool pop_less(lua_State *L, bool by_function)
{
	bool less;

	if (by_function) {
		lua_pushvalue(L, 2);
		lua_insert(L, -2);
		lua_pushvalue(L, -3);
		lua_call(L, 2, 1);
		less = lua_toboolean(L, -1);
	} else {
		less = lua_compare(L, -1, -2, LUA_OPLT);
	}
	lua_pop(L, 2);
	return less;
}

/* Merges the runs [low, middle) and [middle, high) of the table at `from` into the one at `to`;
 * equal items keep their order. */
static void merge(lua_State *L, int from, int to, lua_Integer low, lua_Integer middle,
                  lua_Integer high)
{
	lua_Integer left = low, right = middle;

	for (lua_Integer at = low; at < high; at++) {
		bool take_right = left >= middle;

		if (!take_right && right < high) {
			lua_rawgeti(L, from, left);
			lua_rawgeti(L, from, right);
			take_right = pop_less(L, !lua_isnil(L, 2));
		}
		lua_rawgeti(L, from, take_right ? right++ : left++);
		lua_rawseti(L, to, at);
	}
}

static int l_sort(lua_State *L)
{
	globals_check_table(L, 1);
	if (!lua_isnoneornil(L, 2)) {
		luaL_checktype(L, 2, LUA_TFUNCTION);
	}
	lua_settop(L, 2);
	lua_Integer n = (lua_Integer)lua_rawlen(L, 1);
	int from = 1, to = 3;

	if (n > SANDBOX_TABLE_MOST) {
		luaL_error(L, "sort goes over at most %d items", SANDBOX_TABLE_MOST);
	}
	lua_createtable(L, (int)n, 0);
	for (lua_Integer width = 1; width < n; width *= 2) {
		for (lua_Integer low = 1; low <= n; low += 2 * width) {
			lua_Integer middle = low + width, high = low + 2 * width;

			merge(L, from, to, low, middle < n + 1 ? middle : n + 1, high < n + 1 ? high : n + 1);
		}
		int other = from;

		from = to;
		to = other;
	}
	for (lua_Integer i = 1; from != 1 && i <= n; i++) {
		lua_rawgeti(L, from, i);
		lua_rawseti(L, 1, i);
	}
	return 0;
}

/* ---- The list ---- */

enum row_use {
	AS_IS,    /* Lua's own */
	GUARDED,  /* ours, which calls Lua's */
	REPLACED, /* ours alone */
};

struct row {
	const char *name;
	enum row_use use;
	lua_CFunction ours;
};

static const struct row base_rows[] = {
    {"assert", AS_IS, NULL},      {"error", AS_IS, NULL},
    {"ipairs", AS_IS, NULL},      {"select", AS_IS, NULL},
    {"tonumber", AS_IS, NULL},    {"type", AS_IS, NULL},
    {"pairs", REPLACED, l_pairs}, {"tostring", REPLACED, l_tostring},
};

static const struct row string_rows[] = {
    {"byte", AS_IS, NULL},        {"char", AS_IS, NULL},         {"len", AS_IS, NULL},
    {"lower", AS_IS, NULL},       {"reverse", AS_IS, NULL},      {"sub", AS_IS, NULL},
    {"upper", AS_IS, NULL},       {"rep", GUARDED, l_rep},       {"format", GUARDED, l_format},
    {"find", GUARDED, l_pattern}, {"match", GUARDED, l_pattern}, {"gmatch", GUARDED, l_pattern},
    {"gsub", GUARDED, l_pattern},
};

static const struct row table_rows[] = {
    {"pack", AS_IS, NULL},           {"insert", GUARDED, l_on_table},
    {"remove", GUARDED, l_on_table}, {"unpack", GUARDED, l_on_table},
    {"concat", GUARDED, l_concat},   {"move", GUARDED, l_move},
    {"sort", REPLACED, l_sort},
};

static const struct row math_rows[] = {
    {"abs", AS_IS, NULL}, {"ceil", AS_IS, NULL}, {"floor", AS_IS, NULL},     {"fmod", AS_IS, NULL},
    {"max", AS_IS, NULL}, {"min", AS_IS, NULL},  {"tointeger", AS_IS, NULL}, {"type", AS_IS, NULL},
};

/* Takes the rows from the library on top into the table below it; pops the library. */
static void take(lua_State *L, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (rows[i].use != REPLACED) {
			lua_getfield(L, -1, rows[i].name);
		}
		if (rows[i].use != AS_IS) {
			lua_pushcclosure(L, rows[i].ours, rows[i].use == GUARDED);
		}
		lua_setfield(L, -3, rows[i].name);
	}
	lua_pop(L, 1);
}

static void add_library(lua_State *L, const char *name, lua_CFunction open, const struct row *rows,
                        size_t n)
{
	lua_createtable(L, 0, (int)n);
	lua_pushcfunction(L, open);
	lua_call(L, 0, 1);
	take(L, rows, n);
	lua_setfield(L, -2, name);
}

/* A name that nobody defined is an error at once, not a nil that travels. */
static int l_no_such_name(lua_State *L)
{
	static const char *const absent[] = {
	    "collectgarbage", "coroutine", "debug",  "dofile", "getmetatable", "io",
	    "load",           "loadfile",  "next",   "os",     "package",      "pcall",
	    "print",          "rawequal",  "rawget", "rawlen", "rawset",       "require",
	    "setmetatable",   "utf8",      "warn",   "xpcall", "_G",
	};
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "(no text)";

	for (size_t i = 0; i < ARRAY_LEN(absent); i++) {
		if (strcmp(name, absent[i]) == 0) {
			return luaL_error(L,
			                  "there is no '%s' here: a policy sees what is wanted and the facts, "
			                  "and nothing else of the machine",
			                  name);
		}
	}
	return luaL_error(L, "nothing is called '%s'", name);
}

void globals_fill(lua_State *L)
{
	/* Opens into Lua's globals of the moment, which are thrown away afterwards. */
	lua_pushcfunction(L, luaopen_base);
	lua_call(L, 0, 1);
	take(L, base_rows, ARRAY_LEN(base_rows));
	add_library(L, "string", luaopen_string, string_rows, ARRAY_LEN(string_rows));
	add_library(L, "table", luaopen_table, table_rows, ARRAY_LEN(table_rows));
	add_library(L, "math", luaopen_math, math_rows, ARRAY_LEN(math_rows));

	/* Methods of texts are these functions, and no others: ("").rep is ours too. */
	lua_pushliteral(L, "");
	lua_createtable(L, 0, 1);
	lua_getfield(L, -3, "string");
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
	lua_pop(L, 1);

	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, l_no_such_name);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}
