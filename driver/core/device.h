/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "conf/device.h"

/** core_device_moves: can devices of @kind come to a running guest and go? */
bool core_device_moves(ConfDeviceKind kind);

/** core_device_disk: by its alias; NULL: there is none */
ConfDisk *core_device_disk(const ConfDomain *conf, const char *alias);

/** core_device_channel: the one at @port of the controller @alias */
ConfChardev *core_device_channel(const ConfDomain *conf, const char *alias,
                                 int64_t port);
