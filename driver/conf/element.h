/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "conf/table.h"

/* The tables, one a file; base struct in brackets. */
extern const ConfElement conf_address_element;       /* ConfAddress */
extern const ConfElement conf_channel_element;       /* ConfChardev */
extern const ConfElement conf_sysinfo_board_element; /* ConfSysinfoBoard */
extern const ConfElement conf_sysinfo_entry_element; /* ConfSysinfoEntry */
extern const ConfElement conf_sysinfo_element;       /* ConfSysinfo */
extern const ConfElement conf_clock_element;         /* ConfClock */
extern const ConfElement conf_console_element;       /* ConfChardev */
extern const ConfElement conf_controller_element;    /* ConfController */
extern const ConfElement conf_cpu_element;           /* ConfCpu */
extern const ConfElement conf_devices_element;       /* ConfDomain */
extern const ConfElement conf_disk_element;          /* ConfDisk */
extern const ConfElement conf_domain_element;        /* ConfDomain */
extern const ConfElement conf_features_element;      /* ConfFeatures */
extern const ConfElement conf_firmware_element;      /* ConfOs */
extern const ConfElement conf_interface_element;     /* ConfInterface */
extern const ConfElement conf_iothreadids_element;   /* ConfDomain */
extern const ConfElement conf_loader_element;        /* ConfLoader */
extern const ConfElement conf_maxmemory_element;     /* ConfMemory */
extern const ConfElement conf_memballoon_element;    /* ConfMemballoon */
extern const ConfElement conf_memory_element;        /* ConfMemory */
extern const ConfElement conf_currentmemory_element; /* ConfMemory */
extern const ConfElement conf_metadata_element;      /* ConfDomain */
extern const ConfElement conf_nvram_element;         /* ConfNvram */
extern const ConfElement conf_os_element;            /* ConfOs */
extern const ConfElement conf_panic_element;         /* ConfPanic */
extern const ConfElement conf_pm_element;            /* ConfPm */
extern const ConfElement conf_rng_element;           /* ConfRng */
extern const ConfElement conf_serial_element;        /* ConfChardev */
extern const ConfElement conf_vcpu_element;          /* ConfVcpus */
extern const ConfElement conf_vcpus_element;         /* ConfVcpus */
extern const ConfElement conf_virtkvm_element;       /* ConfVirtkvm */

/** Checks of elements whose table is in another file than they are; as
 * ConfElement.check */
bool conf_disk_check(void *base, const xmlNode *node, unsigned flags,
                     GError **error);
bool conf_ip_check(void *base, const xmlNode *node, unsigned flags,
                   GError **error);
bool conf_interface_check(void *base, const xmlNode *node, unsigned flags,
                          GError **error);
bool conf_port_forward_check(void *base, const xmlNode *node, unsigned flags,
                             GError **error);
bool conf_port_range_check(void *base, const xmlNode *node, unsigned flags,
                           GError **error);
bool conf_throttle_check(void *base, const xmlNode *node, unsigned flags,
                         GError **error);

/** conf_domain_fill_defaults: what libvirt adds when a domain is defined, and
 * the checks that need the whole document; @flags: ConfParseFlags */
typedef struct ConfDomain ConfDomain;
bool conf_domain_fill_defaults(ConfDomain *domain, unsigned flags,
                               GError **error);

/** conf_domain_fill_iothreads: check <iothreadids>, count them */
bool conf_domain_fill_iothreads(ConfDomain *domain, GError **error);
/** conf_domain_fill_channels: give each channel a port of a virtio-serial
 * controller, which is added where it is missing
 * @consoles: virtio consoles as well, which libvirt's definitions leave open */
bool conf_domain_fill_channels(ConfDomain *domain, bool consoles,
                               GError **error);

/** conf_domain_fill_uuid: where the document has no UUID, that which <sysinfo>
 * tells the guest, or else a random one */
bool conf_domain_fill_uuid(ConfDomain *domain, GError **error);

/** conf_domain_mark_disks: set ConfDisk.as_virtio of each */
void conf_domain_mark_disks(ConfDomain *domain);

/** conf_domain_settle_devices: after devices were read or added: numbers, ports
 * and places for those that have none, and what all of them have to be for each
 * other. @error: XML_ERROR, CONFIG_UNSUPPORTED */
bool conf_domain_settle_devices(ConfDomain *domain, GError **error);

/** conf_device_frame: of one device; only read from a const @device */
typedef struct ConfDevice ConfDevice;
ConfFrame conf_device_frame(const ConfDevice *device);

/** conf_domain_frame: the whole document; only read from a const @domain */
ConfFrame conf_domain_frame(const ConfDomain *domain);

/** conf_check_rows: refuse what a document uses and cannot be honoured; the
 * rest as sentences in @warnings (may be NULL) */
bool conf_check_rows(const ConfFrame *frame, GPtrArray *warnings,
                     GError **error);

/** conf_metadata_place: where what stands in <metadata> is carried */
ConfPath conf_metadata_place(void);

/** conf_metadata_text: as conf_domain_metadata_get(), with its namespace */
char *conf_metadata_text(const ConfDomain *domain, const char *uri);

/** conf_virtkvm_read: our settings out of the <metadata> that @domain carries
 */
bool conf_virtkvm_read(ConfDomain *domain, GError **error);

#define CONF_VIRTKVM_URI "urn:virtkvm:domain:1"
