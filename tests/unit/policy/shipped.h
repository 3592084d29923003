// SPDX-License-Identifier: MIT
/* What the tests of the policies of policies/ share: those that are built into the program, run on
 * recorded facts, and what they planned. */
#ifndef TESTS_POLICY_SHIPPED_H
#define TESTS_POLICY_SHIPPED_H

#include "base/embedded.h"
#include "base/str.h"
#include "unit/policy/run.h"

/* The libraries, or the policies, under the names by which they are installed. */
static inline void case_embedded(struct test_case *c, bool library)
{
	for (size_t i = 0; i < embedded_policies_count; i++) {
		const struct embedded *e = &embedded_policies[i];
		const char *stem = text_starts(e->name, "lib/") ? e->name + 4 : e->name;
		const char *name = arena_strndup(c->arena, stem, strlen(stem) - 4);

		if ((stem != e->name) == library) {
			(library ? case_library : case_policy)(c, name, e->text);
		}
	}
}

static inline struct test_case *shipped(const char *want, const char *facts)
{
	struct test_case *c = case_create();

	case_embedded(c, true);
	case_embedded(c, false);
	case_want(c, want);
	case_facts(c, facts);
	assert_runs(c);
	return c;
}

static inline bool plans(const struct test_case *c, const char *kind)
{
	for (size_t i = 0; i < c->decision.proposal_count; i++) {
		if (strcmp(c->decision.proposals[i].want->kind->name, kind) == 0) {
			return true;
		}
	}
	return false;
}

static inline const struct proposal *find(const struct test_case *c, const char *kind,
                                          const char *key)
{
	for (size_t i = 0; i < c->decision.proposal_count; i++) {
		const struct proposal *p = &c->decision.proposals[i];

		if (strcmp(p->want->kind->name, kind) == 0 && strcmp(p->want->key, key) == 0) {
			return p;
		}
	}
	fail_msg("%s:%s is not planned", kind, key);
	return NULL;
}

static inline void assert_block(const struct test_case *c, size_t i, const char *rule,
                                const char *resource, const char *reason)
{
	assert_true(i < c->decision.block_count);
	assert_string_equal(c->decision.blocks[i].origin.reason, reason);
	assert_string_equal(c->decision.blocks[i].rule, rule);
	if (resource) {
		assert_string_equal(c->decision.blocks[i].resource, resource);
	} else {
		assert_null(c->decision.blocks[i].resource);
	}
}

#endif
