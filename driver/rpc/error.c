/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/error.h"

#include <string.h>

#include "util/error.h"
#include "util/i18n.h"

/**
 * libvirt's text of each error, which scripts look for: alone, and with a
 * detail (NULL: "text: detail"; %s stands for the detail). The domain tells
 * which part of libvirt an error seems to come from; 0 is the hypervisor's.
 */
typedef struct ErrorText {
    const char *alone;
    const char *detailed;
    virErrorDomain domain;
} ErrorText;

/* clang-format off */
static const ErrorText texts[] = {
    [VIR_ERR_INTERNAL_ERROR] = { N_("internal error"), NULL },
    [VIR_ERR_NO_MEMORY] = { N_("out of memory"), NULL },
    [VIR_ERR_NO_SUPPORT] = { N_("this function is not supported by the connection driver"), NULL },
    [VIR_ERR_UNKNOWN_HOST] = { N_("unknown host"), N_("unknown host %s") },
    [VIR_ERR_NO_CONNECT] = { N_("no connection driver available"), N_("no connection driver available for %s") },
    [VIR_ERR_INVALID_CONN] = { N_("invalid connection pointer in"), N_("invalid connection pointer in %s") },
    [VIR_ERR_INVALID_DOMAIN] = { N_("invalid domain pointer in"), N_("invalid domain pointer in %s") },
    [VIR_ERR_INVALID_ARG] = { N_("invalid argument"), NULL },
    [VIR_ERR_OPERATION_FAILED] = { N_("operation failed"), NULL },
    [VIR_ERR_GET_FAILED] = { N_("GET operation failed"), NULL },
    [VIR_ERR_POST_FAILED] = { N_("POST operation failed"), NULL },
    [VIR_ERR_HTTP_ERROR] = { N_("got unknown HTTP error code"), N_("got unknown HTTP error code %s") },
    [VIR_ERR_SEXPR_SERIAL] = { N_("failed to serialize S-Expr"), NULL },
    [VIR_ERR_NO_XEN] = { N_("could not use Xen hypervisor entry"), N_("could not use Xen hypervisor entry %s") },
    [VIR_ERR_XEN_CALL] = { N_("failed Xen syscall"), N_("failed Xen syscall %s") },
    [VIR_ERR_OS_TYPE] = { N_("unknown OS type"), N_("unknown OS type %s") },
    [VIR_ERR_NO_KERNEL] = { N_("missing kernel information"), NULL },
    [VIR_ERR_NO_ROOT] = { N_("missing root device information"), N_("missing root device information in %s") },
    [VIR_ERR_NO_SOURCE] = { N_("missing source information for device"), N_("missing source information for device %s") },
    [VIR_ERR_NO_TARGET] = { N_("missing target information for device"), N_("missing target information for device %s") },
    [VIR_ERR_NO_NAME] = { N_("missing name information"), N_("missing name information in %s") },
    [VIR_ERR_NO_OS] = { N_("missing operating system information"), N_("missing operating system information for %s") },
    [VIR_ERR_NO_DEVICE] = { N_("missing devices information"), N_("missing devices information for %s") },
    [VIR_ERR_NO_XENSTORE] = { N_("could not connect to Xen Store"), N_("could not connect to Xen Store %s") },
    [VIR_ERR_DRIVER_FULL] = { N_("too many drivers registered"), N_("too many drivers registered in %s") },
    [VIR_ERR_CALL_FAILED] = { N_("library call failed"), NULL },
    [VIR_ERR_XML_ERROR] = { N_("XML description is invalid or not well formed"), N_("XML error: %s"), VIR_FROM_XML },
    [VIR_ERR_DOM_EXIST] = { N_("this domain exists already"), N_("domain %s exists already") },
    [VIR_ERR_OPERATION_DENIED] = { N_("operation forbidden for read only access"), N_("operation forbidden: %s") },
    [VIR_ERR_OPEN_FAILED] = { N_("failed to open configuration file"), N_("failed to open configuration file %s") },
    [VIR_ERR_READ_FAILED] = { N_("failed to read configuration file"), N_("failed to read configuration file %s") },
    [VIR_ERR_PARSE_FAILED] = { N_("failed to parse configuration file"), N_("failed to parse configuration file %s") },
    [VIR_ERR_CONF_SYNTAX] = { N_("configuration file syntax error"), NULL },
    [VIR_ERR_WRITE_FAILED] = { N_("failed to write configuration file"), NULL },
    [VIR_ERR_XML_DETAIL] = { N_("parser error"), N_("%s"), VIR_FROM_XML },
    [VIR_ERR_INVALID_NETWORK] = { N_("invalid network pointer in"), N_("invalid network pointer in %s"), VIR_FROM_NETWORK },
    [VIR_ERR_NETWORK_EXIST] = { N_("this network exists already"), N_("network %s exists already"), VIR_FROM_NETWORK },
    [VIR_ERR_SYSTEM_ERROR] = { N_("system call error"), N_("%s") },
    [VIR_ERR_RPC] = { N_("RPC error"), N_("%s"), VIR_FROM_RPC },
    [VIR_ERR_GNUTLS_ERROR] = { N_("GNUTLS call error"), N_("%s") },
    [VIR_WAR_NO_NETWORK] = { N_("Failed to find the network"), NULL },
    [VIR_ERR_NO_DOMAIN] = { N_("Domain not found"), NULL },
    [VIR_ERR_NO_NETWORK] = { N_("Network not found"), NULL, VIR_FROM_NETWORK },
    [VIR_ERR_INVALID_MAC] = { N_("invalid MAC address"), NULL },
    [VIR_ERR_AUTH_FAILED] = { N_("authentication failed"), NULL, VIR_FROM_AUTH },
    [VIR_ERR_INVALID_STORAGE_POOL] = { N_("invalid storage pool pointer in"), N_("invalid storage pool pointer in %s"), VIR_FROM_STORAGE },
    [VIR_ERR_INVALID_STORAGE_VOL] = { N_("invalid storage volume pointer in"), N_("invalid storage volume pointer in %s"), VIR_FROM_STORAGE },
    [VIR_WAR_NO_STORAGE] = { N_("Failed to find a storage driver"), NULL },
    [VIR_ERR_NO_STORAGE_POOL] = { N_("Storage pool not found"), NULL, VIR_FROM_STORAGE },
    [VIR_ERR_NO_STORAGE_VOL] = { N_("Storage volume not found"), NULL, VIR_FROM_STORAGE },
    [VIR_WAR_NO_NODE] = { N_("Failed to find a node driver"), NULL },
    [VIR_ERR_INVALID_NODE_DEVICE] = { N_("invalid node device pointer"), N_("invalid node device pointer in %s"), VIR_FROM_NODEDEV },
    [VIR_ERR_NO_NODE_DEVICE] = { N_("Node device not found"), NULL, VIR_FROM_NODEDEV },
    [VIR_ERR_NO_SECURITY_MODEL] = { N_("Security model not found"), NULL },
    [VIR_ERR_OPERATION_INVALID] = { N_("Requested operation is not valid"), NULL },
    [VIR_WAR_NO_INTERFACE] = { N_("Failed to find the interface"), NULL },
    [VIR_ERR_NO_INTERFACE] = { N_("Interface not found"), NULL, VIR_FROM_INTERFACE },
    [VIR_ERR_INVALID_INTERFACE] = { N_("invalid interface pointer in"), N_("invalid interface pointer in %s"), VIR_FROM_INTERFACE },
    [VIR_ERR_MULTIPLE_INTERFACES] = { N_("multiple matching interfaces found"), NULL, VIR_FROM_INTERFACE },
    [VIR_WAR_NO_NWFILTER] = { N_("Failed to start the nwfilter driver"), NULL },
    [VIR_ERR_INVALID_NWFILTER] = { N_("Invalid network filter"), NULL, VIR_FROM_NWFILTER },
    [VIR_ERR_NO_NWFILTER] = { N_("Network filter not found"), NULL, VIR_FROM_NWFILTER },
    [VIR_ERR_BUILD_FIREWALL] = { N_("Error while building firewall"), NULL },
    [VIR_WAR_NO_SECRET] = { N_("Failed to find a secret storage driver"), NULL },
    [VIR_ERR_INVALID_SECRET] = { N_("Invalid secret"), NULL, VIR_FROM_SECRET },
    [VIR_ERR_NO_SECRET] = { N_("Secret not found"), NULL, VIR_FROM_SECRET },
    [VIR_ERR_CONFIG_UNSUPPORTED] = { N_("unsupported configuration"), NULL },
    [VIR_ERR_OPERATION_TIMEOUT] = { N_("Timed out during operation"), NULL },
    [VIR_ERR_MIGRATE_PERSIST_FAILED] = { N_("Failed to make domain persistent after migration"), NULL },
    [VIR_ERR_HOOK_SCRIPT_FAILED] = { N_("Hook script execution failed"), NULL },
    [VIR_ERR_INVALID_DOMAIN_SNAPSHOT] = { N_("Invalid domain snapshot"), NULL, VIR_FROM_DOMAIN_SNAPSHOT },
    [VIR_ERR_NO_DOMAIN_SNAPSHOT] = { N_("Domain snapshot not found"), NULL, VIR_FROM_DOMAIN_SNAPSHOT },
    [VIR_ERR_INVALID_STREAM] = { N_("invalid stream pointer"), N_("invalid stream pointer in %s"), VIR_FROM_STREAMS },
    [VIR_ERR_ARGUMENT_UNSUPPORTED] = { N_("argument unsupported"), NULL },
    [VIR_ERR_STORAGE_PROBE_FAILED] = { N_("Storage pool probe failed"), NULL, VIR_FROM_STORAGE },
    [VIR_ERR_STORAGE_POOL_BUILT] = { N_("Storage pool already built"), NULL, VIR_FROM_STORAGE },
    [VIR_ERR_SNAPSHOT_REVERT_RISKY] = { N_("revert requires force"), NULL },
    [VIR_ERR_OPERATION_ABORTED] = { N_("operation aborted"), NULL },
    [VIR_ERR_AUTH_CANCELLED] = { N_("authentication cancelled"), NULL, VIR_FROM_AUTH },
    [VIR_ERR_NO_DOMAIN_METADATA] = { N_("metadata not found"), NULL },
    [VIR_ERR_MIGRATE_UNSAFE] = { N_("Unsafe migration"), NULL },
    [VIR_ERR_OVERFLOW] = { N_("numerical overflow"), NULL },
    [VIR_ERR_BLOCK_COPY_ACTIVE] = { N_("block copy still active"), NULL },
    [VIR_ERR_OPERATION_UNSUPPORTED] = { N_("Operation not supported"), NULL },
    [VIR_ERR_SSH] = { N_("SSH transport error"), NULL },
    [VIR_ERR_AGENT_UNRESPONSIVE] = { N_("Guest agent is not responding"), NULL },
    [VIR_ERR_RESOURCE_BUSY] = { N_("resource busy"), NULL },
    [VIR_ERR_ACCESS_DENIED] = { N_("access denied"), NULL, VIR_FROM_ACCESS },
    [VIR_ERR_DBUS_SERVICE] = { N_("error from service"), NULL },
    [VIR_ERR_STORAGE_VOL_EXIST] = { N_("this storage volume exists already"), N_("storage volume %s exists already"), VIR_FROM_STORAGE },
    [VIR_ERR_CPU_INCOMPATIBLE] = { N_("the CPU is incompatible with host CPU"), NULL },
    [VIR_ERR_XML_INVALID_SCHEMA] = { N_("XML document failed to validate against schema"), NULL, VIR_FROM_XML },
    [VIR_ERR_MIGRATE_FINISH_OK] = { N_("migration successfully aborted"), NULL },
    [VIR_ERR_AUTH_UNAVAILABLE] = { N_("authentication unavailable"), NULL, VIR_FROM_AUTH },
    [VIR_ERR_NO_SERVER] = { N_("Server not found"), NULL },
    [VIR_ERR_NO_CLIENT] = { N_("Client not found"), NULL },
    [VIR_ERR_AGENT_UNSYNCED] = { N_("guest agent replied with wrong id to guest-sync command"), NULL },
    [VIR_ERR_LIBSSH] = { N_("libssh transport error"), NULL },
    [VIR_ERR_DEVICE_MISSING] = { N_("device not found"), NULL },
    [VIR_ERR_INVALID_NWFILTER_BINDING] = { N_("Invalid network filter binding"), NULL, VIR_FROM_NWFILTER },
    [VIR_ERR_NO_NWFILTER_BINDING] = { N_("Network filter binding not found"), NULL, VIR_FROM_NWFILTER },
    [VIR_ERR_INVALID_DOMAIN_CHECKPOINT] = { N_("Invalid domain checkpoint"), NULL, VIR_FROM_DOMAIN_CHECKPOINT },
    [VIR_ERR_NO_DOMAIN_CHECKPOINT] = { N_("Domain checkpoint not found"), NULL, VIR_FROM_DOMAIN_CHECKPOINT },
    [VIR_ERR_NO_DOMAIN_BACKUP] = { N_("Domain backup job id not found"), NULL },
    [VIR_ERR_INVALID_NETWORK_PORT] = { N_("Invalid network port pointer"), NULL, VIR_FROM_NETWORK },
    [VIR_ERR_NETWORK_PORT_EXIST] = { N_("this network port exists already"), N_("network port %s exists already"), VIR_FROM_NETWORK },
    [VIR_ERR_NO_NETWORK_PORT] = { N_("network port not found"), NULL, VIR_FROM_NETWORK },
    [VIR_ERR_NO_HOSTNAME] = { N_("no hostname found"), NULL },
    [VIR_ERR_CHECKPOINT_INCONSISTENT] = { N_("checkpoint inconsistent"), NULL },
    [VIR_ERR_MULTIPLE_DOMAINS] = { N_("multiple matching domains found"), NULL },
};
/* clang-format on */

static const ErrorText *
find(virErrorNumber code)
{
    if ((size_t)code >= G_N_ELEMENTS(texts) || !texts[code].alone)
        return &texts[VIR_ERR_INTERNAL_ERROR];
    return &texts[code];
}

/* "before %s behind" with @detail in it */
static char *
splice(const char *pattern, const char *detail)
{
    const char *place = strstr(pattern, "%s");

    if (!place)
        return g_strdup(pattern);
    return g_strdup_printf("%.*s%s%s", (int)(place - pattern), pattern, detail,
                           place + 2);
}

static const char *
pattern_of(virErrorNumber code, char **ret_made)
{
    const ErrorText *text = find(code);

    if (text->detailed)
        return _(text->detailed);
    return *ret_made = g_strconcat(_(text->alone), ": %s", NULL);
}

char *
rpc_error_text(virErrorNumber code, const char *detail)
{
    const char *alone = _(find(code)->alone);
    g_autofree char *made = NULL;

    /* A detail that says no more than the code is not said twice. */
    if (!detail || strcmp(detail, alone) == 0)
        return g_strdup(alone);
    return splice(pattern_of(code, &made), detail);
}

virErrorDomain
rpc_error_domain(virErrorNumber code)
{
    virErrorDomain domain = find(code)->domain;

    return domain ? domain : VIR_FROM_QEMU;
}

/* virNetMessageError of libvirt's virnetprotocol.x; the domain and network it
 * may name are never sent. */
typedef struct WireError {
    int32_t code;
    int32_t domain;
    char *message;
    int32_t level;
    void *dom;
    char *str1, *str2, *str3;
    int32_t int1, int2;
    void *net;
} WireError;

#define FIELD(member, kind)                        \
    {                                              \
#member, kind, offsetof(WireError, member) \
    }

static const RpcField wire_error_fields[] = {
    FIELD(code, RPC_INT),
    FIELD(domain, RPC_INT),
    FIELD(message, RPC_OPTIONAL_STRING),
    FIELD(level, RPC_INT),
    FIELD(dom, RPC_OPTIONAL_STRUCT),
    FIELD(str1, RPC_OPTIONAL_STRING),
    FIELD(str2, RPC_OPTIONAL_STRING),
    FIELD(str3, RPC_OPTIONAL_STRING),
    FIELD(int1, RPC_INT),
    FIELD(int2, RPC_INT),
    FIELD(net, RPC_OPTIONAL_STRUCT),
};

static const RpcMessage wire_error = {
    "error",
    sizeof(WireError),
    wire_error_fields,
    G_N_ELEMENTS(wire_error_fields),
};

/* A detail that would not fit the protocol is of no use to anybody either. */
#define DETAIL_MAX (64u * 1024)

GByteArray *
rpc_error_frame(const RpcHeader *header, const GError *error)
{
    virErrorNumber code = error_code(error);
    const char *detail = error ? error->message : NULL;
    g_autofree char *bounded = g_strndup(detail ? detail : "", DETAIL_MAX);
    g_autofree char *valid = g_utf8_make_valid(bounded, -1);
    g_autofree char *made = NULL;
    g_autofree char *message = rpc_error_text(code, detail ? valid : NULL);
    RpcHeader answer = *header;
    WireError wire = {
        .code = (int32_t)code,
        .domain = (int32_t)rpc_error_domain(code),
        .message = message,
        .level = VIR_ERR_ERROR,
        .str1 = (char *)pattern_of(code, &made),
        .str2 = detail ? valid : NULL,
        .int1 = -1,
        .int2 = -1,
    };

    answer.status = RPC_ERROR;
    return rpc_frame_encode(&answer, &wire_error, &wire, NULL);
}
