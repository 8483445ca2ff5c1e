/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "daemon/sockets.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/error.h"
#include "util/fd.h"
#include "util/file.h"
#include "util/i18n.h"

#define BACKLOG 128

/* The first descriptor that a service manager passes, and the most we take. */
#define LISTEN_FDS_START 3
#define LISTEN_FDS_MAX   16

/* Bytes of /proc/net/unix. */
#define SOCKET_TABLE_MAX (16 * 1024 * 1024)

/* --- passed by the service manager --------------------------------------- */

/* Returns: descriptors that are meant for this process */
static int
count_passed(void)
{
    const char *pid = g_getenv("LISTEN_PID");
    const char *count = g_getenv("LISTEN_FDS");

    if (!pid || !count || strtol(pid, NULL, 10) != (long)getpid())
        return 0;
    return (int)CLAMP(strtol(count, NULL, 10), 0, LISTEN_FDS_MAX);
}

/* The path of a socket; "" if it is none, or has no name. */
static void
get_path(int fd, char *path, size_t size)
{
    struct sockaddr_un address = { 0 };
    socklen_t length = sizeof(address);

    path[0] = '\0';
    if (getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
        address.sun_family == AF_UNIX)
        g_strlcpy(path, address.sun_path,
                  MIN(size, sizeof(address.sun_path) + 1));
}

static bool
is_listening(int fd)
{
    socklen_t length = sizeof(int);
    int listening = 0;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) ==
               0 &&
           listening;
}

/* Read-only by the unit's name ("virtkvmd-ro.socket"), else by the path. */
static bool
is_read_only(int fd, const char *name)
{
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];

    get_path(fd, path, sizeof(path));
    return (name && strstr(name, "-ro")) || g_str_has_suffix(path, "-ro");
}

static bool
take_passed(GArray *sockets, int count, GError **error)
{
    const char *listed = g_getenv("LISTEN_FDNAMES");
    g_auto(GStrv) names = g_strsplit(listed ? listed : "", ":", -1);
    unsigned named = g_strv_length(names);

    for (int i = 0; i < count; i++) {
        int fd = LISTEN_FDS_START + i;
        const char *name = (unsigned)i < named ? names[i] : NULL;
        DaemonSocket item = { fd, is_read_only(fd, name), NULL };

        if (!is_listening(fd)) {
            error_set(error, VIR_ERR_OPERATION_FAILED,
                      _("descriptor %d of the service manager is not a "
                        "listening socket"),
                      fd);
            return false;
        }
        fd_set_cloexec(fd, true);
        fd_set_nonblocking(fd, true);
        g_array_append_val(sockets, item);
    }
    g_unsetenv("LISTEN_PID");
    g_unsetenv("LISTEN_FDS");
    g_unsetenv("LISTEN_FDNAMES");
    return true;
}

/* --- own ones ------------------------------------------------------------ */

/* Whether somebody listens at @path; asked of the kernel, since connecting
 * could start a service that waits behind it. A line is "address: references
 * protocol flags type state inode path"; flag 0x10000 is a listener. */
static bool
is_taken(const char *path)
{
    g_autofree char *table =
        access(path, F_OK) == 0
            ? file_read("/proc/net/unix", SOCKET_TABLE_MAX, NULL, NULL)
            : NULL;
    g_auto(GStrv) lines = g_strsplit(table ? table : "", "\n", -1);
    g_autofree char *end = g_strconcat(" ", path, NULL);

    for (char **line = lines; *line; line++) {
        unsigned flags;

        if (g_str_has_suffix(*line, end) &&
            sscanf(*line, "%*s %*x %*x %x", &flags) == 1 && flags & 0x10000)
            return true;
    }
    return false;
}

static bool
bind_at(int fd, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    mode_t mask = umask(0177); /* nobody comes in before the mode is set */
    bool bound;

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    unlink(path); /* a dead daemon's: we hold the lock */
    bound = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    umask(mask);
    return bound;
}

static bool
set_access(const char *path, mode_t mode, const char *group, GError **error)
{
    struct group *entry = NULL;

    errno = 0;
    if (group && !(entry = getgrnam(group))) {
        error_set(error, VIR_ERR_CONF_SYNTAX,
                  _("there is no group '%s' (unix_sock_group)"), group);
        return false;
    }
    if ((!entry || chown(path, (uid_t)-1, entry->gr_gid) == 0) &&
        chmod(path, mode) == 0)
        return true;
    error_set_errno(error, errno, _("cannot set who may use the socket '%s'"),
                    path);
    return false;
}

/* A listening socket at @path. It gets its name last: a client that finds the
 * name can connect, and what a dead daemon left is replaced in one step. */
static int
listen_at(const char *path, mode_t mode, const char *group, GError **error)
{
    g_autofree char *unready = g_strconcat(path, DAEMON_SOCKET_UNREADY, NULL);
    g_auto(Fd) fd =
        socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || !bind_at(fd, unready)) {
        error_set_errno(error, errno, _("cannot make the socket '%s'"), path);
        return -1;
    }
    if (!set_access(unready, mode, group, error)) {
        unlink(unready);
        return -1;
    }
    if (listen(fd, BACKLOG) == 0 && rename(unready, path) == 0)
        return fd_steal(&fd);
    error_set_errno(error, errno, _("cannot listen on the socket '%s'"), path);
    unlink(unready);
    return -1;
}

static bool
add_own(GArray *sockets, const char *path, bool read_only,
        const DaemonConfig *config, GError **error)
{
    mode_t mode =
        read_only ? config->socket_read_only_mode : config->socket_mode;
    DaemonSocket item = { .fd = -1, .read_only = read_only };

    if (is_taken(path)) {
        error_set(error, VIR_ERR_RESOURCE_BUSY,
                  _("another program, perhaps the service manager for a "
                    "virtkvmd to be started, listens on the socket '%s'"),
                  path);
        return false;
    }
    item.fd = listen_at(path, mode, config->socket_group, error);
    if (item.fd < 0)
        return false;
    item.path = g_strdup(path);
    g_array_append_val(sockets, item);
    return true;
}

GArray *
daemon_sockets_open(const DaemonPaths *paths, const DaemonConfig *config,
                    GError **error)
{
    GArray *sockets = g_array_new(FALSE, FALSE, sizeof(DaemonSocket));
    int passed = count_passed();
    bool opened;

    if (passed > 0)
        opened = take_passed(sockets, passed, error);
    else
        opened =
            add_own(sockets, paths->socket_read_only, true, config, error) &&
            add_own(sockets, paths->socket, false, config, error);
    if (opened)
        return sockets;
    daemon_sockets_close(sockets);
    return NULL;
}

void
daemon_sockets_close(GArray *sockets)
{
    if (!sockets)
        return;
    for (guint i = 0; i < sockets->len; i++) {
        DaemonSocket *item = &g_array_index(sockets, DaemonSocket, i);

        if (item->path)
            unlink(item->path);
        fd_clear(&item->fd);
        g_free(item->path);
    }
    g_array_unref(sockets);
}
