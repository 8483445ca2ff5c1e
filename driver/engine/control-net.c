/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/config.h"
#include "engine/control-command.h"
#include "engine/virtio/net.h"
#include "util/error.h"
#include "util/i18n.h"

/* The control socket's commands about network interfaces. */
#define ID_MAX_BYTES 255

typedef struct NetArguments {
    char *id;
    bool up;
    EngineNetBandwidth bandwidth;
} NetArguments;

static const EngineMember link_members[] = {
    { "id", ENGINE_MEMBER_STRING, ENGINE_AT(NetArguments, id), .required = true,
      .min = 1, .max = ID_MAX_BYTES },
    { "up", ENGINE_MEMBER_BOOL, ENGINE_AT(NetArguments, up), .required = true },
    { NULL },
};

static const EngineMember bandwidth_members[] = {
    { "id", ENGINE_MEMBER_STRING, ENGINE_AT(NetArguments, id), .required = true,
      .min = 1, .max = ID_MAX_BYTES },
    { "bandwidth", ENGINE_MEMBER_OBJECT, ENGINE_AT(NetArguments, bandwidth),
      .required = true, .members = engine_net_bandwidth_members },
    { NULL },
};

static void
clear(void *opaque)
{
    NetArguments *arguments = opaque;

    g_clear_pointer(&arguments->id, g_free);
}

static EngineVirtioNet *
find(Engine *engine, const char *id, GError **error)
{
    EngineVirtioNet *net =
        engine_virtio_net_of(engine_device_by_id(engine, id));

    if (!net)
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("there is no network interface '%s'"), id);
    return net;
}

static json_t *
interface_json(EngineVirtioNet *net)
{
    EngineNetInfo info;

    engine_virtio_net_info(net, &info);
    return json_pack("{s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "id",
                     engine_text(net->virtio.name), "link", (int)info.link,
                     "rx_bytes", (json_int_t)info.received.bytes, "rx_packets",
                     (json_int_t)info.received.packets, "rx_errors",
                     (json_int_t)info.received.errors, "rx_dropped",
                     (json_int_t)info.received.dropped, "tx_bytes",
                     (json_int_t)info.sent.bytes, "tx_packets",
                     (json_int_t)info.sent.packets, "tx_errors",
                     (json_int_t)info.sent.errors, "tx_dropped",
                     (json_int_t)info.sent.dropped);
}

static json_t *
run_query(Engine *engine, void *arguments, GError **error)
{
    g_autoptr(GPtrArray) configs = engine_device_configs(engine);
    json_t *list = json_array();

    for (guint i = 0; i < configs->len; i++) {
        const EngineDeviceConfig *config = g_ptr_array_index(configs, i);

        if (config->kind == ENGINE_DEVICE_VIRTIO_NET)
            json_array_append_new(
                list, interface_json(engine_virtio_net_of(
                          engine_device_by_id(engine, config->id))));
    }
    return list;
}

static json_t *
run_set_link(Engine *engine, void *opaque, GError **error)
{
    const NetArguments *arguments = opaque;
    EngineVirtioNet *net = find(engine, arguments->id, error);

    if (!net || !engine_virtio_net_set_link(net, arguments->up, error))
        return NULL;
    return json_object();
}

static json_t *
run_set_bandwidth(Engine *engine, void *opaque, GError **error)
{
    const NetArguments *arguments = opaque;
    EngineVirtioNet *net = find(engine, arguments->id, error);

    if (!net)
        return NULL;
    engine_virtio_net_set_bandwidth(net, &arguments->bandwidth);
    return json_object();
}

const EngineControlCommand engine_control_net[] = {
    { "net_set_bandwidth", true, run_set_bandwidth, bandwidth_members,
      sizeof(NetArguments), clear },
    { "query-net", false, run_query },
    { "set_link", true, run_set_link, link_members, sizeof(NetArguments),
      clear },
    { NULL },
};
