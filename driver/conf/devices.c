/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/carried-device.h"
#include "conf/domain.h"
#include "conf/element.h"
#include "conf/type.h"
#include "util/i18n.h"

#define DEVICE(NAME, POLICY, ...)                                 \
    CONF_CARRY(NAME, .flags = CONF_MANY, .policy = CONF_##POLICY, \
               .prepare = conf_device_prepare, __VA_ARGS__)

/* The devices of libvirt's format, in its order. */
static const ConfField devices_fields[] = {
    CONF_LEAF("emulator", ConfDomain, emulator, string),
    CONF_LIST("disk", ConfDomain, disks, conf_disk_element),
    CONF_LIST("controller", ConfDomain, controllers, conf_controller_element),
    DEVICE("lease", REFUSED),
    DEVICE("filesystem", REFUSED,
           .advice = N_("shared folders are not supported yet: remove them")),
    CONF_LIST("interface", ConfDomain, interfaces, conf_interface_element),
    DEVICE("smartcard", REFUSED),
    CONF_LIST("serial", ConfDomain, serials, conf_serial_element),
    DEVICE("parallel", REFUSED),
    CONF_LIST("console", ConfDomain, consoles, conf_console_element),
    CONF_LIST("channel", ConfDomain, channels, conf_channel_element),
    DEVICE("input", HARMLESS, .alias_prefix = "input"),
    DEVICE("tpm", REFUSED,
           .advice = N_("there is no TPM for the guest: remove it")),
    CONF_CARRY("graphics", .flags = CONF_MANY | CONF_SECRET,
               .policy = CONF_HARMLESS, .prepare = conf_device_prepare),
    DEVICE("sound", HARMLESS, .alias_prefix = "sound"),
    DEVICE("audio", QUIET),
    DEVICE("video", HARMLESS, .alias_prefix = "video"),
    DEVICE("hostdev", REFUSED,
           .advice = N_("host devices cannot be assigned: remove them")),
    DEVICE("redirdev", HARMLESS, .alias_prefix = "redir"),
    CONF_CARRY("redirfilter", .policy = CONF_QUIET),
    DEVICE("hub", HARMLESS, .alias_prefix = "hub"),
    DEVICE("watchdog", REFUSED,
           .advice = N_("there is no watchdog for the guest: remove it")),
    CONF_LIST("memballoon", ConfDomain, memballoons, conf_memballoon_element,
              .flags = CONF_ONE),
    CONF_LIST("rng", ConfDomain, rngs, conf_rng_element),
    DEVICE("nvram", REFUSED),
    CONF_LIST("panic", ConfDomain, panics, conf_panic_element),
    DEVICE("shmem", REFUSED),
    DEVICE("memory", REFUSED,
           .advice = N_("memory devices are not supported: give <memory> all "
                        "of it")),
    DEVICE("iommu", REFUSED),
    DEVICE("vsock", REFUSED),
    DEVICE("crypto", REFUSED),
    DEVICE("pstore", REFUSED),
    CONF_END
};
const ConfElement conf_devices_element = { .name = "devices",
                                           .fields = devices_fields };
