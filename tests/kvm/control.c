/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <fcntl.h>
#include <glib.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * control SOCKET [--open FILE]... [--event NAME]... REQUEST...: sends each
 * request, the files' descriptors beside the first, and prints what comes back
 * until all are answered and the named events have come. Ends with 1 if that
 * takes longer than SECONDS.
 */
#define SECONDS   60
#define FILES_MAX 16

typedef struct Session {
    int fd;
    int files[FILES_MAX];
    unsigned n_files;
    GPtrArray *events;
    unsigned answers; /* that have not come yet */
} Session;

static int
fail(const char *what)
{
    perror(what);
    exit(1);
}

static void
dial(Session *session, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    session->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(session->fd, (void *)&address, sizeof(address)) != 0)
        fail(path);
}

static void
send_request(Session *session, const char *text)
{
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * FILES_MAX)];
    } control = { .bytes = { 0 } };
    struct iovec iov = { line, strlen(line) };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
    size_t size = sizeof(int) * session->n_files;

    for (size_t i = 0; i + 1 < iov.iov_len; i++)
        if (line[i] == '\n')
            line[i] = ' ';
    if (size > 0) {
        control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(size),
                                           .cmsg_level = SOL_SOCKET,
                                           .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.header), session->files, size);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(size);
    }
    session->n_files = 0;
    session->answers++;
    if (sendmsg(session->fd, &message, 0) != (ssize_t)iov.iov_len)
        fail("send");
}

static void
take(Session *session, json_t *said)
{
    const char *event = json_string_value(json_object_get(said, "event"));
    guint at;

    if (json_object_get(said, "QMP"))
        return;
    json_dumpf(said, stdout, 0);
    putchar('\n');
    if (!event)
        session->answers--;
    else if (g_ptr_array_find_with_equal_func(session->events, event,
                                              g_str_equal, &at))
        g_ptr_array_remove_index(session->events, at);
}

int
main(int argc, char **argv)
{
    Session session = { .events = g_ptr_array_new() };
    FILE *stream;

    if (argc < 3)
        return 1;
    alarm(SECONDS);
    dial(&session, argv[1]);
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--open") == 0 && session.n_files < FILES_MAX &&
            i + 1 < argc)
            session.files[session.n_files++] =
                open(argv[++i], O_RDWR | O_CLOEXEC);
        else if (strcmp(argv[i], "--event") == 0 && i + 1 < argc)
            g_ptr_array_add(session.events, argv[++i]);
        else
            send_request(&session, argv[i]);
    }
    stream = fdopen(session.fd, "r");
    while (session.answers > 0 || session.events->len > 0) {
        json_t *said = json_loadf(stream, JSON_DISABLE_EOF_CHECK, NULL);

        if (!said)
            return 1;
        take(&session, said);
        json_decref(said);
    }
    g_ptr_array_unref(session.events);
    return fclose(stream) != 0 || fflush(stdout) != 0;
}
