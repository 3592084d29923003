// SPDX-License-Identifier: MIT
/* See last_good.h. The file is one line with the digest, then the document as JSON; its
 * modification time says when the tree last served. */
#include "engine/last_good.h"

#include "base/digest.h"
#include "base/json.h"
#include "host/self.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIGEST_LENGTH = 64, MOST = 256 << 20 };

/* Opens what is ours and private; *ret_fd is -1 when there is nothing. */
static int open_kept(const char *path, int *ret_fd, struct stat *ret_st, struct err *err)
{
	AUTO(fd_auto) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

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

static bool is_kept(int fd, const char *digest)
{
	char line[DIGEST_LENGTH];

	return pread(fd, line, sizeof line, 0) == sizeof line && memcmp(line, digest, sizeof line) == 0;
}

int last_good_keep(const char *path, const char *digest, const struct value *document,
                   struct err *err)
{
	AUTO(str_free) struct str text = {0};
	AUTO(fd_auto) int fd = -1;
	struct stat st;

	if (open_kept(path, &fd, &st, err)) {
		return -(int)err->code;
	}
	if (fd >= 0 && is_kept(fd, digest)) {
		return futimens(fd, NULL) ? err_set(err, ERR_HOST, errno, "cannot touch %s", path) : 0;
	}
	str_addf(&text, "%s\n", digest);
	json_print(&text, document, 0);
	return self_state_write(path, str_text(&text), text.length, err);
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

int last_good_read(const char *path, struct arena *arena, struct value *ret_document,
                   int64_t *ret_since, struct err *err)
{
	AUTO(fd_auto) int fd = -1;
	struct stat st;

	if (open_kept(path, &fd, &st, err)) {
		return -(int)err->code;
	}
	if (fd < 0) {
		return err_set(err, ERR_INPUT, ENOENT, "no tree was ever kept in %s", path);
	}
	if (st.st_size <= DIGEST_LENGTH || st.st_size > MOST) {
		return err_set(err, ERR_INPUT, 0, "%s is damaged", path);
	}
	const char *text = read_all(fd, path, (size_t)st.st_size, arena, err);

	if (!text || json_parse(text + DIGEST_LENGTH + 1, (size_t)st.st_size - DIGEST_LENGTH - 1, path,
	                        arena, ret_document, err)) {
		return -(int)err->code;
	}
	if (memcmp(digest_value(ret_document).hex, text, DIGEST_LENGTH) != 0) {
		return err_set(err, ERR_INPUT, 0, "%s is damaged: its digest does not hold", path);
	}
	*ret_since = st.st_mtime;
	return 0;
}
