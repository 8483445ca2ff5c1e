/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/config.h"
#include "engine/device.h"

/** Where: in the range that guests search, above the ACPI tables of any machine
 * small enough for an MP table. */
#define ENGINE_MPTABLE_GPA 0xf0000
#define ENGINE_MPTABLE_MAX 0xc000
/** CPUs with a higher local APIC id have no place in it. */
#define ENGINE_MPTABLE_APIC_ID_MAX 254

/**
 * engine_mptable_build: processors and interrupt lines for guests without ACPI,
 * or told not to use it (Intel MultiProcessor Specification 1.4)
 *
 * Called at start and again at every reset, after engine_acpi_build(). Machines
 * without a local APIC, and with more CPUs than fit, get none.
 * Returns: whether there is one; RAM must reach that far
 */
bool engine_mptable_build(Engine *engine, const EngineConfig *config);
