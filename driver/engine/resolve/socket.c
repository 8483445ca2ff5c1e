/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/open.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

/* How long a TCP connection may take. */
#define CONNECT_TIMEOUT_MS 5000
#define BACKLOG            1

/* A socket that an engine of before left behind is in the way; a file of
 * anything else is not ours to remove. */
static void
remove_stale(const char *path)
{
    struct stat info;

    if (lstat(path, &info) == 0 && S_ISSOCK(info.st_mode))
        unlink(path);
}

static bool
unix_address(const char *path, struct sockaddr_un *ret_address, GError **error)
{
    ret_address->sun_family = AF_UNIX;
    if (g_strlcpy(ret_address->sun_path, path, sizeof(ret_address->sun_path)) <
        sizeof(ret_address->sun_path))
        return true;
    error_set(error, VIR_ERR_INVALID_ARG,
              _("the path of the UNIX socket is longer than %zu bytes: '%s'"),
              sizeof(ret_address->sun_path) - 1, path);
    return false;
}

static bool
listen_unix(int fd, const struct sockaddr_un *address)
{
    remove_stale(address->sun_path);
    return bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 &&
           listen(fd, BACKLOG) == 0;
}

int
engine_open_unix(const ConfChardev *chardev, GError **error)
{
    struct sockaddr_un address = { 0 };
    g_auto(Fd) fd = -1;

    if (!unix_address(chardev->path, &address, error))
        return -1;
    /* not blocking: connect() would wait while the peer's queue is full */
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (chardev->listen) {
        if (fd >= 0 && listen_unix(fd, &address))
            return engine_open_high(fd_steal(&fd), error);
        error_set_errno(error, errno, _("cannot listen at '%s'"),
                        chardev->path);
        return -1;
    }
    if (fd >= 0 &&
        connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return engine_open_high(fd_steal(&fd), error);
    error_set_errno(error, errno, _("cannot connect to '%s'"), chardev->path);
    return -1;
}

/* Wait for a connection that has been begun. Returns: false with errno set */
static bool
wait_connected(int fd)
{
    struct pollfd item = { .fd = fd, .events = POLLOUT };
    int result, problem = 0;
    socklen_t size = sizeof(problem);

    do
        result = poll(&item, 1, CONNECT_TIMEOUT_MS);
    while (result < 0 && errno == EINTR);
    if (result == 0)
        errno = ETIMEDOUT;
    if (result <= 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) != 0)
        return false;
    errno = problem;
    return problem == 0;
}

/* One address. Returns: descriptor, or -1 with errno set */
static int
open_address(const struct addrinfo *address, bool listening)
{
    g_auto(Fd) fd = socket(address->ai_family,
                           address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                           address->ai_protocol);
    const int on = 1;

    if (fd < 0)
        return -1;
    if (listening) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 ||
            listen(fd, BACKLOG) != 0)
            return -1;
    } else if (connect(fd, address->ai_addr, address->ai_addrlen) != 0 &&
               (errno != EINPROGRESS || !wait_connected(fd))) {
        return -1;
    }
    return fd_steal(&fd);
}

int
engine_open_tcp(const ConfChardev *chardev, GError **error)
{
    const struct addrinfo hints = { .ai_flags =
                                        chardev->listen ? AI_PASSIVE : 0,
                                    .ai_family = AF_UNSPEC,
                                    .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    int code = getaddrinfo(chardev->host, chardev->service, &hints, &found);
    int fd = -1;

    if (code != 0) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("cannot find the address '%s', service '%s': %s"),
                  chardev->host, chardev->service, gai_strerror(code));
        return -1;
    }
    for (const struct addrinfo *one = found; one && fd < 0; one = one->ai_next)
        fd = open_address(one, chardev->listen);
    if (fd < 0)
        error_set_errno(error, errno,
                        chardev->listen
                            ? _("cannot listen at '%s', service '%s'")
                            : _("cannot connect to '%s', service '%s'"),
                        chardev->host, chardev->service);
    freeaddrinfo(found);
    return fd < 0 ? -1 : engine_open_high(fd, error);
}
