/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/message.h"

#include "rpc/message-table.h"

/* Typed parameters of driver.h are read through RpcList. */
G_STATIC_ASSERT(offsetof(VirtkvmParams, items) == offsetof(RpcList, items));
G_STATIC_ASSERT(offsetof(VirtkvmParams, count) == offsetof(RpcList, count));
G_STATIC_ASSERT(sizeof(VirtkvmParams) == sizeof(RpcList));

/* --- pieces -------------------------------------------------------------- */

DEFINE(rpc_domain, VirtkvmDomainRef, STRING(VirtkvmDomainRef, name),
       PLAIN(VirtkvmDomainRef, uuid, RPC_UUID), INT(VirtkvmDomainRef, id));
DEFINE(rpc_int, RpcInt, INT(RpcInt, value));
DEFINE(rpc_hyper, RpcHyper, HYPER(RpcHyper, value));
DEFINE(rpc_string, RpcString, STRING(RpcString, text));
DEFINE(rpc_optional_string, RpcString, OPTIONAL(RpcString, text));
DEFINE(rpc_uuid, RpcUuid, PLAIN(RpcUuid, uuid, RPC_UUID));
DEFINE(rpc_string_flags, RpcStringFlags, STRING(RpcStringFlags, text),
       INT(RpcStringFlags, flags));
DEFINE(rpc_optional_string_flags, RpcStringFlags,
       OPTIONAL(RpcStringFlags, text), INT(RpcStringFlags, flags));

static const RpcField rpc_flags_fields[] = {
    { "flags", RPC_INT, offsetof(RpcInt, value) },
};
const RpcMessage rpc_flags = { "rpc_flags", sizeof(RpcInt), rpc_flags_fields,
                               1 };

/* --- lists -----------------------------------------------------------------
 */

DEFINE(rpc_list_args, RpcListArgs, INT(RpcListArgs, need_results),
       INT(RpcListArgs, flags));
DEFINE(rpc_empty_list, RpcListArgs, INT(RpcListArgs, need_results),
       INT(RpcListArgs, flags));
DEFINE(rpc_domain_list, RpcCountedList,
       LIST(RpcCountedList, list, &rpc_domain, RPC_DOMAINS_MAX),
       INT(RpcCountedList, count));
DEFINE(rpc_ids, RpcJustList,
       LIST(RpcJustList, list, &rpc_int, RPC_DOMAINS_MAX));
DEFINE(rpc_names, RpcJustList,
       LIST(RpcJustList, list, &rpc_string, RPC_NAMES_MAX));
DEFINE(rpc_messages, RpcJustList,
       LIST(RpcJustList, list, &rpc_string, RPC_MESSAGES_MAX));
DEFINE(rpc_auth_types, RpcJustList,
       LIST(RpcJustList, list, &rpc_int, RPC_AUTH_TYPES_MAX));

/* --- connection and host ----------------------------------------------------
 */

DEFINE(rpc_node_info, VirtkvmNodeInfo,
       COUNTED(VirtkvmNodeInfo, model, RPC_CHARS, 32),
       HYPER(VirtkvmNodeInfo, memory_kib), INT(VirtkvmNodeInfo, cpus),
       INT(VirtkvmNodeInfo, mhz), INT(VirtkvmNodeInfo, nodes),
       INT(VirtkvmNodeInfo, sockets), INT(VirtkvmNodeInfo, cores),
       INT(VirtkvmNodeInfo, threads));
DEFINE(rpc_cpu_map_args, RpcCpuMapArgs, INT(RpcCpuMapArgs, need_map),
       INT(RpcCpuMapArgs, need_online), INT(RpcCpuMapArgs, flags));
DEFINE(rpc_cpu_map, RpcCpuMap,
       COUNTED(RpcCpuMap, cpumap, RPC_OPAQUE, RPC_CPUMAP_MAX),
       INT(RpcCpuMap, online), INT(RpcCpuMap, present));
DEFINE(rpc_domain_capabilities_args, RpcDomainCapabilitiesArgs,
       OPTIONAL(RpcDomainCapabilitiesArgs, emulator),
       OPTIONAL(RpcDomainCapabilitiesArgs, arch),
       OPTIONAL(RpcDomainCapabilitiesArgs, machine),
       OPTIONAL(RpcDomainCapabilitiesArgs, virttype),
       INT(RpcDomainCapabilitiesArgs, flags));
/* The texts are arrays of characters of four bytes each. */
DEFINE(rpc_security_model, RpcSecurityModel,
       LIST(RpcSecurityModel, model, &rpc_int, VIR_SECURITY_MODEL_BUFLEN),
       LIST(RpcSecurityModel, doi, &rpc_int, VIR_SECURITY_DOI_BUFLEN));
DEFINE(rpc_security_label, RpcSecurityLabel,
       LIST(RpcSecurityLabel, label, &rpc_int, VIR_SECURITY_LABEL_BUFLEN),
       INT(RpcSecurityLabel, enforcing));
DEFINE(rpc_register_args, RpcRegisterArgs, INT(RpcRegisterArgs, event),
       { "dom", RPC_OPTIONAL_STRUCT, offsetof(RpcRegisterArgs, dom), 0,
         &rpc_domain });

/* --- domains ----------------------------------------------------------------
 */

DEFINE(rpc_one_domain, RpcDomain, STRUCT(RpcDomain, dom, &rpc_domain));
DEFINE(rpc_domain_flags, RpcDomainFlags,
       STRUCT(RpcDomainFlags, dom, &rpc_domain), INT(RpcDomainFlags, flags));
DEFINE(rpc_domain_int, RpcDomainInt, STRUCT(RpcDomainInt, dom, &rpc_domain),
       INT(RpcDomainInt, value));
DEFINE(rpc_domain_string, RpcDomainString,
       STRUCT(RpcDomainString, dom, &rpc_domain),
       STRING(RpcDomainString, text));
DEFINE(rpc_domain_optional_string_flags, RpcDomainStringFlags,
       STRUCT(RpcDomainStringFlags, dom, &rpc_domain),
       OPTIONAL(RpcDomainStringFlags, text), INT(RpcDomainStringFlags, flags));
DEFINE(rpc_domain_info, VirtkvmDomainInfo,
       PLAIN(VirtkvmDomainInfo, state, RPC_CHAR),
       HYPER(VirtkvmDomainInfo, max_mem_kib),
       HYPER(VirtkvmDomainInfo, memory_kib),
       PLAIN(VirtkvmDomainInfo, vcpus, RPC_SHORT),
       HYPER(VirtkvmDomainInfo, cpu_time_ns));
DEFINE(rpc_state, RpcState, INT(RpcState, state), INT(RpcState, reason));
DEFINE(rpc_control_info, VirtkvmControlInfo, INT(VirtkvmControlInfo, state),
       INT(VirtkvmControlInfo, details),
       HYPER(VirtkvmControlInfo, state_time_ms));
DEFINE(rpc_vcpus_args, RpcVcpusArgs, STRUCT(RpcVcpusArgs, dom, &rpc_domain),
       INT(RpcVcpusArgs, maxinfo), INT(RpcVcpusArgs, maplen));
DEFINE_OWN(rpc_vcpu_info, VirtkvmVcpuInfo, INT(VirtkvmVcpuInfo, number),
           INT(VirtkvmVcpuInfo, state), HYPER(VirtkvmVcpuInfo, cpu_time_ns),
           INT(VirtkvmVcpuInfo, cpu));
DEFINE(rpc_vcpus, RpcVcpus, LIST(RpcVcpus, info, &rpc_vcpu_info, RPC_VCPUS_MAX),
       COUNTED(RpcVcpus, cpumaps, RPC_OPAQUE, RPC_CPUMAPS_MAX));
DEFINE(rpc_set_metadata_args, RpcSetMetadataArgs,
       STRUCT(RpcSetMetadataArgs, dom, &rpc_domain),
       INT(RpcSetMetadataArgs, type), OPTIONAL(RpcSetMetadataArgs, metadata),
       OPTIONAL(RpcSetMetadataArgs, key), OPTIONAL(RpcSetMetadataArgs, uri),
       INT(RpcSetMetadataArgs, flags));
DEFINE(rpc_get_metadata_args, RpcGetMetadataArgs,
       STRUCT(RpcGetMetadataArgs, dom, &rpc_domain),
       INT(RpcGetMetadataArgs, type), OPTIONAL(RpcGetMetadataArgs, uri),
       INT(RpcGetMetadataArgs, flags));
DEFINE(rpc_stats_args, RpcStatsArgs,
       LIST(RpcStatsArgs, doms, &rpc_domain, RPC_DOMAINS_MAX),
       INT(RpcStatsArgs, stats), INT(RpcStatsArgs, flags));
DEFINE_OWN(rpc_stats_record, VirtkvmDomainStats,
           STRUCT(VirtkvmDomainStats, domain, &rpc_domain),
           COUNTED(VirtkvmDomainStats, params, RPC_TYPED_PARAMETERS,
                   RPC_PARAMETERS_MAX));
DEFINE(rpc_stats, RpcJustList,
       LIST(RpcJustList, list, &rpc_stats_record, RPC_DOMAINS_MAX));
