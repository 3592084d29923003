// SPDX-License-Identifier: MIT
#include "unit/provider/answering.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *answer_of(const char *key)
{
	const struct resource *have = fact(KIND_PORT, key);

	return have->state == STATE_PRESENT ? have->port.answer : have->why;
}

static void what_listens_is_open_and_what_does_not_refuses(void **state)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	socklen_t n = sizeof address;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, n) || listen(fd, 1) ||
	    getsockname(fd, (struct sockaddr *)&address, &n)) {
		print_message("# skip: no IPv6 here\n");
		skip();
	}
	const char *key = arena_printf(arena, "[::1]:%u", ntohs(address.sin6_port));

	assert_string_equal(answer_of(key), "open");
	close(fd);
	assert_string_equal(answer_of(key), "refused");
}

static void what_is_no_port_is_not_asked(void **state)
{
	static const char *const keys[] = {"host",
	                                   ":988",
	                                   "10.0.0.1:",
	                                   "10.0.0.1:0",
	                                   "10.0.0.1:65536",
	                                   "10.0.0.1:988x",
	                                   "10.0.0.1:99999999999999999999"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		assert_string_equal(answer_of(keys[i]), "not of the form HOST:PORT");
	}
}

static void a_name_nobody_knows_is_told(void **state)
{
	(void)state;
	assert_string_equal(answer_of("no-such-host.invalid:988"), "unknown host");
	/* Not an option of the program that is asked. */
	assert_string_equal(answer_of("--help:988"), "unknown host");
}

static const struct port *told(const char *key)
{
	return &answering_fact(KIND_PORT, key)->port;
}

static void what_is_not_open_is_told_apart(void **state)
{
	static const struct {
		enum port_answer answer;
		const char *word;
	} words[] = {{PORT_OPEN, "open"},
	             {PORT_REFUSED, "refused"},
	             {PORT_SILENT, "silent"},
	             {PORT_UNREACHABLE, "unreachable"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		answering_ports[0] = words[i].answer;
		assert_string_equal(told("10.0.0.1:988")->answer, words[i].word);
		assert_int_equal(told("10.0.0.1:988")->why != NULL, words[i].answer == PORT_UNREACHABLE);
	}
	assert_string_equal(told("10.0.0.1:988")->why, strerror(EHOSTUNREACH));
}

static void brackets_stand_in_pairs(void **state)
{
	(void)state;
	told("[fd00::1]:988");
	assert_string_equal(str_text(&asked), "ports of fd00::1\n");
	assert_string_equal(told("[::1:988")->answer, "unknown host");
	assert_string_equal(told("[::1:988")->why, "there is no address for [::1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_listens_is_open_and_what_does_not_refuses),
	    TEST(what_is_no_port_is_not_asked),
	    TEST(a_name_nobody_knows_is_told),
	    ANSWERED(what_is_not_open_is_told_apart),
	    ANSWERED(brackets_stand_in_pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
