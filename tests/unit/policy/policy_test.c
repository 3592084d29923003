// SPDX-License-Identifier: MIT
/* The parent's side: deadlines, deaths, what the child may still do, which policies run, and that
 * the same inputs give the same decision. */
#include "base/digest.h"
#include "unit/policy/run.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

/* ---- The child, seen from the fact source it waits for ---- */

static pid_t child_pid(void)
{
	char name[64];
	int pid = 0;

	snprintf(name, sizeof name, "/proc/self/task/%d/children", (int)getpid());
	FILE *f = fopen(name, "r");

	if (f) {
		if (fscanf(f, "%d", &pid) != 1) {
			pid = 0;
		}
		fclose(f);
	}
	return pid;
}

static void skip_without_children(void)
{
	if (access("/proc/self/task", R_OK)) {
		skip();
	}
}

static int kill_child(struct fact_source *self, const struct kind *kind, const char *key,
                      const struct resource **ret_fact, struct err *err)
{
	kill(child_pid(), SIGKILL);
	return case_fact(self, kind, key, ret_fact, err);
}

static int stop_child(struct fact_source *self, const struct kind *kind, const char *key,
                      const struct resource **ret_fact, struct err *err)
{
	kill(child_pid(), SIGSTOP);
	return case_fact(self, kind, key, ret_fact, err);
}

static int be_slow(struct fact_source *self, const struct kind *kind, const char *key,
                   const struct resource **ret_fact, struct err *err)
{
	usleep(700 * 1000);
	return case_fact(self, kind, key, ret_fact, err);
}

struct sighting {
	size_t descriptors;
	int uid;
	int privileges; /* NoNewPrivs */
	unsigned long long capabilities;
};

static struct sighting seen;

static int look_at_child(struct fact_source *self, const struct kind *kind, const char *key,
                         const struct resource **ret_fact, struct err *err)
{
	char name[64], line[256];

	snprintf(name, sizeof name, "/proc/%d/fd", (int)child_pid());
	DIR *dir = opendir(name);

	for (struct dirent *e; dir && (e = readdir(dir));) {
		seen.descriptors += e->d_name[0] != '.';
	}
	if (dir) {
		closedir(dir);
	}
	snprintf(name, sizeof name, "/proc/%d/status", (int)child_pid());
	FILE *f = fopen(name, "r");

	while (f && fgets(line, sizeof line, f)) {
		if (strncmp(line, "Uid:", 4) == 0) {
			seen.uid = atoi(line + 4);
		} else if (strncmp(line, "NoNewPrivs:", 11) == 0) {
			seen.privileges = atoi(line + 11);
		} else if (strncmp(line, "CapEff:", 7) == 0) {
			seen.capabilities = strtoull(line + 7, NULL, 16);
		}
	}
	if (f) {
		fclose(f);
	}
	return case_fact(self, kind, key, ret_fact, err);
}

static void policy_that_is_killed_has_its_line(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	skip_without_children();
	c->source.get = kill_child;
	case_body(c, "\nlocal x = facts.package.vim");
	assert_fails(c, "policies/test.lua", 3, "policy test: its process died: Killed");
	case_done(c);
}

static void process_that_stands_still_is_ended(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	skip_without_children();
	c->source.get = stop_child;
	c->limits.wall_ms = 300;
	case_body(c, "\nlocal x = facts.package.vim");
	assert_fails(c, "policies/test.lua", 3, "policy test: it ran longer than 300 ms");
	case_done(c);
}

/* In a user namespace there may be no user but root: user_namespaces(7). */
static bool has_nobody(void)
{
	unsigned long long first = 0, count = 0;
	FILE *f = fopen("/proc/self/uid_map", "r");

	if (f) {
		if (fscanf(f, "%llu %*u %llu", &first, &count) != 2) {
			count = 0;
		}
		fclose(f);
	}
	return first + count > 65534;
}

static void child_has_next_to_nothing(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	skip_without_children();
	seen = (struct sighting){.uid = -1};
	c->source.get = look_at_child;
	case_body(c, "local x = facts.package.vim");
	assert_runs(c);
	assert_int_equal(seen.privileges, 1);
	assert_int_equal(seen.capabilities, 0);
	if (geteuid() == 0) { /* another user's process shows its descriptors to root only */
		assert_int_equal(seen.descriptors, 4); /* 0, 1, 2 and the socket */
		assert_int_equal(seen.uid, has_nobody() ? 65534 : 0);
	}
	case_done(c);
}

/* ---- Time ---- */

static void long_run_is_ended(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	c->limits.wall_ms = 300;
	c->limits.cpu_seconds = 20;
	case_body(c, "\nwhile true do\nend");
	assert_fails(c, "policies/test.lua", 3, "policy test: it ran longer than 300 ms");
	case_done(c);
}

static pid_t waker;

/* Asked for a fact, and the process of the policies gets no time for a while afterwards. */
static int be_starving(struct fact_source *self, const struct kind *kind, const char *key,
                       const struct resource **ret_fact, struct err *err)
{
	pid_t pid = child_pid();

	assert_true(pid > 0);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	waker = fork();
	if (!waker) {
		usleep(2500 * 1000);
		kill(pid, SIGCONT);
		_exit(0);
	}
	return be_slow(self, kind, key, ret_fact, err);
}

/* A busy machine is no fault of the policy: what counts is the time that it uses. */
static void a_process_that_gets_no_time_is_waited_for(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	skip_without_children();
	c->limits = policy_default_limits;
	c->source.get = be_starving;
	case_body(c, "local x = facts.package.vim");
	assert_runs(c);
	assert_int_equal(waitpid(waker, NULL, 0), waker);
	case_done(c);
}

static void waiting_for_facts_does_not_count(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	c->limits.wall_ms = 500;
	c->source.get = be_slow;
	case_body(c, "local x, y = facts.package.vim, facts.package.ed");
	assert_runs(c);
	case_done(c);
}

/* ---- Which policies run ---- */

static void section_without_a_policy_is_an_error(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	case_want(c, "{\"mode\": \"safe\", \"mounts\": {}, \"packages\": {}}");
	case_policy(c, "mounts",
	            "return {name = 'mounts', summary = 's', handles = {'mounts'}, "
	            "plan = function() end}");
	assert_fails(c, "state.yaml", 3, "packages: no policy handles this section");
	case_done(c);
}

static void policy_of_unwanted_sections_does_not_run(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	case_want(c, "{\"mounts\": {}}");
	case_policy(c, "holds",
	            "return {name = 'holds', summary = 's', handles = {'holds'}, "
	            "plan = function() error('no') end}");
	case_policy(c, "mounts",
	            "return {name = 'mounts', summary = 's', handles = {'holds', 'mounts'}, "
	            "plan = function(want, facts, plan) "
	            "plan:warn{rule = 'r', reason = 'ran'} end}");
	assert_runs(c);
	assert_int_equal(c->decision.warning_count, 1);
	case_done(c);
}

static void two_policies_may_handle_one_section(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	case_want(c, "{\"holds\": {\"vim\": {}}}");
	for (const char *name = "a\0b\0"; *name; name += 2) {
		case_policy(c, name,
		            arena_printf(c->arena,
		                         "return {name = '%s', summary = 's', handles = {'holds'}, "
		                         "plan = function(want, facts, plan) plan:each(want.holds, "
		                         "function(n) plan:hold{package = n, reason = '%s'} end) end}",
		                         name, name));
	}
	assert_runs(c);
	assert_int_equal(c->decision.proposal_count, 2);
	assert_string_equal(c->decision.proposals[1].origin.policy, "b");
	case_done(c);
}

static void no_policies_decide_nothing(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	assert_runs(c);
	assert_int_equal(c->decision.proposal_count, 0);
	case_done(c);
}

static void first_fault_fails_everything(void **state)
{
	struct test_case *c = case_create();

	(void)state;
	case_policy(c, "a",
	            "return {name = 'a', summary = 's', handles = {}, plan = function(w, f, plan) "
	            "plan:warn{rule = 'r', reason = 'r'} end}");
	case_policy(c, "b", "\nreturn {name = 'b', summary = 's', handles = {}, plan = error}");
	assert_int_equal(case_run(c), -ERR_POLICY);
	assert_string_equal(c->err.at.file, "policies/b.lua");
	assert_int_equal(c->decision.warning_count, 0);
	case_done(c);
}

/* It would be kept otherwise than it is, and the last good tree be no tree any more. */
static void text_that_is_not_utf_8_is_refused(void **state)
{
	static const char good[] = "return {name = 'a', summary = 's', handles = {}, plan = error}";
	struct test_case *c = case_create();

	(void)state;
	case_policy(c, "a", "-- f\xc3\xbcr\n-- f\xfcr\nreturn {}");
	assert_fails(c, "policies/a.lua", 2,
	             "policy a: the byte 0xfc is not UTF-8 here; save the file as UTF-8");
	c->policies[0].text = "return {}\n\0";
	c->policies[0].length = 11;
	assert_fails(c, "policies/a.lua", 2,
	             "policy a: the byte 0x00 is not UTF-8 here; save the file as UTF-8");
	c->policies[0].text = "\xef\xbb\xbfreturn {}";
	c->policies[0].length = 12;
	assert_fails(c, "policies/a.lua", 1,
	             "policy a: the file begins with a byte order mark; save it as UTF-8 without one");
	c->policies[0].text = good;
	c->policies[0].length = strlen(good);
	case_library(c, "unused", "\xff");
	assert_fails(c, "policies/lib/unused.lua", 1,
	             "library unused: the byte 0xff is not UTF-8 here; save the file as UTF-8");
	case_done(c);
}

/* ---- The same again ---- */

static struct digest digest_of(struct test_case *c)
{
	struct value list = value_list();

	for (size_t i = 0; i < c->decision.proposal_count; i++) {
		const struct proposal *p = &c->decision.proposals[i];
		struct value item = resource_to_value(c->arena, p->want);

		value_set(c->arena, &item, "line", value_int(p->origin.lua.line));
		value_set(c->arena, &item, "reason", value_string(p->origin.reason));
		value_append(c->arena, &list, item);
	}
	value_seal(&list);
	return digest_value(&list);
}

static void same_inputs_give_the_same_decision(void **state)
{
	struct test_case *c = case_create();
	struct digest first;

	(void)state;
	case_body(c, "local t = {}\n"
	             "for i = 1, 500 do t['k' .. i * 7919 % 1000] = {i} end\n"
	             "local keys = {}\n"
	             "for k, v in pairs(t) do\n"
	             "  table.insert(keys, k)\n"
	             "  plan:directory{path = '/' .. k, reason = tostring(v) .. #keys}\nend\n"
	             "table.sort(keys, function(a, b) return #a < #b end)\n"
	             "plan:each(keys, function(i, k) plan:file{path = '/f' .. i, reason = k} end)");
	assert_runs(c);
	assert_int_equal(c->decision.proposal_count, 1000);
	first = digest_of(c);
	for (int i = 0; i < 5; i++) {
		assert_runs(c);
		assert_string_equal(digest_of(c).hex, first.hex);
	}
	case_done(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(policy_that_is_killed_has_its_line),
	    cmocka_unit_test(process_that_stands_still_is_ended),
	    cmocka_unit_test(child_has_next_to_nothing),
	    cmocka_unit_test(long_run_is_ended),
	    cmocka_unit_test(a_process_that_gets_no_time_is_waited_for),
	    cmocka_unit_test(waiting_for_facts_does_not_count),
	    cmocka_unit_test(section_without_a_policy_is_an_error),
	    cmocka_unit_test(policy_of_unwanted_sections_does_not_run),
	    cmocka_unit_test(two_policies_may_handle_one_section),
	    cmocka_unit_test(no_policies_decide_nothing),
	    cmocka_unit_test(first_fault_fails_everything),
	    cmocka_unit_test(text_that_is_not_utf_8_is_refused),
	    cmocka_unit_test(same_inputs_give_the_same_decision),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
