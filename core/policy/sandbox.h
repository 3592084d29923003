// SPDX-License-Identifier: MIT
/*
 * Inside the policy room: the child process that runs policies, and what its parts share. Nobody
 * outside the room includes this.
 *
 * The child trusts nothing that a policy does, and the parent trusts nothing that the child says:
 * checks here are for good messages, those in reader.c and policy.c are for safety. A C function
 * that Lua calls owns no memory across a call into Lua: what it makes lies in the arenas of
 * `struct run` or on Lua's stack, since any such call may longjmp. Lua states are never closed:
 * the process ends with _exit.
 */
#ifndef POLICY_SANDBOX_H
#define POLICY_SANDBOX_H

#include "base/strmap.h"
#include "policy/policy.h"

#include <lua.h>
#include <stdatomic.h>

/* A line of Lua: file 0 is the policy at hand, n the library n - 1 of the set. Line 0: unknown. */
struct spot {
	unsigned file, line;
};

/* A page both processes see, so that the parent can name the line of a child that died. */
struct page {
	_Atomic unsigned file, line;
};

/* What the parent hands over by forking. */
struct job {
	const struct policy_set *set;
	const struct value *want;
	const struct policy_limits *limits;
	struct page *page;
};

/* The item of a plan:each at hand; lives in the C frame of that each. */
struct item {
	const struct item *outer;
	const char *section; /* of want, when the table was one; else NULL */
	const char *key;     /* on Lua's stack */
	struct pos yaml;
};

struct run {
	const struct job *job;
	int fd;
	struct arena *fact_arena; /* facts are asked once, for all policies */
	struct strmap *facts;     /* id to struct value */
	size_t planned;           /* by the policies before this one */

	/* Of the policy at hand. */
	const struct policy_source *policy;
	struct arena *arena;
	size_t memory;      /* bytes Lua holds */
	size_t bytes;       /* of what it planned, about */
	int64_t cpu_end;    /* nanoseconds of the process's CPU clock */
	const void *source; /* whose chunk name was looked at last, and which file that is */
	unsigned source_file;
	struct value items;      /* what it planned: a list of messages, see reader.h */
	const struct item *item; /* innermost, or NULL */
	struct pos yaml;         /* outside of any item: the one section it handles, if it is one */
	struct value handles;    /* list of text */
	struct value unknown;    /* the fact that ended an item, and where it was read */
	struct spot unknown_spot;
};

/* In metatables at [1]: what a table is, where it is more than a table. */
enum tag {
	TAG_NONE,
	TAG_WANT,
	TAG_ENTRY,
	TAG_FACTS,
	TAG_KIND,
	TAG_FACT,
	TAG_UNKNOWN,
	TAG_PLAN,
	TAG_LIB
};

enum {
	SANDBOX_TEXT_MOST = 1 << 20,  /* bytes of a text that patterns see or that is planned */
	SANDBOX_PATTERN_MOST = 256,   /* bytes */
	SANDBOX_TABLE_MOST = 1000000, /* items a table function goes over */
	SANDBOX_CALL_MOST = 4 << 20,  /* bytes planned by one call, about */
	SANDBOX_FRAME_MOST = 8 << 20, /* bytes of a message to the parent */
	SANDBOX_FACT_MOST = 1 << 16,  /* bytes of a fact's key */
};

/* Runs all policies of the job; the function of child_fork. Returns the exit status. */
int sandbox_main(int fd, void *job);

/* Whose state this is. */
struct run *sandbox_run(lua_State *L);
/* The line of Lua at `level` (1 = the caller of the C function) or the nearest above it. */
struct spot sandbox_spot(lua_State *L, int level);
/* Writes down the caller's line before something that may not come back. */
void sandbox_note(lua_State *L);
enum tag sandbox_tag(lua_State *L, int index);
/* Pushes a new metatable with that tag. */
void sandbox_push_tagged(lua_State *L, enum tag tag);

/* globals.c: fills the table on top with what every chunk may use. */
void globals_fill(lua_State *L);
/* Raises an error unless the value at `index` is a table that can be gone over, and makes it
 * whole: an undetermined fact ends the item, the sections of want are all filled in, facts cannot
 * be listed. */
void globals_check_table(lua_State *L, int index);
/* Pushes a list of the keys of the table at `index`: whole numbers, then texts by their bytes. */
void globals_push_keys(lua_State *L, int index);

/* bridge.c */
void bridge_push_want(lua_State *L); /* the desired state, section by section on demand */
void bridge_fill_want(lua_State *L, int index); /* all sections now */
void bridge_push(lua_State *L, const struct value *value);
/* The value a table of want was made from, or NULL. */
const struct value *bridge_source(lua_State *L, int index);
/* Counts bytes that a policy makes us keep outside Lua's memory; raises an error at the bound. */
void bridge_count(lua_State *L, size_t bytes);
/* A Lua value as a plain one, in run->arena. Errors are raised; `what` names it. */
struct value bridge_read(lua_State *L, int index, const char *what);

/* sandbox_facts.c */
void sandbox_facts_push(lua_State *L);
/* Ends the item at hand when the table at `index` is a fact that could not be determined. */
void sandbox_facts_touch(lua_State *L, int index);
/* Is the error value at the top the one sandbox_facts_touch raises? */
bool sandbox_facts_is_unknown(lua_State *L);

/* api.c */
void api_push(lua_State *L); /* the plan object */
/* Withdraws everything planned since `keep` items, and writes down why. */
void api_undecided(struct run *run, size_t keep);

/* library.c: pushes `lib`. */
void library_push(lua_State *L);
/* The message handler: puts the line before a message that has none. For every protected call. */
int sandbox_message(lua_State *L);
/* Loads the text of a file as a function on the stack; raises an error. */
void sandbox_load(lua_State *L, const struct policy_source *source, unsigned file);

#endif
