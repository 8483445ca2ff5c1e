/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/x86/acpi-aml.h"
#include "engine/x86/acpi-table.h"
#include "engine/x86/acpi.h"

/* The differentiated system description: what cannot be found by asking. */
#define DSDT_REVISION 2 /* integers of 64 bits */
/* More would not fit; the MADT has all. */
#define CPU_DEVICES_MAX 1024

#define PCI_CONFIG_PORT 0xcf8
#define PCI_SLOTS       32
#define PCI_PINS        4
#define ALL_FUNCTIONS   0xffff

#define PM_PORTS      0x600 /* all of the platform's own, with room */
#define PM_PORTS_SIZE 0x80

/* _OSC for PCI host bridges (PCI Firmware 3.2, 4.5.1) */
#define OSC_UUID           "33DB4D5B-1FF7-401C-9657-7441C03DD766"
#define OSC_UNRECOGNIZED   0x04
#define OSC_NATIVE         0x3c /* PME, AER, capability, LTR; not hot-plug */
#define OSC_STATUS_OFFSET  0
#define OSC_CONTROL_OFFSET 8

/* Takes the descriptors so far, ends them and makes them _CRS. */
static void
put_resources(GByteArray *out, GByteArray *resources)
{
    aml_resource_end(resources);
    aml_name(out, "_CRS");
    aml_buffer(out, resources);
}

static GByteArray *
device_body(const char *id, unsigned uid)
{
    GByteArray *body = g_byte_array_new();

    aml_name(body, "_HID");
    aml_eisa_id(body, id);
    aml_name_integer(body, "_UID", uid);
    return body;
}

/* --- PCI ------------------------------------------------------------------ */
/* The window for BARs, without the configuration window where that lies within
 */
static void
put_memory_windows(GByteArray *resources, const EngineConfig *config,
                   uint64_t ecam)
{
    uint64_t base = engine_pci_hole_base(config);
    uint64_t end = engine_pci_hole_end(config);

    if (ecam >= base && ecam < end) {
        if (ecam > base)
            aml_resource_memory_window(resources, (uint32_t)base,
                                       (uint32_t)ecam - 1);
        base = ecam + ENGINE_ECAM_SIZE;
    }
    if (end > base)
        aml_resource_memory_window(resources, (uint32_t)base,
                                   (uint32_t)end - 1);
}

static void
put_pci_resources(GByteArray *out, const EngineConfig *config, uint64_t ecam)
{
    GByteArray *resources = g_byte_array_new();
    uint64_t high = engine_pci64_base(config);

    aml_resource_buses(resources, 0, 255);
    aml_resource_io(resources, PCI_CONFIG_PORT, 8);
    aml_resource_io_window(resources, 0, PCI_CONFIG_PORT - 1);
    aml_resource_io_window(resources, PCI_CONFIG_PORT + 8, 0xffff);
    put_memory_windows(resources, config, ecam);
    aml_resource_memory64_window(resources, high, high + ENGINE_PCI64_SIZE - 1);
    put_resources(out, resources);
}

/* Which line each pin of each slot is on */
static void
put_pci_routes(GByteArray *out)
{
    GByteArray *routes = g_byte_array_new();

    for (unsigned i = 0; i < PCI_SLOTS * PCI_PINS; i++) {
        unsigned slot = i / PCI_PINS, pin = i % PCI_PINS;
        GByteArray *route = g_byte_array_new();

        aml_integer(route, (uint64_t)slot << 16 | ALL_FUNCTIONS);
        aml_integer(route, pin);
        aml_integer(route, 0); /* no link device: */
        aml_integer(route, engine_pci_gsi(slot, pin));
        aml_package(routes, 4, route);
    }
    aml_name(out, "_PRT");
    aml_package(out, PCI_SLOTS * PCI_PINS, routes);
}

/* The operating system may control all that PCI Express has but hot-plug, which
 * goes by the slots. */
static void
put_pci_osc(GByteArray *out)
{
    GByteArray *method = g_byte_array_new();
    GByteArray *is_pci = g_byte_array_new();
    GByteArray *grant = g_byte_array_new();

    aml_equal(is_pci);
    aml_argument(is_pci, 0);
    aml_uuid(is_pci, OSC_UUID);
    aml_dword_field(grant, 3, OSC_CONTROL_OFFSET, "CDW3");
    aml_and(grant, "CDW3", OSC_NATIVE);
    aml_return(grant);
    aml_argument(grant, 3);
    aml_if(method, is_pci, grant);
    aml_dword_field(method, 3, OSC_STATUS_OFFSET, "CDW1");
    aml_or(method, "CDW1", OSC_UNRECOGNIZED);
    aml_return(method);
    aml_argument(method, 3);
    aml_method(out, "_OSC", 4, method);
}

static void
put_pci(GByteArray *out, const EngineConfig *config, uint64_t ecam)
{
    bool express = config->machine == ENGINE_MACHINE_Q35;
    GByteArray *body = device_body(express ? "PNP0A08" : "PNP0A03", 0);

    if (express) {
        aml_name(body, "_CID");
        aml_eisa_id(body, "PNP0A03");
        put_pci_osc(body);
    }
    aml_name_integer(body, "_SEG", 0);
    aml_name_integer(body, "_BBN", 0);
    put_pci_resources(body, config, ecam);
    put_pci_routes(body);
    engine_acpi_put_slots(body);
    aml_device(out, "PCI0", body);
}

/* --- what is on the board ------------------------------------------------- */
static void
put_board(GByteArray *out, uint64_t ecam)
{
    GByteArray *body = device_body("PNP0C02", 0);
    GByteArray *resources = g_byte_array_new();

    aml_resource_io(resources, PM_PORTS, PM_PORTS_SIZE);
    if (ecam)
        aml_resource_memory(resources, (uint32_t)ecam, ENGINE_ECAM_SIZE);
    put_resources(body, resources);
    aml_device(out, "MBRD", body);
}

static void
put_rtc(GByteArray *out)
{
    GByteArray *body = device_body("PNP0B00", 0);
    GByteArray *resources = g_byte_array_new();

    aml_resource_io(resources, 0x70, 2);
    aml_resource_irq(resources, 8);
    put_resources(body, resources);
    aml_device(out, "RTC", body);
}

/* The name that Linux's driver looks for */
static void
put_pvpanic(GByteArray *out)
{
    GByteArray *body = g_byte_array_new();
    GByteArray *resources = g_byte_array_new();

    aml_name(body, "_HID");
    aml_string(body, "QEMU0001");
    aml_resource_io(resources, ENGINE_PVPANIC_PORT, 1);
    put_resources(body, resources);
    aml_device(out, "PVPC", body);
}

static void
put_serials(GByteArray *out, const EngineConfig *config)
{
    static const struct {
        const char *name;
        uint16_t base;
        uint8_t irq;
    } ports[ENGINE_SERIALS_MAX] = {
        { "COM1", 0x3f8, 4 },
        { "COM2", 0x2f8, 3 },
        { "COM3", 0x3e8, 4 },
        { "COM4", 0x2e8, 3 },
    };

    for (unsigned i = 0; i < ENGINE_SERIALS_MAX; i++) {
        GByteArray *body, *resources;

        if (!config->serials[i].present)
            continue;
        body = device_body("PNP0501", i + 1);
        resources = g_byte_array_new();
        aml_resource_io(resources, ports[i].base, 8);
        aml_resource_irq(resources, ports[i].irq);
        put_resources(body, resources);
        aml_device(out, ports[i].name, body);
    }
}

static void
put_cpus(GByteArray *out, const EngineConfig *config)
{
    for (unsigned i = 0; i < MIN(config->vcpus, CPU_DEVICES_MAX); i++) {
        GByteArray *body = g_byte_array_new();
        char name[5];

        g_snprintf(name, sizeof(name), "C%03X", i);
        aml_name(body, "_HID");
        aml_string(body, "ACPI0007");
        aml_name_integer(body, "_UID", i); /* as in the MADT */
        aml_device(out, name, body);
    }
}

/* Sleeping states: soft off only */
static void
put_sleep_states(GByteArray *out)
{
    GByteArray *values = g_byte_array_new();

    aml_integer(values, ENGINE_S5_TYPE);
    for (unsigned i = 0; i < 3; i++)
        aml_integer(values, 0);
    aml_name(out, "\\_S5");
    aml_package(out, 4, values);
}

GByteArray *
engine_acpi_dsdt(const EngineConfig *config, uint64_t ecam)
{
    GByteArray *dsdt = engine_acpi_table_new("DSDT", DSDT_REVISION);
    GByteArray *scope = g_byte_array_new();

    if (config->machine != ENGINE_MACHINE_MICROVM)
        put_pci(scope, config, ecam);
    put_board(scope, ecam);
    if (config->rtc)
        put_rtc(scope);
    if (config->pvpanic)
        put_pvpanic(scope);
    put_serials(scope, config);
    put_cpus(scope, config);
    aml_scope(dsdt, "\\_SB", scope);
    if (config->machine != ENGINE_MACHINE_MICROVM)
        engine_acpi_put_slot_event(dsdt);
    put_sleep_states(dsdt);
    return dsdt;
}
