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
 * Both definitions are tried before anything is done, and the file is written
 * but for its name; then the engine does it, then the file gets its name. On
 * false nothing has changed, unless a disk fails between the two.
 */
bool core_change(CoreCall *call, const CoreChange *change, GError **error);

/** The parts of AFFECT_CONFIG, for calls that do something in between. */

/** core_change_try: what @def would be then; owned; NULL on error */
CoreDef *core_change_try(const CoreDef *def, const CoreChange *change,
                         bool live, GError **error);

/** A persistent definition that is written, and not yet in force. */
typedef struct CoreDraft CoreDraft;
/** core_change_draft: with lock and job; the lock is released meanwhile. NULL
 * on error */
CoreDraft *core_change_draft(CoreDomain *domain, const CoreChange *change,
                             GError **error);
/** core_change_keep: with the same job: it is the definition of the next start
 * from now on. The lock is released meanwhile. */
bool core_change_keep(CoreDomain *domain, CoreDraft *draft, GError **error);
/** core_draft_free: as if it had never been, unless it was kept */
void core_draft_free(CoreDraft *draft);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CoreDraft, core_draft_free)

/** core_change_live: change the running definition only, with the lock held,
 * without the job: for what the engine tells */
bool core_change_live(CoreDomain *domain, const CoreChange *change,
                      GError **error);
