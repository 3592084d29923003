// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "provider/apt_key.h"

#define BEGIN "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
#define END "-----END PGP PUBLIC KEY BLOCK-----\n"

/* The bytes 99 01 02 03 04, and their checksum as gpg --enarmor computes it. */
#define BODY "mQECAwQ=\n"
#define SUM "=0TPE\n"

static int bytes_of(const char *text, const char **ret_bytes, struct err *err)
{
	size_t length = 0;
	int r = apt_key_bytes(arena, text, ret_bytes, &length, err);

	assert_true(r || length == 5);
	return r;
}

static void an_armoured_key_is_decoded(void **state)
{
	static const char *const texts[] = {
	    BEGIN "\n" BODY SUM END,
	    BEGIN "Version: 1\nComment: x\n\n" BODY SUM END,
	    BEGIN "\n" BODY END,
	    BEGIN "\r\nmQEC\r\nAwQ=\r\n" END,
	    "words before\n" BEGIN BODY END "words behind\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *bytes = NULL;
		struct err err = {0};

		if (bytes_of(texts[i], &bytes, &err)) {
			fail_msg("%zu: %s", i, err.text);
		}
		assert_memory_equal(bytes, "\x99\x01\x02\x03\x04", 5);
	}
}

static void what_is_no_public_key_is_refused_with_the_reason(void **state)
{
	static const char *const texts[][2] = {
	    {"nothing", "no armoured key"},
	    {BEGIN "\n" BODY, "cut off"},
	    {BEGIN "\n" BODY "=AAAA\n" END, "checksum"},
	    {BEGIN "\nmQ!CAwQ=\n" END, "no armour"},
	    {BEGIN "\n" END, "no armour"},
	    {"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n" BODY, "secret"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *bytes = NULL;
		struct err err = {0};

		assert_int_equal(bytes_of(texts[i][0], &bytes, &err), -ERR_INPUT);
		assert_has(err.text, texts[i][1]);
	}
}

static void the_same_key_has_one_digest_in_and_out_of_armour(void **state)
{
	static const char armoured[] = BEGIN "\n" BODY SUM END;
	const char *digest = apt_key_digest(arena, "\x99\x01\x02\x03\x04", 5);

	(void)state;
	assert_string_equal(apt_key_digest(arena, armoured, strlen(armoured)), digest);
	assert_string_not_equal(apt_key_digest(arena, "nonsense", 8), digest);
	assert_int_equal(strlen(apt_key_digest(arena, "", 0)), 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_armoured_key_is_decoded),
	    TEST(what_is_no_public_key_is_refused_with_the_reason),
	    TEST(the_same_key_has_one_digest_in_and_out_of_armour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
