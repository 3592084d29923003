// SPDX-License-Identifier: MIT
/*
 * For the tests of the policy room: a desired state and facts written as JSON, policies as text,
 * and what came of them. Everything lives in one arena per test, freed by case_done.
 */
#ifndef TESTS_POLICY_RUN_H
#define TESTS_POLICY_RUN_H

#include "base/clock.h"
#include "base/json.h"
#include "base/strmap.h"
#include "policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { CASE_MOST = 32 };

struct test_case {
	struct fact_source source; /* first: self is the case */
	struct arena *arena;
	struct strmap *facts; /* id to struct resource */
	size_t asked;
	int fail; /* the fact source fails, with ERR_HOST */
	struct policy_source policies[CASE_MOST], libraries[CASE_MOST];
	struct policy_set set;
	struct policy_limits limits;
	struct value want;
	struct decision decision;
	struct err err;
};

static inline int case_fact(struct fact_source *self, const struct kind *kind, const char *key,
                            const struct resource **ret_fact, struct err *err)
{
	struct test_case *c = (struct test_case *)self;
	const struct resource *r = strmap_get(c->facts, resource_id(c->arena, kind, key));

	c->asked++;
	if (c->fail) {
		return err_set(err, ERR_HOST, 0, "no worker can be started");
	}
	*ret_fact = r ? r : resource_undetermined(c->arena, kind, key, "it was not recorded");
	return 0;
}

static inline struct test_case *case_create(void)
{
	struct arena *arena = arena_create();
	struct test_case *c = arena_alloc(arena, sizeof *c);

	c->arena = arena;
	c->source.get = case_fact;
	c->facts = strmap_create(arena);
	c->limits = policy_default_limits;
	c->limits.wall_ms = 8000; /* on a busy machine a second of CPU may take longer than two */
	c->set.policies = c->policies;
	c->set.libraries = c->libraries;
	c->want = value_map();
	value_seal(&c->want);
	return c;
}

static inline void case_done(struct test_case *c)
{
	arena_free(c->arena);
}

static inline struct value case_json(struct test_case *c, const char *text)
{
	struct value value;
	struct err err;

	if (json_parse(text, strlen(text), "test", c->arena, &value, &err)) {
		fail_msg("%s: %s", err.text, text);
	}
	return value;
}

/* One line for each key and item, in the order of the sealed value, from line 1 of state.yaml. */
static inline void case_number(struct value *value, unsigned *line)
{
	value->at = (struct pos){"state.yaml", *line, 9};
	for (size_t i = 0; value->type == VALUE_LIST && i < value->count; i++) {
		case_number(&value->items[i], line);
	}
	for (size_t i = 0; value->type == VALUE_MAP && i < value->count; i++) {
		++*line;
		value->entries[i].key_at = (struct pos){"state.yaml", *line, 3};
		case_number(&value->entries[i].value, line);
	}
}

static inline void case_want(struct test_case *c, const char *json)
{
	unsigned line = 0;

	c->want = case_json(c, json);
	case_number(&c->want, &line);
}

/* A list of observed resources, as resource_to_value makes them. */
static inline void case_facts(struct test_case *c, const char *json)
{
	struct value list = case_json(c, json);

	for (size_t i = 0; i < list.count; i++) {
		struct diags diags = {.arena = c->arena};
		struct resource *r = resource_from_value(c->arena, &list.items[i], USE_OBSERVED, &diags);

		if (!r) {
			fail_msg("%s", diags.list[0].err.text);
		}
		strmap_put(c->facts, resource_id(c->arena, r->kind, r->key), r);
	}
}

/* In the order of their names, as the caller of policy_run must. */
static inline void case_policy(struct test_case *c, const char *name, const char *text)
{
	c->policies[c->set.count++] = (struct policy_source){
	    .name = name,
	    .file = arena_printf(c->arena, "policies/%s.lua", name),
	    .text = text,
	    .length = strlen(text),
	};
}

static inline void case_library(struct test_case *c, const char *name, const char *text)
{
	c->libraries[c->set.library_count++] = (struct policy_source){
	    .name = name,
	    .file = arena_printf(c->arena, "policies/lib/%s.lua", name),
	    .text = text,
	    .length = strlen(text),
	};
}

/* A policy "test" whose plan(want, facts, plan) is `body`, which starts on line 2. */
static inline void case_body(struct test_case *c, const char *body)
{
	case_policy(c, "test",
	            arena_printf(c->arena,
	                         "return {name = \"test\", summary = \"s\", handles = {}, "
	                         "plan = function(want, facts, plan)\n%s\nend}",
	                         body));
}

static inline int case_run(struct test_case *c)
{
	memset(&c->decision, 0, sizeof c->decision);
	memset(&c->err, 0, sizeof c->err);
	return policy_run(&c->set, &c->want, &c->source, &c->limits, c->arena, &c->decision, &c->err);
}

static inline void assert_runs(struct test_case *c)
{
	if (case_run(c)) {
		fail_msg("%s:%u: %s", c->err.at.file ? c->err.at.file : "?", c->err.at.line, c->err.text);
	}
}

/* It fails as a policy does, at that line, with exactly that text, and within ten seconds. */
static inline void assert_fails(struct test_case *c, const char *file, unsigned line,
                                const char *text)
{
	int64_t started = clock_ms();

	assert_int_equal(case_run(c), -ERR_POLICY);
	assert_true(clock_ms() - started < 10000);
	assert_string_equal(c->err.text, text);
	assert_non_null(c->err.at.file);
	assert_string_equal(c->err.at.file, file);
	assert_int_equal(c->err.at.line, line);
	assert_int_equal(c->decision.proposal_count, 0);
}

/* The plan function with that body fails, counted from its first line. */
static inline void assert_body_fails(const char *body, unsigned line, const char *text)
{
	struct test_case *c = case_create();

	case_body(c, body);
	assert_fails(c, "policies/test.lua", line + 1, text);
	case_done(c);
}

/* The policy file fails. */
static inline void assert_file_fails(const char *file, unsigned line, const char *text)
{
	struct test_case *c = case_create();

	case_policy(c, "test", file);
	assert_fails(c, "policies/test.lua", line, text);
	case_done(c);
}

/* The one reason that the body warns of: for tests of what Lua computes. */
static inline void assert_body_says(const char *body, const char *reason)
{
	struct test_case *c = case_create();

	case_body(c, arena_printf(
	                 c->arena,
	                 "local function say(t) plan:warn{rule = \"said\", reason = t} end\n%s", body));
	assert_runs(c);
	assert_int_equal(c->decision.warning_count, 1);
	assert_string_equal(c->decision.warnings[0].origin.reason, reason);
	case_done(c);
}

#endif
