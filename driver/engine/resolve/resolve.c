/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/resolve.h"

#include <sys/stat.h>
#include <unistd.h>

#include "engine/resolve/document.h"
#include "engine/resolve/open.h"
#include "engine/x86/boot.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

void
engine_document_add_fd(EngineResolved *resolved, json_t *owner, const char *key,
                       int fd)
{
    EngineResolvedFd item = { .fd = fd, .owner = owner, .key = key };

    g_array_append_val(resolved->fds, item);
    g_array_append_val(resolved->number, fd);
}

void
engine_document_append_fd(EngineResolved *resolved, json_t *owner, int fd)
{
    EngineResolvedFd item = { .fd = fd,
                              .owner = owner,
                              .index = json_array_size(owner) };

    json_array_append_new(owner, json_null());
    g_array_append_val(resolved->fds, item);
    g_array_append_val(resolved->number, fd);
}

void
engine_document_warn(EngineResolved *resolved, char *message)
{
    g_autofree char *owned = message;

    if (resolved->context->warnings)
        g_ptr_array_add(resolved->context->warnings, g_steal_pointer(&owned));
}

EngineResolved *
engine_resolved_new(ConfDomain *domain, const EngineResolveContext *context)
{
    EngineResolved *resolved = g_new0(EngineResolved, 1);

    resolved->root = json_object();
    resolved->fds = g_array_new(FALSE, FALSE, sizeof(EngineResolvedFd));
    resolved->number = g_array_new(FALSE, FALSE, sizeof(int));
    resolved->context = context;
    resolved->domain = domain;
    return resolved;
}

EngineResolved *
engine_resolved_finish(EngineResolved *resolved, GError **error)
{
    resolved->context = NULL;
    resolved->domain = NULL;
    if (resolved->fds->len <= ENGINE_RESOLVE_FDS_MAX)
        return resolved;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("the devices need %u open files: at most %d are possible"),
              resolved->fds->len, ENGINE_RESOLVE_FDS_MAX);
    engine_resolved_free(resolved);
    return NULL;
}

/* @fd: of the open file, or -1 with @error set */
static bool
add_image(EngineResolved *resolved, const char *key, const char *path, int fd,
          GError **error)
{
    json_t *file;

    if (fd < 0) {
        g_prefix_error(error, "<%s>: ", key);
        return false;
    }
    file = json_pack("{s:s}", "path", path);
    json_object_set_new(resolved->root, key, file);
    engine_document_add_fd(resolved, file, "fd", fd);
    return true;
}

static bool
add_initrd(EngineResolved *resolved, const char *path, GError **error)
{
    return !path || add_image(resolved, "initrd", path,
                              engine_open_image(path, error), error);
}

/* A bzImage unpacks itself in the guest; the unpacked kernel starts faster. */
static int
open_kernel(const ConfDomain *domain, const char *cache_dir, GError **error)
{
    g_auto(Fd) fd = engine_open_image(domain->os.kernel, error);
    g_autofree char *folder = NULL;
    int cached;

    if (fd < 0 || !cache_dir || domain->virtkvm.kernel_unpack == CONF_ONOFF_OFF)
        return fd_steal(&fd);
    folder = g_build_filename(cache_dir, "kernels", NULL);
    cached = engine_kernel_cached(fd, domain->os.kernel, folder, error);
    return cached < 0 ? -1 : engine_open_high(cached, error);
}

static bool
add_kernel(EngineResolved *resolved, GError **error)
{
    const ConfDomain *domain = resolved->domain;

    return !domain->os.kernel ||
           add_image(resolved, "kernel", domain->os.kernel,
                     open_kernel(domain, resolved->context->cache_dir, error),
                     error);
}

EngineResolved *
engine_resolve(ConfDomain *domain, const EngineResolveContext *context,
               GError **error)
{
    g_autoptr(EngineResolved) resolved = engine_resolved_new(domain, context);

    conf_domain_assign_live(domain);
    if (!engine_document_fill(resolved->root, domain, error) ||
        !engine_document_firmware(resolved, error) ||
        !engine_document_smbios(resolved, error) ||
        !add_kernel(resolved, error) ||
        !add_initrd(resolved, domain->os.initrd, error) ||
        !engine_document_serials(resolved, error) ||
        !engine_document_devices(resolved, error))
        return NULL;
    engine_document_boot(resolved);
    if (!engine_document_roms(resolved, error))
        return NULL;
    json_object_set_new(resolved->root, "paused",
                        json_boolean(context->flags & ENGINE_RESOLVE_PAUSED));
    return engine_resolved_finish(g_steal_pointer(&resolved), error);
}

const int *
engine_resolved_fds(const EngineResolved *resolved, size_t *ret_count)
{
    *ret_count = resolved->number->len;
    return (const int *)(void *)resolved->number->data;
}

char *
engine_resolved_document(const EngineResolved *resolved, int first_fd)
{
    char *text, *copy;

    for (guint i = 0; i < resolved->fds->len; i++) {
        const EngineResolvedFd *item =
            &g_array_index(resolved->fds, EngineResolvedFd, i);
        int number = first_fd < 0 ? item->fd : first_fd + (int)i;

        if (item->key)
            json_object_set_new(item->owner, item->key, json_integer(number));
        else
            json_array_set_new(item->owner, item->index, json_integer(number));
    }
    text = json_dumps(resolved->root, JSON_COMPACT);
    copy = g_strdup(text);
    free(text);
    return copy;
}

void
engine_resolved_free(EngineResolved *resolved)
{
    if (!resolved)
        return;
    for (guint i = 0; i < resolved->number->len; i++)
        close(g_array_index(resolved->number, int, i));
    g_array_unref(resolved->number);
    g_array_unref(resolved->fds);
    json_decref(resolved->root);
    g_free(resolved);
}

/* @chardev: a channel that was never started has no path */
static void
remove_socket(const ConfChardev *chardev)
{
    struct stat info;

    if (chardev->type != CONF_CHARDEV_UNIX || !chardev->listen ||
        !chardev->path)
        return;
    if (lstat(chardev->path, &info) == 0 && S_ISSOCK(info.st_mode))
        unlink(chardev->path);
    engine_document_leave_folder(chardev->path);
}

void
engine_resolve_cleanup(const ConfDomain *domain)
{
    const GPtrArray *const lists[] = { domain->serials, domain->consoles,
                                       domain->channels };

    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        for (guint j = 0; j < lists[i]->len; j++)
            remove_socket(g_ptr_array_index(lists[i], j));
}
