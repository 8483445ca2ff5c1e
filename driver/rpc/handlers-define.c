/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/handlers.h"

#include "rpc/message.h"
#include "util/error.h"
#include "util/i18n.h"

static bool
define(RpcCall *call, const char *xml, unsigned flags, RpcDomain *ret,
       GError **error)
{
    return RPC_DRIVER_CALL(call, domainDefineXMLFlags, xml, flags, &ret->dom,
                           error);
}

bool
rpc_domain_define_xml(RpcCall *call, const void *args, void *ret,
                      GError **error)
{
    const RpcString *xml = args;

    return define(call, xml->text, 0, ret, error);
}

bool
rpc_domain_define_xml_flags(RpcCall *call, const void *args, void *ret,
                            GError **error)
{
    const RpcStringFlags *xml = args;

    return define(call, xml->text, xml->flags, ret, error);
}

bool
rpc_domain_create_xml(RpcCall *call, const void *args, void *ret,
                      GError **error)
{
    const RpcStringFlags *xml = args;
    RpcDomain *answer = ret;

    return RPC_DRIVER_CALL(call, domainCreateXML, xml->text, xml->flags,
                           &answer->dom, error);
}

static bool
undefine(RpcCall *call, const VirtkvmDomainRef *dom, unsigned flags,
         GError **error)
{
    return RPC_DRIVER_CALL(call, domainUndefineFlags, dom, flags, error);
}

bool
rpc_domain_undefine(RpcCall *call, const void *args, void *ret, GError **error)
{
    const RpcDomain *of = args;

    return undefine(call, &of->dom, 0, error);
}

bool
rpc_domain_undefine_flags(RpcCall *call, const void *args, void *ret,
                          GError **error)
{
    const RpcDomainFlags *of = args;

    return undefine(call, &of->dom, of->flags, error);
}

bool
rpc_domain_get_xml_desc(RpcCall *call, const void *args, void *ret,
                        GError **error)
{
    const RpcDomainFlags *of = args;
    RpcString *xml = ret;

    if (!rpc_call_supported(call, call->driver->domainGetXMLDesc, error))
        return false;
    xml->text = call->driver->domainGetXMLDesc(call->state, call->who, &of->dom,
                                               of->flags, error);
    return xml->text != NULL;
}

bool
rpc_domain_rename(RpcCall *call, const void *args, void *ret, GError **error)
{
    const RpcDomainStringFlags *to = args;

    if (!to->text) {
        error_set(error, VIR_ERR_INVALID_ARG, "%s",
                  _("new_name in virDomainRename must not be NULL"));
        return false;
    }
    return RPC_DRIVER_CALL(call, domainRename, &to->dom, to->text, to->flags,
                           error);
}

bool
rpc_domain_get_autostart(RpcCall *call, const void *args, void *ret,
                         GError **error)
{
    const RpcDomain *of = args;
    RpcInt *answer = ret;
    bool autostart = false;

    if (!RPC_DRIVER_CALL(call, domainGetAutostart, &of->dom, &autostart, error))
        return false;
    answer->value = autostart;
    return true;
}

bool
rpc_domain_set_autostart(RpcCall *call, const void *args, void *ret,
                         GError **error)
{
    const RpcDomainInt *to = args;

    return RPC_DRIVER_CALL(call, domainSetAutostart, &to->dom, to->value != 0,
                           error);
}

bool
rpc_domain_set_metadata(RpcCall *call, const void *args, void *ret,
                        GError **error)
{
    const RpcSetMetadataArgs *to = args;

    return RPC_DRIVER_CALL(call, domainSetMetadata, &to->dom, to->type,
                           to->metadata, to->key, to->uri, to->flags, error);
}

bool
rpc_domain_get_metadata(RpcCall *call, const void *args, void *ret,
                        GError **error)
{
    const RpcGetMetadataArgs *of = args;
    RpcString *metadata = ret;

    if (!rpc_call_supported(call, call->driver->domainGetMetadata, error))
        return false;
    metadata->text = call->driver->domainGetMetadata(
        call->state, call->who, &of->dom, of->type, of->uri, of->flags, error);
    return metadata->text != NULL;
}
