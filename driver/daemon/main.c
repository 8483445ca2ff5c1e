/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/options.h"
#include "daemon/paths.h"
#include "daemon/server.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/file.h"
#include "util/i18n.h"
#include "util/log.h"

/* Many short-lived workers would each leave a heap behind. */
#define HEAPS_MAX 2

static int
complain(const GError *error)
{
    fprintf(stderr, "virtkvmd: %s\n", error->message);
    return EXIT_FAILURE;
}

/* --- the process --------------------------------------------------------- */

static void
prepare_process(void)
{
    struct rlimit files;
    sigset_t set;

    mallopt(M_ARENA_MAX, HEAPS_MAX);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* The parent of a background daemon: ends when clients can connect, or with
 * the status of the daemon that failed. */
static int
wait_for_daemon(pid_t child, int ready)
{
    char word;
    int status = 0;

    if (fd_read_all(ready, &word, 1) == 1)
        return EXIT_SUCCESS;
    if (waitpid(child, &status, 0) == child && WIFEXITED(status))
        return WEXITSTATUS(status);
    return EXIT_FAILURE;
}

/* Returns: in the daemon the descriptor to say it is ready; ends the parent */
static bool
go_background(Fd *ret_ready, GError **error)
{
    int ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) != 0 || (child = fork()) < 0) {
        error_set_errno(error, errno, "%s", _("cannot go to the background"));
        return false;
    }
    if (child > 0) {
        close(ends[1]);
        exit(wait_for_daemon(child, ends[0]));
    }
    close(ends[0]);
    setsid();
    *ret_ready = ends[1];
    return true;
}

/* Standard input and output lead nowhere; messages are in the log. */
static void
leave_terminal(void)
{
    g_auto(Fd) null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
}

/* --- files --------------------------------------------------------------- */

static DaemonConfig *
load_config(const DaemonOptions *options, const DaemonPaths *paths,
            GError **error)
{
    g_autoptr(DaemonConfig) config = daemon_config_new(paths->system);
    const char *path =
        options->config_file ? options->config_file : paths->config_file;

    if (!daemon_config_load(config, path, options->config_file != NULL, error))
        return NULL;
    if (options->verbose && config->log_level < LOG_LEVEL_INFO)
        config->log_level = LOG_LEVEL_INFO;
    return g_steal_pointer(&config);
}

/* Returns: the descriptor for messages; -1 with @error */
static int
open_log(const DaemonOptions *options, const DaemonPaths *paths,
         const DaemonConfig *config, GError **error)
{
    const char *path = config->log_file;
    int fd = STDERR_FILENO;

    if (!path && options->background)
        path = paths->log_file;
    if (path)
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        error_set_errno(error, errno, _("cannot open the log '%s'"), path);
    else
        log_init("virtkvmd", config->log_level, fd);
    return fd;
}

static int
take_lock(const DaemonPaths *paths, GError **error)
{
    g_autoptr(GError) reason = NULL;
    int lock = file_lock(paths->lock_file, &reason);

    if (lock >= 0)
        return lock;
    if (error_code(reason) == VIR_ERR_RESOURCE_BUSY)
        error_set(error, VIR_ERR_RESOURCE_BUSY,
                  _("another virtkvmd is running with the folder '%s'"),
                  paths->run_dir);
    else
        g_propagate_error(error, g_steal_pointer(&reason));
    return -1;
}

static bool
write_pid(const char *path, GError **error)
{
    g_autofree char *text = g_strdup_printf("%ld\n", (long)getpid());

    return file_replace_volatile(path, text, strlen(text), 0644, error);
}

/* --- the daemon ---------------------------------------------------------- */

/* The parent of a background daemon ends when the drivers are loaded. */
static void
tell_parent(Fd *ready)
{
    if (*ready < 0)
        return;
    leave_terminal();
    (void)fd_write_all(*ready, "", 1);
    fd_clear(ready);
}

static bool
serve(DaemonServer *server, const char *pid_file, Fd *ready, GError **error)
{
    bool started;

    if (!write_pid(pid_file, error))
        return false;
    started = daemon_server_start(server, error);
    if (started) {
        tell_parent(ready);
        daemon_server_run(server);
    }
    unlink(pid_file);
    return started;
}

static bool
run(const DaemonOptions *options, Fd *ready, GError **error)
{
    g_autoptr(DaemonPaths) paths =
        daemon_paths_new(options->root, options->session, error);
    g_autoptr(DaemonConfig) config = NULL;
    g_auto(Fd) lock = -1; /* let go after the server has ended */
    g_autoptr(DaemonServer) server = NULL;
    int log_fd;

    if (!paths || !daemon_paths_make(paths, error))
        return false;
    config = load_config(options, paths, error);
    if (!config)
        return false;
    log_fd = open_log(options, paths, config, error);
    if (log_fd < 0 || (lock = take_lock(paths, error)) < 0)
        return false;
    server = daemon_server_new(options, paths, g_steal_pointer(&config), log_fd,
                               error);
    return server &&
           serve(server,
                 options->pid_file ? options->pid_file : paths->pid_file, ready,
                 error);
}

int
main(int argc, char **argv)
{
    g_auto(DaemonOptions) options = { 0 };
    g_autoptr(GError) error = NULL;
    g_auto(Fd) ready = -1;

    i18n_init();
    if (!daemon_options_parse(&options, argc, argv, &error))
        return complain(error);
    if (options.version) {
        puts(PACKAGE_STRING);
        return EXIT_SUCCESS;
    }
    prepare_process();
    if (options.background && !go_background(&ready, &error))
        return complain(error);
    if (run(&options, &ready, &error))
        return EXIT_SUCCESS;
    if (options.background)
        log_error("%s", error->message);
    return complain(error);
}
