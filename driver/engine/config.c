/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/config.h"

#include <jansson.h>
#include <limits.h>
#include <string.h>

#include "util/error.h"
#include "util/i18n.h"

#define NAME_MAX_BYTES     255
#define UUID_LENGTH        36
#define CMDLINE_MAX_BYTES  65535
#define FEATURES_MAX       1024
#define FD_MAX             ((1 << 20) - 1)
#define MEMORY_MIN         (1ull << 20)
#define MEMORY_MAX         (1ull << 46)
#define MEMORY_UNIT        4096
#define TSC_HZ_MIN         1000000
#define TSC_HZ_MAX         100000000000ll
#define CLOCK_OFFSET_MAX_S (100ll * 366 * 24 * 3600)
#define TOPOLOGY_MAX       65536
#define LOCATION_MAX_BYTES 256
#define PERIOD_MS_MAX      (24 * 3600 * 1000)

typedef enum MemberKind {
    MEMBER_BOOL,   /* bool */
    MEMBER_INT,    /* int */
    MEMBER_UINT,   /* unsigned */
    MEMBER_INT64,  /* int64_t */
    MEMBER_UINT64, /* uint64_t */
    MEMBER_ENUM,   /* an enum whose values are the indices of `names` */
    MEMBER_STRING, /* char *; max is its longest length in bytes */
    MEMBER_OBJECT, /* the same struct, by `members` */
    MEMBER_LIST,   /* `list` takes the whole array */
} MemberKind;

/* Where in the document: a list on the stack, spelled out only in an error.
 * NULL is the document itself. */
typedef struct Location {
    const struct Location *parent;
    const char *name; /* NULL: an element of an array */
    size_t index;
} Location;

typedef struct Member {
    const char *name;
    MemberKind kind;
    size_t offset; /* of the value in the struct */
    bool required;
    int64_t min, max;
    const char *const *names; /* NULL-terminated */
    const struct Member *members;
    bool (*list)(json_t *array, void *target, const Location *location,
                 GError **error);
} Member;

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

static bool read_features(json_t *array, void *target, const Location *location,
                          GError **error);
static bool read_serials(json_t *array, void *target, const Location *location,
                         GError **error);
static bool read_devices(json_t *array, void *target, const Location *location,
                         GError **error);

#define AT(type, member) .offset = offsetof(type, member)

static const Member feature_members[] = {
    { "name", MEMBER_STRING, AT(EngineCpuFeature, name), .required = true,
      .max = NAME_MAX_BYTES },
    { "policy", MEMBER_ENUM, AT(EngineCpuFeature, policy), .required = true,
      .names = policy_names },
    { NULL },
};

static const Member chardev_members[] = {
    { "type", MEMBER_ENUM, AT(EngineChardevConfig, type), .required = true,
      .names = chardev_names },
    { "fd", MEMBER_INT, AT(EngineChardevConfig, fd), .max = FD_MAX },
    { "log_fd", MEMBER_INT, AT(EngineChardevConfig, log_fd), .max = FD_MAX },
    { NULL },
};

static const Member serial_members[] = {
    { "port", MEMBER_UINT, AT(SerialItem, port), .required = true,
      .max = ENGINE_SERIALS_MAX - 1 },
    { "chardev", MEMBER_OBJECT, AT(SerialItem, chardev), .required = true,
      .members = chardev_members },
    { NULL },
};

static const char *const device_names[] = { "virtio-rng", NULL };

/* What every device has */
#define DEVICE_MEMBERS                                                     \
    { "type", MEMBER_ENUM, AT(EngineDeviceConfig, kind), .required = true, \
      .names = device_names },                                             \
        { "id",                                                            \
          MEMBER_STRING,                                                   \
          AT(EngineDeviceConfig, id),                                      \
          .required = true,                                                \
          .min = 1,                                                        \
          .max = NAME_MAX_BYTES },                                         \
        { "slot",           MEMBER_UINT, AT(EngineDeviceConfig, slot),     \
          .required = true, .min = 1,    .max = 31 },                      \
        { "function", MEMBER_UINT, AT(EngineDeviceConfig, function),       \
          .max = 7 },                                                      \
    {                                                                      \
        "packed", MEMBER_BOOL, AT(EngineDeviceConfig, packed)              \
    }

static const Member rate_members[] = {
    { "bytes", MEMBER_UINT64, AT(EngineDeviceConfig, rng.bytes),
      .required = true, .min = 1, .max = INT64_MAX },
    { "period_ms", MEMBER_UINT, AT(EngineDeviceConfig, rng.period_ms), .min = 1,
      .max = PERIOD_MS_MAX },
    { NULL },
};

static const Member rng_members[] = {
    DEVICE_MEMBERS,
    { "fd", MEMBER_INT, AT(EngineDeviceConfig, rng.fd), .required = true,
      .max = FD_MAX },
    { "rate", MEMBER_OBJECT, .offset = 0, .members = rate_members },
    { NULL },
};

/* By kind */
static const Member *const device_members[] = { rng_members };

static const Member topology_members[] = {
    { "sockets", MEMBER_UINT, AT(EngineCpuConfig, sockets), .min = 1,
      .max = ENGINE_VCPUS_MAX },
    { "dies", MEMBER_UINT, AT(EngineCpuConfig, dies), .min = 1,
      .max = ENGINE_VCPUS_MAX },
    { "cores", MEMBER_UINT, AT(EngineCpuConfig, cores), .min = 1,
      .max = ENGINE_VCPUS_MAX },
    { "threads", MEMBER_UINT, AT(EngineCpuConfig, threads), .min = 1,
      .max = ENGINE_VCPUS_MAX },
    { NULL },
};

static const Member cpu_members[] = {
    { "mode", MEMBER_ENUM, AT(EngineCpuConfig, mode), .names = cpu_mode_names },
    { "model", MEMBER_STRING, AT(EngineCpuConfig, model),
      .max = NAME_MAX_BYTES },
    { "vendor", MEMBER_STRING, AT(EngineCpuConfig, vendor),
      .max = NAME_MAX_BYTES },
    { "unchecked", MEMBER_BOOL, AT(EngineCpuConfig, unchecked) },
    { "features", MEMBER_LIST, .offset = 0, .list = read_features },
    { NULL },
};

static const Member file_members[] = {
    { "fd", MEMBER_INT, AT(EngineFile, fd), .max = FD_MAX },
    { "path", MEMBER_STRING, AT(EngineFile, path), .max = PATH_MAX - 1 },
    { NULL },
};

static const Member features_members[] = {
    { "acpi", MEMBER_BOOL, AT(EngineConfig, acpi) },
    { "apic", MEMBER_BOOL, AT(EngineConfig, apic) },
    { "pae", MEMBER_BOOL, AT(EngineConfig, pae) },
    { "kvm-hidden", MEMBER_BOOL, AT(EngineConfig, kvm_hidden) },
    { NULL },
};

static const Member clock_members[] = {
    { "offset_s", MEMBER_INT64, AT(EngineConfig, clock_offset_s),
      .min = -CLOCK_OFFSET_MAX_S, .max = CLOCK_OFFSET_MAX_S },
    { "kvmclock", MEMBER_BOOL, AT(EngineConfig, kvmclock) },
    { "pit", MEMBER_BOOL, AT(EngineConfig, pit) },
    { "rtc", MEMBER_BOOL, AT(EngineConfig, rtc) },
    { "tsc_hz", MEMBER_UINT64, AT(EngineConfig, tsc_hz), .max = TSC_HZ_MAX },
    { NULL },
};

static const Member machine_members[] = {
    { "name", MEMBER_STRING, AT(EngineConfig, name), .required = true, .min = 1,
      .max = NAME_MAX_BYTES },
    { "uuid", MEMBER_STRING, AT(EngineConfig, uuid), .required = true,
      .min = UUID_LENGTH, .max = UUID_LENGTH },
    { "machine", MEMBER_ENUM, AT(EngineConfig, machine),
      .names = machine_names },
    { "memory", MEMBER_UINT64, AT(EngineConfig, memory), .required = true,
      .min = MEMORY_MIN, .max = MEMORY_MAX },
    { "vcpus", MEMBER_UINT, AT(EngineConfig, vcpus), .min = 1,
      .max = ENGINE_VCPUS_MAX },
    { "topology", MEMBER_OBJECT, AT(EngineConfig, cpu),
      .members = topology_members },
    { "cpu", MEMBER_OBJECT, AT(EngineConfig, cpu), .members = cpu_members },
    { "kernel", MEMBER_OBJECT, AT(EngineConfig, kernel), .required = true,
      .members = file_members },
    { "initrd", MEMBER_OBJECT, AT(EngineConfig, initrd),
      .members = file_members },
    { "cmdline", MEMBER_STRING, AT(EngineConfig, cmdline),
      .max = CMDLINE_MAX_BYTES },
    { "features", MEMBER_OBJECT, .offset = 0, .members = features_members },
    { "clock", MEMBER_OBJECT, .offset = 0, .members = clock_members },
    { "serials", MEMBER_LIST, AT(EngineConfig, serials), .list = read_serials },
    { "devices", MEMBER_LIST, .offset = 0, .list = read_devices },
    { "debug_exit", MEMBER_BOOL, AT(EngineConfig, debug_exit) },
    { "on_poweroff", MEMBER_ENUM, AT(EngineConfig, on_poweroff),
      .names = action_names },
    { "on_reboot", MEMBER_ENUM, AT(EngineConfig, on_reboot),
      .names = action_names },
    { "on_crash", MEMBER_ENUM, AT(EngineConfig, on_crash),
      .names = action_names },
    { "paused", MEMBER_BOOL, AT(EngineConfig, paused) },
    { NULL },
};

/* "serials[1].chardev.fd" */
static const char *
location_text(const Location *location, char *buffer, size_t size)
{
    char head[LOCATION_MAX_BYTES] = "";

    if (location->parent)
        location_text(location->parent, head, sizeof(head));
    if (location->name)
        g_snprintf(buffer, size, "%s%s%s", head, head[0] ? "." : "",
                   location->name);
    else
        g_snprintf(buffer, size, "%s[%zu]", head, location->index);
    return buffer;
}

/* What went wrong at @location: @problem is a translated half sentence that
 * follows the member's name. */
static bool
refuse(GError **error, virErrorNumber code, const Location *location,
       const char *problem)
{
    char text[LOCATION_MAX_BYTES];

    error_set(error, code, _("'%s' of the machine document %s"),
              location_text(location, text, sizeof(text)), problem);
    return false;
}

static bool
store_number(const Member *member, json_t *value, void *target,
             const Location *location, GError **error)
{
    json_int_t number = json_integer_value(value);

    if (!json_is_integer(value))
        return refuse(error, VIR_ERR_INVALID_ARG, location,
                      _("must be a whole number"));
    if (number < member->min || number > member->max) {
        g_autofree char *problem =
            g_strdup_printf(_("must be from %lld to %lld"),
                            (long long)member->min, (long long)member->max);

        return refuse(error, VIR_ERR_INVALID_ARG, location, problem);
    }
    if (member->kind == MEMBER_INT)
        *(int *)target = (int)number;
    else if (member->kind == MEMBER_UINT)
        *(unsigned *)target = (unsigned)number;
    else
        *(int64_t *)target = number;
    return true;
}

static bool
store_string(const Member *member, json_t *value, void *target,
             const Location *location, GError **error)
{
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);

    if (!text)
        return refuse(error, VIR_ERR_INVALID_ARG, location,
                      _("must be a string"));
    if (length < (size_t)member->min || length > (size_t)member->max) {
        g_autofree char *problem =
            g_strdup_printf(_("must be %lld to %lld bytes long"),
                            (long long)member->min, (long long)member->max);

        return refuse(error, VIR_ERR_INVALID_ARG, location, problem);
    }
    g_free(*(char **)target);
    *(char **)target = g_strdup(text);
    return true;
}

static bool
store_enum(const Member *member, json_t *value, void *target,
           const Location *location, GError **error)
{
    const char *text = json_string_value(value);
    g_autofree char *known = NULL;
    g_autofree char *problem = NULL;

    for (int i = 0; text && member->names[i]; i++) {
        if (strcmp(text, member->names[i]) == 0) {
            *(int *)target = i;
            return true;
        }
    }
    known = g_strjoinv(", ", (char **)member->names);
    problem = g_strdup_printf(_("must be one of: %s"), known);
    return refuse(error,
                  text ? VIR_ERR_CONFIG_UNSUPPORTED : VIR_ERR_INVALID_ARG,
                  location, problem);
}

static bool read_object(json_t *object, const Member *members, void *target,
                        const Location *location, GError **error);

static bool
store(const Member *member, json_t *value, void *structure,
      const Location *location, GError **error)
{
    void *target = (char *)structure + member->offset;

    switch (member->kind) {
    case MEMBER_BOOL:
        if (!json_is_boolean(value))
            return refuse(error, VIR_ERR_INVALID_ARG, location,
                          _("must be true or false"));
        *(bool *)target = json_is_true(value);
        return true;
    case MEMBER_INT:
    case MEMBER_UINT:
    case MEMBER_INT64:
    case MEMBER_UINT64:
        return store_number(member, value, target, location, error);
    case MEMBER_ENUM:
        return store_enum(member, value, target, location, error);
    case MEMBER_STRING:
        return store_string(member, value, target, location, error);
    case MEMBER_OBJECT:
        return read_object(value, member->members, target, location, error);
    case MEMBER_LIST:
        if (!json_is_array(value))
            return refuse(error, VIR_ERR_INVALID_ARG, location,
                          _("must be an array"));
        return member->list(value, target, location, error);
    }
    g_assert_not_reached();
}

static const Member *
find_member(const Member *members, const char *name)
{
    for (const Member *member = members; member->name; member++)
        if (strcmp(member->name, name) == 0)
            return member;
    return NULL;
}

static bool
read_object(json_t *object, const Member *members, void *target,
            const Location *location, GError **error)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return refuse(error, VIR_ERR_INVALID_ARG, location,
                      _("must be an object"));
    json_object_foreach(object, name, value)
    {
        const Member *member = find_member(members, name);
        Location here = { location, name, 0 };

        if (!member)
            return refuse(error, VIR_ERR_CONFIG_UNSUPPORTED, &here,
                          _("is not known to this engine"));
        if (!store(member, value, target, &here, error))
            return false;
    }
    for (const Member *member = members; member->name; member++) {
        Location here = { location, member->name, 0 };

        if (member->required && !json_object_get(object, member->name))
            return refuse(error, VIR_ERR_INVALID_ARG, &here, _("is missing"));
    }
    return true;
}

static bool
read_features(json_t *array, void *target, const Location *location,
              GError **error)
{
    EngineCpuConfig *cpu = target;
    size_t count = json_array_size(array);

    if (count > FEATURES_MAX)
        return refuse(error, VIR_ERR_INVALID_ARG, location,
                      _("has too many elements"));
    cpu->features = g_new0(EngineCpuFeature, count);
    cpu->n_features = count;
    for (size_t i = 0; i < count; i++) {
        Location here = { location, NULL, i };

        if (!read_object(json_array_get(array, i), feature_members,
                         &cpu->features[i], &here, error))
            return false;
    }
    return true;
}

static bool
read_serials(json_t *array, void *target, const Location *location,
             GError **error)
{
    EngineSerialConfig *serials = target;

    for (size_t i = 0; i < json_array_size(array); i++) {
        SerialItem item = { 0, { ENGINE_CHARDEV_NULL, -1, -1 } };
        Location here = { location, NULL, i };

        if (!read_object(json_array_get(array, i), serial_members, &item, &here,
                         error))
            return false;
        if (serials[item.port].present)
            return refuse(error, VIR_ERR_INVALID_ARG, &here,
                          _("names a port that is taken"));
        if (item.chardev.type >= ENGINE_CHARDEV_FD && item.chardev.fd < 0)
            return refuse(error, VIR_ERR_INVALID_ARG, &here,
                          _("needs 'fd' for its chardev"));
        serials[item.port] = (EngineSerialConfig){ true, item.chardev };
    }
    return true;
}

static bool
is_free(const EngineConfig *config, size_t index)
{
    const EngineDeviceConfig *device = &config->devices[index];

    for (size_t i = 0; i < index; i++)
        if (config->devices[i].slot == device->slot &&
            config->devices[i].function == device->function)
            return false;
    return true;
}

/* The members that an element may have depend on its type. */
static bool
read_device(json_t *object, EngineDeviceConfig *device,
            const Location *location, GError **error)
{
    Location type = { location, "type", 0 };
    json_t *name = json_object_get(object, "type");

    *device = (EngineDeviceConfig){ .rng = { .fd = -1, .period_ms = 1000 } };
    if (name && !store_enum(find_member(rng_members, "type"), name,
                            &device->kind, &type, error))
        return false;
    return read_object(object, device_members[device->kind], device, location,
                       error);
}

static bool
read_devices(json_t *array, void *target, const Location *location,
             GError **error)
{
    EngineConfig *config = target;
    size_t count = json_array_size(array);

    if (count > ENGINE_DEVICES_MAX)
        return refuse(error, VIR_ERR_INVALID_ARG, location,
                      _("has too many elements"));
    config->devices = g_new0(EngineDeviceConfig, count);
    config->n_devices = count;
    for (size_t i = 0; i < count; i++) {
        Location here = { location, NULL, i };

        if (!read_device(json_array_get(array, i), &config->devices[i], &here,
                         error))
            return false;
        if (!is_free(config, i))
            return refuse(error, VIR_ERR_INVALID_ARG, &here,
                          _("names a PCI address that is taken"));
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

/* What no single member's bounds can say. */
static bool
check(const EngineConfig *config, GError **error)
{
    const EngineCpuConfig *cpu = &config->cpu;
    uint64_t product =
        (uint64_t)cpu->sockets * cpu->dies * cpu->cores * cpu->threads;

    if (!uuid_is_valid(config->uuid))
        return refuse(error, VIR_ERR_INVALID_ARG, &(Location){ NULL, "uuid" },
                      _("is not a UUID"));
    if (config->memory % MEMORY_UNIT != 0)
        return refuse(error, VIR_ERR_INVALID_ARG, &(Location){ NULL, "memory" },
                      _("must be a multiple of 4096"));
    if (config->tsc_hz > 0 && config->tsc_hz < TSC_HZ_MIN)
        return refuse(error, VIR_ERR_INVALID_ARG,
                      &(Location){ NULL, "clock.tsc_hz" },
                      _("is less than one megahertz"));
    if (product < config->vcpus || product > TOPOLOGY_MAX)
        return refuse(error, VIR_ERR_INVALID_ARG,
                      &(Location){ NULL, "topology" },
                      _("does not fit the number of vCPUs"));
    if (config->kernel.fd < 0 && !config->kernel.path)
        return refuse(error, VIR_ERR_INVALID_ARG, &(Location){ NULL, "kernel" },
                      _("needs 'fd' or 'path'"));
    return true;
}

static EngineConfig *
config_new_default(void)
{
    EngineConfig *config = g_new0(EngineConfig, 1);

    config->vcpus = 1;
    config->kernel.fd = config->initrd.fd = -1;
    config->acpi = config->apic = config->pae = true;
    config->kvmclock = config->pit = config->rtc = true;
    config->on_reboot = ENGINE_ACTION_RESTART;
    return config;
}

EngineConfig *
engine_config_parse(const char *json, GError **error)
{
    g_autoptr(EngineConfig) config = config_new_default();
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
    ok = read_object(root, machine_members, config, NULL, error);
    json_decref(root);
    if (!ok)
        return NULL;
    if (!config->cmdline)
        config->cmdline = g_strdup("");
    resolve_topology(config);
    return check(config, error) ? g_steal_pointer(&config) : NULL;
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
        g_free(config->devices[i].id);
    g_free(config->devices);
    g_free(config->cpu.model);
    g_free(config->cpu.vendor);
    g_free(config->name);
    g_free(config->uuid);
    g_free(config->kernel.path);
    g_free(config->initrd.path);
    g_free(config->cmdline);
    g_free(config);
}
