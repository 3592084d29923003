// SPDX-License-Identifier: MIT
/* What is said of a mount, from facts as they are recorded. That the machine shows such facts is in
 * mount_test.c and mount_observe_test.c. */
#include "unit/provider/observing.h"

#define MOUNT(source, rest) \
	"{\"kind\": \"mount\", \"target\": \"/l\", \"source\": \"" source "\", \"type\": " rest "}"
#define WANTED(how, options)          \
	MOUNT("10.1.30.23@tcp:/czrc3amv", \
	      "\"lustre\", \"manage\": \"" how "\", \"options\": [" options "]")
#define LIVE(source, options, rest)                                                \
	"{\"kind\": \"mount\", \"key\": \"/l\", \"live\": true, \"source\": \"" source \
	"\", \"type\": "                                                               \
	"\"lustre\", \"options\": [\"rw\", \"relatime\"" options "]" rest "}"
#define OURS "10.1.30.23@tcp:/czrc3amv"
#define LINE(source, type, options)                                                       \
	", \"fstab\": true, \"fstab_source\": \"" source "\", \"fstab_type\": \"" type "\", " \
	"\"fstab_options\": [" options "]"

static void what_is_observed_and_another_file_system_is_pending(void **state)
{
	struct verdict v = compare(WANTED("observe", ""), LIVE("10.9.9.9@tcp:/otherfs", "", ""));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_PENDING);
	assert_has(v.why, "only observed");
	assert_string_equal(changes(&v, "source"), "10.9.9.9@tcp:/otherfs > " OURS);
	v = compare(WANTED("observe", ""),
	            LIVE(OURS, "", ", \"other_source\": \"fs-1 is 10.1.30.24@tcp:/czrc3amv now\""));
	assert_int_equal(v.outcome, OUTCOME_PENDING);
	assert_has(v.why, "only observed");
	assert_has(v.why, "fs-1 is 10.1.30.24");
	assert_int_equal(compare(WANTED("observe", ""), LIVE(OURS, "", "")).outcome, OUTCOME_KEPT);
}

/* Where the line of fstab is somebody else's, it decides what comes at the next boot. */
static void a_line_that_says_otherwise_is_a_third_fact(void **state)
{
	static const char *const hows[] = {"live", "observe"};
	static const struct {
		const char *line, *said; /* NULL: nothing is */
	} cases[] = {
	    {LINE("/dev/other", "ext4", "\"defaults\""), "/dev/other"},
	    {LINE(OURS, "ext4", "\"flock\""), "ext4"},
	    {LINE(OURS, "lustre", "\"localflock\""), "localflock, not flock"},
	    {LINE(OURS, "lustre", "\"defaults\""), NULL}, /* that is for the client to say */
	    {LINE(OURS, "lustre", "\"flock\", \"ro\""), "ro, not rw"},
	    {LINE(OURS, "lustre", "\"flock\", \"nofail\", \"noatime\""), NULL},
	    {LINE("10.1.30.23@tcp:/czrc3amv", "lustre", "\"defaults\", \"flock\", \"_netdev\""), NULL},
	    {", \"fstab\": false", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hows); i++) {
		for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
			const char *want = arena_printf(
			    arena,
			    MOUNT(OURS, "\"lustre\", \"manage\": \"%s\", "
			                "\"options\": [\"flock\", \"rw\", \"lazystatfs\", \"x-mine\"]"),
			    hows[i]);
			struct verdict v = compare(
			    want, arena_printf(arena, "%.*s%s}",
			                       (int)strlen(LIVE(OURS, ", \"flock\", \"lazystatfs\"", "")) - 1,
			                       LIVE(OURS, ", \"flock\", \"lazystatfs\"", ""), cases[k].line));

			assert_int_equal(v.outcome, cases[k].said ? OUTCOME_PENDING : OUTCOME_KEPT);
			if (cases[k].said) {
				assert_has(v.why, "the line of fstab says otherwise (");
				assert_has(v.why, cases[k].said);
			}
		}
	}
}

static void a_line_that_is_mounted_under_another_name_says_the_same(void **state)
{
	static const char *const types[] = {"nfs", "efs", "nfs4"};
	const char *want = "{\"kind\": \"mount\", \"target\": \"/n\", \"source\": \"s:/n\", "
	                   "\"type\": \"nfs4\", \"manage\": \"live\"}";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct verdict v =
		    compare(want, arena_printf(arena,
		                               "{\"kind\": \"mount\", \"key\": \"/n\", \"live\": true, "
		                               "\"source\": \"s:/n\", \"type\": \"nfs4\", "
		                               "\"options\": [\"rw\"], \"fstab\": true, "
		                               "\"fstab_source\": \"s:/n\", \"fstab_type\": \"%s\", "
		                               "\"fstab_options\": [\"defaults\"]}",
		                               types[i]));

		assert_int_equal(v.outcome, OUTCOME_KEPT);
	}
}

static void what_a_remount_of_lustre_does_not_change_counts_at_the_next_mount(void **state)
{
	struct verdict v = compare(WANTED("live", "\"flock\", \"user_xattr\", \"relatime\""),
	                           LIVE(OURS, ", \"localflock\"", ""));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_PENDING);
	assert_string_equal(v.why, "a remount of lustre does not change flock, user_xattr: that counts "
	                           "when it is mounted the next time");
	assert_string_equal(changes(&v, "options"), "localflock,unset > flock,user_xattr");
	/* Unless the line of fstab will mount it otherwise. */
	v = compare(WANTED("live", "\"flock\""),
	            LIVE(OURS, ", \"localflock\"", LINE(OURS, "lustre", "\"localflock\"")));
	assert_int_equal(v.outcome, OUTCOME_PENDING);
	assert_has(v.why, "; but the line of fstab says otherwise (localflock, not flock)");
	v = compare(WANTED("live", "\"flock\", \"user_xattr\""),
	            LIVE(OURS, ", \"flock\"", LINE(OURS, "lustre", "\"flock\"")));
	assert_int_equal(v.outcome, OUTCOME_PENDING);
	assert_has(v.why, "; but the line of fstab does not say user_xattr");
	/* What can be done is done, and only that is shown. */
	v = compare(WANTED("live", "\"flock\", \"noatime\""), LIVE(OURS, ", \"localflock\"", ""));
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_string_equal(changes(&v, "options"), "relatime > noatime");
	v = compare(WANTED("full", "\"flock\", \"_netdev\""),
	            LIVE(OURS, "", LINE(OURS, "lustre", "\"_netdev\"")));
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_string_equal(changes(&v, "options"), "");
	assert_string_equal(changes(&v, "fstab_options"), "unset > flock");
	/* Once the line says it, nothing is left but to wait. */
	v = compare(WANTED("full", "\"flock\", \"_netdev\""),
	            LIVE(OURS, "", LINE(OURS, "lustre", "\"_netdev\", \"flock\"")));
	assert_int_equal(v.outcome, OUTCOME_PENDING);
}

#define ARMED(line)                                                                   \
	"{\"kind\": \"mount\", \"key\": \"/l\", \"state\": \"absent\", \"live\": false, " \
	"\"automount\": true" line "}"
#define AUTOMOUNT "\"noauto\", \"x-systemd.automount\", \"flock\""

static void an_automount_that_is_armed_as_wanted_is_whole(void **state)
{
	static const struct {
		const char *want, *line;
		bool is_whole;
	} cases[] = {
	    {WANTED("live", "\"flock\""), LINE(OURS, "lustre", AUTOMOUNT), true},
	    {WANTED("observe", ""), LINE(OURS, "lustre", AUTOMOUNT), true},
	    {WANTED("full", "\"flock\", \"x-systemd.automount\""), LINE(OURS, "lustre", AUTOMOUNT),
	     true},
	    {WANTED("full", "\"flock\""), LINE(OURS, "lustre", AUTOMOUNT), false},
	    {WANTED("live", "\"localflock\""), LINE(OURS, "lustre", AUTOMOUNT), false},
	    {WANTED("live", "\"user_xattr\""), LINE(OURS, "lustre", AUTOMOUNT), false},
	    {WANTED("live", ""), LINE("10.9.9.9@tcp:/otherfs", "lustre", AUTOMOUNT), false},
	    {WANTED("live", ""), LINE(OURS, "lustre", "\"noauto\", \"flock\""), false},
	    {WANTED("live", ""), "", false}, /* an automounter with maps of its own */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct verdict v = compare(cases[i].want, arena_printf(arena, ARMED("%s"), cases[i].line));

		assert_int_equal(v.outcome, cases[i].is_whole ? OUTCOME_KEPT : OUTCOME_PENDING);
	}
}

static void options_that_the_client_never_shows_are_not_planned_for_ever(void **state)
{
	(void)state;
	assert_int_equal(compare(WANTED("live", "\"network=tcp\", \"mgssec=skpi\", \"skpath=/k\", "
	                                        "\"context=a_t\", \"checksum\", \"lruresize\""),
	                         LIVE(OURS, "", ""))
	                     .outcome,
	                 OUTCOME_KEPT);
}

static void a_line_of_lustre_gets_the_relatime_that_its_helper_needs(void **state)
{
	struct verdict v = compare(WANTED("full", "\"relatime\", \"_netdev\""),
	                           LIVE(OURS, "", LINE(OURS, "lustre", "\"_netdev\"")));

	(void)state;
	assert_int_equal(v.outcome, OUTCOME_CHANGE);
	assert_string_equal(changes(&v, "fstab_options"), "strictatime > relatime");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_observed_and_another_file_system_is_pending),
	    TEST(a_line_that_says_otherwise_is_a_third_fact),
	    TEST(a_line_that_is_mounted_under_another_name_says_the_same),
	    TEST(what_a_remount_of_lustre_does_not_change_counts_at_the_next_mount),
	    TEST(an_automount_that_is_armed_as_wanted_is_whole),
	    TEST(options_that_the_client_never_shows_are_not_planned_for_ever),
	    TEST(a_line_of_lustre_gets_the_relatime_that_its_helper_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
