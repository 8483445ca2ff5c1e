/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/config.h"
#include "engine/options.h"

/**
 * engine_inherit_check: whether every descriptor that @config names is open
 * @error: INVALID_ARG, with the number and what it was for
 */
bool engine_inherit_check(const EngineConfig *config, GError **error);

/**
 * engine_inherit_close: close every descriptor beyond standard error that
 * neither @options nor @config name, and make the others close-on-exec
 */
void engine_inherit_close(const EngineOptions *options,
                          const EngineConfig *config);
