/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "conf/domain.h"

/* Devices of a running definition as the engine calls them: by alias. NULL
 * names none. */

ConfDisk *core_device_disk(const ConfDomain *conf, const char *alias);

/** core_device_channel: the one at @port of the controller @alias */
ConfChardev *core_device_channel(const ConfDomain *conf, const char *alias,
                                 int64_t port);

/** core_device_exists: is it a disk or an interface? */
bool core_device_exists(const ConfDomain *conf, const char *alias);

/** core_device_remove: take a disk or an interface out; false: there is none */
bool core_device_remove(ConfDomain *conf, const char *alias);
