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
    {"lustre", "No such device or address", ENXIO, false,
     "the servers answered, and the client could not set itself up by what they told: a target of "
     "the file system is missing or was taken out, or its configuration log is damaged; the log of "
     "the kernel names it (dmesg)"},
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

/* ENXIO is spelled like ENODEV, and goes on. */
static bool is_said(const char *complaint, const char *words)
{
	static const char longer[] = " or address";
	const char *at = words ? strstr(complaint, words) : NULL;

	return at && !text_starts(at + strlen(words), longer);
}

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
		    (is_said(complaint, m->words) || (m->os && m->os == os))) {
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

/* ", 1018, 1019" as a sentence of its own, or "": those that gave that answer, beside 988. */
static const char *list_ports(struct arena *arena, const struct port_query *queries, size_t n,
                              const char *words, enum port_answer answer)
{
	AUTO(str_free) struct str text = {0};

	for (size_t i = 1; i < n; i++) {
		enum port_answer given =
		    queries[i].answer == PORT_UNREACHABLE ? PORT_SILENT : queries[i].answer;

		if (given == answer) {
			str_addf(&text, "%s%u", text.length ? ", " : words, queries[i].port);
		}
	}
	return arena_strdup(arena, str_text(&text));
}

static bool is_silent(const struct port_query *query)
{
	return query->answer == PORT_SILENT || query->answer == PORT_UNREACHABLE;
}

/* The one that its servers listen on, and what of the others says whether a firewall is between:
 * they refuse where none is, for nobody need listen on them. */
static const char *describe_ports(struct arena *arena, const char *address,
                                  const struct port_query *queries, size_t n)
{
	const char *open = list_ports(arena, queries, n, "; open: ", PORT_OPEN);
	const char *refused = list_ports(arena, queries, n, "; refused: ", PORT_REFUSED);
	const char *silent = list_ports(arena, queries, n, "; no answer from ", PORT_SILENT);

	if (queries[0].answer == PORT_OPEN) {
		return arena_printf(arena, "port 988 of %s is open%s", address, silent);
	}
	if (is_silent(&queries[0]) && !*open && !*refused) {
		return arena_printf(arena, "no port of %s answers (asked: 988%s)", address,
		                    list_ports(arena, queries, n, ", ", PORT_SILENT));
	}
	return arena_printf(arena, "port 988 of %s %s%s%s%s", address,
	                    is_silent(&queries[0]) ? "does not answer" : "is refused", open, refused,
	                    silent);
}

static int ask_network(struct host *host, const struct resource *want, struct arena *arena,
                       const char **ret_words, bool *ret_open, struct err *err)
{
	struct port_query queries[] = {{.port = 988},  {.port = 1018}, {.port = 1019}, {.port = 1020},
	                               {.port = 1021}, {.port = 1022}, {.port = 1023}};
	const char *server = first_server(arena, want->mount.source), *why;
	struct list addresses;

	*ret_words = NULL;
	*ret_open = false;
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
	if (host->ops->ports(host, addresses.items[0], queries, ARRAY_LEN(queries), ASK_MS, err)) {
		return -(int)err->code;
	}
	*ret_open = queries[0].answer == PORT_OPEN;
	*ret_words = describe_ports(arena, addresses.items[0], queries, ARRAY_LEN(queries));
	return 0;
}

int mount_explain_network(struct host *host, const struct resource *want, struct arena *arena,
                          const char **ret_words, struct err *err)
{
	bool open;

	return ask_network(host, want, arena, ret_words, &open, err);
}

static const char *together(struct arena *arena, const char *says, const char *network)
{
	return says && network ? arena_printf(arena, "%s\n%s", says, network) : says ? says : network;
}

int mount_explain_silence(struct host *host, const struct resource *want, struct arena *arena,
                          const char **ret_words, struct err *err)
{
	const char *says = mount_explain(arena, want, "", ETIMEDOUT), *network = NULL;
	bool open = false;

	if (mount_explain_suspects_network(want, "", ETIMEDOUT) &&
	    ask_network(host, want, arena, &network, &open, err)) {
		return -(int)err->code;
	}
	if (open) {
		says = "the servers let this node connect and did not answer in time: they may be at work "
		       "on a recovery, or cannot connect back to this node";
	}
	*ret_words = together(arena, says, network);
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
	    .detail = together(arena, says, network),
	};
	return 0;
}
