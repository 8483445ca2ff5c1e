/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdint.h>
#include <virtkvm/driver.h>

#include "rpc/xdr.h"

/** Messages about the devices of a domain; see message.h. */

/** libvirt's bounds of lists. */
#define RPC_BLOCK_STATS_MAX     16
#define RPC_BLOCK_TUNE_MAX      32
#define RPC_INTERFACE_TUNE_MAX  16
#define RPC_DISK_ERRORS_MAX     256
#define RPC_PEEK_MAX            4194304
#define RPC_INTERFACES_MAX      2048
#define RPC_ADDRESSES_MAX       2048
#define RPC_MEMORY_STATS_MAX    1024
#define RPC_CPU_STATS_MAX       2048
#define RPC_CPU_STATS_EACH_MAX  16
#define RPC_CPU_STATS_CPUS_MAX  128
#define RPC_IOTHREADS_MAX       16384
#define RPC_IOTHREAD_CPUMAP_MAX 2048

/** A domain, one of its devices by some name, and flags. */
typedef struct RpcDeviceArgs {
    VirtkvmDomainRef dom;
    char *device;
    uint32_t flags;
} RpcDeviceArgs;

/** The same where parameters are asked for, at most `nparams`, 0 = none: only
 * how many there are. */
typedef struct RpcDeviceParamsArgs {
    VirtkvmDomainRef dom;
    char *device;
    int32_t nparams;
    uint32_t flags;
} RpcDeviceParamsArgs;

typedef struct RpcSetDeviceParamsArgs {
    VirtkvmDomainRef dom;
    char *device;
    VirtkvmParams params;
    uint32_t flags;
} RpcSetDeviceParamsArgs;

/** Parameters and how many there are, or could be. */
typedef struct RpcParams {
    VirtkvmParams params;
    int32_t nparams;
} RpcParams;

typedef struct RpcBlockResizeArgs {
    VirtkvmDomainRef dom;
    char *device;
    uint64_t size;
    uint32_t flags;
} RpcBlockResizeArgs;

typedef struct RpcBlockPeekArgs {
    VirtkvmDomainRef dom;
    char *device;
    uint64_t offset;
    uint32_t size;
    uint32_t flags;
} RpcBlockPeekArgs;

typedef struct RpcDomainUintFlags {
    VirtkvmDomainRef dom;
    uint32_t value;
    uint32_t flags;
} RpcDomainUintFlags;

typedef struct RpcDomainHyperFlags {
    VirtkvmDomainRef dom;
    uint64_t value;
    uint32_t flags;
} RpcDomainHyperFlags;

typedef struct RpcCpuStatsArgs {
    VirtkvmDomainRef dom;
    uint32_t nparams;
    int32_t start_cpu; /* -1: all together */
    uint32_t ncpus;
    uint32_t flags;
} RpcCpuStatsArgs;

typedef struct RpcBytes {
    RpcList bytes;
} RpcBytes;

extern const RpcMessage rpc_block_info; /* VirtkvmBlockInfo */
extern const RpcMessage rpc_block_peek_args;
extern const RpcMessage rpc_block_resize_args;
extern const RpcMessage rpc_block_stats;        /* VirtkvmBlockStats */
extern const RpcMessage rpc_block_stats_params; /* RpcParams */
extern const RpcMessage rpc_block_tune;         /* RpcParams */
extern const RpcMessage rpc_cpu_stats;          /* RpcParams */
extern const RpcMessage rpc_cpu_stats_args;
extern const RpcMessage rpc_device_args;       /* RpcDeviceArgs */
extern const RpcMessage rpc_device_flags_args; /* RpcDeviceArgs */
extern const RpcMessage rpc_device_params_args;
extern const RpcMessage rpc_disk_errors;  /* RpcCountedList */
extern const RpcMessage rpc_domain_hyper; /* RpcDomainHyperFlags */
extern const RpcMessage rpc_domain_hyper_flags;
extern const RpcMessage rpc_domain_uint_flags;
extern const RpcMessage rpc_interface_addresses; /* RpcJustList */
extern const RpcMessage rpc_interface_stats;     /* VirtkvmInterfaceStats */
extern const RpcMessage rpc_interface_tune;      /* RpcParams */
extern const RpcMessage rpc_iothreads;           /* RpcCountedList */
extern const RpcMessage rpc_memory_stats;        /* RpcJustList */
extern const RpcMessage rpc_optional_device_params_args;
extern const RpcMessage rpc_peek; /* RpcBytes */
extern const RpcMessage rpc_set_block_tune_args;
extern const RpcMessage rpc_set_interface_tune_args;
