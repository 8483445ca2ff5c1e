/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/x86/acpi.h"

#include <string.h>

#include "engine/x86/acpi-table.h"
#include "engine/x86/boot.h"
#include "util/error.h"
#include "util/i18n.h"

#define OEM_ID       "VIRTKV"   /* six characters */
#define OEM_TABLE_ID "VIRTKVM " /* eight */
#define CREATOR_ID   "VKVM"
#define OEM_REVISION 1

#define LENGTH_OFFSET   4
#define CHECKSUM_OFFSET 9
#define TABLE_ALIGN     16
#define FACS_ALIGN      64
#define FACS_SIZE       64
#define FACS_VERSION    2
#define RSDP_SIZE       36
#define RSDP_SIZE_V1    20
#define RSDP_REVISION   2
#define XSDT_MAX        8 /* tables it points at */

/* Where the tables go: one after the other from ENGINE_ACPI_GPA on. */
typedef struct Layout {
    uint8_t *ram;  /* of ENGINE_ACPI_MAX bytes */
    uint64_t used; /* may exceed ENGINE_ACPI_MAX, then nothing was written */
    uint64_t tables[XSDT_MAX];
    unsigned n_tables;
} Layout;

void
engine_acpi_put(GByteArray *table, uint64_t value, unsigned size)
{
    uint8_t bytes[8];

    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    g_byte_array_append(table, bytes, size);
}

static void
put_text(GByteArray *table, const char *text)
{
    g_byte_array_append(table, (const uint8_t *)text, (guint)strlen(text));
}

GByteArray *
engine_acpi_table_new(const char *signature, unsigned revision)
{
    GByteArray *table = g_byte_array_new();

    put_text(table, signature);
    engine_acpi_put(table, 0, 4); /* length */
    engine_acpi_put(table, revision, 1);
    engine_acpi_put(table, 0, 1); /* checksum */
    put_text(table, OEM_ID);
    put_text(table, OEM_TABLE_ID);
    engine_acpi_put(table, OEM_REVISION, 4);
    put_text(table, CREATOR_ID);
    engine_acpi_put(table, OEM_REVISION, 4);
    return table;
}

/* What makes all of the bytes add up to zero */
static uint8_t
checksum(const uint8_t *bytes, size_t size)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < size; i++)
        sum += bytes[i];
    return (uint8_t)-sum;
}

void
engine_acpi_table_finish(GByteArray *table)
{
    for (unsigned i = 0; i < 4; i++)
        table->data[LENGTH_OFFSET + i] = (uint8_t)(table->len >> (8 * i));
    table->data[CHECKSUM_OFFSET] = 0;
    table->data[CHECKSUM_OFFSET] = checksum(table->data, table->len);
}

/* Returns: guest physical address. Consumes @bytes. */
static uint64_t
layout_put(Layout *layout, GByteArray *bytes, unsigned align)
{
    uint64_t offset = (layout->used + align - 1) / align * align;

    layout->used = offset + bytes->len;
    if (layout->used <= ENGINE_ACPI_MAX)
        memcpy(layout->ram + offset, bytes->data, bytes->len);
    g_byte_array_unref(bytes);
    return ENGINE_ACPI_GPA + offset;
}

static uint64_t
layout_put_table(Layout *layout, GByteArray *table)
{
    engine_acpi_table_finish(table);
    return layout_put(layout, table, TABLE_ALIGN);
}

/* A table that the XSDT names */
static void
layout_list_table(Layout *layout, GByteArray *table)
{
    g_assert(layout->n_tables < XSDT_MAX);
    layout->tables[layout->n_tables++] = layout_put_table(layout, table);
}

static GByteArray *
make_facs(void)
{
    GByteArray *facs = g_byte_array_new();

    put_text(facs, "FACS");
    engine_acpi_put(facs, FACS_SIZE, 4);
    g_byte_array_set_size(facs, FACS_SIZE);
    memset(facs->data + 8, 0, FACS_SIZE - 8);
    facs->data[32] = FACS_VERSION;
    return facs;
}

static GByteArray *
make_rsdp(uint64_t xsdt)
{
    GByteArray *rsdp = g_byte_array_new();

    put_text(rsdp, "RSD PTR ");
    engine_acpi_put(rsdp, 0, 1); /* checksum of the first 20 bytes */
    put_text(rsdp, OEM_ID);
    engine_acpi_put(rsdp, RSDP_REVISION, 1);
    engine_acpi_put(rsdp, 0, 4); /* no RSDT */
    engine_acpi_put(rsdp, RSDP_SIZE, 4);
    engine_acpi_put(rsdp, xsdt, 8);
    engine_acpi_put(rsdp, 0, 4); /* checksum of all, reserved */
    rsdp->data[8] = checksum(rsdp->data, RSDP_SIZE_V1);
    rsdp->data[32] = checksum(rsdp->data, RSDP_SIZE);
    return rsdp;
}

/* Fills the area. Returns: guest physical address of the RSDP */
static uint64_t
layout_fill(Layout *layout, const EngineConfig *config)
{
    GByteArray *xsdt = engine_acpi_table_new("XSDT", 1);
    uint64_t facs = layout_put(layout, make_facs(), FACS_ALIGN);
    uint64_t dsdt = layout_put_table(layout, engine_acpi_dsdt(config));

    layout_list_table(layout, engine_acpi_fadt(config, facs, dsdt));
    layout_list_table(layout, engine_acpi_madt(config));
    if (config->machine == ENGINE_MACHINE_Q35)
        layout_list_table(layout, engine_acpi_mcfg());
    layout_list_table(layout, engine_acpi_waet());
    for (unsigned i = 0; i < layout->n_tables; i++)
        engine_acpi_put(xsdt, layout->tables[i], 8);
    return layout_put(layout, make_rsdp(layout_put_table(layout, xsdt)),
                      TABLE_ALIGN);
}

bool
engine_acpi_build(Engine *engine, const EngineConfig *config,
                  uint64_t *ret_rsdp, GError **error)
{
    Layout layout = { .ram = engine_memory_at(engine, ENGINE_ACPI_GPA,
                                              ENGINE_ACPI_MAX) };
    uint64_t rsdp;

    if (!layout.ram) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("memory of %llu KiB is too small for ACPI, which needs "
                    "1024 KiB"),
                  (unsigned long long)(config->memory >> 10));
        return false;
    }
    rsdp = layout_fill(&layout, config);
    if (layout.used > ENGINE_ACPI_MAX) {
        error_set(error, VIR_ERR_INTERNAL_ERROR,
                  _("the ACPI tables take %llu bytes, more than the %u there "
                    "are"),
                  (unsigned long long)layout.used, ENGINE_ACPI_MAX);
        return false;
    }
    *ret_rsdp = rsdp;
    return true;
}
