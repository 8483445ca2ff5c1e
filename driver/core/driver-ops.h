/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/calls.h"
#include "core/state.h"

/** The operations that all driver modules share: all but the initialiser. */
#define CORE_DRIVER_OPERATIONS                                                \
    .abi = VIRTKVM_DRIVER_ABI, .network = &core_network_driver,               \
    .stateReload = core_state_reload, .stateCleanup = core_state_cleanup,     \
    .clientClosed = core_call_client_closed,                                  \
    .connectGetVersion = core_call_version,                                   \
    .nodeGetInfo = core_call_node_info,                                       \
    .nodeGetCPUMap = core_call_node_cpu_map,                                  \
    .connectListAllDomains = core_call_list,                                  \
    .domainLookupByID = core_call_lookup_id,                                  \
    .domainLookupByUUID = core_call_lookup_uuid,                              \
    .domainLookupByName = core_call_lookup_name,                              \
    .domainDefineXMLFlags = core_call_define,                                 \
    .domainCreateXML = core_call_create_xml,                                  \
    .domainUndefineFlags = core_call_undefine,                                \
    .domainGetXMLDesc = core_call_xml, .domainRename = core_call_rename,      \
    .domainGetAutostart = core_call_autostart,                                \
    .domainSetAutostart = core_call_set_autostart,                            \
    .domainCreateWithFlags = core_call_create,                                \
    .domainSuspend = core_call_suspend, .domainResume = core_call_resume,     \
    .domainShutdownFlags = core_call_shutdown,                                \
    .domainReboot = core_call_reboot, .domainReset = core_call_reset,         \
    .domainDestroyFlags = core_call_destroy, .domainGetInfo = core_call_info, \
    .domainGetState = core_call_state,                                        \
    .domainGetControlInfo = core_call_control_info,                           \
    .domainGetOSType = core_call_os_type,                                     \
    .domainIsActive = core_call_is_active,                                    \
    .domainIsPersistent = core_call_is_persistent,                            \
    .domainIsUpdated = core_call_is_updated,                                  \
    .domainHasManagedSaveImage = core_call_has_managed_save,                  \
    .domainGetMaxMemory = core_call_max_memory,                               \
    .connectGetMaxVcpus = core_call_max_vcpus,                                \
    .connectGetCapabilities = core_call_capabilities,                         \
    .connectGetDomainCapabilities = core_call_domain_capabilities,            \
    .connectGetSysinfo = core_call_sysinfo,                                   \
    .domainSetMetadata = core_call_set_metadata,                              \
    .domainGetMetadata = core_call_metadata,                                  \
    .domainGetMessages = core_call_messages,                                  \
    .domainGetVcpusFlags = core_call_vcpus_flags,                             \
    .domainGetVcpus = core_call_vcpus,                                        \
    .connectGetAllDomainStats = core_call_stats,                              \
    .domainOpenConsole = core_call_console,                                   \
    .domainAttachDeviceFlags = core_call_attach,                              \
    .domainDetachDeviceFlags = core_call_detach,                              \
    .domainDetachDeviceAlias = core_call_detach_alias,                        \
    .domainUpdateDeviceFlags = core_call_update,                              \
    .domainBlockStats = core_call_block_stats,                                \
    .domainBlockStatsFlags = core_call_block_stats_flags,                     \
    .domainGetBlockInfo = core_call_block_info,                               \
    .domainBlockResize = core_call_block_resize,                              \
    .domainSetBlockIoTune = core_call_set_block_tune,                         \
    .domainGetBlockIoTune = core_call_block_tune,                             \
    .domainGetDiskErrors = core_call_disk_errors,                             \
    .domainBlockPeek = core_call_block_peek,                                  \
    .domainInterfaceStats = core_call_interface_stats,                        \
    .domainInterfaceAddresses = core_call_interface_addresses,                \
    .domainSetInterfaceParameters = core_call_set_interface_params,           \
    .domainGetInterfaceParameters = core_call_interface_params,               \
    .domainSetMemoryFlags = core_call_set_memory,                             \
    .domainMemoryStats = core_call_memory_stats,                              \
    .domainSetMemoryStatsPeriod = core_call_memory_period,                    \
    .domainGetCPUStats = core_call_cpu_stats,                                 \
    .domainGetIOThreadInfo = core_call_iothreads,                             \
    .domainOpenChannel = core_call_channel
