/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/progress.h"

#include <signal.h>
#include <stdio.h>

#include "util/i18n.h"

#define TICK_MS 250

struct VshProgress {
    GMutex lock;
    GCond changed;
    GThread *thread; /* NULL until the first wait */
    bool terminal;
    bool quit;
    bool waiting;
    bool drawn;
    char *what;
    char *detail;
    gint64 since_us;
};

static void
erase(VshProgress *progress)
{
    if (!progress->drawn)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    progress->drawn = false;
}

static void
draw(VshProgress *progress, gint64 now_us)
{
    static const char marks[] = "|/-\\";
    gint64 elapsed_ms = (now_us - progress->since_us) / 1000;

    fprintf(stderr, "\r%c ", marks[(elapsed_ms / TICK_MS) % 4]);
    /* TRANSLATORS: a command that has been running for some seconds */
    fprintf(stderr, _("%s: %u s"),
            progress->detail ? progress->detail : progress->what,
            (unsigned)(elapsed_ms / 1000));
    fputs("\033[K", stderr);
    fflush(stderr);
    progress->drawn = true;
}

/* Waits for the next time to draw; with the lock held. */
static void
tick(VshProgress *progress)
{
    gint64 now = g_get_monotonic_time();
    gint64 due = progress->since_us + VSH_PROGRESS_DELAY_MS * 1000;

    if (!progress->waiting) {
        g_cond_wait(&progress->changed, &progress->lock);
        return;
    }
    if (now >= due) {
        draw(progress, now);
        due = now + TICK_MS * 1000;
    }
    g_cond_wait_until(&progress->changed, &progress->lock, due);
}

static void *
draw_thread(void *data)
{
    VshProgress *progress = data;

    g_mutex_lock(&progress->lock);
    while (!progress->quit)
        tick(progress);
    g_mutex_unlock(&progress->lock);
    return NULL;
}

VshProgress *
vsh_progress_new(bool terminal)
{
    VshProgress *progress = g_new0(VshProgress, 1);

    g_mutex_init(&progress->lock);
    g_cond_init(&progress->changed);
    progress->terminal = terminal;
    return progress;
}

void
vsh_progress_free(VshProgress *progress)
{
    if (!progress)
        return;
    g_mutex_lock(&progress->lock);
    erase(progress);
    progress->quit = true;
    g_cond_signal(&progress->changed);
    g_mutex_unlock(&progress->lock);
    if (progress->thread)
        g_thread_join(progress->thread);
    g_mutex_clear(&progress->lock);
    g_cond_clear(&progress->changed);
    g_free(progress->what);
    g_free(progress->detail);
    g_free(progress);
}

/* Signals are the main thread's business. */
static GThread *
thread_without_signals(VshProgress *progress)
{
    sigset_t all, before;
    GThread *thread;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread = g_thread_new("progress", draw_thread, progress);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return thread;
}

void
vsh_progress_begin(VshProgress *progress, const char *what)
{
    if (!progress || !progress->terminal)
        return;
    g_mutex_lock(&progress->lock);
    g_free(progress->what);
    progress->what = g_strdup(what);
    g_clear_pointer(&progress->detail, g_free);
    progress->since_us = g_get_monotonic_time();
    progress->waiting = true;
    if (!progress->thread)
        progress->thread = thread_without_signals(progress);
    g_cond_signal(&progress->changed);
    g_mutex_unlock(&progress->lock);
}

void
vsh_progress_detail(VshProgress *progress, const char *detail)
{
    if (!progress || !progress->terminal)
        return;
    g_mutex_lock(&progress->lock);
    g_free(progress->detail);
    progress->detail = g_strdup(detail);
    g_mutex_unlock(&progress->lock);
}

void
vsh_progress_end(VshProgress *progress)
{
    if (!progress || !progress->terminal)
        return;
    g_mutex_lock(&progress->lock);
    progress->waiting = false;
    erase(progress);
    g_mutex_unlock(&progress->lock);
}

void
vsh_progress_erase(VshProgress *progress)
{
    if (!progress || !progress->terminal)
        return;
    g_mutex_lock(&progress->lock);
    erase(progress);
    g_mutex_unlock(&progress->lock);
}
