/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/thread.h"

#include <signal.h>

int
engine_thread_start(pthread_t *ret_thread, void *(*run)(void *opaque),
                    void *opaque)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    int failed;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, ENGINE_THREAD_STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(ret_thread, &attributes, run, opaque);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return failed;
}
