/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"
#include "util/log.h"

#define EVENTS_AT_ONCE 64

struct RpcWatch {
    RpcLoop *loop;
    int fd;
    RpcWatchFunc func; /* NULL once freed */
    void *data;
};

struct RpcTimer {
    RpcLoop *loop;
    gint64 due_us; /* monotonic */
    RpcLoopFunc func;
    void *data;
    GSequenceIter *place;
};

typedef struct Invocation {
    RpcLoopFunc func;
    void *data;
} Invocation;

struct RpcLoop {
    Fd epoll;
    Fd wake; /* eventfd */
    GSequence *timers;
    GPtrArray
        *dead;   /* watches freed in this round: events may still name them */
    GMutex lock; /* guards what follows */
    GQueue invoked;
    bool quit;
};

static int
compare_timers(gconstpointer a, gconstpointer b, gpointer data)
{
    const RpcTimer *left = a, *right = b;

    return (left->due_us > right->due_us) - (left->due_us < right->due_us);
}

RpcLoop *
rpc_loop_new(GError **error)
{
    RpcLoop *loop = g_new0(RpcLoop, 1);
    struct epoll_event event = { .events = EPOLLIN };

    g_mutex_init(&loop->lock);
    g_queue_init(&loop->invoked);
    loop->timers = g_sequence_new(NULL);
    loop->dead = g_ptr_array_new_with_free_func(g_free);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll >= 0 && loop->wake >= 0 &&
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &event) == 0)
        return loop;
    error_set_errno(error, errno, _("cannot make the event loop"));
    rpc_loop_free(loop);
    return NULL;
}

void
rpc_loop_free(RpcLoop *loop)
{
    if (!loop)
        return;
    g_sequence_free(loop->timers);
    g_ptr_array_unref(loop->dead);
    fd_clear(&loop->epoll);
    fd_clear(&loop->wake);
    g_mutex_clear(&loop->lock);
    g_free(loop);
}

static void
wake(RpcLoop *loop)
{
    uint64_t one = 1;

    (void)fd_write_all(loop->wake, &one, sizeof(one));
}

void
rpc_loop_quit(RpcLoop *loop)
{
    g_mutex_lock(&loop->lock);
    loop->quit = true;
    g_mutex_unlock(&loop->lock);
    wake(loop);
}

void
rpc_loop_invoke(RpcLoop *loop, RpcLoopFunc func, void *data)
{
    Invocation *invocation = g_new(Invocation, 1);

    *invocation = (Invocation){ func, data };
    g_mutex_lock(&loop->lock);
    g_queue_push_tail(&loop->invoked, invocation);
    g_mutex_unlock(&loop->lock);
    wake(loop);
}

/* Runs what other threads asked for. Returns: false when nothing is left and
 * the loop shall end. */
static bool
run_invoked(RpcLoop *loop)
{
    Invocation *invocation;
    bool quit;

    do {
        g_mutex_lock(&loop->lock);
        invocation = g_queue_pop_head(&loop->invoked);
        quit = loop->quit;
        g_mutex_unlock(&loop->lock);
        if (invocation)
            invocation->func(invocation->data);
        g_free(invocation);
    } while (invocation);
    return !quit;
}

/* Milliseconds to the next timer, rounded up; -1 when there is none. */
static int
time_to_timer(RpcLoop *loop)
{
    GSequenceIter *first = g_sequence_get_begin_iter(loop->timers);
    gint64 left_us;

    if (g_sequence_iter_is_end(first))
        return -1;
    left_us =
        ((RpcTimer *)g_sequence_get(first))->due_us - g_get_monotonic_time();
    return left_us <= 0 ? 0 : (int)MIN((left_us + 999) / 1000, G_MAXINT);
}

static void
run_timers(RpcLoop *loop)
{
    gint64 now = g_get_monotonic_time();
    GSequenceIter *first;

    while (!g_sequence_iter_is_end(
        first = g_sequence_get_begin_iter(loop->timers))) {
        RpcTimer *timer = g_sequence_get(first);
        RpcLoopFunc func = timer->func;
        void *data = timer->data;

        if (timer->due_us > now)
            return;
        rpc_timer_free(timer);
        func(data);
    }
}

static void
dispatch(RpcLoop *loop, const struct epoll_event *event)
{
    RpcWatch *watch = event->data.ptr;
    uint64_t count;

    if (!watch)
        (void)!read(loop->wake, &count, sizeof(count));
    else if (watch->func)
        watch->func(event->events, watch->data);
}

void
rpc_loop_run(RpcLoop *loop)
{
    struct epoll_event events[EVENTS_AT_ONCE];

    while (run_invoked(loop)) {
        int count = epoll_wait(loop->epoll, events, EVENTS_AT_ONCE,
                               time_to_timer(loop));

        for (int i = 0; i < count; i++)
            dispatch(loop, &events[i]);
        run_timers(loop);
        g_ptr_array_set_size(loop->dead, 0);
    }
}

RpcWatch *
rpc_loop_watch(RpcLoop *loop, int fd, uint32_t events, RpcWatchFunc func,
               void *data, GError **error)
{
    RpcWatch *watch = g_new(RpcWatch, 1);
    struct epoll_event event = { .events = events, .data.ptr = watch };

    *watch = (RpcWatch){ loop, fd, func, data };
    if (!events || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
        return watch;
    error_set_errno(error, errno, _("cannot watch a descriptor"));
    g_free(watch);
    return NULL;
}

void
rpc_watch_set(RpcWatch *watch, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = watch };
    int epoll = watch->loop->epoll;

    /* Out of the set altogether when nothing is wanted: a hung-up descriptor
     * that nobody reads now would be reported again and again. */
    if (!events) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, watch->fd, NULL);
        return;
    }
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, watch->fd, &event) != 0 &&
        (errno != ENOENT ||
         epoll_ctl(epoll, EPOLL_CTL_ADD, watch->fd, &event) != 0))
        log_error(_("cannot watch a descriptor: %s"), g_strerror(errno));
}

void
rpc_watch_free(RpcWatch *watch)
{
    if (!watch)
        return;
    epoll_ctl(watch->loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->func = NULL;
    g_ptr_array_add(watch->loop->dead, watch);
}

RpcTimer *
rpc_loop_timer(RpcLoop *loop, uint64_t delay_ms, RpcLoopFunc func, void *data)
{
    RpcTimer *timer = g_new(RpcTimer, 1);

    *timer = (RpcTimer){
        .loop = loop,
        .due_us = g_get_monotonic_time() + (gint64)delay_ms * 1000,
        .func = func,
        .data = data,
    };
    timer->place =
        g_sequence_insert_sorted(loop->timers, timer, compare_timers, NULL);
    return timer;
}

void
rpc_timer_free(RpcTimer *timer)
{
    if (!timer)
        return;
    g_sequence_remove(timer->place);
    g_free(timer);
}
