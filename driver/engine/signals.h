/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/engine.h"

/**
 * engine_signals_block: from now on SIGTERM, SIGINT and SIGHUP wait for
 * engine_signals_watch(). Thread: main, before others start
 */
void engine_signals_block(void);

/** engine_signals_watch: end @engine on any of them. Thread: main */
void engine_signals_watch(Engine *engine);
