/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "util/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/fd.h"

/* Set once by log_init(), before other threads start. */
static struct {
    const char *program;
    LogLevel level;
    int fd;
} sink = { "virtkvm", LOG_LEVEL_WARNING, 2 };

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

void
log_init(const char *program, LogLevel level, int fd)
{
    sink.program = program;
    sink.level = level;
    sink.fd = fd;
}

static void
emit(LogLevel level, const char *text)
{
    int saved = errno;
    struct timespec now;
    struct tm parts;
    char stamp[32];
    g_autofree char *line = NULL;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S", &parts);
    line = g_strdup_printf("%s.%03ld+0000: %s: %s: %s\n", stamp,
                           now.tv_nsec / 1000000, sink.program,
                           level_names[level], text);
    (void)fd_write_all(sink.fd, line, strlen(line));
    errno = saved;
}

void
log_message(LogLevel level, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    if (level > sink.level)
        return;
    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    emit(level, text);
}

/* Returns whether a message may pass; *ret_suppressed counts those that were
 * held back in the window that just ended. */
static bool
limit_admit(LogLimit *limit, unsigned *ret_suppressed)
{
    gint64 now = g_get_monotonic_time();
    bool admitted;

    g_mutex_lock(&limit->lock);
    *ret_suppressed = 0;
    if (now - limit->window_us > (gint64)LOG_INTERVAL_S * G_USEC_PER_SEC) {
        *ret_suppressed = limit->suppressed;
        limit->window_us = now;
        limit->count = limit->suppressed = 0;
    }
    admitted = limit->count < LOG_BURST;
    if (admitted)
        limit->count++;
    else
        limit->suppressed++;
    g_mutex_unlock(&limit->lock);
    return admitted;
}

void
log_limited(LogLimit *limit, LogLevel level, const char *format, ...)
{
    g_autofree char *text = NULL;
    unsigned suppressed;
    va_list args;

    if (level > sink.level || !limit_admit(limit, &suppressed))
        return;
    if (suppressed > 0)
        log_message(level, "%u similar messages were suppressed", suppressed);
    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    emit(level, text);
}
