/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/control.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "engine/control-command.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"
#include "util/log.h"

#define CONTROL_READ_MAX 2048
/* Output kept for a client that does not read. Beyond CONTROL_PAUSE its
 * requests wait; events cannot, so beyond CONTROL_QUEUE_MAX it is dropped. */
#define CONTROL_PAUSE     65536
#define CONTROL_QUEUE_MAX (CONTROL_PAUSE + ENGINE_CONTROL_ANSWER_MAX)
#define CONTROL_LINGER_MS 100

typedef struct Client {
    EngineControl *control;
    GSource *source;
    gpointer tag;
    Fd fd;
    GString *input;  /* an unfinished line */
    GArray *fds;     /* int: that came with it */
    GString *output; /* what the client has not taken yet */
    bool skipping;   /* the rest of a line that was too long */
    bool dead;       /* freed when nothing uses it any more */
} Client;

struct EngineControl {
    Engine *engine;
    Fd listen_fd;
    GSource *listen_source;
    GPtrArray *clients; /* Client */
    Client *controller; /* who may change, or NULL */
    unsigned busy;      /* depth of calls that hold clients */
};

typedef struct ClientSource {
    GSource source;
    Client *client;
} ClientSource;

/* --- clients -------------------------------------------------------------- */
static void
client_free(gpointer data)
{
    Client *client = data;

    g_source_destroy(client->source);
    g_source_unref(client->source);
    fd_clear(&client->fd);
    g_array_unref(client->fds);
    g_string_free(client->input, TRUE);
    g_string_free(client->output, TRUE);
    g_free(client);
}

/* Its memory stays until control_leave(): a caller may be using it. */
static void
client_drop(Client *client)
{
    if (client->dead)
        return;
    client->dead = true;
    if (client->control->controller == client)
        client->control->controller = NULL;
    g_source_destroy(client->source);
    fd_clear(&client->fd);
}

static void
control_enter(EngineControl *control)
{
    control->busy++;
}

static void
control_leave(EngineControl *control)
{
    if (--control->busy > 0)
        return;
    for (guint i = control->clients->len; i-- > 0;)
        if (((Client *)g_ptr_array_index(control->clients, i))->dead)
            g_ptr_array_remove_index_fast(control->clients, i);
}

static void
client_update(Client *client)
{
    size_t waiting = client->output->len;

    if (!client->dead)
        g_source_modify_unix_fd(client->source, client->tag,
                                (waiting ? G_IO_OUT : 0) |
                                    (waiting < CONTROL_PAUSE ? G_IO_IN : 0));
}

static void
client_flush(Client *client)
{
    GString *output = client->output;

    while (!client->dead && output->len > 0) {
        ssize_t n = send(client->fd, output->str, output->len,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n > 0)
            g_string_erase(output, 0, n);
        else if (n < 0 && errno == EAGAIN)
            break;
        else if (n == 0 || errno != EINTR)
            client_drop(client);
    }
    client_update(client);
}

/* Consumes @object. */
static void
client_send(Client *client, json_t *object)
{
    char *line = json_dumps(object, 0);

    json_decref(object);
    if (!client->dead && line) {
        g_string_append(client->output, line);
        g_string_append_c(client->output, '\n');
        client_flush(client);
        if (!client->dead && client->output->len > CONTROL_QUEUE_MAX) {
            log_warning(_("a client of the control socket does not read its "
                          "events and is disconnected"));
            client_drop(client);
        }
    }
    free(line);
}

/* --- requests ------------------------------------------------------------- */
static bool
client_may_change(Client *client, GError **error)
{
    EngineControl *control = client->control;

    if (!control->controller)
        control->controller = client;
    if (control->controller == client)
        return true;
    error_set(error, VIR_ERR_OPERATION_DENIED,
              _("another client has control of the engine"));
    return false;
}

static json_t *
client_call(Client *client, const EngineControlCall *call, GError **error)
{
    if (call->command->changes && !client_may_change(client, error))
        return NULL;
    return call->command->run(client->control->engine, call->arguments, error);
}

/* Descriptors that a command has taken over are its own from now on; the others
 * are closed. */
static void
client_release_fds(Client *client, const GArray *taken)
{
    for (guint i = 0; taken && i < taken->len; i++)
        for (guint k = 0; k < client->fds->len; k++)
            if (g_array_index(client->fds, int, k) ==
                g_array_index(taken, int, i))
                g_array_index(client->fds, int, k) = -1;
    g_array_set_size(client->fds, 0);
}

static void
client_line(Client *client, const char *line, size_t size)
{
    g_auto(EngineControlCall) call = { 0 };
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) named = g_array_new(FALSE, FALSE, sizeof(int));
    EngineReader reader = { .fds = named,
                            .given = (const int *)(void *)client->fds->data,
                            .n_given = client->fds->len };
    json_t *value = NULL;

    if (size > 0 && line[size - 1] == '\r')
        size--;
    if (size == 0)
        return;
    if (engine_control_parse(line, size, &reader, &call, &error))
        value = client_call(client, &call, &error);
    client_release_fds(client, value ? named : NULL);
    client_send(client, value ? engine_control_return(value, call.id)
                              : engine_control_error(error, call.id));
}

static void
client_refuse_line(Client *client)
{
    g_autoptr(GError) error = NULL;

    error_set(&error, VIR_ERR_INVALID_ARG, _("a line is longer than %d bytes"),
              ENGINE_CONTROL_LINE_MAX);
    client_send(client, engine_control_error(error, NULL));
}

/* What is left has no end of line yet. */
static void
client_keep_rest(Client *client)
{
    if (!client->skipping && client->input->len > ENGINE_CONTROL_LINE_MAX) {
        client_refuse_line(client);
        client->skipping = true;
    }
    if (client->skipping)
        g_string_truncate(client->input, 0);
}

/* Handles the whole lines that the input holds; after CONTROL_PAUSE bytes of
 * answers that nobody reads, the rest waits. */
static void
client_lines(Client *client)
{
    GString *input = client->input;
    size_t start = 0;
    char *end;

    while (!client->dead && client->output->len < CONTROL_PAUSE) {
        size_t size;

        end = memchr(input->str + start, '\n', input->len - start);
        if (!end) {
            g_string_erase(input, 0, (gssize)start);
            client_keep_rest(client);
            return;
        }
        size = (size_t)(end - input->str) - start;
        if (client->skipping)
            client->skipping = false;
        else if (size > ENGINE_CONTROL_LINE_MAX)
            client_refuse_line(client);
        else
            client_line(client, input->str + start, size);
        start += size + 1;
    }
    g_string_erase(input, 0, (gssize)start);
}

/* They belong to the line that ends next. */
static void
client_take_fds(Client *client, struct msghdr *message)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
         part = CMSG_NXTHDR(message, part)) {
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        g_array_append_vals(client->fds, CMSG_DATA(part), (guint)count);
    }
    if (client->fds->len > ENGINE_CONTROL_FDS_MAX ||
        (message->msg_flags & MSG_CTRUNC)) {
        log_warning(_("a client of the control socket sends too many "
                      "descriptors and is disconnected"));
        client_drop(client);
    }
}

static void
client_read(Client *client)
{
    char data[CONTROL_READ_MAX];
    union {
        struct cmsghdr header; /* for its alignment */
        char bytes[CMSG_SPACE(ENGINE_CONTROL_FDS_MAX * sizeof(int))];
    } control;
    struct iovec iov = { data, sizeof(data) };
    struct msghdr message = { .msg_iov = &iov,
                              .msg_iovlen = 1,
                              .msg_control = control.bytes,
                              .msg_controllen = sizeof(control.bytes) };
    ssize_t n = recvmsg(client->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (n >= 0)
        client_take_fds(client, &message);
    if (n > 0)
        g_string_append_len(client->input, data, n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        client_drop(client);
}

static gboolean
client_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    Client *client = ((ClientSource *)source)->client;
    EngineControl *control = client->control;
    GIOCondition events = g_source_query_unix_fd(source, client->tag);

    control_enter(control);
    if (events & (G_IO_OUT | G_IO_ERR))
        client_flush(client);
    if (!client->dead && client->output->len < CONTROL_PAUSE &&
        (events & (G_IO_IN | G_IO_HUP)))
        client_read(client);
    client_lines(client);
    client_update(client);
    control_leave(control);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs client_source_funcs = { .dispatch = client_dispatch };

static void
client_new(EngineControl *control, int fd)
{
    Client *client = g_new0(Client, 1);

    client->control = control;
    client->fd = fd;
    client->input = g_string_new(NULL);
    client->fds = g_array_new(FALSE, FALSE, sizeof(int));
    g_array_set_clear_func(client->fds, (GDestroyNotify)fd_clear);
    client->output = g_string_new(NULL);
    client->source = g_source_new(&client_source_funcs, sizeof(ClientSource));
    ((ClientSource *)client->source)->client = client;
    client->tag = g_source_add_unix_fd(client->source, fd, G_IO_IN);
    g_ptr_array_add(control->clients, client);
    control_enter(control);
    g_source_attach(client->source, NULL);
    client_send(client, engine_control_greeting());
    control_leave(control);
}

/* --- the socket ----------------------------------------------------------- */
static char *
error_line(virErrorNumber code, const char *message)
{
    g_autoptr(GError) error = NULL;
    json_t *answer;
    char *line;

    error_set(&error, code, "%s", message);
    answer = engine_control_error(error, NULL);
    line = json_dumps(answer, 0);
    json_decref(answer);
    return line;
}

/* Says why to a peer that will be closed; who does not take it misses it. */
static void
refuse_peer(int fd, const char *message)
{
    char *line = error_line(VIR_ERR_RESOURCE_BUSY, message);
    g_autofree char *whole = g_strconcat(line, "\n", NULL);

    (void)send(fd, whole, strlen(whole), MSG_DONTWAIT | MSG_NOSIGNAL);
    free(line);
}

void
engine_control_refuse(int listen_fd, const char *message)
{
    (void)fd_set_nonblocking(listen_fd, true);
    for (unsigned i = 0; i < ENGINE_CONTROL_CLIENTS_MAX; i++) {
        g_auto(Fd) fd =
            accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0)
            return;
        refuse_peer(fd, message);
    }
}

static gboolean
on_connect(int listen_fd, GIOCondition condition, gpointer data)
{
    EngineControl *control = data;
    g_auto(Fd) fd =
        accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return G_SOURCE_CONTINUE;
    if (control->clients->len >= ENGINE_CONTROL_CLIENTS_MAX)
        refuse_peer(fd, _("the control socket has too many clients"));
    else
        client_new(control, fd_steal(&fd));
    return G_SOURCE_CONTINUE;
}

static void
on_event(void *opaque, const char *name, json_t *data)
{
    EngineControl *control = opaque;
    json_t *object = engine_control_event(name, data);

    control_enter(control);
    for (guint i = 0; i < control->clients->len; i++)
        client_send(g_ptr_array_index(control->clients, i),
                    json_incref(object));
    control_leave(control);
    json_decref(object);
}

EngineControl *
engine_control_new(Engine *engine, int listen_fd)
{
    EngineControl *control = g_new0(EngineControl, 1);

    control->engine = engine;
    control->listen_fd = listen_fd;
    control->clients = g_ptr_array_new_with_free_func(client_free);
    (void)fd_set_nonblocking(listen_fd, true);
    control->listen_source = g_unix_fd_source_new(listen_fd, G_IO_IN);
    g_source_set_callback(control->listen_source, G_SOURCE_FUNC(on_connect),
                          control, NULL);
    g_source_attach(control->listen_source, NULL);
    engine_set_listener(engine, on_event, control);
    return control;
}

/* The last events before the end, as far as the client takes them in time. */
static void
client_linger(Client *client, gint64 end_us)
{
    while (!client->dead && client->output->len > 0) {
        struct pollfd poll_fd = { .fd = client->fd, .events = POLLOUT };
        gint64 left_ms = (end_us - g_get_monotonic_time()) / 1000;

        if (left_ms <= 0 || poll(&poll_fd, 1, (int)left_ms) <= 0)
            return;
        client_flush(client);
    }
}

void
engine_control_free(EngineControl *control)
{
    gint64 end_us = g_get_monotonic_time() + CONTROL_LINGER_MS * 1000;

    if (!control)
        return;
    engine_set_listener(control->engine, NULL, NULL);
    control_enter(control);
    for (guint i = 0; i < control->clients->len; i++)
        client_linger(g_ptr_array_index(control->clients, i), end_us);
    control_leave(control);
    g_source_destroy(control->listen_source);
    g_source_unref(control->listen_source);
    g_ptr_array_unref(control->clients);
    fd_clear(&control->listen_fd);
    g_free(control);
}
