/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdint.h>
#include <virtkvm/driver.h>

#include "rpc/xdr.h"

/**
 * The messages of libvirt's remote_protocol.x that the procedures need. Calls
 * of the same shape share one; names are those of the shape. Where a struct of
 * driver.h has all the fields, the message describes that one.
 */

/** libvirt's bounds of lists. */
#define RPC_DOMAINS_MAX    16384
#define RPC_NAMES_MAX      16384
#define RPC_VCPUS_MAX      16384
#define RPC_CPUMAPS_MAX    8388608
#define RPC_CPUMAP_MAX     2048
#define RPC_MESSAGES_MAX   2048
#define RPC_PARAMETERS_MAX 262144
#define RPC_AUTH_TYPES_MAX 20

typedef struct RpcInt {
    int32_t value;
} RpcInt;

typedef struct RpcHyper {
    uint64_t value;
} RpcHyper;

typedef struct RpcString {
    char *text;
} RpcString;

typedef struct RpcStringFlags {
    char *text;
    uint32_t flags;
} RpcStringFlags;

typedef struct RpcUuid {
    unsigned char uuid[VIR_UUID_BUFLEN];
} RpcUuid;

typedef struct RpcDomain {
    VirtkvmDomainRef dom;
} RpcDomain;

typedef struct RpcDomainFlags {
    VirtkvmDomainRef dom;
    uint32_t flags;
} RpcDomainFlags;

typedef struct RpcDomainInt {
    VirtkvmDomainRef dom;
    int32_t value;
} RpcDomainInt;

typedef struct RpcDomainString {
    VirtkvmDomainRef dom;
    char *text;
} RpcDomainString;

typedef struct RpcDomainStringFlags {
    VirtkvmDomainRef dom;
    char *text;
    uint32_t flags;
} RpcDomainStringFlags;

/** Lists and their count; the list stays empty when it was not wanted. */
typedef struct RpcListArgs {
    int32_t need_results;
    uint32_t flags;
} RpcListArgs;

typedef struct RpcCountedList {
    RpcList list;
    uint32_t count;
} RpcCountedList;

typedef struct RpcJustList {
    RpcList list;
} RpcJustList;

typedef struct RpcSecurityModel {
    RpcList model;
    RpcList doi;
} RpcSecurityModel;

typedef struct RpcSecurityLabel {
    RpcList label;
    int32_t enforcing;
} RpcSecurityLabel;

typedef struct RpcState {
    int32_t state;
    int32_t reason;
} RpcState;

typedef struct RpcVcpusArgs {
    VirtkvmDomainRef dom;
    int32_t maxinfo;
    int32_t maplen;
} RpcVcpusArgs;

typedef struct RpcVcpus {
    RpcList info;
    RpcList cpumaps;
} RpcVcpus;

typedef struct RpcCpuMapArgs {
    int32_t need_map;
    int32_t need_online;
    uint32_t flags;
} RpcCpuMapArgs;

typedef struct RpcCpuMap {
    RpcList cpumap;
    uint32_t online;
    int32_t present;
} RpcCpuMap;

typedef struct RpcDomainCapabilitiesArgs {
    char *emulator;
    char *arch;
    char *machine;
    char *virttype;
    uint32_t flags;
} RpcDomainCapabilitiesArgs;

typedef struct RpcSetMetadataArgs {
    VirtkvmDomainRef dom;
    int32_t type;
    char *metadata;
    char *key;
    char *uri;
    uint32_t flags;
} RpcSetMetadataArgs;

typedef struct RpcGetMetadataArgs {
    VirtkvmDomainRef dom;
    int32_t type;
    char *uri;
    uint32_t flags;
} RpcGetMetadataArgs;

typedef struct RpcStatsArgs {
    RpcList doms;
    uint32_t stats;
    uint32_t flags;
} RpcStatsArgs;

typedef struct RpcRegisterArgs {
    int32_t event;
    VirtkvmDomainRef *dom;
} RpcRegisterArgs;

extern const RpcMessage rpc_auth_types;   /* RpcJustList of RpcInt */
extern const RpcMessage rpc_control_info; /* VirtkvmControlInfo */
extern const RpcMessage rpc_cpu_map;
extern const RpcMessage rpc_cpu_map_args;
extern const RpcMessage rpc_domain; /* VirtkvmDomainRef */
extern const RpcMessage rpc_domain_capabilities_args;
extern const RpcMessage rpc_domain_flags;
extern const RpcMessage rpc_domain_info; /* VirtkvmDomainInfo */
extern const RpcMessage rpc_domain_int;
extern const RpcMessage rpc_domain_list; /* RpcCountedList */
extern const RpcMessage rpc_domain_optional_string_flags;
extern const RpcMessage rpc_domain_string;
extern const RpcMessage rpc_empty_list; /* RpcListArgs, both 0 */
extern const RpcMessage rpc_flags;      /* RpcInt named flags */
extern const RpcMessage rpc_get_metadata_args;
extern const RpcMessage rpc_hyper;
extern const RpcMessage rpc_ids; /* RpcJustList of RpcInt */
extern const RpcMessage rpc_int;
extern const RpcMessage rpc_list_args;
extern const RpcMessage rpc_messages;   /* RpcJustList of RpcString */
extern const RpcMessage rpc_names;      /* RpcJustList of RpcString */
extern const RpcMessage rpc_node_info;  /* VirtkvmNodeInfo */
extern const RpcMessage rpc_one_domain; /* RpcDomain */
extern const RpcMessage rpc_optional_string;
extern const RpcMessage rpc_optional_string_flags;
extern const RpcMessage rpc_register_args;
extern const RpcMessage rpc_security_label;
extern const RpcMessage rpc_security_model;
extern const RpcMessage rpc_set_metadata_args;
extern const RpcMessage rpc_state;
extern const RpcMessage rpc_stats; /* RpcJustList of VirtkvmDomainStats */
extern const RpcMessage rpc_stats_args;
extern const RpcMessage rpc_string;
extern const RpcMessage rpc_string_flags;
extern const RpcMessage rpc_uuid;
extern const RpcMessage rpc_vcpus;
extern const RpcMessage rpc_vcpus_args;
