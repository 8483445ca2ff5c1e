/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/domain.h"
#include "util/file.h"

/** Files a bad hand put there: no definition is larger. */
#define CORE_FILE_MAX_BYTES (CONF_XML_MAX_BYTES + 65536)

/**
 * Definitions on disk: <config_dir>/NAME.xml, replaced atomically and durably;
 * autostart marks: <config_dir>/autostart/NAME.xml, links.
 * These block for the disk: without a domain's lock, with its job.
 */
bool core_persist_save(VirtkvmState *state, const char *name,
                       const CoreDef *def, GError **error);
/** core_persist_draft: the part of core_persist_save() that may well fail */
FileDraft *core_persist_draft(VirtkvmState *state, const char *name,
                              const CoreDef *def, GError **error);
/** core_persist_remove: the definition and its autostart mark */
bool core_persist_remove(VirtkvmState *state, const char *name, GError **error);
/** core_persist_rename: after a crash at any moment there is one definition,
 * under the old name or the new */
bool core_persist_rename(VirtkvmState *state, const char *name,
                         const char *new_name, const CoreDef *def,
                         GError **error);
bool core_persist_set_autostart(VirtkvmState *state, const char *name,
                                bool autostart, GError **error);

/**
 * core_persist_load_all: read all definitions into the list
 *
 * A domain that is there gets the file's definition; a bad file is logged and
 * skipped. @reload: clients are served meanwhile, and what is new or
 * changed is an event
 */
bool core_persist_load_all(VirtkvmState *state, bool reload, GError **error);
