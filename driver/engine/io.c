/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/io-poll.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "engine/thread.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

#define EVENTS_MAX 16
#define NS_PER_S   1000000000ll
#define NS_PER_MS  1000000

/* While the thread looks at rings: how often it asks for all else, and how long
 * one look takes only where another thread had the CPU meanwhile. */
#define ASK_NS       50000
#define PREEMPTED_NS 50000

struct EngineIoSource {
    EngineIo *io;
    int fd;
    uint32_t events;  /* that it was called for */
    EngineIoFn ready; /* NULL: removed */
    void *opaque;
    EngineIoSource *next; /* of the removed ones */
};

/* What another thread waits for, on its stack. */
typedef struct Call {
    struct Call *next;
    EngineIoFn fn;
    void *opaque;
    bool done;
} Call;

struct EngineIo {
    pthread_t thread;
    int epoll_fd;
    int wake_fd; /* eventfd: there are calls */
    char name[16];
    GMutex lock; /* of calls and their `done` */
    GCond done;
    Call *calls;
    /* the thread's own */
    EngineIoSource *removed; /* freed when no event can name them */
    EngineIoTimer *timers;   /* those that are set, the next one first */
    EngineIoPolling polling;
    int64_t asked_ns; /* when the descriptors were asked last */
    bool paused, quit;
};

static void
run_calls(EngineIo *io)
{
    for (;;) {
        Call *call;

        g_mutex_lock(&io->lock);
        call = io->calls;
        if (call)
            io->calls = call->next;
        g_mutex_unlock(&io->lock);
        if (!call)
            return;
        call->fn(call->opaque);
        g_mutex_lock(&io->lock);
        call->done = true;
        g_cond_broadcast(&io->done);
        g_mutex_unlock(&io->lock);
    }
}

static void
free_removed(EngineIo *io)
{
    while (io->removed) {
        EngineIoSource *source = io->removed;

        io->removed = source->next;
        g_free(source);
    }
}

static void
take_wake(EngineIo *io)
{
    eventfd_t count;

    (void)eventfd_read(io->wake_fd, &count);
    run_calls(io);
}

static void
wait_paused(EngineIo *io)
{
    struct pollfd wake = { .fd = io->wake_fd, .events = POLLIN };

    if (poll(&wake, 1, -1) > 0)
        take_wake(io);
    free_removed(io);
}

/* --- timers --------------------------------------------------------------- */
int64_t
engine_io_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

void
engine_io_timer_init(EngineIoTimer *timer, EngineIo *io, EngineIoFn fire,
                     void *opaque)
{
    *timer = (EngineIoTimer){ .io = io, .fire = fire, .opaque = opaque };
}

static void
unlink_timer(EngineIoTimer *timer)
{
    EngineIoTimer **at = &timer->io->timers;

    while (*at && *at != timer)
        at = &(*at)->next;
    if (*at)
        *at = timer->next;
    timer->deadline_ns = 0;
}

void
engine_io_timer_set(EngineIoTimer *timer, int64_t deadline_ns)
{
    EngineIoTimer **at = &timer->io->timers;

    g_assert(pthread_equal(timer->io->thread, pthread_self()));
    if (timer->deadline_ns > 0)
        unlink_timer(timer);
    if (deadline_ns <= 0)
        return;
    timer->deadline_ns = deadline_ns;
    while (*at && (*at)->deadline_ns <= deadline_ns)
        at = &(*at)->next;
    timer->next = *at;
    *at = timer;
}

/* Of those that are due now; one that sets itself again is not before later. */
static void
run_timers(EngineIo *io)
{
    int64_t now = io->timers ? engine_io_now() : 0;

    while (io->timers && io->timers->deadline_ns <= now && !io->paused) {
        EngineIoTimer *timer = io->timers;

        unlink_timer(timer);
        timer->fire(timer->opaque);
    }
}

/* Rounded up: to wake too early would be to wake twice.
 * Returns: ms, -1: for ever */
static int
time_left(const EngineIo *io)
{
    int64_t left_ns;

    if (!io->timers)
        return -1;
    left_ns = io->timers->deadline_ns - engine_io_now();
    return left_ns <= 0
               ? 0
               : (int)MIN((left_ns + NS_PER_MS - 1) / NS_PER_MS, INT_MAX);
}

/* --- the loop ------------------------------------------------------------- */
/* Returns: how many descriptors were ready */
static int
take_events(EngineIo *io, int timeout_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(io->epoll_fd, events, EVENTS_MAX, timeout_ms);

    for (int i = 0; i < count; i++) {
        EngineIoSource *source = events[i].data.ptr;

        if (!source) {
            take_wake(io);
        } else if (source->ready && !io->paused) {
            source->events = events[i].events;
            source->ready(source->opaque);
        }
    }
    return count;
}

/* Others have their turn too, while one finds more and more in its ring.
 * Returns: whether something was there, until @end_ns */
static bool
poll_until(EngineIo *io, int64_t now_ns, int64_t end_ns)
{
    while (now_ns < end_ns) {
        int64_t before_ns = now_ns;

        if (now_ns - io->asked_ns > ASK_NS) {
            io->asked_ns = now_ns;
            if (take_events(io, 0) > 0)
                return true;
        }
        if (engine_io_polling_look(&io->polling))
            return true;
        __builtin_ia32_pause();
        now_ns = engine_io_now();
        if (now_ns - before_ns > PREEMPTED_NS) {
            engine_io_polling_stop(&io->polling, now_ns);
            return false;
        }
    }
    return false;
}

/* Returns: whether there is nothing left but to sleep */
static bool
poll_watches(EngineIo *io, int64_t begin_ns)
{
    int64_t end_ns = engine_io_polling_end(&io->polling, begin_ns);

    if (io->timers)
        end_ns = MIN(end_ns, io->timers->deadline_ns);
    return !poll_until(io, begin_ns, end_ns) &&
           !engine_io_polling_arm(&io->polling);
}

static void
wait_running(EngineIo *io)
{
    int64_t begin_ns = io->polling.first ? engine_io_now() : 0;

    if (begin_ns == 0) {
        (void)take_events(io, time_left(io));
    } else if (poll_watches(io, begin_ns)) {
        (void)take_events(io, time_left(io));
        io->asked_ns = engine_io_now();
    }
    run_timers(io);
    free_removed(io);
}

static void *
io_thread(void *opaque)
{
    EngineIo *io = opaque;

    pthread_setname_np(pthread_self(), io->name);
    while (!io->quit) {
        if (io->paused)
            wait_paused(io);
        else
            wait_running(io);
    }
    return NULL;
}

static bool
make_descriptors(EngineIo *io, GError **error)
{
    struct epoll_event wake = { .events = EPOLLIN, .data.ptr = NULL };

    io->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    io->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (io->epoll_fd >= 0 && io->wake_fd >= 0 &&
        epoll_ctl(io->epoll_fd, EPOLL_CTL_ADD, io->wake_fd, &wake) == 0)
        return true;
    error_set_errno(error, errno, _("cannot make an I/O thread"));
    return false;
}

static void
clear(EngineIo *io)
{
    fd_clear(&io->epoll_fd);
    fd_clear(&io->wake_fd);
    g_mutex_clear(&io->lock);
    g_cond_clear(&io->done);
    g_free(io);
}

EngineIo *
engine_io_new(const char *name, GError **error)
{
    EngineIo *io = g_new0(EngineIo, 1);
    int failed;

    io->epoll_fd = io->wake_fd = -1;
    g_strlcpy(io->name, name, sizeof(io->name));
    g_mutex_init(&io->lock);
    g_cond_init(&io->done);
    if (!make_descriptors(io, error)) {
        clear(io);
        return NULL;
    }
    failed = engine_thread_start(&io->thread, io_thread, io);
    if (failed) {
        error_set_errno(error, failed, _("cannot start an I/O thread"));
        clear(io);
        return NULL;
    }
    return io;
}

static void
quit(void *opaque)
{
    EngineIo *io = opaque;

    io->quit = true;
}

void
engine_io_free(EngineIo *io)
{
    if (!io)
        return;
    engine_io_call(io, quit, io);
    pthread_join(io->thread, NULL);
    clear(io);
}

EngineIoSource *
engine_io_add(EngineIo *io, int fd, EngineIoFn ready, void *opaque,
              GError **error)
{
    EngineIoSource *source = g_new0(EngineIoSource, 1);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = source };

    *source = (EngineIoSource){
        .io = io, .fd = fd, .ready = ready, .opaque = opaque
    };
    if (epoll_ctl(io->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
        return source;
    error_set_errno(error, errno, _("cannot watch a descriptor"));
    g_free(source);
    return NULL;
}

void
engine_io_set_events(EngineIoSource *source, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = source };

    (void)epoll_ctl(source->io->epoll_fd, EPOLL_CTL_MOD, source->fd, &event);
}

uint32_t
engine_io_events(const EngineIoSource *source)
{
    return source->events;
}

void
engine_io_remove(EngineIoSource *source)
{
    if (!source)
        return;
    g_assert(pthread_equal(source->io->thread, pthread_self()));
    (void)epoll_ctl(source->io->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
    source->ready = NULL;
    source->next = source->io->removed;
    source->io->removed = source;
}

void
engine_io_watch(EngineIoWatch *watch)
{
    engine_io_polling_add(&watch->io->polling, watch);
}

void
engine_io_unwatch(EngineIoWatch *watch)
{
    if (watch->on)
        engine_io_polling_remove(&watch->io->polling, watch);
}

void
engine_io_call(EngineIo *io, EngineIoFn fn, void *opaque)
{
    Call call = { NULL, fn, opaque, false };
    Call **last = &io->calls;

    if (pthread_equal(io->thread, pthread_self())) {
        fn(opaque);
        return;
    }
    g_mutex_lock(&io->lock);
    while (*last)
        last = &(*last)->next;
    *last = &call;
    (void)eventfd_write(io->wake_fd, 1);
    while (!call.done)
        g_cond_wait(&io->done, &io->lock);
    g_mutex_unlock(&io->lock);
}

static void
pause_thread(void *opaque)
{
    EngineIo *io = opaque;

    io->paused = true;
}

static void
resume_thread(void *opaque)
{
    EngineIo *io = opaque;

    io->paused = false;
}

void
engine_io_pause(EngineIo *io)
{
    if (io)
        engine_io_call(io, pause_thread, io);
}

void
engine_io_resume(EngineIo *io)
{
    if (io)
        engine_io_call(io, resume_thread, io);
}
