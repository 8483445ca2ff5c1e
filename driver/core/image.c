/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

#define STAT_BLOCK_BYTES \
    512 /* the unit of st_blocks, whatever the file system */

/* docs/interop/qcow2 of QEMU: magic, and the size in bytes at offset 24 */
#define QCOW2_MAGIC       0x514649fbu
#define QCOW2_HEADER_SIZE 32
#define QCOW2_SIZE_OFFSET 24

int
core_image_open(const char *path, GError **error)
{
    g_auto(Fd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat info;

    if (fd < 0) {
        error_set_errno(error, errno, _("cannot open file '%s'"), path);
        return -1;
    }
    if (fstat(fd, &info) == 0 &&
        (S_ISREG(info.st_mode) || S_ISBLK(info.st_mode)))
        return fd_steal(&fd);
    error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
              _("'%s' is neither a file nor a block device"), path);
    return -1;
}

/* What the host knows. */
static bool
host_info(int fd, const char *path, VirtkvmBlockInfo *info, GError **error)
{
    struct stat stat;
    uint64_t size;

    if (fstat(fd, &stat) != 0) {
        error_set_errno(error, errno, _("cannot stat file '%s'"), path);
        return false;
    }
    info->physical = (uint64_t)stat.st_size;
    info->allocation = (uint64_t)stat.st_blocks * STAT_BLOCK_BYTES;
    if (S_ISBLK(stat.st_mode)) {
        if (ioctl(fd, BLKGETSIZE64, &size) != 0) {
            error_set_errno(error, errno, _("cannot find the size of '%s'"),
                            path);
            return false;
        }
        info->physical = info->allocation = size;
    }
    info->capacity = info->physical;
    return true;
}

static bool
qcow2_info(int fd, const char *path, VirtkvmBlockInfo *info, GError **error)
{
    uint8_t header[QCOW2_HEADER_SIZE];
    uint32_t magic;
    uint64_t size;

    if (pread(fd, header, sizeof(header), 0) == sizeof(header)) {
        memcpy(&magic, header, sizeof(magic));
        memcpy(&size, header + QCOW2_SIZE_OFFSET, sizeof(size));
        if (GUINT32_FROM_BE(magic) == QCOW2_MAGIC) {
            info->capacity = GUINT64_FROM_BE(size);
            return true;
        }
    }
    error_set(error, VIR_ERR_OPERATION_FAILED,
              _("'%s' is not an image of format '%s'"), path, "qcow2");
    return false;
}

bool
core_image_info(const char *path, const char *format,
                VirtkvmBlockInfo *ret_info, GError **error)
{
    g_auto(Fd) fd = core_image_open(path, error);
    VirtkvmBlockInfo info;

    if (fd < 0 || !host_info(fd, path, &info, error))
        return false;
    if (g_strcmp0(format, "qcow2") == 0 && !qcow2_info(fd, path, &info, error))
        return false;
    *ret_info = info;
    return true;
}
