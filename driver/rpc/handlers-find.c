/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/handlers.h"

#include "rpc/message.h"
#include "util/error.h"
#include "util/i18n.h"

bool
rpc_domain_lookup_by_id(RpcCall *call, const void *args, void *ret,
                        GError **error)
{
    const RpcInt *id = args;

    return RPC_DRIVER_CALL(call, domainLookupByID, id->value, ret, error);
}

bool
rpc_domain_lookup_by_name(RpcCall *call, const void *args, void *ret,
                          GError **error)
{
    const RpcString *name = args;

    return RPC_DRIVER_CALL(call, domainLookupByName, name->text, ret, error);
}

bool
rpc_domain_lookup_by_uuid(RpcCall *call, const void *args, void *ret,
                          GError **error)
{
    const RpcUuid *key = args;

    return RPC_DRIVER_CALL(call, domainLookupByUUID, key->uuid, ret, error);
}

/* --- lists --------------------------------------------------------------- */

static GArray *
list_domains(RpcCall *call, unsigned flags, GError **error)
{
    GArray *domains = NULL;

    if (!RPC_DRIVER_CALL(call, connectListAllDomains, flags, &domains, error))
        return NULL;
    return domains;
}

bool
rpc_connect_list_all_domains(RpcCall *call, const void *args, void *ret,
                             GError **error)
{
    const RpcListArgs *wanted = args;
    RpcCountedList *answer = ret;
    g_autoptr(GArray) domains = list_domains(call, wanted->flags, error);
    gsize count = 0;

    if (!domains)
        return false;
    answer->count = domains->len;
    if (wanted->need_results) {
        answer->list.items = g_array_steal(domains, &count);
        answer->list.count = count;
    }
    return true;
}

static bool
count_domains(RpcCall *call, unsigned flags, RpcInt *ret, GError **error)
{
    g_autoptr(GArray) domains = list_domains(call, flags, error);

    if (domains)
        ret->value = (int32_t)domains->len;
    return domains != NULL;
}

bool
rpc_connect_num_of_domains(RpcCall *call, const void *args, void *ret,
                           GError **error)
{
    return count_domains(call, VIR_CONNECT_LIST_DOMAINS_ACTIVE, ret, error);
}

bool
rpc_connect_num_of_defined_domains(RpcCall *call, const void *args, void *ret,
                                   GError **error)
{
    return count_domains(call, VIR_CONNECT_LIST_DOMAINS_INACTIVE, ret, error);
}

/* The domains of @flags, no more than a client's @max. */
static GArray *
list_some(RpcCall *call, unsigned flags, int32_t max, GError **error)
{
    GArray *domains;

    if (max < 0 || max > RPC_DOMAINS_MAX) {
        error_set(error, VIR_ERR_RPC,
                  _("a list of %d domains was asked for, the limit is %d"), max,
                  RPC_DOMAINS_MAX);
        return NULL;
    }
    domains = list_domains(call, flags, error);
    if (domains && domains->len > (guint)max)
        g_array_set_size(domains, (guint)max);
    return domains;
}

bool
rpc_connect_list_domains(RpcCall *call, const void *args, void *ret,
                         GError **error)
{
    const RpcInt *max = args;
    RpcJustList *ids = ret;
    g_autoptr(GArray) domains =
        list_some(call, VIR_CONNECT_LIST_DOMAINS_ACTIVE, max->value, error);
    RpcInt *items;

    if (!domains)
        return false;
    items = g_new0(RpcInt, domains->len);
    ids->list = (RpcList){ items, domains->len };
    for (guint i = 0; i < domains->len; i++)
        items[i].value = g_array_index(domains, VirtkvmDomainRef, i).id;
    return true;
}

bool
rpc_connect_list_defined_domains(RpcCall *call, const void *args, void *ret,
                                 GError **error)
{
    const RpcInt *max = args;
    RpcJustList *names = ret;
    g_autoptr(GArray) domains =
        list_some(call, VIR_CONNECT_LIST_DOMAINS_INACTIVE, max->value, error);
    RpcString *items;

    if (!domains)
        return false;
    items = g_new0(RpcString, domains->len);
    names->list = (RpcList){ items, domains->len };
    for (guint i = 0; i < domains->len; i++)
        items[i].text =
            g_strdup(g_array_index(domains, VirtkvmDomainRef, i).name);
    return true;
}
