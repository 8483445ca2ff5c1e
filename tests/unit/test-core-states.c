/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core-fixture.h"
#include "core/calls.h"
#include "util/error.h"

/**
 * The table of states and calls: what each call does to a domain in each
 * state, its error, and its events, as libvirt's QEMU driver has it.
 */

#define STATE(state, reason) ((state)*100 + (reason))
#define BOOTED               STATE(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED)
#define UNPAUSED             STATE(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED)
#define PAUSED               STATE(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER)
#define BY_CRASH             STATE(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_CRASHED)
#define SLEEPING             STATE(VIR_DOMAIN_PMSUSPENDED, 0)
#define PANICKED             STATE(VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED)
#define OFF                  STATE(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_UNKNOWN)
#define SHUT_DOWN            STATE(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN)
#define DESTROYED            STATE(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_DESTROYED)

typedef bool (*Call)(Fixture *f, const VirtkvmDomainRef *dom, GError **error);

static bool
create(Fixture *f, const VirtkvmDomainRef *dom, GError **error)
{
    VirtkvmDomainRef ret = { 0 };
    bool done = core_call_create(f->state, &f->caller, dom, 0, &ret, error);

    core_domain_ref_clear(&ret);
    return done;
}

static bool
create_paused(Fixture *f, const VirtkvmDomainRef *dom, GError **error)
{
    VirtkvmDomainRef ret = { 0 };
    bool done = core_call_create(f->state, &f->caller, dom,
                                 VIR_DOMAIN_START_PAUSED, &ret, error);

    core_domain_ref_clear(&ret);
    return done;
}

static bool
suspend(Fixture *f, const VirtkvmDomainRef *dom, GError **error)
{
    return core_call_suspend(f->state, &f->caller, dom, error);
}

static bool
resume(Fixture *f, const VirtkvmDomainRef *dom, GError **error)
{
    return core_call_resume(f->state, &f->caller, dom, error);
}

static bool
shutdown(Fixture *f, const VirtkvmDomainRef *dom, GError **error)
{
    return core_call_shutdown(f->state, &f->caller, dom, 0, error);
}

static bool
reboot(Fixture *f, const VirtkvmDomainRef *dom, GError **error)
{
    return core_call_reboot(f->state, &f->caller, dom, 0, error);
}

static bool
reset(Fixture *f, const VirtkvmDomainRef *dom, GError **error)
{
    return core_call_reset(f->state, &f->caller, dom, 0, error);
}

static bool
destroy(Fixture *f, const VirtkvmDomainRef *dom, GError **error)
{
    return core_call_destroy(f->state, &f->caller, dom, 0, error);
}

static bool
destroy_gracefully(Fixture *f, const VirtkvmDomainRef *dom, GError **error)
{
    return core_call_destroy(f->state, &f->caller, dom,
                             VIR_DOMAIN_DESTROY_GRACEFUL, error);
}

static bool
control(Fixture *f, const VirtkvmDomainRef *dom, GError **error)
{
    VirtkvmControlInfo info;

    return core_call_control_info(f->state, &f->caller, dom, &info, error);
}

static bool
rename_it(Fixture *f, const VirtkvmDomainRef *dom, GError **error)
{
    return core_call_rename(f->state, &f->caller, dom, "other", 0, error);
}

static bool
autostart(Fixture *f, const VirtkvmDomainRef *dom, GError **error)
{
    return core_call_set_autostart(f->state, &f->caller, dom, true, error);
}

typedef enum Start { AT_OFF, AT_RUNNING, AT_PAUSED, AT_SLEEP, AT_PANIC } Start;

typedef struct Row {
    const char *name;
    Start from;
    Call call;
    const char *refusal; /* OPERATION_INVALID with this text, or NULL */
    int state;           /* after it, and after what follows by itself */
    const char *events;
} Row;

static const Row rows[] = {
    { "start", AT_OFF, create, NULL, BOOTED, "started/0 " },
    { "start --paused", AT_OFF, create_paused, NULL, PAUSED,
      "started/0 suspended/0 " },
    { "start", AT_RUNNING, create, "domain is already running", BOOTED, "" },
    { "start", AT_PAUSED, create, "domain is already running", PAUSED, "" },
    { "start", AT_SLEEP, create, "domain is already running", SLEEPING, "" },
    { "start", AT_PANIC, create, "domain is already running", PANICKED, "" },
    { "suspend", AT_OFF, suspend, "domain is not running", OFF, "" },
    { "suspend", AT_RUNNING, suspend, NULL, PAUSED, "suspended/0 " },
    { "suspend", AT_PAUSED, suspend, NULL, PAUSED, "" },
    { "suspend", AT_SLEEP, suspend, "domain is pmsuspended", SLEEPING, "" },
    { "suspend", AT_PANIC, suspend, NULL, PANICKED, "" },
    { "resume", AT_OFF, resume, "domain is not running", OFF, "" },
    { "resume", AT_RUNNING, resume, "domain is already running", BOOTED, "" },
    { "resume", AT_PAUSED, resume, NULL, UNPAUSED, "resumed/0 " },
    { "resume", AT_SLEEP, resume, "domain is pmsuspended", SLEEPING, "" },
    { "resume", AT_PANIC, resume, NULL, UNPAUSED, "resumed/0 " },
    { "shutdown", AT_OFF, shutdown, "domain is not running", OFF, "" },
    { "shutdown", AT_RUNNING, shutdown, NULL, SHUT_DOWN,
      "shutdown/1 stopped/0 " },
    { "shutdown", AT_PAUSED, shutdown, "domain is not running", PAUSED, "" },
    { "shutdown", AT_SLEEP, shutdown, "domain is not running", SLEEPING, "" },
    { "shutdown", AT_PANIC, shutdown, "domain is not running", PANICKED, "" },
    { "reboot", AT_OFF, reboot, "domain is not running", OFF, "" },
    { "reboot", AT_RUNNING, reboot, NULL, BOOTED, "reboot " },
    { "reboot", AT_PAUSED, reboot, "domain is not running", PAUSED, "" },
    { "reboot", AT_SLEEP, reboot, "domain is not running", SLEEPING, "" },
    { "reset", AT_OFF, reset, "domain is not running", OFF, "" },
    { "reset", AT_RUNNING, reset, NULL, BOOTED, "reboot " },
    { "reset", AT_PAUSED, reset, NULL, PAUSED, "reboot " },
    { "reset", AT_PANIC, reset, NULL, BY_CRASH, "reboot " },
    { "destroy", AT_OFF, destroy, "domain is not running", OFF, "" },
    { "destroy", AT_RUNNING, destroy, NULL, DESTROYED, "stopped/1 " },
    { "destroy", AT_PAUSED, destroy, NULL, DESTROYED, "stopped/1 " },
    { "destroy", AT_SLEEP, destroy, NULL, DESTROYED, "stopped/1 " },
    { "destroy", AT_PANIC, destroy, NULL, DESTROYED, "stopped/1 " },
    { "destroy --graceful", AT_RUNNING, destroy_gracefully, NULL, DESTROYED,
      "stopped/1 " },
    { "domcontrol", AT_OFF, control, "domain is not running", OFF, "" },
    { "domcontrol", AT_RUNNING, control, NULL, BOOTED, "" },
    { "domrename", AT_OFF, rename_it, NULL, OFF, "undefined/1 defined/2 " },
    { "domrename", AT_RUNNING, rename_it, "cannot rename active domain", BOOTED,
      "" },
    { "domrename", AT_PAUSED, rename_it, "cannot rename active domain", PAUSED,
      "" },
    { "autostart", AT_OFF, autostart, NULL, OFF, "" },
    { "autostart", AT_RUNNING, autostart, NULL, BOOTED, "" },
};

/* No engine puts a domain to sleep or makes it panic at a test's wish. */
static void
put_into(Fixture *f, const VirtkvmDomainRef *dom, int status, int reason)
{
    g_autoptr(CoreDomain) domain = fixture_domain(f, dom);

    core_domain_lock(domain);
    core_domain_set_state(domain, status, reason);
    core_domain_unlock(domain);
}

static void
bring(Fixture *f, const VirtkvmDomainRef *dom, Start from)
{
    if (from == AT_OFF)
        return;
    assert_true(create(f, dom, NULL));
    if (from == AT_PAUSED)
        assert_true(suspend(f, dom, NULL));
    if (from == AT_SLEEP)
        put_into(f, dom, VIR_DOMAIN_PMSUSPENDED, 0);
    if (from == AT_PANIC)
        put_into(f, dom, VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED);
}

static void
run_row(const Row *row)
{
    Fixture *f = fixture_new(NULL);
    g_autoptr(GError) error = NULL;
    VirtkvmDomainRef dom;
    bool done;

    fixture_start(f, false);
    dom = fixture_define(f, "guest");
    bring(f, &dom, row->from);
    g_free(fixture_events(f));
    done = row->call(f, &dom, &error);
    if (done != !row->refusal)
        fail_msg("%s from state %d: %s", row->name, row->from,
                 error ? error->message : "was not refused");
    if (row->refusal) {
        assert_string_equal(error->message, row->refusal);
        assert_int_equal(error_code(error), VIR_ERR_OPERATION_INVALID);
    }
    fixture_wait_events(f, row->events);
    if (fixture_state(f, &dom) != row->state)
        fail_msg("%s from state %d: ends in %d, not %d", row->name, row->from,
                 fixture_state(f, &dom), row->state);
    core_domain_ref_clear(&dom);
    fixture_free(f);
}

static void
test_every_state_and_call(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        run_row(&rows[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_state_and_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
