/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/io-poll.h"

/* A short wait: about what a request takes on a fast disk. */
#define SOON_NS 100000
/* For how long nothing is looked at when the CPU has others to serve. */
#define STOP_NS 5000000

void
engine_io_watch_init(EngineIoWatch *watch, EngineIo *io,
                     bool (*look)(void *opaque), bool (*arm)(void *opaque),
                     EngineIoFn ready, void *opaque)
{
    *watch = (EngineIoWatch){ .io = io,
                              .look = look,
                              .arm = arm ? arm : look,
                              .ready = ready,
                              .opaque = opaque };
}

void
engine_io_watch_came(EngineIoWatch *watch)
{
    watch->soon = engine_io_now() - watch->since_ns <= SOON_NS;
}

void
engine_io_polling_add(EngineIoPolling *polling, EngineIoWatch *watch)
{
    EngineIoWatch **at = &polling->first;

    watch->since_ns = engine_io_now();
    if (watch->on)
        return;
    while (*at)
        at = &(*at)->next;
    *at = watch;
    watch->next = NULL;
    watch->on = true;
    watch->round = polling->round;
}

void
engine_io_polling_remove(EngineIoPolling *polling, EngineIoWatch *watch)
{
    EngineIoWatch **at = &polling->first;

    while (*at && *at != watch)
        at = &(*at)->next;
    if (*at)
        *at = watch->next;
    watch->on = false;
}

/* The next that was not yet seen in this round. What ready() adds or removes
 * meanwhile is no danger: the search begins anew. */
static EngineIoWatch *
next_of_round(const EngineIoPolling *polling)
{
    EngineIoWatch *watch = polling->first;

    while (watch && watch->round == polling->round)
        watch = watch->next;
    return watch;
}

bool
engine_io_polling_look(EngineIoPolling *polling)
{
    EngineIoWatch *watch;
    bool found = false;

    polling->round++;
    while ((watch = next_of_round(polling))) {
        watch->round = polling->round;
        if (!watch->look(watch->opaque))
            continue;
        found = true;
        engine_io_watch_came(watch);
        engine_io_polling_remove(polling, watch);
        watch->ready(watch->opaque);
    }
    return found;
}

bool
engine_io_polling_arm(EngineIoPolling *polling)
{
    EngineIoWatch *watch;
    bool found = false;

    polling->round++;
    while ((watch = next_of_round(polling))) {
        engine_io_polling_remove(polling, watch);
        if (!watch->arm(watch->opaque))
            continue;
        found = true;
        engine_io_watch_came(watch);
        watch->ready(watch->opaque);
    }
    return found;
}

int64_t
engine_io_polling_end(const EngineIoPolling *polling, int64_t now_ns)
{
    int64_t end_ns = now_ns;

    if (now_ns < polling->stop_ns)
        return now_ns;
    for (const EngineIoWatch *at = polling->first; at; at = at->next)
        if (at->soon)
            end_ns = MAX(end_ns, at->since_ns + SOON_NS);
    return end_ns;
}

void
engine_io_polling_stop(EngineIoPolling *polling, int64_t now_ns)
{
    polling->stop_ns = now_ns + STOP_NS;
}
