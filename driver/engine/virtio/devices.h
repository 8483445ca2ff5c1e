/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/device.h"

/* The virtio devices: index i is element i of the machine document's
 * "devices". */
extern const EngineDeviceType engine_virtio_balloon_type;
extern const EngineDeviceType engine_virtio_blk_type;
extern const EngineDeviceType engine_virtio_net_type;
extern const EngineDeviceType engine_virtio_rng_type;
extern const EngineDeviceType engine_virtio_scsi_type;
extern const EngineDeviceType engine_virtio_serial_type;
