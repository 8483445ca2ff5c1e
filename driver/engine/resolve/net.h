/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "conf/interface.h"

/**
 * engine_tap_open: the host's end of an interface: one descriptor a queue, with
 * headers of virtio (IFF_VNET_HDR)
 * @net: of type network, bridge or ethernet; its target becomes the tap's name
 * @bridge: that the tap joins; NULL: none
 * @fds: room for @count descriptors, as those of open.h
 * @error: SYSTEM_ERROR
 */
bool engine_tap_open(ConfInterface *net, const char *bridge, int *fds,
                     unsigned count, GError **error);

/** engine_tap_move: out of the bridge @from, if it is in one (NULL: none), into
 * @to; on false it is where it was. @error: as above */
bool engine_tap_move(const char *name, const char *from, const char *to,
                     GError **error);

/** engine_passt_open: run passt for @net; it ends when the descriptor is
 * closed. Returns: as those of open.h */
int engine_passt_open(const ConfInterface *net, GError **error);
