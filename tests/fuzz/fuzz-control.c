/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * Request lines of the control socket. Each either names a command or is
 * refused with a message, which must itself make a line of JSON.
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/control-command.h"
#include "util/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Numbers that a request may name; nothing is done with them. */
static const int fds[] = { 100, 101 };

static void
parse_line(const char *line, size_t size)
{
    g_auto(EngineControlCall) call = { 0 };
    g_autoptr(GError) error = NULL;
    EngineReader reader = { .given = fds, .n_given = G_N_ELEMENTS(fds) };
    bool ok = engine_control_parse(line, size, &reader, &call, &error);
    json_t *answer = NULL;
    char *text = NULL;

    if (ok != (call.command != NULL) || ok != (error == NULL))
        abort();
    answer = ok ? engine_control_return(json_object(), call.id)
                : engine_control_error(error, call.id);
    text = json_dumps(answer, 0);
    if (!text || strchr(text, '\n'))
        abort();
    free(text);
    json_decref(answer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *line = (const char *)data;
    const char *end = line + size;

    while (line < end) {
        const char *next = memchr(line, '\n', (size_t)(end - line));

        parse_line(line, (size_t)((next ? next : end) - line));
        line = next ? next + 1 : end;
    }
    return 0;
}
