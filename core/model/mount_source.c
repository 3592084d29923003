// SPDX-License-Identifier: MIT
/* See mount_source.h. */
#include "model/mount_source.h"

#include "base/mem.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

static bool is_one_of(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(text, list[i]) == 0) {
			return true;
		}
	}
	return false;
}

bool mount_type_is_remote(const char *type)
{
	/* libmount knows neither lustre nor beegfs as network types. FUSE and autofs are not remote by
	 * nature, but a call on them waits for a process that may be gone just as a server may. */
	static const char *const remote[] = {
	    "lustre", "nfs",  "nfs4",    "beegfs",   "cifs",  "smb3",  "smbfs", "ceph",     "glusterfs",
	    "gpfs",   "afs",  "wekafs",  "orangefs", "9p",    "gfs2",  "ocfs2", "virtiofs", "vboxsf",
	    "coda",   "fuse", "fuseblk", "efs",      "ncpfs", "davfs", "sshfs", "autofs",   "panfs",
	};

	return is_one_of(type, remote, ARRAY_LEN(remote)) || text_starts(type, "fuse.");
}

bool mount_type_is_sourceless(const char *type)
{
	static const char *const sourceless[] = {
	    "tmpfs",     "ramfs",       "proc",       "sysfs",   "devtmpfs", "devpts",     "mqueue",
	    "hugetlbfs", "cgroup",      "cgroup2",    "debugfs", "tracefs",  "securityfs", "bpf",
	    "pstore",    "configfs",    "efivarfs",   "overlay", "fusectl",  "nsfs",       "nfsd",
	    "selinuxfs", "binfmt_misc", "rpc_pipefs", "beegfs",
	};

	return is_one_of(type, sourceless, ARRAY_LEN(sourceless));
}

bool mount_type_same(const char *want, const char *have)
{
	static const char *const pairs[][2] = {
	    {"nfs", "nfs4"},        {"efs", "nfs4"},   {"ntfs", "fuseblk"},
	    {"ntfs-3g", "fuseblk"}, {"smbfs", "cifs"},
	};

	if (strcmp(want, have) == 0 || strcmp(want, "none") == 0 || strcmp(want, "auto") == 0) {
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		if (strcmp(pairs[i][0], want) == 0 && strcmp(pairs[i][1], have) == 0) {
			return true;
		}
	}
	return text_starts(have, "fuse.") && strcmp(have + strlen("fuse."), want) == 0;
}

/* A piece of a text that is not ours to cut. */
struct span {
	const char *at;
	size_t n;
};

static bool is_same_span(struct span a, struct span b)
{
	return a.n == b.n && strncmp(a.at, b.at, a.n) == 0;
}

/* Is the span the address of a family; if so *ret_bytes is it. */
static bool is_address(struct span host, int family, unsigned char ret_bytes[16])
{
	char text[INET6_ADDRSTRLEN];

	if (host.n >= sizeof text) {
		return false;
	}
	memcpy(text, host.at, host.n);
	text[host.n] = '\0';
	return inet_pton(family, text, ret_bytes) == 1;
}

enum alike { DIFFERENT, UNSURE, ALIKE };

static struct span without_dot(struct span host)
{
	host.n -= host.n > 1 && host.at[host.n - 1] == '.';
	return host;
}

/* Is `first` the first label of `whole`? */
static bool is_short_for(struct span first, struct span whole)
{
	return first.n < whole.n && !memchr(first.at, '.', first.n) && whole.at[first.n] == '.' &&
	       strncasecmp(first.at, whole.at, first.n) == 0;
}

/* Two host parts: names ignore case and a dot at the end; an address is whatever it is written as.
 * Between a name and an address, or a short name and a whole one, only resolving could decide. */
static enum alike compare_hosts(struct span a, struct span b)
{
	unsigned char left[16] = {0}, right[16] = {0};
	bool a4 = is_address(a, AF_INET, left), a6 = !a4 && is_address(a, AF_INET6, left);
	bool b4 = is_address(b, AF_INET, right), b6 = !b4 && is_address(b, AF_INET6, right);

	if ((a4 && b4) || (a6 && b6)) {
		return memcmp(left, right, a4 ? 4 : 16) == 0 ? ALIKE : DIFFERENT;
	}
	if ((a4 || a6) && (b4 || b6)) {
		return DIFFERENT;
	}
	if (a4 || a6 || b4 || b6) {
		return UNSURE;
	}
	a = without_dot(a);
	b = without_dot(b);
	if (a.n == b.n && strncasecmp(a.at, b.at, a.n) == 0) {
		return ALIKE;
	}
	return is_short_for(a, b) || is_short_for(b, a) ? UNSURE : DIFFERENT;
}

/* Two paths where neither doubled slashes nor one at the end mean anything. */
static bool is_same_path(const char *a, const char *b)
{
	for (;;) {
		bool slash_a = *a == '/', slash_b = *b == '/';

		a += strspn(a, "/");
		b += strspn(b, "/");
		if (!*a || !*b) {
			return *a == *b;
		}
		if (slash_a != slash_b || *a++ != *b++) {
			return false;
		}
	}
}

/* ---- Lustre: NID[,NID...][:NID[,NID...]]:/FSNAME[/SUBDIR], mount.lustre(8) ---- */

struct nid {
	struct span host, network;
};

/* Takes the next NID off *list; commas join those of one node, colons those of the next. */
static bool next_nid(struct span *list, struct nid *ret_nid)
{
	static const struct span tcp = {"tcp", 3};
	struct span nid = {list->at, 0};

	if (!list->n) {
		return false;
	}
	while (nid.n < list->n && nid.at[nid.n] != ',' && nid.at[nid.n] != ':') {
		nid.n++;
	}
	size_t used = nid.n + (nid.n < list->n);

	list->at += used;
	list->n -= used;
	const char *at_sign = memchr(nid.at, '@', nid.n);

	*ret_nid = (struct nid){nid, tcp};
	if (at_sign) {
		ret_nid->host.n = (size_t)(at_sign - nid.at);
		ret_nid->network = (struct span){at_sign + 1, nid.n - ret_nid->host.n - 1};
	}
	/* "tcp0" is "tcp". */
	if (ret_nid->network.n > 1 && ret_nid->network.at[ret_nid->network.n - 1] == '0' &&
	    !isdigit((unsigned char)ret_nid->network.at[ret_nid->network.n - 2])) {
		ret_nid->network.n--;
	}
	return true;
}

/* One server in common is enough: a live mount shows the addresses of the names that were asked
 * for. */
static enum alike compare_nids(struct span want, struct span have)
{
	enum alike best = DIFFERENT;
	struct nid a, b;

	while (next_nid(&want, &a)) {
		struct span others = have;

		while (best != ALIKE && next_nid(&others, &b)) {
			enum alike hosts =
			    is_same_span(a.network, b.network) ? compare_hosts(a.host, b.host) : DIFFERENT;

			best = hosts > best ? hosts : best;
		}
	}
	return best;
}

/* Where the servers end and ":/" begins: the last one, since NIDs have colons between them. */
static const char *find_colon_slash(const char *source)
{
	const char *last = NULL;

	for (const char *p = strstr(source, ":/"); p; p = strstr(p + 1, ":/")) {
		last = p;
	}
	return last;
}

static enum alike compare_lustre(const char *want, const char *have)
{
	const char *a = find_colon_slash(want), *b = find_colon_slash(have);

	if (!a || !b) {
		return strcmp(want, have) == 0 ? ALIKE : DIFFERENT;
	}
	if (!is_same_path(a + 1, b + 1)) {
		return DIFFERENT;
	}
	return compare_nids((struct span){want, (size_t)(a - want)},
	                    (struct span){have, (size_t)(b - have)});
}

/* ---- NFS: HOST:/PATH, [IPV6]:/PATH, nfs(5) ---- */

static bool split_nfs(const char *source, struct span *ret_host, const char **ret_path)
{
	const char *end = *source == '[' ? strchr(source, ']') : NULL;
	const char *colon = end ? (end[1] == ':' ? end + 1 : NULL) : strchr(source, ':');

	if (!colon || colon == source) {
		return false;
	}
	*ret_host = end ? (struct span){source + 1, (size_t)(end - source - 1)}
	                : (struct span){source, (size_t)(colon - source)};
	*ret_path = colon + 1;
	return true;
}

static enum alike compare_nfs(const char *want, const char *have)
{
	struct span a, b;
	const char *path_a, *path_b;

	if (!split_nfs(want, &a, &path_a) || !split_nfs(have, &b, &path_b)) {
		return strcmp(want, have) == 0 ? ALIKE : DIFFERENT;
	}
	return is_same_path(path_a, path_b) ? compare_hosts(a, b) : DIFFERENT;
}

/* ---- CIFS: //HOST/SHARE[/PATH], in either slash, without case ---- */

static enum alike compare_cifs(const char *want, const char *have)
{
	struct span a = {want + strspn(want, "/\\"), 0}, b = {have + strspn(have, "/\\"), 0};

	a.n = strcspn(a.at, "/\\");
	b.n = strcspn(b.at, "/\\");
	const char *p = a.at + a.n, *q = b.at + b.n;

	for (;; p++, q++) {
		char c = *p == '\\' ? '/' : (char)tolower((unsigned char)*p);
		char d = *q == '\\' ? '/' : (char)tolower((unsigned char)*q);

		if ((!c && d == '/' && !q[1]) || (!d && c == '/' && !p[1])) {
			return compare_hosts(a, b);
		}
		if (c != d) {
			return DIFFERENT;
		}
		if (!c) {
			return compare_hosts(a, b);
		}
	}
}

/* ---- Devices and folders ---- */

/* The tag of fstab(5) that a source starts with, or NULL: a device by another name. */
static const char *tag_of(const char *source)
{
	static const char *const tags[] = {"LABEL=", "UUID=", "PARTLABEL=", "PARTUUID=", "ID="};

	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		if (text_starts(source, tags[i])) {
			return tags[i];
		}
	}
	return NULL;
}

/* A name of a device that may be one of several: /dev/disk/by-id/..., /dev/VG/LV,
 * /dev/mapper/..., and /dev/dm-N and /dev/root, which other names stand for. */
static bool is_alias(const char *source)
{
	if (!text_starts(source, "/dev/")) {
		return false;
	}
	const char *name = source + strlen("/dev/");

	return strchr(name, '/') || text_starts(name, "dm-") || strcmp(name, "root") == 0;
}

static enum alike compare_devices(const char *want, const char *have)
{
	const char *tag_a = tag_of(want), *tag_b = tag_of(have);
	bool device_a = tag_a || text_starts(want, "/dev/"),
	     device_b = tag_b || text_starts(have, "/dev/");

	if (strcmp(want, have) == 0) {
		return ALIKE;
	}
	if (device_a && device_b) {
		return tag_a != tag_b || is_alias(want) || is_alias(have) ? UNSURE : DIFFERENT;
	}
	return *want == '/' && *have == '/' && is_same_path(want, have) ? ALIKE : DIFFERENT;
}

bool mount_source_same(const char *want, const char *have, const char *type, bool *ret_unsure)
{
	enum alike alike;

	type = type ? type : "";
	if (mount_type_is_sourceless(type)) {
		alike = ALIKE;
	} else if (strcmp(type, "lustre") == 0) {
		alike = compare_lustre(want, have);
	} else if (strcmp(type, "nfs") == 0 || strcmp(type, "nfs4") == 0) {
		alike = compare_nfs(want, have);
	} else if (strcmp(type, "cifs") == 0 || strcmp(type, "smb3") == 0) {
		alike = compare_cifs(want, have);
	} else {
		alike = compare_devices(want, have);
	}
	if (ret_unsure) {
		*ret_unsure = alike == UNSURE;
	}
	return alike != DIFFERENT;
}
