// SPDX-License-Identifier: MIT
/* The program: parse, run the command, exit with its code. */
#include "cli/cmds.h"
#include "cli/session.h"

#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Descriptors 0 to 2 must be open, or the first file we open would be written to as if it were a
 * terminal. */
static bool standard_descriptors(void)
{
	struct stat st;

	for (int fd = 0; fd <= 2; fd++) {
		if (fstat(fd, &st) != 0) {
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	AUTO(arena_auto) struct arena *arena = arena_create();
	struct cli cli = {
	    .arena = arena,
	    .splay = -1, /* a tenth of the interval */
	    .engine =
	        {
	            .tree = "/etc/reconcile",
	            .history = "/var/lib/reconcile/history.db",
	            .run_dir = CLI_RUN_DIR,
	            .state_dir = "/var/lib/reconcile",
	            .version = cmd_version_text,
	            .person = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
	        },
	};
	const struct cmd *command;

	if (!standard_descriptors()) {
		static const char text[] = "reconcile: error: standard input, output or error is closed\n";

		ssize_t said = write(STDERR_FILENO, text, sizeof text - 1);

		(void)said; /* nowhere to say it, then: the exit code still does */
		return EXIT_ERROR;
	}
	setlocale(LC_ALL, "C"); /* byte order everywhere: the same plan on every node */
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	output_init(&cli.out, COLOUR_AUTO);
	int code = cmd_parse(&cli, argc, argv, &command);

	if (code >= 0) {
		return code;
	}
	if (!session_reach_run_dir(&cli)) {
		return command->refused ? command->refused(&cli) : EXIT_ERROR;
	}
	return command->run(&cli);
}
