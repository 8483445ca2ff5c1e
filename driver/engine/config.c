/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/config.h"

#include <limits.h>
#include <string.h>

#include "engine/member.h"
#include "util/error.h"
#include "util/i18n.h"

#define NAME_MAX_BYTES     255
#define UUID_LENGTH        36
#define UUID_BYTES         16
#define CMDLINE_MAX_BYTES  65535
#define FEATURES_MAX       1024
#define MEMORY_MIN         (1ull << 20)
#define MEMORY_MAX         (1ull << 46)
#define MEMORY_UNIT        4096
#define TSC_HZ_MIN         1000000
#define TSC_HZ_MAX         100000000000ll
#define CLOCK_OFFSET_MAX_S (100ll * 366 * 24 * 3600)
#define TOPOLOGY_MAX       65536

static const char *const machine_names[] = { "q35", "pc", "microvm", NULL };
static const char *const action_names[] = { "destroy", "restart", "preserve",
                                            NULL };
static const char *const chardev_names[] = { "null", "stdio",  "fd",
                                             "pty",  "listen", NULL };
static const char *const cpu_mode_names[] = { "host-passthrough", "host-model",
                                              "custom", NULL };
static const char *const policy_names[] = { "force",   "require", "optional",
                                            "disable", "forbid",  NULL };

typedef struct SerialItem {
    unsigned port;
    EngineChardevConfig chardev;
} SerialItem;

static bool read_features(json_t *array, void *target, const EnginePlace *place,
                          GError **error);
static bool read_serials(json_t *array, void *target, const EnginePlace *place,
                         GError **error);

static const EngineMember feature_members[] = {
    { "name", ENGINE_MEMBER_STRING, ENGINE_AT(EngineCpuFeature, name),
      .required = true, .max = NAME_MAX_BYTES },
    { "policy", ENGINE_MEMBER_ENUM, ENGINE_AT(EngineCpuFeature, policy),
      .required = true, .names = policy_names },
    { NULL },
};

const EngineMember engine_chardev_members[] = {
    { "type", ENGINE_MEMBER_ENUM, ENGINE_AT(EngineChardevConfig, type),
      .required = true, .names = chardev_names },
    { "fd", ENGINE_MEMBER_FD, ENGINE_AT(EngineChardevConfig, fd) },
    { "log_fd", ENGINE_MEMBER_FD, ENGINE_AT(EngineChardevConfig, log_fd) },
    { NULL },
};

static const EngineMember serial_members[] = {
    { "port", ENGINE_MEMBER_UINT, ENGINE_AT(SerialItem, port), .required = true,
      .max = ENGINE_SERIALS_MAX - 1 },
    { "chardev", ENGINE_MEMBER_OBJECT, ENGINE_AT(SerialItem, chardev),
      .required = true, .members = engine_chardev_members },
    { NULL },
};

static const EngineMember topology_members[] = {
    { "sockets", ENGINE_MEMBER_UINT, ENGINE_AT(EngineCpuConfig, sockets),
      .min = 1, .max = ENGINE_VCPUS_MAX },
    { "dies", ENGINE_MEMBER_UINT, ENGINE_AT(EngineCpuConfig, dies), .min = 1,
      .max = ENGINE_VCPUS_MAX },
    { "cores", ENGINE_MEMBER_UINT, ENGINE_AT(EngineCpuConfig, cores), .min = 1,
      .max = ENGINE_VCPUS_MAX },
    { "threads", ENGINE_MEMBER_UINT, ENGINE_AT(EngineCpuConfig, threads),
      .min = 1, .max = ENGINE_VCPUS_MAX },
    { NULL },
};

static const EngineMember cpu_members[] = {
    { "mode", ENGINE_MEMBER_ENUM, ENGINE_AT(EngineCpuConfig, mode),
      .names = cpu_mode_names },
    { "model", ENGINE_MEMBER_STRING, ENGINE_AT(EngineCpuConfig, model),
      .max = NAME_MAX_BYTES },
    { "vendor", ENGINE_MEMBER_STRING, ENGINE_AT(EngineCpuConfig, vendor),
      .max = NAME_MAX_BYTES },
    { "unchecked", ENGINE_MEMBER_BOOL, ENGINE_AT(EngineCpuConfig, unchecked) },
    { "features", ENGINE_MEMBER_CUSTOM, .offset = 0, .read = read_features },
    { NULL },
};

static const EngineMember features_members[] = {
    { "acpi", ENGINE_MEMBER_BOOL, ENGINE_AT(EngineConfig, acpi) },
    { "apic", ENGINE_MEMBER_BOOL, ENGINE_AT(EngineConfig, apic) },
    { "pae", ENGINE_MEMBER_BOOL, ENGINE_AT(EngineConfig, pae) },
    { "kvm-hidden", ENGINE_MEMBER_BOOL, ENGINE_AT(EngineConfig, kvm_hidden) },
    { NULL },
};

static const EngineMember clock_members[] = {
    { "offset_s", ENGINE_MEMBER_INT64, ENGINE_AT(EngineConfig, clock_offset_s),
      .min = -CLOCK_OFFSET_MAX_S, .max = CLOCK_OFFSET_MAX_S },
    { "kvmclock", ENGINE_MEMBER_BOOL, ENGINE_AT(EngineConfig, kvmclock) },
    { "pit", ENGINE_MEMBER_BOOL, ENGINE_AT(EngineConfig, pit) },
    { "pit_late_ticks", ENGINE_MEMBER_BOOL,
      ENGINE_AT(EngineConfig, pit_late_ticks) },
    { "rtc", ENGINE_MEMBER_BOOL, ENGINE_AT(EngineConfig, rtc) },
    { "tsc_hz", ENGINE_MEMBER_UINT64, ENGINE_AT(EngineConfig, tsc_hz),
      .max = TSC_HZ_MAX },
    { NULL },
};

static const EngineMember machine_members[] = {
    { "name", ENGINE_MEMBER_STRING, ENGINE_AT(EngineConfig, name),
      .required = true, .min = 1, .max = NAME_MAX_BYTES },
    { "uuid", ENGINE_MEMBER_STRING, ENGINE_AT(EngineConfig, uuid),
      .required = true, .min = UUID_LENGTH, .max = UUID_LENGTH },
    { "machine", ENGINE_MEMBER_ENUM, ENGINE_AT(EngineConfig, machine),
      .names = machine_names },
    { "memory", ENGINE_MEMBER_UINT64, ENGINE_AT(EngineConfig, memory),
      .required = true, .min = MEMORY_MIN, .max = MEMORY_MAX },
    { "vcpus", ENGINE_MEMBER_UINT, ENGINE_AT(EngineConfig, vcpus), .min = 1,
      .max = ENGINE_VCPUS_MAX },
    { "topology", ENGINE_MEMBER_OBJECT, ENGINE_AT(EngineConfig, cpu),
      .members = topology_members },
    { "cpu", ENGINE_MEMBER_OBJECT, ENGINE_AT(EngineConfig, cpu),
      .members = cpu_members },
    { "firmware", ENGINE_MEMBER_CUSTOM, ENGINE_AT(EngineConfig, firmware),
      .read = engine_firmware_config_read },
    { "boot", ENGINE_MEMBER_OBJECT, ENGINE_AT(EngineConfig, boot),
      .members = engine_boot_members },
    { "smbios", ENGINE_MEMBER_CUSTOM, ENGINE_AT(EngineConfig, smbios),
      .read = engine_smbios_config_read },
    { "kernel", ENGINE_MEMBER_OBJECT, ENGINE_AT(EngineConfig, kernel),
      .members = engine_file_members },
    { "initrd", ENGINE_MEMBER_OBJECT, ENGINE_AT(EngineConfig, initrd),
      .members = engine_file_members },
    { "cmdline", ENGINE_MEMBER_STRING, ENGINE_AT(EngineConfig, cmdline),
      .max = CMDLINE_MAX_BYTES },
    { "features", ENGINE_MEMBER_OBJECT, .offset = 0,
      .members = features_members },
    { "clock", ENGINE_MEMBER_OBJECT, .offset = 0, .members = clock_members },
    { "serials", ENGINE_MEMBER_CUSTOM, ENGINE_AT(EngineConfig, serials),
      .read = read_serials },
    { "devices", ENGINE_MEMBER_CUSTOM, .offset = 0,
      .read = engine_device_configs_read },
    { "iothreads", ENGINE_MEMBER_UINT, ENGINE_AT(EngineConfig, iothreads),
      .max = ENGINE_IOTHREADS_MAX },
    { "debug_exit", ENGINE_MEMBER_BOOL, ENGINE_AT(EngineConfig, debug_exit) },
    { "pvpanic", ENGINE_MEMBER_BOOL, ENGINE_AT(EngineConfig, pvpanic) },
    { "on_poweroff", ENGINE_MEMBER_ENUM, ENGINE_AT(EngineConfig, on_poweroff),
      .names = action_names },
    { "on_reboot", ENGINE_MEMBER_ENUM, ENGINE_AT(EngineConfig, on_reboot),
      .names = action_names },
    { "on_crash", ENGINE_MEMBER_ENUM, ENGINE_AT(EngineConfig, on_crash),
      .names = action_names },
    { "paused", ENGINE_MEMBER_BOOL, ENGINE_AT(EngineConfig, paused) },
    { NULL },
};

static bool
read_features(json_t *array, void *target, const EnginePlace *place,
              GError **error)
{
    EngineCpuConfig *cpu = target;
    size_t count;

    if (!engine_place_array(place, array, FEATURES_MAX, &count, error))
        return false;
    cpu->features = g_new0(EngineCpuFeature, count);
    cpu->n_features = count;
    for (size_t i = 0; i < count; i++) {
        EnginePlace here = engine_place_item(place, i);

        if (!engine_members_read(json_array_get(array, i), feature_members,
                                 &cpu->features[i], &here, error))
            return false;
    }
    return true;
}

static bool
read_serials(json_t *array, void *target, const EnginePlace *place,
             GError **error)
{
    EngineSerialConfig *serials = target;
    size_t count;

    if (!engine_place_array(place, array, ENGINE_SERIALS_MAX, &count, error))
        return false;
    for (size_t i = 0; i < count; i++) {
        SerialItem item = { 0, { ENGINE_CHARDEV_NULL, -1, -1 } };
        EnginePlace here = engine_place_item(place, i);

        if (!engine_members_read(json_array_get(array, i), serial_members,
                                 &item, &here, error))
            return false;
        if (serials[item.port].present)
            return engine_place_refuse(&here, VIR_ERR_INVALID_ARG,
                                       _("names a port that is taken"), error);
        if (item.chardev.type >= ENGINE_CHARDEV_FD && item.chardev.fd < 0)
            return engine_place_refuse(&here, VIR_ERR_INVALID_ARG,
                                       _("needs 'fd' for its chardev"), error);
        serials[item.port] = (EngineSerialConfig){ true, item.chardev };
    }
    return true;
}

static bool
uuid_is_valid(const char *uuid)
{
    for (int i = 0; i < UUID_LENGTH; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? uuid[i] != '-' : !g_ascii_isxdigit(uuid[i]))
            return false;
    }
    return true;
}

void
engine_uuid_bytes(const char *text, uint8_t *ret_uuid)
{
    unsigned digits = 0;

    memset(ret_uuid, 0, UUID_BYTES);
    for (; text && *text && digits < 2 * UUID_BYTES; text++) {
        int value = g_ascii_xdigit_value(*text);

        if (value < 0)
            continue;
        ret_uuid[digits / 2] |= (uint8_t)(value << (digits % 2 ? 0 : 4));
        digits++;
    }
}

/* Defaults that depend on other members. */
static void
resolve_topology(EngineConfig *config)
{
    EngineCpuConfig *cpu = &config->cpu;

    if (!cpu->sockets && !cpu->dies && !cpu->cores && !cpu->threads)
        cpu->sockets = config->vcpus;
    cpu->sockets = MAX(cpu->sockets, 1);
    cpu->dies = MAX(cpu->dies, 1);
    cpu->cores = MAX(cpu->cores, 1);
    cpu->threads = MAX(cpu->threads, 1);
}

static bool
refuse_member(const EnginePlace *document, const char *name,
              const char *problem, GError **error)
{
    EnginePlace here = engine_place_member(document, name);

    return engine_place_refuse(&here, VIR_ERR_INVALID_ARG, problem, error);
}

/* What is run first */
static bool
check_start(const EngineConfig *config, const EnginePlace *place,
            GError **error)
{
    bool kernel = engine_file_is_named(&config->kernel);

    if (!engine_config_has_firmware(config)) {
        if (kernel)
            return true;
        return refuse_member(place, "kernel", _("needs 'fd' or 'path'"), error);
    }
    if (kernel)
        return refuse_member(place, "kernel", _("does not go with 'firmware'"),
                             error);
    if (config->machine == ENGINE_MACHINE_MICROVM)
        return refuse_member(place, "firmware",
                             _("is not for machines without a PCI bus"), error);
    return true;
}

/* What no single member's bounds can say. */
static bool
check(const EngineConfig *config, const EnginePlace *place, GError **error)
{
    const EngineCpuConfig *cpu = &config->cpu;
    uint64_t product =
        (uint64_t)cpu->sockets * cpu->dies * cpu->cores * cpu->threads;

    if (!uuid_is_valid(config->uuid))
        return refuse_member(place, "uuid", _("is not a UUID"), error);
    if (config->memory % MEMORY_UNIT != 0)
        return refuse_member(place, "memory", _("must be a multiple of 4096"),
                             error);
    if (config->tsc_hz > 0 && config->tsc_hz < TSC_HZ_MIN)
        return refuse_member(place, "clock.tsc_hz",
                             _("is less than one megahertz"), error);
    if (product < config->vcpus || product > TOPOLOGY_MAX)
        return refuse_member(place, "topology",
                             _("does not fit the number of vCPUs"), error);
    return check_start(config, place, error);
}

static EngineConfig *
config_new_default(void)
{
    EngineConfig *config = g_new0(EngineConfig, 1);

    config->fds = g_array_new(FALSE, FALSE, sizeof(int));
    config->vcpus = 1;
    config->kernel.fd = config->initrd.fd = config->firmware.image.fd = -1;
    config->firmware.vars.fd = -1;
    config->boot.reboot_timeout_ms = -1;
    config->acpi = config->apic = config->pae = true;
    config->kvmclock = config->pit = config->rtc = true;
    config->on_reboot = ENGINE_ACTION_RESTART;
    return config;
}

EngineConfig *
engine_config_parse(const char *json, GError **error)
{
    g_autoptr(EngineConfig) config = config_new_default();
    EngineReader reader = { .fds = config->fds };
    const EnginePlace document = { .reader = &reader };
    json_error_t where = { .line = 0 };
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &where);
    bool ok;

    if (!json_is_object(root)) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the machine document is not a JSON object: line %d: %s"),
                  where.line, where.text);
        json_decref(root);
        return NULL;
    }
    /* microvm has ACPI only on request */
    config->acpi =
        g_strcmp0(json_string_value(json_object_get(root, "machine")),
                  "microvm") != 0;
    ok = engine_members_read(root, machine_members, config, &document, error);
    json_decref(root);
    if (!ok)
        return NULL;
    if (!config->cmdline)
        config->cmdline = g_strdup("");
    resolve_topology(config);
    return check(config, &document, error) ? g_steal_pointer(&config) : NULL;
}

void
engine_config_free(EngineConfig *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < config->cpu.n_features; i++)
        g_free(config->cpu.features[i].name);
    g_free(config->cpu.features);
    for (size_t i = 0; i < config->n_devices; i++)
        engine_device_config_free(config->devices[i]);
    g_free(config->devices);
    engine_smbios_config_clear(&config->smbios);
    g_array_unref(config->fds);
    g_free(config->cpu.model);
    g_free(config->cpu.vendor);
    g_free(config->name);
    g_free(config->uuid);
    g_free(config->firmware.image.path);
    g_free(config->firmware.vars.path);
    g_free(config->kernel.path);
    g_free(config->initrd.path);
    g_free(config->cmdline);
    g_free(config);
}
