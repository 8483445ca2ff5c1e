/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/domain-log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/state.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/file.h"
#include "util/i18n.h"

static void
put_aside(const char *path)
{
    g_autofree char *old = NULL;
    struct stat info;

    if (stat(path, &info) != 0 || info.st_size <= CORE_LOG_MAX_BYTES)
        return;
    old = g_strconcat(path, ".0", NULL);
    (void)rename(path, old);
}

int
core_domain_log_open(VirtkvmState *state, const char *name, GError **error)
{
    g_autofree char *path = g_strdup_printf("%s/%s.log", state->log_dir, name);
    int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY;
    int fd;

    put_aside(path);
    fd = open(path, flags, 0600);
    /* Who cleans up the logs may remove their folder too. */
    if (fd < 0 && errno == ENOENT && file_make_dirs(state->log_dir, 0700, NULL))
        fd = open(path, flags, 0600);
    if (fd < 0)
        error_set_errno(error, errno, _("cannot open the log '%s'"), path);
    return fd;
}

void
core_domain_log_line(int fd, const char *text)
{
    g_autofree char *line = NULL;
    struct timespec now;
    struct tm parts;
    char stamp[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S", &parts);
    line = g_strdup_printf("%s.%03ld+0000: %s\n", stamp, now.tv_nsec / 1000000,
                           text);
    (void)fd_write_all(fd, line, strlen(line));
}

void
core_domain_log_start(int fd, char *const *argv, const GPtrArray *warnings)
{
    g_autofree char *command = g_strjoinv(" ", (char **)argv);
    g_autofree char *text = g_strconcat("starting: ", command, NULL);

    core_domain_log_line(fd, text);
    core_domain_log_warnings(fd, warnings);
}

void
core_domain_log_warnings(int fd, const GPtrArray *warnings)
{
    for (guint i = 0; warnings && i < warnings->len; i++) {
        g_autofree char *warning =
            g_strconcat("warning: ", warnings->pdata[i], NULL);

        core_domain_log_line(fd, warning);
    }
}
