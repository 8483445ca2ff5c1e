/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/resolve/open.h"
#include "engine/resolve/program.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

#define PROGRAM "qemu-img"
/* Where there is room for what has no place beside its image */
#define OTHER_FOLDER "/var/tmp"
#define MODE         0600

/* A file without a name: the kernel takes it back with its last descriptor,
 * however that is closed. Returns: -1 with errno set */
static int
open_nameless(const char *folder)
{
    g_autofree char *path = NULL;
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, MODE);

    /* not every file system can */
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
        return fd;
    path = g_build_filename(folder, ".virtkvm-transient-XXXXXX", NULL);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static int
open_beside(EngineResolved *resolved, const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = open_nameless(folder);
    int failed = errno;

    if (fd < 0 && (failed == EACCES || failed == EROFS)) {
        fd = open_nameless(OTHER_FOLDER);
        if (fd >= 0)
            engine_document_warn(
                resolved,
                g_strdup_printf(_("'%s' cannot be written: what the guest "
                                  "writes to '%s' goes into '%s'"),
                                folder, path, OTHER_FOLDER));
    }
    if (fd >= 0)
        return engine_open_high(fd, error);
    error_set_errno(error, failed,
                    _("cannot make a file in '%s' for what the guest writes "
                      "to '%s'"),
                    folder, path);
    return -1;
}

static bool
make_image(int fd, uint64_t size, GError **error)
{
    g_autofree char *name =
        g_strdup_printf("/proc/self/fd/%d", ENGINE_PROGRAM_FD);
    g_autofree char *bytes = g_strdup_printf("%" PRIu64, size);
    const char *const argv[] = { PROGRAM, "create", "-q",  "-f",
                                 "qcow2", name,     bytes, NULL };

    if (engine_program_run((char *const *)argv, fd, error))
        return true;
    g_prefix_error(error, _("a transient disk needs an image made by '%s': "),
                   PROGRAM);
    return false;
}

int
engine_overlay_open(EngineResolved *resolved, const char *path, uint64_t size,
                    GError **error)
{
    g_auto(Fd) fd = open_beside(resolved, path, error);

    if (fd < 0 || !make_image(fd, size, error))
        return -1;
    return fd_steal(&fd);
}
