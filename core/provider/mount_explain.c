// SPDX-License-Identifier: MIT
/* See mount_explain.h. */
#include "provider/mount_explain.h"

#include "base/str.h"
#include "provider/resolve.h"

#include <errno.h>
#include <string.h>

enum { ASK_MS = 1500 };

struct meaning {
	const char *type;  /* NULL: of any */
	const char *words; /* in the complaint, or NULL */
	int os;            /* or this errno */
	bool network;
	const char *says;
};

/* In order: the first that fits speaks. */
static const struct meaning meanings[] = {
    {"lustre", "parse NID", 0, true,
     "the server's name does not resolve, or not to an address of this network: check it, and "
     "that this node uses the resolver of its VPC"},
    {"lustre", "Is the MGS running", EIO, true,
     "the servers were asked and did not answer as servers: check that outbound rules let TCP 988 "
     "and 1018-1023 through, and that the client connects from a port in 988, 1018-1023"},
    {"lustre", "No such device", ENODEV, false,
     "the kernel has no file system of that type: the module lustre is not loaded, or there is no "
     "such module for this kernel (reconcile doctor tells)"},
    {"lustre", "No such file or directory", ENOENT, false,
     "the servers know no file system of that name: check what stands behind the last slash of the "
     "source (the mount name of the file system)"},
    {"lustre", "Address already in use", EADDRINUSE, false,
     "something else on this node has taken port 988, often an NFS client that mounted first: the "
     "Lustre client needs it"},
    {"lustre", "Invalid argument", EINVAL, false,
     "this may be a wrong file system name, an option that the client does not know (nofail and "
     "the x-systemd ones belong into fstab only), or servers too old for the client: a file system "
     "made without a version is Lustre 2.10"},
    {"lustre", "timed out", ETIMEDOUT, true,
     "nobody answered: a security group or firewall between this node and the servers, most "
     "likely; TCP 988 and 1018-1023 must be open in both directions"},
    {"lustre", "No route to host", EHOSTUNREACH, true,
     "the network knows no way to the servers, or they refuse this node: check subnet, routes and "
     "the address in the source"},
    {"lustre", "refused", ECONNREFUSED, true,
     "the host answers and runs no Lustre server: check the address in the source"},
    {"lustre", "shut down", ESHUTDOWN, true,
     "the servers were there and ended the connection: the file system may be in maintenance or "
     "deleted"},
    {"nfs", "Connection refused", ECONNREFUSED, true,
     "the host answers and no NFS server runs there"},
    {"nfs", "timed out", ETIMEDOUT, true,
     "nobody answered: a security group or firewall (TCP 2049), or the server is down"},
    {"nfs", "access denied", EACCES, false, "the server does not export that path to this node"},
    {"nfs", "No such file or directory", ENOENT, false, "the server has no such export"},
    {"beegfs", "No such device", ENODEV, false,
     "the kernel has no file system of that type: the module beegfs did not build or did not load "
     "(dkms status beegfs)"},
    {NULL, "unknown filesystem type", ENODEV, false,
     "the running kernel has no such file system and found no module that brings it"},
};

static bool is_of_type(const struct meaning *m, const char *type)
{
	return !m->type || text_equal(m->type, type) ||
	       (text_equal(m->type, "nfs") && text_equal(type, "nfs4"));
}

static const struct meaning *find(const struct resource *want, const char *complaint, int os)
{
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
		const struct meaning *m = &meanings[i];

		if (is_of_type(m, want->mount.type) &&
		    ((m->words && strstr(complaint, m->words)) || (m->os && m->os == os))) {
			return m;
		}
	}
	return NULL;
}

const char *mount_explain(struct arena *arena, const struct resource *want, const char *complaint,
                          int os)
{
	const struct meaning *m = find(want, complaint, os);

	return m ? arena_strdup(arena, m->says) : NULL;
}

bool mount_explain_suspects_network(const struct resource *want, const char *complaint, int os)
{
	const struct meaning *m = find(want, complaint, os);

	return text_equal(want->mount.type, "lustre") && m && m->network;
}

/* The first server of the source: what stands before @, comma or colon. */
static const char *first_server(struct arena *arena, const char *source)
{
	return arena_strndup(arena, source, strcspn(source, "@,:"));
}

static const char *list_ports(struct arena *arena, const struct port_query *queries, size_t n,
                              bool silent)
{
	AUTO(str_free) struct str text = {0};

	for (size_t i = 0; i < n; i++) {
		bool is_silent = queries[i].answer == PORT_SILENT || queries[i].answer == PORT_UNREACHABLE;

		if (is_silent == silent) {
			str_addf(&text, "%s%u", text.length ? ", " : "", queries[i].port);
		}
	}
	return text.length ? arena_strdup(arena, str_text(&text)) : NULL;
}

int mount_explain_network(struct host *host, const struct resource *want, struct arena *arena,
                          const char **ret_words, struct err *err)
{
	struct port_query queries[] = {{.port = 988},  {.port = 1018}, {.port = 1019}, {.port = 1020},
	                               {.port = 1021}, {.port = 1022}, {.port = 1023}};
	const char *server = first_server(arena, want->mount.source), *why;
	struct list addresses;

	*ret_words = NULL;
	if (!*server) {
		return 0;
	}
	if (resolve_host(host, server, arena, &addresses, &why, err)) {
		return -(int)err->code;
	}
	if (!addresses.count) {
		*ret_words = why;
		return 0;
	}
	const char *address = addresses.items[0];

	if (host->ops->ports(host, address, queries, ARRAY_LEN(queries), ASK_MS, err)) {
		return -(int)err->code;
	}
	const char *answering = list_ports(arena, queries, ARRAY_LEN(queries), false);
	const char *silent = list_ports(arena, queries, ARRAY_LEN(queries), true);

	*ret_words = !answering
	                 ? arena_printf(arena, "no port of %s answers (asked: %s)", address, silent)
	             : queries[0].answer == PORT_OPEN
	                 ? arena_printf(arena, "port 988 of %s is open%s%s", address,
	                                silent ? "; no answer from " : "", silent ? silent : "")
	                 : arena_printf(arena, "port 988 of %s is not open; those that answer: %s",
	                                address, answering);
	return 0;
}

int mount_explain_failure(struct host *host, const struct resource *want,
                          const struct err *complaint, struct arena *arena,
                          struct applied *ret_applied, struct err *err)
{
	const char *says = mount_explain(arena, want, complaint->text, complaint->os);
	const char *network = NULL;

	if (mount_explain_suspects_network(want, complaint->text, complaint->os) &&
	    mount_explain_network(host, want, arena, &network, err)) {
		return -(int)err->code;
	}
	*ret_applied = (struct applied){
	    .outcome = complaint->code == ERR_BUSY ? OUTCOME_BLOCKED : OUTCOME_FAILED,
	    .why = arena_strdup(arena, complaint->text),
	    .detail = says && network ? arena_printf(arena, "%s\n%s", says, network)
	              : says          ? says
	                              : network,
	};
	return 0;
}
