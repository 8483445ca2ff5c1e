/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core-fixture.h"
#include "core/calls.h"
#include "core/list.h"
#include "core/run.h"

#define WAIT_S 20

static const char *const lifecycle_names[] = {
    "defined", "undefined", "started",     "suspended", "resumed",
    "stopped", "shutdown",  "pmsuspended", "crashed",
};

static void
write_event(GString *out, const VirtkvmEvent *event)
{
    if (event->id == VIR_DOMAIN_EVENT_ID_LIFECYCLE)
        g_string_append_printf(out, "%s/%d ",
                               lifecycle_names[event->lifecycle.event],
                               event->lifecycle.detail);
    else if (event->id == VIR_DOMAIN_EVENT_ID_REBOOT)
        g_string_append(out, "reboot ");
    else if (event->id == VIR_DOMAIN_EVENT_ID_CONTROL_ERROR)
        g_string_append(out, "control-error ");
    else
        g_string_append_printf(out, "id%d ", event->id);
}

static void
on_event(const VirtkvmHost *host, const VirtkvmEvent *event)
{
    Fixture *fixture = host->opaque;

    g_mutex_lock(&fixture->lock);
    write_event(fixture->events, event);
    g_cond_broadcast(&fixture->changed);
    g_mutex_unlock(&fixture->lock);
}

static void
on_network_event(const VirtkvmHost *host, const VirtkvmNetworkEvent *event)
{
    static const char *const names[] = { "defined", "undefined", "started",
                                         "stopped" };
    Fixture *fixture = host->opaque;

    g_mutex_lock(&fixture->lock);
    g_string_append_printf(fixture->events, "%s:%s ", event->network.name,
                           names[event->event]);
    g_cond_broadcast(&fixture->changed);
    g_mutex_unlock(&fixture->lock);
}

static void
on_hold(const VirtkvmHost *host, int change)
{
    Fixture *fixture = host->opaque;

    g_atomic_int_add(&fixture->held, change);
}

Fixture *
fixture_new(const CoreEngineOps *engine)
{
    Fixture *fixture = g_new0(Fixture, 1);
    char template[] = "/tmp/virtkvm-core-XXXXXX";

    assert_non_null(g_mkdtemp(template));
    fixture->dir = g_strdup(template);
    fixture->host.opaque = fixture;
    fixture->host.config_dir = g_build_filename(template, "config", NULL);
    fixture->host.run_dir = g_build_filename(template, "run", NULL);
    fixture->host.log_dir = g_build_filename(template, "log", NULL);
    fixture->host.lib_dir = g_build_filename(template, "lib", NULL);
    fixture->host.cache_dir = g_build_filename(template, "cache", NULL);
    fixture->host.event = on_event;
    fixture->host.network_event = on_network_event;
    fixture->host.hold = on_hold;
    fixture->profile.name = "null";
    fixture->profile.engine = engine ? engine : &core_engine_null_ops;
    fixture->caller.client_id = 1;
    fixture->events = g_string_new("");
    g_mutex_init(&fixture->lock);
    g_cond_init(&fixture->changed);
    return fixture;
}

static int
remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    return remove(path);
}

/* A test that failed half-way leaves no process behind either. */
static void
end_all(Fixture *fixture)
{
    g_autoptr(GPtrArray) domains = core_list_snapshot(fixture->state->list);

    for (guint i = 0; i < domains->len; i++) {
        CoreDomain *domain = domains->pdata[i];

        core_domain_lock(domain);
        if (domain->run)
            (void)core_run_kill(domain, true, NULL);
        core_domain_retire_unlock(domain);
    }
}

void
fixture_free(Fixture *fixture)
{
    if (fixture->state)
        end_all(fixture);
    fixture_stop(fixture);
    nftw(fixture->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    g_free((char *)fixture->host.config_dir);
    g_free((char *)fixture->host.run_dir);
    g_free((char *)fixture->host.log_dir);
    g_free((char *)fixture->host.lib_dir);
    g_free((char *)fixture->host.cache_dir);
    g_free(fixture->dir);
    g_string_free(fixture->events, TRUE);
    g_cond_clear(&fixture->changed);
    g_mutex_clear(&fixture->lock);
    g_free(fixture);
}

VirtkvmState *
fixture_start(Fixture *fixture, bool autostart)
{
    g_autoptr(GError) error = NULL;

    fixture->state = core_state_initialize(&fixture->profile, &fixture->host,
                                           autostart, &error);
    assert_null(error);
    assert_non_null(fixture->state);
    return fixture->state;
}

void
fixture_stop(Fixture *fixture)
{
    core_state_cleanup(g_steal_pointer(&fixture->state));
}

char *
fixture_xml(const char *name, const char *uuid, const char *more)
{
    g_autofree char *id =
        uuid ? g_strdup_printf("<uuid>%s</uuid>", uuid) : NULL;

    return g_strdup_printf("<domain type='kvm'><name>%s</name>%s"
                           "<memory unit='KiB'>65536</memory><vcpu>2</vcpu>"
                           "<os><type arch='x86_64' machine='q35'>hvm</type>"
                           "<kernel>/dev/null</kernel></os>%s</domain>",
                           name, id ? id : "", more ? more : "");
}

VirtkvmDomainRef
fixture_define(Fixture *fixture, const char *name)
{
    g_autofree char *xml = fixture_xml(name, NULL, NULL);
    g_autoptr(GError) error = NULL;
    VirtkvmDomainRef dom = { 0 };

    if (!core_call_define(fixture->state, &fixture->caller, xml, 0, &dom,
                          &error))
        fail_msg("%s", error->message);
    return dom;
}

char *
fixture_path(Fixture *fixture, const char *part, const char *name)
{
    return g_build_filename(fixture->dir, part, fixture->profile.name, name,
                            NULL);
}

char *
fixture_events(Fixture *fixture)
{
    char *text;

    g_mutex_lock(&fixture->lock);
    text = g_strdup(fixture->events->str);
    g_string_truncate(fixture->events, 0);
    g_mutex_unlock(&fixture->lock);
    return text;
}

void
fixture_wait_events(Fixture *fixture, const char *expected)
{
    gint64 deadline = g_get_monotonic_time() + WAIT_S * G_USEC_PER_SEC;
    g_autofree char *seen = NULL;

    g_mutex_lock(&fixture->lock);
    while (fixture->events->len < strlen(expected))
        if (!g_cond_wait_until(&fixture->changed, &fixture->lock, deadline))
            break;
    g_mutex_unlock(&fixture->lock);
    seen = fixture_events(fixture);
    assert_string_equal(seen, expected);
}

int
fixture_state(Fixture *fixture, const VirtkvmDomainRef *dom)
{
    int status = -1, reason = -1;

    if (!core_call_state(fixture->state, &fixture->caller, dom, &status,
                         &reason, NULL))
        return -1;
    return status * 100 + reason;
}

void
fixture_wait_state(Fixture *fixture, const VirtkvmDomainRef *dom, int expected)
{
    gint64 deadline = g_get_monotonic_time() + WAIT_S * G_USEC_PER_SEC;

    while (fixture_state(fixture, dom) != expected &&
           g_get_monotonic_time() < deadline)
        g_usleep(1000);
    assert_int_equal(fixture_state(fixture, dom), expected);
}

CoreDomain *
fixture_domain(Fixture *fixture, const VirtkvmDomainRef *dom)
{
    CoreDomain *domain = core_list_find_uuid(fixture->state->list, dom->uuid);

    assert_non_null(domain);
    return domain;
}
