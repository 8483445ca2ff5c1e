/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/domain.h"

/** The job that a domain from a status file is held by. */
#define CORE_RECONNECT_JOB "reconnect"

/** A domain that a status file named. */
typedef struct CoreReconnect {
    CoreDomain *domain;
    CoreEngineRecord record;
    bool autodestroy; /* its client went with the daemon that served it */
} CoreReconnect;

void core_reconnect_free(gpointer reconnect);

/**
 * core_reconnect_all: find the engines of @found again
 *
 * Those that have ended become inactive, with the proper reason. The others
 * keep their job until their engine has answered. Thread: main, before clients
 */
void core_reconnect_all(VirtkvmState *state, GPtrArray *found);
