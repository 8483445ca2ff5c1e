/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/config-device.h"
#include "engine/config.h"
#include "util/i18n.h"

#define NAME_MAX_BYTES 255

static bool read_ports(json_t *array, void *target, const EnginePlace *place,
                       GError **error);

static const EngineMember port_members[] = {
    { "number", ENGINE_MEMBER_UINT, ENGINE_AT(EnginePortConfig, number),
      .required = true, .max = ENGINE_PORTS_MAX - 1 },
    { "name", ENGINE_MEMBER_STRING, ENGINE_AT(EnginePortConfig, name),
      .max = NAME_MAX_BYTES },
    { "console", ENGINE_MEMBER_BOOL, ENGINE_AT(EnginePortConfig, console) },
    { "chardev", ENGINE_MEMBER_OBJECT, ENGINE_AT(EnginePortConfig, chardev),
      .required = true, .members = engine_chardev_members },
    { NULL },
};

static const EngineMember virtio_serial_members[] = {
    ENGINE_MEMBERS(engine_device_members),
    { "ports", ENGINE_MEMBER_CUSTOM, ENGINE_AT(EngineDeviceConfig, serial),
      .read = read_ports },
    { NULL },
};

static bool
check_port(const EngineVirtioSerialConfig *serial, const EnginePortConfig *port,
           const EnginePlace *place, GError **error)
{
    for (unsigned i = 0; serial->ports[i] != port; i++)
        if (serial->ports[i]->number == port->number)
            return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                                       _("names a port that is taken"), error);
    if (port->chardev.type >= ENGINE_CHARDEV_FD && port->chardev.fd < 0)
        return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                                   _("needs 'fd' for its chardev"), error);
    return true;
}

static bool
read_ports(json_t *array, void *target, const EnginePlace *place,
           GError **error)
{
    EngineVirtioSerialConfig *serial = target;
    size_t count;

    if (!engine_place_array(place, array, ENGINE_PORTS_MAX, &count, error))
        return false;
    for (size_t i = 0; i < count; i++) {
        EnginePortConfig *port = g_new0(EnginePortConfig, 1);
        EnginePlace here = engine_place_item(place, i);

        port->chardev.fd = port->chardev.log_fd = -1;
        serial->ports[serial->n_ports++] = port;
        if (!engine_members_read(json_array_get(array, i), port_members, port,
                                 &here, error) ||
            !check_port(serial, port, &here, error))
            return false;
    }
    return true;
}

static void
virtio_serial_clear(EngineDeviceConfig *device)
{
    EngineVirtioSerialConfig *serial = &device->serial;

    for (unsigned i = 0; i < serial->n_ports; i++) {
        g_free(serial->ports[i]->name);
        g_free(serial->ports[i]);
    }
}

const EngineDeviceSchema engine_virtio_serial_schema = {
    .type = "virtio-serial",
    .members = virtio_serial_members,
    .clear = virtio_serial_clear,
};
