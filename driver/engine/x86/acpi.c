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
#define RSDP_REVISION   2
#define XSDT_MAX        8 /* tables it points at */
/* Pointers in the FADT (ACPI 6.4, 5.2.9) */
#define FADT_FACS   36
#define FADT_DSDT   40
#define FADT_X_DSDT 140

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

uint8_t
engine_acpi_checksum(const uint8_t *bytes, size_t size)
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
    table->data[CHECKSUM_OFFSET] =
        engine_acpi_checksum(table->data, table->len);
}

/* --- the blob ------------------------------------------------------------- */
/* Returns: guest physical address. Consumes @bytes. */
static uint64_t
blob_put(EngineAcpi *acpi, GByteArray *bytes, unsigned align)
{
    static const uint8_t zeroes[FACS_ALIGN];
    guint gap = (align - acpi->tables->len % align) % align;
    uint64_t at = acpi->tables->len + gap;

    g_byte_array_append(acpi->tables, zeroes, gap);
    g_byte_array_append(acpi->tables, bytes->data, bytes->len);
    g_byte_array_unref(bytes);
    return acpi->base + at;
}

static uint64_t
blob_put_table(EngineAcpi *acpi, GByteArray *table)
{
    engine_acpi_table_finish(table);
    return blob_put(acpi, table, TABLE_ALIGN);
}

/* The @size bytes at @offset of the table at @gpa point at another one. */
static void
note_pointer(EngineAcpi *acpi, uint64_t gpa, unsigned offset, unsigned size)
{
    EngineAcpiPointer pointer = { (uint32_t)(gpa - acpi->base) + offset, size };

    g_array_append_val(acpi->pointers, pointer);
}

/* The table at @gpa, which is the last, holds pointers. */
static void
note_sum(EngineAcpi *acpi, uint64_t gpa)
{
    uint32_t start = (uint32_t)(gpa - acpi->base);
    EngineAcpiSum sum = { start + CHECKSUM_OFFSET, start,
                          acpi->tables->len - start };

    g_array_append_val(acpi->sums, sum);
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
    engine_acpi_put(rsdp, ENGINE_ACPI_RSDP_SIZE, 4);
    engine_acpi_put(rsdp, xsdt, 8);
    engine_acpi_put(rsdp, 0, 4); /* checksum of all, reserved */
    rsdp->data[ENGINE_ACPI_RSDP_SUM] =
        engine_acpi_checksum(rsdp->data, ENGINE_ACPI_RSDP_SIZE_V1);
    rsdp->data[ENGINE_ACPI_RSDP_SUM_ALL] =
        engine_acpi_checksum(rsdp->data, ENGINE_ACPI_RSDP_SIZE);
    return rsdp;
}

static uint64_t
put_fadt(EngineAcpi *acpi, const EngineConfig *config)
{
    uint64_t facs = blob_put(acpi, make_facs(), FACS_ALIGN);
    uint64_t dsdt = blob_put_table(acpi, engine_acpi_dsdt(config, acpi->ecam));
    uint64_t fadt = blob_put_table(acpi, engine_acpi_fadt(config, facs, dsdt));

    note_pointer(acpi, fadt, FADT_FACS, 4);
    note_pointer(acpi, fadt, FADT_DSDT, 4);
    note_pointer(acpi, fadt, FADT_X_DSDT, 8);
    note_sum(acpi, fadt);
    return fadt;
}

/* Returns: the XSDT's address */
static uint64_t
put_tables(EngineAcpi *acpi, const EngineConfig *config)
{
    GByteArray *xsdt = engine_acpi_table_new("XSDT", 1);
    uint64_t tables[XSDT_MAX], at;
    unsigned count = 0;

    tables[count++] = put_fadt(acpi, config);
    tables[count++] = blob_put_table(acpi, engine_acpi_madt(config));
    if (acpi->ecam)
        tables[count++] = blob_put_table(acpi, engine_acpi_mcfg(acpi->ecam));
    tables[count++] = blob_put_table(acpi, engine_acpi_waet());
    for (unsigned i = 0; i < count; i++)
        engine_acpi_put(xsdt, tables[i], 8);
    at = blob_put_table(acpi, xsdt);
    for (unsigned i = 0; i < count; i++)
        note_pointer(acpi, at, ENGINE_ACPI_HEADER_SIZE + 8 * i, 8);
    note_sum(acpi, at);
    return at;
}

EngineAcpi *
engine_acpi_new(const EngineConfig *config, uint64_t base, uint64_t ecam)
{
    EngineAcpi *acpi = g_new0(EngineAcpi, 1);

    acpi->base = base;
    acpi->ecam = ecam;
    acpi->tables = g_byte_array_new();
    acpi->pointers = g_array_new(FALSE, FALSE, sizeof(EngineAcpiPointer));
    acpi->sums = g_array_new(FALSE, FALSE, sizeof(EngineAcpiSum));
    acpi->rsdp = make_rsdp(put_tables(acpi, config));
    return acpi;
}

void
engine_acpi_free(EngineAcpi *acpi)
{
    if (!acpi)
        return;
    g_byte_array_unref(acpi->tables);
    g_byte_array_unref(acpi->rsdp);
    g_array_unref(acpi->pointers);
    g_array_unref(acpi->sums);
    g_free(acpi);
}

bool
engine_acpi_build(Engine *engine, const EngineConfig *config,
                  uint64_t *ret_rsdp, GError **error)
{
    bool q35 = config->machine == ENGINE_MACHINE_Q35;
    g_autoptr(EngineAcpi) acpi =
        engine_acpi_new(config, ENGINE_ACPI_GPA, q35 ? ENGINE_ECAM_BASE : 0);
    uint8_t *ram = engine_memory_at(engine, ENGINE_ACPI_GPA, ENGINE_ACPI_MAX);

    if (!ram) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("memory of %llu KiB is too small for ACPI, which needs "
                    "1024 KiB"),
                  (unsigned long long)(config->memory >> 10));
        return false;
    }
    *ret_rsdp = blob_put(acpi, g_byte_array_ref(acpi->rsdp), TABLE_ALIGN);
    if (acpi->tables->len > ENGINE_ACPI_MAX) {
        error_set(error, VIR_ERR_INTERNAL_ERROR,
                  _("the ACPI tables take %llu bytes, more than the %u there "
                    "are"),
                  (unsigned long long)acpi->tables->len, ENGINE_ACPI_MAX);
        return false;
    }
    memcpy(ram, acpi->tables->data, acpi->tables->len);
    return true;
}
