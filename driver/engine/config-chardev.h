/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/member.h"

typedef enum EngineChardevType {
    ENGINE_CHARDEV_NULL = 0,
    ENGINE_CHARDEV_STDIO,
    ENGINE_CHARDEV_FD,
    ENGINE_CHARDEV_PTY,
    ENGINE_CHARDEV_LISTEN,
} EngineChardevType;

typedef struct EngineChardevConfig {
    EngineChardevType type;
    int fd;     /* -1: none */
    int log_fd; /* -1: none */
} EngineChardevConfig;

/** A chardev of the document, into an EngineChardevConfig. */
extern const EngineMember engine_chardev_members[];
