// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "provider/release.h"

static void releases_are_ordered_as_versions_and_not_as_text(void **state)
{
	static const char *const sorted[] = {"6.1.0-9-cloud-amd64", "6.1.0-50-cloud-amd64",
	                                     "6.8.0-90-generic", "6.8.0-1039-aws", "6.12.1-1-amd64"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
		for (size_t k = 0; k < ARRAY_LEN(sorted); k++) {
			int r = release_compare(sorted[i], sorted[k]);

			assert_true(i < k ? r < 0 : i > k ? r > 0 : r == 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(releases_are_ordered_as_versions_and_not_as_text)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
