/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "conf/device.h"
#include "conf/domain.h"
#include "engine/resolve/resolve.h"

/* A descriptor that the document names: member @key of @owner, or, without one,
 * item @index of the array @owner. */
typedef struct EngineResolvedFd {
    int fd;
    json_t *owner;
    const char *key;
    size_t index;
} EngineResolvedFd;

struct EngineResolved {
    json_t *root;
    GArray *fds;    /* EngineResolvedFd */
    GArray *number; /* int: the descriptors alone */
    /* while it is made */
    const EngineResolveContext *context;
    ConfDomain *domain;
};

/** engine_document_add_fd: @fd becomes @resolved's */
void engine_document_add_fd(EngineResolved *resolved, json_t *owner,
                            const char *key, int fd);
/** engine_document_append_fd: the same at the end of the array @owner */
void engine_document_append_fd(EngineResolved *resolved, json_t *owner, int fd);

/** engine_document_warn: @message becomes the context's */
void engine_document_warn(EngineResolved *resolved, char *message);

/** engine_document_fill: all of the document that needs nothing opened */
bool engine_document_fill(json_t *root, const ConfDomain *domain,
                          GError **error);

/** engine_document_vcpus: how many vCPUs the guest starts with */
unsigned engine_document_vcpus(const ConfVcpus *vcpus);

/** engine_document_firmware: what <loader> and <nvram> name; without them and
 * a kernel the host's BIOS */
bool engine_document_firmware(EngineResolved *resolved, GError **error);

/** engine_document_smbios: the strings that <smbios> says, of <sysinfo> or of
 * the host; without it nothing */
bool engine_document_smbios(EngineResolved *resolved, GError **error);

/** engine_document_boot: what firmware is told; after the devices */
void engine_document_boot(EngineResolved *resolved);

/** engine_document_roms: what firmware runs of the network interfaces; after
 * the boot order
 * @error: SYSTEM_ERROR if what a <rom> names cannot be read */
bool engine_document_roms(EngineResolved *resolved, GError **error);

/** engine_document_find: the member of "devices" that is called so, NULL if it
 * is not there: then it was refused, or the machine has none such */
json_t *engine_document_find(const EngineResolved *resolved, const char *alias);

/** engine_document_devices: the devices on the PCI bus */
bool engine_document_devices(EngineResolved *resolved, GError **error);

/**
 * engine_document_add: a device as the last of root's "devices", with what
 * every device has
 * @alias: its id; @address: its place
 * Returns: owned by the document; NULL with @error set if there is no place
 */
json_t *engine_document_add(EngineResolved *resolved, const char *type,
                            const char *alias, const ConfAddress *address,
                            GError **error);

/** engine_document_disk, _controller, _interface, _rng: one device, if the
 * engine has such a one. Controllers stand before what is on them. */
bool engine_document_controller(EngineResolved *resolved,
                                ConfController *controller, GError **error);
bool engine_document_disk(EngineResolved *resolved, ConfDisk *disk,
                          GError **error);
bool engine_document_interface(EngineResolved *resolved, ConfInterface *net,
                               GError **error);
bool engine_document_rng(EngineResolved *resolved, ConfRng *rng,
                         GError **error);

/** engine_document_ports: the virtio-serial devices, with their channels and
 * consoles */
bool engine_document_ports(EngineResolved *resolved, GError **error);
/** engine_document_leave_folder: remove the folder of @path, if it was made for
 * the sockets of a domain's channels, and is empty now */
void engine_document_leave_folder(const char *path);

/** engine_document_throttle: THROTTLE of <iotune>, without what is not limited;
 * engine_document_bandwidth: {"inbound": RATE, "outbound": RATE}; owned */
json_t *engine_document_throttle(const ConfThrottle *throttle);
json_t *engine_document_bandwidth(const ConfBandwidth *bandwidth);

/** engine_resolved_new: empty, with the context and domain that it is for */
EngineResolved *engine_resolved_new(ConfDomain *domain,
                                    const EngineResolveContext *context);
/** engine_resolved_finish: is it one that an engine can be given? Takes
 * @resolved, returns it or NULL */
EngineResolved *engine_resolved_finish(EngineResolved *resolved,
                                       GError **error);

/** engine_document_serials: the serial ports, with what they need opened */
bool engine_document_serials(EngineResolved *resolved, GError **error);

/** engine_document_chardev: where a character device ends
 * @chardev: empty, in the document; @element: its name, for messages */
bool engine_document_chardev(EngineResolved *resolved, json_t *chardev,
                             ConfChardev *conf, const char *element,
                             GError **error);
