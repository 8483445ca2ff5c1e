/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "shell/completer.h"
#include "shell/device.h"
#include "shell/xml.h"

/* Candidates of the devices of a domain and its host. */

/* The device's texts that are candidates; adds them to @list. */
typedef void (*VshDeviceTexts)(GPtrArray *list, const VshArgs *args,
                               const VshDevice *device);

static char **
list_take(GPtrArray *list)
{
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(list, FALSE);
}

static void
add_text(GPtrArray *list, const char *text)
{
    if (text)
        g_ptr_array_add(list, g_strdup(text));
}

/* The devices of the domain named before, or NULL. */
static GPtrArray *
devices_of(VshShell *shell, const VshArgs *args, VshDeviceKind kind)
{
    const char *name = vsh_args_string(args, "domain");
    g_autoptr(virDomain) domain = NULL;

    if (!name || !vsh_complete_connected(shell))
        return NULL;
    domain = vsh_domain_find(shell, name, NULL);
    return domain ? vsh_device_list(domain, kind, 0, NULL) : NULL;
}

static char **
complete_device(VshShell *shell, const VshArgs *args, VshDeviceKind kind,
                VshDeviceTexts texts)
{
    g_autoptr(GPtrArray) devices = devices_of(shell, args, kind);
    GPtrArray *list;

    if (!devices)
        return NULL;
    list = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < devices->len; i++)
        texts(list, args, devices->pdata[i]);
    return list_take(list);
}

static void
add_target(GPtrArray *list, const VshArgs *args, const VshDevice *device)
{
    add_text(list, device->target);
}

static void
add_alias(GPtrArray *list, const VshArgs *args, const VshDevice *device)
{
    add_text(list, device->alias);
}

static void
add_names(GPtrArray *list, const VshArgs *args, const VshDevice *device)
{
    add_text(list, device->target);
    add_text(list, device->mac);
}

static void
add_mac(GPtrArray *list, const VshArgs *args, const VshDevice *device)
{
    const char *type =
        vsh_args_has(args, "type") ? vsh_args_string(args, "type") : NULL;

    if (!type || g_strcmp0(type, device->type) == 0)
        add_text(list, device->mac);
}

static void
add_type(GPtrArray *list, const VshArgs *args, const VshDevice *device)
{
    add_text(list, device->type);
}

char **
vsh_complete_disk(VshShell *shell, const VshArgs *args, const VshOption *option,
                  const char *partial)
{
    return complete_device(shell, args, VSH_DEVICE_DISK, add_target);
}

char **
vsh_complete_interface(VshShell *shell, const VshArgs *args,
                       const VshOption *option, const char *partial)
{
    return complete_device(shell, args, VSH_DEVICE_INTERFACE, add_names);
}

char **
vsh_complete_mac(VshShell *shell, const VshArgs *args, const VshOption *option,
                 const char *partial)
{
    return complete_device(shell, args, VSH_DEVICE_INTERFACE, add_mac);
}

char **
vsh_complete_interface_type(VshShell *shell, const VshArgs *args,
                            const VshOption *option, const char *partial)
{
    return complete_device(shell, args, VSH_DEVICE_INTERFACE, add_type);
}

char **
vsh_complete_alias(VshShell *shell, const VshArgs *args,
                   const VshOption *option, const char *partial)
{
    return complete_device(shell, args, VSH_DEVICE_ANY, add_alias);
}

static bool
is_taken(GPtrArray *disks, const char *target)
{
    for (guint i = 0; i < disks->len; i++)
        if (g_strcmp0(((VshDevice *)disks->pdata[i])->target, target) == 0)
            return true;
    return false;
}

char **
vsh_complete_free_target(VshShell *shell, const VshArgs *args,
                         const VshOption *option, const char *partial)
{
    g_autoptr(GPtrArray) disks = devices_of(shell, args, VSH_DEVICE_DISK);
    GPtrArray *list;

    if (!disks)
        return NULL;
    list = g_ptr_array_new_with_free_func(g_free);
    for (char letter = 'a'; letter <= 'z' && list->len == 0; letter++) {
        g_autofree char *target = g_strdup_printf("vd%c", letter);

        if (!is_taken(disks, target))
            g_ptr_array_add(list, g_steal_pointer(&target));
    }
    return list_take(list);
}

static char **
complete_network(VshShell *shell)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    virNetworkPtr *networks = NULL;
    int count =
        vsh_complete_connected(shell)
            ? virConnectListAllNetworks(shell->connection.conn, &networks, 0)
            : 0;

    for (int i = 0; i < count; i++) {
        add_text(list, virNetworkGetName(networks[i]));
        virNetworkFree(networks[i]);
    }
    free(networks);
    return list_take(list);
}

/* The network devices of this host; with @bridges only those. */
static char **
complete_link(bool bridges)
{
    g_autoptr(GDir) dir = g_dir_open("/sys/class/net", 0, NULL);
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *bridge =
            g_build_filename("/sys/class/net", name, "bridge", NULL);

        if (!bridges || g_file_test(bridge, G_FILE_TEST_IS_DIR))
            add_text(list, name);
    }
    return list_take(list);
}

char **
vsh_complete_interface_source(VshShell *shell, const VshArgs *args,
                              const VshOption *option, const char *partial)
{
    const char *type = vsh_args_string(args, "type");

    if (g_strcmp0(type, "network") == 0)
        return complete_network(shell);
    if (g_strcmp0(type, "bridge") == 0 || g_strcmp0(type, "direct") == 0)
        return complete_link(strcmp(type, "bridge") == 0);
    return NULL;
}
