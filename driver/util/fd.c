/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "util/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

void
fd_clear(Fd *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}

bool
fd_write_all(int fd, const void *data, size_t size)
{
    const char *next = data;

    while (size > 0) {
        ssize_t n = write(fd, next, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        next += n;
        size -= (size_t)n;
    }
    return true;
}

/* Reads with read() when @offset is negative, else with pread(). */
static ssize_t
read_all(int fd, char *data, size_t size, off_t offset)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = offset < 0 ? read(fd, data + done, size - done)
                               : pread(fd, data + done, size - done,
                                       offset + (off_t)done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

ssize_t
fd_read_all(int fd, void *data, size_t size)
{
    return read_all(fd, data, size, -1);
}

ssize_t
fd_pread_all(int fd, void *data, size_t size, off_t offset)
{
    return read_all(fd, data, size, offset);
}

static bool
set_flag(int fd, int get, int set, int flag, bool on)
{
    int flags = fcntl(fd, get);

    if (flags < 0)
        return false;
    flags = on ? flags | flag : flags & ~flag;
    return fcntl(fd, set, flags) == 0;
}

bool
fd_set_nonblocking(int fd, bool nonblocking)
{
    return set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, nonblocking);
}

bool
fd_set_cloexec(int fd, bool cloexec)
{
    return set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, cloexec);
}

int
fd_memfd(const char *name, const void *data, size_t size)
{
    g_auto(Fd) fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0 || !fd_write_all(fd, data, size) || lseek(fd, 0, SEEK_SET) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
        return -1;
    return fd_steal(&fd);
}
