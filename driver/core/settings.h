/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdbool.h>

#include "conf/domain.h"
#include "core/state.h"

/**
 * core_settings_apply: what virtkvmd.conf says of every domain, put into @conf
 * @error: CONF_SYNTAX names the setting
 */
bool core_settings_apply(const VirtkvmState *state, ConfDomain *conf,
                         GError **error);
