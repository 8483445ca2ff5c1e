/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/handlers.h"

#include "rpc/message.h"

/* Operations of a domain, and of a domain with flags. */
typedef bool (*Operation)(VirtkvmState *state, const VirtkvmCaller *who,
                          const VirtkvmDomainRef *dom, GError **error);
typedef bool (*FlagsOperation)(VirtkvmState *state, const VirtkvmCaller *who,
                               const VirtkvmDomainRef *dom, unsigned flags,
                               GError **error);

static bool
operate(RpcCall *call, Operation operation, const RpcDomain *on, GError **error)
{
    return rpc_call_supported(call, operation != NULL, error) &&
           operation(call->state, call->who, &on->dom, error);
}

static bool
operate_flags(RpcCall *call, FlagsOperation operation,
              const VirtkvmDomainRef *dom, unsigned flags, GError **error)
{
    return rpc_call_supported(call, operation != NULL, error) &&
           operation(call->state, call->who, dom, flags, error);
}

static bool
create(RpcCall *call, const VirtkvmDomainRef *dom, unsigned flags,
       VirtkvmDomainRef *ret_domain, GError **error)
{
    return RPC_DRIVER_CALL(call, domainCreateWithFlags, dom, flags, ret_domain,
                           error);
}

bool
rpc_domain_create(RpcCall *call, const void *args, void *ret, GError **error)
{
    const RpcDomain *on = args;
    RpcDomain started = { 0 };
    bool done = create(call, &on->dom, 0, &started.dom, error);

    rpc_message_clear(&rpc_one_domain, &started);
    return done;
}

bool
rpc_domain_create_with_flags(RpcCall *call, const void *args, void *ret,
                             GError **error)
{
    const RpcDomainFlags *on = args;
    RpcDomain *started = ret;

    return create(call, &on->dom, on->flags, &started->dom, error);
}

bool
rpc_domain_suspend(RpcCall *call, const void *args, void *ret, GError **error)
{
    return operate(call, call->driver->domainSuspend, args, error);
}

bool
rpc_domain_resume(RpcCall *call, const void *args, void *ret, GError **error)
{
    return operate(call, call->driver->domainResume, args, error);
}

bool
rpc_domain_shutdown(RpcCall *call, const void *args, void *ret, GError **error)
{
    const RpcDomain *on = args;

    return operate_flags(call, call->driver->domainShutdownFlags, &on->dom, 0,
                         error);
}

bool
rpc_domain_shutdown_flags(RpcCall *call, const void *args, void *ret,
                          GError **error)
{
    const RpcDomainFlags *on = args;

    return operate_flags(call, call->driver->domainShutdownFlags, &on->dom,
                         on->flags, error);
}

bool
rpc_domain_reboot(RpcCall *call, const void *args, void *ret, GError **error)
{
    const RpcDomainFlags *on = args;

    return operate_flags(call, call->driver->domainReboot, &on->dom, on->flags,
                         error);
}

bool
rpc_domain_reset(RpcCall *call, const void *args, void *ret, GError **error)
{
    const RpcDomainFlags *on = args;

    return operate_flags(call, call->driver->domainReset, &on->dom, on->flags,
                         error);
}

bool
rpc_domain_destroy(RpcCall *call, const void *args, void *ret, GError **error)
{
    const RpcDomain *on = args;

    return operate_flags(call, call->driver->domainDestroyFlags, &on->dom, 0,
                         error);
}

bool
rpc_domain_destroy_flags(RpcCall *call, const void *args, void *ret,
                         GError **error)
{
    const RpcDomainFlags *on = args;

    return operate_flags(call, call->driver->domainDestroyFlags, &on->dom,
                         on->flags, error);
}

bool
rpc_domain_open_console(RpcCall *call, const void *args, void *ret,
                        GError **error)
{
    const RpcDomainStringFlags *of = args;

    if (!rpc_call_supported(call, call->driver->domainOpenConsole, error))
        return false;
    call->console = call->driver->domainOpenConsole(
        call->state, call->who, &of->dom, of->text, of->flags, error);
    return call->console != NULL;
}

bool
rpc_domain_open_channel(RpcCall *call, const void *args, void *ret,
                        GError **error)
{
    const RpcDomainStringFlags *of = args;

    if (!rpc_call_supported(call, call->driver->domainOpenChannel, error))
        return false;
    call->console = call->driver->domainOpenChannel(
        call->state, call->who, &of->dom, of->text, of->flags, error);
    return call->console != NULL;
}
