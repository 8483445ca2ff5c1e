/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/engine-devices.h"
#include "core/view.h"

/** core_interface_ask: of a running domain's interfaces: array of CoreNetStats
 */
GArray *core_interface_ask(const CoreView *view, GError **error);

/** core_interface_of: those of @interface among @all; NULL: there are none */
const CoreNetStats *core_interface_of(const GArray *all,
                                      const ConfInterface *interface);

/** core_interface_find: by tap, MAC or alias; INVALID_ARG in libvirt's words */
ConfInterface *core_interface_find(const ConfDomain *conf, const char *name,
                                   GError **error);
