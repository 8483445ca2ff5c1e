/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/resolve/document.h"
#include "engine/resolve/image.h"
#include "engine/resolve/open.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

/* A file that the guest writes; no two domains write the same.
 * Returns: as those of open.h */
static int
open_written(EngineResolved *resolved, const char *path, GError **error)
{
    static const EngineImageUse use = { .writable = true };
    g_auto(Fd) fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    g_auto(Fd) high = -1;
    struct stat info;

    if (fd < 0 || fstat(fd, &info) != 0) {
        error_set_errno(error, errno, _("cannot open '%s' for writing"), path);
        return -1;
    }
    if (!S_ISREG(info.st_mode)) {
        error_set(error, VIR_ERR_INVALID_ARG, _("'%s' is not a regular file"),
                  path);
        return -1;
    }
    high = engine_open_high(fd_steal(&fd), error);
    if (high < 0 || !engine_image_lock(resolved, high, path, &use, error))
        return -1;
    return fd_steal(&high);
}

/* @object: gets "path" and "fd" */
static bool
add_file(EngineResolved *resolved, json_t *object, const char *path,
         bool writable, const char *element, GError **error)
{
    int fd = writable ? open_written(resolved, path, error)
                      : engine_open_image(path, error);

    if (fd < 0) {
        g_prefix_error(error, "<%s>: ", element);
        return false;
    }
    json_object_set_new(object, "path", json_string(path));
    engine_document_add_fd(resolved, object, "fd", fd);
    return true;
}

static bool
add_vars(EngineResolved *resolved, json_t *firmware, GError **error)
{
    const char *path = conf_os_nvram(&resolved->domain->os);
    json_t *vars;

    if (!path) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("the firmware has no file for its variables: name one by "
                    "<nvram>"));
        return false;
    }
    vars = json_object();
    json_object_set_new(firmware, "vars", vars);
    return add_file(resolved, vars, path, true, "nvram", error);
}

/* Where packages put SeaBIOS, the larger build first, which has all drivers. */
static const char *const bios_paths[] = {
    "/usr/share/seabios/bios-256k.bin", /* Debian, Fedora */
    "/usr/share/qemu/bios-256k.bin",    /* openSUSE, Arch Linux */
    "/usr/share/seabios/bios.bin", NULL
};

static bool
add_bios(EngineResolved *resolved, json_t *firmware, GError **error)
{
    const char *path = engine_find_file(bios_paths);

    if (path)
        return add_file(resolved, firmware, path, false, "os", error);
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("<os> has no <kernel>, and this host no BIOS that would boot a "
                "disk: install the package seabios, or name a <loader> or a "
                "<kernel>"));
    return false;
}

bool
engine_document_firmware(EngineResolved *resolved, GError **error)
{
    const ConfOs *os = &resolved->domain->os;
    const ConfLoader *loader = &os->loader;
    bool flash = loader->path && loader->type == CONF_LOADER_PFLASH;
    bool writable = flash && loader->readonly != CONF_ONOFF_ON;
    json_t *firmware;

    if (!loader->path && os->kernel)
        return true;
    firmware = json_object();
    json_object_set_new(resolved->root, "firmware", firmware);
    json_object_set_new(firmware, "type", json_string(flash ? "flash" : "rom"));
    if (!loader->path)
        return add_bios(resolved, firmware, error);
    if (writable)
        json_object_set_new(firmware, "writable", json_true());
    return add_file(resolved, firmware, loader->path, writable, "loader",
                    error) &&
           (!conf_os_wants_nvram(os) || add_vars(resolved, firmware, error));
}
