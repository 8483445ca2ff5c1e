/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/domain.h"

/**
 * Status files: what another virtkvmd needs to find a running domain again.
 * Volatile (no fsync), replaced whole at every change.
 */

/** core_status_write: with the lock held, of a domain that has an engine */
bool core_status_write(CoreDomain *domain, GError **error);

/** core_status_save: with the lock held, of an active domain (else nothing).
 * A failure is logged: the domain runs on. */
void core_status_save(CoreDomain *domain);

/** core_status_remove: with the lock held, before the id is forgotten */
void core_status_remove(CoreDomain *domain);

/**
 * core_status_load_all: put the domains of all status files into the list
 *
 * After core_persist_load_all(). Each is as its file says; core_reconnect_all()
 * finds out the truth. What cannot be used is logged and left out. Returns:
 * array of CoreReconnect, for core_reconnect_all()
 */
GPtrArray *core_status_load_all(VirtkvmState *state);
