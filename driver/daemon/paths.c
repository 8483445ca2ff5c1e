/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "daemon/paths.h"

#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/error.h"
#include "util/file.h"
#include "util/i18n.h"

#define NAME "virtkvm"

/* libvirt's client library has this folder built in, whatever our prefix. */
#define SYSTEM_SOCKET_DIR "/run/libvirt"

static void
set_system(DaemonPaths *paths)
{
    paths->system = true;
    paths->config_dir = g_strdup(SYSCONFDIR "/" NAME);
    paths->run_dir = g_strdup(RUNSTATEDIR "/" NAME);
    paths->lib_dir = g_strdup(LOCALSTATEDIR "/lib/" NAME);
    paths->log_dir = g_strdup(LOCALSTATEDIR "/log/" NAME);
    paths->cache_dir = g_strdup(LOCALSTATEDIR "/cache/" NAME);
    paths->socket = g_strdup(SYSTEM_SOCKET_DIR "/virtkvmd-sock");
}

/* $XDG_STATE_HOME, which GLib knows only from 2.72 on. */
static char *
state_home(void)
{
    const char *folder = g_getenv("XDG_STATE_HOME");

    if (folder && folder[0])
        return g_strdup(folder);
    return g_build_filename(g_get_home_dir(), ".local", "state", NULL);
}

static void
set_user(DaemonPaths *paths)
{
    g_autofree char *state = state_home();
    const char *run = g_get_user_runtime_dir();

    paths->config_dir = g_build_filename(g_get_user_config_dir(), NAME, NULL);
    paths->run_dir = g_build_filename(run, NAME, NULL);
    paths->lib_dir = g_build_filename(g_get_user_data_dir(), NAME, NULL);
    paths->log_dir = g_build_filename(state, NAME, "log", NULL);
    paths->cache_dir = g_build_filename(g_get_user_cache_dir(), NAME, NULL);
    paths->socket = g_build_filename(run, "libvirt", "virtkvmd-sock", NULL);
}

static void
set_private(DaemonPaths *paths, const char *root)
{
    g_autofree char *folder = g_canonicalize_filename(root, NULL);

    paths->config_dir = g_build_filename(folder, "etc", NULL);
    paths->run_dir = g_build_filename(folder, "run", NULL);
    paths->lib_dir = g_build_filename(folder, "lib", NULL);
    paths->log_dir = g_build_filename(folder, "log", NULL);
    paths->cache_dir = g_build_filename(folder, "cache", NULL);
    paths->socket = g_build_filename(folder, "virtkvmd-sock", NULL);
}

static bool
check_socket(const char *path, GError **error)
{
    size_t max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1 -
                 strlen(DAEMON_SOCKET_UNREADY);

    if (strlen(path) <= max)
        return true;
    error_set(error, VIR_ERR_INVALID_ARG,
              _("the socket's path '%s' is longer than the %zu bytes that "
                "the system allows: choose a folder with a shorter name"),
              path, max);
    return false;
}

DaemonPaths *
daemon_paths_new(const char *root, bool session, GError **error)
{
    g_autoptr(DaemonPaths) paths = g_new0(DaemonPaths, 1);

    paths->privileged = geteuid() == 0;
    if (root)
        set_private(paths, root);
    else if (paths->privileged && !session)
        set_system(paths);
    else
        set_user(paths);
    paths->socket_read_only = g_strconcat(paths->socket, "-ro", NULL);
    paths->config_file =
        g_build_filename(paths->config_dir, "virtkvmd.conf", NULL);
    paths->pid_file = g_build_filename(paths->run_dir, "virtkvmd.pid", NULL);
    paths->lock_file = g_build_filename(paths->run_dir, "virtkvmd.lock", NULL);
    paths->log_file = g_build_filename(paths->log_dir, "virtkvmd.log", NULL);
    if (!check_socket(paths->socket_read_only, error))
        return NULL;
    return g_steal_pointer(&paths);
}

/* A client that is not root must reach the system's sockets; what else is
 * there is nobody's business. */
static bool
make_socket_dir(const DaemonPaths *paths, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(paths->socket);

    return file_make_dirs(folder, paths->system ? 0755 : 0700, error);
}

bool
daemon_paths_make(const DaemonPaths *paths, GError **error)
{
    return make_socket_dir(paths, error) &&
           file_make_dirs(paths->config_dir, 0700, error) &&
           file_make_dirs(paths->run_dir, 0700, error) &&
           file_make_dirs(paths->lib_dir, paths->system ? 0711 : 0700, error) &&
           file_make_dirs(paths->log_dir, 0700, error) &&
           file_make_dirs(paths->cache_dir, 0700, error);
}

void
daemon_paths_free(DaemonPaths *paths)
{
    if (!paths)
        return;
    g_free(paths->config_dir);
    g_free(paths->run_dir);
    g_free(paths->lib_dir);
    g_free(paths->log_dir);
    g_free(paths->cache_dir);
    g_free(paths->socket);
    g_free(paths->socket_read_only);
    g_free(paths->config_file);
    g_free(paths->pid_file);
    g_free(paths->lock_file);
    g_free(paths->log_file);
    g_free(paths);
}
