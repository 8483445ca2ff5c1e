/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/message-device.h"

#include "rpc/message-table.h"
#include "rpc/message.h"

#define DOM(Type)         STRUCT(Type, dom, &rpc_domain)
#define PARAMS(Type, max) COUNTED(Type, params, RPC_TYPED_PARAMETERS, max)
#define DEFINE_PARAMS(variable, max) \
    DEFINE(variable, RpcParams, PARAMS(RpcParams, max), INT(RpcParams, nparams))
#define DEFINE_SET_PARAMS(variable, max)                                  \
    DEFINE(variable, RpcSetDeviceParamsArgs, DOM(RpcSetDeviceParamsArgs), \
           STRING(RpcSetDeviceParamsArgs, device),                        \
           PARAMS(RpcSetDeviceParamsArgs, max),                           \
           INT(RpcSetDeviceParamsArgs, flags))

/* An array of driver.h with its count is read through RpcList. */
G_STATIC_ASSERT(offsetof(VirtkvmInterfaceAddresses, count) -
                    offsetof(VirtkvmInterfaceAddresses, addresses) ==
                offsetof(RpcList, count));
G_STATIC_ASSERT(offsetof(VirtkvmIothread, cpumap_size) -
                    offsetof(VirtkvmIothread, cpumap) ==
                offsetof(RpcList, count));

/* --- devices -------------------------------------------------------------- */

DEFINE(rpc_device_args, RpcDeviceArgs, DOM(RpcDeviceArgs),
       STRING(RpcDeviceArgs, device));
DEFINE(rpc_device_flags_args, RpcDeviceArgs, DOM(RpcDeviceArgs),
       STRING(RpcDeviceArgs, device), INT(RpcDeviceArgs, flags));
DEFINE(rpc_device_params_args, RpcDeviceParamsArgs, DOM(RpcDeviceParamsArgs),
       STRING(RpcDeviceParamsArgs, device), INT(RpcDeviceParamsArgs, nparams),
       INT(RpcDeviceParamsArgs, flags));
DEFINE(rpc_optional_device_params_args, RpcDeviceParamsArgs,
       DOM(RpcDeviceParamsArgs), OPTIONAL(RpcDeviceParamsArgs, device),
       INT(RpcDeviceParamsArgs, nparams), INT(RpcDeviceParamsArgs, flags));

/* --- disks ---------------------------------------------------------------- */

DEFINE(rpc_block_stats, VirtkvmBlockStats, HYPER(VirtkvmBlockStats, rd_req),
       HYPER(VirtkvmBlockStats, rd_bytes), HYPER(VirtkvmBlockStats, wr_req),
       HYPER(VirtkvmBlockStats, wr_bytes), HYPER(VirtkvmBlockStats, errs));
DEFINE_PARAMS(rpc_block_stats_params, RPC_BLOCK_STATS_MAX);
DEFINE(rpc_block_info, VirtkvmBlockInfo, HYPER(VirtkvmBlockInfo, allocation),
       HYPER(VirtkvmBlockInfo, capacity), HYPER(VirtkvmBlockInfo, physical));
DEFINE(rpc_block_resize_args, RpcBlockResizeArgs, DOM(RpcBlockResizeArgs),
       STRING(RpcBlockResizeArgs, device), HYPER(RpcBlockResizeArgs, size),
       INT(RpcBlockResizeArgs, flags));
DEFINE_PARAMS(rpc_block_tune, RPC_BLOCK_TUNE_MAX);
DEFINE_SET_PARAMS(rpc_set_block_tune_args, RPC_BLOCK_TUNE_MAX);
DEFINE_OWN(rpc_disk_error, VirtkvmDiskError, STRING(VirtkvmDiskError, disk),
           INT(VirtkvmDiskError, error));
DEFINE(rpc_disk_errors, RpcCountedList,
       LIST(RpcCountedList, list, &rpc_disk_error, RPC_DISK_ERRORS_MAX),
       INT(RpcCountedList, count));
DEFINE(rpc_block_peek_args, RpcBlockPeekArgs, DOM(RpcBlockPeekArgs),
       STRING(RpcBlockPeekArgs, device), HYPER(RpcBlockPeekArgs, offset),
       INT(RpcBlockPeekArgs, size), INT(RpcBlockPeekArgs, flags));
DEFINE(rpc_peek, RpcBytes, COUNTED(RpcBytes, bytes, RPC_OPAQUE, RPC_PEEK_MAX));

/* --- network interfaces --------------------------------------------------- */

DEFINE(rpc_interface_stats, VirtkvmInterfaceStats,
       HYPER(VirtkvmInterfaceStats, rx_bytes),
       HYPER(VirtkvmInterfaceStats, rx_packets),
       HYPER(VirtkvmInterfaceStats, rx_errs),
       HYPER(VirtkvmInterfaceStats, rx_drop),
       HYPER(VirtkvmInterfaceStats, tx_bytes),
       HYPER(VirtkvmInterfaceStats, tx_packets),
       HYPER(VirtkvmInterfaceStats, tx_errs),
       HYPER(VirtkvmInterfaceStats, tx_drop));
DEFINE_OWN(rpc_ip_address, VirtkvmIpAddress, INT(VirtkvmIpAddress, type),
           STRING(VirtkvmIpAddress, address), INT(VirtkvmIpAddress, prefix));
DEFINE_OWN(rpc_interface, VirtkvmInterfaceAddresses,
           STRING(VirtkvmInterfaceAddresses, name),
           OPTIONAL(VirtkvmInterfaceAddresses, mac),
           LIST(VirtkvmInterfaceAddresses, addresses, &rpc_ip_address,
                RPC_ADDRESSES_MAX));
DEFINE(rpc_interface_addresses, RpcJustList,
       LIST(RpcJustList, list, &rpc_interface, RPC_INTERFACES_MAX));
DEFINE_PARAMS(rpc_interface_tune, RPC_INTERFACE_TUNE_MAX);
DEFINE_SET_PARAMS(rpc_set_interface_tune_args, RPC_INTERFACE_TUNE_MAX);

/* --- memory, host CPUs, I/O threads ----------------------------------------
 */

DEFINE(rpc_domain_hyper, RpcDomainHyperFlags, DOM(RpcDomainHyperFlags),
       HYPER(RpcDomainHyperFlags, value));
DEFINE(rpc_domain_hyper_flags, RpcDomainHyperFlags, DOM(RpcDomainHyperFlags),
       HYPER(RpcDomainHyperFlags, value), INT(RpcDomainHyperFlags, flags));
DEFINE(rpc_domain_uint_flags, RpcDomainUintFlags, DOM(RpcDomainUintFlags),
       INT(RpcDomainUintFlags, value), INT(RpcDomainUintFlags, flags));
DEFINE_OWN(rpc_memory_stat, VirtkvmMemoryStat, INT(VirtkvmMemoryStat, tag),
           HYPER(VirtkvmMemoryStat, value));
DEFINE(rpc_memory_stats, RpcJustList,
       LIST(RpcJustList, list, &rpc_memory_stat, RPC_MEMORY_STATS_MAX));
DEFINE(rpc_cpu_stats_args, RpcCpuStatsArgs, DOM(RpcCpuStatsArgs),
       INT(RpcCpuStatsArgs, nparams), INT(RpcCpuStatsArgs, start_cpu),
       INT(RpcCpuStatsArgs, ncpus), INT(RpcCpuStatsArgs, flags));
DEFINE_PARAMS(rpc_cpu_stats, RPC_CPU_STATS_MAX);
DEFINE_OWN(rpc_iothread, VirtkvmIothread, INT(VirtkvmIothread, id),
           COUNTED(VirtkvmIothread, cpumap, RPC_OPAQUE,
                   RPC_IOTHREAD_CPUMAP_MAX));
DEFINE(rpc_iothreads, RpcCountedList,
       LIST(RpcCountedList, list, &rpc_iothread, RPC_IOTHREADS_MAX),
       INT(RpcCountedList, count));
