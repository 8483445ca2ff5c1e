/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/domain.h"

/* Each sends an event about @domain as it is now, with its lock held: so the
 * events of a domain come in the order of its changes. The daemon's receiver
 * copies and returns. */

/** @event: virDomainEventType   @detail: of that type */
void core_event_lifecycle(CoreDomain *domain, int event, int detail);
/** core_event_renamed: UNDEFINED of the old name, DEFINED of the new */
void core_event_renamed(CoreDomain *domain, const char *old_name);
void core_event_reboot(CoreDomain *domain);
void core_event_control_error(CoreDomain *domain);
void core_event_rtc_change(CoreDomain *domain, int64_t offset_s);
/** @type: virDomainMetadataType   @uri: NULL unless ELEMENT */
void core_event_metadata(CoreDomain *domain, int type, const char *uri);
/** @id: DEVICE_ADDED, _REMOVED or _REMOVAL_FAILED */
void core_event_device(CoreDomain *domain, int id, const char *alias);
void core_event_balloon(CoreDomain *domain, uint64_t actual_kib);

/** What virtual disk @alias cannot do; @path: of its image */
typedef struct CoreIoError {
    const char *path;
    const char *alias;
    int action; /* virDomainEventIOErrorAction */
    bool no_space;
} CoreIoError;

/** core_event_io_error: both IO_ERROR and IO_ERROR_REASON */
void core_event_io_error(CoreDomain *domain, const CoreIoError *io_error);
/** core_event_tray: of drive @alias: it is @open now, or not any more */
void core_event_tray(CoreDomain *domain, const char *alias, bool open);
/** core_event_disk_missing: disk @alias starts without the image @path */
void core_event_disk_missing(CoreDomain *domain, const char *alias,
                             const char *path);
/** @state, @reason: virConnectDomainEventAgentLifecycle* */
void core_event_agent(CoreDomain *domain, int state, int reason);
/** @params: of which domainSetBlockIoTune() says what changed */
void core_event_tunable(CoreDomain *domain, const VirtkvmParams *params);
