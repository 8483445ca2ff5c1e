/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/api.h"

/**
 * What a question looks at: taken from a domain under its lock in a moment,
 * and read without it. All of it is the view's own.
 */
typedef struct CoreView {
    CoreEngine *engine;      /* of the running domain whose definition it is, or
                                NULL */
    CoreEngineRecord record; /* of that engine */
    CoreDef *def;
    uint64_t memory_kib; /* what the guest has now, or would have */
    ConfDomain *conf;    /* @def opened; NULL until then */
} CoreView;

/** core_view_fill: with the lock. @def: one of the domain's */
void core_view_fill(const CoreDomain *domain, CoreDef *def, CoreView *ret_view);

/**
 * core_view: the view that call->flags (AFFECT_*) choose, opened
 * @operation: its act is not looked at; with CORE_ACTIVE in its needs the
 * running definition is meant, whatever the flags
 * Returns: true; then core_view_clear() is due
 */
bool core_view(const CoreOperation *operation, const CoreCall *call,
               const VirtkvmDomainRef *dom, CoreView *ret_view, GError **error);

/** core_view_clear: NULL members are fine */
void core_view_clear(CoreView *view);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CoreView, core_view_clear)
