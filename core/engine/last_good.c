// SPDX-License-Identifier: MIT
/*
 * See last_good.h. The file is one line of fixed length, then JSON: {"node": text, "tree": {path:
 * text}}. The line has the digests of tree, node and all that follows it, the boot in which it last
 * served and how old that boot was; the modification time says the same by the wall clock. Earlier
 * versions wrote the digest of the tree alone, then the tree.
 */
#include "engine/last_good.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "host/self.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	DIGEST = 64,
	BOOT = 36,
	STAMP = 20,
	/* Where the parts of the line begin; a blank between each two. */
	AT_NODE = DIGEST + 1,
	AT_BODY = AT_NODE + DIGEST + 1,
	AT_BOOT = AT_BODY + DIGEST + 1,
	AT_STAMP = AT_BOOT + BOOT + 1,
	LINE = AT_STAMP + STAMP + 1,
	MOST = 256 << 20,
};

/* Opens what is ours and private; *ret_fd is -1 when there is nothing. */
static int open_kept(const char *path, int flags, int *ret_fd, struct stat *ret_st, struct err *err)
{
	AUTO(fd_auto) int fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT) {
		*ret_fd = -1;
		return 0;
	}
	if (fd < 0 || fstat(fd, ret_st)) {
		return err_set(err, ERR_HOST, errno, "cannot open %s", path);
	}
	if (!S_ISREG(ret_st->st_mode) || ret_st->st_uid != geteuid() || (ret_st->st_mode & 077)) {
		return err_set(err, ERR_INPUT, 0, "%s is not a private file of ours", path);
	}
	*ret_fd = fd;
	fd = -1;
	return 0;
}

/* NULL: *err says why. */
static const char *read_all(int fd, const char *path, size_t size, struct arena *arena,
                            struct err *err)
{
	char *text = arena_alloc(arena, size + 1);
	size_t got = 0;

	while (got < size) {
		ssize_t n = read(fd, text + got, size - got);

		if (n < 0 && errno != EINTR) {
			err_set(err, ERR_HOST, errno, "cannot read %s", path);
			return NULL;
		}
		if (n == 0) {
			err_set(err, ERR_INPUT, 0, "%s was cut short", path);
			return NULL;
		}
		got += n > 0 ? (size_t)n : 0;
	}
	return text;
}

static struct digest digest_node(const char *node)
{
	/* None is not the same as an empty one. */
	return node ? digest_bytes(node, strlen(node)) : digest_bytes("none", strlen("none"));
}

/* The line but for its end, which may be written anew alone. */
static void add_stamp(struct str *s, const char *boot_id)
{
	char boot[BOOT + 1];

	snprintf(boot, sizeof boot, "%-36.36s", boot_id);
	str_addf(s, "%s %020lld\n", boot, (long long)clock_ms());
}

static bool is_whole(const char *text, size_t size)
{
	return size > LINE && text[LINE - 1] == '\n' &&
	       memcmp(digest_bytes(text + LINE, size - LINE).hex, text + AT_BODY, DIGEST) == 0;
}

/* Is it this one that is kept, and undamaged? */
static bool is_kept(int fd, const struct stat *st, const struct last_good *served)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct err ignored = {0};
	const char *text;

	if (st->st_size <= LINE || st->st_size > MOST) {
		return false;
	}
	text = read_all(fd, "", (size_t)st->st_size, arena, &ignored);
	return text && memcmp(text, served->digest, DIGEST) == 0 &&
	       memcmp(text + AT_NODE, digest_node(served->node).hex, DIGEST) == 0 &&
	       is_whole(text, (size_t)st->st_size);
}

int last_good_keep(const char *path, const struct last_good *served, const char *boot_id,
                   struct err *err)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	AUTO(str_free) struct str text = {0}, body = {0};
	AUTO(fd_auto) int fd = -1;
	struct value v = value_map();
	struct err ignored = {0};
	struct stat st;

	if (!open_kept(path, O_RDWR, &fd, &st, &ignored) && fd >= 0 && is_kept(fd, &st, served)) {
		add_stamp(&text, boot_id);
		if (pwrite(fd, str_text(&text), text.length, AT_BOOT) != (ssize_t)text.length ||
		    futimens(fd, NULL)) {
			return err_set(err, ERR_HOST, errno, "cannot write %s", path);
		}
		return 0;
	}
	value_put(arena, &v, "node", value_string(served->node));
	value_put(arena, &v, "tree", served->document);
	value_seal(&v);
	json_print(&body, &v, 0);
	str_addf(&text, "%s %s %s ", served->digest, digest_node(served->node).hex,
	         digest_bytes(str_text(&body), body.length).hex);
	add_stamp(&text, boot_id);
	str_addn(&text, str_text(&body), body.length);
	return self_state_write(path, str_text(&text), text.length, err);
}

int64_t last_good_age(int64_t served, int64_t served_ms, int64_t now, int64_t now_ms)
{
	if (served_ms >= 0) {
		return (now_ms - served_ms) / 1000;
	}
	return now >= served ? now - served : now_ms / 1000;
}

static int64_t stamp_of(const char *line, const char *boot_id)
{
	char number[STAMP + 1], boot[BOOT + 1];
	long long ms;

	snprintf(boot, sizeof boot, "%-36.36s", boot_id);
	memcpy(number, line + AT_STAMP, STAMP);
	number[STAMP] = '\0';
	return *boot_id && memcmp(line + AT_BOOT, boot, BOOT) == 0 && sscanf(number, "%lld", &ms) == 1
	           ? ms
	           : -1;
}

static int damaged(const char *path, struct err *err)
{
	return err_set(err, ERR_INPUT, 0, "%s is damaged", path);
}

static int parse(const char *path, const char *text, size_t size, struct arena *arena,
                 struct last_good *kept, struct err *err)
{
	const bool old = text[DIGEST] == '\n';
	const size_t line = old ? DIGEST + 1 : LINE;
	struct value body;

	if (!old && !is_whole(text, size)) {
		return damaged(path, err);
	}
	if (json_parse(text + line, size - line, path, arena, &body, err)) {
		return -(int)err->code;
	}
	const struct value *tree = old ? &body : value_get(&body, "tree");

	if (!tree || memcmp(digest_value(tree).hex, text, DIGEST) != 0) {
		return damaged(path, err);
	}
	kept->document = *tree;
	kept->node = old ? NULL : value_text(&body, "node");
	memcpy(kept->digest, text, DIGEST);
	kept->digest[DIGEST] = '\0';
	return 0;
}

int last_good_read(const char *path, const char *boot_id, struct arena *arena,
                   struct last_good *ret_kept, struct err *err)
{
	struct last_good kept = {0};
	AUTO(fd_auto) int fd = -1;
	struct stat st;

	if (open_kept(path, O_RDONLY, &fd, &st, err)) {
		return -(int)err->code;
	}
	if (fd < 0) {
		return err_set(err, ERR_INPUT, ENOENT, "no tree was ever kept in %s", path);
	}
	if (st.st_size <= DIGEST + 1 || st.st_size > MOST) {
		return damaged(path, err);
	}
	const char *text = read_all(fd, path, (size_t)st.st_size, arena, err);

	if (!text || parse(path, text, (size_t)st.st_size, arena, &kept, err)) {
		return -(int)err->code;
	}
	kept.served = st.st_mtime;
	kept.age = last_good_age(kept.served, text[DIGEST] == '\n' ? -1 : stamp_of(text, boot_id),
	                         clock_now(), clock_ms());
	*ret_kept = kept;
	return 0;
}

bool last_good_digest(const char *path, char ret_digest[65])
{
	AUTO(fd_auto) int fd = -1;
	struct err ignored = {0};
	struct stat st;

	if (open_kept(path, O_RDONLY, &fd, &st, &ignored) || fd < 0 ||
	    pread(fd, ret_digest, DIGEST, 0) != DIGEST) {
		return false;
	}
	ret_digest[DIGEST] = '\0';
	return true;
}
