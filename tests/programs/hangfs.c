// SPDX-License-Identifier: MIT
/*
 * hangfs: a file system that goes dead on demand, as a Lustre client does when its server is gone.
 *
 *	hangfs [-o OPTION,...] DIRECTORY
 *
 * It holds an empty root and, below it, empty directories; everything is read only. When it is
 * mounted it prints the process id of the server and goes on in the background. SIGUSR1: from now
 * on no request is answered, but each is taken from the kernel, so that its caller cannot be
 * killed. SIGUSR2: the requests kept back are answered and so are those that follow. SIGTERM:
 * unmount and end. Options besides those of FUSE (fsname, subtype, allow_other, ...):
 *
 *	dirs=A:B	the directories below the root
 *	log=FILE	a line for each request, with what was asked and by which process ("answered getattr
 *			4711", or "kept lookup 4711" while dead), and for each change of mood ("dead", "alive")
 *	cached		the kernel may remember which names are not there
 *	dead		start without answering; the mount itself still succeeds
 *	lifetime=N	end after N seconds (default 600), so that no run of the tests leaves one behind
 *
 * The low-level interface of libfuse is used because there a request may stay without a reply for
 * as long as it likes; with the high-level one each costs a thread, and with the last thread the
 * requests stay in the kernel's queue, where their callers can still be killed: not what a dead
 * file system does.
 */
#define FUSE_USE_VERSION 34

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
	DIRS_MAX = 64,
	DEFAULT_LIFETIME = 600,
};

enum op {
	OP_LOOKUP,
	OP_GETATTR,
	OP_OPENDIR,
	OP_READDIR,
	OP_STATFS,
};

static const char *const op_names[] = {"lookup", "getattr", "opendir", "readdir", "statfs"};

/* All that is needed to answer a request later. */
struct request {
	struct request *next;
	fuse_req_t req;
	enum op op;
	fuse_ino_t ino;
	const char *name;
	char *own_name; /* what name points to, once it is kept */
	size_t size;
	off_t offset;
	struct fuse_file_info info;
};

/* What the command line says; libfuse writes into it by offset. */
struct options {
	char *dirs;
	char *log;
	int dead;
	int cached;
	unsigned lifetime;
};

struct server {
	bool dead, cached;
	FILE *log;
	const char *dirs[DIRS_MAX];
	size_t dir_count;
	struct request *kept;  /* oldest first, so that they are answered in the order they came */
	struct request **last; /* where the next one is hung in */
};

static const struct fuse_opt option_table[] = {
    {"dirs=%s", offsetof(struct options, dirs), 0},
    {"log=%s", offsetof(struct options, log), 0},
    {"dead", offsetof(struct options, dead), 1},
    {"cached", offsetof(struct options, cached), 1},
    {"lifetime=%u", offsetof(struct options, lifetime), 0},
    FUSE_OPT_END,
};

static void note(const struct server *server, const char *what)
{
	if (server->log) {
		fprintf(server->log, "%s\n", what);
		fflush(server->log);
	}
}

/* Inode 1 is the root, directory i of the list is inode i + 2. */
static bool fill_attributes(const struct server *server, fuse_ino_t ino, struct stat *ret_st)
{
	if (ino < FUSE_ROOT_ID || ino > server->dir_count + FUSE_ROOT_ID) {
		return false;
	}
	*ret_st = (struct stat){
	    .st_ino = ino,
	    .st_mode = S_IFDIR | 0755,
	    .st_nlink = 2,
	};
	return true;
}

static void answer_lookup(const struct server *server, const struct request *r)
{
	for (size_t i = 0; r->ino == FUSE_ROOT_ID && i < server->dir_count; i++) {
		if (strcmp(server->dirs[i], r->name) == 0) {
			struct fuse_entry_param entry = {.ino = i + 1 + FUSE_ROOT_ID};

			fill_attributes(server, entry.ino, &entry.attr);
			fuse_reply_entry(r->req, &entry);
			return;
		}
	}
	if (server->cached) {
		/* Inode 0: there is none, and the kernel may believe it for so long (fuse_entry_param). */
		fuse_reply_entry(r->req, &(struct fuse_entry_param){.entry_timeout = 600});
		return;
	}
	fuse_reply_err(r->req, ENOENT);
}

static void answer_readdir(const struct server *server, const struct request *r)
{
	size_t count = r->ino == FUSE_ROOT_ID ? server->dir_count + 2 : 2;
	size_t used = 0;
	char *buffer = malloc(r->size);

	if (!buffer) {
		fuse_reply_err(r->req, ENOMEM);
		return;
	}
	for (size_t i = (size_t)r->offset; i < count; i++) {
		const char *name = i == 0 ? "." : i == 1 ? ".." : server->dirs[i - 2];
		struct stat st = {.st_ino = i < 2 ? FUSE_ROOT_ID : i, .st_mode = S_IFDIR};
		size_t need =
		    fuse_add_direntry(r->req, buffer + used, r->size - used, name, &st, (off_t)i + 1);

		if (need > r->size - used) {
			break;
		}
		used += need;
	}
	fuse_reply_buf(r->req, buffer, used);
	free(buffer);
}

static void answer(const struct server *server, const struct request *r)
{
	struct stat st;

	switch (r->op) {
	case OP_LOOKUP:
		answer_lookup(server, r);
		break;
	case OP_GETATTR:
		if (fill_attributes(server, r->ino, &st)) {
			fuse_reply_attr(r->req, &st, 0);
		} else {
			fuse_reply_err(r->req, ENOENT);
		}
		break;
	case OP_OPENDIR:
		fuse_reply_open(r->req, &r->info);
		break;
	case OP_READDIR:
		answer_readdir(server, r);
		break;
	case OP_STATFS:
		fuse_reply_statfs(r->req,
		                  &(struct statvfs){.f_bsize = 4096, .f_frsize = 4096, .f_blocks = 1000});
		break;
	}
}

/* Answers now, or keeps the request for the day the file system comes back. */
static void take(struct request r)
{
	struct server *server = fuse_req_userdata(r.req);
	struct request *kept;

	if (server->log) {
		fprintf(server->log, "%s %s %d\n", server->dead ? "kept" : "answered", op_names[r.op],
		        (int)fuse_req_ctx(r.req)->pid);
		fflush(server->log);
	}
	if (!server->dead) {
		answer(server, &r);
		return;
	}
	kept = malloc(sizeof(*kept));
	if (!kept) {
		abort();
	}
	*kept = r;
	if (r.name) {
		kept->own_name = strdup(r.name);
		kept->name = kept->own_name;
		if (!kept->name) {
			abort();
		}
	}
	kept->next = NULL;
	*server->last = kept;
	server->last = &kept->next;
}

static void revive(struct server *server)
{
	server->dead = false;
	note(server, "alive");
	while (server->kept) {
		struct request *r = server->kept;

		server->kept = r->next;
		answer(server, r);
		free(r->own_name);
		free(r);
	}
	server->last = &server->kept;
}

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	take((struct request){.req = req, .op = OP_LOOKUP, .ino = parent, .name = name});
}

static void on_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	(void)info;
	take((struct request){.req = req, .op = OP_GETATTR, .ino = ino});
}

static void on_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	take((struct request){.req = req, .op = OP_OPENDIR, .ino = ino, .info = *info});
}

static void on_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                       struct fuse_file_info *info)
{
	(void)info;
	take(
	    (struct request){.req = req, .op = OP_READDIR, .ino = ino, .size = size, .offset = offset});
}

static void on_statfs(fuse_req_t req, fuse_ino_t ino)
{
	take((struct request){.req = req, .op = OP_STATFS, .ino = ino});
}

static const struct fuse_lowlevel_ops operations = {
    .lookup = on_lookup,
    .getattr = on_getattr,
    .opendir = on_opendir,
    .readdir = on_readdir,
    .statfs = on_statfs,
};

/* Returns false when the server is to end. */
static bool on_signal(struct server *server, int signals)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info)) {
		return true;
	}
	switch (info.ssi_signo) {
	case SIGUSR1:
		server->dead = true;
		note(server, "dead");
		return true;
	case SIGUSR2:
		revive(server);
		return true;
	default:
		return false;
	}
}

/* One thread, so that a change of mood never falls into the middle of a request. */
static void serve(struct server *server, struct fuse_session *session, int signals)
{
	struct fuse_buf buffer = {0};
	struct pollfd polled[] = {
	    {.fd = fuse_session_fd(session), .events = POLLIN},
	    {.fd = signals, .events = POLLIN},
	};

	while (!fuse_session_exited(session)) {
		if (poll(polled, 2, -1) < 0) {
			break;
		}
		if (polled[1].revents && !on_signal(server, signals)) {
			break;
		}
		if (polled[0].revents && fuse_session_receive_buf(session, &buffer) > 0) {
			fuse_session_process_buf(session, &buffer);
		}
	}
	free(buffer.mem);
}

/* The signals come by a descriptor; blocked before the fork, none is lost on the way. */
static int signal_descriptor(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGALRM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
		return -1;
	}
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Leaves the caller's terminal, pipes and folder: a test waits for the end of its pipes. */
static void go_to_background(void)
{
	int null;
	pid_t pid = fork();

	if (pid < 0) {
		perror("hangfs: fork");
		exit(1);
	}
	if (pid > 0) {
		printf("%d\n", (int)pid);
		fflush(stdout);
		_exit(0);
	}
	null = open("/dev/null", O_RDWR);
	if (setsid() < 0 || chdir("/") != 0 || null < 0) {
		exit(1);
	}
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
}

static void split_dirs(struct server *server, char *list)
{
	char *rest = NULL;

	for (char *dir = list ? strtok_r(list, ":", &rest) : NULL; dir;
	     dir = strtok_r(NULL, ":", &rest)) {
		if (server->dir_count < DIRS_MAX) {
			server->dirs[server->dir_count++] = dir;
		}
	}
}

static int run(struct fuse_args *args, const char *mountpoint, const struct options *options)
{
	struct server server = {.dead = options->dead, .cached = options->cached};
	struct fuse_session *session;
	int signals = signal_descriptor();

	server.last = &server.kept;
	split_dirs(&server, options->dirs);
	if (options->log) {
		server.log = fopen(options->log, "ae");
		if (!server.log) {
			perror(options->log);
			return 1;
		}
	}
	session = fuse_session_new(args, &operations, sizeof(operations), &server);
	if (!session || signals < 0 || fuse_session_mount(session, mountpoint) != 0) {
		return 1;
	}
	/* poll() may announce a request that its caller takes back before it is read */
	fcntl(fuse_session_fd(session), F_SETFL, O_NONBLOCK);
	go_to_background();
	alarm(options->lifetime);
	serve(&server, session, signals);
	fuse_session_unmount(session);
	return 0; /* the end of the process closes the device and with it frees who still waits */
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct fuse_cmdline_opts cmdline;
	struct options options = {.lifetime = DEFAULT_LIFETIME};

	if (fuse_opt_parse(&args, &options, option_table, NULL) != 0 ||
	    fuse_parse_cmdline(&args, &cmdline) != 0) {
		return 1;
	}
	if (!cmdline.mountpoint) {
		fprintf(stderr, "usage: hangfs [-o OPTION,...] DIRECTORY\n");
		return 1;
	}
	return run(&args, cmdline.mountpoint, &options);
}
