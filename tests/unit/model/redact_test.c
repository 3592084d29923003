// SPDX-License-Identifier: MIT
#include "base/json.h"
#include "model/redact.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static const char text[] =
    "{\"mode\": \"safe\", \"resources\": {"
    "\"file:/open\": {\"kind\": \"file\", \"content\": \"plain\", \"mode\": \"0644\"},"
    "\"file:/unset\": {\"kind\": \"file\", \"content\": \"plain\"},"
    "\"file:/token\": {\"kind\": \"file\", \"content\": \"hidden\", \"mode\": \"0640\"},"
    "\"directory:/d\": {\"kind\": \"directory\", \"mode\": \"0700\"}}}";

static void only_contents_that_not_all_may_read_become_digests(void **state)
{
	struct arena *arena = arena_create();
	struct value value;
	struct err err = {0};

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), "test", arena, &value, &err), 0);
	struct value shown = redact_state(arena, &value, REDACT_SECRET);
	const struct value *resources = value_get(&shown, "resources");

	assert_string_equal(value_text(value_get(resources, "file:/open"), "content"), "plain");
	struct value all = redact_state(arena, &value, REDACT_ALL);

	assert_true(
	    strncmp(value_text(value_get(value_get(&all, "resources"), "file:/open"), "content"),
	            "sha256:", 7) == 0);
	assert_string_equal(value_text(value_get(resources, "file:/unset"), "content"), "plain");
	assert_string_equal(value_text(value_get(resources, "file:/token"), "content"),
	                    "sha256:e564b4081d7a9ea4b00dada53bdae70c99b87b6fce869f0c3dd4d2bfa1e53e1c");
	assert_string_equal(
	    value_text(value_get(value_get(&value, "resources"), "file:/token"), "content"), "hidden");
	arena_free(arena);
}

static void a_state_without_resources_is_left_as_it_is(void **state)
{
	struct arena *arena = arena_create();
	struct value value = value_map();

	(void)state;
	value_put(arena, &value, "mode", value_string("safe"));
	value_seal(&value);
	struct value shown = redact_state(arena, &value, REDACT_SECRET);

	assert_true(value_equal(&shown, &value));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_contents_that_not_all_may_read_become_digests),
	    cmocka_unit_test(a_state_without_resources_is_left_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
