/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/eventloop.h"

#include <glib.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <signal.h>

struct VshEventLoop {
    GThread *thread;
    gint quit; /* atomic */
    GMutex lock;
    GCond passed;
    unsigned passes; /* of the barrier's timer; under the lock */
};

static void *
loop_thread(void *data)
{
    VshEventLoop *loop = data;

    while (!g_atomic_int_get(&loop->quit))
        if (virEventRunDefaultImpl() < 0)
            virResetLastError();
    return NULL;
}

static void
wake(int timer, void *opaque)
{
}

static void
pass_barrier(int timer, void *opaque)
{
    VshEventLoop *loop = opaque;

    g_mutex_lock(&loop->lock);
    loop->passes++;
    g_cond_signal(&loop->passed);
    g_mutex_unlock(&loop->lock);
}

/* The loop runs one callback at a time, so that when it comes to this timer
 * the others have returned. */
void
vsh_event_loop_barrier(VshEventLoop *loop)
{
    unsigned before;
    int timer;

    g_mutex_lock(&loop->lock);
    before = loop->passes;
    timer = virEventAddTimeout(0, pass_barrier, loop, NULL);
    while (timer >= 0 && loop->passes == before)
        g_cond_wait(&loop->passed, &loop->lock);
    g_mutex_unlock(&loop->lock);
    virEventRemoveTimeout(timer);
}

VshEventLoop *
vsh_event_loop_start(void)
{
    VshEventLoop *loop = g_new0(VshEventLoop, 1);
    sigset_t all, before;

    g_mutex_init(&loop->lock);
    g_cond_init(&loop->passed);
    virEventRegisterDefaultImpl();
    /* signals are the main thread's business */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    loop->thread = g_thread_new("events", loop_thread, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return loop;
}

void
vsh_event_loop_stop(VshEventLoop *loop)
{
    int timer;

    if (!loop)
        return;
    g_atomic_int_set(&loop->quit, 1);
    timer = virEventAddTimeout(0, wake, NULL, NULL);
    g_thread_join(loop->thread);
    virEventRemoveTimeout(timer);
    g_mutex_clear(&loop->lock);
    g_cond_clear(&loop->passed);
    g_free(loop);
}
