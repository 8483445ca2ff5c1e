/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/disk.h"

#include "conf/domain.h"
#include "util/error.h"
#include "util/i18n.h"

/* Disks and drives for discs on SCSI controllers, and where on them. */

/* Units of a controller that are named after their disks: libvirt's number,
 * since on the bus of old the controller itself took the eighth place */
#define UNITS_NAMED 7

bool
conf_disk_is_unit(const ConfDisk *disk)
{
    return disk->bus == CONF_DISK_BUS_SCSI &&
           (disk->device == CONF_DISK_CDROM ||
            (disk->device == CONF_DISK_DISK && !disk->as_virtio));
}

void
conf_disk_eject(ConfDisk *disk)
{
    g_clear_pointer(&disk->path, g_free);
    g_ptr_array_set_size(disk->backing, 0);
    disk->source_index = 0;
    disk->startup = CONF_STARTUP_ABSENT;
}

static bool
same_place(const ConfAddress *one, const ConfAddress *other)
{
    return one->controller == other->controller && one->bus == other->bus &&
           one->target == other->target && one->unit == other->unit;
}

static const ConfDisk *
find_unit(const ConfDomain *domain, const ConfAddress *address)
{
    for (guint i = 0; i < domain->disks->len; i++) {
        const ConfDisk *disk = g_ptr_array_index(domain->disks, i);

        if (&disk->address != address && conf_disk_is_unit(disk) &&
            disk->address.drive && same_place(&disk->address, address))
            return disk;
    }
    return NULL;
}

/* What has no name of ours begins behind those that have. */
static void
give_place(ConfDisk *disk)
{
    int number = conf_disk_number(disk->target);
    unsigned place = number < 0 ? 0 : (unsigned)number;

    conf_address_set_drive(&disk->address, place / UNITS_NAMED, 0, 0,
                           place % UNITS_NAMED);
}

static bool
check_place(const ConfDomain *domain, const ConfDisk *disk, GError **error)
{
    const ConfAddress *address = &disk->address;

    if (!address->drive) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("the disk '%s' is on bus 'scsi': its <address> must be of "
                    "type='drive'"),
                  disk->target);
        return false;
    }
    if (address->bus != 0) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("the disk '%s' is on bus %u of its SCSI controller, which "
                    "has bus 0 only"),
                  disk->target, address->bus);
        return false;
    }
    if (!find_unit(domain, address))
        return true;
    error_set(error, VIR_ERR_XML_ERROR,
              _("Found duplicate drive address for disk with target name '%s' "
                "controller='%u' bus='%u' target='%u' unit='%u'"),
              disk->target, address->controller, address->bus, address->target,
              address->unit);
    return false;
}

bool
conf_domain_fill_units(ConfDomain *domain, GError **error)
{
    for (guint i = 0; i < domain->disks->len; i++) {
        ConfDisk *disk = g_ptr_array_index(domain->disks, i);

        if (!conf_disk_is_unit(disk))
            continue;
        if (!disk->address.type)
            give_place(disk);
        if (!check_place(domain, disk, error))
            return false;
        if (!conf_domain_controller(domain, CONF_CONTROLLER_SCSI,
                                    disk->address.controller))
            conf_domain_add_controller(domain, CONF_CONTROLLER_SCSI,
                                       disk->address.controller);
    }
    return true;
}

const ConfController *
conf_disk_controller(const ConfDomain *domain, const ConfDisk *disk,
                     GError **error)
{
    const ConfController *controller = conf_domain_controller(
        domain, CONF_CONTROLLER_SCSI, disk->address.controller);

    if (controller && conf_controller_is_scsi(controller))
        return controller;
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("the disk '%s' is on a SCSI controller of the model '%s', "
                "which no guest has: use model='virtio-scsi'"),
              disk->target,
              controller && controller->model ? controller->model : "");
    return NULL;
}
