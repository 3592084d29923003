// SPDX-License-Identifier: MIT
/* reconcile version. */
#include "cli/cmds.h"

const char cmd_version_text[] = RECONCILE_VERSION;

static int run(struct cli *cli)
{
	AUTO(str_free) struct str text = {0};
	struct value document = value_map();

	if (cli->json) {
		value_put(cli->arena, &document, "version", value_string(cmd_version_text));
		value_seal(&document);
		return output_json(&document) ? EXIT_IN_SYNC : EXIT_ERROR;
	}
	str_addf(&text, "reconcile %s\n", cmd_version_text);
	return output_text(&text) ? EXIT_IN_SYNC : EXIT_ERROR;
}

const struct cmd cmd_version = {
    .name = "version",
    .arguments = "",
    .summary = "print the version",
    .help = "Prints the version of this program.",
    .run = run,
};
