/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/handlers.h"

#include "rpc/message-network.h"
#include "rpc/message.h"
#include "util/error.h"
#include "util/i18n.h"

/* The procedure of a deregistration is the one after its registration. */
static RpcEventFamily
family_of(const RpcCall *call)
{
    switch (call->frame->header.procedure) {
    case 314:
        return RPC_EVENTS_NETWORK;
    case 368:
    case 369:
        return RPC_EVENTS_POOL;
    case 374:
    case 375:
        return RPC_EVENTS_NODE_DEVICE;
    case 380:
    case 381:
        return RPC_EVENTS_SECRET;
    default:
        return RPC_EVENTS_DOMAIN;
    }
}

bool
rpc_event_callback_register(RpcCall *call, const void *args, void *ret,
                            GError **error)
{
    const RpcRegisterArgs *wanted = args;

    return rpc_event_register(call, RPC_EVENTS_DOMAIN, wanted->event,
                              wanted->dom ? wanted->dom->uuid : NULL, error);
}

bool
rpc_event_callback_deregister(RpcCall *call, const void *args, void *ret,
                              GError **error)
{
    const RpcInt *callback = args;

    return rpc_event_deregister(call, family_of(call), callback->value, error);
}

bool
rpc_network_event_register(RpcCall *call, const void *args, void *ret,
                           GError **error)
{
    const RpcNetworkRegisterArgs *wanted = args;

    return rpc_event_register(call, RPC_EVENTS_NETWORK, wanted->event,
                              wanted->net ? wanted->net->uuid : NULL, error);
}

/* Pools, devices, secrets: a client may wait for what never comes. */
bool
rpc_silent_event_register(RpcCall *call, const void *args, void *ret,
                          GError **error)
{
    const RpcInt *event = args;

    return rpc_event_register(call, family_of(call), event->value, NULL, error);
}

bool
rpc_domain_event_register(RpcCall *call, const void *args, void *ret,
                          GError **error)
{
    return rpc_event_register(call, RPC_EVENTS_LEGACY,
                              VIR_DOMAIN_EVENT_ID_LIFECYCLE, NULL, error);
}

bool
rpc_domain_event_deregister(RpcCall *call, const void *args, void *ret,
                            GError **error)
{
    return rpc_event_deregister(call, RPC_EVENTS_LEGACY,
                                VIR_DOMAIN_EVENT_ID_LIFECYCLE, error);
}

bool
rpc_domain_event_register_any(RpcCall *call, const void *args, void *ret,
                              GError **error)
{
    const RpcInt *event = args;

    return rpc_event_register(call, RPC_EVENTS_LEGACY, event->value, NULL,
                              error);
}

bool
rpc_domain_event_deregister_any(RpcCall *call, const void *args, void *ret,
                                GError **error)
{
    const RpcInt *event = args;

    return rpc_event_deregister(call, RPC_EVENTS_LEGACY, event->value, error);
}
