/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/x86/smbios.h"

#include <string.h>

#include "engine/x86/acpi-table.h"
#include "engine/x86/acpi.h"
#include "util/error.h"
#include "util/i18n.h"

/* Versions, types, values and offsets are those of DSP0134, chapters 5 and 7.
 */
#define VERSION_MAJOR 2
#define VERSION_MINOR 8
#define MIB           (UINT64_C(1) << 20)

#define HANDLE_BIOS      0x0000
#define HANDLE_SYSTEM    0x0100
#define HANDLE_BOARD     0x0200
#define HANDLE_CHASSIS   0x0300
#define HANDLE_PROCESSOR 0x0400
#define HANDLE_OEM       0x0b00
#define HANDLE_ARRAY     0x1000
#define HANDLE_DEVICE    0x1100
#define HANDLE_RANGE     0x1300
#define HANDLE_BOOT      0x2000
#define HANDLE_END       0x7f00
#define NO_HANDLE        0xffff
#define NO_ERRORS        0xfffe /* no structure of errors */

#define BIOS_SEGMENT      0xf000
#define BIOS_UNKNOWN      (1 << 3) /* characteristics are not told */
#define BIOS_TARGETED     (1 << 2) /* second extension byte */
#define BIOS_UEFI         (1 << 3)
#define BIOS_VIRTUAL      (1 << 4)
#define WAKE_POWER_SWITCH 6
#define BOARD_HOSTING     1
#define BOARD_MOTHERBOARD 10
#define CHASSIS_OTHER     1
#define STATE_SAFE        3
#define SECURITY_NONE     3
#define PROCESSOR_CENTRAL 3
#define FAMILY_OTHER      1
#define SOCKET_ENABLED    0x41 /* populated, enabled */
#define UPGRADE_OTHER     1
#define PROCESSOR_64_BIT  (1 << 2)
#define ARRAY_OTHER       1
#define ARRAY_SYSTEM      3
#define ERRORS_NONE       3
#define FORM_DIMM         9
#define MEMORY_RAM        7
#define MEMORY_OTHER      (1 << 1)
#define WIDTH_UNKNOWN     0xffff
#define SIZE_EXTENDED     0x7fff
#define SIZE_IN_KIB       0x8000
#define CAPACITY_EXTENDED 0x80000000u
#define RANGE_EXTENDED    0xffffffffu
#define BOOT_STATUS_FINE  0

#define TYPE_BIOS      0
#define TYPE_SYSTEM    1
#define TYPE_BOARD     2
#define TYPE_CHASSIS   3
#define TYPE_PROCESSOR 4
#define TYPE_OEM       11
#define TYPE_ARRAY     16
#define TYPE_DEVICE    17
#define TYPE_RANGE     19
#define TYPE_BOOT      32
#define TYPE_END       127

/* What is not given */
#define MANUFACTURER "virtkvm"
#define PRODUCT      "KVM Virtual Machine"
#define BIOS_DATE    "01/01/2026"

/* Structures one after the other; the one that is being made. */
typedef struct Writer {
    GByteArray *out;
    guint start;   /* of the structure */
    GString *text; /* its strings, each with its NUL */
    unsigned strings;
    unsigned count; /* structures */
    guint largest;  /* bytes */
} Writer;

static void
put(Writer *writer, uint64_t value, unsigned size)
{
    engine_acpi_put(writer->out, value, size);
}

static void
begin(Writer *writer, unsigned type, unsigned handle)
{
    writer->start = writer->out->len;
    writer->strings = 0;
    g_string_truncate(writer->text, 0);
    put(writer, type, 1);
    put(writer, 0, 1); /* length */
    put(writer, handle, 2);
}

/* The number of a string that follows the structure, 0 for none */
static void
put_text(Writer *writer, const char *text, const char *otherwise)
{
    const char *chosen = text ? text : otherwise;

    if (!chosen || !*chosen) {
        put(writer, 0, 1);
        return;
    }
    put(writer, ++writer->strings, 1);
    g_string_append_len(writer->text, chosen, (gssize)strlen(chosen) + 1);
}

/* Ends the structure, which has @length bytes by the specification. */
static void
end(Writer *writer, guint length)
{
    g_assert(writer->out->len - writer->start == length);
    writer->out->data[writer->start + 1] = (uint8_t)length;
    g_byte_array_append(writer->out, (const uint8_t *)writer->text->str,
                        (guint)writer->text->len);
    put(writer, 0, writer->strings ? 1 : 2);
    writer->count++;
    writer->largest = MAX(writer->largest, writer->out->len - writer->start);
}

/* 7.1 */
static void
put_bios(Writer *writer, const EngineConfig *config)
{
    const EngineSmbiosBios *bios = &config->smbios.bios;
    bool uefi = engine_config_has_firmware(config) &&
                config->firmware.type == ENGINE_FIRMWARE_FLASH;

    begin(writer, TYPE_BIOS, HANDLE_BIOS);
    put_text(writer, bios->vendor, MANUFACTURER);
    put_text(writer, bios->version, PACKAGE_VERSION);
    put(writer, BIOS_SEGMENT, 2);
    put_text(writer, bios->date, BIOS_DATE);
    put(writer, 0, 1); /* 64 KiB */
    put(writer, BIOS_UNKNOWN, 8);
    put(writer, 0, 1);
    put(writer, BIOS_TARGETED | BIOS_VIRTUAL | (uefi ? BIOS_UEFI : 0), 1);
    put(writer, config->smbios.release_major, 1);
    put(writer, config->smbios.release_minor, 1);
    put(writer, 0xffff, 2); /* no embedded controller */
    end(writer, 24);
}

/* 7.2.1: the first three fields are little-endian. */
static void
put_uuid(Writer *writer, const char *text)
{
    static const uint8_t order[] = { 3, 2, 1, 0, 5, 4, 7, 6 };
    uint8_t uuid[16];

    engine_uuid_bytes(text, uuid);
    for (unsigned i = 0; i < sizeof(uuid); i++)
        put(writer, uuid[i < sizeof(order) ? order[i] : i], 1);
}

static const char *
machine_name(const EngineConfig *config)
{
    switch (config->machine) {
    case ENGINE_MACHINE_PC:
        return "pc";
    case ENGINE_MACHINE_MICROVM:
        return "microvm";
    case ENGINE_MACHINE_Q35:
        break;
    }
    return "q35";
}

/* 7.2 */
static void
put_system(Writer *writer, const EngineConfig *config)
{
    const EngineSmbiosSystem *system = &config->smbios.system;

    begin(writer, TYPE_SYSTEM, HANDLE_SYSTEM);
    put_text(writer, system->manufacturer, MANUFACTURER);
    put_text(writer, system->product, PRODUCT);
    put_text(writer, system->version, machine_name(config));
    put_text(writer, system->serial, NULL);
    put_uuid(writer, config->uuid);
    put(writer, WAKE_POWER_SWITCH, 1);
    put_text(writer, system->sku, NULL);
    put_text(writer, system->family, NULL);
    end(writer, 27);
}

/* 7.3 */
static void
put_board(Writer *writer, const EngineConfig *config,
          const EngineSmbiosBoard *board, unsigned index)
{
    begin(writer, TYPE_BOARD, HANDLE_BOARD + index);
    put_text(writer, board->manufacturer, MANUFACTURER);
    put_text(writer, board->product, PRODUCT);
    put_text(writer, board->version, machine_name(config));
    put_text(writer, board->serial, NULL);
    put_text(writer, board->asset, NULL);
    put(writer, BOARD_HOSTING, 1);
    put_text(writer, board->location, NULL);
    put(writer, HANDLE_CHASSIS, 2);
    put(writer, BOARD_MOTHERBOARD, 1);
    put(writer, 0, 1); /* contains nothing */
    end(writer, 15);
}

static void
put_boards(Writer *writer, const EngineConfig *config)
{
    static const EngineSmbiosBoard usual;
    const EngineSmbiosConfig *smbios = &config->smbios;

    if (smbios->n_boards == 0)
        put_board(writer, config, &usual, 0);
    for (unsigned i = 0; i < smbios->n_boards; i++)
        put_board(writer, config, &smbios->boards[i], i);
}

/* 7.4 */
static void
put_chassis(Writer *writer, const EngineConfig *config)
{
    const EngineSmbiosChassis *chassis = &config->smbios.chassis;

    begin(writer, TYPE_CHASSIS, HANDLE_CHASSIS);
    put_text(writer, chassis->manufacturer, MANUFACTURER);
    put(writer, CHASSIS_OTHER, 1);
    put_text(writer, chassis->version, machine_name(config));
    put_text(writer, chassis->serial, NULL);
    put_text(writer, chassis->asset, NULL);
    put(writer, STATE_SAFE, 1); /* at boot, */
    put(writer, STATE_SAFE, 1); /* power, */
    put(writer, STATE_SAFE, 1); /* temperature */
    put(writer, SECURITY_NONE, 1);
    put(writer, 0, 4); /* of the manufacturer's */
    put(writer, 0, 1); /* height */
    put(writer, 0, 1); /* power cords */
    put(writer, 0, 2); /* contains nothing, of no size */
    put_text(writer, chassis->sku, NULL);
    end(writer, 22);
}

/* 7.5; @cores, @threads: of the socket; what has no place is not told */
static void
put_processor(Writer *writer, unsigned index, unsigned cores, unsigned threads)
{
    char socket[sizeof("CPU 4294967295")];

    g_snprintf(socket, sizeof(socket), "CPU %u", index);
    begin(writer, TYPE_PROCESSOR, HANDLE_PROCESSOR + index);
    put_text(writer, socket, NULL);
    put(writer, PROCESSOR_CENTRAL, 1);
    put(writer, FAMILY_OTHER, 1);
    put_text(writer, MANUFACTURER, NULL);
    put(writer, 0, 8); /* systems ask CPUID */
    put_text(writer, NULL, NULL);
    put(writer, 0, 1); /* voltage, */
    put(writer, 0, 2); /* external clock, */
    put(writer, 0, 2); /* highest and */
    put(writer, 0, 2); /* current speed are unknown */
    put(writer, SOCKET_ENABLED, 1);
    put(writer, UPGRADE_OTHER, 1);
    for (unsigned cache = 1; cache <= 3; cache++)
        put(writer, NO_HANDLE, 2);
    put_text(writer, NULL, NULL); /* serial, */
    put_text(writer, NULL, NULL); /* asset, */
    put_text(writer, NULL, NULL); /* part */
    put(writer, cores < 255 ? cores : 0, 1);
    put(writer, cores < 255 ? cores : 0, 1); /* enabled */
    put(writer, threads < 255 ? threads : 0, 1);
    put(writer, PROCESSOR_64_BIT, 2);
    put(writer, FAMILY_OTHER, 2);
    end(writer, 42);
}

static void
put_processors(Writer *writer, const EngineConfig *config)
{
    unsigned cores = config->cpu.dies * config->cpu.cores;
    unsigned threads = cores * config->cpu.threads;
    unsigned sockets = (config->vcpus + threads - 1) / threads;

    for (unsigned i = 0; i < MIN(sockets, ENGINE_SMBIOS_SOCKETS_MAX); i++)
        put_processor(writer, i, cores, threads);
}

/* 7.12 */
static void
put_oem_strings(Writer *writer, const EngineSmbiosConfig *smbios)
{
    static const unsigned header = 4;

    if (smbios->n_oem_strings == 0)
        return;
    begin(writer, TYPE_OEM, HANDLE_OEM);
    put(writer, smbios->n_oem_strings, 1);
    for (size_t i = 0; i < smbios->n_oem_strings; i++) {
        const char *text = smbios->oem_strings[i];

        writer->strings++;
        g_string_append_len(writer->text, text, (gssize)strlen(text) + 1);
    }
    end(writer, header + 1);
}

/* 7.17 */
static void
put_array(Writer *writer, const EngineConfig *config)
{
    uint64_t kib = config->memory / 1024;
    bool extended = kib >= CAPACITY_EXTENDED;

    begin(writer, TYPE_ARRAY, HANDLE_ARRAY);
    put(writer, ARRAY_OTHER, 1);
    put(writer, ARRAY_SYSTEM, 1);
    put(writer, ERRORS_NONE, 1);
    put(writer, extended ? CAPACITY_EXTENDED : kib, 4);
    put(writer, NO_ERRORS, 2);
    put(writer, 1, 2); /* devices */
    put(writer, extended ? config->memory : 0, 8);
    end(writer, 23);
}

/* 7.18.5: how many MiB, or KiB where those do not tell */
static unsigned
device_size(uint64_t memory)
{
    if (memory % MIB != 0 && memory / 1024 < SIZE_EXTENDED)
        return SIZE_IN_KIB | (unsigned)(memory / 1024);
    return (unsigned)MIN(memory / MIB, SIZE_EXTENDED);
}

/* 7.18 */
static void
put_device(Writer *writer, const EngineConfig *config)
{
    unsigned size = device_size(config->memory);

    begin(writer, TYPE_DEVICE, HANDLE_DEVICE);
    put(writer, HANDLE_ARRAY, 2);
    put(writer, NO_ERRORS, 2);
    put(writer, WIDTH_UNKNOWN, 2);
    put(writer, WIDTH_UNKNOWN, 2);
    put(writer, size, 2);
    put(writer, FORM_DIMM, 1);
    put(writer, 0, 1); /* of no set */
    put_text(writer, "DIMM 0", NULL);
    put_text(writer, NULL, NULL); /* bank */
    put(writer, MEMORY_RAM, 1);
    put(writer, MEMORY_OTHER, 2);
    put(writer, 0, 2); /* speed */
    put_text(writer, MANUFACTURER, NULL);
    put_text(writer, NULL, NULL); /* serial, */
    put_text(writer, NULL, NULL); /* asset, */
    put_text(writer, NULL, NULL); /* part */
    put(writer, 0, 1);            /* rank */
    put(writer, size == SIZE_EXTENDED ? config->memory / MIB : 0, 4);
    put(writer, 0, 2); /* configured speed, */
    put(writer, 0, 6); /* voltages: least, most, configured */
    end(writer, 40);
}

/* 7.20; @size: bytes, > 0 */
static void
put_range(Writer *writer, unsigned index, uint64_t base, uint64_t size)
{
    uint64_t last = base + size - 1;
    bool extended = last / 1024 >= RANGE_EXTENDED;

    begin(writer, TYPE_RANGE, HANDLE_RANGE + index);
    put(writer, extended ? RANGE_EXTENDED : base / 1024, 4);
    put(writer, extended ? RANGE_EXTENDED : last / 1024, 4);
    put(writer, HANDLE_ARRAY, 2);
    put(writer, 1, 1); /* devices that it is spread over */
    put(writer, extended ? base : 0, 8);
    put(writer, extended ? last : 0, 8);
    end(writer, 31);
}

static void
put_memory(Writer *writer, const EngineConfig *config)
{
    uint64_t low = engine_low_memory(config);

    put_array(writer, config);
    put_device(writer, config);
    put_range(writer, 0, 0, low);
    if (config->memory > low)
        put_range(writer, 1, UINT64_C(1) << 32, config->memory - low);
}

/* 7.33, 7.45 */
static void
put_last(Writer *writer)
{
    begin(writer, TYPE_BOOT, HANDLE_BOOT);
    put(writer, 0, 6);
    put(writer, BOOT_STATUS_FINE, 1);
    end(writer, 11);
    begin(writer, TYPE_END, HANDLE_END);
    end(writer, 4);
}

/* 5.2.1 */
static void
make_anchor(EngineSmbios *smbios, const Writer *writer, uint32_t base)
{
    static const unsigned inner = 16; /* the part with its own checksum */
    GByteArray *out = g_byte_array_new();

    g_byte_array_append(out, (const uint8_t *)"_SM_", 4);
    engine_acpi_put(out, 0, 1); /* checksum */
    engine_acpi_put(out, ENGINE_SMBIOS_ANCHOR_SIZE, 1);
    engine_acpi_put(out, VERSION_MAJOR, 1);
    engine_acpi_put(out, VERSION_MINOR, 1);
    engine_acpi_put(out, writer->largest, 2);
    engine_acpi_put(out, 0, 6); /* revision of this, formatted area */
    g_byte_array_append(out, (const uint8_t *)"_DMI_", 5);
    engine_acpi_put(out, 0, 1); /* checksum */
    engine_acpi_put(out, smbios->tables->len, 2);
    engine_acpi_put(out, base, 4);
    engine_acpi_put(out, writer->count, 2);
    engine_acpi_put(out, VERSION_MAJOR << 4 | VERSION_MINOR, 1);
    g_assert(out->len == ENGINE_SMBIOS_ANCHOR_SIZE);
    out->data[inner + 5] =
        engine_acpi_checksum(out->data + inner, out->len - inner);
    out->data[4] = engine_acpi_checksum(out->data, out->len);
    memcpy(smbios->anchor, out->data, out->len);
    g_byte_array_unref(out);
}

/* Firmware tells of itself, unless somebody wants it otherwise. */
static bool
wants_bios(const EngineConfig *config)
{
    const EngineSmbiosBios *bios = &config->smbios.bios;

    return !engine_config_has_firmware(config) || bios->vendor ||
           bios->version || bios->date || bios->release;
}

EngineSmbios *
engine_smbios_new(const EngineConfig *config, uint32_t base, GError **error)
{
    g_autoptr(EngineSmbios) smbios = g_new0(EngineSmbios, 1);
    Writer writer = { .out = g_byte_array_new(), .text = g_string_new(NULL) };

    smbios->tables = writer.out;
    if (wants_bios(config))
        put_bios(&writer, config);
    put_system(&writer, config);
    put_boards(&writer, config);
    put_chassis(&writer, config);
    put_processors(&writer, config);
    put_oem_strings(&writer, &config->smbios);
    put_memory(&writer, config);
    put_last(&writer);
    g_string_free(writer.text, TRUE);
    if (smbios->tables->len > ENGINE_SMBIOS_MAX) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("what <sysinfo> says takes %u bytes of SMBIOS tables, more "
                    "than the %u there are"),
                  smbios->tables->len, ENGINE_SMBIOS_MAX);
        return NULL;
    }
    make_anchor(smbios, &writer, base);
    return g_steal_pointer(&smbios);
}

void
engine_smbios_free(EngineSmbios *smbios)
{
    if (!smbios)
        return;
    g_byte_array_unref(smbios->tables);
    g_free(smbios);
}

bool
engine_smbios_build(Engine *engine, const EngineConfig *config, GError **error)
{
    g_autoptr(EngineSmbios) smbios =
        engine_smbios_new(config, ENGINE_SMBIOS_GPA, error);

    if (!smbios)
        return false;
    if (engine_memory_write(engine, ENGINE_SMBIOS_GPA, smbios->tables->data,
                            smbios->tables->len) &&
        engine_memory_write(engine, ENGINE_SMBIOS_ANCHOR_GPA, smbios->anchor,
                            sizeof(smbios->anchor)))
        return true;
    error_set(error, VIR_ERR_INVALID_ARG,
              _("the domain's memory of %llu bytes is too small to boot"),
              (unsigned long long)config->memory);
    return false;
}
