/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/engine-devices.h"
#include "core/view.h"

/** core_block_ask: of a running domain's disks: array of CoreBlockStats */
GArray *core_block_ask(const CoreView *view, GError **error);

/** core_block_of: those of @disk among @all; NULL if there are none */
const CoreBlockStats *core_block_of(const GArray *all, const ConfDisk *disk);

/** core_block_find: the disk @name (target or path) that has an image;
 * INVALID_ARG with libvirt's words */
const ConfDisk *core_block_find(const ConfDomain *conf, const char *name,
                                GError **error);
