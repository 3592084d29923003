// SPDX-License-Identifier: MIT
/*
 * dpkg's and apt's databases, read without running anything while nobody writes them. Texts live in
 * the host's arena.
 */
#ifndef HOST_PACKAGES_H
#define HOST_PACKAGES_H

#include "base/list.h"

/* From /var/lib/dpkg/status (deb-status fields), or from dpkg-query when a journal or a lock holder
 * is there. */
struct host_package {
	bool known;         /* dpkg has a stanza of it */
	const char *want;   /* first word of Status: install, hold, deinstall, purge, unknown */
	const char *flag;   /* second: ok, reinstreq */
	const char *status; /* third: installed, half-configured, config-files, ... */
	const char *version, *architecture;
	bool held;
};

/* How the package manager itself stands. */
struct host_package_manager {
	int lock_pid;             /* who holds one of dpkg's locks; 0: nobody, as far as we may see */
	const char *lock_command; /* the name of that process, "" when it cannot be told */
	bool interrupted;         /* dpkg was cut off: its journal is there */
	struct list unconfigured; /* packages that wait for dpkg --configure -a */
	/* PID 1 is a systemd, and provably shares our mount and pid namespace and our root. */
	bool under_systemd;
};

/* What apt would install. By apt-cache policy; no network. */
struct host_candidate {
	bool known;           /* the index offers a version of it */
	const char *version;  /* what apt itself would take, NULL when its pins allow none */
	const char *origin;   /* where that comes from */
	struct list versions; /* newest first */
};

/* An option (-o) of every tool of apt: without it, a name that no package has is taken for a
 * regular expression or a glob, and the tool acts upon all that match (cacheset.cc, since apt
 * 2.0). */
#define PACKAGES_EXACT "APT::Cmd::Pattern-Only=true"

/* Compares Debian versions (deb-version(7)): -1, 0, 1. Pure. */
int packages_compare(const char *a, const char *b);

#endif
