/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/image.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/block/drive.h"
#include "engine/resolve/open.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

/* --- one file ---------------------------------------------------------------
 */
static bool
check_kind(int fd, const char *path, bool block, GError **error)
{
    struct stat info;

    if (fstat(fd, &info) != 0) {
        error_set_errno(error, errno, _("cannot look at '%s'"), path);
        return false;
    }
    if (block ? S_ISBLK(info.st_mode) : S_ISREG(info.st_mode))
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              S_ISBLK(info.st_mode)
                  ? _("'%s' is a block device: use type='block' and <source "
                      "dev=''>")
              : block ? _("'%s' is not a block device")
                      : _("'%s' is not a regular file"),
              path);
    return false;
}

/* O_DIRECT, and no O_NONBLOCK any more, which was only for the opening */
static bool
set_flags(int fd, const char *path, const EngineImageUse *use, bool *ret_direct,
          GError **error)
{
    int flags = fcntl(fd, F_GETFL);

    flags = flags < 0 ? 0 : flags & ~O_NONBLOCK;
    *ret_direct = use->direct;
    if (fcntl(fd, F_SETFL, flags | (use->direct ? O_DIRECT : 0)) == 0)
        return true;
    *ret_direct = false;
    if (use->optional && fcntl(fd, F_SETFL, flags) == 0)
        return true;
    error_set_errno(error, errno,
                    _("'%s' cannot be opened past the host's cache: use "
                      "cache='writeback'"),
                    path);
    return false;
}

static int
open_image(EngineResolved *resolved, const char *path,
           const EngineImageUse *use, GError **error)
{
    /* O_NONBLOCK: a FIFO must not hold us up before it is refused */
    g_auto(Fd) fd = open(path, (use->writable ? O_RDWR : O_RDONLY) | O_CLOEXEC |
                                   O_NOCTTY | O_NONBLOCK);
    g_auto(Fd) high = -1;

    if (fd < 0) {
        error_set_errno(error, errno, _("cannot open '%s'"), path);
        return -1;
    }
    if (!check_kind(fd, path, use->block, error))
        return -1;
    high = engine_open_high(fd_steal(&fd), error);
    if (high < 0 || !engine_image_lock(resolved, high, path, use, error))
        return -1;
    return fd_steal(&high);
}

/* --- the chain --------------------------------------------------------------
 */
typedef struct File {
    dev_t device;
    ino_t inode;
} File;

typedef struct Chain {
    EngineResolved *resolved;
    const ConfDisk *disk;
    EngineImageUse use; /* of the next file */
    GArray *files;      /* File: those that are in it */
    uint64_t size;      /* of the first, as a guest sees it, if it is asked */
} Chain;

/* What lies below an image; all NULL: nothing */
typedef struct Below {
    char *path;
    char *format;
    bool block;
} Below;

static void
below_clear(Below *below)
{
    g_free(below->path);
    g_free(below->format);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Below, below_clear)

/* An image that lies below itself would be read for ever. */
static bool
note_file(Chain *chain, int fd, const char *path, GError **error)
{
    struct stat info;
    File file;

    if (fstat(fd, &info) != 0) {
        error_set_errno(error, errno, _("cannot look at '%s'"), path);
        return false;
    }
    file = (File){ info.st_dev, info.st_ino };
    for (guint i = 0; i < chain->files->len; i++) {
        const File *other = &g_array_index(chain->files, File, i);

        if (other->device != file.device || other->inode != file.inode)
            continue;
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("'%s' lies below itself: its backing images form a loop"),
                  path);
        return false;
    }
    if (chain->files->len >= ENGINE_DRIVE_DEPTH_MAX) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("'%s' has more than %d backing images above it"), path,
                  ENGINE_DRIVE_DEPTH_MAX - 1);
        return false;
    }
    g_array_append_val(chain->files, file);
    return true;
}

/* A name that an image gives is that of a file beside it, or of an absolute
 * path; never of anything else that a program of QEMU's would understand. */
static bool
check_name(const char *name, const char *path, GError **error)
{
    const char *colon = strchr(name, ':');
    const char *slash = strchr(name, '/');

    if (*name && (!colon || (slash && slash < colon)))
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("'%s' names the backing image '%s', which is not the path of a "
                "file: if it is trusted, name what lies below in "
                "<backingStore>"),
              path, name);
    return false;
}

static bool
check_format(const EngineBackingName *name, const char *path, GError **error)
{
    if (!name->format) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("'%s' does not say which format its backing image '%s' "
                    "has: give it in <backingStore>, or for good with qemu-img "
                    "rebase -u -F FORMAT -b '%s' '%s'"),
                  path, name->name, name->name, path);
        return false;
    }
    if (strcmp(name->format, "raw") == 0 || strcmp(name->format, "qcow2") == 0)
        return true;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("the backing image '%s' of '%s' has the format '%s': only raw "
                "and qcow2 are possible"),
              name->name, path, name->format);
    return false;
}

static char *
beside(const char *path, const char *name)
{
    g_autofree char *folder = g_path_get_dirname(path);

    return *name == '/' ? g_strdup(name) : g_build_filename(folder, name, NULL);
}

/* What the image itself says */
static bool
below_image(int fd, const char *path, Below *ret_below, GError **error)
{
    g_auto(EngineBackingName) name = { NULL, NULL };

    if (!engine_backing_read(fd, path, &name, error))
        return false;
    if (!name.name)
        return true;
    if (!check_name(name.name, path, error) ||
        !check_format(&name, path, error))
        return false;
    ret_below->path = beside(path, name.name);
    ret_below->format = g_steal_pointer(&name.format);
    return true;
}

/* What the document says has precedence: @backing is one that it gives. */
static void
below_given(const ConfBacking *backing, Below *ret_below)
{
    if (backing->type == CONF_SOURCE_ABSENT)
        return;
    ret_below->path = g_strdup(backing->path ? backing->path : "");
    ret_below->format = g_strdup(backing->format);
    ret_below->block = backing->type == CONF_SOURCE_BLOCK;
}

/* DRIVE; @fd becomes the document's */
static json_t *
make_drive(Chain *chain, const char *path, const char *format, bool direct,
           int fd)
{
    const ConfDisk *disk = chain->disk;
    json_t *drive =
        json_pack("{s:s,s:s,s:b,s:b,s:s}", "format", format, "path", path,
                  "writable", chain->use.writable, "direct", direct, "aio",
                  disk->io == CONF_DISK_IO_THREADS ? "threads" : "io_uring");

    engine_document_add_fd(chain->resolved, drive, "fd", fd);
    return drive;
}

/* Opens one file and finds what lies below; the document learns of it.
 * @backing: where the document has that */
static json_t *
add_file(Chain *chain, const Below *image, GPtrArray *backing, Below *ret_below,
         GError **error)
{
    g_auto(Fd) fd =
        open_image(chain->resolved, image->path, &chain->use, error);
    bool direct;
    Below below = { NULL, NULL, false };

    if (fd < 0 || !note_file(chain, fd, image->path, error))
        return NULL;
    if (chain->disk->transient == CONF_ONOFF_ON && chain->files->len == 1 &&
        !engine_image_size(fd, image->path, image->format, &chain->size, error))
        return NULL;
    if (backing->len > 0)
        below_given(g_ptr_array_index(backing, 0), &below);
    else if (strcmp(image->format, "qcow2") == 0) {
        if (!below_image(fd, image->path, &below, error))
            return NULL;
        conf_disk_add_backing(backing, below.path, below.format);
    } else {
        conf_disk_add_backing(backing, NULL, NULL);
    }
    *ret_below = below;
    /* not before the head was read, which is not aligned */
    if (!set_flags(fd, image->path, &chain->use, &direct, error))
        return NULL;
    return make_drive(chain, image->path, image->format, direct, fd_steal(&fd));
}

static GPtrArray *
next_of(GPtrArray *backing)
{
    return ((ConfBacking *)g_ptr_array_index(backing, 0))->backing;
}

/* The files that the disk has, of which the first is used as @chain says */
static json_t *
add_files(Chain *chain, GError **error)
{
    const ConfDisk *disk = chain->disk;
    GPtrArray *backing = disk->backing;
    json_t *top = NULL, *last = NULL;
    g_auto(Below) image = { g_strdup(disk->path), g_strdup(disk->format),
                            disk->type == CONF_SOURCE_BLOCK };

    while (image.path) {
        Below below = { NULL, NULL, false };
        json_t *drive;

        chain->use.block = image.block;
        drive = add_file(chain, &image, backing, &below, error);
        below_clear(&image);
        image = below;
        if (!drive) {
            json_decref(top);
            return NULL;
        }
        if (last)
            json_object_set_new(last, "backing", drive);
        else
            top = drive;
        last = drive;
        chain->use.writable = chain->use.shareable = false;
        chain->use.optional = true;
        backing = next_of(backing);
    }
    return top;
}

/* What lies above a transient disk's image, which nobody writes. Takes @below
 */
static json_t *
add_overlay(Chain *chain, json_t *below, GError **error)
{
    const char *path = chain->disk->path;
    g_autofree char *shown = g_strconcat(path, ".TRANSIENT", NULL);
    g_auto(Fd) fd = -1;
    bool direct;
    json_t *top;

    if (chain->files->len < ENGINE_DRIVE_DEPTH_MAX)
        fd = engine_overlay_open(chain->resolved, path, chain->size, error);
    else
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("'%s' has too many backing images for a transient disk"),
                  path);
    if (fd < 0 || !set_flags(fd, shown, &chain->use, &direct, error)) {
        json_decref(below);
        return NULL;
    }
    chain->use.writable = true;
    top = make_drive(chain, shown, "qcow2", direct, fd_steal(&fd));
    json_object_set_new(top, "backing", below);
    return top;
}

json_t *
engine_image_chain(EngineResolved *resolved, ConfDisk *disk, GError **error)
{
    g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(File));
    Chain chain = { .resolved = resolved, .disk = disk, .files = files };
    bool transient = disk->transient == CONF_ONOFF_ON;
    json_t *drive;

    chain.use.writable = !transient && disk->readonly != CONF_ONOFF_ON;
    chain.use.shareable = disk->shareable == CONF_ONOFF_ON;
    chain.use.direct = disk->cache == CONF_DISK_CACHE_NONE ||
                       disk->cache == CONF_DISK_CACHE_DIRECTSYNC;
    drive = add_files(&chain, error);
    return drive && transient ? add_overlay(&chain, drive, error) : drive;
}
