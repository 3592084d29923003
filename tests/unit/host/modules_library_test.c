// SPDX-License-Identifier: MIT
/* core/host/modules_library.c: the library is there, answers, and does not write to stderr. */
#include "host/modules_library.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void every_function_is_found_and_the_library_is_loaded_once(void **state)
{
	static const char *const config[] = {"/nonexistent", NULL};
	struct err err = {0};
	const struct modules_library *library = modules_library(&err);

	(void)state;
	assert_non_null(library);
	assert_ptr_equal(library, modules_library(&err));
	struct kmod_ctx *ctx = modules_library_context(library, "/nonexistent", config, &err);

	assert_non_null(ctx);
	/* The trap behind it all: without an index nothing is an error. */
	struct kmod_list *list = NULL;

	assert_true(library->kmod_load_resources(ctx) < 0);
	assert_int_equal(library->kmod_module_new_from_lookup(ctx, "lustre", &list), 0);
	assert_null(list);
	library->kmod_unref(ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_function_is_found_and_the_library_is_loaded_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
