/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/resolve/open.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

#define ERRORS_MAX 1024 /* bytes of what it says that are shown */

extern char **environ;

/* @fd and @errors are above all that is overwritten. Returns: as errno */
static int
spawn(char *const *argv, int fd, int errors, pid_t *ret_pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    int failed = posix_spawn_file_actions_init(&files);

    if (failed)
        return failed;
    failed = posix_spawnattr_init(&attributes);
    if (failed) {
        posix_spawn_file_actions_destroy(&files);
        return failed;
    }
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&files, 0, 1);
    posix_spawn_file_actions_adddup2(&files, errors, 2);
    posix_spawn_file_actions_adddup2(&files, fd, ENGINE_PROGRAM_FD);
    failed = posix_spawnp(ret_pid, argv[0], &files, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return failed;
}

/* Returns: did it end well? */
static bool
wait_for(pid_t pid)
{
    int status = 0;
    pid_t ended;

    do
        ended = waitpid(pid, &status, 0);
    while (ended < 0 && errno == EINTR);
    return ended == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The last line of what it said is why it ended. */
static char *
last_line(int fd)
{
    char text[ERRORS_MAX + 1] = "";
    ssize_t got;
    char *line;

    got = pread(fd, text, ERRORS_MAX, 0);
    text[MAX(got, 0)] = '\0';
    g_strchomp(text);
    line = strrchr(text, '\n');
    return g_utf8_make_valid(line ? line + 1 : text, -1);
}

bool
engine_program_run(char *const *argv, int fd, GError **error)
{
    g_auto(Fd) errors =
        engine_open_high(memfd_create(argv[0], MFD_CLOEXEC), error);
    g_autofree char *line = NULL;
    pid_t pid;
    int failed;

    if (errors < 0)
        return false;
    failed = spawn(argv, fd, errors, &pid);
    if (failed) {
        error_set_errno(error, failed, _("cannot run '%s'"), argv[0]);
        return false;
    }
    if (wait_for(pid))
        return true;
    line = last_line(errors);
    error_set(error, VIR_ERR_OPERATION_FAILED, _("'%s' has failed: %s"),
              argv[0], line);
    return false;
}
