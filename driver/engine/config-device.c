/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/config-device.h"

#include <string.h>

#include "engine/config.h"
#include "util/error.h"
#include "util/i18n.h"

#define ID_MAX_BYTES 255

static const EngineDeviceSchema *const schemas[] = {
    [ENGINE_DEVICE_VIRTIO_NET] = &engine_net_schema,
    [ENGINE_DEVICE_VIRTIO_SERIAL] = &engine_virtio_serial_schema,
    [ENGINE_DEVICE_VIRTIO_RNG] = &engine_rng_schema,
    [ENGINE_DEVICE_VIRTIO_BALLOON] = &engine_balloon_schema,
    [ENGINE_DEVICE_VIRTIO_BLK] = &engine_blk_schema,
    [ENGINE_DEVICE_VIRTIO_SCSI] = &engine_virtio_scsi_schema,
    [ENGINE_DEVICE_UNIT] = &engine_unit_schema,
};

static bool
read_kind(json_t *value, void *target, const EnginePlace *place, GError **error)
{
    EngineDeviceConfig *device = target;
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    g_autofree char *list = NULL;
    g_autofree char *problem = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(schemas); i++) {
        if (g_strcmp0(json_string_value(value), schemas[i]->type) == 0) {
            device->kind = (EngineDeviceKind)i;
            return true;
        }
        g_ptr_array_add(known, (char *)schemas[i]->type);
    }
    g_ptr_array_add(known, NULL);
    list = g_strjoinv(", ", (char **)known->pdata);
    problem = g_strdup_printf(_("must be one of: %s"), list);
    return engine_place_refuse(place,
                               json_is_string(value)
                                   ? VIR_ERR_CONFIG_UNSUPPORTED
                                   : VIR_ERR_INVALID_ARG,
                               problem, error);
}

static bool
read_rom(json_t *object, void *target, const EnginePlace *place, GError **error)
{
    EngineFile *file = g_new0(EngineFile, 1);

    *(EngineFile **)target = file;
    file->fd = -1;
    if (!engine_members_read(object, engine_file_members, file, place, error))
        return false;
    return engine_file_is_named(file) ||
           engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                               _("needs 'fd' or 'path'"), error);
}

const EngineMember engine_named_members[] = {
    { "type", ENGINE_MEMBER_CUSTOM, .offset = 0, .required = true,
      .read = read_kind },
    { "id", ENGINE_MEMBER_STRING, ENGINE_AT(EngineDeviceConfig, id),
      .required = true, .min = 1, .max = ID_MAX_BYTES },
    { "bootindex", ENGINE_MEMBER_UINT, ENGINE_AT(EngineDeviceConfig, bootindex),
      .max = ENGINE_BOOTINDEX_MAX },
    { NULL },
};

const EngineMember engine_device_members[] = {
    ENGINE_MEMBERS(engine_named_members),
    { "slot", ENGINE_MEMBER_UINT, ENGINE_AT(EngineDeviceConfig, slot),
      .required = true, .min = 1, .max = 31 },
    { "function", ENGINE_MEMBER_UINT, ENGINE_AT(EngineDeviceConfig, function),
      .max = 7 },
    { "packed", ENGINE_MEMBER_BOOL, ENGINE_AT(EngineDeviceConfig, packed) },
    { "iothread", ENGINE_MEMBER_UINT, ENGINE_AT(EngineDeviceConfig, iothread),
      .max = ENGINE_IOTHREADS_MAX },
    { "rom", ENGINE_MEMBER_CUSTOM, ENGINE_AT(EngineDeviceConfig, rom),
      .read = read_rom },
    { NULL },
};

/* The members that an element may have depend on its type, which may stand
 * behind them. */
static bool
find_kind(json_t *object, EngineDeviceConfig *device, const EnginePlace *place,
          GError **error)
{
    EnginePlace here = engine_place_member(place, "type");
    json_t *type = json_object_get(object, "type");

    if (!json_is_object(object))
        return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                                   _("must be an object"), error);
    if (!type)
        return engine_place_refuse(&here, VIR_ERR_INVALID_ARG, _("is missing"),
                                   error);
    return read_kind(type, device, &here, error);
}

const char *
engine_device_kind_name(EngineDeviceKind kind)
{
    return schemas[kind]->type;
}

/* What the reader has noted from the @first on is this device's. */
static void
keep_fds(EngineDeviceConfig *device, const EngineReader *reader, guint first)
{
    device->fds = g_array_new(FALSE, FALSE, sizeof(int));
    for (guint i = first; reader->fds && i < reader->fds->len; i++)
        g_array_append_val(device->fds, g_array_index(reader->fds, int, i));
}

EngineDeviceConfig *
engine_device_config_new(json_t *object, const EnginePlace *place,
                         GError **error)
{
    EngineDeviceConfig *device = g_new0(EngineDeviceConfig, 1);
    guint first = place->reader->fds ? place->reader->fds->len : 0;
    const EngineDeviceSchema *schema;

    if (!find_kind(object, device, place, error)) {
        g_free(device);
        return NULL;
    }
    schema = schemas[device->kind];
    if (schema->init)
        schema->init(device);
    if (engine_members_read(object, schema->members, device, place, error) &&
        (!schema->check || schema->check(device, place, error))) {
        keep_fds(device, place->reader, first);
        return device;
    }
    engine_device_config_free(device);
    return NULL;
}

void
engine_device_config_free(EngineDeviceConfig *device)
{
    if (!device)
        return;
    if (schemas[device->kind]->clear)
        schemas[device->kind]->clear(device);
    g_clear_pointer(&device->fds, g_array_unref);
    g_free(device->id);
    if (device->rom)
        g_free(device->rom->path);
    g_free(device->rom);
    g_free(device);
}

/* --- all of them ---------------------------------------------------------- */
/* Against those before it. */
static bool
check_unique(const EngineConfig *config, const EngineDeviceConfig *device,
             const EnginePlace *place, GError **error)
{
    for (size_t i = 0; i < config->n_devices; i++) {
        const EngineDeviceConfig *other = config->devices[i];

        if (device->slot != 0 && other->slot == device->slot &&
            other->function == device->function)
            return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                                       _("names a PCI address that is taken"),
                                       error);
        if (strcmp(other->id, device->id) == 0)
            return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                                       _("has an 'id' that is taken"), error);
        if (device->bootindex && other->bootindex == device->bootindex)
            return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                                       _("has a 'bootindex' that is taken"),
                                       error);
    }
    return true;
}

bool
engine_device_configs_read(json_t *array, void *target,
                           const EnginePlace *place, GError **error)
{
    EngineConfig *config = target;
    size_t count;

    if (!engine_place_array(place, array, ENGINE_DEVICES_MAX, &count, error))
        return false;
    config->devices = g_new0(EngineDeviceConfig *, count);
    for (size_t i = 0; i < count; i++) {
        EnginePlace here = engine_place_item(place, i);
        g_autoptr(EngineDeviceConfig) device =
            engine_device_config_new(json_array_get(array, i), &here, error);

        if (!device || !check_unique(config, device, &here, error))
            return false;
        config->devices[config->n_devices++] = g_steal_pointer(&device);
    }
    return true;
}
