/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/handlers.h"

#include "rpc/message.h"
#include "util/error.h"
#include "util/i18n.h"

/**
 * Kinds of objects that are not here yet. Lists of them are empty, so that
 * clients show nothing and not an error; asked for one by name, the answer is
 * libvirt's code for "no such object", which clients expect.
 */
typedef struct Missing {
    int procedure;
    virErrorNumber code;
    const char *text; /* the key follows */
} Missing;

static const Missing missing[] = {
    { 46, VIR_ERR_NO_NETWORK, N_("no network with matching name") },
    { 47, VIR_ERR_NO_NETWORK, N_("no network with matching uuid") },
    { 84, VIR_ERR_NO_STORAGE_POOL, N_("no storage pool with matching name") },
    { 85, VIR_ERR_NO_STORAGE_POOL, N_("no storage pool with matching uuid") },
    { 96, VIR_ERR_NO_STORAGE_VOL, N_("no storage vol with matching key") },
    { 97, VIR_ERR_NO_STORAGE_VOL, N_("no storage vol with matching path") },
    { 113, VIR_ERR_NO_NODE_DEVICE, N_("no node device with matching name") },
    { 128, VIR_ERR_NO_INTERFACE, N_("no interface with matching name") },
    { 129, VIR_ERR_NO_INTERFACE, N_("no interface with matching mac") },
    { 141, VIR_ERR_NO_SECRET, N_("no secret with matching uuid") },
    { 175, VIR_ERR_NO_NWFILTER, N_("no nwfilter with matching name") },
    { 176, VIR_ERR_NO_NWFILTER, N_("no nwfilter with matching uuid") },
    { 189, VIR_ERR_NO_DOMAIN_SNAPSHOT,
      N_("no domain snapshot with matching name") },
    { 391, VIR_ERR_NO_STORAGE_POOL,
      N_("no storage pool with matching target path") },
    { 397, VIR_ERR_NO_NWFILTER_BINDING,
      N_("no nwfilter binding for port dev") },
    { 415, VIR_ERR_NO_DOMAIN_CHECKPOINT,
      N_("no domain checkpoint with matching name") },
};

static bool
report_missing(const RpcCall *call, const char *key, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(missing); i++) {
        if (missing[i].procedure == call->frame->header.procedure)
            error_set(error, missing[i].code, "%s '%s'", _(missing[i].text),
                      key);
    }
    return false;
}

bool
rpc_missing_by_name(RpcCall *call, const void *args, void *ret, GError **error)
{
    const RpcString *name = args;

    return report_missing(call, name->text, error);
}

bool
rpc_missing_by_uuid(RpcCall *call, const void *args, void *ret, GError **error)
{
    const RpcUuid *key = args;
    const unsigned char *u = key->uuid;
    g_autofree char *text = g_strdup_printf(
        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
        u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10],
        u[11], u[12], u[13], u[14], u[15]);

    return report_missing(call, text, error);
}

bool
rpc_absent(RpcCall *call, const void *args, void *ret, GError **error)
{
    return true;
}

bool
rpc_absent_in_domain(RpcCall *call, const void *args, void *ret, GError **error)
{
    const RpcDomain *of = args;
    RpcDomain found = { 0 };
    bool exists = RPC_DRIVER_CALL(call, domainLookupByUUID, of->dom.uuid,
                                  &found.dom, error);

    rpc_message_clear(&rpc_one_domain, &found);
    return exists;
}

bool
rpc_missing_in_domain(RpcCall *call, const void *args, void *ret,
                      GError **error)
{
    const RpcDomainString *of = args;

    return rpc_absent_in_domain(call, args, ret, error) &&
           report_missing(call, of->text, error);
}

bool
rpc_no_current_snapshot(RpcCall *call, const void *args, void *ret,
                        GError **error)
{
    if (rpc_absent_in_domain(call, args, ret, error))
        error_set(error, VIR_ERR_NO_DOMAIN_SNAPSHOT, "%s",
                  _("the domain does not have a current snapshot"));
    return false;
}
