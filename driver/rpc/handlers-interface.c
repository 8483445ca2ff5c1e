/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/handlers.h"

#include "rpc/message-device.h"
#include "rpc/message.h"
#include "rpc/params.h"

bool
rpc_domain_interface_stats(RpcCall *call, const void *args, void *ret,
                           GError **error)
{
    const RpcDeviceArgs *of = args;

    return RPC_DRIVER_CALL(call, domainInterfaceStats, &of->dom, of->device,
                           ret, error);
}

bool
rpc_domain_interface_addresses(RpcCall *call, const void *args, void *ret,
                               GError **error)
{
    const RpcDomainUintFlags *of = args;
    g_autoptr(GArray) interfaces = NULL;
    RpcJustList *answer = ret;

    if (!RPC_DRIVER_CALL(call, domainInterfaceAddresses, &of->dom, of->value,
                         of->flags, &interfaces, error))
        return false;
    answer->list.items = g_array_steal(interfaces, &answer->list.count);
    return true;
}

bool
rpc_domain_set_interface_parameters(RpcCall *call, const void *args, void *ret,
                                    GError **error)
{
    const RpcSetDeviceParamsArgs *on = args;

    return rpc_call_supported(call, call->driver->domainSetInterfaceParameters,
                              error) &&
           call->driver->domainSetInterfaceParameters(
               call->state, call->who, &on->dom, on->device, &on->params,
               on->flags, error);
}

bool
rpc_domain_get_interface_parameters(RpcCall *call, const void *args, void *ret,
                                    GError **error)
{
    const RpcDeviceParamsArgs *of = args;
    VirtkvmParams params = { 0 };

    if (!rpc_params_check(of->nparams, RPC_INTERFACE_TUNE_MAX, error) ||
        !RPC_DRIVER_CALL(call, domainGetInterfaceParameters, &of->dom,
                         of->device, of->flags, &params, error))
        return false;
    rpc_params_answer(&params, of->nparams, of->flags, ret);
    return true;
}
