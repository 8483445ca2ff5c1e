/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "shell/command.h"
#include "shell/output.h"

/** vsh_help_all: every group with its commands, one line each */
void vsh_help_all(VshOutput *out);

/** vsh_help_group: the commands of a group */
void vsh_help_group(const VshGroup *group, VshOutput *out);

/** vsh_help_command: name, synopsis, description and options */
void vsh_help_command(const VshCommand *command, VshOutput *out);

/** vsh_help_pod: the manual page's section about commands, untranslated */
void vsh_help_pod(VshOutput *out);

/** vsh_help_json: commands with their options, for programs: the one or the
 * group that is called @topic, or all without it */
json_t *vsh_help_json(const char *topic);

/** vsh_help_synopsis: "start <domain>... [--paused]" */
char *vsh_help_synopsis(const VshCommand *command);
