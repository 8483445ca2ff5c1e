/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "core/block.h"
#include "core/calls.h"
#include "core/image.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

/** Changing and reading the images of disks. */

/* --- domainBlockResize
 * -----------------------------------------------------------
 */

#define SECTOR_BYTES 512

typedef struct Resize {
    const char *disk;
    uint64_t size; /* bytes */
    char *id;
} Resize;

static bool
ask_resize(CoreEngine *engine, gpointer data, GError **error)
{
    const Resize *resize = data;

    return engine->ops->devices->block_resize(engine, resize->id, resize->size,
                                              error);
}

/* A qcow2 image ends with a whole sector. */
static bool
prepare_resize(const ConfDomain *conf, Resize *resize, GError **error)
{
    const ConfDisk *disk = conf_domain_disk(conf, resize->disk);

    if (!disk) {
        error_set(error, VIR_ERR_INVALID_ARG, _("invalid path: %s"),
                  resize->disk);
        return false;
    }
    if (!disk->path || disk->readonly == CONF_ONOFF_ON) {
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("can't resize empty or readonly disk '%s'"), disk->target);
        return false;
    }
    if (g_strcmp0(disk->format, "qcow2") == 0)
        resize->size =
            (resize->size + SECTOR_BYTES - 1) & ~(uint64_t)(SECTOR_BYTES - 1);
    resize->id = g_strdup(disk->alias);
    return true;
}

static bool
resize_act(CoreCall *call, GError **error)
{
    Resize *resize = call->data;
    g_autoptr(ConfDomain) conf = core_def_open(call->domain->def, error);
    bool done = conf && prepare_resize(conf, resize, error) &&
                core_api_ask_engine(call->domain, ask_resize, resize, error);

    g_free(resize->id);
    return done;
}

static const CoreOperation resize_operation = {
    .name = "domainBlockResize",
    .needs = CORE_JOB | CORE_ACTIVE,
    .flags = VIR_DOMAIN_BLOCK_RESIZE_BYTES,
    .act = resize_act,
};

bool
core_call_block_resize(VirtkvmState *state, const VirtkvmCaller *who,
                       const VirtkvmDomainRef *dom, const char *disk,
                       uint64_t size, unsigned flags, GError **error)
{
    unsigned unit = flags & VIR_DOMAIN_BLOCK_RESIZE_BYTES ? 1 : 1024;
    Resize resize = { .disk = disk };
    CoreCall call = {
        .state = state, .who = who, .flags = flags, .data = &resize
    };

    if (size > (uint64_t)INT64_MAX / unit) {
        error_set(error, VIR_ERR_OVERFLOW, _("size must be less than %llu"),
                  (unsigned long long)INT64_MAX / unit);
        return false;
    }
    resize.size = size * unit;
    return core_api_call(&resize_operation, &call, dom, error);
}

/* --- domainBlockPeek
 * -------------------------------------------------------------
 */

static const CoreOperation peek_operation = { .name = "domainBlockPeek" };

static bool
peek(const ConfDisk *disk, uint64_t offset, GByteArray *bytes, GError **error)
{
    g_auto(Fd) fd = core_image_open(disk->path, error);
    ssize_t n;

    if (fd < 0)
        return false;
    do
        n = pread(fd, bytes->data, bytes->len, (off_t)offset);
    while (n < 0 && errno == EINTR);
    if (n == (ssize_t)bytes->len)
        return true;
    if (n < 0)
        error_set_errno(error, errno, _("cannot read '%s'"), disk->path);
    else
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("'%s' starting from %llu has only %zd bytes available"),
                  disk->path, (unsigned long long)offset, n);
    return false;
}

bool
core_call_block_peek(VirtkvmState *state, const VirtkvmCaller *who,
                     const VirtkvmDomainRef *dom, const char *disk,
                     uint64_t offset, size_t size, GByteArray **ret_bytes,
                     GError **error)
{
    CoreCall call = { .state = state, .who = who };
    g_autoptr(GByteArray) bytes = NULL;
    g_auto(CoreView) view = { 0 };
    const ConfDisk *found;

    if (!core_view(&peek_operation, &call, dom, &view, error))
        return false;
    found = core_block_find(view.conf, disk, error);
    if (!found)
        return false;
    if (found->format && strcmp(found->format, "raw") != 0) {
        error_set(
            error, VIR_ERR_OPERATION_UNSUPPORTED,
            _("peeking is only supported for disk with 'raw' format not '%s'"),
            found->format);
        return false;
    }
    bytes = g_byte_array_sized_new((guint)size);
    g_byte_array_set_size(bytes, (guint)size);
    if (!peek(found, offset, bytes, error))
        return false;
    *ret_bytes = g_steal_pointer(&bytes);
    return true;
}
