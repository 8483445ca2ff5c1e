/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/config-device.h"

static const EngineMember balloon_members[] = {
    ENGINE_MEMBERS(engine_device_members),
    { "target", ENGINE_MEMBER_UINT64,
      ENGINE_AT(EngineDeviceConfig, balloon.target), .min = 1,
      .max = INT64_MAX },
    { "deflate_on_oom", ENGINE_MEMBER_BOOL,
      ENGINE_AT(EngineDeviceConfig, balloon.deflate_on_oom) },
    { "free_page_reporting", ENGINE_MEMBER_BOOL,
      ENGINE_AT(EngineDeviceConfig, balloon.free_page_reporting) },
    { "stats_period_s", ENGINE_MEMBER_UINT,
      ENGINE_AT(EngineDeviceConfig, balloon.stats_period_s),
      .max = ENGINE_BALLOON_PERIOD_MAX_S },
    { NULL },
};

const EngineDeviceSchema engine_balloon_schema = {
    .type = "virtio-balloon",
    .members = balloon_members,
};
