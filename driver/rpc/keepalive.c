/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/keepalive.h"

#include "rpc/session.h"
#include "util/i18n.h"
#include "util/log.h"

static void
send_message(RpcSession *session, int32_t procedure)
{
    RpcHeader header = {
        .program = RPC_PROGRAM_KEEPALIVE,
        .version = RPC_PROGRAM_VERSION,
        .procedure = procedure,
        .type = RPC_EVENT,
    };

    rpc_session_send(session, rpc_frame_encode(&header, NULL, NULL, NULL));
}

static void tick(void *data);

static void
schedule(RpcSession *session, gint64 delay_us)
{
    session->keepalive.timer =
        rpc_loop_timer(session->service->loop,
                       (uint64_t)((delay_us + 999) / 1000), tick, session);
}

/* Reading has been stopped by us: the client's answer may be waiting. */
static bool
is_deaf(RpcSession *session)
{
    bool deaf;

    g_mutex_lock(&session->lock);
    deaf = !session->reading;
    g_mutex_unlock(&session->lock);
    return deaf;
}

static void
tick(void *data)
{
    RpcSession *session = data;
    RpcKeepalive *keepalive = &session->keepalive;
    gint64 interval_us =
        (gint64)session->service->limits.keepalive_interval_s * G_USEC_PER_SEC;
    gint64 silent_us = g_get_monotonic_time() - keepalive->heard_us;

    keepalive->timer = NULL;
    if (silent_us < interval_us) {
        schedule(session, interval_us - silent_us);
        return;
    }
    if (is_deaf(session)) {
        schedule(session, interval_us);
        return;
    }
    if (keepalive->unanswered >= session->service->limits.keepalive_count) {
        log_info(_("client %llu no longer answers and is disconnected"),
                 (unsigned long long)session->caller.client_id);
        rpc_session_close(session);
        return;
    }
    keepalive->unanswered++;
    schedule(session, interval_us);
    send_message(session, RPC_KEEPALIVE_PING);
}

void
rpc_keepalive_start(RpcSession *session)
{
    unsigned interval_s = session->service->limits.keepalive_interval_s;

    if (session->keepalive.timer || interval_s == 0)
        return;
    session->keepalive.heard_us = g_get_monotonic_time();
    schedule(session, (gint64)interval_s * G_USEC_PER_SEC);
}

void
rpc_keepalive_stop(RpcSession *session)
{
    g_clear_pointer(&session->keepalive.timer, rpc_timer_free);
}

void
rpc_keepalive_heard(RpcSession *session)
{
    session->keepalive.heard_us = g_get_monotonic_time();
    session->keepalive.unanswered = 0;
}

bool
rpc_keepalive_handle(RpcSession *session, const RpcFrame *frame)
{
    if (frame->header.program != RPC_PROGRAM_KEEPALIVE ||
        frame->header.version != RPC_PROGRAM_VERSION ||
        frame->header.type != RPC_EVENT)
        return false;
    if (frame->header.procedure == RPC_KEEPALIVE_PING)
        send_message(session, RPC_KEEPALIVE_PONG);
    return true;
}
