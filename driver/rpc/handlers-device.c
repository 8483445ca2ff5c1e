/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/handlers.h"

#include "rpc/message-device.h"

typedef bool (*Change)(VirtkvmState *state, const VirtkvmCaller *who,
                       const VirtkvmDomainRef *dom, const char *device,
                       unsigned flags, GError **error);

static bool
change(RpcCall *call, Change operation, const RpcDeviceArgs *on, unsigned flags,
       GError **error)
{
    return rpc_call_supported(call, operation != NULL, error) &&
           operation(call->state, call->who, &on->dom, on->device, flags,
                     error);
}

/* The calls without flags are older: they mean the running domain only. */
bool
rpc_domain_attach_device(RpcCall *call, const void *args, void *ret,
                         GError **error)
{
    return change(call, call->driver->domainAttachDeviceFlags, args,
                  VIR_DOMAIN_AFFECT_LIVE, error);
}

bool
rpc_domain_attach_device_flags(RpcCall *call, const void *args, void *ret,
                               GError **error)
{
    const RpcDeviceArgs *on = args;

    return change(call, call->driver->domainAttachDeviceFlags, on, on->flags,
                  error);
}

bool
rpc_domain_detach_device(RpcCall *call, const void *args, void *ret,
                         GError **error)
{
    return change(call, call->driver->domainDetachDeviceFlags, args,
                  VIR_DOMAIN_AFFECT_LIVE, error);
}

bool
rpc_domain_detach_device_flags(RpcCall *call, const void *args, void *ret,
                               GError **error)
{
    const RpcDeviceArgs *on = args;

    return change(call, call->driver->domainDetachDeviceFlags, on, on->flags,
                  error);
}

bool
rpc_domain_detach_device_alias(RpcCall *call, const void *args, void *ret,
                               GError **error)
{
    const RpcDeviceArgs *on = args;

    return change(call, call->driver->domainDetachDeviceAlias, on, on->flags,
                  error);
}

bool
rpc_domain_update_device_flags(RpcCall *call, const void *args, void *ret,
                               GError **error)
{
    const RpcDeviceArgs *on = args;

    return change(call, call->driver->domainUpdateDeviceFlags, on, on->flags,
                  error);
}
