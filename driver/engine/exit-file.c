/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/exit-file.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "util/fd.h"
#include "util/i18n.h"
#include "util/log.h"

/* File names in @text may be in any encoding; JSON knows only one. */
static void
set_text(json_t *object, const char *name, const char *text)
{
    g_autofree char *valid = NULL;

    if (!text)
        return;
    valid = g_utf8_make_valid(text, -1);
    json_object_set_new(object, name, json_string(valid));
}

void
engine_exit_file_write(int fd, const EngineExitNote *note)
{
    json_t *object;
    char *line;

    if (fd < 0)
        return;
    object = json_object();
    set_text(object, "reason", note->reason);
    set_text(object, "error", note->error);
    set_text(object, "report", note->report);
    if (note->status >= 0)
        json_object_set_new(object, "status", json_integer(note->status));
    json_object_set_new(object, "time_ms",
                        json_integer(g_get_real_time() / 1000));
    line = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (!fd_write_all(fd, line, strlen(line)) || !fd_write_all(fd, "\n", 1))
        log_error(_("cannot write the exit file: %s"), g_strerror(errno));
    free(line);
}
