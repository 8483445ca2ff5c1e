/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/firmware/firmware.h"

#include <string.h>

#include "engine/dev/pci.h"
#include "engine/engine.h"
#include "engine/firmware/boot-order.h"
#include "engine/firmware/fw-cfg.h"
#include "engine/firmware/image.h"
#include "engine/firmware/table-loader.h"
#include "engine/x86/acpi.h"
#include "engine/x86/boot.h"
#include "engine/x86/cpu.h"
#include "engine/x86/smbios.h"

#define ID_TRADITIONAL 0x1
#define ID_DMA         0x2

#define E820_RAM      1
#define E820_RESERVED 2
#define HIGH_BASE     (UINT64_C(1) << 32)
#define SERCON_PORT   0x3f8 /* COM1 */
#define IRQ0_IS_GSI2  1
#define UUID_BYTES    16

/* Sleeping states S0 to S5: bit 7: there is one; the rest: its type */
#define STATE_THERE 0x80

/* Firmware learns the tables' size long before it asks for them, and only then
 * do they say where it has put the configuration window: so there is room for
 * what that may change. */
#define TABLES_UNIT 4096u
#define TABLES_ROOM 256u
#define LOADER_UNIT 1024u

static void
put_memory_map(Engine *engine, const EngineConfig *config)
{
    GByteArray *map = g_byte_array_new();
    uint64_t low = engine_low_memory(config);
    const EngineE820 entries[] = {
        { 0, low, E820_RAM },
        { ENGINE_KVM_PAGES_GPA, ENGINE_KVM_PAGES_SIZE, E820_RESERVED },
        { HIGH_BASE, config->memory - low, E820_RAM },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(entries); i++) {
        uint64_t numbers[] = { GUINT64_TO_LE(entries[i].base),
                               GUINT64_TO_LE(entries[i].size) };
        uint32_t type = GUINT32_TO_LE(entries[i].type);

        if (entries[i].size == 0)
            continue;
        g_byte_array_append(map, (const uint8_t *)numbers, sizeof(numbers));
        g_byte_array_append(map, (const uint8_t *)&type, sizeof(type));
    }
    engine_fw_cfg_put_file(engine, "etc/e820", map->data, map->len);
    g_byte_array_unref(map);
}

static void
put_uuid(Engine *engine, const char *text)
{
    uint8_t uuid[UUID_BYTES];

    engine_uuid_bytes(text, uuid);
    engine_fw_cfg_put(engine, ENGINE_FW_CFG_UUID, uuid, sizeof(uuid));
}

/* The highest local APIC id, and one */
static unsigned
apic_id_limit(const EngineConfig *config)
{
    unsigned limit = 0;

    for (unsigned i = 0; i < config->vcpus; i++)
        limit = MAX(limit, engine_apic_id(config, i) + 1);
    return limit;
}

static void
put_numbers(Engine *engine, const EngineConfig *config)
{
    const struct {
        unsigned key;
        unsigned size;
        uint64_t value;
    } numbers[] = {
        { ENGINE_FW_CFG_ID, 4, ID_TRADITIONAL | ID_DMA },
        { ENGINE_FW_CFG_RAM_SIZE, 8, config->memory },
        { ENGINE_FW_CFG_NO_GRAPHICS, 2, 0 },
        { ENGINE_FW_CFG_CPUS, 2, config->vcpus },
        { ENGINE_FW_CFG_NUMA, 8, 0 },
        { ENGINE_FW_CFG_BOOT_MENU, 2, config->boot.menu },
        { ENGINE_FW_CFG_MAX_CPUS, 2, apic_id_limit(config) },
        { ENGINE_FW_CFG_ACPI, 2, 0 },
        { ENGINE_FW_CFG_SMBIOS, 2, 0 },
        { ENGINE_FW_CFG_IRQ0_OVERRIDE, 1, IRQ0_IS_GSI2 },
    };

    engine_fw_cfg_put(engine, ENGINE_FW_CFG_SIGNATURE, "QEMU", 4);
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        engine_fw_cfg_put_number(engine, numbers[i].key, numbers[i].value,
                                 numbers[i].size);
}

static void
put_boot(Engine *engine, const EngineConfig *config)
{
    static const uint8_t states[] = {
        STATE_THERE, 0, 0, 1, 2, STATE_THERE | ENGINE_S5_TYPE
    };
    g_autoptr(GPtrArray) devices = engine_device_configs(engine);
    g_autofree char *order = engine_boot_order(devices);

    if (order)
        engine_fw_cfg_put_file(engine, "bootorder", order, strlen(order) + 1);
    if (config->boot.menu_timeout_ms)
        engine_fw_cfg_put_file_number(engine, "etc/boot-menu-wait",
                                      config->boot.menu_timeout_ms, 2);
    engine_fw_cfg_put_file_number(engine, "etc/boot-fail-wait",
                                  (uint64_t)config->boot.reboot_timeout_ms, 4);
    if (config->boot.serial && config->serials[0].present)
        engine_fw_cfg_put_file_number(engine, "etc/sercon-port", SERCON_PORT,
                                      2);
    engine_fw_cfg_put_file(engine, "etc/system-states", states, sizeof(states));
}

/* --- ACPI ----------------------------------------------------------------- */
/* Contents of a size that will do even if a little is added */
static void
put_padded(Engine *engine, const char *name, GByteArray *bytes, guint size)
{
    guint used = bytes->len;

    g_byte_array_set_size(bytes, size);
    memset(bytes->data + used, 0, size - used);
    engine_fw_cfg_put_file(engine, name, bytes->data, size);
}

static guint
padded(guint size, guint room, guint unit)
{
    return (size + room + unit - 1) / unit * unit;
}

static void
put_tables(Engine *engine, EngineAcpi *acpi, guint tables, guint loader)
{
    g_autoptr(GByteArray) script = engine_table_loader(acpi);

    if (acpi->tables->len > tables || script->len > loader)
        return; /* they stay as they were */
    put_padded(engine, ENGINE_TABLES_FILE, acpi->tables, tables);
    put_padded(engine, ENGINE_LOADER_FILE, script, loader);
    engine_fw_cfg_put_file(engine, ENGINE_RSDP_FILE, acpi->rsdp->data,
                           acpi->rsdp->len);
}

static guint
tables_size(const EngineAcpi *acpi)
{
    return padded(acpi->tables->len, TABLES_ROOM, TABLES_UNIT);
}

static guint
loader_size(const EngineAcpi *acpi)
{
    g_autoptr(GByteArray) script = engine_table_loader(acpi);

    return padded(script->len, 0, LOADER_UNIT);
}

/* What was made before the guest ran: with the window, if there is to be one,
 * at its usual place */
static EngineAcpi *
first_tables(const EngineConfig *config)
{
    bool q35 = config->machine == ENGINE_MACHINE_Q35;

    return engine_acpi_new(config, 0, q35 ? ENGINE_FIRMWARE_ECAM_BASE : 0);
}

/* The guest asks for them: it has placed everything by now. */
static void
refresh_tables(Engine *engine)
{
    const EngineConfig *config = engine_config(engine);
    uint64_t ecam = engine_pci_ecam(engine);
    g_autoptr(EngineAcpi) first = first_tables(config);
    g_autoptr(EngineAcpi) acpi = NULL;

    acpi = engine_acpi_new(config, 0, ecam == ENGINE_PCI_UNMAPPED ? 0 : ecam);
    put_tables(engine, acpi, tables_size(first), loader_size(first));
}

static void
put_acpi(Engine *engine, const EngineConfig *config)
{
    g_autoptr(EngineAcpi) acpi = first_tables(config);

    put_tables(engine, acpi, tables_size(acpi), loader_size(acpi));
    engine_fw_cfg_set_hook(engine, ENGINE_LOADER_FILE, refresh_tables);
}

/* Firmware places the structures and completes the entry point. */
static bool
put_smbios(Engine *engine, const EngineConfig *config, GError **error)
{
    g_autoptr(EngineSmbios) smbios = engine_smbios_new(config, 0, error);

    if (!smbios)
        return false;
    engine_fw_cfg_put_file(engine, "etc/smbios/smbios-tables",
                           smbios->tables->data, smbios->tables->len);
    engine_fw_cfg_put_file(engine, "etc/smbios/smbios-anchor", smbios->anchor,
                           sizeof(smbios->anchor));
    return true;
}

bool
engine_firmware_load(Engine *engine, const EngineConfig *config, GError **error)
{
    engine_fw_cfg_clear(engine);
    put_numbers(engine, config);
    put_uuid(engine, config->uuid);
    put_memory_map(engine, config);
    put_boot(engine, config);
    if (config->acpi)
        put_acpi(engine, config);
    return put_smbios(engine, config, error) &&
           engine_rom_shadow(engine, error);
}
