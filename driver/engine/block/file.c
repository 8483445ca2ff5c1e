/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/block/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/error.h"
#include "util/i18n.h"

#define SECTOR 512u

void *
engine_block_buffer_new(size_t size)
{
    void *buffer = NULL;

    if (posix_memalign(&buffer, ENGINE_FILE_ALIGN_MAX, size) != 0)
        g_error("no memory for %zu bytes", size);
    return buffer;
}

/* --- opening ---------------------------------------------------------------
 */
/* What the kernel says O_DIRECT wants; else whether it takes sectors. */
static void
find_alignment(EngineBlockFile *file)
{
    struct statx stx = { 0 };
    void *probe;

    if (statx(file->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) == 0 &&
        (stx.stx_mask & STATX_DIOALIGN) && stx.stx_dio_offset_align > 0) {
        file->align = MAX(stx.stx_dio_offset_align, SECTOR);
        file->memory_align = MAX(stx.stx_dio_mem_align, 1);
        return;
    }
    file->align = file->memory_align = ENGINE_FILE_ALIGN_MAX;
    probe = engine_block_buffer_new(SECTOR);
    if (pread(file->fd, probe, SECTOR, 0) >= 0)
        file->align = file->memory_align = SECTOR;
    free(probe);
}

bool
engine_block_file_open(EngineBlockFile *file, const EngineDriveConfig *drive,
                       EngineAio *aio, GError **error)
{
    int flags = fcntl(drive->fd, F_GETFL);
    struct stat st;

    if (flags < 0 || fstat(drive->fd, &st) < 0) {
        error_set_errno(error, errno, _("cannot use the disk image '%s'"),
                        drive->path);
        return false;
    }
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("the disk image '%s' is neither a file nor a block device"),
                  drive->path);
        return false;
    }
    *file = (EngineBlockFile){
        .aio = aio,
        .path = drive->path,
        .fd = drive->fd,
        .number = engine_aio_add_file(aio, drive->fd),
        .direct = (flags & O_DIRECT) != 0,
        .device = S_ISBLK(st.st_mode),
        .align = SECTOR,
        .memory_align = 1,
    };
    if (file->direct)
        find_alignment(file);
    if (file->align <= ENGINE_FILE_ALIGN_MAX)
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("the disk image '%s' can't be used without the host's cache: "
                "its file system wants transfers of %u bytes"),
              file->path, file->align);
    return false;
}

int
engine_block_file_size(const EngineBlockFile *file, uint64_t *ret_size)
{
    struct stat st;

    if (file->device)
        return ioctl(file->fd, BLKGETSIZE64, ret_size) < 0 ? -errno : 0;
    if (fstat(file->fd, &st) < 0)
        return -errno;
    *ret_size = (uint64_t)st.st_size;
    return 0;
}

/* --- at once ---------------------------------------------------------------
 */
/* Returns: bytes, less than @size only at the file's end; -errno */
static ssize_t
read_all(int fd, uint8_t *buffer, size_t size, uint64_t offset)
{
    size_t got = 0;

    while (got < size) {
        ssize_t n = pread(fd, buffer + got, size - got, (off_t)(offset + got));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

static int
write_all(int fd, const uint8_t *data, size_t size, uint64_t offset)
{
    size_t put = 0;

    while (put < size) {
        ssize_t n = pwrite(fd, data + put, size - put, (off_t)(offset + put));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        put += (size_t)n;
    }
    return 0;
}

/* The aligned range around [offset, offset+size), in a buffer that O_DIRECT
 * takes; free() it. */
typedef struct Around {
    uint64_t start;
    size_t size, before; /* bytes of it before `offset` */
    uint8_t *buffer;
} Around;

static int
around_read(EngineBlockFile *file, Around *around, size_t size, uint64_t offset)
{
    uint64_t mask = file->align - 1;
    ssize_t n;

    around->start = offset & ~mask;
    around->before = (size_t)(offset - around->start);
    around->size = (around->before + size + (size_t)mask) & ~(size_t)mask;
    around->buffer = engine_block_buffer_new(around->size);
    n = read_all(file->fd, around->buffer, around->size, around->start);
    if (n < 0)
        return (int)n;
    memset(around->buffer + n, 0, around->size - (size_t)n);
    return 0;
}

int
engine_block_file_read(EngineBlockFile *file, void *buffer, size_t size,
                       uint64_t offset)
{
    Around around = { 0 };
    int rc;

    if (!file->direct) {
        ssize_t n = read_all(file->fd, buffer, size, offset);

        if (n < 0)
            return (int)n;
        memset((uint8_t *)buffer + n, 0, size - (size_t)n);
        return 0;
    }
    rc = around_read(file, &around, size, offset);
    if (rc == 0)
        memcpy(buffer, around.buffer + around.before, size);
    free(around.buffer);
    return rc;
}

int
engine_block_file_write(EngineBlockFile *file, const void *data, size_t size,
                        uint64_t offset)
{
    Around around = { 0 };
    int rc;

    file->highest = MAX(file->highest, offset + size);
    if (!file->direct)
        return write_all(file->fd, data, size, offset);
    rc = around_read(file, &around, size, offset);
    if (rc == 0) {
        memcpy(around.buffer + around.before, data, size);
        rc = write_all(file->fd, around.buffer, around.size, around.start);
    }
    free(around.buffer);
    return rc;
}

int
engine_block_file_sync(EngineBlockFile *file)
{
    return fdatasync(file->fd) < 0 ? -errno : 0;
}
