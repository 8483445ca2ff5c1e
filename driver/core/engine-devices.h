/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <virtkvm/driver.h>

#include "conf/device.h"

/**
 * What the core asks of an engine about devices. An engine knows a device by
 * its alias; see docs/engine-protocol.md for what each of them means.
 *
 * All may block for an engine's answer: without a domain's lock.
 */
typedef struct CoreEngine CoreEngine;

typedef struct CoreBlockCount {
    uint64_t operations, bytes, total_ns;
} CoreBlockCount;

/** A disk's state and what it has done since it was there. */
typedef struct CoreBlockStats {
    char *id;
    uint64_t size;       /* as the guest sees it */
    uint64_t physical;   /* of the host's file */
    uint64_t allocation; /* bytes it takes there */
    uint64_t highest_offset;
    int error; /* virDomainDiskErrorCode */
    CoreBlockCount rd, wr, flush;
    uint64_t errors;
} CoreBlockStats;

typedef struct CoreNetStats {
    char *id;
    VirtkvmInterfaceStats counts;
} CoreNetStats;

/** What a guest's balloon driver tells, by virDomainMemoryStatTags. */
typedef struct CoreBalloonStats {
    uint64_t last_update_s;
    uint64_t values[VIR_DOMAIN_MEMORY_STAT_NR];
    bool has[VIR_DOMAIN_MEMORY_STAT_NR];
} CoreBalloonStats;

typedef struct CoreEngineDeviceOps {
    /** Gives the guest @device, which is in @live already; fills in what only
     * a running one has. @warnings: char *, which the domain's log has already;
     * more are added. */
    bool (*attach)(CoreEngine *engine, ConfDomain *live, ConfDevice *device,
                   GPtrArray *warnings, GError **error);
    /** Asks the guest to let go; DEVICE_DELETED or DEVICE_REFUSED follows. */
    bool (*detach)(CoreEngine *engine, const char *id, GError **error);
    /** Array of CoreBlockStats with a clear function. @live: the domain */
    GArray *(*block_stats)(CoreEngine *engine, const ConfDomain *live,
                           GError **error);
    /** Puts what @disk, which is in @live, has as its source into that drive:
     * nothing, or an image, whose backing images are filled in. @force: also if
     * the guest has locked the tray. TRAY follows. */
    bool (*change_medium)(CoreEngine *engine, ConfDomain *live, ConfDisk *disk,
                          bool force, GError **error);
    bool (*block_resize)(CoreEngine *engine, const char *id, uint64_t size,
                         GError **error);
    bool (*block_throttle)(CoreEngine *engine, const char *id,
                           const ConfThrottle *throttle, GError **error);
    /** Array of CoreNetStats with a clear function. @live: the domain */
    GArray *(*net_stats)(CoreEngine *engine, const ConfDomain *live,
                         GError **error);
    bool (*set_link)(CoreEngine *engine, const char *id, bool up,
                     GError **error);
    /** Plugs the interface @before into the bridge or network of @after, which
     * learns its bridge. */
    bool (*net_connect)(CoreEngine *engine, const ConfInterface *before,
                        ConfInterface *after, GError **error);
    bool (*net_bandwidth)(CoreEngine *engine, const char *id,
                          const ConfBandwidth *bandwidth, GError **error);
    /** Sets what the guest may keep; BALLOON events tell how far it is. */
    bool (*balloon)(CoreEngine *engine, uint64_t bytes, GError **error);
    /** What the guest has now. */
    bool (*balloon_actual)(CoreEngine *engine, uint64_t *ret_bytes,
                           GError **error);
    bool (*balloon_period)(CoreEngine *engine, unsigned seconds,
                           GError **error);
    bool (*balloon_stats)(CoreEngine *engine, CoreBalloonStats *ret_stats,
                          GError **error);
} CoreEngineDeviceOps;

extern const CoreEngineDeviceOps core_engine_null_devices;
extern const CoreEngineDeviceOps core_engine_process_devices;

/** core_block_stats_array: empty, to be filled by an engine */
GArray *core_block_stats_array(void);
/** core_net_stats_array: the same of interfaces */
GArray *core_net_stats_array(void);
