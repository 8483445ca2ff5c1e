/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/cputime.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/file.h"

#define STAT_MAX_BYTES  4096
#define SCHED_MAX_BYTES 65536
#define NS_PER_MS       1e6
#define NS_PER_S        1000000000u

/* proc(5): fields of stat after the command's name, from 3 on */
enum {
    FIELD_STATE = 3,
    FIELD_UTIME = 14,
    FIELD_STIME = 15,
    FIELD_STARTTIME = 22,
    FIELD_RSS = 24,
    FIELD_PROCESSOR = 39,
};

static uint64_t
ticks_to_ns(uint64_t ticks)
{
    return ticks * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* The name may hold blanks and parentheses: the last one ends it. */
static bool
parse_stat(const char *text, CoreCpuTime *ret_time)
{
    const char *next = strrchr(text, ')');
    uint64_t fields[FIELD_PROCESSOR + 1] = { 0 };

    if (!next || next[1] != ' ' || !next[2])
        return false;
    ret_time->state = next[2];
    next += 3;
    for (int i = FIELD_STATE + 1; i <= FIELD_PROCESSOR; i++) {
        char *end;

        fields[i] = g_ascii_strtoull(next, &end, 10);
        if (end == next)
            return false;
        next = end;
    }
    ret_time->user_ns = ticks_to_ns(fields[FIELD_UTIME]);
    ret_time->system_ns = ticks_to_ns(fields[FIELD_STIME]);
    ret_time->start_time = fields[FIELD_STARTTIME];
    ret_time->rss_kib =
        fields[FIELD_RSS] * ((uint64_t)sysconf(_SC_PAGESIZE) / 1024);
    ret_time->cpu = (int)fields[FIELD_PROCESSOR];
    return true;
}

static bool
read_stat(const char *path, CoreCpuTime *ret_time)
{
    g_autofree char *text = file_read(path, STAT_MAX_BYTES, NULL, NULL);

    return text && parse_stat(text, ret_time);
}

bool
core_cputime_process(pid_t pid, CoreCpuTime *ret_time)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    return read_stat(path, ret_time);
}

bool
core_cputime_thread(pid_t pid, pid_t thread, CoreCpuTime *ret_time)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)pid,
             (int)thread);
    return read_stat(path, ret_time);
}

bool
core_cputime_sched(pid_t pid, pid_t thread, CoreSchedTime *ret_time)
{
    g_autofree char *text = NULL;
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", (int)pid,
             (int)thread);
    text = file_read(path, STAT_MAX_BYTES, NULL, NULL);
    return text && sscanf(text, "%" SCNu64 " %" SCNu64, &ret_time->run_ns,
                          &ret_time->wait_ns) == 2;
}

/* /proc/PID/task/TID/sched has it in milliseconds, if the kernel keeps it. */
uint64_t
core_cputime_blocked_ns(pid_t pid, pid_t thread)
{
    g_autofree char *text = NULL;
    const char *line;
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/task/%d/sched", (int)pid,
             (int)thread);
    text = file_read(path, SCHED_MAX_BYTES, NULL, NULL);
    line = text ? strstr(text, "wait_sum") : NULL;
    line = line ? strchr(line, ':') : NULL;
    return line ? (uint64_t)(g_ascii_strtod(line + 1, NULL) * NS_PER_MS) : 0;
}
