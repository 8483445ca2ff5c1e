/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "shell/xml-writer.h"

/** Addresses of devices as options have them: "pci:0000.00.0b.0". */

/** An address that was understood. */
typedef struct VshAddress {
    const struct VshAddressKind *kind;
    unsigned numbers[4];
} VshAddress;

/**
 * vsh_address_parse: "pci:DDDD.BB.SS.F", "ccw:CC.S.DDDD", "scsi:C.B.U",
 * "ide:C.B.U", "sata:C.B.U" or "usb:B.P"
 * @target: of the disk: vd*, sd* and hd* each have their kinds
 * Returns: false with USAGE
 */
bool vsh_address_parse(const char *text, const char *target,
                       VshAddress *ret_address, GError **error);

/** vsh_address_parse_pci: of a host's device: "DDDD:BB:SS.F" */
bool vsh_address_parse_pci(const char *text, VshAddress *ret_address);

/** vsh_address_write: the element; @multifunction: of PCI only */
void vsh_address_write(const VshAddress *address, bool multifunction,
                       VshXmlWriter *writer);
