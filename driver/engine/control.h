/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/engine.h"

#define ENGINE_CONTROL_LINE_MAX    65536 /* of a request */
#define ENGINE_CONTROL_ANSWER_MAX  (1u << 20)
#define ENGINE_CONTROL_CLIENTS_MAX 16
#define ENGINE_CONTROL_FDS_MAX     64 /* with a request */

typedef struct EngineControl EngineControl;

/**
 * engine_control_new: serve the control socket (docs/engine-protocol.md) on the
 * main context; becomes the engine's listener
 * @listen_fd: owned from here on. Thread: main
 */
EngineControl *engine_control_new(Engine *engine, int listen_fd);
/** engine_control_free: delivers what is queued (bounded in time), then closes;
 * before engine_free(). NULL is fine */
void engine_control_free(EngineControl *control);

/**
 * engine_control_refuse: tell who has connected already that the engine did not
 * start, and close them; @listen_fd stays the caller's
 * @message: becomes the first and only line, an error
 */
void engine_control_refuse(int listen_fd, const char *message);
