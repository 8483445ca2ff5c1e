/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/network.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "shell/completer.h"
#include "util/i18n.h"

static void
network_free(void *data)
{
    virNetworkFree(data);
}

static int
compare(const void *a, const void *b)
{
    virNetworkPtr one = *(virNetworkPtr const *)a;
    virNetworkPtr two = *(virNetworkPtr const *)b;

    return g_ascii_strcasecmp(virNetworkGetName(one), virNetworkGetName(two));
}

GPtrArray *
vsh_network_list(VshShell *shell, unsigned flags, GError **error)
{
    virNetworkPtr *networks = NULL;
    int count =
        virConnectListAllNetworks(shell->connection.conn, &networks, flags);
    GPtrArray *list;

    if (count < 0) {
        vsh_error_virt(error, _("Failed to list networks"));
        return NULL;
    }
    list = g_ptr_array_new_with_free_func(network_free);
    for (int i = 0; i < count; i++)
        g_ptr_array_add(list, networks[i]);
    free(networks);
    g_ptr_array_sort(list, compare);
    return list;
}

static void
suggest(VshShell *shell, const char *word, GError **error)
{
    g_autoptr(GPtrArray) networks = vsh_network_list(shell, 0, NULL);
    g_autofree const char **names = NULL;
    const char *nearest;

    if (!networks)
        return;
    names = g_new0(const char *, networks->len + 1);
    for (guint i = 0; i < networks->len; i++)
        names[i] = virNetworkGetName(networks->pdata[i]);
    nearest = vsh_nearest(word, names);
    if (nearest)
        vsh_error_hint(error, _("did you mean '%s'?"), nearest);
    else
        vsh_error_hint(error, _("'net-list --all' shows the networks of '%s'"),
                       vsh_connection_wanted(&shell->connection));
}

virNetworkPtr
vsh_network_find(VshShell *shell, const char *word, unsigned by, GError **error)
{
    virConnectPtr conn = shell->connection.conn;
    virNetworkPtr network = NULL;
    int code;

    virResetLastError();
    if ((by & VSH_NETWORK_BY_UUID) &&
        strlen(word) == VIR_UUID_STRING_BUFLEN - 1)
        network = virNetworkLookupByUUIDString(conn, word);
    if (!network && (by & VSH_NETWORK_BY_NAME))
        network = virNetworkLookupByName(conn, word);
    if (network)
        return network;
    code = virGetLastErrorCode();
    if (code != VIR_ERR_NO_NETWORK && code != VIR_ERR_OK &&
        code != VIR_ERR_INVALID_ARG) {
        vsh_error_virt(error, _("failed to get network '%s'"), word);
        return NULL;
    }
    vsh_error_set(error, VSH_EXIT_NOT_FOUND, _("failed to get network '%s'"),
                  word);
    if (error)
        suggest(shell, word, error);
    return NULL;
}

virNetworkPtr
vsh_network_of(VshShell *shell, const VshArgs *args, GError **error)
{
    return vsh_network_find(shell, vsh_args_string(args, "network"),
                            VSH_NETWORK_BY_ANY, error);
}

char **
vsh_complete_network(VshShell *shell, const VshArgs *args,
                     const VshOption *option, const char *partial)
{
    g_autoptr(GPtrArray) networks = NULL;
    GPtrArray *names;

    if (!vsh_complete_connected(shell))
        return NULL;
    networks = vsh_network_list(shell, 0, NULL);
    if (!networks)
        return NULL;
    names = g_ptr_array_new();
    for (guint i = 0; i < networks->len; i++)
        g_ptr_array_add(names, g_strdup(virNetworkGetName(networks->pdata[i])));
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}
