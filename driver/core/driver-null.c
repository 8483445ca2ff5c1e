/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <gmodule.h>

#include "core/driver-ops.h"

/** The module null.so: everything but a guest. */

static const CoreProfile profile = {
    .name = "null",
    .engine = &core_engine_null_ops,
};

static VirtkvmState *
initialize(const VirtkvmHost *host, bool autostart, GError **error)
{
    return core_state_initialize(&profile, host, autostart, error);
}

static const char *const schemes[] = { "null", NULL };

static const VirtkvmDriver driver = {
    CORE_DRIVER_OPERATIONS,
    .name = "null",
    .schemes = schemes,
    .type = "null",
    .stateInitialize = initialize,
};

G_MODULE_EXPORT const VirtkvmDriver *virtkvm_driver(void);

G_MODULE_EXPORT const VirtkvmDriver *
virtkvm_driver(void)
{
    return &driver;
}
