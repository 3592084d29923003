// SPDX-License-Identifier: MIT
#include "unit/support/scratch.h"

#include "host/self_notify.h"

#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char heard[4096];

/* Somebody who listens at that name; '@' is an abstract one. */
static int listen_at(const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t n = strlen(name);

	memcpy(a.sun_path, name, n);
	if (name[0] == '@') {
		a.sun_path[0] = '\0';
	}
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&a,
	         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (name[0] == '/'))),
	    0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	return fd;
}

static const char *hear(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	assert_true(poll(&p, 1, 10000) > 0);
	ssize_t n = recv(fd, heard, sizeof heard - 1, 0);

	assert_true(n >= 0);
	heard[n] = '\0';
	return heard;
}

static int setup(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_clear();
	return 0;
}

static void without_a_socket_nobody_listens(void **state)
{
	(void)state;
	static const char *const names[] = {"", "relative", "vsock:2:1234", "/", "@"};
	struct self_notify notify;

	setenv("WATCHDOG_USEC", "1000000", 1);
	self_notify_open(&notify);
	assert_false(self_notify_send(&notify, "READY=1"));
	assert_int_equal(notify.watchdog_ms, 0);
	for (size_t i = 0; i < 5; i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		self_notify_open(&notify);
		assert_false(self_notify_send(&notify, "READY=1"));
		self_notify_close(&notify);
	}
}

static void a_path_and_an_abstract_name_are_spoken_to(void **state)
{
	(void)state;
	char abstract[64];

	snprintf(abstract, sizeof abstract, "@reconcile-test-%d", (int)getpid());
	const char *const names[] = {scratch_path("notify"), abstract};

	for (size_t i = 0; i < 2; i++) {
		struct self_notify notify;
		int fd = listen_at(names[i]);

		self_notify_open(&notify);
		assert_true(self_notify_send(&notify, "READY=1\nSTATUS=%s", "all is well"));
		assert_string_equal(hear(fd), "READY=1\nSTATUS=all is well");
		self_notify_close(&notify);
		close(fd);
	}
}

static void what_we_start_does_not_speak_for_us(void **state)
{
	(void)state;
	struct self_notify notify;
	int fd = listen_at(scratch_path("notify"));

	setenv("WATCHDOG_USEC", "3000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	self_notify_open(&notify);
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_null(getenv("WATCHDOG_USEC"));
	assert_null(getenv("WATCHDOG_PID"));
	self_notify_close(&notify);
	close(fd);
}

static int64_t watchdog(const char *usec, const char *pid)
{
	struct self_notify notify;
	int fd = listen_at(scratch_path("notify"));

	setenv("WATCHDOG_USEC", usec, 1);
	if (pid) {
		setenv("WATCHDOG_PID", pid, 1);
	}
	self_notify_open(&notify);
	int64_t ms = notify.watchdog_ms;

	self_notify_close(&notify);
	close(fd);
	unlink(scratch_path("notify"));
	return ms;
}

static void the_watchdog_is_ours_only_when_it_names_us(void **state)
{
	(void)state;
	char own[16];

	snprintf(own, sizeof own, "%d", (int)getpid());
	assert_int_equal(watchdog("30000000", NULL), 30000);
	assert_int_equal(watchdog("30000000", own), 30000);
	assert_int_equal(watchdog("30000000", "1"), 0);
	assert_int_equal(watchdog("500", NULL), 1);
	assert_int_equal(watchdog("0", NULL), 0);
	assert_int_equal(watchdog("-5", NULL), 0);
	assert_int_equal(watchdog("soon", NULL), 0);
	assert_int_equal(watchdog("99999999999999999999", NULL), 0);
}

static void a_listener_that_does_not_read_holds_up_nobody(void **state)
{
	(void)state;
	struct self_notify notify;
	int fd = listen_at(scratch_path("notify")), sent = 0;

	self_notify_open(&notify);
	while (sent < 100000 && self_notify_send(&notify, "STATUS=%0900d", sent)) {
		sent++;
	}
	assert_in_range(sent, 1, 99999);
	hear(fd);
	assert_true(self_notify_send(&notify, "WATCHDOG=1"));
	close(fd);
	assert_false(self_notify_send(&notify, "WATCHDOG=1"));
	self_notify_close(&notify);
}

static void what_is_too_long_is_cut_at_a_letter(void **state)
{
	(void)state;
	struct self_notify notify;
	int fd = listen_at(scratch_path("notify"));
	char text[4000] = "";

	for (size_t i = 0; i + 2 < sizeof text; i += 2) {
		memcpy(text + i, "\xc3\xa9", 3);
	}
	self_notify_open(&notify);
	assert_true(self_notify_send(&notify, "STATUS=%s", text));
	size_t n = strlen(hear(fd));

	assert_in_range(n, 2000, 2048);
	assert_int_equal((unsigned char)heard[n - 1], 0xa9);
	self_notify_close(&notify);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(without_a_socket_nobody_listens),
	    TEST(a_path_and_an_abstract_name_are_spoken_to),
	    TEST(what_we_start_does_not_speak_for_us),
	    TEST(the_watchdog_is_ours_only_when_it_names_us),
	    TEST(a_listener_that_does_not_read_holds_up_nobody),
	    TEST(what_is_too_long_is_cut_at_a_letter),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
