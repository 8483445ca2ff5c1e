/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "conf/table.h"

/* What the tables of several devices have in common. */

/** The <alias> of a device: base is its `char *alias` */
extern const ConfElement conf_alias_element;
/** The <boot> of a device: base is its `unsigned boot_order`. A kernel is
 * booted directly, so it has no say. */
extern const ConfElement conf_boot_element;

/** The <rom> of a device: base is its ConfRom */
extern const ConfElement conf_rom_element;

/** conf_judge_off: an attribute of which only "off" or "no" is what there is */
ConfPolicy conf_judge_off(const char *text, const void *base);

#define CONF_MODEL_TRANSITIONAL "virtio-transitional"
/** conf_model_is_virtio: "virtio" or one of its two variants, which are the
 * same here: modern devices */
bool conf_model_is_virtio(const char *model);
/** conf_model_policy: of a model='' that may be one of those; NULL is fine */
ConfPolicy conf_model_policy(const char *model);
#define CONF_MODEL_ADVICE \
    N_("the device is a modern one, as with model='virtio'")

/* The attributes that <driver> has for every virtio device */
#define CONF_VIRTIO_ROWS(STRUCT)                                          \
    CONF_CARRY_ATTR("iommu", .judge = conf_judge_off,                     \
                    .advice = N_("there is no IOMMU for the guest")),     \
        CONF_CARRY_ATTR("ats", .judge = conf_judge_off,                   \
                        .advice = N_("there is no IOMMU for the guest")), \
        CONF_ATTR("packed", STRUCT, packed, onoff),                       \
        CONF_CARRY_ATTR("page_per_vq", .policy = CONF_QUIET)

/* The rest of a device that has a place on the PCI bus, in libvirt's order */
#define CONF_DEVICE_ROWS(STRUCT) \
    CONF_DEVICE_ROM_ROWS(STRUCT, CONF_CARRY("rom", .policy = CONF_QUIET))
/* The same where firmware runs what the device has: ROM is the row of <rom> */
#define CONF_DEVICE_ROM_ROWS(STRUCT, ROM)                   \
    CONF_CHILD("alias", STRUCT, alias, conf_alias_element), \
        CONF_CARRY("acpi", .policy = CONF_QUIET), ROM,      \
        CONF_CHILD("address", STRUCT, address, conf_address_element)
