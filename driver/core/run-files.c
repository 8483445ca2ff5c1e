/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/run-files.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/list.h"
#include "core/status-names.h"
#include "util/fd.h"
#include "util/log.h"

/* The id of ID.control, ID.exit; 0: the file is none of these. */
static int
file_id(const char *name)
{
    char *end;
    long id = strtol(name, &end, 10);

    if (id < 1 || id > CORE_ID_MAX || *end != '.')
        return 0;
    if (strcmp(end + 1, CORE_RUN_CONTROL) != 0 &&
        strcmp(end + 1, CORE_RUN_EXIT) != 0)
        return 0;
    return (int)id;
}

/** An engine whose daemon ended before it sent the machine ends as well; it may
 * take so long. */
#define ORPHAN_WAIT_MS 300

/* Does anything listen there, and go on to? Then it is an engine whose status
 * file was lost: its guest runs on, but nobody can say for whom. */
static bool
is_orphan(VirtkvmState *state, const char *name)
{
    g_auto(Fd) fd =
        socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct pollfd ended = { .fd = fd, .events = POLLRDHUP };

    if (!g_str_has_suffix(name, CORE_RUN_CONTROL))
        return false;
    snprintf(address.sun_path, sizeof(address.sun_path),
             "/proc/self/fd/%d/%.64s", state->run_dir_fd, name);
    return fd >= 0 &&
           connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
           poll(&ended, 1, ORPHAN_WAIT_MS) == 0;
}

static void
sweep(VirtkvmState *state, const char *name)
{
    if (is_orphan(state, name))
        log_warning("an engine without a usable status file listens at "
                    "'%s/%s'",
                    state->run_dir, name);
    else
        (void)unlinkat(state->run_dir_fd, name, 0);
}

/* What file_replace() was writing when its process was killed. */
static bool
is_torn(const char *name)
{
    return g_str_has_suffix(name, ".new") &&
           (strstr(name, ".xml.") || g_str_has_prefix(name, "autostarted."));
}

static void
sweep_torn(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *file = g_build_filename(path, name, NULL);

        if (is_torn(name))
            (void)unlink(file);
    }
}

void
core_run_files_sweep(VirtkvmState *state)
{
    g_autoptr(GDir) dir = g_dir_open(state->run_dir, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        int id = file_id(name);
        g_autoptr(CoreDomain) domain = core_list_find_id(state->list, id);

        if (id > 0 && !domain)
            sweep(state, name);
    }
    sweep_torn(state->run_dir);
    sweep_torn(state->config_dir);
}
