// SPDX-License-Identifier: MIT
/* core/host/mounts_library.c: the library is there and answers. */
#include "host/mounts_library.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void every_function_is_found_and_the_library_is_loaded_once(void **state)
{
	struct err err = {0};
	const struct mounts_library *library = mounts_library(&err);

	(void)state;
	assert_non_null(library);
	assert_ptr_equal(library, mounts_library(&err));
	struct libmnt_context *context = library->mnt_new_context();

	assert_non_null(context);
	assert_int_equal(library->mnt_context_set_target(context, "/srv"), 0);
	library->mnt_free_context(context);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_function_is_found_and_the_library_is_loaded_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
