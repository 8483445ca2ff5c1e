/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/session.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "rpc/dispatch.h"
#include "rpc/output.h"
#include "rpc/stream.h"
#include "util/i18n.h"
#include "util/log.h"

/* --- life ---------------------------------------------------------------- */

RpcSession *
rpc_session_ref(RpcSession *session)
{
    g_atomic_int_inc(&session->refs);
    return session;
}

/* Last of all: nothing of the session is under way any more. The driver may
 * block here (it ends domains that were to die with the client). */
static void
finish(void *data)
{
    RpcSession *session = data;
    RpcService *service = session->service;

    if (session->route && session->route->driver->clientClosed)
        session->route->driver->clientClosed(session->route->state,
                                             &session->caller);
    fd_clear(&session->fd);
    g_mutex_clear(&session->lock);
    g_free(session->uri);
    g_free(session);
    service->calls->clients(service->opaque, -1);
}

void
rpc_session_unref(RpcSession *session)
{
    if (!session || !g_atomic_int_dec_and_test(&session->refs))
        return;
    if (session->route && session->route->driver->clientClosed)
        rpc_pool_submit(session->service->pool, false, finish, session);
    else
        finish(session);
}

static void
fill_caller(RpcSession *session, bool read_only)
{
    struct ucred peer = { .pid = -1, .uid = (uid_t)-1, .gid = (gid_t)-1 };
    socklen_t size = sizeof(peer);

    (void)getsockopt(session->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    session->caller = (VirtkvmCaller){
        .client_id = ++session->service->last_id,
        .read_only = read_only,
        .uid = peer.uid,
        .gid = peer.gid,
        .pid = peer.pid,
        .uri = "",
    };
}

static void on_event(uint32_t events, void *data);

RpcSession *
rpc_session_new(RpcService *service, int fd, bool read_only)
{
    RpcSession *session = g_new0(RpcSession, 1);
    g_autoptr(GError) error = NULL;

    session->refs = 1;
    session->service = service;
    session->fd = fd;
    session->reading = true;
    session->events = EPOLLIN;
    g_mutex_init(&session->lock);
    fill_caller(session, read_only);
    rpc_framer_init(&session->framer, RPC_GREETING_MAX);
    session->place.data = session;
    g_queue_push_tail_link(&service->sessions, &session->place);
    service->calls->clients(service->opaque, 1);
    session->watch = rpc_loop_watch(service->loop, fd, session->events,
                                    on_event, session, &error);
    if (session->watch)
        return session;
    log_error("%s", error->message);
    g_queue_unlink(&service->sessions, &session->place);
    rpc_session_unref(session);
    return NULL;
}

void
rpc_session_close(RpcSession *session)
{
    if (!session->watch)
        return;
    rpc_watch_free(g_steal_pointer(&session->watch));
    rpc_keepalive_stop(session);
    g_mutex_lock(&session->lock);
    session->closed = true;
    rpc_output_clear(session);
    fd_clear(&session->fd);
    g_mutex_unlock(&session->lock);
    g_queue_clear_full(&session->parked, (GDestroyNotify)rpc_call_free);
    rpc_event_forget(&session->service->events, session);
    rpc_stream_abort_all(session);
    rpc_framer_clear(&session->framer);
    g_queue_unlink(&session->service->sessions, &session->place);
    rpc_session_unref(session);
}

/* --- when to read, write and start calls --------------------------------- */

/* A connection that is not open yet is served one call after the other: what
 * follows CONNECT_OPEN must find it done. */
static bool
may_start(RpcSession *session)
{
    unsigned limit =
        session->route ? session->service->limits.max_client_requests : 1;

    return session->in_flight < limit &&
           session->output_bytes <= RPC_OUTPUT_HIGH &&
           !session->close_when_sent;
}

static void
start_parked(RpcSession *session)
{
    while (may_start(session) && !g_queue_is_empty(&session->parked)) {
        RpcCall *call = g_queue_pop_head(&session->parked);

        session->parked_bytes -= rpc_call_size(call);
        session->in_flight++;
        rpc_call_start(call);
    }
}

static bool
may_read(RpcSession *session)
{
    return session->output_bytes <= RPC_OUTPUT_HIGH &&
           g_queue_get_length(&session->parked) < RPC_PARKED_MAX &&
           session->parked_bytes <= RPC_PARKED_BYTES_MAX &&
           !session->stream_stalled && !session->close_when_sent;
}

static void process_input(RpcSession *session);

static void
resume(void *data)
{
    g_autoptr(RpcSession) session = data;

    process_input(session);
}

void
rpc_session_update(RpcSession *session)
{
    bool was_reading = session->reading;
    uint32_t events = 0;

    if (session->closed)
        return;
    start_parked(session);
    session->reading = may_read(session);
    if (session->reading)
        events |= EPOLLIN;
    if (!g_queue_is_empty(&session->output))
        events |= EPOLLOUT;
    if (events != session->events)
        rpc_watch_set(session->watch, events);
    session->events = events;
    if (session->reading && !was_reading)
        rpc_loop_invoke(session->service->loop, resume,
                        rpc_session_ref(session));
}

void
rpc_session_call_done(RpcSession *session)
{
    g_mutex_lock(&session->lock);
    session->in_flight--;
    rpc_session_update(session);
    g_mutex_unlock(&session->lock);
}

/* --- input --------------------------------------------------------------- */

static void
park(RpcSession *session, RpcCall *call)
{
    g_mutex_lock(&session->lock);
    session->parked_bytes += rpc_call_size(call);
    g_queue_push_tail(&session->parked, call);
    rpc_session_update(session);
    g_mutex_unlock(&session->lock);
}

static void
handle(RpcSession *session, RpcFrame *frame)
{
    g_autofree RpcFrame *owned = frame;
    RpcCall *call;

    rpc_keepalive_heard(session);
    if (rpc_keepalive_handle(session, frame) ||
        rpc_stream_handle(session, frame))
        return;
    call = rpc_dispatch_call(session, g_steal_pointer(&owned));
    if (call)
        park(session, call);
}

static bool
is_reading(RpcSession *session)
{
    bool reading;

    g_mutex_lock(&session->lock);
    reading = session->reading && !session->closed;
    if (session->route)
        session->framer.max = RPC_MESSAGE_MAX;
    g_mutex_unlock(&session->lock);
    return reading;
}

static void
process_input(RpcSession *session)
{
    RpcFrameResult result = RPC_FRAME_READY;
    g_autoptr(GError) error = NULL;
    RpcFrame *frame;

    while (result == RPC_FRAME_READY && session->watch && is_reading(session)) {
        result = rpc_framer_next(&session->framer, &frame, &error);
        if (result == RPC_FRAME_READY)
            handle(session, frame);
    }
    if (result != RPC_FRAME_BROKEN)
        return;
    log_info(_("client %llu is disconnected: %s"),
             (unsigned long long)session->caller.client_id, error->message);
    rpc_session_close(session);
}

/* Returns: false at the end of the connection */
static bool
read_some(RpcSession *session)
{
    uint8_t *bytes = session->service->scratch;
    ssize_t n;

    do {
        n = recv(session->fd, bytes, RPC_SCRATCH_SIZE, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN;
    if (n > 0)
        rpc_framer_feed(&session->framer, bytes, (size_t)n);
    return n > 0;
}

static bool
write_some(RpcSession *session)
{
    bool alive;

    g_mutex_lock(&session->lock);
    alive = !session->closed && rpc_output_flush(session) &&
            !(session->close_when_sent && g_queue_is_empty(&session->output));
    if (alive)
        rpc_session_update(session);
    g_mutex_unlock(&session->lock);
    return alive;
}

static void
on_event(uint32_t events, void *data)
{
    g_autoptr(RpcSession) session = rpc_session_ref(data);

    if ((events & (EPOLLOUT | EPOLLERR)) && !write_some(session)) {
        rpc_session_close(session);
        return;
    }
    if (session->watch)
        rpc_stream_resume_all(session);
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        return;
    if (!session->watch || !is_reading(session)) {
        if (events & (EPOLLHUP | EPOLLERR))
            rpc_session_close(session);
        return;
    }
    if (read_some(session))
        process_input(session);
    else
        rpc_session_close(session);
}
