/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/nvram.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/firmware.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/file.h"
#include "util/i18n.h"
#include "util/log.h"

#define FOLDER    "nvram"
#define SUFFIX    "_VARS.fd"
#define MAX_BYTES (8u << 20) /* of all of a machine's flash */

/* --- which ---------------------------------------------------------------- */
GPtrArray *
core_firmware_list(const VirtkvmState *state)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) folders = conf_firmware_folders(!state->host->privileged);
    GPtrArray *list =
        conf_firmware_list((const char *const *)folders, problems);

    for (guint i = 0; i < problems->len; i++)
        log_warning("%s", (const char *)g_ptr_array_index(problems, i));
    return list;
}

static char *
default_path(const VirtkvmState *state, const char *name)
{
    g_autofree char *file = g_strconcat(name, SUFFIX, NULL);

    return g_build_filename(state->host->lib_dir, state->profile->name, FOLDER,
                            file, NULL);
}

static void
set_path(ConfOs *os, char *path)
{
    bool text = os->nvram.type == CONF_NVRAM_TEXT;
    char **member = text ? &os->nvram.path : &os->nvram.source_file;

    g_free(*member);
    *member = path;
}

bool
core_firmware_choose(const VirtkvmState *state, ConfDomain *conf,
                     GError **error)
{
    g_autoptr(GPtrArray) list = NULL;
    ConfOs *os = &conf->os;

    if (os->firmware || conf_os_wants_nvram(os)) {
        list = core_firmware_list(state);
        if (!conf_domain_choose_firmware(conf, list, error))
            return false;
    }
    if (conf_os_wants_nvram(os) && !conf_os_nvram(os) &&
        os->nvram.type <= CONF_NVRAM_FILE)
        set_path(os, default_path(state, conf->name));
    return true;
}

/* --- its variables -------------------------------------------------------- */
static bool
fail_without_template(const ConfOs *os, GError **error)
{
    error_set(error, VIR_ERR_OPERATION_FAILED,
              _("unable to find any master var store for loader: %s: name one "
                "by <nvram template='...'>"),
              os->loader.path);
    return false;
}

/* Bytes of the file at @path, which has to be one that is read and, @writable,
 * written. Returns: -1 with @error set */
static gint64
measure(const char *path, bool writable, GError **error)
{
    g_auto(Fd) fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC |
                                   O_NOCTTY | O_NONBLOCK);
    struct stat info;

    if (fd < 0 || fstat(fd, &info) != 0) {
        if (writable)
            error_set_errno(error, errno,
                            _("cannot write the firmware's variables to '%s'"),
                            path);
        else
            error_set_errno(error, errno, _("cannot open '%s'"), path);
        return -1;
    }
    if (S_ISREG(info.st_mode))
        return info.st_size;
    error_set(error, VIR_ERR_INVALID_ARG, _("'%s' is not a regular file"),
              path);
    return -1;
}

/* A template that is not there any more has nothing to say. */
static bool
check_size(const ConfOs *os, gint64 size, GError **error)
{
    const char *template = os->nvram.template;
    gint64 expected = template ? measure(template, false, NULL) : -1;

    if (expected < 0 || expected == size)
        return true;
    error_set(error, VIR_ERR_INVALID_ARG,
              _("'%s' has %lld bytes, not the %lld of its template '%s': it "
                "is damaged or belongs to another firmware; start with "
                "--reset-nvram to make it anew"),
              conf_os_nvram(os), (long long)size, (long long)expected,
              template);
    return false;
}

static bool
make(const ConfOs *os, GError **error)
{
    const char *path = conf_os_nvram(os);
    g_autofree char *bytes = NULL;
    size_t size;

    if (!os->nvram.template)
        return fail_without_template(os, error);
    bytes = file_read(os->nvram.template, MAX_BYTES, &size, error);
    if (!bytes || !file_replace(path, bytes, size, 0600, error)) {
        g_prefix_error(error,
                       _("the file of the firmware's variables '%s' cannot be "
                         "made: "),
                       path);
        return false;
    }
    return true;
}

/* Only the folder that is ours is made. */
static bool
make_folder(const VirtkvmState *state, const ConfDomain *conf, GError **error)
{
    g_autofree char *own = default_path(state, conf->name);
    g_autofree char *folder = g_path_get_dirname(own);

    return strcmp(own, conf_os_nvram(&conf->os)) != 0 ||
           file_make_dirs(folder, 0700, error);
}

bool
core_nvram_prepare(const VirtkvmState *state, const ConfDomain *conf,
                   bool reset, GError **error)
{
    const ConfOs *os = &conf->os;
    const char *path = conf_os_nvram(os);
    gint64 size;

    if (!conf_os_wants_nvram(os) || !path)
        return true;
    if (reset || access(path, F_OK) != 0)
        return make_folder(state, conf, error) && make(os, error);
    size = measure(path, true, error);
    return size >= 0 && check_size(os, size, error);
}

bool
core_nvram_undefine(const ConfDomain *conf, unsigned flags, GError **error)
{
    const char *path =
        conf_os_wants_nvram(&conf->os) ? conf_os_nvram(&conf->os) : NULL;

    if ((flags & VIR_DOMAIN_UNDEFINE_NVRAM) &&
        (flags & VIR_DOMAIN_UNDEFINE_KEEP_NVRAM)) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the firmware's variables cannot be both removed and "
                    "kept"));
        return false;
    }
    if (!path || access(path, F_OK) != 0 ||
        (flags & VIR_DOMAIN_UNDEFINE_KEEP_NVRAM))
        return true;
    if (flags & VIR_DOMAIN_UNDEFINE_NVRAM)
        return file_remove(path, error);
    error_set(error, VIR_ERR_OPERATION_INVALID,
              _("cannot undefine domain with nvram: --nvram removes '%s', "
                "--keep-nvram leaves it"),
              path);
    return false;
}

bool
core_nvram_follow(const VirtkvmState *state, ConfDomain *conf, const char *name)
{
    g_autofree char *own = default_path(state, conf->name);
    const char *used = conf_os_nvram(&conf->os);

    if (!used || strcmp(used, own) != 0)
        return false;
    set_path(&conf->os, default_path(state, name));
    return true;
}

bool
core_nvram_move(const VirtkvmState *state, const char *from, const char *to,
                GError **error)
{
    g_autofree char *old = default_path(state, from);
    g_autofree char *path = default_path(state, to);

    if (renameat2(AT_FDCWD, old, AT_FDCWD, path, RENAME_NOREPLACE) == 0 ||
        errno == ENOENT)
        return true;
    error_set_errno(error, errno,
                    _("cannot rename the file of the firmware's variables "
                      "'%s' to '%s'"),
                    old, path);
    return false;
}
