/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/error.h"
#include "util/i18n.h"

extern char **environ;

bool
core_spawn_raise(int *fd, GError **error)
{
    int raised;

    if (*fd >= CORE_SPAWN_FD_MIN)
        return true;
    raised = fcntl(*fd, F_DUPFD_CLOEXEC, CORE_SPAWN_FD_MIN);
    if (raised < 0) {
        error_set_errno(error, errno, _("cannot duplicate a descriptor"));
        return false;
    }
    close(*fd);
    *fd = raised;
    return true;
}

static int
add_files(posix_spawn_file_actions_t *files, const CoreSpawn *spawn)
{
    int failed = posix_spawn_file_actions_addchdir_np(files, "/");

    for (size_t i = 0; !failed && i < spawn->n_fds; i++)
        failed = posix_spawn_file_actions_adddup2(files, spawn->fds[i], (int)i);
    return failed;
}

/* Handlers end with exec; what this process ignores would stay ignored. */
static int
set_attributes(posix_spawnattr_t *attributes)
{
    static const int ignorable[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGPIPE,
                                     SIGTERM, SIGCHLD, SIGUSR1, SIGUSR2 };
    sigset_t none, defaults;

    sigemptyset(&none);
    sigemptyset(&defaults);
    for (size_t i = 0; i < G_N_ELEMENTS(ignorable); i++)
        sigaddset(&defaults, ignorable[i]);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &defaults);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID |
                                                    POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF);
}

static int
spawn_with(const CoreSpawn *spawn, posix_spawn_file_actions_t *files,
           pid_t *ret_pid)
{
    posix_spawnattr_t attributes;
    int failed = posix_spawnattr_init(&attributes);

    if (failed)
        return failed;
    failed = set_attributes(&attributes);
    if (!failed)
        failed = add_files(files, spawn);
    if (!failed)
        failed = posix_spawn(ret_pid, spawn->path, files, &attributes,
                             spawn->argv, environ);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

pid_t
core_spawn(const CoreSpawn *spawn, int *ret_pidfd, GError **error)
{
    posix_spawn_file_actions_t files;
    pid_t pid = -1;
    int failed = posix_spawn_file_actions_init(&files);

    if (!failed) {
        failed = spawn_with(spawn, &files, &pid);
        posix_spawn_file_actions_destroy(&files);
    }
    if (failed) {
        error_set_errno(error, failed, _("cannot run '%s'"), spawn->path);
        return -1;
    }
    *ret_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (*ret_pidfd >= 0)
        return pid;
    error_set_errno(error, errno, _("cannot watch '%s'"), spawn->path);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return -1;
}
