/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/disk/disk.h"

#include <errno.h>

#include "util/error.h"
#include "util/i18n.h"

#define SOON_NS 1 /* in the past: at the end of this wake-up */

/* --- lists ---------------------------------------------------------------- */
static void
list_init(EngineDiskList *list)
{
    list->first = NULL;
    list->last = &list->first;
}

static void
list_add(EngineDiskList *list, EngineDiskRequest *request)
{
    request->next = NULL;
    *list->last = request;
    list->last = &request->next;
}

static EngineDiskRequest *
list_take(EngineDiskList *list)
{
    EngineDiskRequest *request = list->first;

    if (!request)
        return NULL;
    list->first = request->next;
    if (!list->first)
        list->last = &list->first;
    return request;
}

/* --- the host's answers --------------------------------------------------- */
static void
at_end(EngineDisk *disk)
{
    if (disk->end.deadline_ns == 0)
        engine_io_timer_set(&disk->end, SOON_NS);
}

static void
on_end(void *opaque)
{
    EngineDisk *disk = opaque;

    if (disk->block)
        engine_block_kick(disk->block);
}

/* One event for all that fail before the domain has stopped. */
static void
hold(EngineDiskRequest *request, int result, const EngineDiskFailure *failure)
{
    EngineDisk *disk = request->disk;
    bool first = disk->held.first == NULL;

    list_add(&disk->held, request);
    if (!first)
        return;
    __atomic_store_n(&disk->error, result, __ATOMIC_RELAXED);
    engine_disk_tell(&disk->failures, failure, ENGINE_BLK_STOP);
    engine_stop_post(disk->engine);
}

static void
on_failed(EngineDiskRequest *request, int result)
{
    EngineDisk *disk = request->disk;
    EngineBlkPolicy action =
        engine_disk_action(disk->config, request->kind, result);
    const EngineDiskFailure failure = {
        .engine = disk->engine,
        .name = disk->name,
        .kind = request->kind,
        .offset = request->io.offset,
        .size = request->io.size,
        .result = result,
        .now_ns = engine_io_now(),
    };

    disk->stats.errors++;
    if (disk->cancelling) {
        request->done(request, result);
        return;
    }
    if (action == ENGINE_BLK_STOP) {
        hold(request, result, &failure);
        return;
    }
    engine_disk_tell(&disk->failures, &failure, action);
    request->done(request, action == ENGINE_BLK_IGNORE ? 0 : result);
}

static void
on_done(EngineBlockRequest *io, int result)
{
    EngineDiskRequest *request = (EngineDiskRequest *)io;
    EngineBlkStats *stats = &request->disk->stats;

    if (result < 0) {
        on_failed(request, result);
        return;
    }
    stats->operations[request->kind]++;
    stats->bytes[request->kind] += request->io.size;
    stats->total_ns[request->kind] +=
        (uint64_t)(engine_io_now() - request->begin_ns);
    request->done(request, 0);
}

/* --- to the image --------------------------------------------------------- */
static void
begin(EngineDiskRequest *request)
{
    EngineDisk *disk = request->disk;

    request->io.done = on_done;
    engine_block_submit(disk->block, &request->io);
    at_end(disk);
}

static EngineThrottleWay
way_of(const EngineDiskRequest *request)
{
    return request->kind == ENGINE_BLK_READ ? ENGINE_THROTTLE_READ
                                            : ENGINE_THROTTLE_WRITE;
}

/* A flush is never limited: it has no bytes, and others wait for it. */
void
engine_disk_submit(EngineDisk *disk, EngineDiskRequest *request)
{
    EngineThrottleWay way = way_of(request);
    EngineDiskList *waiting = &disk->waiting[way];

    g_assert(disk->block);
    request->disk = disk;
    request->begin_ns = engine_io_now();
    if (request->kind == ENGINE_BLK_FLUSH ||
        (!waiting->first &&
         engine_throttle_take(&disk->throttle, way, request->io.size)))
        begin(request);
    else
        list_add(waiting, request);
}

static void
on_ready(void *opaque, EngineThrottleWay way)
{
    EngineDisk *disk = opaque;
    EngineDiskList *waiting = &disk->waiting[way];
    EngineDiskRequest *request = list_take(waiting);

    while (request) {
        begin(request);
        if (!waiting->first || !engine_throttle_take(&disk->throttle, way,
                                                     waiting->first->io.size))
            return;
        request = list_take(waiting);
    }
}

void
engine_disk_count(EngineDisk *disk, EngineBlkKind kind, bool failed)
{
    if (failed)
        disk->stats.errors++;
    else
        disk->stats.operations[kind]++;
}

bool
engine_disk_writes_back(const EngineDisk *disk)
{
    return disk->config->ignore_flush ||
           (disk->config->write_cache &&
            __atomic_load_n(&disk->writeback, __ATOMIC_RELAXED));
}

/* --- stopping and going on ------------------------------------------------ */
static void
cancel_list(EngineDiskList *list, int result)
{
    EngineDiskList ended = *list;
    EngineDiskRequest *request;

    if (!ended.first)
        return;
    list_init(list);
    while ((request = list_take(&ended)))
        request->done(request, result);
}

/* Returns: whether it was there */
static bool
list_remove(EngineDiskList *list, const EngineDiskRequest *request)
{
    EngineDiskRequest **at = &list->first;

    while (*at && *at != request)
        at = &(*at)->next;
    if (!*at)
        return false;
    *at = request->next;
    if (!*at)
        list->last = at;
    return true;
}

static bool
cancel_waiting(EngineDisk *disk, EngineDiskRequest *request, int result)
{
    bool found = list_remove(&disk->held, request);

    for (unsigned way = 0; !found && way < ENGINE_THROTTLE_WAYS; way++)
        found = list_remove(&disk->waiting[way], request);
    if (!disk->held.first)
        __atomic_store_n(&disk->error, 0, __ATOMIC_RELAXED);
    if (found)
        request->done(request, result);
    return found;
}

/* What has gone to the host may come back to wait, for what it does next. */
void
engine_disk_cancel_one(EngineDisk *disk, EngineDiskRequest *request, int result)
{
    if (cancel_waiting(disk, request, result))
        return;
    if (disk->block)
        engine_block_drain(disk->block);
    (void)cancel_waiting(disk, request, result);
}

void
engine_disk_cancel(EngineDisk *disk, int result)
{
    disk->cancelling = true;
    engine_throttle_cancel(&disk->throttle);
    for (unsigned way = 0; way < ENGINE_THROTTLE_WAYS; way++)
        cancel_list(&disk->waiting[way], result);
    if (disk->block)
        engine_block_drain(disk->block);
    cancel_list(&disk->held, result);
    disk->cancelling = false;
    __atomic_store_n(&disk->error, 0, __ATOMIC_RELAXED);
}

static void
drain_here(void *opaque)
{
    EngineDisk *disk = opaque;

    if (disk->block)
        engine_block_drain(disk->block);
}

void
engine_disk_drain(EngineDisk *disk)
{
    engine_io_call(disk->io, drain_here, disk);
}

static void
resume_here(void *opaque)
{
    EngineDisk *disk = opaque;
    EngineDiskList held = disk->held;
    EngineDiskRequest *request;

    if (!held.first)
        return;
    list_init(&disk->held);
    __atomic_store_n(&disk->error, 0, __ATOMIC_RELAXED);
    while ((request = list_take(&held)))
        begin(request);
}

void
engine_disk_resume(EngineDisk *disk)
{
    engine_io_call(disk->io, resume_here, disk);
}

/* --- the medium ----------------------------------------------------------- */
typedef struct Change {
    EngineDisk *disk;
    EngineBlock *block, *old;
    EngineBlockInfo info;
} Change;

static void
set_blocks(EngineDisk *disk, uint64_t size)
{
    __atomic_store_n(&disk->blocks, size / disk->block_size, __ATOMIC_RELAXED);
}

static void
change_here(void *opaque)
{
    Change *change = opaque;
    EngineDisk *disk = change->disk;

    engine_disk_cancel(disk, -ENOMEDIUM);
    change->old = disk->block;
    disk->block = change->block;
    disk->read_only = disk->config->readonly || change->info.read_only;
    disk->discard_granularity =
        MAX(change->info.discard_granularity, disk->block_size);
    set_blocks(disk, change->info.size);
}

bool
engine_disk_load(EngineDisk *disk, const EngineDriveConfig *drive,
                 GError **error)
{
    Change change = { .disk = disk };

    if (drive) {
        change.block = engine_block_open(drive, disk->io, error);
        if (!change.block)
            return false;
        engine_block_info(change.block, &change.info);
    }
    engine_io_call(disk->io, change_here, &change);
    engine_block_close(change.old);
    return true;
}

/* --- for the host --------------------------------------------------------- */
typedef struct StatsCall {
    EngineDisk *disk;
    EngineBlkStats *stats;
} StatsCall;

static void
stats_here(void *opaque)
{
    const StatsCall *call = opaque;

    *call->stats = call->disk->stats;
}

void
engine_disk_info(EngineDisk *disk, EngineBlkInfo *ret_info)
{
    StatsCall call = { disk, &ret_info->stats };

    ret_info->image = (EngineBlockInfo){ .read_only = disk->config->readonly };
    if (disk->block)
        engine_block_info(disk->block, &ret_info->image);
    engine_io_call(disk->io, stats_here, &call);
    ret_info->error = __atomic_load_n(&disk->error, __ATOMIC_RELAXED);
}

bool
engine_disk_resize(EngineDisk *disk, uint64_t size, GError **error)
{
    if (!disk->block) {
        error_set(error, VIR_ERR_OPERATION_INVALID,
                  _("there is no medium in '%s'"), disk->name);
        return false;
    }
    if (size == 0 || size % disk->block_size != 0) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the size of '%s' must be a multiple of %u bytes"),
                  disk->name, disk->block_size);
        return false;
    }
    if (!engine_block_resize(disk->block, size, error))
        return false;
    set_blocks(disk, size);
    return true;
}

bool
engine_disk_set_throttle(EngineDisk *disk, const EngineThrottleConfig *config,
                         GError **error)
{
    return engine_throttle_set(
        &disk->throttle, engine_throttle_groups(disk->engine), config, error);
}

/* --- life ----------------------------------------------------------------- */
bool
engine_disk_init(EngineDisk *disk, GError **error)
{
    disk->writeback = true;
    disk->read_only = disk->config->readonly;
    list_init(&disk->held);
    for (unsigned way = 0; way < ENGINE_THROTTLE_WAYS; way++)
        list_init(&disk->waiting[way]);
    g_mutex_init(&disk->failures.log.lock);
    engine_io_timer_init(&disk->end, disk->io, on_end, disk);
    engine_throttle_init(&disk->throttle, disk->io, on_ready, disk);
    if (engine_disk_set_throttle(disk, &disk->config->throttle, error))
        return true;
    engine_disk_clear(disk);
    return false;
}

static void
stop_here(void *opaque)
{
    EngineDisk *disk = opaque;

    engine_disk_cancel(disk, -ECANCELED);
    engine_io_timer_set(&disk->end, 0);
}

void
engine_disk_clear(EngineDisk *disk)
{
    engine_io_call(disk->io, stop_here, disk);
    engine_throttle_clear(&disk->throttle,
                          engine_throttle_groups(disk->engine));
    engine_block_close(disk->block);
    disk->block = NULL;
    g_mutex_clear(&disk->failures.log.lock);
}
