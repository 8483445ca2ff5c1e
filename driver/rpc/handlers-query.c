/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/handlers.h"

#include "rpc/message.h"
#include "util/error.h"
#include "util/i18n.h"

/* --- yes or no ----------------------------------------------------------- */

typedef int (*Question)(VirtkvmState *state, const VirtkvmCaller *who,
                        const VirtkvmDomainRef *dom, GError **error);

static bool
ask(RpcCall *call, Question question, const RpcDomain *of, RpcInt *ret,
    GError **error)
{
    if (!rpc_call_supported(call, question != NULL, error))
        return false;
    ret->value = question(call->state, call->who, &of->dom, error);
    return ret->value >= 0;
}

bool
rpc_domain_is_active(RpcCall *call, const void *args, void *ret, GError **error)
{
    return ask(call, call->driver->domainIsActive, args, ret, error);
}

bool
rpc_domain_is_persistent(RpcCall *call, const void *args, void *ret,
                         GError **error)
{
    return ask(call, call->driver->domainIsPersistent, args, ret, error);
}

bool
rpc_domain_is_updated(RpcCall *call, const void *args, void *ret,
                      GError **error)
{
    return ask(call, call->driver->domainIsUpdated, args, ret, error);
}

bool
rpc_domain_has_managed_save_image(RpcCall *call, const void *args, void *ret,
                                  GError **error)
{
    const RpcDomainFlags *of = args;
    RpcInt *answer = ret;

    if (!rpc_call_supported(call, call->driver->domainHasManagedSaveImage,
                            error))
        return false;
    answer->value = call->driver->domainHasManagedSaveImage(
        call->state, call->who, &of->dom, of->flags, error);
    return answer->value >= 0;
}

/* --- states -------------------------------------------------------------- */

bool
rpc_domain_get_info(RpcCall *call, const void *args, void *ret, GError **error)
{
    const RpcDomain *of = args;

    return RPC_DRIVER_CALL(call, domainGetInfo, &of->dom, ret, error);
}

bool
rpc_domain_get_state(RpcCall *call, const void *args, void *ret, GError **error)
{
    const RpcDomainFlags *of = args;
    RpcState *answer = ret;

    if (of->flags) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("unsupported flags (0x%x) in function %s"), of->flags,
                  "virDomainGetState");
        return false;
    }
    return RPC_DRIVER_CALL(call, domainGetState, &of->dom, &answer->state,
                           &answer->reason, error);
}

bool
rpc_domain_get_control_info(RpcCall *call, const void *args, void *ret,
                            GError **error)
{
    const RpcDomainFlags *of = args;

    return RPC_DRIVER_CALL(call, domainGetControlInfo, &of->dom, ret, error);
}

bool
rpc_domain_get_os_type(RpcCall *call, const void *args, void *ret,
                       GError **error)
{
    const RpcDomain *of = args;
    RpcString *type = ret;

    if (!rpc_call_supported(call, call->driver->domainGetOSType, error))
        return false;
    type->text =
        call->driver->domainGetOSType(call->state, call->who, &of->dom, error);
    return type->text != NULL;
}

bool
rpc_domain_get_messages(RpcCall *call, const void *args, void *ret,
                        GError **error)
{
    const RpcDomainFlags *of = args;
    RpcJustList *answer = ret;
    g_autofree char **messages = NULL; /* the texts move into the answer */
    RpcString *items;
    guint count;

    if (!RPC_DRIVER_CALL(call, domainGetMessages, &of->dom, of->flags,
                         &messages, error))
        return false;
    count = g_strv_length(messages);
    items = g_new0(RpcString, count);
    for (guint i = 0; i < count; i++)
        items[i].text = messages[i];
    answer->list = (RpcList){ items, count };
    return true;
}

/* No security driver: a domain has no label. */
bool
rpc_domain_get_security_label(RpcCall *call, const void *args, void *ret,
                              GError **error)
{
    RpcSecurityLabel *answer = ret;

    if (!rpc_absent_in_domain(call, args, ret, error))
        return false;
    answer->label = (RpcList){ g_new0(RpcInt, 1), 1 };
    return true;
}

/* --- memory and vCPUs ---------------------------------------------------- */

bool
rpc_domain_get_max_memory(RpcCall *call, const void *args, void *ret,
                          GError **error)
{
    const RpcDomain *of = args;
    RpcHyper *memory = ret;

    if (!rpc_call_supported(call, call->driver->domainGetMaxMemory, error))
        return false;
    memory->value = call->driver->domainGetMaxMemory(call->state, call->who,
                                                     &of->dom, error);
    return memory->value > 0;
}

static bool
count_vcpus(RpcCall *call, const VirtkvmDomainRef *dom, unsigned flags,
            RpcInt *ret, GError **error)
{
    if (!rpc_call_supported(call, call->driver->domainGetVcpusFlags, error))
        return false;
    ret->value = call->driver->domainGetVcpusFlags(call->state, call->who, dom,
                                                   flags, error);
    return ret->value >= 0;
}

bool
rpc_domain_get_vcpus_flags(RpcCall *call, const void *args, void *ret,
                           GError **error)
{
    const RpcDomainFlags *of = args;

    return count_vcpus(call, &of->dom, of->flags, ret, error);
}

bool
rpc_domain_get_max_vcpus(RpcCall *call, const void *args, void *ret,
                         GError **error)
{
    const RpcDomain *of = args;

    return count_vcpus(call, &of->dom,
                       VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_VCPU_MAXIMUM, ret,
                       error);
}

static bool
check_vcpus_args(const RpcVcpusArgs *of, GError **error)
{
    int64_t bytes = (int64_t)of->maxinfo * of->maplen;

    if (of->maxinfo >= 0 && of->maxinfo <= RPC_VCPUS_MAX && of->maplen >= 0 &&
        bytes <= RPC_CPUMAPS_MAX)
        return true;
    error_set(
        error, VIR_ERR_RPC,
        _("%d vCPUs with maps of %d bytes exceed a limit of the protocol"),
        of->maxinfo, of->maplen);
    return false;
}

bool
rpc_domain_get_vcpus(RpcCall *call, const void *args, void *ret, GError **error)
{
    const RpcVcpusArgs *of = args;
    g_autoptr(GArray) vcpus = NULL;
    g_autoptr(GByteArray) maps = NULL;
    RpcVcpus *answer = ret;

    if (!check_vcpus_args(of, error) ||
        !rpc_call_supported(call, call->driver->domainGetVcpus, error) ||
        !call->driver->domainGetVcpus(
            call->state, call->who, &of->dom, (unsigned)of->maxinfo,
            (unsigned)of->maplen, &vcpus, &maps, error))
        return false;
    answer->info.items = g_array_steal(vcpus, &answer->info.count);
    if (maps)
        answer->cpumaps.items =
            g_byte_array_steal(maps, &answer->cpumaps.count);
    return true;
}

/* --- statistics ---------------------------------------------------------- */

bool
rpc_connect_get_all_domain_stats(RpcCall *call, const void *args, void *ret,
                                 GError **error)
{
    const RpcStatsArgs *of = args;
    g_autoptr(GArray) stats = NULL;
    RpcJustList *answer = ret;

    if (!rpc_call_supported(call, call->driver->connectGetAllDomainStats,
                            error) ||
        !call->driver->connectGetAllDomainStats(
            call->state, call->who, of->doms.count ? of->doms.items : NULL,
            of->doms.count, of->stats, of->flags, &stats, error))
        return false;
    answer->list.items = g_array_steal(stats, &answer->list.count);
    return true;
}
