// SPDX-License-Identifier: MIT
/* reconcile import: what this node is, as a tree. */
#include "cli/cmds.h"
#include "cli/session.h"
#include "engine/import.h"

#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int take_folder(struct cli *cli, const char *value, struct err *err)
{
	(void)err;
	cli->file = value;
	return 0;
}

static int make_folder(const char *path, struct err *err)
{
	return mkdir(path, 0755) && errno != EEXIST
	           ? err_set(err, ERR_INPUT, errno, "cannot make the folder %s", path)
	           : 0;
}

static int write_all(int fd, const struct str *text)
{
	for (size_t done = 0; done < text->length;) {
		ssize_t n = write(fd, text->data + done, text->length - done);

		if (n < 0 && errno != EINTR) {
			return -1;
		}
		done += n > 0 ? (size_t)n : 0;
	}
	return fsync(fd) && errno != EINVAL && errno != EROFS ? -1 : 0;
}

/* DIR/state/nodes/NAME.yaml, and nothing that is there already. */
static int save(struct cli *cli, const struct import *import, const char **ret_path,
                struct err *err)
{
	const char *state = path_join(cli->arena, cli->file, "state");
	const char *nodes = path_join(cli->arena, state, "nodes");
	const char *path = arena_printf(cli->arena, "%s/%s.yaml", nodes, import->node);

	if (make_folder(cli->file, err) || make_folder(state, err) || make_folder(nodes, err)) {
		return -(int)err->code;
	}
	AUTO(fd_auto) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0) {
		return err_set(err, ERR_INPUT, errno, "%s is not overwritten: cannot write it", path);
	}
	if (write_all(fd, &import->text)) {
		int os = errno;

		unlink(path);
		return err_set(err, ERR_INPUT, os, "cannot write %s", path);
	}
	*ret_path = path;
	return 0;
}

static void tell(struct cli *cli, const struct import *import)
{
	for (size_t i = 0; i < import->left_count; i++) {
		output_note(&cli->out, "left out: %s", import->left[i]);
	}
	for (size_t i = 0; i < import->broken_count; i++) {
		output_note(&cli->out, "the plan will not be empty: %s", import->broken[i]);
	}
}

static struct value sentences(struct arena *arena, const char *const *list, size_t n)
{
	struct value v = value_list();

	for (size_t i = 0; i < n; i++) {
		value_append(arena, &v, value_string(list[i]));
	}
	return v;
}

/* `path`: where it was written, or would be below the tree. */
static bool print_json(struct cli *cli, const struct import *import, const char *path)
{
	struct value v = value_map(), files = value_list(), file = value_map();

	value_put(cli->arena, &file, "path", value_string(path));
	value_put(cli->arena, &file, "content", value_string(str_text(&import->text)));
	value_append(cli->arena, &files, file);
	value_put(cli->arena, &v, "files", files);
	value_put(cli->arena, &v, "left_out", sentences(cli->arena, import->left, import->left_count));
	value_put(cli->arena, &v, "to_mend",
	          sentences(cli->arena, import->broken, import->broken_count));
	value_seal(&v);
	return output_json(&v);
}

static int deliver(struct cli *cli, struct engine *engine, const struct import *import)
{
	AUTO(str_free) struct str text = {0};
	struct err err = {0};
	const char *path = arena_printf(cli->arena, "state/nodes/%s.yaml", import->node);
	bool done;

	if (cli->file && save(cli, import, &path, &err)) {
		return session_fail(cli, engine, &err);
	}
	tell(cli, import);
	if (cli->json) {
		done = print_json(cli, import, path);
	} else if (cli->file) {
		str_addf(&text, "Wrote %s. Read it; then: reconcile plan -C %s\n", path, cli->file);
		done = output_text(&text);
	} else {
		done = output_text(&import->text);
	}
	return !done ? EXIT_ERROR : import->is_partial ? EXIT_UNDETERMINED : EXIT_IN_SYNC;
}

static int run(struct cli *cli)
{
	struct doctor *doctor;
	struct import import = {0};
	struct err err = {0};
	int code;
	AUTO(session_free) struct engine *engine = session_open(cli);

	if (doctor_look(engine, NULL, &doctor, &err) ||
	    import_make(engine, doctor, cli->all, &import, &err)) {
		output_progress(&cli->out, "");
		code = session_fail(cli, engine, &err);
	} else {
		output_progress(&cli->out, "");
		code = deliver(cli, engine, &import);
	}
	str_free(&import.text);
	return code;
}

static const struct option_row options[] = {
    {"--out", 'o', "DIR", "write DIR/state/nodes/NAME.yaml; never over one that is there",
     take_folder},
    {"--all", 0, NULL, "every mount of fstab, not only those of storage clients", session_take_all},
    {"--facts", 0, "FILE", "import a recording instead of this node", session_take_facts},
    {NULL, 0, NULL, NULL, NULL},
};

const struct cmd cmd_import = {
    .name = "import",
    .arguments = "",
    .summary = "write what this node is as a tree",
    .help =
        "Writes what `doctor` found as the desired state of this node: file systems of storage\n"
        "clients, the modules behind them and the packages that bring those, holds. Comments\n"
        "say where each value came from; the kernel is left for you to decide. On a node that\n"
        "is whole, `plan` of it is empty; what is broken is said, and is what it plans to\n"
        "mend. Without --out the YAML goes to standard output, with --json the file and what was\n"
        "said of it. Changes nothing on the node. Exit codes: 0; 6 fstab cannot be read, so there\n"
        "may be more; 1 error.",
    .options = options,
    .run = run,
};
