// SPDX-License-Identifier: MIT
/* Foreign programs: what they are given, what is kept of their output, and how long they are waited
 * for. */
#include "base/capture.h"
#include "base/child.h"

#include "base/clock.h"
#include "hung.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { GRACE = 20000 }; /* ms, for what is sure to come */

static char folder[] = "/tmp/child-run.XXXXXX";
static struct child_result result;

static int group_set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int group_tear_down(void **state)
{
	(void)state;
	return rmdir(folder);
}

static int tear_down(void **state)
{
	(void)state;
	child_result_free(&result);
	return 0;
}

static void run(struct child_command command)
{
	struct err err = {0};

	child_result_free(&result);
	if (child_run(&command, &result, &err)) {
		fail_msg("%s: %s", command.argv[0], err.text);
	}
}

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SHELL(script) .argv = ARGV("sh", "-c", (script))

static const char *out(void)
{
	return str_text(&result.out);
}

/* A path in the folder of the tests, in one of four buffers. */
static const char *path(const char *name)
{
	static char paths[4][64];
	static unsigned turn;
	char *text = paths[turn++ % ARRAY_LEN(paths)];

	snprintf(text, sizeof paths[0], "%s/%s", folder, name);
	return text;
}

static bool appears(const char *file)
{
	for (int64_t until = clock_ms() + GRACE; access(file, F_OK); usleep(5000)) {
		if (clock_ms() > until) {
			return false;
		}
	}
	return true;
}

static bool ends_soon(pid_t pid, uint64_t starttime)
{
	for (int64_t until = clock_ms() + GRACE; child_is_alive(pid, starttime); usleep(2000)) {
		if (clock_ms() > until) {
			return false;
		}
	}
	return true;
}

static void write_program(const char *file, const char *text, mode_t mode)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void run_gives_status_and_both_streams(void **state)
{
	(void)state;
	run((struct child_command){SHELL("echo one; echo two >&2; exit 3")});
	assert_int_equal(result.status, 3);
	assert_false(result.signalled || result.timed_out || result.running);
	assert_string_equal(out(), "one\n");
	assert_string_equal(str_text(&result.err), "two\n");
	assert_true(result.pid > 0);
}

static void run_gives_the_signal(void **state)
{
	(void)state;
	run((struct child_command){SHELL("kill -9 $$")});
	assert_true(result.signalled);
	assert_int_equal(result.status, SIGKILL);
	assert_false(result.timed_out);
}

static void run_hands_on_arguments_as_they_are(void **state)
{
	(void)state;
	run((struct child_command){.argv = ARGV("printf", "<%s>", "a b", "", "$HOME;'\"*", "\xff")});
	assert_string_equal(out(), "<a b><><$HOME;'\"*><\xff>");
}

static void check_cannot_run(const char *program, int os)
{
	struct child_command command = {.argv = ARGV(program)};
	struct err err = {0};

	result.status = 77;
	assert_int_equal(child_run(&command, &result, &err), -ERR_HOST);
	assert_int_equal(err.os, os);
	assert_non_null(strstr(err.text, program));
	assert_int_equal(result.status, 77);
}

static void program_that_cannot_be_run_is_an_error(void **state)
{
	(void)state;
	const char *plain = path("plain"), *odd = path("odd");

	write_program(plain, "echo hello\n", 0644);
	write_program(odd, "echo hello\n", 0755);
	check_cannot_run("no-such-program", ENOENT);
	check_cannot_run("/no/such/program", ENOENT);
	check_cannot_run("", ENOENT);
	check_cannot_run(plain, EACCES);
	check_cannot_run(odd, ENOEXEC); /* and is not fed to a shell */
	check_cannot_run("/etc/passwd/x", ENOTDIR);
	unlink(plain);
	unlink(odd);
}

static void program_is_looked_up_in_the_path_it_gets(void **state)
{
	(void)state;
	char variable[128];
	const char *tool = path("our-tool");

	write_program(tool, "#!/bin/sh\necho ours $PATH\n", 0755);
	snprintf(variable, sizeof variable, "PATH=/nowhere:%s", folder);
	run((struct child_command){.argv = ARGV("our-tool"), .environment = ARGV("A=b", variable)});
	assert_true(text_starts(out(), "ours /nowhere:/tmp/"));
	check_cannot_run("our-tool", ENOENT);
	unlink(tool);
}

static void environment_is_clean(void **state)
{
	(void)state;
	static const char clean[] =
	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n";
	AUTO(str_free) struct str wanted = {0};

	setenv("NOTIFY_SOCKET", "@secret", 1);
	run((struct child_command){.argv = ARGV("env")});
	str_addf(&wanted, "%sLC_ALL=C.UTF-8\n", clean);
	assert_string_equal(out(), str_text(&wanted));
	run((struct child_command){.argv = ARGV("env"),
	                           .environment = ARGV("DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")});
	str_clear(&wanted);
	str_addf(&wanted, "%sDEBIAN_FRONTEND=noninteractive\nLC_ALL=C\n", clean);
	assert_string_equal(out(), str_text(&wanted));
	unsetenv("NOTIFY_SOCKET");
}

static void program_inherits_nothing_else(void **state)
{
	(void)state;
	int open_fd = open("/dev/null", O_RDONLY);
	mode_t before = umask(077);

	signal(SIGPIPE, SIG_IGN);
	run((struct child_command){SHELL("cat; pwd; umask; ls /proc/self/fd | tr '\\n' ' ';"
	                                 "grep -E '^Sig(Blk|Ign)' /proc/self/status")});
	signal(SIGPIPE, SIG_DFL);
	umask(before);
	close(open_fd);
	/* ls has its own folder open as 3. */
	assert_true(text_starts(out(), "/\n0022\n0 1 2 3 SigBlk:\t0000000000000000\nSigIgn:\t"));
	/* The two signals of the C library below the first real-time one cannot be set with
	 * sigaction(2). */
	unsigned long long ignored = strtoull(strstr(out(), "SigIgn:\t") + 8, NULL, 16);

	assert_int_equal(ignored & ~(3ull << 31), 0);
}

static void program_runs_where_standard_streams_are_closed(void **state)
{
	(void)state;
	int pipe_fds[2], status;
	char c = 0;

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	pid_t pid = fork();

	if (pid == 0) {
		close(0);
		close(1);
		close(2);
		run((struct child_command){SHELL("echo out; echo err >&2; exit 4")});
		bool right = result.status == 4 && text_equal(out(), "out\n") &&
		             text_equal(str_text(&result.err), "err\n");

		_exit(write(pipe_fds[1], right ? "y" : "n", 1) == 1 ? 0 : 1);
	}
	assert_int_equal(read(pipe_fds[0], &c, 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(c, 'y');
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static const char flood[] =
    "i=0; while [ $i -lt 3000 ]; do echo \"$i: 0123456789012345678901234567890123456789"
    "01234567890123456789\"; echo \"$i: error error error error error error error\" >&2; "
    "i=$((i + 1)); done; echo end; echo end >&2";

static void check_flood(void)
{
	assert_int_equal(result.status, 0);
	assert_true(text_starts(out(), "0: 0123456789"));
	assert_non_null(strstr(out(), " bytes left out]\n"));
	assert_true(text_ends(out(), "\nend\n"));
	assert_in_range(result.out.length, 2 * CAPTURE_HALF, 2 * CAPTURE_HALF + 64);
	assert_true(text_ends(str_text(&result.err), "\nend\n"));
	assert_in_range(result.err.length, 2 * CAPTURE_HALF, 2 * CAPTURE_HALF + 64);
}

static void both_streams_are_read_at_once_and_bounded(void **state)
{
	(void)state;
	run((struct child_command){SHELL(flood), .timeout_ms = GRACE});
	check_flood();
	run((struct child_command){SHELL(flood), .timeout_ms = GRACE, .keep_at_deadline = true});
	check_flood();
}

static void program_that_shortens_its_output_does_no_harm(void **state)
{
	(void)state;
	run((struct child_command){
	    SHELL("head -c 200000 /dev/zero; echo x >/proc/self/fd/1; : >/proc/self/fd/2"),
	    .timeout_ms = GRACE, .keep_at_deadline = true});
	assert_int_equal(result.status, 0);
}

static void deadline_ends_the_group(void **state)
{
	(void)state;
	int64_t begun = clock_ms();

	run((struct child_command){SHELL("echo begun; sleep 600 & echo $!; sleep 600"),
	                           .timeout_ms = 300});
	assert_true(result.timed_out);
	assert_false(result.running);
	assert_true(result.signalled);
	assert_int_equal(result.status, SIGTERM);
	assert_true(text_starts(out(), "begun\n"));
	assert_true(clock_ms() - begun < GRACE);
	pid_t left = atoi(out() + strlen("begun\n"));

	assert_true(left > 1);
	assert_true(ends_soon(left, child_starttime(left)));
}

static void deadline_ends_who_does_not_listen(void **state)
{
	(void)state;
	run((struct child_command){SHELL("trap '' TERM; echo begun; while :; do sleep 1; done"),
	                           .timeout_ms = 200});
	assert_true(result.timed_out);
	assert_false(result.running);
	assert_int_equal(result.status, SIGKILL);
}

static void word_after_sigterm_is_heard(void **state)
{
	(void)state;
	run((struct child_command){SHELL("trap 'echo bye; exit 5' TERM; while :; do sleep 0.05; done"),
	                           .timeout_ms = 200});
	assert_true(result.timed_out);
	assert_int_equal(result.status, 5);
	assert_string_equal(out(), "bye\n");
}

static void endless_output_ends_at_the_deadline(void **state)
{
	(void)state;
	run((struct child_command){.argv = ARGV("yes"), .timeout_ms = 200});
	assert_true(result.timed_out);
	assert_true(result.out.length <= 2 * CAPTURE_HALF + 64);
}

static void daemon_left_behind_is_not_waited_for(void **state)
{
	(void)state;
	int64_t begun = clock_ms();

	run((struct child_command){SHELL("setsid sleep 600 & echo $!; exit 6")});
	pid_t left = atoi(out());
	bool alive = child_starttime(left) > 0;

	kill(left, SIGKILL);
	assert_true(left > 1);
	assert_true(alive); /* and not killed either */
	assert_int_equal(result.status, 6);
	assert_false(result.timed_out);
	assert_true(clock_ms() - begun < GRACE);
}

static void kept_program_goes_on_after_its_deadline(void **state)
{
	(void)state;
	char script[200];
	const char *go = path("go"), *done = path("done");

	snprintf(script, sizeof script,
	         "echo begun; until [ -e %s ]; do sleep 0.02; done; echo more; echo more >&2; : >%s",
	         go, done);
	run((struct child_command){SHELL(script), .timeout_ms = 200, .keep_at_deadline = true});
	assert_true(result.timed_out);
	assert_true(result.running);
	assert_false(result.signalled);
	assert_int_equal(result.status, -1);
	assert_string_equal(out(), "begun\n");
	assert_true(child_is_alive(result.pid, result.starttime));
	assert_int_equal(getsid(result.pid), result.pid);
	write_program(go, "", 0600);
	assert_true(appears(done));
	assert_true(ends_soon(result.pid, result.starttime));
	unlink(go);
	unlink(done);
}

static int run_script(int fd, void *context)
{
	struct child_command command = {SHELL(context), .keep_at_deadline = true};
	struct err err;

	(void)fd;
	return child_run(&command, &result, &err) ? 1 : 0;
}

static int run_script_bound(int fd, void *context)
{
	struct child_command command = {SHELL(context)};
	struct err err;

	(void)fd;
	return child_run(&command, &result, &err) ? 1 : 0;
}

static void kept_program_outlives_us(void **state)
{
	(void)state;
	char script[200];
	const char *begun = path("begun"), *go = path("go"), *done = path("done");
	struct child worker;
	struct err err;

	snprintf(script, sizeof script,
	         ": >%s; until [ -e %s ]; do sleep 0.02; done; echo more; echo more >&2; : >%s", begun,
	         go, done);
	assert_int_equal(child_fork(run_script, script, NULL, &worker, &err), 0);
	assert_true(appears(begun));
	assert_true(child_kill(&worker, NULL));
	write_program(go, "", 0600);
	assert_true(appears(done));
	unlink(begun);
	unlink(go);
	unlink(done);
}

static void other_program_dies_with_us(void **state)
{
	(void)state;
	char script[200], text[32] = "";
	const char *begun = path("begun"), *moved = path("moved");
	struct child worker;
	struct err err;

	snprintf(script, sizeof script, "echo $$ >%s; mv %s %s; exec sleep 600", begun, begun, moved);
	assert_int_equal(child_fork(run_script_bound, script, NULL, &worker, &err), 0);
	assert_true(appears(moved));
	int fd = open(moved, O_RDONLY | O_CLOEXEC);

	assert_true(read(fd, text, sizeof text - 1) > 0);
	close(fd);
	pid_t pid = atoi(text);
	uint64_t starttime = child_starttime(pid);

	assert_true(starttime > 0);
	assert_true(child_kill(&worker, NULL));
	assert_true(ends_soon(pid, starttime));
	unlink(moved);
}

static void status_that_nobody_keeps_is_unknown(void **state)
{
	(void)state;
	signal(SIGCHLD, SIG_IGN);
	run((struct child_command){SHELL("echo x; exit 3"), .timeout_ms = GRACE});
	signal(SIGCHLD, SIG_DFL);
	assert_string_equal(out(), "x\n");
	assert_int_equal(result.status, -1);
	assert_false(result.signalled || result.running || result.timed_out);
}

static int open_descriptors(void)
{
	int open = 0;

	for (int i = 0; i < 1024; i++) {
		open += fcntl(i, F_GETFD) >= 0;
	}
	return open;
}

static void no_descriptor_is_lost(void **state)
{
	(void)state;
	int before = open_descriptors();

	run((struct child_command){.argv = ARGV("true")});
	run((struct child_command){.argv = ARGV("true"), .keep_at_deadline = true});
	run((struct child_command){.argv = ARGV("sleep", "600"), .timeout_ms = 50});
	run((struct child_command){
	    .argv = ARGV("sleep", "1"), .timeout_ms = 50, .keep_at_deadline = true});
	check_cannot_run("no-such-program", ENOENT);
	assert_int_equal(open_descriptors(), before);
}

static void program_stuck_in_the_kernel_is_not_waited_for(void **state)
{
	(void)state;
	struct hung hung;
	char name[64];

	if (!hung_begin(&hung)) {
		skip();
	}
	snprintf(name, sizeof name, "%s/name", hung.folder);
	int64_t begun = clock_ms();

	run((struct child_command){.argv = ARGV("stat", name), .timeout_ms = 300});
	bool alive = child_is_alive(result.pid, result.starttime);
	struct child_result stat_result = result;
	struct child_command exec_hangs = {.argv = ARGV(name), .timeout_ms = 300};
	struct err err = {0};
	int r = child_run(&exec_hangs, &result, &err);
	int64_t spent = clock_ms() - begun;

	hung_end(&hung);
	assert_true(stat_result.timed_out && stat_result.running && alive);
	assert_false(stat_result.signalled);
	assert_int_equal(r, 0);
	assert_true(result.timed_out && result.running);
	assert_true(spent < GRACE);
	assert_true(ends_soon(stat_result.pid, stat_result.starttime));
	assert_true(ends_soon(result.pid, result.starttime));
	child_result_free(&stat_result);
	waitpid(stat_result.pid, NULL, 0);
	waitpid(result.pid, NULL, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(run_gives_status_and_both_streams),
	    TEST(run_gives_the_signal),
	    TEST(run_hands_on_arguments_as_they_are),
	    TEST(program_that_cannot_be_run_is_an_error),
	    TEST(program_is_looked_up_in_the_path_it_gets),
	    TEST(environment_is_clean),
	    TEST(program_inherits_nothing_else),
	    TEST(program_runs_where_standard_streams_are_closed),
	    TEST(both_streams_are_read_at_once_and_bounded),
	    TEST(program_that_shortens_its_output_does_no_harm),
	    TEST(deadline_ends_the_group),
	    TEST(deadline_ends_who_does_not_listen),
	    TEST(word_after_sigterm_is_heard),
	    TEST(endless_output_ends_at_the_deadline),
	    TEST(daemon_left_behind_is_not_waited_for),
	    TEST(kept_program_goes_on_after_its_deadline),
	    TEST(kept_program_outlives_us),
	    TEST(other_program_dies_with_us),
	    TEST(status_that_nobody_keeps_is_unknown),
	    TEST(no_descriptor_is_lost),
	    TEST(program_stuck_in_the_kernel_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
