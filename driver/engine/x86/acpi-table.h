/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "engine/config.h"

/*
 * The tables, private to the files acpi*.c. Each function returns a table
 * whose header's length and checksum engine_acpi_table_finish() fills.
 */
#define ENGINE_ACPI_HEADER_SIZE 36

/** engine_acpi_table_new: a header with @signature, then room for the rest */
GByteArray *engine_acpi_table_new(const char *signature, unsigned revision);
void engine_acpi_table_finish(GByteArray *table);
/** engine_acpi_put: append @size bytes, little-endian */
void engine_acpi_put(GByteArray *table, uint64_t value, unsigned size);

/** engine_acpi_checksum: what makes all of the bytes add up to zero */
uint8_t engine_acpi_checksum(const uint8_t *bytes, size_t size);

/** @ecam: as engine_acpi_new() */
GByteArray *engine_acpi_dsdt(const EngineConfig *config, uint64_t ecam);
/** engine_acpi_put_slots: into the host bridge: what plugs and unplugs devices
 * in the slots of bus 0 */
void engine_acpi_put_slots(GByteArray *bridge);
/** engine_acpi_put_slot_event: into the root: who is called when a slot wants
 * attention */
void engine_acpi_put_slot_event(GByteArray *root);
/** @facs, @dsdt: guest physical */
GByteArray *engine_acpi_fadt(const EngineConfig *config, uint64_t facs,
                             uint64_t dsdt);
GByteArray *engine_acpi_madt(const EngineConfig *config);
GByteArray *engine_acpi_mcfg(uint64_t ecam);
GByteArray *engine_acpi_waet(void);
