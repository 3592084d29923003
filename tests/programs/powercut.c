// SPDX-License-Identifier: MIT
/*
 * powercut: a disk whose power fails. What a disk was told to keep is there afterwards; of what was
 * written since, some is there and some is not, a sector of 512 bytes at a time.
 *
 * 	powercut serve IMAGE LOG DIRECTORY	DIRECTORY/disk is IMAGE; every write and every flush of it
 * 			is appended to LOG. A line written to DIRECTORY/mark stands between them in LOG. Prints
 *    its process id when it is mounted, and goes on in the background. SIGTERM ends it, and so do
 *    600 seconds.
 * 	powercut count LOG			how many writes, flushes and marks there are
 * 	powercut cut BASE LOG N SEED OUT	the disk after the first N of them: OUT is BASE with what
 * 			was flushed, and of what came after the last flush what SEED leaves. Prints the marks
 * 			that stand before the cut.
 *
 * A loop device over DIRECTORY/disk with a file system on it is that disk: the kernel writes what
 * the file system writes and flushes when it asks for that (loop turns a flush into fsync).
 */
#define FUSE_USE_VERSION 34

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIFETIME = 600, SECTOR = 512, MOST = 1 << 21 };

enum { INODE_DISK = 2, INODE_MARK };

enum kind { KIND_WRITE = 1, KIND_FLUSH, KIND_MARK };

/* Stands before the bytes of a write or a mark. */
struct record {
	uint32_t kind, size;
	uint64_t offset;
};

struct disk {
	int image, log;
	off_t size;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void put(int fd, const void *bytes, size_t n, off_t at)
{
	for (size_t done = 0; done < n;) {
		ssize_t w = at < 0 ? write(fd, (const char *)bytes + done, n - done)
		                   : pwrite(fd, (const char *)bytes + done, n - done, at + (off_t)done);

		if (w <= 0 && errno != EINTR) {
			die("powercut: write");
		}
		done += w > 0 ? (size_t)w : 0;
	}
}

static void note(const struct disk *disk, enum kind kind, const void *bytes, size_t n, off_t at)
{
	struct record record = {.kind = kind, .size = (uint32_t)n, .offset = (uint64_t)at};

	put(disk->log, &record, sizeof record, -1);
	put(disk->log, bytes, n, -1);
}

/* ---- the file system of two files */

static bool fill_attributes(const struct disk *disk, fuse_ino_t ino, struct stat *ret_st)
{
	*ret_st = (struct stat){.st_ino = ino, .st_nlink = 1, .st_mode = S_IFREG | 0600};
	if (ino == FUSE_ROOT_ID) {
		ret_st->st_mode = S_IFDIR | 0700;
		ret_st->st_nlink = 2;
	} else if (ino == INODE_DISK) {
		ret_st->st_size = disk->size;
	}
	return ino <= INODE_MARK;
}

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = {.ino = strcmp(name, "disk") == 0   ? INODE_DISK
	                                        : strcmp(name, "mark") == 0 ? INODE_MARK
	                                                                    : 0};

	if (parent != FUSE_ROOT_ID || !entry.ino) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	fill_attributes(fuse_req_userdata(req), entry.ino, &entry.attr);
	fuse_reply_entry(req, &entry);
}

static void on_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	struct stat st;

	(void)info;
	if (fill_attributes(fuse_req_userdata(req), ino, &st)) {
		fuse_reply_attr(req, &st, 3600);
	} else {
		fuse_reply_err(req, ENOENT);
	}
}

static void on_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
                       struct fuse_file_info *info)
{
	(void)attr;
	(void)to_set;
	on_getattr(req, ino, info);
}

static void on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	info->direct_io = ino == INODE_MARK;
	fuse_reply_open(req, info);
}

static void on_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at,
                    struct fuse_file_info *info)
{
	const struct disk *disk = fuse_req_userdata(req);
	char *buffer = malloc(size);
	ssize_t n = !buffer ? -1 : ino == INODE_DISK ? pread(disk->image, buffer, size, at) : 0;

	(void)info;
	if (n < 0) {
		fuse_reply_err(req, EIO);
	} else {
		fuse_reply_buf(req, buffer, (size_t)n);
	}
	free(buffer);
}

static void on_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size, off_t at,
                     struct fuse_file_info *info)
{
	const struct disk *disk = fuse_req_userdata(req);

	(void)info;
	if (ino == INODE_DISK) {
		put(disk->image, bytes, size, at);
	}
	note(disk, ino == INODE_DISK ? KIND_WRITE : KIND_MARK, bytes, size, at);
	fuse_reply_write(req, size);
}

static void on_fsync(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *info)
{
	(void)data_only;
	(void)info;
	if (ino == INODE_DISK) {
		note(fuse_req_userdata(req), KIND_FLUSH, "", 0, 0);
	}
	fuse_reply_err(req, 0);
}

static const struct fuse_lowlevel_ops operations = {
    .lookup = on_lookup,
    .getattr = on_getattr,
    .setattr = on_setattr,
    .open = on_open,
    .read = on_read,
    .write = on_write,
    .fsync = on_fsync,
};

static int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0) {
		die(path);
	}
	return fd;
}

static int serve(char **names)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct disk disk = {.image = open_or_die(names[0], O_RDWR),
	                    .log = open_or_die(names[1], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND)};
	struct stat st;

	if (fstat(disk.image, &st)) {
		die(names[0]);
	}
	disk.size = st.st_size;
	if (fuse_opt_add_arg(&args, "powercut") || fuse_opt_add_arg(&args, "-ofsname=powercut")) {
		return 1;
	}
	struct fuse_session *session = fuse_session_new(&args, &operations, sizeof operations, &disk);

	fuse_opt_free_args(&args);
	if (!session || fuse_set_signal_handlers(session) || fuse_session_mount(session, names[2])) {
		return 1;
	}
	pid_t pid = fork();

	if (pid) {
		printf("%d\n", (int)pid);
		return pid < 0;
	}
	int null = open_or_die("/dev/null", O_RDWR);

	setsid();
	for (int fd = 0; fd < 3; fd++) {
		dup2(null, fd);
	}
	alarm(LIFETIME); /* as good as SIGKILL: the mount is gone with its server */
	fuse_session_loop(session);
	fuse_session_unmount(session);
	fuse_session_destroy(session);
	return 0;
}

/* ---- what is on the disk afterwards */

/* The next record with its bytes, which are the caller's until the next call; false at the end. */
static bool next(FILE *log, struct record *record, char *bytes)
{
	if (fread(record, sizeof *record, 1, log) != 1) {
		return false;
	}
	if (record->size > MOST || fread(bytes, 1, record->size, log) != record->size) {
		fprintf(stderr, "powercut: the log is cut short\n");
		exit(1);
	}
	return true;
}

static FILE *open_log(const char *path)
{
	FILE *log = fopen(path, "re");

	if (!log) {
		die(path);
	}
	return log;
}

static int count(const char *path)
{
	FILE *log = open_log(path);
	char *bytes = malloc(MOST);
	struct record record;
	unsigned long n = 0;

	while (bytes && next(log, &record, bytes)) {
		n++;
	}
	printf("%lu\n", n);
	free(bytes);
	fclose(log);
	return 0;
}

static void copy(const char *from, int to)
{
	int fd = open_or_die(from, O_RDONLY);
	ssize_t n;

	do {
		n = sendfile(to, fd, NULL, MOST);
	} while (n > 0);
	if (n < 0) {
		die(from);
	}
	close(fd);
}

static uint64_t dice(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15u; /* splitmix64 */
	uint64_t z = *state;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* A write that nobody flushed: what of it reached the disk. Four moods: nothing did, all did, whole
 * writes, single sectors. */
static void leave(int out, const struct record *record, const char *bytes, unsigned mood,
                  uint64_t *state)
{
	if (mood == 0) {
		return;
	}
	if (mood == 1 || (mood == 2 && dice(state) % 2)) {
		put(out, bytes, record->size, (off_t)record->offset);
	}
	for (uint32_t at = 0; mood == 3 && at < record->size; at += SECTOR) {
		uint32_t n = record->size - at < SECTOR ? record->size - at : SECTOR;

		if (dice(state) % 2) {
			put(out, bytes + at, n, (off_t)record->offset + at);
		}
	}
}

static int cut(char **names)
{
	unsigned long most = strtoul(names[2], NULL, 10), flushed = 0;
	uint64_t state = strtoull(names[3], NULL, 10);
	unsigned mood = (unsigned)(dice(&state) % 4);
	FILE *log = open_log(names[1]);
	int out = open_or_die(names[4], O_WRONLY | O_CREAT | O_TRUNC);
	char *bytes = malloc(MOST);
	struct record record;

	if (!bytes) {
		die("powercut");
	}
	copy(names[0], out);
	for (unsigned long n = 0; n < most && next(log, &record, bytes); n++) {
		flushed = record.kind == KIND_FLUSH ? n : flushed;
	}
	rewind(log);
	for (unsigned long n = 0; n < most && next(log, &record, bytes); n++) {
		if (record.kind == KIND_MARK) {
			fwrite(bytes, 1, record.size, stdout);
		} else if (record.kind == KIND_WRITE && n < flushed) {
			put(out, bytes, record.size, (off_t)record.offset);
		} else if (record.kind == KIND_WRITE) {
			leave(out, &record, bytes, mood, &state);
		}
	}
	free(bytes);
	fclose(log);
	return close(out) != 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "serve") == 0) {
		return serve(argv + 2);
	}
	if (argc == 3 && strcmp(argv[1], "count") == 0) {
		return count(argv[2]);
	}
	if (argc == 7 && strcmp(argv[1], "cut") == 0) {
		return cut(argv + 2);
	}
	fprintf(stderr, "usage: powercut serve IMAGE LOG DIRECTORY | count LOG |"
	                " cut BASE LOG N SEED OUT\n");
	return 1;
}
