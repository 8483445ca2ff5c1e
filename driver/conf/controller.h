/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "conf/address.h"
#include "conf/carried.h"
#include "conf/onoff.h"

typedef enum ConfControllerType {
    CONF_CONTROLLER_ABSENT = 0,
    CONF_CONTROLLER_IDE,
    CONF_CONTROLLER_FDC,
    CONF_CONTROLLER_SCSI,
    CONF_CONTROLLER_SATA,
    CONF_CONTROLLER_VIRTIO_SERIAL,
    CONF_CONTROLLER_CCID,
    CONF_CONTROLLER_USB,
    CONF_CONTROLLER_PCI,
    CONF_CONTROLLER_XENBUS,
    CONF_CONTROLLER_ISA,
} ConfControllerType;

/** <controller>; of these virtio-serial and virtio-scsi are devices of the
 * engine's, the others say what a guest of ours has anyhow, or has not */
typedef struct ConfController {
    ConfControllerType type;
    int index; /* filled in */
    char *model;
    int ports; /* virtio-serial, usb; -1 = absent */
    unsigned queues, cmd_per_lun, max_sectors, iothread; /* 0 = absent */
    ConfOnOff packed;
    char *alias; /* live, or the user's own */
    ConfAddress address;
    ConfCarried carried;
} ConfController;

/** conf_controller_alias: libvirt's names of a live one: "usb", "pci.1" ... */
char *conf_controller_alias(const ConfController *controller);

typedef struct ConfDomain ConfDomain;

/** conf_controller_is_scsi: a virtio-scsi? */
bool conf_controller_is_scsi(const ConfController *controller);

/** conf_domain_fill_controllers: number those that have no index, and name the
 * models of those that leave it to us */
void conf_domain_fill_controllers(ConfDomain *domain);

/** conf_domain_controller: of @type with @index, or NULL */
ConfController *conf_domain_controller(const ConfDomain *domain,
                                       ConfControllerType type, unsigned index);
/** conf_domain_add_controller: one more; it has no place yet */
void conf_domain_add_controller(ConfDomain *domain, ConfControllerType type,
                                unsigned index);
