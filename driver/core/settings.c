/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/settings.h"

#include <string.h>

#include "util/error.h"
#include "util/i18n.h"

#define DISK_BUS "kvm_disk_bus"

bool
core_settings_apply(const VirtkvmState *state, ConfDomain *conf, GError **error)
{
    const VirtkvmHost *host = state->host;
    const char *bus = host->config ? host->config(host, DISK_BUS) : NULL;

    if (!bus)
        return true;
    if (strcmp(bus, "virtio") == 0) {
        conf_domain_disks_as_virtio(conf);
        return true;
    }
    error_set(error, VIR_ERR_CONF_SYNTAX,
              _("'%s' of virtkvmd.conf is '%s': only 'virtio' is possible"),
              DISK_BUS, bus);
    return false;
}
