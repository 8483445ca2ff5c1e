/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** <address> of a device: as written; the numbers are
 * those of type='pci' and 'drive'. All zero: there is none. */
typedef struct ConfAddress {
    char *type;
    char *domain_text, *bus_text, *slot_text, *function_text;
    char *controller_text, *target_text, *unit_text;
    bool pci;
    unsigned domain, bus, slot, function;
    bool drive; /* on a controller: with the bus above */
    unsigned controller, target, unit;
    bool plain; /* it is only kept: its device has no place on our PCI bus */
} ConfAddress;

/** conf_address_copy: where @from is; @to says nothing yet */
void conf_address_copy(ConfAddress *to, const ConfAddress *from);

/** conf_address_set_drive: @address, which says nothing, becomes a place on a
 * controller */
void conf_address_set_drive(ConfAddress *address, unsigned controller,
                            unsigned bus, unsigned target, unsigned unit);

typedef struct ConfDomain ConfDomain;

/**
 * conf_domain_assign_addresses: give each device that the engine has its place
 * on PCI bus 0, where the document leaves it open; for ever, as the definition
 * keeps it
 * @error: XML_ERROR if two devices have the same, or one has the machine's own;
 * CONFIG_UNSUPPORTED if no place is left
 */
bool conf_domain_assign_addresses(ConfDomain *domain, GError **error);

/**
 * conf_domain_place: where the device with @address will stand on bus 0, also
 * if the document puts it on a bus that the machine has not
 * @address: of a device of @domain
 * Returns: its slot; 0 if none is left
 */
unsigned conf_domain_place(const ConfDomain *domain,
                           const ConfAddress *address);
