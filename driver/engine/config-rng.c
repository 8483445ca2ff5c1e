/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/config-device.h"

#define PERIOD_MS_DEFAULT 1000
#define PERIOD_MS_MAX     (24 * 3600 * 1000)

static const EngineMember rate_members[] = {
    { "bytes", ENGINE_MEMBER_UINT64, ENGINE_AT(EngineRngConfig, bytes),
      .required = true, .min = 1, .max = INT64_MAX },
    { "period_ms", ENGINE_MEMBER_UINT, ENGINE_AT(EngineRngConfig, period_ms),
      .min = 1, .max = PERIOD_MS_MAX },
    { NULL },
};

static const EngineMember rng_members[] = {
    ENGINE_MEMBERS(engine_device_members),
    { "fd", ENGINE_MEMBER_FD, ENGINE_AT(EngineDeviceConfig, rng.fd),
      .required = true },
    { "rate", ENGINE_MEMBER_OBJECT, ENGINE_AT(EngineDeviceConfig, rng),
      .members = rate_members },
    { NULL },
};

static void
rng_init(EngineDeviceConfig *device)
{
    device->rng.fd = -1;
    device->rng.period_ms = PERIOD_MS_DEFAULT;
}

const EngineDeviceSchema engine_rng_schema = {
    .type = "virtio-rng",
    .members = rng_members,
    .init = rng_init,
};
