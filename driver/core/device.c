/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/device.h"

#include <string.h>

bool
core_device_moves(ConfDeviceKind kind)
{
    return kind == CONF_DEVICE_DISK || kind == CONF_DEVICE_INTERFACE ||
           kind == CONF_DEVICE_RNG;
}

ConfDisk *
core_device_disk(const ConfDomain *conf, const char *alias)
{
    ConfDevice found;

    if (!alias || !conf_domain_device_by_alias(conf, alias, &found, NULL) ||
        found.kind != CONF_DEVICE_DISK)
        return NULL;
    return found.data;
}

/* A controller that no document names is numbered by its alias alone. */
static int
controller_index(const ConfDomain *conf, const char *alias)
{
    static const char prefix[] = "virtio-serial";
    ConfDevice found;
    guint64 index;

    if (!alias)
        return -1;
    if (conf_domain_device_by_alias(conf, alias, &found, NULL) &&
        found.kind == CONF_DEVICE_CONTROLLER)
        return ((const ConfController *)found.data)->index;
    if (!g_str_has_prefix(alias, prefix) ||
        !g_ascii_string_to_unsigned(alias + strlen(prefix), 10, 0, INT_MAX,
                                    &index, NULL))
        return -1;
    return (int)index;
}

ConfChardev *
core_device_channel(const ConfDomain *conf, const char *alias, int64_t port)
{
    int index = controller_index(conf, alias);

    for (guint i = 0; index >= 0 && i < conf->channels->len; i++) {
        ConfChardev *channel = conf->channels->pdata[i];

        if (MAX(channel->address.controller, 0) == index &&
            channel->address.port == port)
            return channel;
    }
    return NULL;
}
