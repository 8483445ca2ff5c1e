/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/firmware.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/error.h"
#include "util/file.h"
#include "util/i18n.h"

#define FOLDER "qemu/firmware" /* of all programs that know descriptors */
#define SUFFIX ".json"

GStrv
conf_firmware_folders(bool user)
{
    GPtrArray *folders = g_ptr_array_new();

    if (user)
        g_ptr_array_add(
            folders, g_build_filename(g_get_user_config_dir(), FOLDER, NULL));
    g_ptr_array_add(folders, g_strdup("/etc/" FOLDER));
    g_ptr_array_add(folders, g_strdup("/usr/share/" FOLDER));
    g_ptr_array_add(folders, NULL);
    return (GStrv)g_ptr_array_free(folders, FALSE);
}

/* Adds the files of @folder, by their names, where these are not taken. */
static void
find_files(const char *folder, GHashTable *files)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir)) &&
           g_hash_table_size(files) < CONF_FIRMWARE_MAX_FILES) {
        if (name[0] == '.' || !g_str_has_suffix(name, SUFFIX) ||
            g_hash_table_contains(files, name))
            continue;
        g_hash_table_insert(files, g_strdup(name),
                            g_build_filename(folder, name, NULL));
    }
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b);
}

/* Returns: the descriptor; NULL with @error set, or where the file is empty */
static ConfFirmwareDescriptor *
read_file(const char *path, GError **error)
{
    struct stat info;
    g_autofree char *text = NULL;

    if (stat(path, &info) == 0) {
        if (!S_ISREG(info.st_mode)) {
            error_set(error, VIR_ERR_INVALID_ARG,
                      _("the firmware descriptor '%s' is not a regular file"),
                      path);
            return NULL;
        }
        if (info.st_size == 0)
            return NULL;
    }
    text = file_read(path, CONF_FIRMWARE_MAX_BYTES, NULL, error);
    return text ? conf_firmware_parse(path, text, error) : NULL;
}

GPtrArray *
conf_firmware_list(const char *const *folders, GPtrArray *problems)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(
        (GDestroyNotify)conf_firmware_descriptor_free);
    g_autoptr(GHashTable) files =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GList) names = NULL;

    for (size_t i = 0; folders[i]; i++)
        find_files(folders[i], files);
    names = g_list_sort(g_hash_table_get_keys(files), compare_names);
    for (const GList *item = names; item; item = item->next) {
        g_autoptr(GError) error = NULL;
        ConfFirmwareDescriptor *descriptor =
            read_file(g_hash_table_lookup(files, item->data), &error);

        if (descriptor)
            g_ptr_array_add(list, descriptor);
        else if (error && problems)
            g_ptr_array_add(problems, g_strdup(error->message));
    }
    return list;
}
