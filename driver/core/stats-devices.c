/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/stats-devices.h"

#include <stdio.h>

#include "core/block.h"
#include "core/image.h"
#include "core/interface.h"

static const char *
field(char *name, const char *group, unsigned number, const char *what)
{
    snprintf(name, VIR_TYPED_PARAM_FIELD_LENGTH, "%s.%u.%s", group, number,
             what);
    return name;
}

static void
add_number(CoreParams *params, const char *group, unsigned number,
           const char *what, uint64_t value)
{
    char name[VIR_TYPED_PARAM_FIELD_LENGTH];

    core_params_ullong(params, field(name, group, number, what), value);
}

static void
add_text(CoreParams *params, const char *group, unsigned number,
         const char *what, const char *value)
{
    char name[VIR_TYPED_PARAM_FIELD_LENGTH];

    if (value)
        core_params_string(params, field(name, group, number, what), value);
}

/* --- block
 * ---------------------------------------------------------------------
 */

static void
add_counts(CoreParams *params, unsigned number, const CoreBlockStats *stats)
{
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {
        { "rd.reqs", stats->rd.operations },
        { "rd.bytes", stats->rd.bytes },
        { "rd.times", stats->rd.total_ns },
        { "wr.reqs", stats->wr.operations },
        { "wr.bytes", stats->wr.bytes },
        { "wr.times", stats->wr.total_ns },
        { "fl.reqs", stats->flush.operations },
        { "fl.times", stats->flush.total_ns },
        { "errors", stats->errors },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++)
        add_number(params, "block", number, counts[i].name, counts[i].value);
}

static void
add_index(CoreParams *params, unsigned number, unsigned index)
{
    char name[VIR_TYPED_PARAM_FIELD_LENGTH];

    core_params_uint(params, field(name, "block", number, "backingIndex"),
                     index);
}

/* Of an image: as the engine says, else as the host does. */
static void
add_sizes(CoreParams *params, unsigned number, const VirtkvmBlockInfo *info)
{
    add_number(params, "block", number, "allocation", info->allocation);
    add_number(params, "block", number, "capacity", info->capacity);
    add_number(params, "block", number, "physical", info->physical);
}

static void
add_image(CoreParams *params, unsigned number, const char *path,
          const char *format)
{
    VirtkvmBlockInfo info;

    if (path && core_image_info(path, format, &info, NULL))
        add_sizes(params, number, &info);
}

static void
add_disk(CoreParams *params, unsigned number, const ConfDisk *disk,
         const CoreBlockStats *stats)
{
    VirtkvmBlockInfo info;

    add_text(params, "block", number, "name", disk->target);
    add_text(params, "block", number, "path", disk->path);
    if (disk->source_index > 0)
        add_index(params, number, disk->source_index);
    if (!stats) {
        add_image(params, number, disk->path, disk->format);
        return;
    }
    add_counts(params, number, stats);
    info = (VirtkvmBlockInfo){ .allocation = stats->highest_offset
                                                 ? stats->highest_offset
                                                 : stats->allocation,
                               .capacity = stats->size,
                               .physical = stats->physical };
    add_sizes(params, number, &info);
}

/* Returns: how many it added. */
static unsigned
add_backing(CoreParams *params, unsigned number, const ConfDisk *disk)
{
    const GPtrArray *below = disk->backing;
    unsigned added = 0;

    while (below && below->len > 0) {
        const ConfBacking *image = below->pdata[0];

        if (!image->path)
            break;
        add_text(params, "block", number + added, "name", disk->target);
        add_text(params, "block", number + added, "path", image->path);
        if (image->index > 0)
            add_index(params, number + added, image->index);
        add_image(params, number + added, image->path, image->format);
        added++;
        below = image->backing;
    }
    return added;
}

void
core_stats_add_block(const CoreView *view, bool backing, CoreParams *params)
{
    g_autoptr(GArray) all = view->engine ? core_block_ask(view, NULL) : NULL;
    CoreParams each = core_params_new();
    VirtkvmParams list;
    unsigned number = 0;

    for (guint i = 0; i < view->conf->disks->len; i++) {
        const ConfDisk *disk = view->conf->disks->pdata[i];

        add_disk(&each, number++, disk, all ? core_block_of(all, disk) : NULL);
        if (backing)
            number += add_backing(&each, number, disk);
    }
    core_params_uint(params, "block.count", number);
    list = core_params_end(&each);
    core_params_append(params, &list);
}

/* --- net
 * -------------------------------------------------------------------------
 */

static void
add_interface(CoreParams *params, unsigned number,
              const ConfInterface *interface, const CoreNetStats *stats)
{
    const struct {
        const char *name;
        int64_t value;
    } counts[] = {
        { "rx.bytes", stats->counts.rx_bytes },
        { "rx.pkts", stats->counts.rx_packets },
        { "rx.errs", stats->counts.rx_errs },
        { "rx.drop", stats->counts.rx_drop },
        { "tx.bytes", stats->counts.tx_bytes },
        { "tx.pkts", stats->counts.tx_packets },
        { "tx.errs", stats->counts.tx_errs },
        { "tx.drop", stats->counts.tx_drop },
    };

    add_text(params, "net", number, "name",
             interface->target ? interface->target : interface->alias);
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++)
        if (counts[i].value >= 0)
            add_number(params, "net", number, counts[i].name,
                       (uint64_t)counts[i].value);
}

void
core_stats_add_net(const CoreView *view, CoreParams *params)
{
    g_autoptr(GArray) all =
        view->engine ? core_interface_ask(view, NULL) : NULL;

    if (!view->engine)
        return; /* libvirt tells nothing of an inactive domain */
    core_params_uint(params, "net.count", view->conf->interfaces->len);
    for (guint i = 0; i < view->conf->interfaces->len; i++) {
        const ConfInterface *interface = view->conf->interfaces->pdata[i];
        const CoreNetStats *stats =
            all ? core_interface_of(all, interface) : NULL;

        if (stats)
            add_interface(params, i, interface, stats);
    }
}
