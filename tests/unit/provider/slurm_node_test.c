// SPDX-License-Identifier: MIT
#include "unit/provider/observing.h"

#include "provider/slurm_node.h"

/* As 22.05 prints it. */
#define REASON "   Reason=reconcile: reboot into 6.1.0-50"
#define STAMP " [root@2026-11-21T06:10:05]"

static struct slurm_node node(const char *text)
{
	struct slurm_node n;
	struct err err;

	assert_int_equal(slurm_node_parse(text, "cn7", arena, &n, &err), 0);
	return n;
}

static void it_is_found_by_its_host_and_not_by_its_name(void **state)
{
	struct slurm_node n = node("NodeName=cn7 NodeHostName=other State=IDLE\n"
	                           "NodeName=a NodeHostName=cn7.example.org State=MIXED+DRAIN\n"
	                           "NodeName=b NodeHostName=cn70 State=IDLE\n");
	struct err err;

	(void)state;
	assert_string_equal(n.name, "a");
	assert_true(n.drained);
	assert_null(n.reason);
	assert_null(node("NodeName=cn7 NodeHostName=other State=IDLE\n").name);
	assert_null(node("").name);
	assert_int_equal(slurm_node_parse("NodeName=a NodeHostName=cn7 State=IDLE\n"
	                                  "NodeName=b NodeHostName=cn7 State=IDLE\n",
	                                  "cn7", arena, &n, &err),
	                 -ERR_HOST);
	assert_int_equal(slurm_node_parse("NodeName=a NodeHostName=cn7\n", "cn7", arena, &n, &err),
	                 -ERR_HOST);
}

static void its_states_are_told_apart(void **state)
{
	(void)state;
	assert_false(node("NodeName=a NodeHostName=cn7 State=IDLE\n").drained);
	assert_false(node("NodeName=a NodeHostName=cn7 State=DOWN NextState=DRAIN\n").drained);
	assert_true(node("NodeName=a NodeHostName=cn7 State=IDLE+DRAIN*\n").drained);
	assert_false(node("NodeName=a NodeHostName=cn7 State=IDLE+DRAIN\n").reboots);
	assert_true(node("NodeName=a NodeHostName=cn7 State=MIXED+DRAIN+REBOOT_REQUESTED\n").reboots);
	assert_true(node("NodeName=a NodeHostName=cn7 State=DOWN+DRAIN+REBOOT_ISSUED\n").reboots);
}

static void only_our_very_reason_is_ours(void **state)
{
	static const struct {
		const char *rest;
		bool ours;
	} cases[] = {
	    {STAMP, true},
	    {"", true},
	    {" : reboot issued" STAMP, true},
	    {" : reboot issued : reboot complete" STAMP, true},
	    {" : reboot issued : reboot timed out" STAMP, true},
	    {"0" STAMP, false},
	    {", and the disk is old" STAMP, false},
	    {" : reboot issued by mistake" STAMP, false},
	    {" [not yet]" STAMP, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slurm_node n = node(arena_printf(
		    arena, "NodeName=a NodeHostName=cn7 State=IDLE+DRAIN" REASON "%s\n", cases[i].rest));

		if (slurm_node_is_ours(&n, "6.1.0-50") != cases[i].ours) {
			fail_msg("%s", cases[i].rest);
		}
	}
	struct slurm_node n = node("NodeName=a NodeHostName=cn7 State=IDLE Reason=NHC: no /fsx\n");

	assert_false(slurm_node_is_ours(&n, "6.1.0-50"));
	assert_has(slurm_node_taken(&n, arena), "NHC: no /fsx");
	n = node("NodeName=a NodeHostName=cn7 State=IDLE+DRAIN\n");
	assert_false(slurm_node_is_ours(&n, "6.1.0-50"));
	assert_has(slurm_node_taken(&n, arena), "not for us");
	n = node("NodeName=a NodeHostName=cn7 State=IDLE+DRAIN" REASON STAMP "\n");
	assert_null(slurm_node_taken(&n, arena));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(it_is_found_by_its_host_and_not_by_its_name),
	    TEST(its_states_are_told_apart),
	    TEST(only_our_very_reason_is_ours),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
