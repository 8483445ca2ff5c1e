/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** What /proc tells of a process or one of its threads. */
typedef struct CoreCpuTime {
    char state;       /* R, S, D, ... */
    uint64_t user_ns; /* in ticks' resolution, of threads that ended, too */
    uint64_t system_ns;
    uint64_t start_time; /* ticks since boot */
    uint64_t rss_kib;
    int cpu; /* it ran on last */
} CoreCpuTime;

typedef struct CoreSchedTime {
    uint64_t run_ns;  /* on a CPU */
    uint64_t wait_ns; /* runnable, but not on a CPU */
} CoreSchedTime;

/* false: there is no such process or thread (any more) */
bool core_cputime_process(pid_t pid, CoreCpuTime *ret_time);
bool core_cputime_thread(pid_t pid, pid_t thread, CoreCpuTime *ret_time);
bool core_cputime_sched(pid_t pid, pid_t thread, CoreSchedTime *ret_time);

/** core_cputime_blocked_ns: how long it waited for I/O or a CPU; 0 if the host
 * does not tell */
uint64_t core_cputime_blocked_ns(pid_t pid, pid_t thread);
