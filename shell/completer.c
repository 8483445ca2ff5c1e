/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/completer.h"

#include <string.h>

#include "shell/domain.h"
#include "shell/shell.h"
#include "shell/xml.h"

/* Candidates shown are bounded: a folder may hold any number of files. */
#define FILES_MAX 10000

static GPtrArray *
list_new(void)
{
    return g_ptr_array_new_with_free_func(g_free);
}

static char **
list_take(GPtrArray *list)
{
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(list, FALSE);
}

bool
vsh_complete_connected(VshShell *shell)
{
    bool start = shell->connection.start_daemon;
    VshConnectResult result;

    shell->connection.start_daemon = false;
    result = vsh_connection_ensure(&shell->connection, NULL);
    shell->connection.start_daemon = start;
    return result != VSH_CONNECT_FAILED;
}

char **
vsh_complete_word(VshShell *shell, const VshArgs *args, const VshOption *option,
                  const char *partial)
{
    return g_strdupv((char **)option->words);
}

char **
vsh_complete_words(VshShell *shell, const VshArgs *args,
                   const VshOption *option, const char *partial)
{
    const char *comma = strrchr(partial, ',');
    size_t kept = comma ? (size_t)(comma - partial) + 1 : 0;
    g_autofree char *before = g_strndup(partial, kept);
    g_auto(GStrv) given = g_strsplit(before, ",", -1);
    GPtrArray *list = list_new();

    for (size_t i = 0; option->words[i]; i++)
        if (!g_strv_contains((const char *const *)given, option->words[i]))
            g_ptr_array_add(list, g_strdup_printf("%.*s%s", (int)kept, partial,
                                                  option->words[i]));
    return list_take(list);
}

static bool
already_given(const VshArgs *args, const VshOption *option, const char *name)
{
    GPtrArray *given = vsh_args_strings(args, option->name);

    for (guint i = 0; given && i < given->len; i++)
        if (strcmp(given->pdata[i], name) == 0)
            return true;
    return false;
}

char **
vsh_complete_domain(VshShell *shell, const VshArgs *args,
                    const VshOption *option, const char *partial)
{
    g_autoptr(GPtrArray) domains = NULL;
    GPtrArray *names;

    if (!vsh_complete_connected(shell))
        return NULL;
    domains = vsh_domain_list(shell, option->domains, NULL);
    if (!domains)
        return NULL;
    names = list_new();
    for (guint i = 0; i < domains->len; i++) {
        const char *name = virDomainGetName(domains->pdata[i]);

        if (!already_given(args, option, name))
            g_ptr_array_add(names, g_strdup(name));
    }
    return list_take(names);
}

/* Expands a leading "~/" for looking, not for the candidate. */
static char *
folder_to_open(const char *folder)
{
    if (g_str_has_prefix(folder, "~/"))
        return g_build_filename(g_get_home_dir(), folder + 2, NULL);
    return g_strdup(*folder ? folder : ".");
}

static char **
complete_path(const char *partial, bool folders_only)
{
    const char *slash = strrchr(partial, '/');
    size_t kept = slash ? (size_t)(slash - partial) + 1 : 0;
    g_autofree char *folder = g_strndup(partial, kept);
    g_autofree char *opened = folder_to_open(folder);
    g_autoptr(GDir) dir = g_dir_open(opened, 0, NULL);
    GPtrArray *list;
    const char *name;

    if (!dir)
        return NULL;
    list = list_new();
    while ((name = g_dir_read_name(dir)) && list->len < FILES_MAX) {
        g_autofree char *path = g_build_filename(opened, name, NULL);
        bool is_folder = g_file_test(path, G_FILE_TEST_IS_DIR);

        /* hidden files only for who begins with a dot */
        if ((name[0] == '.') != (partial[kept] == '.') ||
            (folders_only && !is_folder))
            continue;
        g_ptr_array_add(list, g_strdup_printf("%s%s%s", folder, name,
                                              is_folder ? "/" : ""));
    }
    return list_take(list);
}

char **
vsh_complete_file(VshShell *shell, const VshArgs *args, const VshOption *option,
                  const char *partial)
{
    return complete_path(partial, false);
}

char **
vsh_complete_folder(VshShell *shell, const VshArgs *args,
                    const VshOption *option, const char *partial)
{
    return complete_path(partial, true);
}

char **
vsh_complete_topic(VshShell *shell, const VshArgs *args,
                   const VshOption *option, const char *partial)
{
    g_autoptr(GPtrArray) commands = vsh_command_list(NULL);
    GPtrArray *list = list_new();

    for (guint i = 0; i < commands->len; i++)
        g_ptr_array_add(
            list, g_strdup(((const VshCommand *)commands->pdata[i])->name));
    for (const VshGroup *group = vsh_groups; group->keyword; group++)
        g_ptr_array_add(list, g_strdup(group->keyword));
    return list_take(list);
}

char **
vsh_complete_uri(VshShell *shell, const VshArgs *args, const VshOption *option,
                 const char *partial)
{
    static const char *const uris[] = {
        "kvm:///session", "kvm:///system",   "kvm:///embed?root=",
        "null:///",       "test:///default", NULL,
    };

    return g_strdupv((char **)uris);
}

char **
vsh_complete_chardev(VshShell *shell, const VshArgs *args,
                     const VshOption *option, const char *partial)
{
    const char *name = vsh_args_string(args, "domain");
    g_autoptr(virDomain) domain = NULL;
    g_autofree char *xml = NULL;

    if (!name || !vsh_complete_connected(shell))
        return NULL;
    domain = vsh_domain_find(shell, name, NULL);
    xml = domain ? virDomainGetXMLDesc(domain, 0) : NULL;
    if (!xml)
        return NULL;
    return vsh_xml_strings(xml, "/domain/devices/*[self::serial or "
                                "self::console]/alias/@name");
}
