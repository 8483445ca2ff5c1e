/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <gmodule.h>

#include "core/driver-ops.h"
#include "core/host-cpu.h"
#include "core/network-build.h"

/** The module kvm.so: guests run by virtkvm-engine. */

static const CoreProfile profile = {
    .name = "kvm",
    .engine = &core_engine_process_ops,
    .host_fill = core_host_cpu_fill,
    .host_free = core_host_cpu_free,
    .networks = &core_network_build_ops,
};

static VirtkvmState *
initialize(const VirtkvmHost *host, bool autostart, GError **error)
{
    return core_state_initialize(&profile, host, autostart, error);
}

static const char *const schemes[] = { "kvm", "qemu", NULL };

static const VirtkvmDriver driver = {
    CORE_DRIVER_OPERATIONS,
    .name = "kvm",
    .schemes = schemes,
    .type = "KVM",
    .stateInitialize = initialize,
};

G_MODULE_EXPORT const VirtkvmDriver *virtkvm_driver(void);

G_MODULE_EXPORT const VirtkvmDriver *
virtkvm_driver(void)
{
    return &driver;
}
