/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/echo.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

#define ECHO_BYTES 2048

/* What its peer does not read is lost, as on a terminal line. */
static gboolean
on_readable(gint fd, GIOCondition condition, gpointer unused)
{
    char bytes[ECHO_BYTES];
    ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    if (n <= 0)
        return G_SOURCE_REMOVE;
    (void)send(fd, bytes, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
    return G_SOURCE_CONTINUE;
}

static void
close_end(gpointer fd)
{
    close(GPOINTER_TO_INT(fd));
}

int
core_echo_new(GMainContext *io, GError **error)
{
    GSource *source;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                   ends) != 0) {
        error_set_errno(error, errno, _("cannot make a socket"));
        return -1;
    }
    source = g_unix_fd_source_new(ends[1], G_IO_IN | G_IO_HUP);
    g_source_set_callback(source, G_SOURCE_FUNC(on_readable),
                          GINT_TO_POINTER(ends[1]), close_end);
    g_source_attach(source, io);
    g_source_unref(source);
    return ends[0];
}
