/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/handlers.h"

#include <string.h>
#include <unistd.h>

#include "rpc/message.h"
#include "util/error.h"
#include "util/i18n.h"

#define AUTH_NONE    0 /* remote_auth_type */
#define HOSTNAME_MAX 256

/** Features a client may ask for (libvirt_internal.h). */
typedef enum Feature {
    FEATURE_FD_PASSING = 8,
    FEATURE_TYPED_PARAM_STRING = 9,
    FEATURE_PROGRAM_KEEPALIVE = 10,
    FEATURE_REMOTE_EVENT_CALLBACK = 14,
    FEATURE_REMOTE_CLOSE_CALLBACK = 15,
    FEATURE_NETWORK_UPDATE_HAS_CORRECT_ORDER = 16,
} Feature;

/* --- opening and closing ----------------------------------------------------
 */

bool
rpc_auth_list(RpcCall *call, const void *args, void *ret, GError **error)
{
    RpcJustList *types = ret;
    RpcInt *item = g_new0(RpcInt, 1);

    item->value = AUTH_NONE;
    types->list = (RpcList){ item, 1 };
    return true;
}

/* Any name is welcome; one that is not a driver's own goes to the first. */
bool
rpc_connect_open(RpcCall *call, const void *args, void *ret, GError **error)
{
    const RpcStringFlags *open = args;
    RpcSession *session = call->session;
    const RpcRoute *route;

    if (call->driver) {
        error_set(error, VIR_ERR_INTERNAL_ERROR, "%s",
                  _("connection already open"));
        return false;
    }
    route = session->service->calls->route(session->service->opaque,
                                           open->text ? open->text : "", error);
    if (!route)
        return false;
    g_mutex_lock(&session->lock);
    session->uri = g_strdup(open->text ? open->text : "");
    session->caller.uri = session->uri;
    if (open->flags & VIR_CONNECT_RO)
        session->caller.read_only = true;
    session->route = route;
    g_mutex_unlock(&session->lock);
    return true;
}

bool
rpc_connect_close(RpcCall *call, const void *args, void *ret, GError **error)
{
    rpc_call_answer(call, ret);
    rpc_session_close_when_sent(call->session);
    return true;
}

static void
start_keepalive(void *data)
{
    g_autoptr(RpcSession) session = data;

    if (session->watch)
        rpc_keepalive_start(session);
}

bool
rpc_connect_supports_feature(RpcCall *call, const void *args, void *ret,
                             GError **error)
{
    const RpcInt *feature = args;
    RpcInt *supported = ret;

    switch (feature->value) {
    case FEATURE_PROGRAM_KEEPALIVE:
        rpc_loop_invoke(call->session->service->loop, start_keepalive,
                        rpc_session_ref(call->session));
        supported->value = 1;
        return true; /* the one that is asked before the connection is open */
    case FEATURE_FD_PASSING:
    case FEATURE_TYPED_PARAM_STRING:
    case FEATURE_REMOTE_EVENT_CALLBACK:
    case FEATURE_REMOTE_CLOSE_CALLBACK:
    case FEATURE_NETWORK_UPDATE_HAS_CORRECT_ORDER:
        supported->value = 1;
        break;
    default:
        break;
    }
    if (!call->driver)
        error_set(error, VIR_ERR_INTERNAL_ERROR, "%s",
                  _("hypervisor connection not open"));
    return call->driver != NULL;
}

/* Nothing here closes a connection but the end of the daemon, which clients
 * notice by themselves; libvirt's daemon, too, takes any number of these. */
bool
rpc_connect_close_callback(RpcCall *call, const void *args, void *ret,
                           GError **error)
{
    return true;
}

/* --- facts of the connection -------------------------------------------------
 */

bool
rpc_connect_get_type(RpcCall *call, const void *args, void *ret, GError **error)
{
    ((RpcString *)ret)->text = g_strdup(call->driver->type);
    return true;
}

bool
rpc_connect_get_version(RpcCall *call, const void *args, void *ret,
                        GError **error)
{
    RpcHyper *version = ret;
    unsigned long value = 0;

    if (!RPC_DRIVER_CALL(call, connectGetVersion, &value, error))
        return false;
    version->value = value;
    return true;
}

/* Clients gate features by it: it is the libvirt whose protocol this is. */
bool
rpc_connect_get_lib_version(RpcCall *call, const void *args, void *ret,
                            GError **error)
{
    ((RpcHyper *)ret)->value = LIBVIR_VERSION_NUMBER;
    return true;
}

bool
rpc_connect_get_uri(RpcCall *call, const void *args, void *ret, GError **error)
{
    RpcString *uri = ret;

    if (call->who->uri[0])
        uri->text = g_strdup(call->who->uri);
    else
        uri->text = g_strdup_printf(
            "%s:///%s", call->driver->schemes[0],
            call->session->service->privileged ? "system" : "session");
    return true;
}

bool
rpc_connect_get_hostname(RpcCall *call, const void *args, void *ret,
                         GError **error)
{
    char name[HOSTNAME_MAX] = "";

    if (gethostname(name, sizeof(name) - 1) != 0) {
        error_set(error, VIR_ERR_SYSTEM_ERROR, "%s",
                  _("cannot find out the host's name"));
        return false;
    }
    ((RpcString *)ret)->text = g_strdup(name);
    return true;
}

/* All sockets are UNIX sockets. */
bool
rpc_connect_is_secure(RpcCall *call, const void *args, void *ret,
                      GError **error)
{
    ((RpcInt *)ret)->value = 1;
    return true;
}

/* --- facts of the host -------------------------------------------------------
 */

bool
rpc_connect_get_max_vcpus(RpcCall *call, const void *args, void *ret,
                          GError **error)
{
    const RpcString *type = args;
    RpcInt *count = ret;

    if (!rpc_call_supported(call, call->driver->connectGetMaxVcpus, error))
        return false;
    count->value = call->driver->connectGetMaxVcpus(call->state, call->who,
                                                    type->text, error);
    return count->value >= 0;
}

bool
rpc_node_get_info(RpcCall *call, const void *args, void *ret, GError **error)
{
    return RPC_DRIVER_CALL(call, nodeGetInfo, ret, error);
}

bool
rpc_node_get_cpu_map(RpcCall *call, const void *args, void *ret, GError **error)
{
    const RpcCpuMapArgs *want = args;
    g_autoptr(GByteArray) map = NULL;
    RpcCpuMap *answer = ret;
    unsigned online = 0;
    gsize size = 0;

    if (!rpc_call_supported(call, call->driver->nodeGetCPUMap, error))
        return false;
    answer->present = call->driver->nodeGetCPUMap(call->state, call->who, &map,
                                                  &online, want->flags, error);
    if (answer->present < 0)
        return false;
    if (want->need_online)
        answer->online = online;
    if (want->need_map && map) {
        answer->cpumap.items = g_byte_array_steal(map, &size);
        answer->cpumap.count = size;
    }
    return true;
}

bool
rpc_connect_get_capabilities(RpcCall *call, const void *args, void *ret,
                             GError **error)
{
    RpcString *xml = ret;

    if (!rpc_call_supported(call, call->driver->connectGetCapabilities, error))
        return false;
    xml->text =
        call->driver->connectGetCapabilities(call->state, call->who, error);
    return xml->text != NULL;
}

bool
rpc_connect_get_sysinfo(RpcCall *call, const void *args, void *ret,
                        GError **error)
{
    const RpcInt *flags = args;
    RpcString *xml = ret;

    if (!rpc_call_supported(call, call->driver->connectGetSysinfo, error))
        return false;
    xml->text = call->driver->connectGetSysinfo(call->state, call->who,
                                                (unsigned)flags->value, error);
    return xml->text != NULL;
}

bool
rpc_connect_get_domain_capabilities(RpcCall *call, const void *args, void *ret,
                                    GError **error)
{
    const RpcDomainCapabilitiesArgs *of = args;
    RpcString *xml = ret;

    if (!rpc_call_supported(call, call->driver->connectGetDomainCapabilities,
                            error))
        return false;
    xml->text = call->driver->connectGetDomainCapabilities(
        call->state, call->who, of->emulator, of->arch, of->machine,
        of->virttype, of->flags, error);
    return xml->text != NULL;
}

/* Texts of no characters: clients copy up to the first NUL. */
static RpcList
empty_text(void)
{
    return (RpcList){ g_new0(RpcInt, 1), 1 };
}

bool
rpc_node_get_security_model(RpcCall *call, const void *args, void *ret,
                            GError **error)
{
    RpcSecurityModel *model = ret;

    model->model = empty_text();
    model->doi = empty_text();
    return true;
}
