// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "base/child.h"
#include "host/modules_symvers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES                                               \
	"0x000000a1\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n" \
	"0x000000a2\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n"

static struct arena *arena;
static struct modules_proof *proof;

static int setup(void **state)
{
	(void)state;
	arena = arena_create();
	proof = modules_proof_create(arena);
	modules_proof_import(proof, "printk", 0xa2, "m");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_clear();
	arena_free(arena);
	return 0;
}

static struct host_symbols told(void)
{
	struct host_symbols symbols;

	modules_proof_tell(proof, &symbols);
	return symbols;
}

static off_t size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void the_headers_tell(void **state)
{
	(void)state;
	scratch_write(scratch_path("Module.symvers"), LINES, 0644);
	assert_true(modules_symvers_offer(proof, scratch_path("Module.symvers")));
	assert_true(told().complete);
	assert_int_equal(told().proved, 1);
}

static void what_is_not_there_or_empty_tells_nothing(void **state)
{
	(void)state;
	assert_false(modules_symvers_offer(proof, scratch_path("none")));
	assert_false(modules_symvers_offer(proof, scratch_path("none.gz")));
	assert_false(modules_symvers_offer(proof, scratch_dir()));
	scratch_write(scratch_path("empty"), "", 0644);
	assert_false(modules_symvers_offer(proof, scratch_path("empty")));
	assert_false(told().complete);
}

static void packed_ones_tell_the_same_and_cut_ones_nothing(void **state)
{
	const char *path = arena_strdup(arena, scratch_path("symvers.gz"));
	const char *const argv[] = {"gzip", scratch_path("symvers"), NULL};
	struct child_command command = {.argv = argv, .timeout_ms = 10000};
	struct child_result result;
	struct err err;

	(void)state;
	scratch_write(scratch_path("symvers"), LINES, 0644);
	if (child_run(&command, &result, &err)) {
		print_message("# skip: %s\n", err.text);
		skip();
	}
	child_result_free(&result);
	if (!modules_symvers_offer(proof, path)) {
		print_message("# skip: no zlib\n");
		skip();
	}
	assert_true(told().complete);
	assert_int_equal(told().proved, 1);
	for (off_t n = size_of(path) - 1; n >= 0; n -= 4) {
		assert_int_equal(truncate(path, n), 0);
		proof = modules_proof_create(arena);
		assert_false(modules_symvers_offer(proof, path));
		assert_false(told().complete);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_headers_tell),
	    TEST(what_is_not_there_or_empty_tells_nothing),
	    TEST(packed_ones_tell_the_same_and_cut_ones_nothing),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
