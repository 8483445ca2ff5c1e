/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * bench-spawn [-n RUNS] [-w WARM-UPS] [-t SECONDS] [-k] -- PROGRAM
 * [ARGUMENT...]
 *
 * Runs a program several times and times it from outside. Its standard input
 * is a silent pipe, its standard output is watched for '~' (the guest's first
 * byte) and '!' (the end of its loop). With -k it gets SIGTERM at the '~'.
 *
 * Prints a JSON object: the last exit "status" and an array of all runs for
 *   first_ms  from the exec to the '~'
 *   gone_ms   from the '!', else the '~' (or the SIGTERM), to the end
 *   loop_ms   from '~' to '!', 0 without one
 *   user_ms, sys_ms, peak_kib  of the whole program
 */
#include <config.h>

#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS_MAX 1000

typedef struct Run {
    double first_ms, gone_ms, loop_ms, user_ms, sys_ms, peak_kib;
    int status;
} Run;

typedef struct Options {
    long runs, warm_ups, timeout_s;
    bool terminate;
    char **command;
} Options;

static double
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double
time_ms(struct timeval time)
{
    return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

static pid_t
spawn(const Options *options, int in, int out)
{
    pid_t pid = vfork();

    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        dup2(in, STDIN_FILENO);
        dup2(out, STDOUT_FILENO);
        if (!getenv("BENCH_VERBOSE"))
            dup2(null, STDERR_FILENO);
        execvp(options->command[0], options->command);
        _exit(127);
    }
    if (pid < 0)
        err(1, "cannot run '%s'", options->command[0]);
    return pid;
}

/* Reads until the program closes its output or the time is over. Sets when the
 * first and the second mark came, 0 if they did not. */
static void
watch(const Options *options, pid_t pid, int fd, double marks[2])
{
    const double end = now_ms() + (double)options->timeout_s * 1e3;
    char buffer[2048];

    for (;;) {
        struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
        double left = end - now_ms();
        double now;
        ssize_t n;

        if (left <= 0 || poll(&poll_fd, 1, (int)left + 1) <= 0) {
            kill(pid, SIGKILL);
            return;
        }
        n = read(fd, buffer, sizeof buffer);
        now = now_ms();
        if (n <= 0)
            return;
        if (marks[0] == 0 && memchr(buffer, '~', (size_t)n)) {
            marks[0] = now;
            if (options->terminate)
                kill(pid, SIGTERM);
        }
        if (marks[1] == 0 && memchr(buffer, '!', (size_t)n))
            marks[1] = now;
    }
}

static bool
run_once(const Options *options, Run *run)
{
    double marks[2] = { 0, 0 }, start, end;
    struct rusage usage;
    int in[2], out[2];
    pid_t pid;

    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
        err(1, "pipe");
    start = now_ms();
    pid = spawn(options, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    watch(options, pid, out[0], marks);
    if (wait4(pid, &run->status, 0, &usage) != pid)
        err(1, "wait");
    end = now_ms();
    close(in[1]);
    close(out[0]);
    run->first_ms = marks[0] - start;
    run->gone_ms = end - (marks[1] > 0 ? marks[1] : marks[0]);
    run->loop_ms = marks[1] > 0 ? marks[1] - marks[0] : 0;
    run->user_ms = time_ms(usage.ru_utime);
    run->sys_ms = time_ms(usage.ru_stime);
    run->peak_kib = (double)usage.ru_maxrss;
    return marks[0] > 0;
}

static void
print_row(const char *name, const Run *runs, long n, size_t offset)
{
    printf("\"%s\": [", name);
    for (long i = 0; i < n; i++)
        printf("%s%.3f", i ? ", " : "",
               *(const double *)((const char *)&runs[i] + offset));
    printf("], ");
}

static void
read_options(int argc, char **argv, Options *options)
{
    int option;

    while ((option = getopt(argc, argv, "+n:w:t:k")) != -1) {
        long value = optarg ? strtol(optarg, NULL, 10) : 0;

        if (option == 'n')
            options->runs = value;
        else if (option == 'w')
            options->warm_ups = value;
        else if (option == 't')
            options->timeout_s = value;
        else if (option == 'k')
            options->terminate = true;
        else
            exit(2);
    }
    options->command = argv + optind;
    if (optind >= argc || options->runs < 1 || options->runs > RUNS_MAX ||
        options->timeout_s < 1)
        errx(2, "usage: bench-spawn [-n RUNS] [-w WARM-UPS] [-t SECONDS] [-k] "
                "-- PROGRAM [ARGUMENT...]");
}

int
main(int argc, char **argv)
{
    Options options = { .runs = 10, .warm_ups = 1, .timeout_s = 20 };
    static Run runs[RUNS_MAX];
    long n;

    read_options(argc, argv, &options);
    for (n = -options.warm_ups; n < options.runs; n++)
        if (!run_once(&options, &runs[n < 0 ? 0 : n]))
            errx(1, "no first byte from '%s', which ended with status 0x%x",
                 options.command[0], (unsigned)runs[n < 0 ? 0 : n].status);
    printf("{");
    print_row("first_ms", runs, n, offsetof(Run, first_ms));
    print_row("gone_ms", runs, n, offsetof(Run, gone_ms));
    print_row("loop_ms", runs, n, offsetof(Run, loop_ms));
    print_row("user_ms", runs, n, offsetof(Run, user_ms));
    print_row("sys_ms", runs, n, offsetof(Run, sys_ms));
    print_row("peak_kib", runs, n, offsetof(Run, peak_kib));
    printf("\"status\": %d}\n", runs[n - 1].status);
    return 0;
}
