/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/domain.h"

/**
 * A definition as the core keeps it: immutable, shared, and small. It is the
 * document's text and the few facts that lists and statistics ask for; the
 * structs are read from it when something needs them, which costs less than
 * keeping thousands of parsed documents.
 */
typedef struct CoreDef {
    gatomicrefcount refs;
    unsigned parse_flags; /* ConfParseFlags to read it with */
    unsigned vcpus_max;
    unsigned vcpus; /* plugged at boot */
    unsigned iothreads;
    uint64_t memory_kib;
    uint64_t current_kib; /* never 0 */
    ConfAction on_reboot;
    bool has_title;
    bool has_balloon;
    size_t size;
    char xml[]; /* with secrets; NUL-terminated */
} CoreDef;

/** core_def_new: of an inactive definition, as it stands in the config folder
 */
CoreDef *core_def_new(const ConfDomain *conf);
/** core_def_new_live: of a running domain, with what only a live one has */
CoreDef *core_def_new_live(const ConfDomain *conf);

CoreDef *core_def_ref(CoreDef *def);
void core_def_unref(CoreDef *def); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CoreDef, core_def_unref)

/** core_def_open: the definition as structs, the caller's own */
ConfDomain *core_def_open(const CoreDef *def, GError **error);
