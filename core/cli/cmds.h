// SPDX-License-Identifier: MIT
/* The commands' table entries: one file cmd_NAME.c each. */
#ifndef CLI_CMDS_H
#define CLI_CMDS_H

#include "cli/cmd.h"

extern const struct cmd cmd_preflight, cmd_allow, cmd_doctor, cmd_import, cmd_check, cmd_plan,
    cmd_apply, cmd_run, cmd_status, cmd_history, cmd_facts, cmd_show, cmd_validate, cmd_pause,
    cmd_resume, cmd_version;

extern const char cmd_version_text[];

#endif
