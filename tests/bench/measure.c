// SPDX-License-Identifier: MIT
/*
 * measure: what commands cost, side by side.
 *
 *	measure ROUNDS + NAME COMMAND ARG... [+ NAME COMMAND ARG...]...
 *
 * Runs each command once uncounted and then ROUNDS times, in turns, so that what else the machine
 * does falls on all of them alike. Each must exit with 0. Prints a line a command, separated by
 * tabs: NAME, the median, least and most CPU (user and system, of the process and of everything it
 * started, waited for or not) and the median wall time, all in milliseconds, and the most memory
 * that one process had resident, in KiB. What the commands print goes nowhere, unless one fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	COMMANDS_MOST = 16,
	ROUNDS_MOST = 10000,
	GUARD_SECONDS = 300, /* for one run of one command: only a hang reaches it */
};

struct sample {
	double cpu_ms, wall_ms;
	long rss_kib;
};

struct command {
	const char *name;
	char **argv;
	struct sample *samples;
};

static void fail(const char *what)
{
	fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double cpu_ms(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e3 +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e3;
}

/* Becomes the command. Its output is kept in `log` for the case that it fails. */
static void become(const struct command *command, int log)
{
	int none = open("/dev/null", O_RDONLY);

	if (none < 0 || dup2(none, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) {
		_exit(126);
	}
	alarm(GUARD_SECONDS); /* is kept across exec */
	execvp(command->argv[0], command->argv);
	dprintf(2, "%s: %s\n", command->argv[0], strerror(errno));
	_exit(127);
}

static void show(int log)
{
	char text[4096];
	ssize_t n;

	lseek(log, 0, SEEK_SET);
	while ((n = read(log, text, sizeof text)) > 0) {
		fwrite(text, 1, (size_t)n, stderr);
	}
}

/* One run, with all it leaves behind: as a subreaper we inherit those that it did not wait for. */
static struct sample run(const struct command *command, int log)
{
	struct sample sample = {0};
	struct rusage usage;
	int status, first_status = 0;
	pid_t pid, done;

	if (ftruncate(log, 0) != 0 || lseek(log, 0, SEEK_SET) != 0) {
		fail("log");
	}
	double begin = now_ms();

	pid = fork();
	if (pid < 0) {
		fail("fork");
	}
	if (pid == 0) {
		become(command, log);
	}
	while ((done = wait4(-1, &status, 0, &usage)) > 0 || errno == EINTR) {
		if (done == pid) {
			sample.wall_ms = now_ms() - begin;
			first_status = status;
		}
		if (done > 0) {
			sample.cpu_ms += cpu_ms(&usage);
			sample.rss_kib = usage.ru_maxrss > sample.rss_kib ? usage.ru_maxrss : sample.rss_kib;
		}
	}
	if (first_status != 0) {
		show(log);
		fprintf(stderr, "measure: %s: ended with %s %d\n", command->name,
		        WIFEXITED(first_status) ? "exit code" : "signal",
		        WIFEXITED(first_status) ? WEXITSTATUS(first_status) : WTERMSIG(first_status));
		exit(1);
	}
	return sample;
}

static int by_cpu(const void *a, const void *b)
{
	double x = ((const struct sample *)a)->cpu_ms, y = ((const struct sample *)b)->cpu_ms;

	return (x > y) - (x < y);
}

static int by_wall(const void *a, const void *b)
{
	double x = ((const struct sample *)a)->wall_ms, y = ((const struct sample *)b)->wall_ms;

	return (x > y) - (x < y);
}

static void report(const struct command *command, size_t rounds)
{
	struct sample *samples = command->samples;
	long rss_kib = 0;

	for (size_t i = 0; i < rounds; i++) {
		rss_kib = samples[i].rss_kib > rss_kib ? samples[i].rss_kib : rss_kib;
	}
	qsort(samples, rounds, sizeof *samples, by_wall);
	double wall_ms = samples[rounds / 2].wall_ms;

	qsort(samples, rounds, sizeof *samples, by_cpu);
	printf("%s\t%.3f\t%.3f\t%.3f\t%.3f\t%ld\n", command->name, samples[rounds / 2].cpu_ms,
	       samples[0].cpu_ms, samples[rounds - 1].cpu_ms, wall_ms, rss_kib);
}

/* Splits the arguments at each "+"; 0 when they are not as they should be. */
static size_t read_commands(char **argv, struct command *commands, size_t rounds)
{
	size_t n = 0;

	while (*argv && strcmp(*argv, "+") == 0) {
		if (n == COMMANDS_MOST || !argv[1] || !argv[2]) {
			return 0;
		}
		*argv = NULL; /* ends the arguments of the command before */
		commands[n] = (struct command){.name = argv[1], .argv = argv + 2};
		commands[n].samples = calloc(rounds, sizeof *commands[n].samples);
		if (!commands[n].samples) {
			fail("memory");
		}
		n++;
		argv += 3;
		while (*argv && strcmp(*argv, "+") != 0) {
			argv++;
		}
	}
	return *argv ? 0 : n;
}

int main(int argc, char **argv)
{
	struct command commands[COMMANDS_MOST] = {0};
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	bool sane = rounds > 0 && rounds <= ROUNDS_MOST;
	size_t n = sane ? read_commands(argv + 2, commands, (size_t)rounds) : 0;

	if (n == 0) {
		fprintf(stderr, "usage: measure ROUNDS + NAME COMMAND ARG... [+ ...]\n");
		return 1;
	}
	FILE *log = tmpfile();

	if (!log || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
		fail("setting up");
	}
	for (long round = -1; round < rounds; round++) {
		for (size_t i = 0; i < n; i++) {
			struct sample sample = run(&commands[i], fileno(log));

			if (round >= 0) {
				commands[i].samples[round] = sample;
			}
		}
	}
	for (size_t i = 0; i < n; i++) {
		report(&commands[i], (size_t)rounds);
		free(commands[i].samples);
	}
	fclose(log);
	return 0;
}
