/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/image-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "util/error.h"
#include "util/i18n.h"

/* What to call the file in messages: its path, else what the descriptor is. */
static char *
image_name(const EngineFile *file, const char *role)
{
    g_autofree char *link = NULL;
    g_autofree char *target = NULL;

    if (file->path)
        return g_strdup_printf("%s '%s'", role, file->path);
    link = g_strdup_printf("/proc/self/fd/%d", file->fd);
    target = g_file_read_link(link, NULL);
    if (target)
        return g_strdup_printf("%s '%s'", role, target);
    return g_strdup(role);
}

static bool
image_check(EngineImage *image, GError **error)
{
    struct stat st;

    if (fstat(image->fd, &st) < 0) {
        error_set_errno(error, errno, _("cannot examine the %s"), image->name);
        return false;
    }
    if (S_ISDIR(st.st_mode)) {
        error_set(error, VIR_ERR_INVALID_ARG, _("the %s is a directory"),
                  image->name);
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        error_set(error, VIR_ERR_INVALID_ARG, _("the %s is not a regular file"),
                  image->name);
        return false;
    }
    if (st.st_size <= 0) {
        error_set(error, VIR_ERR_INVALID_ARG, _("the %s is empty"),
                  image->name);
        return false;
    }
    image->size = (uint64_t)st.st_size;
    return true;
}

bool
engine_image_open(EngineImage *image, const EngineFile *file, const char *role,
                  GError **error)
{
    image->name = image_name(file, role);
    /* O_NONBLOCK: opening a FIFO by mistake must not hang. */
    image->fd = file->fd >= 0
                    ? fcntl(file->fd, F_DUPFD_CLOEXEC, 3)
                    : open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (image->fd < 0) {
        error_set_errno(error, errno, _("cannot open the %s"), image->name);
        return false;
    }
    return image_check(image, error);
}

bool
engine_image_read(const EngineImage *image, uint64_t offset, void *buffer,
                  size_t size, GError **error)
{
    ssize_t n;

    if (offset > image->size || size > image->size - offset) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the %s is truncated: it has %llu bytes, but says that "
                    "%llu bytes follow offset %llu"),
                  image->name, (unsigned long long)image->size,
                  (unsigned long long)size, (unsigned long long)offset);
        return false;
    }
    n = fd_pread_all(image->fd, buffer, size, (off_t)offset);
    if (n < 0) {
        error_set_errno(error, errno, _("cannot read the %s"), image->name);
        return false;
    }
    if ((size_t)n < size) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the %s became shorter while it was read"), image->name);
        return false;
    }
    return true;
}

void
engine_image_close(EngineImage *image)
{
    fd_clear(&image->fd);
    g_clear_pointer(&image->name, g_free);
}
