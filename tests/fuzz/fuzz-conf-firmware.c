/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * A firmware descriptor, and domains that it may do for.
 */
#include <config.h>

#include <stdint.h>

#include "conf/firmware.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const documents[] = {
    "<os firmware='efi'><type machine='q35'>hvm</type></os>",
    "<os firmware='bios'><type machine='pc'>hvm</type></os>",
    "<os><type>hvm</type><loader readonly='yes' type='pflash'>/f</loader></os>",
};

static void
try_domain(const GPtrArray *firmware, const char *os)
{
    g_autofree char *xml = g_strdup_printf("<domain type='kvm'><name>a</name>"
                                           "<memory>64</memory>%s</domain>",
                                           os);
    g_autoptr(ConfDomain) domain = conf_domain_parse(xml, 0, NULL);
    g_autofree char *text = NULL;

    g_assert(domain);
    if (!conf_domain_choose_firmware(domain, firmware, NULL))
        return;
    text = conf_domain_format(domain, 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *json = g_strndup((const char *)data, size);
    g_autoptr(GPtrArray) firmware = g_ptr_array_new_with_free_func(
        (GDestroyNotify)conf_firmware_descriptor_free);
    ConfFirmwareDescriptor *descriptor = conf_firmware_parse("F", json, NULL);

    if (!descriptor)
        return 0;
    g_ptr_array_add(firmware, descriptor);
    for (size_t i = 0; i < G_N_ELEMENTS(documents); i++)
        try_domain(firmware, documents[i]);
    return 0;
}
