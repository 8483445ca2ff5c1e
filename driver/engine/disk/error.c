/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/disk/error.h"

#include <errno.h>

#include "util/i18n.h"

#define EVENT_PERIOD_NS 100000000 /* of those that stop nothing */

static const char *const operation_names[] = {
    [ENGINE_BLK_READ] = "read",
    [ENGINE_BLK_WRITE] = "write",
    [ENGINE_BLK_FLUSH] = "flush",
    [ENGINE_BLK_DISCARD] = "discard",
};

static const char *const action_names[] = {
    [ENGINE_BLK_REPORT] = "report",
    [ENGINE_BLK_STOP] = "stop",
    [ENGINE_BLK_IGNORE] = "ignore",
};

EngineBlkPolicy
engine_disk_action(const EngineBlkConfig *config, EngineBlkKind kind,
                   int result)
{
    EngineBlkPolicy policy =
        kind == ENGINE_BLK_READ ? config->rerror : config->werror;

    if (policy != ENGINE_BLK_ENOSPACE)
        return policy;
    return result == -ENOSPC ? ENGINE_BLK_STOP : ENGINE_BLK_REPORT;
}

/* A guest can have as many failures as it likes: those that only tell are told
 * ten times a second at most. */
void
engine_disk_tell(EngineDiskFailures *failures, const EngineDiskFailure *failure,
                 EngineBlkPolicy action)
{
    const char *reason = g_strerror(-failure->result);

    log_limited(&failures->log, LOG_LEVEL_WARNING,
                _("the disk '%s' failed, operation '%s', %llu bytes at %llu: "
                  "%s"),
                failure->name, operation_names[failure->kind],
                (unsigned long long)failure->size,
                (unsigned long long)failure->offset, reason);
    if (action != ENGINE_BLK_STOP &&
        failure->now_ns - failures->event_ns < EVENT_PERIOD_NS)
        return;
    failures->event_ns = failure->now_ns;
    engine_event_post(
        failure->engine, "BLOCK_IO_ERROR",
        json_pack("{s:o,s:s,s:s,s:b,s:o}", "id", engine_text(failure->name),
                  "operation", operation_names[failure->kind], "action",
                  action_names[action], "nospace", failure->result == -ENOSPC,
                  "reason", engine_text(reason)));
}
