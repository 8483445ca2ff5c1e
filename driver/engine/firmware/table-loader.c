/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/firmware/table-loader.h"

#include <string.h>

/* Commands are of one size, little-endian, and name files in a fixed field. */
#define COMMAND_BYTES    128
#define NAME_BYTES       56
#define COMMAND_ALLOCATE 1
#define COMMAND_POINTER  2
#define COMMAND_CHECKSUM 3

#define ZONE_HIGH     1 /* anywhere below 4 GiB */
#define ZONE_FSEGMENT 2 /* where systems look for the RSDP */
#define TABLES_ALIGN  64
#define RSDP_ALIGN    16

typedef struct Command {
    uint8_t bytes[COMMAND_BYTES];
    unsigned used;
} Command;

static void
put(Command *command, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        command->bytes[command->used++] = (uint8_t)(value >> (8 * i));
}

static void
put_name(Command *command, const char *name)
{
    g_assert(strlen(name) < NAME_BYTES);
    memcpy(command->bytes + command->used, name, strlen(name));
    command->used += NAME_BYTES;
}

static void
add(GByteArray *script, const Command *command)
{
    g_byte_array_append(script, command->bytes, COMMAND_BYTES);
}

static void
add_allocate(GByteArray *script, const char *file, unsigned align, uint8_t zone)
{
    Command command = { .used = 0 };

    put(&command, COMMAND_ALLOCATE, 4);
    put_name(&command, file);
    put(&command, align, 4);
    put(&command, zone, 1);
    add(script, &command);
}

/* The place in @file holds an offset into the tables. */
static void
add_pointer(GByteArray *script, const char *file,
            const EngineAcpiPointer *pointer)
{
    Command command = { .used = 0 };

    put(&command, COMMAND_POINTER, 4);
    put_name(&command, file);
    put_name(&command, ENGINE_TABLES_FILE);
    put(&command, pointer->offset, 4);
    put(&command, pointer->size, 1);
    add(script, &command);
}

static void
add_checksum(GByteArray *script, const char *file, const EngineAcpiSum *sum)
{
    Command command = { .used = 0 };

    put(&command, COMMAND_CHECKSUM, 4);
    put_name(&command, file);
    put(&command, sum->offset, 4);
    put(&command, sum->start, 4);
    put(&command, sum->length, 4);
    add(script, &command);
}

static void
add_rsdp(GByteArray *script)
{
    static const EngineAcpiPointer xsdt = { ENGINE_ACPI_RSDP_XSDT, 8 };
    static const EngineAcpiSum first = { ENGINE_ACPI_RSDP_SUM, 0,
                                         ENGINE_ACPI_RSDP_SIZE_V1 };
    static const EngineAcpiSum all = { ENGINE_ACPI_RSDP_SUM_ALL, 0,
                                       ENGINE_ACPI_RSDP_SIZE };

    add_pointer(script, ENGINE_RSDP_FILE, &xsdt);
    add_checksum(script, ENGINE_RSDP_FILE, &first);
    add_checksum(script, ENGINE_RSDP_FILE, &all);
}

GByteArray *
engine_table_loader(const EngineAcpi *acpi)
{
    GByteArray *script = g_byte_array_new();

    add_allocate(script, ENGINE_RSDP_FILE, RSDP_ALIGN, ZONE_FSEGMENT);
    add_allocate(script, ENGINE_TABLES_FILE, TABLES_ALIGN, ZONE_HIGH);
    for (guint i = 0; i < acpi->pointers->len; i++)
        add_pointer(script, ENGINE_TABLES_FILE,
                    &g_array_index(acpi->pointers, EngineAcpiPointer, i));
    for (guint i = 0; i < acpi->sums->len; i++)
        add_checksum(script, ENGINE_TABLES_FILE,
                     &g_array_index(acpi->sums, EngineAcpiSum, i));
    add_rsdp(script);
    return script;
}
