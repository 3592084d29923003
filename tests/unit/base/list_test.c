// SPDX-License-Identifier: MIT
#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void an_item_is_found_by_its_whole_text(void **state)
{
	static const char *const items[] = {"noauto", "x-systemd.automount"};
	const struct list none = {0}, list = {.set = true, .count = 2, .items = items};

	(void)state;
	assert_false(list_has(&none, "noauto"));
	assert_true(list_has(&list, "x-systemd.automount"));
	assert_false(list_has(&list, "auto"));
	assert_false(list_has(&list, "noauto,x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_item_is_found_by_its_whole_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
