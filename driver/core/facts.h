/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "conf/capabilities.h"
#include "core/state.h"

/**
 * What the driver knows about the host, asked for once, at the first question,
 * and kept: what KVM can give does not change while the daemon runs.
 */
CoreHostFacts *core_facts_new(void);
/** core_facts_free: @state's */
void core_facts_free(VirtkvmState *state);

/** core_facts_get: constant until the state ends. Thread: any */
const ConfHost *core_facts_get(VirtkvmState *state);
