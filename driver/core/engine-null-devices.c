/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/engine-devices.h"
#include "core/engine-null.h"
#include "core/image.h"

/* Devices of a guest that is none: it takes every device, lets go of each when
 * asked, gives back memory at once, reads nothing and sends nothing. */

static bool
null_attach(CoreEngine *base, ConfDomain *live, ConfDevice *device,
            GPtrArray *warnings, GError **error)
{
    return true;
}

static bool
null_detach(CoreEngine *base, const char *id, GError **error)
{
    NullEngine *engine = (NullEngine *)base;
    CoreEngineEvent event = { .kind = CORE_ENGINE_DEVICE_DELETED, .id = id };

    g_mutex_lock(&engine->lock);
    g_hash_table_remove(engine->sizes, id);
    g_mutex_unlock(&engine->lock);
    core_null_queue(engine, &event);
    return true;
}

/* Its image is looked at, as far as there is one. */
static void
fill_sizes(NullEngine *engine, const ConfDisk *disk, CoreBlockStats *stats)
{
    VirtkvmBlockInfo info = { 0 };
    const uint64_t *size;

    if (disk->path)
        (void)core_image_info(disk->path, disk->format, &info, NULL);
    stats->size = info.capacity;
    stats->physical = info.physical;
    stats->allocation = info.allocation;
    g_mutex_lock(&engine->lock);
    size = g_hash_table_lookup(engine->sizes, stats->id);
    if (size)
        stats->size = *size;
    g_mutex_unlock(&engine->lock);
}

static GArray *
null_block_stats(CoreEngine *base, const ConfDomain *live, GError **error)
{
    GArray *all = core_block_stats_array();

    for (guint i = 0; i < live->disks->len; i++) {
        const ConfDisk *disk = live->disks->pdata[i];
        CoreBlockStats stats = { .id =
                                     g_strdup(disk->alias ? disk->alias : "") };

        fill_sizes((NullEngine *)base, disk, &stats);
        g_array_append_val(all, stats);
    }
    return all;
}

static bool
null_change_medium(CoreEngine *base, ConfDomain *live, ConfDisk *disk,
                   bool force, GError **error)
{
    CoreEngineEvent event = { .kind = CORE_ENGINE_TRAY,
                              .id = disk->alias,
                              .on = true };

    core_null_queue((NullEngine *)base, &event);
    event.on = false;
    core_null_queue((NullEngine *)base, &event);
    return true;
}

static bool
null_block_resize(CoreEngine *base, const char *id, uint64_t size,
                  GError **error)
{
    NullEngine *engine = (NullEngine *)base;

    g_mutex_lock(&engine->lock);
    g_hash_table_replace(engine->sizes, g_strdup(id),
                         g_memdup2(&size, sizeof(size)));
    g_mutex_unlock(&engine->lock);
    return true;
}

static bool
null_block_throttle(CoreEngine *base, const char *id,
                    const ConfThrottle *throttle, GError **error)
{
    return true;
}

static GArray *
null_net_stats(CoreEngine *base, const ConfDomain *live, GError **error)
{
    GArray *all = core_net_stats_array();

    for (guint i = 0; i < live->interfaces->len; i++) {
        const ConfInterface *interface = live->interfaces->pdata[i];
        CoreNetStats stats = { .id = g_strdup(
                                   interface->alias ? interface->alias : "") };

        g_array_append_val(all, stats);
    }
    return all;
}

static bool
null_set_link(CoreEngine *base, const char *id, bool up, GError **error)
{
    return true;
}

static bool
null_net_connect(CoreEngine *base, const ConfInterface *before,
                 ConfInterface *after, GError **error)
{
    return true;
}

static bool
null_net_bandwidth(CoreEngine *base, const char *id,
                   const ConfBandwidth *bandwidth, GError **error)
{
    return true;
}

static bool
null_balloon(CoreEngine *base, uint64_t bytes, GError **error)
{
    CoreEngineEvent event = { .kind = CORE_ENGINE_BALLOON,
                              .value = (int64_t)MIN(bytes, INT64_MAX) };

    core_null_queue((NullEngine *)base, &event);
    return true;
}

static bool
null_balloon_period(CoreEngine *base, unsigned seconds, GError **error)
{
    return true;
}

static bool
null_balloon_stats(CoreEngine *base, CoreBalloonStats *ret_stats,
                   GError **error)
{
    *ret_stats = (CoreBalloonStats){ 0 };
    return true;
}

const CoreEngineDeviceOps core_engine_null_devices = {
    .attach = null_attach,
    .detach = null_detach,
    .block_stats = null_block_stats,
    .change_medium = null_change_medium,
    .block_resize = null_block_resize,
    .block_throttle = null_block_throttle,
    .net_stats = null_net_stats,
    .set_link = null_set_link,
    .net_connect = null_net_connect,
    .net_bandwidth = null_net_bandwidth,
    .balloon = null_balloon,
    .balloon_period = null_balloon_period,
    .balloon_stats = null_balloon_stats,
};
