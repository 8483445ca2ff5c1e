/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "conf/domain.h"

/**
 * One device, apart from a domain: what a client attaches, detaches and
 * updates. Devices that are only carried as text cannot be had so.
 */
typedef enum ConfDeviceKind {
    CONF_DEVICE_DISK,       /* ConfDisk */
    CONF_DEVICE_CONTROLLER, /* ConfController */
    CONF_DEVICE_INTERFACE,  /* ConfInterface */
    CONF_DEVICE_SERIAL,     /* ConfChardev */
    CONF_DEVICE_CONSOLE,    /* ConfChardev */
    CONF_DEVICE_CHANNEL,    /* ConfChardev */
    CONF_DEVICE_MEMBALLOON, /* ConfMemballoon */
    CONF_DEVICE_RNG,        /* ConfRng */
    CONF_DEVICE_PANIC,      /* ConfPanic */
} ConfDeviceKind;

/** A device and its kind; whose it is depends on where it is from. */
typedef struct ConfDevice {
    ConfDeviceKind kind;
    void *data; /* the struct of its kind */
} ConfDevice;

/**
 * conf_device_parse: read one device element
 * @flags: ConfParseFlags
 * @error: XML_ERROR, CONFIG_UNSUPPORTED; OPERATION_UNSUPPORTED for a kind of
 * device that is only carried
 * Returns: a device of its own, to be freed, or given to a domain; NULL
 */
ConfDevice *conf_device_parse(const char *xml, unsigned flags, GError **error);
/** conf_device_free: NULL is fine */
void conf_device_free(ConfDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConfDevice, conf_device_free)
ConfDevice *conf_device_copy(const ConfDevice *device);
/** conf_device_format: the element; @flags: ConfFormatFlags */
char *conf_device_format(const ConfDevice *device, unsigned flags);

/** conf_device_name: of the kind, as the element: "disk" */
const char *conf_device_name(ConfDeviceKind kind);
/** conf_device_alias: NULL where there is none yet */
const char *conf_device_alias(const ConfDevice *device);
/** conf_device_list: where a domain has its devices of @kind */
GPtrArray *conf_device_list(const ConfDomain *domain, ConfDeviceKind kind);

/**
 * conf_domain_find_device: the device of @domain that @device means, by
 * libvirt's rules: a disk by its target; an interface by its MAC address, PCI
 * address and alias, as far as they are given; a controller by type and index;
 * others by what they are
 * @ret_found: the domain's own
 * @error: DEVICE_MISSING; OPERATION_FAILED where several match
 */
bool conf_domain_find_device(const ConfDomain *domain, const ConfDevice *device,
                             ConfDevice *ret_found, GError **error);

/** conf_domain_device_by_alias: the same by the alias of a running domain;
 * @error: DEVICE_MISSING */
bool conf_domain_device_by_alias(const ConfDomain *domain, const char *alias,
                                 ConfDevice *ret_found, GError **error);

/**
 * conf_domain_add_device: put @device into @domain, with the place on the PCI
 * bus that it gets there
 * @device: becomes the domain's, and *@device is NULL then; on failure it stays
 * the caller's. A live domain then wants conf_domain_assign_live()
 * @error: OPERATION_INVALID if a disk has the same target; XML_ERROR for an
 * address that is taken; CONFIG_UNSUPPORTED
 */
bool conf_domain_add_device(ConfDomain *domain, ConfDevice **device,
                            GError **error);

/** conf_domain_remove_device: @found is one of @domain's; it becomes the
 * caller's, to be freed */
ConfDevice *conf_domain_remove_device(ConfDomain *domain,
                                      const ConfDevice *found);

/**
 * conf_domain_replace_device: let @device stand where @found stands in @domain;
 * alias and address stay where it gives none, and of a running domain what it
 * has of the host. *@device becomes NULL
 */
bool conf_domain_replace_device(ConfDomain *domain, const ConfDevice *found,
                                ConfDevice **device, GError **error);

/** conf_device_check_start: as conf_domain_check_start(), of one device of a
 * domain */
bool conf_device_check_start(const ConfDevice *device, GPtrArray *warnings,
                             GError **error);

/**
 * conf_device_difference: the first row in which @one and @other, of one kind,
 * differ: "cache" of <driver>; live values do not count
 * @but: rows that may differ, each "ELEMENT/ATTRIBUTE" or "ELEMENT", ends with
 * NULL; may be NULL
 * Returns: name to be shown, or NULL: they are alike
 */
char *conf_device_difference(const ConfDevice *one, const ConfDevice *other,
                             const char *const *but);
