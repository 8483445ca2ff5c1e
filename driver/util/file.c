/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

static bool
sync_folder_of(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_auto(Fd) fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 && fsync(fd) == 0;
}

struct FileDraft {
    char *path, *temporary;
    bool durable, kept;
};

static FileDraft *
draft_new(const char *path, const void *data, size_t size, mode_t mode,
          bool durable, GError **error)
{
    g_autoptr(FileDraft) draft = NULL;
    g_autofree char *temporary = g_strdup_printf("%s.XXXXXX.new", path);
    g_auto(Fd) fd = g_mkstemp_full(temporary, O_WRONLY | O_CLOEXEC, 0600);

    if (fd < 0) {
        error_set_errno(error, errno, _("cannot create a file beside '%s'"),
                        path);
        return NULL;
    }
    draft = g_new0(FileDraft, 1);
    draft->path = g_strdup(path);
    draft->temporary = g_steal_pointer(&temporary);
    draft->durable = durable;
    if (fd_write_all(fd, data, size) && fchmod(fd, mode) == 0 &&
        (!durable || fsync(fd) == 0))
        return g_steal_pointer(&draft);
    error_set_errno(error, errno, _("cannot write '%s'"), path);
    return NULL;
}

FileDraft *
file_draft_new(const char *path, const void *data, size_t size, mode_t mode,
               GError **error)
{
    return draft_new(path, data, size, mode, true, error);
}

bool
file_draft_keep(FileDraft *draft, GError **error)
{
    draft->kept = rename(draft->temporary, draft->path) == 0;
    if (draft->kept && (!draft->durable || sync_folder_of(draft->path)))
        return true;
    error_set_errno(error, errno, _("cannot write '%s'"), draft->path);
    return false;
}

void
file_draft_free(FileDraft *draft)
{
    if (!draft)
        return;
    if (!draft->kept)
        unlink(draft->temporary);
    g_free(draft->path);
    g_free(draft->temporary);
    g_free(draft);
}

static bool
replace(const char *path, const void *data, size_t size, mode_t mode,
        bool durable, GError **error)
{
    g_autoptr(FileDraft) draft =
        draft_new(path, data, size, mode, durable, error);

    return draft && file_draft_keep(draft, error);
}

bool
file_replace(const char *path, const void *data, size_t size, mode_t mode,
             GError **error)
{
    return replace(path, data, size, mode, true, error);
}

bool
file_replace_volatile(const char *path, const void *data, size_t size,
                      mode_t mode, GError **error)
{
    return replace(path, data, size, mode, false, error);
}

char *
file_read(const char *path, size_t max, size_t *ret_size, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_auto(Fd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat info;
    char chunk[2048];
    ssize_t n;

    if (fd < 0 || fstat(fd, &info) != 0) {
        error_set_errno(error, errno, _("cannot open '%s'"), path);
        return NULL;
    }
    if (S_ISDIR(info.st_mode)) {
        error_set_errno(error, EISDIR, _("cannot read '%s'"), path);
        return NULL;
    }
    while ((n = fd_read_all(fd, chunk, sizeof(chunk))) > 0) {
        g_byte_array_append(bytes, (const guint8 *)chunk, (guint)n);
        if (bytes->len > max) {
            error_set(error, VIR_ERR_INVALID_ARG,
                      _("'%s' is larger than the limit of %zu bytes"), path, max);
            return NULL;
        }
    }
    if (n < 0) {
        error_set_errno(error, errno, _("cannot read '%s'"), path);
        return NULL;
    }
    if (ret_size)
        *ret_size = bytes->len;
    g_byte_array_append(bytes, (const guint8 *)"", 1);
    return (char *)g_byte_array_free(g_steal_pointer(&bytes), FALSE);
}

bool
file_remove(const char *path, GError **error)
{
    if (unlink(path) == 0 ? sync_folder_of(path) : errno == ENOENT)
        return true;
    error_set_errno(error, errno, _("cannot remove '%s'"), path);
    return false;
}

bool
file_make_dirs(const char *path, mode_t mode, GError **error)
{
    if (g_mkdir_with_parents(path, (int)mode) == 0)
        return true;
    error_set_errno(error, errno, _("cannot create folder '%s'"), path);
    return false;
}

int
file_lock(const char *path, GError **error)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    g_auto(Fd) fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0) {
        error_set_errno(error, errno, _("cannot open '%s'"), path);
        return -1;
    }
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
        if (errno == EAGAIN || errno == EACCES)
            error_set(error, VIR_ERR_RESOURCE_BUSY,
                      _("'%s' is locked by another process"), path);
        else
            error_set_errno(error, errno, _("cannot lock '%s'"), path);
        return -1;
    }
    return fd_steal(&fd);
}
