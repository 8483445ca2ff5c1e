/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/epoll.h>
#include <unistd.h>

#include "rpc/loop.h"
#include "rpc/pool.h"

/* --- pool ------------------------------------------------------------------
 */

typedef struct Meeting {
    GMutex lock;
    GCond changed;
    unsigned here;
    unsigned done;
    bool leave;
} Meeting;

static void
stay(void *data)
{
    Meeting *meeting = data;

    g_mutex_lock(&meeting->lock);
    meeting->here++;
    g_cond_broadcast(&meeting->changed);
    while (!meeting->leave)
        g_cond_wait(&meeting->changed, &meeting->lock);
    g_mutex_unlock(&meeting->lock);
}

static void
pass(void *data)
{
    Meeting *meeting = data;

    g_mutex_lock(&meeting->lock);
    meeting->done++;
    g_cond_broadcast(&meeting->changed);
    g_mutex_unlock(&meeting->lock);
}

/* Waits until *@count is @expected; a minute is for ever. */
static void
wait_until(Meeting *meeting, const unsigned *count, unsigned expected)
{
    gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

    g_mutex_lock(&meeting->lock);
    while (*count < expected)
        assert_true(
            g_cond_wait_until(&meeting->changed, &meeting->lock, until));
    g_mutex_unlock(&meeting->lock);
}

static void
dismiss(Meeting *meeting)
{
    g_mutex_lock(&meeting->lock);
    meeting->leave = true;
    g_cond_broadcast(&meeting->changed);
    g_mutex_unlock(&meeting->lock);
}

static void
test_as_many_as_allowed(void **state)
{
    RpcPool *pool = rpc_pool_new(3, 1);
    Meeting meeting = { 0 };

    rpc_pool_open(pool);
    for (int i = 0; i < 10; i++)
        rpc_pool_submit(pool, false, stay, &meeting);
    wait_until(&meeting, &meeting.here, 3);
    g_usleep(20 * 1000);
    assert_int_equal(meeting.here, 3);
    dismiss(&meeting);
    rpc_pool_free(pool); /* runs the others */
    assert_int_equal(meeting.here, 10);
}

static void
test_urgent_ones_get_through(void **state)
{
    RpcPool *pool = rpc_pool_new(2, 1);
    Meeting meeting = { 0 };

    rpc_pool_open(pool);
    for (int i = 0; i < 10; i++)
        rpc_pool_submit(pool, false, stay, &meeting);
    wait_until(&meeting, &meeting.here, 2);
    for (int i = 0; i < 10; i++)
        rpc_pool_submit(pool, true, pass, &meeting);
    wait_until(&meeting, &meeting.done, 10);
    assert_int_equal(meeting.here, 2);
    dismiss(&meeting);
    rpc_pool_free(pool);
}

static void
test_nothing_runs_before_it_is_open(void **state)
{
    RpcPool *pool = rpc_pool_new(2, 2);
    Meeting meeting = { 0 };

    for (int i = 0; i < 6; i++)
        rpc_pool_submit(pool, i % 2, pass, &meeting);
    g_usleep(20 * 1000);
    assert_int_equal(meeting.done, 0);
    rpc_pool_open(pool);
    wait_until(&meeting, &meeting.done, 6);
    rpc_pool_free(pool);
    rpc_pool_free(NULL);
}

/* Every job runs once, whatever meets whom. */
static void
test_none_is_lost(void **state)
{
    RpcPool *pool = rpc_pool_new(4, 2);
    Meeting meeting = { 0 };

    rpc_pool_open(pool);
    for (int i = 0; i < 20000; i++)
        rpc_pool_submit(pool, i % 3 == 0, pass, &meeting);
    rpc_pool_free(pool);
    assert_int_equal(meeting.done, 20000);
}

/* --- loop ------------------------------------------------------------------
 */

typedef struct Trace {
    RpcLoop *loop;
    GString *seen;
    RpcWatch *watch;
    int ends[2];
} Trace;

static void
mark_a(void *data)
{
    g_string_append_c(((Trace *)data)->seen, 'a');
}

static void
mark_b(void *data)
{
    g_string_append_c(((Trace *)data)->seen, 'b');
}

static void
quit(void *data)
{
    rpc_loop_quit(((Trace *)data)->loop);
}

static void
test_timers_in_order(void **state)
{
    Trace trace = { rpc_loop_new(NULL), g_string_new(NULL), NULL, { -1, -1 } };
    RpcTimer *never = rpc_loop_timer(trace.loop, 5, mark_b, &trace);

    rpc_loop_timer(trace.loop, 30, quit, &trace);
    rpc_loop_timer(trace.loop, 20, mark_b, &trace);
    rpc_loop_timer(trace.loop, 10, mark_a, &trace);
    rpc_loop_timer(trace.loop, 10, mark_b, &trace);
    rpc_timer_free(never);
    rpc_loop_run(trace.loop);
    assert_string_equal(trace.seen->str, "abb");
    rpc_loop_free(trace.loop);
    g_string_free(trace.seen, TRUE);
}

static void *
invoke_from_afar(void *data)
{
    Trace *trace = data;

    for (int i = 0; i < 1000; i++)
        rpc_loop_invoke(trace->loop, i % 2 ? mark_b : mark_a, trace);
    rpc_loop_invoke(trace->loop, quit, trace);
    return NULL;
}

static void
test_invocations_in_order(void **state)
{
    Trace trace = { rpc_loop_new(NULL), g_string_new(NULL), NULL, { -1, -1 } };
    GThread *thread = g_thread_new("afar", invoke_from_afar, &trace);

    rpc_loop_run(trace.loop);
    g_thread_join(thread);
    assert_int_equal(trace.seen->len, 1000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(trace.seen->str[i], i % 2 ? 'b' : 'a');
    rpc_loop_free(trace.loop);
    g_string_free(trace.seen, TRUE);
}

/* Frees its own watch: it is not called again, though there is more to read. */
static void
read_once(uint32_t events, void *data)
{
    Trace *trace = data;

    assert_true(events & EPOLLIN);
    g_string_append_c(trace->seen, 'r');
    rpc_watch_free(g_steal_pointer(&trace->watch));
    rpc_loop_timer(trace->loop, 20, quit, trace);
}

static void
wake_watch(void *data)
{
    rpc_watch_set(((Trace *)data)->watch, EPOLLIN);
}

/* A watch that wants nothing hears nothing, not even a hang-up. */
static void
test_watch(void **state)
{
    Trace trace = { rpc_loop_new(NULL), g_string_new(NULL), NULL, { -1, -1 } };

    assert_int_equal(pipe(trace.ends), 0);
    assert_int_equal(write(trace.ends[1], "xy", 2), 2);
    close(trace.ends[1]);
    trace.watch = rpc_loop_watch(trace.loop, trace.ends[0], EPOLLIN, read_once,
                                 &trace, NULL);
    rpc_watch_set(trace.watch, 0);
    rpc_loop_timer(trace.loop, 10, mark_a, &trace);
    rpc_loop_timer(trace.loop, 20, wake_watch, &trace);
    rpc_loop_run(trace.loop);
    assert_string_equal(trace.seen->str, "ar");
    close(trace.ends[0]);
    rpc_loop_free(trace.loop);
    g_string_free(trace.seen, TRUE);
}

static void
test_watch_that_cannot_be(void **state)
{
    RpcLoop *loop = rpc_loop_new(NULL);
    g_autoptr(GError) error = NULL;

    assert_null(rpc_loop_watch(loop, -1, EPOLLIN, read_once, NULL, &error));
    assert_non_null(error);
    rpc_loop_free(loop);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_many_as_allowed),
        cmocka_unit_test(test_urgent_ones_get_through),
        cmocka_unit_test(test_nothing_runs_before_it_is_open),
        cmocka_unit_test(test_none_is_lost),
        cmocka_unit_test(test_timers_in_order),
        cmocka_unit_test(test_invocations_in_order),
        cmocka_unit_test(test_watch),
        cmocka_unit_test(test_watch_that_cannot_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
