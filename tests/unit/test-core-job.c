/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "core-fixture.h"
#include "core/calls.h"
#include "core/job.h"
#include "util/error.h"

#define SHORT_WAIT_MS  50
#define STRESS_THREADS 8
#define STRESS_DOMAINS 4
#define STRESS_ROUNDS  400

/* An engine that obeys the test. */
static struct {
    GMutex lock;
    GCond changed;
    bool closed;  /* stop waits */
    bool waiting; /* somebody waits in stop */
    bool fails;   /* stop and spawn fail */
} gate;

static void
set_gate(bool closed, bool fails)
{
    g_mutex_lock(&gate.lock);
    gate.closed = closed;
    gate.fails = fails;
    g_cond_broadcast(&gate.changed);
    g_mutex_unlock(&gate.lock);
}

static void
wait_for_caller(void)
{
    g_mutex_lock(&gate.lock);
    while (!gate.waiting)
        g_cond_wait(&gate.changed, &gate.lock);
    g_mutex_unlock(&gate.lock);
}

static bool
gated_stop(CoreEngine *engine, GError **error)
{
    bool fails;

    g_mutex_lock(&gate.lock);
    gate.waiting = gate.closed;
    g_cond_broadcast(&gate.changed);
    while (gate.closed)
        g_cond_wait(&gate.changed, &gate.lock);
    gate.waiting = false;
    fails = gate.fails;
    g_mutex_unlock(&gate.lock);
    if (!fails)
        return core_engine_null_ops.stop(engine, error);
    error_set(error, VIR_ERR_OPERATION_FAILED, "the engine says no");
    return false;
}

static CoreEngine *
gated_spawn(const CoreEngineLaunch *launch, GError **error)
{
    if (!gate.fails)
        return core_engine_null_ops.spawn(launch, error);
    error_set(error, VIR_ERR_SYSTEM_ERROR, "no such engine");
    return NULL;
}

static CoreEngineOps gated_ops;

static int
setup(void **state)
{
    Fixture *f;

    gated_ops = core_engine_null_ops;
    gated_ops.stop = gated_stop;
    gated_ops.spawn = gated_spawn;
    set_gate(false, false);
    f = fixture_new(&gated_ops);
    fixture_start(f, false);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

static VirtkvmDomainRef
start(Fixture *f, const char *name)
{
    VirtkvmDomainRef dom = fixture_define(f, name), ret = { 0 };

    assert_true(core_call_create(f->state, &f->caller, &dom, 0, &ret, NULL));
    core_domain_ref_clear(&ret);
    return dom;
}

typedef struct Suspend {
    Fixture *f;
    const VirtkvmDomainRef *dom;
    GError *error;
} Suspend;

static gpointer
suspend_thread(gpointer data)
{
    Suspend *suspend = data;

    core_call_suspend(suspend->f->state, &suspend->f->caller, suspend->dom,
                      &suspend->error);
    return NULL;
}

static void
test_waiting_in_vain(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "a");
    Suspend suspend = { f, &dom, NULL };
    g_autoptr(GError) error = NULL;
    VirtkvmControlInfo info;
    GThread *thread;

    f->state->job_wait_ms = SHORT_WAIT_MS;
    set_gate(true, false);
    thread = g_thread_new("suspend", suspend_thread, &suspend);
    wait_for_caller();
    assert_false(core_call_reset(f->state, &f->caller, &dom, 0, &error));
    assert_int_equal(error_code(error), VIR_ERR_OPERATION_TIMEOUT);
    assert_string_equal(
        error->message,
        "cannot acquire state change lock (held by domainSuspend)");
    /* questions do not wait */
    assert_true(
        core_call_control_info(f->state, &f->caller, &dom, &info, NULL));
    assert_int_equal(info.state, VIR_DOMAIN_CONTROL_JOB);
    assert_int_equal(fixture_state(f, &dom) / 100, VIR_DOMAIN_RUNNING);
    set_gate(false, false);
    g_thread_join(thread);
    assert_null(suspend.error);
    assert_int_equal(fixture_state(f, &dom) / 100, VIR_DOMAIN_PAUSED);
    core_domain_ref_clear(&dom);
}

static void
test_waiting_and_getting(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "a");
    Suspend first = { f, &dom, NULL }, second = { f, &dom, NULL };
    GThread *threads[2];

    set_gate(true, false);
    threads[0] = g_thread_new("first", suspend_thread, &first);
    wait_for_caller();
    threads[1] = g_thread_new("second", suspend_thread, &second);
    set_gate(false, false);
    g_thread_join(threads[0]);
    g_thread_join(threads[1]);
    assert_null(first.error);
    assert_null(second.error);
    core_domain_ref_clear(&dom);
}

/* Destroying does not wait for a call that the engine does not answer, and
 * that call learns of it. */
static void
test_destroy_passes_a_stuck_call(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "a");
    Suspend suspend = { f, &dom, NULL };
    GThread *thread;

    set_gate(true, false);
    thread = g_thread_new("suspend", suspend_thread, &suspend);
    wait_for_caller();
    assert_true(core_call_destroy(f->state, &f->caller, &dom, 0, NULL));
    assert_int_equal(fixture_state(f, &dom),
                     VIR_DOMAIN_SHUTOFF * 100 + VIR_DOMAIN_SHUTOFF_DESTROYED);
    set_gate(false, false);
    g_thread_join(thread);
    assert_non_null(suspend.error);
    assert_int_equal(error_code(suspend.error), VIR_ERR_OPERATION_FAILED);
    assert_string_equal(suspend.error->message, "domain is no longer running");
    g_error_free(suspend.error);
    core_domain_ref_clear(&dom);
}

/* Who waits for a domain that is removed is told that it is gone. */
static void
test_removed_while_waiting(void **state)
{
    Fixture *f = *state;
    g_autofree char *xml = fixture_xml("t", NULL, NULL);
    VirtkvmDomainRef dom = { 0 };
    Suspend suspend = { f, &dom, NULL };
    g_autoptr(CoreDomain) domain = NULL;
    GThread *thread;

    assert_true(core_call_create_xml(f->state, &f->caller, xml, 0, &dom, NULL));
    domain = fixture_domain(f, &dom);
    core_domain_lock(domain);
    assert_true(core_job_begin(domain, "test", NULL));
    core_domain_unlock(domain);
    thread = g_thread_new("suspend", suspend_thread, &suspend);
    g_usleep(20000); /* likely, not surely, long enough to be waiting */
    assert_true(core_call_destroy(f->state, &f->caller, &dom, 0, NULL));
    g_thread_join(thread);
    assert_int_equal(error_code(suspend.error), VIR_ERR_NO_DOMAIN);
    g_error_free(suspend.error);
    core_domain_lock(domain);
    core_job_end(domain);
    core_domain_unlock(domain);
    core_domain_ref_clear(&dom);
}

static void
test_engine_refuses(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = start(f, "a");
    g_autoptr(GError) error = NULL;

    set_gate(false, true);
    assert_false(core_call_suspend(f->state, &f->caller, &dom, &error));
    assert_string_equal(error->message, "the engine says no");
    assert_int_equal(fixture_state(f, &dom) / 100, VIR_DOMAIN_RUNNING);
    fixture_wait_events(f, "defined/0 started/0 ");
    core_domain_ref_clear(&dom);
}

static void
test_no_engine(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef dom = fixture_define(f, "a"), ret = { 0 };
    g_autofree char *xml = fixture_xml("t", NULL, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) all = NULL;

    set_gate(false, true);
    assert_false(core_call_create(f->state, &f->caller, &dom, 0, &ret, &error));
    assert_string_equal(error->message, "no such engine");
    assert_int_equal(fixture_state(f, &dom),
                     VIR_DOMAIN_SHUTOFF * 100 + VIR_DOMAIN_SHUTOFF_FAILED);
    assert_false(
        core_call_create_xml(f->state, &f->caller, xml, 0, &ret, NULL));
    assert_true(core_call_list(f->state, &f->caller, 0, &all, NULL));
    assert_int_equal(all->len, 1);
    assert_int_equal(g_atomic_int_get(&f->held), 0);
    fixture_wait_events(f, "defined/0 ");
    core_domain_ref_clear(&dom);
}

/* --- many at once -------------------------------------------------------- */

typedef struct Worker {
    Fixture *f;
    VirtkvmDomainRef *doms;
    guint32 seed;
} Worker;

static void
one_call(Fixture *f, const VirtkvmDomainRef *dom, unsigned which)
{
    g_autofree char *xml = NULL;
    VirtkvmDomainRef ret = { 0 };
    g_autoptr(GArray) list = NULL;
    VirtkvmDomainInfo info;
    bool autostart;

    switch (which) {
    case 0:
    case 1:
        core_call_create(f->state, &f->caller, dom, 0, &ret, NULL);
        break;
    case 2:
        core_call_suspend(f->state, &f->caller, dom, NULL);
        break;
    case 3:
        core_call_resume(f->state, &f->caller, dom, NULL);
        break;
    case 4:
        core_call_reset(f->state, &f->caller, dom, 0, NULL);
        break;
    case 5:
        core_call_destroy(f->state, &f->caller, dom, 0, NULL);
        break;
    case 6:
        xml = core_call_xml(f->state, &f->caller, dom, 0, NULL);
        break;
    case 7:
        core_call_list(f->state, &f->caller, 0, &list, NULL);
        break;
    case 8:
        core_call_info(f->state, &f->caller, dom, &info, NULL);
        break;
    case 9:
        xml = fixture_xml("transient", NULL, NULL);
        core_call_create_xml(f->state, &f->caller, xml, 0, &ret, NULL);
        break;
    case 10:
        if (core_call_lookup_name(f->state, &f->caller, "transient", &ret,
                                  NULL))
            core_call_destroy(f->state, &f->caller, &ret, 0, NULL);
        break;
    default:
        core_call_autostart(f->state, &f->caller, dom, &autostart, NULL);
        core_call_stats(f->state, &f->caller, NULL, 0, 0, 0, &list, NULL);
    }
    core_domain_ref_clear(&ret);
}

static gpointer
worker_thread(gpointer data)
{
    Worker *worker = data;
    g_autoptr(GRand) random = g_rand_new_with_seed(worker->seed);

    for (int i = 0; i < STRESS_ROUNDS; i++)
        one_call(worker->f,
                 &worker->doms[g_rand_int_range(random, 0, STRESS_DOMAINS)],
                 (unsigned)g_rand_int_range(random, 0, 12));
    return NULL;
}

static guint
count_files(Fixture *f)
{
    g_autofree char *path = fixture_path(f, "run", "");
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    guint count = 0;

    while ((name = g_dir_read_name(dir)))
        count += g_str_has_suffix(name, ".xml");
    return count;
}

static void
test_many_at_once(void **state)
{
    Fixture *f = *state;
    VirtkvmDomainRef doms[STRESS_DOMAINS], last = { 0 };
    Worker workers[STRESS_THREADS];
    GThread *threads[STRESS_THREADS];
    g_autoptr(GArray) left = NULL;

    for (int i = 0; i < STRESS_DOMAINS; i++) {
        g_autofree char *name = g_strdup_printf("d%d", i);

        doms[i] = fixture_define(f, name);
    }
    for (int i = 0; i < STRESS_THREADS; i++) {
        workers[i] = (Worker){ f, doms, (guint32)i + 1 };
        threads[i] = g_thread_new("worker", worker_thread, &workers[i]);
    }
    for (int i = 0; i < STRESS_THREADS; i++)
        g_thread_join(threads[i]);
    if (core_call_lookup_name(f->state, &f->caller, "transient", &last, NULL))
        core_call_destroy(f->state, &f->caller, &last, 0, NULL);
    core_domain_ref_clear(&last);
    for (int i = 0; i < STRESS_DOMAINS; i++) {
        core_call_destroy(f->state, &f->caller, &doms[i], 0, NULL);
        core_domain_ref_clear(&doms[i]);
    }
    assert_true(core_call_list(f->state, &f->caller, 0, &left, NULL));
    assert_int_equal(left->len, STRESS_DOMAINS);
    assert_int_equal(g_atomic_int_get(&f->held), 0);
    assert_int_equal(count_files(f), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_waiting_in_vain),
        TEST(test_waiting_and_getting),
        TEST(test_destroy_passes_a_stuck_call),
        TEST(test_removed_while_waiting),
        TEST(test_engine_refuses),
        TEST(test_no_engine),
        TEST(test_many_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
