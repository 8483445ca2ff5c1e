/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/persist.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "util/error.h"
#include "util/fd.h"
#include "util/file.h"
#include "util/i18n.h"

static const char warning[] =
    "<!--\n"
    "DO NOT EDIT: virtkvmd writes this file and overwrites changes made here.\n"
    "Change the domain with 'vshell edit' or any other client of libvirt's "
    "API.\n"
    "-->\n";

static char *
config_path(VirtkvmState *state, const char *name)
{
    return g_strdup_printf("%s/%s.xml", state->config_dir, name);
}

static char *
autostart_path(VirtkvmState *state, const char *name)
{
    return g_strdup_printf("%s/%s.xml", state->autostart_dir, name);
}

/* conf refuses such a name; a name that becomes a path is checked again. */
static bool
name_check(const char *name, GError **error)
{
    if (*name && !strchr(name, '/') && !strchr(name, '\n'))
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("name '%s' cannot be the name of a file"), name);
    return false;
}

static FileDraft *
draft_def(const char *path, const CoreDef *def, GError **error)
{
    g_autofree char *text = g_strconcat(warning, def->xml, NULL);

    return file_draft_new(path, text, strlen(text), 0600, error);
}

static bool
write_def(const char *path, const CoreDef *def, GError **error)
{
    g_autoptr(FileDraft) draft = draft_def(path, def, error);

    return draft && file_draft_keep(draft, error);
}

FileDraft *
core_persist_draft(VirtkvmState *state, const char *name, const CoreDef *def,
                   GError **error)
{
    g_autofree char *path = config_path(state, name);

    return name_check(name, error) ? draft_def(path, def, error) : NULL;
}

bool
core_persist_save(VirtkvmState *state, const char *name, const CoreDef *def,
                  GError **error)
{
    g_autoptr(FileDraft) draft = core_persist_draft(state, name, def, error);

    return draft && file_draft_keep(draft, error);
}

bool
core_persist_remove(VirtkvmState *state, const char *name, GError **error)
{
    g_autofree char *path = config_path(state, name);
    g_autofree char *mark = autostart_path(state, name);

    return file_remove(path, error) && file_remove(mark, error);
}

bool
core_persist_set_autostart(VirtkvmState *state, const char *name,
                           bool autostart, GError **error)
{
    g_autofree char *path = config_path(state, name);
    g_autofree char *mark = autostart_path(state, name);

    if (!autostart)
        return file_remove(mark, error);
    if (symlink(path, mark) == 0 || errno == EEXIST)
        return true;
    error_set_errno(error, errno, _("cannot create the link '%s'"), mark);
    return false;
}

static bool
sync_folder(const char *path, GError **error)
{
    g_auto(Fd) fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 && fsync(fd) == 0)
        return true;
    error_set_errno(error, errno, _("cannot write '%s'"), path);
    return false;
}

/*
 * First the content under the old name, then the file's name: in between,
 * loading finds a file whose content names another domain, and moves it
 * (persist-load.c). The autostart mark of the new name comes first and that of
 * the old goes last; a mark without a definition means nothing.
 */
bool
core_persist_rename(VirtkvmState *state, const char *name, const char *new_name,
                    const CoreDef *def, GError **error)
{
    g_autofree char *from = config_path(state, name);
    g_autofree char *to = config_path(state, new_name);
    g_autofree char *mark = autostart_path(state, name);
    bool autostart = g_file_test(mark, G_FILE_TEST_IS_SYMLINK);

    if (!name_check(new_name, error) ||
        (autostart &&
         !core_persist_set_autostart(state, new_name, true, error)) ||
        !write_def(from, def, error))
        return false;
    if (rename(from, to) != 0) {
        error_set_errno(error, errno, _("cannot rename '%s' to '%s'"), from,
                        to);
        return false;
    }
    return sync_folder(state->config_dir, error) && file_remove(mark, error);
}
