// SPDX-License-Identifier: MIT
/* reconcile plan: what would be changed, and why. Changes nothing. */
#include "cli/cmds.h"
#include "cli/render.h"
#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int take_file(struct cli *cli, const char *value, struct err *err)
{
	(void)err;
	cli->file = value;
	return 0;
}

/* A part of a plan is worth nothing; what is no file of ours (a device, a pipe) stays. */
static void remove_part(const char *path, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		unlink(path);
	}
}

/* Where the operator says, with the operator's rights: written whole or removed again. */
static int save(struct cli *cli, struct engine *engine, const struct plan *plan, struct err *err)
{
	AUTO(str_free) struct str text = {0};
	AUTO(fd_auto)
	int fd =
	    open(cli->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	size_t done = 0;

	if (fd < 0) {
		return err_set(err, ERR_INPUT, errno, "cannot write the plan to %s", cli->file);
	}
	engine_plan_save(engine, plan, &text);
	while (done < text.length) {
		ssize_t w = write(fd, text.data + done, text.length - done);

		if (w < 0 && errno != EINTR) {
			int os = errno;

			remove_part(cli->file, fd);
			return err_set(err, ERR_INPUT, os, "cannot write the plan to %s", cli->file);
		}
		done += w > 0 ? (size_t)w : 0;
	}
	return fsync(fd) && errno != EINVAL && errno != EROFS
	           ? err_set(err, ERR_INPUT, errno, "cannot write the plan to %s", cli->file)
	           : 0;
}

static bool print(struct cli *cli, const struct plan *plan)
{
	AUTO(str_free) struct str text = {0};

	if (cli->json) {
		struct value document = plan_to_value(cli->arena, plan);

		return output_json(&document);
	}
	render_plan(&text, cli->out.colour, plan, cli->all);
	return output_text(&text);
}

static int run(struct cli *cli)
{
	struct plan *plan;
	struct err err = {0};
	int code;
	AUTO(session_free) struct engine *engine = session_load(cli, &code);

	if (!engine) {
		return code;
	}
	if (engine_plan(engine, &plan, &err) || (cli->file && save(cli, engine, plan, &err))) {
		return session_fail(cli, engine, &err);
	}
	output_progress(&cli->out, "");
	return print(cli, plan) ? plan_exit_code(plan) : EXIT_ERROR;
}

static const struct option_row options[] = {
    {"--out", 'o', "FILE", "save the plan; `apply FILE` carries out just this one", take_file},
    {"--facts", 0, "FILE", "plan for a recorded node (facts --json)", session_take_facts},
    {"--only", 0, "KIND[:KEY]", "only this, and what it needs; may stand more than once",
     session_take_only},
    {"--allow", 0, "MARKS", "disruptive,irreversible,reboot: as for apply", session_take_allow},
    {"--all", 0, NULL, "show what is in sync, too", session_take_all},
    {NULL, 0, NULL, NULL, NULL},
};

const struct cmd cmd_plan = {
    .name = "plan",
    .arguments = "",
    .summary = "show what would be changed, and why",
    .help = "Loads the tree, observes the node, runs the policies and shows what `apply` would do\n"
            "now. It changes nothing, takes no lock and writes nothing but FILE (and, below its\n"
            "run-dir, which process a dead file system holds: the next call starts no second\n"
            "one). Exit codes: 0 in sync, 1 error, 2 changes can be made, 4 something is blocked\n"
            "or pending, 6 something is undetermined.",
    .options = options,
    .run = run,
};
