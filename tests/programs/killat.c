// SPDX-License-Identifier: MIT
/*
 * killat: a program is killed (SIGKILL) at its N-th system call, so that every moment between two
 * of them can be tried in turn.
 *
 * 	killat [-f] N PROGRAM [ARGUMENT...]
 *
 * Counted are entries into system calls and returns from them: an odd N kills before the call has
 * happened, an even one after it. With -f the children count as well and all are killed together,
 * as when a service manager kills a whole group; without it only the program itself is, and its
 * children see it die. N = 0 kills nobody. Its last line is "killed", or "ended STATUS COUNT" when
 * it was over before.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRACEES_MOST = 64 };

struct tracees {
	pid_t list[TRACEES_MOST];
	size_t count;
};

static void fault(const char *what)
{
	fprintf(stderr, "killat: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void know(struct tracees *tracees, pid_t pid)
{
	for (size_t i = 0; i < tracees->count; i++) {
		if (tracees->list[i] == pid) {
			return;
		}
	}
	if (tracees->count < TRACEES_MOST) {
		tracees->list[tracees->count++] = pid;
	}
}

static void forget(struct tracees *tracees, pid_t pid)
{
	for (size_t i = 0; i < tracees->count; i++) {
		if (tracees->list[i] == pid) {
			tracees->list[i] = tracees->list[--tracees->count];
			return;
		}
	}
}

static pid_t begin(char **argv, bool follow)
{
	long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC;
	pid_t pid = fork();
	int status;

	if (pid < 0) {
		fault("fork");
	}
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL)) {
			fault("PTRACE_TRACEME");
		}
		raise(SIGSTOP);
		execv(argv[0], argv);
		fault(argv[0]);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
		fault("it does not stop");
	}
	if (follow) {
		options |= PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
	}
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL, options) || ptrace(PTRACE_SYSCALL, pid, NULL, NULL)) {
		fault("ptrace");
	}
	return pid;
}

/* What a stopped process is to be told when it goes on: its own signals, not those of tracing. */
static int signal_of(int status)
{
	int number = WSTOPSIG(status);

	if (number == (SIGTRAP | 0x80) || number == SIGTRAP || status >> 16 || number == SIGSTOP) {
		return 0;
	}
	return number;
}

static void kill_all(const struct tracees *tracees)
{
	pid_t pid;
	int status;

	for (size_t i = 0; i < tracees->count; i++) {
		kill(tracees->list[i], SIGKILL);
	}
	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (pid > 0 && WIFSTOPPED(status)) { /* born this moment */
			kill(pid, SIGKILL);
		}
	}
	puts("killed");
}

int main(int argc, char **argv)
{
	bool follow = argc > 1 && strcmp(argv[1], "-f") == 0;
	struct tracees tracees = {0};
	long at, count = 0;
	int status;

	argv += follow;
	argc -= follow;
	if (argc < 3) {
		fputs("usage: killat [-f] N PROGRAM [ARGUMENT...]\n", stderr);
		return 2;
	}
	at = strtol(argv[1], NULL, 10);
	pid_t program = begin(argv + 2, follow), pid;
	know(&tracees, program);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			forget(&tracees, pid);
			if (pid == program) {
				printf("ended %d %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128, count);
				return 0;
			}
			continue;
		}
		know(&tracees, pid);
		if (WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80) && ++count == at) {
			kill_all(&tracees);
			return 0;
		}
		ptrace(PTRACE_SYSCALL, pid, NULL, (long)signal_of(status));
	}
	fault("waitpid");
}
