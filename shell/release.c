/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/release.h"

#include <poll.h>
#include <string.h>

#include "shell/device.h"
#include "shell/event.h"
#include "shell/interrupt.h"
#include "shell/progress.h"
#include "util/i18n.h"

/* Events tell at once; for drivers without them the XML is looked at. */
#define LOOK_MS 500

typedef enum VshReleaseState {
    RELEASE_PENDING,
    RELEASE_DONE,
    RELEASE_REFUSED,
    RELEASE_TIMEOUT,
    RELEASE_INTERRUPTED,
} VshReleaseState;

static const int event_ids[] = { VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
                                 VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED };

struct VshRelease {
    VshShell *shell;
    virDomainPtr domain; /* the caller's */
    char *name;
    char *alias; /* NULL: nothing to wait for */
    bool wait;
    unsigned timeout_s; /* 0: none */
    VshEventQueue *queue;
    int numbers[G_N_ELEMENTS(event_ids)]; /* of the registrations, or -1 */
};

VshRelease *
vsh_release_new(VshShell *shell, const VshArgs *args, virDomainPtr domain,
                const char *name, const char *alias)
{
    VshRelease *release = g_new0(VshRelease, 1);
    g_autofree char *detail = NULL;

    release->shell = shell;
    release->domain = domain;
    release->name = g_strdup(name);
    release->alias = g_strdup(alias);
    release->timeout_s = vsh_args_number(args, "timeout", 0);
    release->wait =
        vsh_args_given(args, "wait") || vsh_args_given(args, "timeout");
    release->queue = vsh_event_queue_new();
    for (size_t i = 0; i < G_N_ELEMENTS(event_ids); i++)
        release->numbers[i] =
            alias && release->wait
                ? vsh_event_register(release->queue, shell->connection.conn,
                                     domain, event_ids[i])
                : -1;
    detail = g_strdup_printf(_("waiting for the guest to release '%s'"), name);
    if (alias)
        vsh_progress_detail(shell->out.progress, detail);
    return release;
}

void
vsh_release_free(VshRelease *release)
{
    if (!release)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(event_ids); i++)
        if (release->numbers[i] >= 0)
            virConnectDomainEventDeregisterAny(release->shell->connection.conn,
                                               release->numbers[i]);
    vsh_event_queue_unref(release->queue);
    g_free(release->name);
    g_free(release->alias);
    g_free(release);
}

bool
vsh_release_waits(const VshRelease *release)
{
    return release->wait;
}

/* Is the device in the XML of the running domain? */
static bool
is_present(const VshRelease *release)
{
    g_autoptr(GPtrArray) devices = NULL;

    if (virDomainIsActive(release->domain) != 1)
        return false;
    devices = vsh_device_list(release->domain, VSH_DEVICE_ANY, 0, NULL);
    for (guint i = 0; devices && i < devices->len; i++)
        if (strcmp(((VshDevice *)devices->pdata[i])->alias, release->alias) ==
            0)
            return true;
    return false;
}

/* What the events that have come say. */
static VshReleaseState
read_events(const VshRelease *release)
{
    VshReleaseState state = RELEASE_PENDING;

    for (;;) {
        g_autoptr(VshEvent) event = vsh_event_queue_pop(release->queue);
        const char *kind, *device;

        if (!event)
            return state;
        kind = json_string_value(json_object_get(event->object, "event"));
        device = json_string_value(json_object_get(event->object, "device"));
        if (g_strcmp0(device, release->alias) != 0)
            continue;
        state = g_strcmp0(kind, "device-removed") == 0 ? RELEASE_DONE
                                                       : RELEASE_REFUSED;
    }
}

static VshReleaseState
wait_for_guest(const VshRelease *release)
{
    struct pollfd waits[] = {
        { .fd = vsh_event_queue_fd(release->queue), .events = POLLIN },
        { .fd = vsh_interrupt_fd(), .events = POLLIN },
    };
    gint64 deadline =
        g_get_monotonic_time() + (gint64)release->timeout_s * G_USEC_PER_SEC;
    VshReleaseState state = read_events(release);

    while (state == RELEASE_PENDING) {
        if (!is_present(release))
            return RELEASE_DONE;
        if (vsh_interrupted())
            return RELEASE_INTERRUPTED;
        if (release->timeout_s > 0 && g_get_monotonic_time() >= deadline)
            return RELEASE_TIMEOUT;
        poll(waits, G_N_ELEMENTS(waits), LOOK_MS);
        state = read_events(release);
    }
    return state;
}

static bool
report(const VshRelease *release, VshReleaseState state, GError **error)
{
    if (state == RELEASE_DONE)
        return true;
    if (state == RELEASE_REFUSED)
        vsh_error_set(error, VSH_EXIT_STATE,
                      _("the guest refuses to release device '%s'"),
                      release->name);
    else if (state == RELEASE_TIMEOUT)
        vsh_error_set(error, VSH_EXIT_TIMEOUT,
                      _("the guest did not release device '%s' within %u s"),
                      release->name, release->timeout_s);
    else
        vsh_error_set(error, VSH_EXIT_INTERRUPTED, _("interrupted"));
    vsh_error_hint(error, _("see that the guest doesn't use the device and try "
                            "again; with --config it is gone from the next "
                            "start on"));
    return false;
}

bool
vsh_release_finish(VshRelease *release, GError **error)
{
    VshReleaseState state;

    if (!release->alias)
        return true;
    if (release->wait) {
        vsh_interrupt_begin();
        state = wait_for_guest(release);
        vsh_interrupt_end();
        return report(release, state, error);
    }
    if (is_present(release))
        vsh_note(&release->shell->out,
                 _("the guest has not released '%s' yet; --wait waits for it"),
                 release->name);
    return true;
}
