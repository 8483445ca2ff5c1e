/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "conf/address.h"
#include "conf/carried.h"
#include "conf/onoff.h"

/** <memballoon> */
typedef struct ConfMemballoon {
    char *model; /* virtio ..., none */
    ConfOnOff autodeflate;
    ConfOnOff free_page_reporting;
    unsigned period_s; /* <stats period=''>; 0 = absent */
    ConfOnOff packed;
    char *alias; /* live, or the user's own */
    ConfAddress address;
    ConfCarried carried;
} ConfMemballoon;

typedef struct ConfDomain ConfDomain;

/** conf_domain_memballoon: the one that the guest has; NULL with model='none'
 */
ConfMemballoon *conf_domain_memballoon(const ConfDomain *domain);

/** conf_domain_fill_memballoon: a domain that says nothing of a balloon has one,
 * as libvirt's QEMU driver gives it; on a machine with a PCI bus */
void conf_domain_fill_memballoon(ConfDomain *domain);
