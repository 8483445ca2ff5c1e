/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/output.h"

#include <errno.h>
#include <sys/socket.h>

#include "util/i18n.h"
#include "util/log.h"

typedef struct Output {
    GByteArray *frame;
    size_t sent;
    bool event;
} Output;

static void
output_free(Output *output)
{
    g_byte_array_unref(output->frame);
    g_free(output);
}

/* Returns: 1 all sent, 0 the socket is full, -1 broken */
static int
send_some(RpcSession *session, Output *output)
{
    while (output->sent < output->frame->len) {
        ssize_t n = send(session->fd, output->frame->data + output->sent,
                         output->frame->len - output->sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? 0 : -1;
        output->sent += (size_t)n;
        session->output_bytes -= (size_t)n;
    }
    return 1;
}

bool
rpc_output_flush(RpcSession *session)
{
    Output *output;
    int sent = 1;

    while (sent > 0 && (output = g_queue_peek_head(&session->output))) {
        sent = send_some(session, output);
        if (sent <= 0)
            break;
        if (output->event)
            session->event_bytes -= output->frame->len;
        output_free(g_queue_pop_head(&session->output));
    }
    return sent >= 0;
}

void
rpc_output_clear(RpcSession *session)
{
    g_queue_clear_full(&session->output, (GDestroyNotify)output_free);
    session->output_bytes = 0;
    session->event_bytes = 0;
}

static void
close_later(void *data)
{
    g_autoptr(RpcSession) session = data;

    rpc_session_close(session);
}

/* The connection cannot go on; the I/O thread ends it. The lock is held. */
static void
give_up(RpcSession *session)
{
    session->closed = true;
    rpc_output_clear(session);
    rpc_loop_invoke(session->service->loop, close_later,
                    rpc_session_ref(session));
}

/* Queues @frame. The lock is held. Returns: false to give the client up */
static bool
push(RpcSession *session, GByteArray *frame, bool event)
{
    Output *output = g_new(Output, 1);

    *output = (Output){ frame, 0, event };
    session->output_bytes += frame->len;
    session->event_bytes += event ? frame->len : 0;
    g_queue_push_tail(&session->output, output);
    if (session->event_bytes > RPC_EVENTS_MAX) {
        log_warning(
            _("client %llu does not read its events and is disconnected"),
            (unsigned long long)session->caller.client_id);
        return false;
    }
    return g_queue_get_length(&session->output) > 1 ||
           rpc_output_flush(session);
}

static void
send_frame(RpcSession *session, GByteArray *frame, bool event)
{
    g_mutex_lock(&session->lock);
    if (session->closed || session->close_when_sent)
        g_byte_array_unref(frame);
    else if (push(session, frame, event))
        rpc_session_update(session);
    else
        give_up(session);
    g_mutex_unlock(&session->lock);
}

void
rpc_session_send(RpcSession *session, GByteArray *frame)
{
    send_frame(session, frame, false);
}

void
rpc_session_send_event(RpcSession *session, GByteArray *frame)
{
    send_frame(session, frame, true);
}

void
rpc_session_close_when_sent(RpcSession *session)
{
    g_mutex_lock(&session->lock);
    session->close_when_sent = true;
    if (!session->closed && g_queue_is_empty(&session->output))
        give_up(session);
    else
        rpc_session_update(session);
    g_mutex_unlock(&session->lock);
}
