/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/handlers.h"

#include "rpc/message-device.h"
#include "rpc/message.h"
#include "rpc/params.h"
#include "util/error.h"
#include "util/i18n.h"

/* --- statistics ------------------------------------------------------------
 */

bool
rpc_domain_block_stats(RpcCall *call, const void *args, void *ret,
                       GError **error)
{
    const RpcDeviceArgs *of = args;

    return RPC_DRIVER_CALL(call, domainBlockStats, &of->dom, of->device, ret,
                           error);
}

bool
rpc_domain_block_stats_flags(RpcCall *call, const void *args, void *ret,
                             GError **error)
{
    const RpcDeviceParamsArgs *of = args;
    VirtkvmParams params = { 0 };

    if (!rpc_params_check(of->nparams, RPC_BLOCK_STATS_MAX, error) ||
        !RPC_DRIVER_CALL(call, domainBlockStatsFlags, &of->dom, of->device,
                         of->flags, &params, error))
        return false;
    rpc_params_answer(&params, of->nparams, of->flags, ret);
    return true;
}

bool
rpc_domain_get_block_info(RpcCall *call, const void *args, void *ret,
                          GError **error)
{
    const RpcDeviceArgs *of = args;

    return RPC_DRIVER_CALL(call, domainGetBlockInfo, &of->dom, of->device,
                           of->flags, ret, error);
}

/* Asked with room for none, the answer is how many disks there are. */
bool
rpc_domain_get_disk_errors(RpcCall *call, const void *args, void *ret,
                           GError **error)
{
    const RpcDomainUintFlags *of = args;
    g_autoptr(GArray) errors = NULL;
    RpcCountedList *answer = ret;
    unsigned disks = 0;

    if (!rpc_params_check(of->value, RPC_DISK_ERRORS_MAX, error) ||
        !RPC_DRIVER_CALL(call, domainGetDiskErrors, &of->dom, of->flags,
                         &errors, &disks, error))
        return false;
    answer->count = disks;
    if (of->value == 0)
        return true;
    if (errors->len > of->value)
        g_array_set_size(errors, of->value);
    answer->list.items = g_array_steal(errors, &answer->list.count);
    answer->count = (uint32_t)answer->list.count;
    return true;
}

/* --- changes ----------------------------------------------------------------
 */

bool
rpc_domain_block_resize(RpcCall *call, const void *args, void *ret,
                        GError **error)
{
    const RpcBlockResizeArgs *on = args;

    return RPC_DRIVER_CALL(call, domainBlockResize, &on->dom, on->device,
                           on->size, on->flags, error);
}

bool
rpc_domain_set_block_io_tune(RpcCall *call, const void *args, void *ret,
                             GError **error)
{
    const RpcSetDeviceParamsArgs *on = args;

    return RPC_DRIVER_CALL(call, domainSetBlockIoTune, &on->dom, on->device,
                           &on->params, on->flags, error);
}

bool
rpc_domain_get_block_io_tune(RpcCall *call, const void *args, void *ret,
                             GError **error)
{
    const RpcDeviceParamsArgs *of = args;
    VirtkvmParams params = { 0 };

    if (!rpc_params_check(of->nparams, RPC_BLOCK_TUNE_MAX, error) ||
        !RPC_DRIVER_CALL(call, domainGetBlockIoTune, &of->dom, of->device,
                         of->flags, &params, error))
        return false;
    rpc_params_answer(&params, of->nparams, of->flags, ret);
    return true;
}

/* --- content ----------------------------------------------------------------
 */

bool
rpc_domain_block_peek(RpcCall *call, const void *args, void *ret,
                      GError **error)
{
    const RpcBlockPeekArgs *of = args;
    g_autoptr(GByteArray) bytes = NULL;
    RpcBytes *answer = ret;

    if (of->flags) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("unsupported flags (0x%x) in function %s"), of->flags,
                  "virDomainBlockPeek");
        return false;
    }
    if (!rpc_params_check(of->size, RPC_PEEK_MAX, error) ||
        !RPC_DRIVER_CALL(call, domainBlockPeek, &of->dom, of->device,
                         of->offset, of->size, &bytes, error))
        return false;
    answer->bytes.items = g_byte_array_steal(bytes, &answer->bytes.count);
    return true;
}
