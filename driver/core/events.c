/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/events.h"

#include <string.h>

static void
send_named(CoreDomain *domain, char *name, VirtkvmEvent *event)
{
    const VirtkvmHost *host = domain->state->host;

    if (!host->event)
        return;
    event->domain.name = name;
    memcpy(event->domain.uuid, domain->uuid, VIR_UUID_BUFLEN);
    event->domain.id = domain->id;
    host->event(host, event);
}

static void
send_event(CoreDomain *domain, VirtkvmEvent *event)
{
    send_named(domain, domain->name, event);
}

void
core_event_lifecycle(CoreDomain *domain, int event, int detail)
{
    VirtkvmEvent message = { .id = VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                             .lifecycle = { event, detail } };

    send_event(domain, &message);
}

void
core_event_renamed(CoreDomain *domain, const char *old_name)
{
    VirtkvmEvent message = { .id = VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                             .lifecycle = {
                                 VIR_DOMAIN_EVENT_UNDEFINED,
                                 VIR_DOMAIN_EVENT_UNDEFINED_RENAMED } };

    send_named(domain, (char *)old_name, &message);
    core_event_lifecycle(domain, VIR_DOMAIN_EVENT_DEFINED,
                         VIR_DOMAIN_EVENT_DEFINED_RENAMED);
}

void
core_event_reboot(CoreDomain *domain)
{
    VirtkvmEvent message = { .id = VIR_DOMAIN_EVENT_ID_REBOOT };

    send_event(domain, &message);
}

void
core_event_control_error(CoreDomain *domain)
{
    VirtkvmEvent message = { .id = VIR_DOMAIN_EVENT_ID_CONTROL_ERROR };

    send_event(domain, &message);
}

void
core_event_rtc_change(CoreDomain *domain, int64_t offset_s)
{
    VirtkvmEvent message = { .id = VIR_DOMAIN_EVENT_ID_RTC_CHANGE,
                             .rtc_change = { offset_s } };

    send_event(domain, &message);
}

void
core_event_metadata(CoreDomain *domain, int type, const char *uri)
{
    VirtkvmEvent message = { .id = VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
                             .metadata_change = { type, uri } };

    send_event(domain, &message);
}

void
core_event_device(CoreDomain *domain, int id, const char *alias)
{
    VirtkvmEvent message = { .id = id, .device = { alias } };

    send_event(domain, &message);
}

void
core_event_balloon(CoreDomain *domain, uint64_t actual_kib)
{
    VirtkvmEvent message = { .id = VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE,
                             .balloon_change = { actual_kib } };

    send_event(domain, &message);
}

void
core_event_io_error(CoreDomain *domain, const CoreIoError *io_error)
{
    VirtkvmEvent message = {
        .id = VIR_DOMAIN_EVENT_ID_IO_ERROR,
        .io_error = { io_error->path, io_error->alias, io_error->action,
                      io_error->no_space ? "enospc" : "" },
    };

    send_event(domain, &message);
    message.id = VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON;
    send_event(domain, &message);
}

void
core_event_tray(CoreDomain *domain, const char *alias, bool open)
{
    VirtkvmEvent message = {
        .id = VIR_DOMAIN_EVENT_ID_TRAY_CHANGE,
        .tray_change = { alias, open ? VIR_DOMAIN_EVENT_TRAY_CHANGE_OPEN
                                     : VIR_DOMAIN_EVENT_TRAY_CHANGE_CLOSE },
    };

    send_event(domain, &message);
}

void
core_event_disk_missing(CoreDomain *domain, const char *alias, const char *path)
{
    VirtkvmEvent message = {
        .id = VIR_DOMAIN_EVENT_ID_DISK_CHANGE,
        .disk_change = { path, NULL, alias,
                         VIR_DOMAIN_EVENT_DISK_CHANGE_MISSING_ON_START },
    };

    send_event(domain, &message);
}

void
core_event_agent(CoreDomain *domain, int state, int reason)
{
    VirtkvmEvent message = { .id = VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
                             .agent = { state, reason } };

    send_event(domain, &message);
}

void
core_event_tunable(CoreDomain *domain, const VirtkvmParams *params)
{
    VirtkvmEvent message = { .id = VIR_DOMAIN_EVENT_ID_TUNABLE,
                             .tunable = *params };

    send_event(domain, &message);
}
