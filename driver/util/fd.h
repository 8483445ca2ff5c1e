/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** A file descriptor that its scope owns: `g_auto(Fd) fd = -1;` */
typedef int Fd;

/** fd_clear: close *@fd if it is open and make it -1; keeps errno */
void fd_clear(Fd *fd);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fd, fd_clear)

/** fd_steal: hand the descriptor over; *@fd becomes -1 */
static inline int
fd_steal(Fd *fd)
{
    int stolen = *fd;

    *fd = -1;
    return stolen;
}

/**
 * fd_write_all: write all @size bytes, through EINTR and short writes
 * Returns: false with errno set
 */
bool fd_write_all(int fd, const void *data, size_t size);

/**
 * fd_read_all: read until @size bytes or end of file
 * Returns: bytes read, -1 with errno set
 */
ssize_t fd_read_all(int fd, void *data, size_t size);

/** fd_pread_all: the same at @offset bytes from the start of the file */
ssize_t fd_pread_all(int fd, void *data, size_t size, off_t offset);

bool fd_set_nonblocking(int fd, bool nonblocking);
bool fd_set_cloexec(int fd, bool cloexec);

/**
 * fd_memfd: a sealed (no more size changes) memory file with @size bytes of @data
 * Returns: descriptor with its offset at 0, or -1 with errno set
 */
int fd_memfd(const char *name, const void *data, size_t size);
