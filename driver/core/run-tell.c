/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>

#include "core/change.h"
#include "core/device.h"
#include "core/events.h"
#include "core/run.h"
#include "core/status.h"

/* What an engine tells of its devices and the clock: from the I/O thread, with
 * the lock. A name that is no device's is the engine's mistake: nothing
 * happens. */

#define AGENT_NAME "org.qemu.guest_agent.0"

static void
on_balloon(CoreDomain *domain, const CoreEngineEvent *event)
{
    uint64_t kib = event->value > 0 ? (uint64_t)event->value / 1024 : 0;

    domain->run->balloon_kib = MIN(kib, domain->def->memory_kib);
    core_event_balloon(domain, domain->run->balloon_kib);
    core_status_save(domain);
}

/* --- the clock --------------------------------------------------------------
 */

/* As libvirt: only a clock with an offset of its own keeps what the guest
 * makes of it. */
static bool
apply_clock(ConfDomain *conf, bool live, gpointer data, GError **error)
{
    const CoreEngineEvent *event = data;

    if (conf->clock.offset != CONF_CLOCK_VARIABLE)
        return false;
    conf_clock_adjust(&conf->clock, event->value);
    return true;
}

static void
on_rtc_change(CoreDomain *domain, const CoreEngineEvent *event)
{
    CoreChange change = { .apply = apply_clock, .data = (gpointer)event };

    if (core_change_live(domain, &change, NULL))
        core_status_save(domain);
    core_event_rtc_change(domain, event->value);
}

/* The STOP event comes next, if there is one. */
static void
on_io_error(CoreDomain *domain, const CoreEngineEvent *event)
{
    g_autoptr(ConfDomain) conf = core_def_open(domain->def, NULL);
    const ConfDisk *disk = conf ? core_device_disk(conf, event->id) : NULL;
    CoreIoError io_error = { .alias = event->id,
                             .action = event->action,
                             .no_space = event->on };

    if (!disk)
        return;
    io_error.path = disk->path ? disk->path : "";
    core_event_io_error(domain, &io_error);
}

/* --- trays -----------------------------------------------------------------
 */

static bool
apply_tray(ConfDomain *conf, bool live, gpointer data, GError **error)
{
    const CoreEngineEvent *event = data;
    ConfDisk *disk = core_device_disk(conf, event->id);

    if (!disk)
        return false;
    disk->tray = event->on ? CONF_TRAY_OPEN : CONF_TRAY_ABSENT;
    return true;
}

static void
on_tray(CoreDomain *domain, const CoreEngineEvent *event)
{
    CoreChange change = { .apply = apply_tray, .data = (gpointer)event };

    if (!core_change_live(domain, &change, NULL))
        return;
    core_event_tray(domain, event->id, event->on);
    core_status_save(domain);
}

/* --- channels --------------------------------------------------------------
 */

typedef struct Opened {
    const CoreEngineEvent *event;
    bool changed;
    bool agent;
} Opened;

static bool
apply_channel(ConfDomain *conf, bool live, gpointer data, GError **error)
{
    Opened *opened = data;
    const CoreEngineEvent *event = opened->event;
    ConfChardev *channel = core_device_channel(conf, event->id, event->value);
    ConfChannelState state =
        event->on ? CONF_CHANNEL_CONNECTED : CONF_CHANNEL_DISCONNECTED;

    if (!channel || channel->state == state)
        return true;
    channel->state = state;
    opened->changed = true;
    opened->agent = g_strcmp0(channel->name, AGENT_NAME) == 0;
    return true;
}

static void
on_channel(CoreDomain *domain, const CoreEngineEvent *event)
{
    Opened opened = { .event = event };
    CoreChange change = { .apply = apply_channel, .data = &opened };

    if (!core_change_live(domain, &change, NULL) || !opened.changed)
        return;
    core_status_save(domain);
    if (opened.agent)
        core_event_agent(
            domain,
            event->on
                ? VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED
                : VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED,
            VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL);
}

/* --- devices that go --------------------------------------------------------
 */

static bool
apply_removal(ConfDomain *conf, bool live, gpointer data, GError **error)
{
    const CoreEngineEvent *event = data;
    ConfDevice found;

    if (!event->id ||
        !conf_domain_device_by_alias(conf, event->id, &found, error))
        return false;
    conf_device_free(conf_domain_remove_device(conf, &found));
    return true;
}

static bool
is_waited_for(const CoreRun *run, const CoreEngineEvent *event)
{
    return run->unplugging && g_strcmp0(run->unplugging, event->id) == 0;
}

static void
on_deleted(CoreDomain *domain, const CoreEngineEvent *event)
{
    CoreChange change = { .apply = apply_removal, .data = (gpointer)event };

    if (!core_change_live(domain, &change, NULL))
        return;
    core_event_device(domain, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, event->id);
    if (is_waited_for(domain->run, event))
        g_clear_pointer(&domain->run->unplugging, g_free);
    g_cond_broadcast(&domain->changed);
    core_status_save(domain);
}

static void
on_refused(CoreDomain *domain, const CoreEngineEvent *event)
{
    g_autoptr(ConfDomain) conf = core_def_open(domain->def, NULL);
    ConfDevice found;

    if (!conf || !event->id ||
        !conf_domain_device_by_alias(conf, event->id, &found, NULL))
        return;
    core_event_device(domain, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED,
                      event->id);
    if (!is_waited_for(domain->run, event))
        return;
    domain->run->unplug_refused = true;
    g_cond_broadcast(&domain->changed);
}

void
core_run_tell(CoreDomain *domain, const CoreEngineEvent *event)
{
    switch ((int)event->kind) {
    case CORE_ENGINE_RTC_CHANGE:
        on_rtc_change(domain, event);
        break;
    case CORE_ENGINE_BALLOON:
        on_balloon(domain, event);
        break;
    case CORE_ENGINE_IO_ERROR:
        on_io_error(domain, event);
        break;
    case CORE_ENGINE_TRAY:
        on_tray(domain, event);
        break;
    case CORE_ENGINE_CHANNEL:
        on_channel(domain, event);
        break;
    case CORE_ENGINE_DEVICE_DELETED:
        on_deleted(domain, event);
        break;
    case CORE_ENGINE_DEVICE_REFUSED:
        on_refused(domain, event);
        break;
    default:
        break;
    }
}
