/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shell/exit.h"
#include "util/fd.h"
#include "util/file.h"
#include "util/i18n.h"

#define POLL_US 2000

/* What a failing daemon said is shown up to this many bytes. */
#define MESSAGE_MAX 4096

bool
vsh_daemon_listens(const char *socket_path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    g_auto(Fd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || strlen(socket_path) >= sizeof(address.sun_path))
        return false;
    strcpy(address.sun_path, socket_path);
    /* EACCES and the like: there is one, and libvirt will say what is wrong */
    return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ||
           (errno != ENOENT && errno != ECONNREFUSED && errno != ENOTDIR);
}

static char *
if_executable(char *path)
{
    if (path && g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
        return path;
    g_free(path);
    return NULL;
}

/* @name relative to the folder of this program. */
static char *
beside_program(const char *name)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = self ? g_path_get_dirname(self) : NULL;

    return folder ? g_build_filename(folder, name, NULL) : NULL;
}

char *
vsh_daemon_find(void)
{
    const char *given = g_getenv("VIRTKVM_DAEMON");
    char *found;

    if (given && *given)
        return if_executable(g_strdup(given));
    found = if_executable(beside_program("virtkvmd"));
    if (!found)
        found = if_executable(beside_program("../sbin/virtkvmd"));
    if (!found)
        found = if_executable(g_strdup(SBINDIR "/virtkvmd"));
    return found;
}

/* Where the messages of a daemon of @target go. */
static char *
log_path(const VshTarget *target)
{
    g_autofree char *folder = NULL;

    if (target->root)
        folder = g_strdup(target->root);
    else if (target->session)
        folder = g_build_filename(g_get_user_cache_dir(), "virtkvm", NULL);
    else
        folder = g_strdup("/var/log/virtkvm");
    if (!file_make_dirs(folder, 0700, NULL))
        return NULL;
    return g_build_filename(folder, "virtkvmd.log", NULL);
}

static void
daemon_setup(void *data)
{
    int log_fd = GPOINTER_TO_INT(data);

    setsid();
    if (log_fd >= 0)
        dup2(log_fd, STDERR_FILENO);
}

static bool
spawn(const char *program, const VshTarget *target, int log_fd, GPid *ret_pid,
      GError **error)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    int idle_s = target->root ? VSH_DAEMON_PRIVATE_IDLE_S : VSH_DAEMON_IDLE_S;

    g_ptr_array_add(argv, g_strdup(program));
    g_ptr_array_add(argv, g_strdup_printf("--timeout=%d", idle_s));
    if (target->root)
        g_ptr_array_add(argv, g_strdup_printf("--root=%s", target->root));
    else if (target->session)
        g_ptr_array_add(argv, g_strdup("--session"));
    g_ptr_array_add(argv, NULL);
    return g_spawn_async("/", (char **)argv->pdata, NULL,
                         G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL,
                         daemon_setup, GINT_TO_POINTER(log_fd), ret_pid, error);
}

/* The last lines that the daemon wrote after @start, or NULL. */
static char *
last_words(const char *path, off_t start)
{
    g_auto(Fd) fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    g_autofree char *text = g_malloc0(MESSAGE_MAX + 1);
    off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;

    if (end <= start)
        return NULL;
    start = MAX(start, end - MESSAGE_MAX);
    if (fd_pread_all(fd, text, MESSAGE_MAX, start) <= 0)
        return NULL;
    return g_strdup(g_strstrip(text));
}

/* Returns whether the socket came; false if the time is over, or the daemon
 * has ended and no other took its place. */
static bool
wait_until_listening(const VshTarget *target, GPid pid)
{
    gint64 deadline = g_get_monotonic_time() + VSH_DAEMON_WAIT_MS * 1000;
    bool ended = false;

    while (g_get_monotonic_time() < deadline) {
        if (vsh_daemon_listens(target->socket))
            return true;
        if (!ended && waitpid(pid, NULL, WNOHANG) == pid) {
            ended = true;
            /* another that was quicker may be about to listen */
            deadline = MIN(deadline, g_get_monotonic_time() + 500 * 1000);
        }
        g_usleep(POLL_US);
    }
    return false;
}

bool
vsh_daemon_start(const VshTarget *target, GError **error)
{
    g_autofree char *program = vsh_daemon_find();
    g_autofree char *log = NULL;
    g_autofree char *words = NULL;
    g_auto(Fd) log_fd = -1;
    off_t log_start;
    GPid pid;

    if (!program) {
        vsh_error_set(error, VSH_EXIT_CONNECT,
                      _("no daemon listens on '%s', and the program virtkvmd "
                        "was not found to start one"),
                      target->socket);
        vsh_error_hint(error, _("VIRTKVM_DAEMON can name the program"));
        return false;
    }
    log = log_path(target);
    log_fd =
        log ? open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    log_start = log_fd >= 0 ? lseek(log_fd, 0, SEEK_END) : 0;
    if (!spawn(program, target, log_fd, &pid, error))
        return false;
    if (wait_until_listening(target, pid))
        return true;
    words = last_words(log, log_start);
    vsh_error_set(error, VSH_EXIT_CONNECT,
                  words ? _("the daemon '%s' does not listen on '%s': %s")
                        : _("the daemon '%s' does not listen on '%s'%s"),
                  program, target->socket, words ? words : "");
    return false;
}
