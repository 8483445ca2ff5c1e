/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/params.h"
#include "core/view.h"

/**
 * The groups "block" and "net" of a domain's statistics, named as libvirt's
 * QEMU driver names them. @view: opened
 * @backing: the images below are told, too
 */
void core_stats_add_block(const CoreView *view, bool backing,
                          CoreParams *params);
void core_stats_add_net(const CoreView *view, CoreParams *params);
