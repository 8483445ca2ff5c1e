/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>

typedef enum LogLevel {
    LOG_LEVEL_ERROR = 1,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
} LogLevel;

/**
 * log_init: where this process's messages go
 * @program: name at the start of each line   @level: the least level kept
 * @fd: descriptor written to, one write() a line; 2 for standard error
 * Thread: before others start
 */
void log_init(const char *program, LogLevel level, int fd);

/** log_message: one line; never fails, never blocks for long; keeps errno */
void log_message(LogLevel level, const char *format, ...) G_GNUC_PRINTF(2, 3);

#define log_error(...) log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_LEVEL_DEBUG, __VA_ARGS__)

/**
 * A bound for messages a guest or client can provoke: at most LOG_BURST in
 * LOG_INTERVAL_S seconds, then one line that counts what was suppressed.
 */
#define LOG_BURST 10
#define LOG_INTERVAL_S 5

typedef struct LogLimit {
    GMutex lock;
    gint64 window_us;
    unsigned count;
    unsigned suppressed;
} LogLimit;

/** log_limited: log_message() if @limit (zero-initialised) lets it */
void log_limited(LogLimit *limit, LogLevel level, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
