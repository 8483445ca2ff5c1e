/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "rpc/dispatch.h"

/**
 * The bodies of the procedures, grouped by file; the list in procedure.c says
 * which struct of message.h each takes and gives.
 */
#define RPC_HANDLER(name) \
    bool name(RpcCall *call, const void *args, void *ret, GError **error)

/* handlers-connect.c */
RPC_HANDLER(rpc_auth_list);
RPC_HANDLER(rpc_connect_close);
RPC_HANDLER(rpc_connect_close_callback);
RPC_HANDLER(rpc_connect_get_capabilities);
RPC_HANDLER(rpc_connect_get_domain_capabilities);
RPC_HANDLER(rpc_connect_get_sysinfo);
RPC_HANDLER(rpc_connect_get_hostname);
RPC_HANDLER(rpc_connect_get_lib_version);
RPC_HANDLER(rpc_connect_get_max_vcpus);
RPC_HANDLER(rpc_connect_get_type);
RPC_HANDLER(rpc_connect_get_uri);
RPC_HANDLER(rpc_connect_get_version);
RPC_HANDLER(rpc_connect_is_secure);
RPC_HANDLER(rpc_connect_open);
RPC_HANDLER(rpc_connect_supports_feature);
RPC_HANDLER(rpc_node_get_cpu_map);
RPC_HANDLER(rpc_node_get_info);
RPC_HANDLER(rpc_node_get_security_model);

/* handlers-event.c */
RPC_HANDLER(rpc_domain_event_deregister);
RPC_HANDLER(rpc_domain_event_deregister_any);
RPC_HANDLER(rpc_domain_event_register);
RPC_HANDLER(rpc_domain_event_register_any);
RPC_HANDLER(rpc_event_callback_deregister);
RPC_HANDLER(rpc_event_callback_register);
RPC_HANDLER(rpc_network_event_register);
RPC_HANDLER(rpc_silent_event_register);

/* handlers-find.c */
RPC_HANDLER(rpc_connect_list_all_domains);
RPC_HANDLER(rpc_connect_list_defined_domains);
RPC_HANDLER(rpc_connect_list_domains);
RPC_HANDLER(rpc_connect_num_of_defined_domains);
RPC_HANDLER(rpc_connect_num_of_domains);
RPC_HANDLER(rpc_domain_lookup_by_id);
RPC_HANDLER(rpc_domain_lookup_by_name);
RPC_HANDLER(rpc_domain_lookup_by_uuid);

/* handlers-define.c */
RPC_HANDLER(rpc_domain_create_xml);
RPC_HANDLER(rpc_domain_define_xml);
RPC_HANDLER(rpc_domain_define_xml_flags);
RPC_HANDLER(rpc_domain_get_autostart);
RPC_HANDLER(rpc_domain_get_metadata);
RPC_HANDLER(rpc_domain_get_xml_desc);
RPC_HANDLER(rpc_domain_rename);
RPC_HANDLER(rpc_domain_set_autostart);
RPC_HANDLER(rpc_domain_set_metadata);
RPC_HANDLER(rpc_domain_undefine);
RPC_HANDLER(rpc_domain_undefine_flags);

/* handlers-life.c */
RPC_HANDLER(rpc_domain_create);
RPC_HANDLER(rpc_domain_create_with_flags);
RPC_HANDLER(rpc_domain_destroy);
RPC_HANDLER(rpc_domain_destroy_flags);
RPC_HANDLER(rpc_domain_open_channel);
RPC_HANDLER(rpc_domain_open_console);
RPC_HANDLER(rpc_domain_reboot);
RPC_HANDLER(rpc_domain_reset);
RPC_HANDLER(rpc_domain_resume);
RPC_HANDLER(rpc_domain_shutdown);
RPC_HANDLER(rpc_domain_shutdown_flags);
RPC_HANDLER(rpc_domain_suspend);

/* handlers-query.c */
RPC_HANDLER(rpc_connect_get_all_domain_stats);
RPC_HANDLER(rpc_domain_get_control_info);
RPC_HANDLER(rpc_domain_get_info);
RPC_HANDLER(rpc_domain_get_max_memory);
RPC_HANDLER(rpc_domain_get_max_vcpus);
RPC_HANDLER(rpc_domain_get_messages);
RPC_HANDLER(rpc_domain_get_os_type);
RPC_HANDLER(rpc_domain_get_security_label);
RPC_HANDLER(rpc_domain_get_state);
RPC_HANDLER(rpc_domain_get_vcpus);
RPC_HANDLER(rpc_domain_get_vcpus_flags);
RPC_HANDLER(rpc_domain_has_managed_save_image);
RPC_HANDLER(rpc_domain_is_active);
RPC_HANDLER(rpc_domain_is_persistent);
RPC_HANDLER(rpc_domain_is_updated);

/* handlers-block.c */
RPC_HANDLER(rpc_domain_block_peek);
RPC_HANDLER(rpc_domain_block_resize);
RPC_HANDLER(rpc_domain_block_stats);
RPC_HANDLER(rpc_domain_block_stats_flags);
RPC_HANDLER(rpc_domain_get_block_info);
RPC_HANDLER(rpc_domain_get_block_io_tune);
RPC_HANDLER(rpc_domain_get_disk_errors);
RPC_HANDLER(rpc_domain_set_block_io_tune);

/* handlers-device.c */
RPC_HANDLER(rpc_domain_attach_device);
RPC_HANDLER(rpc_domain_attach_device_flags);
RPC_HANDLER(rpc_domain_detach_device);
RPC_HANDLER(rpc_domain_detach_device_alias);
RPC_HANDLER(rpc_domain_detach_device_flags);
RPC_HANDLER(rpc_domain_update_device_flags);

/* handlers-interface.c */
RPC_HANDLER(rpc_domain_get_interface_parameters);
RPC_HANDLER(rpc_domain_interface_addresses);
RPC_HANDLER(rpc_domain_interface_stats);
RPC_HANDLER(rpc_domain_set_interface_parameters);

/* handlers-memory.c */
RPC_HANDLER(rpc_domain_get_cpu_stats);
RPC_HANDLER(rpc_domain_get_iothread_info);
RPC_HANDLER(rpc_domain_memory_stats);
RPC_HANDLER(rpc_domain_set_max_memory);
RPC_HANDLER(rpc_domain_set_memory);
RPC_HANDLER(rpc_domain_set_memory_flags);
RPC_HANDLER(rpc_domain_set_memory_stats_period);

/* handlers-network.c */
RPC_HANDLER(rpc_connect_list_all_networks);
RPC_HANDLER(rpc_connect_list_defined_networks);
RPC_HANDLER(rpc_connect_list_networks);
RPC_HANDLER(rpc_connect_num_of_defined_networks);
RPC_HANDLER(rpc_connect_num_of_networks);
RPC_HANDLER(rpc_network_create);
RPC_HANDLER(rpc_network_create_xml);
RPC_HANDLER(rpc_network_create_xml_flags);
RPC_HANDLER(rpc_network_define_xml);
RPC_HANDLER(rpc_network_define_xml_flags);
RPC_HANDLER(rpc_network_destroy);
RPC_HANDLER(rpc_network_get_autostart);
RPC_HANDLER(rpc_network_get_bridge_name);
RPC_HANDLER(rpc_network_get_dhcp_leases);
RPC_HANDLER(rpc_network_get_xml_desc);
RPC_HANDLER(rpc_network_is_active);
RPC_HANDLER(rpc_network_is_persistent);
RPC_HANDLER(rpc_network_list_all_ports);
RPC_HANDLER(rpc_network_lookup_by_name);
RPC_HANDLER(rpc_network_lookup_by_uuid);
RPC_HANDLER(rpc_network_port_lookup_by_uuid);
RPC_HANDLER(rpc_network_set_autostart);
RPC_HANDLER(rpc_network_undefine);
RPC_HANDLER(rpc_network_update);

/* handlers-absent.c: objects that do not exist here */
RPC_HANDLER(rpc_absent);            /* an empty list, a count of 0 */
RPC_HANDLER(rpc_absent_in_domain);  /* the same, of an existing domain */
RPC_HANDLER(rpc_missing_by_name);   /* args begin with a string */
RPC_HANDLER(rpc_missing_by_uuid);   /* args begin with a uuid */
RPC_HANDLER(rpc_missing_in_domain); /* args begin with a domain and a name */
RPC_HANDLER(rpc_no_current_snapshot);
