/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <virtkvm/driver.h>

/* The operations of the table in <virtkvm/driver.h>; see there. */

/* lookup.c */
bool core_call_list(VirtkvmState *state, const VirtkvmCaller *who,
                    unsigned flags, GArray **ret_domains, GError **error);
bool core_call_lookup_id(VirtkvmState *state, const VirtkvmCaller *who, int id,
                         VirtkvmDomainRef *ret_domain, GError **error);
bool core_call_lookup_uuid(VirtkvmState *state, const VirtkvmCaller *who,
                           const unsigned char *uuid,
                           VirtkvmDomainRef *ret_domain, GError **error);
bool core_call_lookup_name(VirtkvmState *state, const VirtkvmCaller *who,
                           const char *name, VirtkvmDomainRef *ret_domain,
                           GError **error);

/* define.c */
bool core_call_define(VirtkvmState *state, const VirtkvmCaller *who,
                      const char *xml, unsigned flags,
                      VirtkvmDomainRef *ret_domain, GError **error);
bool core_call_create_xml(VirtkvmState *state, const VirtkvmCaller *who,
                          const char *xml, unsigned flags,
                          VirtkvmDomainRef *ret_domain, GError **error);

/* definition.c */
bool core_call_undefine(VirtkvmState *state, const VirtkvmCaller *who,
                        const VirtkvmDomainRef *dom, unsigned flags,
                        GError **error);
char *core_call_xml(VirtkvmState *state, const VirtkvmCaller *who,
                    const VirtkvmDomainRef *dom, unsigned flags,
                    GError **error);
bool core_call_rename(VirtkvmState *state, const VirtkvmCaller *who,
                      const VirtkvmDomainRef *dom, const char *name,
                      unsigned flags, GError **error);
bool core_call_autostart(VirtkvmState *state, const VirtkvmCaller *who,
                         const VirtkvmDomainRef *dom, bool *ret_autostart,
                         GError **error);
bool core_call_set_autostart(VirtkvmState *state, const VirtkvmCaller *who,
                             const VirtkvmDomainRef *dom, bool autostart,
                             GError **error);

/* metadata.c */
bool core_call_set_metadata(VirtkvmState *state, const VirtkvmCaller *who,
                            const VirtkvmDomainRef *dom, int type,
                            const char *metadata, const char *key,
                            const char *uri, unsigned flags, GError **error);
char *core_call_metadata(VirtkvmState *state, const VirtkvmCaller *who,
                         const VirtkvmDomainRef *dom, int type, const char *uri,
                         unsigned flags, GError **error);

/* lifecycle.c */
bool core_call_create(VirtkvmState *state, const VirtkvmCaller *who,
                      const VirtkvmDomainRef *dom, unsigned flags,
                      VirtkvmDomainRef *ret_domain, GError **error);
bool core_call_suspend(VirtkvmState *state, const VirtkvmCaller *who,
                       const VirtkvmDomainRef *dom, GError **error);
bool core_call_resume(VirtkvmState *state, const VirtkvmCaller *who,
                      const VirtkvmDomainRef *dom, GError **error);
bool core_call_shutdown(VirtkvmState *state, const VirtkvmCaller *who,
                        const VirtkvmDomainRef *dom, unsigned flags,
                        GError **error);
bool core_call_reboot(VirtkvmState *state, const VirtkvmCaller *who,
                      const VirtkvmDomainRef *dom, unsigned flags,
                      GError **error);
bool core_call_reset(VirtkvmState *state, const VirtkvmCaller *who,
                     const VirtkvmDomainRef *dom, unsigned flags,
                     GError **error);
bool core_call_destroy(VirtkvmState *state, const VirtkvmCaller *who,
                       const VirtkvmDomainRef *dom, unsigned flags,
                       GError **error);
void core_call_client_closed(VirtkvmState *state, const VirtkvmCaller *who);

/* query.c */
bool core_call_info(VirtkvmState *state, const VirtkvmCaller *who,
                    const VirtkvmDomainRef *dom, VirtkvmDomainInfo *ret_info,
                    GError **error);
bool core_call_state(VirtkvmState *state, const VirtkvmCaller *who,
                     const VirtkvmDomainRef *dom, int *ret_state,
                     int *ret_reason, GError **error);
bool core_call_control_info(VirtkvmState *state, const VirtkvmCaller *who,
                            const VirtkvmDomainRef *dom,
                            VirtkvmControlInfo *ret_info, GError **error);
char *core_call_os_type(VirtkvmState *state, const VirtkvmCaller *who,
                        const VirtkvmDomainRef *dom, GError **error);
int core_call_is_active(VirtkvmState *state, const VirtkvmCaller *who,
                        const VirtkvmDomainRef *dom, GError **error);
int core_call_is_persistent(VirtkvmState *state, const VirtkvmCaller *who,
                            const VirtkvmDomainRef *dom, GError **error);
int core_call_is_updated(VirtkvmState *state, const VirtkvmCaller *who,
                         const VirtkvmDomainRef *dom, GError **error);
int core_call_has_managed_save(VirtkvmState *state, const VirtkvmCaller *who,
                               const VirtkvmDomainRef *dom, unsigned flags,
                               GError **error);
bool core_call_messages(VirtkvmState *state, const VirtkvmCaller *who,
                        const VirtkvmDomainRef *dom, unsigned flags,
                        char ***ret_messages, GError **error);
uint64_t core_call_max_memory(VirtkvmState *state, const VirtkvmCaller *who,
                              const VirtkvmDomainRef *dom, GError **error);

/* vcpus.c */
int core_call_vcpus_flags(VirtkvmState *state, const VirtkvmCaller *who,
                          const VirtkvmDomainRef *dom, unsigned flags,
                          GError **error);
bool core_call_vcpus(VirtkvmState *state, const VirtkvmCaller *who,
                     const VirtkvmDomainRef *dom, unsigned maxinfo,
                     unsigned maplen, GArray **ret_vcpus,
                     GByteArray **ret_cpumaps, GError **error);

/* stats.c */
bool core_call_stats(VirtkvmState *state, const VirtkvmCaller *who,
                     const VirtkvmDomainRef *doms, size_t count, unsigned stats,
                     unsigned flags, GArray **ret_stats, GError **error);

/* console.c */
VirtkvmConsole *core_call_console(VirtkvmState *state, const VirtkvmCaller *who,
                                  const VirtkvmDomainRef *dom,
                                  const char *devname, unsigned flags,
                                  GError **error);

/* block-stats.c */
bool core_call_block_stats(VirtkvmState *state, const VirtkvmCaller *who,
                           const VirtkvmDomainRef *dom, const char *disk,
                           VirtkvmBlockStats *ret_stats, GError **error);
bool core_call_block_stats_flags(VirtkvmState *state, const VirtkvmCaller *who,
                                 const VirtkvmDomainRef *dom, const char *disk,
                                 unsigned flags, VirtkvmParams *ret_params,
                                 GError **error);
bool core_call_block_info(VirtkvmState *state, const VirtkvmCaller *who,
                          const VirtkvmDomainRef *dom, const char *disk,
                          unsigned flags, VirtkvmBlockInfo *ret_info,
                          GError **error);
bool core_call_disk_errors(VirtkvmState *state, const VirtkvmCaller *who,
                           const VirtkvmDomainRef *dom, unsigned flags,
                           GArray **ret_errors, unsigned *ret_disks,
                           GError **error);

/* block-image.c */
bool core_call_block_resize(VirtkvmState *state, const VirtkvmCaller *who,
                            const VirtkvmDomainRef *dom, const char *disk,
                            uint64_t size, unsigned flags, GError **error);
bool core_call_block_peek(VirtkvmState *state, const VirtkvmCaller *who,
                          const VirtkvmDomainRef *dom, const char *disk,
                          uint64_t offset, size_t size, GByteArray **ret_bytes,
                          GError **error);

/* block-tune.c */
bool core_call_set_block_tune(VirtkvmState *state, const VirtkvmCaller *who,
                              const VirtkvmDomainRef *dom, const char *disk,
                              const VirtkvmParams *params, unsigned flags,
                              GError **error);
bool core_call_block_tune(VirtkvmState *state, const VirtkvmCaller *who,
                          const VirtkvmDomainRef *dom, const char *disk,
                          unsigned flags, VirtkvmParams *ret_params,
                          GError **error);

/* device-attach.c, device-detach.c, device-update.c */
bool core_call_attach(VirtkvmState *state, const VirtkvmCaller *who,
                      const VirtkvmDomainRef *dom, const char *xml,
                      unsigned flags, GError **error);
bool core_call_detach(VirtkvmState *state, const VirtkvmCaller *who,
                      const VirtkvmDomainRef *dom, const char *xml,
                      unsigned flags, GError **error);
bool core_call_detach_alias(VirtkvmState *state, const VirtkvmCaller *who,
                            const VirtkvmDomainRef *dom, const char *alias,
                            unsigned flags, GError **error);
bool core_call_update(VirtkvmState *state, const VirtkvmCaller *who,
                      const VirtkvmDomainRef *dom, const char *xml,
                      unsigned flags, GError **error);

/* interface-stats.c, interface-addresses.c, interface-tune.c */
bool core_call_interface_stats(VirtkvmState *state, const VirtkvmCaller *who,
                               const VirtkvmDomainRef *dom, const char *device,
                               VirtkvmInterfaceStats *ret_stats,
                               GError **error);
bool core_call_interface_addresses(VirtkvmState *state,
                                   const VirtkvmCaller *who,
                                   const VirtkvmDomainRef *dom, unsigned source,
                                   unsigned flags, GArray **ret_interfaces,
                                   GError **error);
bool core_call_set_interface_params(VirtkvmState *state,
                                    const VirtkvmCaller *who,
                                    const VirtkvmDomainRef *dom,
                                    const char *device,
                                    const VirtkvmParams *params, unsigned flags,
                                    GError **error);
bool core_call_interface_params(VirtkvmState *state, const VirtkvmCaller *who,
                                const VirtkvmDomainRef *dom, const char *device,
                                unsigned flags, VirtkvmParams *ret_params,
                                GError **error);

/* memory.c */
bool core_call_set_memory(VirtkvmState *state, const VirtkvmCaller *who,
                          const VirtkvmDomainRef *dom, uint64_t memory_kib,
                          unsigned flags, GError **error);
bool core_call_memory_stats(VirtkvmState *state, const VirtkvmCaller *who,
                            const VirtkvmDomainRef *dom, unsigned flags,
                            GArray **ret_stats, GError **error);
bool core_call_memory_period(VirtkvmState *state, const VirtkvmCaller *who,
                             const VirtkvmDomainRef *dom, int period_s,
                             unsigned flags, GError **error);

/* threads.c */
bool core_call_cpu_stats(VirtkvmState *state, const VirtkvmCaller *who,
                         const VirtkvmDomainRef *dom, unsigned flags,
                         VirtkvmParams *ret_params, GError **error);
bool core_call_iothreads(VirtkvmState *state, const VirtkvmCaller *who,
                         const VirtkvmDomainRef *dom, unsigned flags,
                         GArray **ret_threads, GError **error);

/* channel.c */
VirtkvmConsole *core_call_channel(VirtkvmState *state, const VirtkvmCaller *who,
                                  const VirtkvmDomainRef *dom, const char *name,
                                  unsigned flags, GError **error);

/* node.c, caps.c */
bool core_call_version(VirtkvmState *state, const VirtkvmCaller *who,
                       unsigned long *ret_version, GError **error);
int core_call_max_vcpus(VirtkvmState *state, const VirtkvmCaller *who,
                        const char *type, GError **error);
bool core_call_node_info(VirtkvmState *state, const VirtkvmCaller *who,
                         VirtkvmNodeInfo *ret_info, GError **error);
int core_call_node_cpu_map(VirtkvmState *state, const VirtkvmCaller *who,
                           GByteArray **ret_map, unsigned *ret_online,
                           unsigned flags, GError **error);
char *core_call_capabilities(VirtkvmState *state, const VirtkvmCaller *who,
                             GError **error);
char *core_call_domain_capabilities(VirtkvmState *state,
                                    const VirtkvmCaller *who,
                                    const char *emulator, const char *arch,
                                    const char *machine, const char *virttype,
                                    unsigned flags, GError **error);
char *core_call_sysinfo(VirtkvmState *state, const VirtkvmCaller *who,
                        unsigned flags, GError **error);

/* network-change.c */
bool core_call_network_define(VirtkvmState *state, const VirtkvmCaller *who,
                              const char *xml, unsigned flags,
                              VirtkvmNetworkRef *ret_network, GError **error);
bool core_call_network_create_xml(VirtkvmState *state, const VirtkvmCaller *who,
                                  const char *xml, unsigned flags,
                                  VirtkvmNetworkRef *ret_network,
                                  GError **error);
bool core_call_network_create(VirtkvmState *state, const VirtkvmCaller *who,
                              const VirtkvmNetworkRef *net, GError **error);
bool core_call_network_destroy(VirtkvmState *state, const VirtkvmCaller *who,
                               const VirtkvmNetworkRef *net, GError **error);
bool core_call_network_undefine(VirtkvmState *state, const VirtkvmCaller *who,
                                const VirtkvmNetworkRef *net, GError **error);
bool core_call_network_set_autostart(VirtkvmState *state,
                                     const VirtkvmCaller *who,
                                     const VirtkvmNetworkRef *net,
                                     bool autostart, GError **error);
bool core_call_network_update(VirtkvmState *state, const VirtkvmCaller *who,
                              const VirtkvmNetworkRef *net,
                              const VirtkvmNetworkUpdate *wanted,
                              GError **error);

/* network-query.c */
extern const VirtkvmNetworkDriver core_network_driver;
