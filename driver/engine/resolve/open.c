/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/resolve/resolve.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

#define PTY_PATH_MAX 64

int
engine_open_high(int fd, GError **error)
{
    g_auto(Fd) low = fd;
    int high = fcntl(low, F_DUPFD_CLOEXEC, ENGINE_RESOLVE_FD_MIN);

    if (high < 0)
        error_set_errno(error, errno, _("cannot duplicate a descriptor"));
    return high;
}

int
engine_open_image(const char *path, GError **error)
{
    /* O_NONBLOCK: a FIFO must not hold us up before it is refused */
    g_auto(Fd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat info;

    if (fd < 0 || fstat(fd, &info) != 0) {
        error_set_errno(error, errno, _("cannot open '%s'"), path);
        return -1;
    }
    if (!S_ISREG(info.st_mode)) {
        error_set_errno(error, S_ISDIR(info.st_mode) ? EISDIR : EINVAL,
                        _("'%s' is not a regular file"), path);
        return -1;
    }
    return engine_open_high(fd_steal(&fd), error);
}

const char *
engine_find_file(const char *const *paths)
{
    for (; *paths; paths++)
        if (access(*paths, R_OK) == 0)
            return *paths;
    return NULL;
}

int
engine_open_random(const char *path, GError **error)
{
    g_auto(Fd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat info;

    if (fd < 0 || fstat(fd, &info) != 0) {
        error_set_errno(error, errno, _("cannot open '%s'"), path);
        return -1;
    }
    if (!S_ISCHR(info.st_mode)) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("'%s' is not a character device, as a source of random "
                    "bytes must be"),
                  path);
        return -1;
    }
    return engine_open_high(fd_steal(&fd), error);
}

int
engine_open_output(const char *path, bool append, GError **error)
{
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    g_auto(Fd) fd = open(path, flags | (append ? O_APPEND : O_TRUNC), 0600);

    if (fd < 0 || !fd_set_nonblocking(fd, false)) {
        error_set_errno(error, errno, _("cannot open '%s' for writing"), path);
        return -1;
    }
    return engine_open_high(fd_steal(&fd), error);
}

int
engine_open_pty(char **ret_path, GError **error)
{
    g_auto(Fd) fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char path[PTY_PATH_MAX];
    int high;

    if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0 ||
        ptsname_r(fd, path, sizeof(path)) != 0) {
        error_set_errno(error, errno, _("cannot make a pseudo terminal"));
        return -1;
    }
    high = engine_open_high(fd_steal(&fd), error);
    if (high >= 0)
        *ret_path = g_strdup(path);
    return high;
}
