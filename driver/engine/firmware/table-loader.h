/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "engine/x86/acpi.h"

/* The names of the files that the commands speak of */
#define ENGINE_LOADER_FILE "etc/table-loader"
#define ENGINE_TABLES_FILE "etc/acpi/tables"
#define ENGINE_RSDP_FILE   "etc/acpi/rsdp"

/**
 * engine_table_loader: the commands by which firmware puts @acpi into memory:
 * allocate, add addresses to pointers, make checksums right
 * @acpi: made for base 0
 * Returns: the contents of ENGINE_LOADER_FILE
 */
GByteArray *engine_table_loader(const EngineAcpi *acpi);
