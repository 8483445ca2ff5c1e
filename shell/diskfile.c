/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/diskfile.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "util/fd.h"

const char *
vsh_diskfile_format(const char *path)
{
    /* a fifo or a device that is not ready must not hold us up */
    g_auto(Fd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char magic[4];

    if (fd < 0 || pread(fd, magic, sizeof(magic), 0) != sizeof(magic))
        return NULL;
    return memcmp(magic, "QFI\xfb", sizeof(magic)) == 0 ? "qcow2" : NULL;
}
