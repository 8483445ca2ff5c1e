/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/network-command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/spawn.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

#define COMMAND_TIMEOUT_MS 20000
#define WORDS_MAX          1024

char *
core_command_find(const char *program, const char *package, GError **error)
{
    static const char *const folders[] = { "/usr/sbin", "/sbin", "/usr/bin",
                                           "/usr/local/sbin" };
    g_autofree char *found = g_find_program_in_path(program);

    for (size_t i = 0; !found && i < G_N_ELEMENTS(folders); i++) {
        found = g_build_filename(folders[i], program, NULL);
        if (!g_file_test(found, G_FILE_TEST_IS_EXECUTABLE))
            g_clear_pointer(&found, g_free);
    }
    if (!found)
        error_set(error, VIR_ERR_OPERATION_FAILED,
                  _("the program '%s' is not there: install the package '%s'"),
                  program, package);
    return g_steal_pointer(&found);
}

char *
core_command_words(int output_fd)
{
    char words[WORDS_MAX + 1];
    ssize_t got = fd_pread_all(output_fd, words, WORDS_MAX, 0);

    words[MAX(got, 0)] = '\0';
    g_strstrip(words);
    g_strdelimit(words, "\n", ' ');
    return g_utf8_make_valid(words, -1);
}

/* Descriptors of a program: input, nothing, its words. */
static bool
open_files(const char *input, int fds[3], GError **error)
{
    fds[0] = fd_memfd("input", input, strlen(input));
    fds[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
    fds[2] = memfd_create("output", MFD_CLOEXEC);
    for (int i = 0; i < 3; i++) {
        if (fds[i] < 0) {
            error_set_errno(error, errno, _("cannot make a file in memory"));
            return false;
        }
        if (!core_spawn_raise(&fds[i], error))
            return false;
    }
    return true;
}

bool
core_command_start(const char *const *argv, const char *input,
                   CoreCommand *ret_command, GError **error)
{
    int fds[3] = { -1, -1, -1 };
    CoreSpawn spawn = {
        .path = argv[0], .argv = (char *const *)argv, .fds = fds, .n_fds = 3
    };
    CoreCommand command = { .pidfd = -1 };
    bool started = open_files(input, fds, error);

    if (started) {
        command.pid = core_spawn(&spawn, &command.pidfd, error);
        started = command.pid > 0;
    }
    fd_clear(&fds[0]);
    fd_clear(&fds[1]);
    if (!started) {
        fd_clear(&fds[2]);
        return false;
    }
    command.output_fd = fds[2];
    *ret_command = command;
    return true;
}

bool
core_command_ended(int pidfd, int timeout_ms, int *ret_status)
{
    struct pollfd wait = { .fd = pidfd, .events = POLLIN };
    siginfo_t info = { 0 };
    int got;

    do
        got = poll(&wait, 1, timeout_ms);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return false;
    *ret_status = -1;
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) == 0)
        *ret_status = info.si_code == CLD_EXITED ? info.si_status : 128;
    return true;
}

static bool
refuse(const char *path, int status, int output_fd, GError **error)
{
    g_autofree char *words = core_command_words(output_fd);
    g_autofree char *name = g_path_get_basename(path);

    error_set(error, VIR_ERR_OPERATION_FAILED,
              _("'%s' failed with exit status %d: %s"), name, status, words);
    return false;
}

bool
core_command_run(const char *const *argv, const char *input, GError **error)
{
    CoreCommand command;
    int status = -1;
    bool done;

    if (!core_command_start(argv, input, &command, error))
        return false;
    if (!core_command_ended(command.pidfd, COMMAND_TIMEOUT_MS, &status)) {
        (void)kill(command.pid, SIGKILL);
        (void)core_command_ended(command.pidfd, -1, &status);
    }
    done = status == 0 || refuse(argv[0], status, command.output_fd, error);
    fd_clear(&command.pidfd);
    fd_clear(&command.output_fd);
    return done;
}
