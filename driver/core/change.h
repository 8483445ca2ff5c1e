/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/api.h"

/**
 * Changes of a domain's definitions: the running one (AFFECT_LIVE), the one of
 * the next start (AFFECT_CONFIG), or both.
 */
typedef struct CoreChange {
    /** changes a definition; called once or twice for each, with the lock;
     * @live: it is that of the running domain */
    bool (*apply)(ConfDomain *conf, bool live, gpointer data, GError **error);
    /** does it in the engine, before the running definition says so;
     * NULL: nothing is to be done there */
    CoreEngineCall engine;
    gpointer data;
} CoreChange;

/**
 * core_change: carry @change out as call->flags (AFFECT_*, turned into LIVE
 * and CONFIG here) say, with the lock and the job
 *
 * Both definitions are tried before anything is done; then the engine does it,
 * then the file is written. On false with the engine's or the file's error what
 * was done already stays.
 */
bool core_change(CoreCall *call, const CoreChange *change, GError **error);

/** The two halves of AFFECT_CONFIG, for calls that do something in between:
 * core_change_try: what @def would be then; owned; NULL on error.
 * core_change_save: with lock and job: write @def and let it be the definition
 * of the next start. The lock is released meanwhile. */
CoreDef *core_change_try(const CoreDef *def, const CoreChange *change,
                         bool live, GError **error);
bool core_change_save(CoreDomain *domain, CoreDef *def, GError **error);

/** core_change_live: change the running definition only, with the lock held,
 * without the job: for what the engine tells */
bool core_change_live(CoreDomain *domain, const CoreChange *change,
                      GError **error);
