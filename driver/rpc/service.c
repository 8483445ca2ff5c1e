/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/service.h"

#include "rpc/session.h"

void
rpc_service_init(RpcService *service, RpcLoop *loop, RpcPool *pool,
                 const RpcServiceCalls *calls, void *opaque)
{
    service->loop = loop;
    service->pool = pool;
    service->calls = calls;
    service->opaque = opaque;
    service->scratch = g_malloc(RPC_SCRATCH_SIZE);
    g_queue_init(&service->sessions);
    rpc_events_init(&service->events);
}

void
rpc_service_accept(RpcService *service, int fd, bool read_only)
{
    (void)rpc_session_new(service, fd, read_only);
}

void
rpc_service_close_all(RpcService *service)
{
    RpcSession *session;

    while ((session = g_queue_peek_head(&service->sessions)))
        rpc_session_close(session);
}

void
rpc_service_clear(RpcService *service)
{
    rpc_events_clear(&service->events);
    g_free(service->scratch);
}
