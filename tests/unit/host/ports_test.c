// SPDX-License-Identifier: MIT
#include "host/ports.h"

#include "unit/support/scratch.h"

#include "host/host.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static struct port_query ask(const char *address, unsigned short port)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct port_query query = {.port = port};
	struct host host;
	struct err err;

	host_init(&host, &host_linux_ops, arena);
	assert_int_equal(host.ops->ports(&host, address, &query, 1, 500, &err), 0);
	host_done(&host);
	return query;
}

/* A socket that listens on a port of the kernel's choice. */
static int listen_somewhere(unsigned short *ret_port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

static void a_port_is_open_while_somebody_listens(void **state)
{
	unsigned short port;
	int fd = listen_somewhere(&port);

	(void)state;
	assert_int_equal(ask("127.0.0.1", port).answer, PORT_OPEN);
	close(fd);
	assert_int_equal(ask("127.0.0.1", port).answer, PORT_REFUSED);
}

static void many_are_asked_at_once(void **state)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct port_query queries[2] = {{.port = 1}};
	struct host host;
	struct err err;
	int fd = listen_somewhere(&queries[1].port);

	(void)state;
	host_init(&host, &host_linux_ops, arena);
	assert_int_equal(host.ops->ports(&host, "127.0.0.1", queries, 2, 500, &err), 0);
	assert_int_equal(queries[0].answer, PORT_REFUSED);
	assert_int_equal(queries[1].answer, PORT_OPEN);
	host_done(&host);
	close(fd);
}

static void what_is_no_address_is_refused(void **state)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct port_query query = {.port = 1};
	struct host host;
	struct err err;

	(void)state;
	host_init(&host, &host_linux_ops, arena);
	assert_int_equal(host.ops->ports(&host, "localhost", &query, 1, 500, &err), -ERR_INPUT);
	assert_int_equal(host.ops->ports(&host, "127.0.0.1", &query, 17, 500, &err), -ERR_BUG);
	host_done(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_port_is_open_while_somebody_listens),
	    cmocka_unit_test(many_are_asked_at_once),
	    cmocka_unit_test(what_is_no_address_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
