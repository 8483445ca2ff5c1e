/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "core/block.h"
#include "core/calls.h"
#include "core/engine-devices.h"
#include "core/image.h"
#include "core/params.h"
#include "util/error.h"
#include "util/i18n.h"

/** What disks have done, and what they take. */

GArray *
core_block_ask(const CoreView *view, GError **error)
{
    return view->engine->ops->devices->block_stats(view->engine, view->conf,
                                                   error);
}

const CoreBlockStats *
core_block_of(const GArray *all, const ConfDisk *disk)
{
    for (guint i = 0; i < all->len; i++) {
        const CoreBlockStats *stats = &g_array_index(all, CoreBlockStats, i);

        if (g_strcmp0(stats->id, disk->alias) == 0)
            return stats;
    }
    return NULL;
}

/* --- domainBlockStats, domainBlockStatsFlags
 * --------------------------------------
 */

static void
add_count(CoreBlockCount *sum, const CoreBlockCount *count)
{
    sum->operations += count->operations;
    sum->bytes += count->bytes;
    sum->total_ns += count->total_ns;
}

static void
add_stats(CoreBlockStats *sum, const CoreBlockStats *stats)
{
    add_count(&sum->rd, &stats->rd);
    add_count(&sum->wr, &stats->wr);
    add_count(&sum->flush, &stats->flush);
    sum->errors += stats->errors;
}

/* "" is the sum of all. */
static bool
sum_stats(const CoreView *view, const char *name, CoreBlockStats *ret_sum,
          GError **error)
{
    const ConfDisk *disk = *name ? conf_domain_disk(view->conf, name) : NULL;
    g_autoptr(GArray) all = NULL;

    if (*name && !disk) {
        error_set(error, VIR_ERR_INVALID_ARG, _("invalid path: %s"), name);
        return false;
    }
    all = core_block_ask(view, error);
    if (!all)
        return false;
    for (guint i = 0; i < all->len; i++) {
        const CoreBlockStats *stats = &g_array_index(all, CoreBlockStats, i);

        if (!disk || stats == core_block_of(all, disk))
            add_stats(ret_sum, stats);
    }
    return true;
}

static const CoreOperation stats_operation = {
    .name = "domainBlockStats",
    .needs = CORE_ACTIVE,
    .flags = VIR_TYPED_PARAM_STRING_OKAY,
};

static bool
ask_stats(const CoreCall *call, const VirtkvmDomainRef *dom, const char *disk,
          CoreBlockStats *ret_sum, GError **error)
{
    g_auto(CoreView) view = { 0 };

    return core_view(&stats_operation, call, dom, &view, error) &&
           sum_stats(&view, disk, ret_sum, error);
}

bool
core_call_block_stats(VirtkvmState *state, const VirtkvmCaller *who,
                      const VirtkvmDomainRef *dom, const char *disk,
                      VirtkvmBlockStats *ret_stats, GError **error)
{
    CoreCall call = { .state = state, .who = who };
    CoreBlockStats sum = { 0 };

    if (!ask_stats(&call, dom, disk, &sum, error))
        return false;
    *ret_stats = (VirtkvmBlockStats){
        .rd_req = (int64_t)sum.rd.operations,
        .rd_bytes = (int64_t)sum.rd.bytes,
        .wr_req = (int64_t)sum.wr.operations,
        .wr_bytes = (int64_t)sum.wr.bytes,
        .errs = (int64_t)sum.errors,
    };
    return true;
}

static void
add_llong(CoreParams *params, const char *name, uint64_t value)
{
    core_params_llong(params, name, (int64_t)MIN(value, (uint64_t)INT64_MAX));
}

bool
core_call_block_stats_flags(VirtkvmState *state, const VirtkvmCaller *who,
                            const VirtkvmDomainRef *dom, const char *disk,
                            unsigned flags, VirtkvmParams *ret_params,
                            GError **error)
{
    CoreCall call = { .state = state, .who = who, .flags = flags };
    CoreBlockStats sum = { 0 };
    CoreParams params;

    if (!ask_stats(&call, dom, disk, &sum, error))
        return false;
    params = core_params_new();
    add_llong(&params, VIR_DOMAIN_BLOCK_STATS_WRITE_BYTES, sum.wr.bytes);
    add_llong(&params, VIR_DOMAIN_BLOCK_STATS_WRITE_REQ, sum.wr.operations);
    add_llong(&params, VIR_DOMAIN_BLOCK_STATS_WRITE_TOTAL_TIMES,
              sum.wr.total_ns);
    add_llong(&params, VIR_DOMAIN_BLOCK_STATS_READ_BYTES, sum.rd.bytes);
    add_llong(&params, VIR_DOMAIN_BLOCK_STATS_READ_REQ, sum.rd.operations);
    add_llong(&params, VIR_DOMAIN_BLOCK_STATS_READ_TOTAL_TIMES,
              sum.rd.total_ns);
    add_llong(&params, VIR_DOMAIN_BLOCK_STATS_FLUSH_REQ, sum.flush.operations);
    add_llong(&params, VIR_DOMAIN_BLOCK_STATS_FLUSH_TOTAL_TIMES,
              sum.flush.total_ns);
    add_llong(&params, VIR_DOMAIN_BLOCK_STATS_ERRS, sum.errors);
    *ret_params = core_params_end(&params);
    return true;
}

/* --- domainGetBlockInfo
 * --------------------------------------------------------------
 */

static const CoreOperation info_operation = { .name = "domainGetBlockInfo" };

const ConfDisk *
core_block_find(const ConfDomain *conf, const char *name, GError **error)
{
    const ConfDisk *disk = conf_domain_disk(conf, name);

    if (!disk)
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("invalid path %s not assigned to domain"), name);
    else if (!disk->path)
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("disk '%s' does not currently have a source assigned"),
                  name);
    else
        return disk;
    return NULL;
}

bool
core_call_block_info(VirtkvmState *state, const VirtkvmCaller *who,
                     const VirtkvmDomainRef *dom, const char *disk,
                     unsigned flags, VirtkvmBlockInfo *ret_info, GError **error)
{
    CoreCall call = { .state = state, .who = who, .flags = flags };
    g_auto(CoreView) view = { 0 };
    g_autoptr(GArray) all = NULL;
    const CoreBlockStats *stats;
    const ConfDisk *found;

    if (!core_view(&info_operation, &call, dom, &view, error))
        return false;
    found = core_block_find(view.conf, disk, error);
    if (!found)
        return false;
    if (!view.engine)
        return core_image_info(found->path, found->format, ret_info, error);
    all = core_block_ask(&view, error);
    if (!all)
        return false;
    stats = core_block_of(all, found);
    if (!stats)
        return core_image_info(found->path, found->format, ret_info, error);
    *ret_info = (VirtkvmBlockInfo){ .allocation = stats->allocation,
                                    .capacity = stats->size,
                                    .physical = stats->physical };
    return true;
}

/* --- domainGetDiskErrors
 * ---------------------------------------------------------------
 */

static void
disk_error_clear(gpointer error)
{
    g_free(((VirtkvmDiskError *)error)->disk);
}

static GArray *
errors_of(const ConfDomain *conf, const GArray *all)
{
    GArray *errors = g_array_new(FALSE, FALSE, sizeof(VirtkvmDiskError));

    g_array_set_clear_func(errors, disk_error_clear);
    for (guint i = 0; i < conf->disks->len; i++) {
        const ConfDisk *disk = conf->disks->pdata[i];
        const CoreBlockStats *stats = core_block_of(all, disk);
        VirtkvmDiskError item;

        if (!stats || stats->error == VIR_DOMAIN_DISK_ERROR_NONE)
            continue;
        item = (VirtkvmDiskError){ g_strdup(disk->target), stats->error };
        g_array_append_val(errors, item);
    }
    return errors;
}

static const CoreOperation errors_operation = { .name = "domainGetDiskErrors",
                                                .needs = CORE_ACTIVE };

bool
core_call_disk_errors(VirtkvmState *state, const VirtkvmCaller *who,
                      const VirtkvmDomainRef *dom, unsigned flags,
                      GArray **ret_errors, unsigned *ret_disks, GError **error)
{
    CoreCall call = { .state = state, .who = who, .flags = flags };
    g_auto(CoreView) view = { 0 };
    g_autoptr(GArray) all = NULL;

    if (!core_view(&errors_operation, &call, dom, &view, error))
        return false;
    all = core_block_ask(&view, error);
    if (!all)
        return false;
    *ret_errors = errors_of(view.conf, all);
    *ret_disks = view.conf->disks->len;
    return true;
}
