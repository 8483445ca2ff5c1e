/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/device.h"

#include <string.h>

typedef struct Found {
    GPtrArray *array; /* NULL: there is none */
    guint index;
} Found;

/* What can come and go: the arrays of ConfDomain, and where an alias is. */
static const struct {
    size_t array;
    size_t alias;
} kinds[] = {
    { offsetof(ConfDomain, disks), offsetof(ConfDisk, alias) },
    { offsetof(ConfDomain, interfaces), offsetof(ConfInterface, alias) },
};

static Found
find(const ConfDomain *conf, const char *alias)
{
    for (size_t i = 0; alias && i < G_N_ELEMENTS(kinds); i++) {
        GPtrArray *array =
            *(GPtrArray *const *)(const void *)((const char *)conf +
                                                kinds[i].array);

        for (guint j = 0; j < array->len; j++) {
            const char *own =
                *(char *const *)(const void *)((const char *)array->pdata[j] +
                                               kinds[i].alias);

            if (own && strcmp(own, alias) == 0)
                return (Found){ array, j };
        }
    }
    return (Found){ NULL, 0 };
}

ConfDisk *
core_device_disk(const ConfDomain *conf, const char *alias)
{
    Found found = find(conf, alias);

    return found.array && found.array == conf->disks
               ? found.array->pdata[found.index]
               : NULL;
}

bool
core_device_exists(const ConfDomain *conf, const char *alias)
{
    return find(conf, alias).array != NULL;
}

bool
core_device_remove(ConfDomain *conf, const char *alias)
{
    Found found = find(conf, alias);

    if (found.array)
        g_ptr_array_remove_index(found.array, found.index);
    return found.array != NULL;
}

/* Controllers that no document names count from 0, too. */
static int
controller_index(const ConfDomain *conf, const char *alias)
{
    static const char prefix[] = "virtio-serial";
    guint64 index;

    for (guint i = 0; alias && i < conf->controllers->len; i++) {
        const ConfController *controller = conf->controllers->pdata[i];

        if (controller->type == CONF_CONTROLLER_VIRTIO_SERIAL &&
            g_strcmp0(controller->alias, alias) == 0)
            return controller->index;
    }
    if (!alias || !g_str_has_prefix(alias, prefix) ||
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
