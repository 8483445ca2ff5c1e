/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <arpa/inet.h>
#include <limits.h>
#include <string.h>

#include "engine/config-device.h"
#include "util/error.h"
#include "util/i18n.h"

#define QUEUES_DEFAULT      1
#define QUEUE_SIZE_DEFAULT  256
#define QUEUE_SIZE_MIN      16
#define QUEUE_SIZE_MAX      1024
#define MTU_MIN             68 /* IPv4 must pass */
#define MTU_MAX             65535
#define PORT_MAX            65535
#define HOSTNAME_MAX_BYTES  255
#define ADDRESS_MAX_BYTES   18
#define BOOT_FILE_MAX_BYTES 127        /* and a NUL, of the field of DHCP */
#define NETWORK_DEFAULT     0x0a000200 /* 10.0.2.0 */
#define PREFIX_DEFAULT      24
#define PREFIX_MAX          27 /* room for .2, .3 and .15 */
#define PREFIX_MIN          8
#define KIB_MAX             (1ll << 40)

static bool read_backend(json_t *object, void *target, const EnginePlace *place,
                         GError **error);
static bool read_fds(json_t *array, void *target, const EnginePlace *place,
                     GError **error);
static bool read_forwards(json_t *array, void *target, const EnginePlace *place,
                          GError **error);
static bool read_host(json_t *value, void *target, const EnginePlace *place,
                      GError **error);
static bool read_mac(json_t *value, void *target, const EnginePlace *place,
                     GError **error);
static bool read_network(json_t *value, void *target, const EnginePlace *place,
                         GError **error);

static const char *const backend_names[] = { "tap", "user", "stream", NULL };
static const char *const protocol_names[] = { "tcp", "udp", NULL };

/* --- the host's end ------------------------------------------------------- */
#define TYPE_MEMBER                                                          \
    {                                                                        \
        "type", ENGINE_MEMBER_ENUM, ENGINE_AT(EngineNetBackendConfig, kind), \
            .required = true, .names = backend_names                         \
    }

static const EngineMember tap_members[] = {
    TYPE_MEMBER,
    { "fds", ENGINE_MEMBER_CUSTOM, .offset = 0, .required = true,
      .read = read_fds },
    { NULL },
};

static const EngineMember user_members[] = {
    TYPE_MEMBER,
    { "address", ENGINE_MEMBER_CUSTOM, .offset = 0, .read = read_network },
    { "restrict", ENGINE_MEMBER_BOOL,
      ENGINE_AT(EngineNetBackendConfig, restricted) },
    { "hostname", ENGINE_MEMBER_STRING,
      ENGINE_AT(EngineNetBackendConfig, hostname), .min = 1,
      .max = HOSTNAME_MAX_BYTES },
    { "tftp_root", ENGINE_MEMBER_STRING,
      ENGINE_AT(EngineNetBackendConfig, tftp_root), .min = 1,
      .max = PATH_MAX - 1 },
    { "boot_file", ENGINE_MEMBER_STRING,
      ENGINE_AT(EngineNetBackendConfig, boot_file), .min = 1,
      .max = BOOT_FILE_MAX_BYTES },
    { "forwards", ENGINE_MEMBER_CUSTOM, .offset = 0, .read = read_forwards },
    { NULL },
};

static const EngineMember stream_members[] = {
    TYPE_MEMBER,
    { "fd", ENGINE_MEMBER_FD, ENGINE_AT(EngineNetBackendConfig, fd),
      .required = true },
    { NULL },
};

/* What may stand beside it depends on the type. */
static const EngineMember *const backend_members[] = {
    [ENGINE_NET_TAP] = tap_members,
    [ENGINE_NET_USER] = user_members,
    [ENGINE_NET_STREAM] = stream_members,
};

/* A forward while it is read: an enum is an int. */
typedef struct ForwardItem {
    int protocol;
    EngineNetForward forward;
} ForwardItem;

static const EngineMember forward_members[] = {
    { "protocol", ENGINE_MEMBER_ENUM, ENGINE_AT(ForwardItem, protocol),
      .names = protocol_names },
    { "host", ENGINE_MEMBER_CUSTOM, ENGINE_AT(ForwardItem, forward.host),
      .read = read_host },
    { "host_port", ENGINE_MEMBER_UINT,
      ENGINE_AT(ForwardItem, forward.host_port), .required = true, .min = 1,
      .max = PORT_MAX },
    { "guest_port", ENGINE_MEMBER_UINT,
      ENGINE_AT(ForwardItem, forward.guest_port), .required = true, .min = 1,
      .max = PORT_MAX },
    { NULL },
};

/* --- bandwidth ------------------------------------------------------------ */
static const EngineMember rate_members[] = {
    { "average", ENGINE_MEMBER_UINT64, ENGINE_AT(EngineNetRate, average_kib),
      .required = true, .min = 0, .max = KIB_MAX },
    { "peak", ENGINE_MEMBER_UINT64, ENGINE_AT(EngineNetRate, peak_kib),
      .min = 0, .max = KIB_MAX },
    { "burst", ENGINE_MEMBER_UINT64, ENGINE_AT(EngineNetRate, burst_kib),
      .min = 0, .max = KIB_MAX },
    { NULL },
};

const EngineMember engine_net_bandwidth_members[] = {
    { "inbound", ENGINE_MEMBER_OBJECT, ENGINE_AT(EngineNetBandwidth, inbound),
      .members = rate_members },
    { "outbound", ENGINE_MEMBER_OBJECT, ENGINE_AT(EngineNetBandwidth, outbound),
      .members = rate_members },
    { NULL },
};

/* --- the device ----------------------------------------------------------- */
static const EngineMember net_members[] = {
    ENGINE_MEMBERS(engine_device_members),
    { "mac", ENGINE_MEMBER_CUSTOM, ENGINE_AT(EngineDeviceConfig, net.mac),
      .required = true, .read = read_mac },
    { "mtu", ENGINE_MEMBER_UINT, ENGINE_AT(EngineDeviceConfig, net.mtu),
      .max = MTU_MAX },
    { "queues", ENGINE_MEMBER_UINT, ENGINE_AT(EngineDeviceConfig, net.queues),
      .min = 1, .max = ENGINE_NET_PAIRS_MAX },
    { "queue_size", ENGINE_MEMBER_UINT,
      ENGINE_AT(EngineDeviceConfig, net.queue_size), .min = QUEUE_SIZE_MIN,
      .max = QUEUE_SIZE_MAX },
    { "link", ENGINE_MEMBER_BOOL, ENGINE_AT(EngineDeviceConfig, net.link) },
    { "offload", ENGINE_MEMBER_BOOL,
      ENGINE_AT(EngineDeviceConfig, net.offload) },
    { "backend", ENGINE_MEMBER_CUSTOM,
      ENGINE_AT(EngineDeviceConfig, net.backend), .required = true,
      .read = read_backend },
    { "bandwidth", ENGINE_MEMBER_OBJECT,
      ENGINE_AT(EngineDeviceConfig, net.bandwidth),
      .members = engine_net_bandwidth_members },
    { NULL },
};

/* Takes the type first, which says what the other members are. */
static bool
read_backend(json_t *object, void *target, const EnginePlace *place,
             GError **error)
{
    const EngineMember *type = &backend_members[0][0];
    EngineNetBackendConfig *backend = target;
    EnginePlace here = engine_place_member(place, type->name);

    if (!json_is_object(object))
        return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                                   _("must be an object"), error);
    if (!json_object_get(object, type->name))
        return engine_place_refuse(&here, VIR_ERR_INVALID_ARG, _("is missing"),
                                   error);
    return engine_member_read(type, json_object_get(object, type->name),
                              backend, &here, error) &&
           engine_members_read(object, backend_members[backend->kind], backend,
                               place, error);
}

static bool
read_fds(json_t *array, void *target, const EnginePlace *place, GError **error)
{
    static const EngineMember row = { "fd", ENGINE_MEMBER_FD, .offset = 0 };
    EngineNetBackendConfig *backend = target;
    size_t count;

    if (!engine_place_array(place, array, ENGINE_NET_PAIRS_MAX, &count, error))
        return false;
    for (size_t i = 0; i < count; i++) {
        EnginePlace here = engine_place_item(place, i);

        if (!engine_member_read(&row, json_array_get(array, i),
                                &backend->fds[i], &here, error))
            return false;
    }
    backend->n_fds = count;
    return true;
}

static bool
read_forwards(json_t *array, void *target, const EnginePlace *place,
              GError **error)
{
    EngineNetBackendConfig *backend = target;
    size_t count;

    if (!engine_place_array(place, array, ENGINE_NET_FORWARDS_MAX, &count,
                            error))
        return false;
    g_free(backend->forwards);
    backend->forwards = g_new0(EngineNetForward, count);
    backend->n_forwards = count;
    for (size_t i = 0; i < count; i++) {
        EnginePlace here = engine_place_item(place, i);
        ForwardItem item = { 0 };

        if (!engine_members_read(json_array_get(array, i), forward_members,
                                 &item, &here, error))
            return false;
        item.forward.udp = item.protocol == 1;
        backend->forwards[i] = item.forward;
    }
    return true;
}

static bool
read_host(json_t *value, void *target, const EnginePlace *place, GError **error)
{
    const char *text = json_string_value(value);

    if (text && inet_pton(AF_INET, text, target) == 1)
        return true;
    return engine_place_refuse(place, VIR_ERR_INVALID_ARG,
                               _("must be an IPv4 address"), error);
}

/* Of a network of the form "10.0.2.0/24". */
static bool
parse_network(const char *text, EngineNetBackendConfig *backend)
{
    g_auto(GStrv) parts = NULL;
    uint64_t prefix;

    if (!text || strlen(text) > ADDRESS_MAX_BYTES)
        return false;
    parts = g_strsplit(text, "/", 2);
    if (!parts[0] || !parts[1] ||
        inet_pton(AF_INET, parts[0], &backend->network) != 1 ||
        !g_ascii_string_to_unsigned(parts[1], 10, PREFIX_MIN, PREFIX_MAX,
                                    &prefix, NULL))
        return false;
    backend->prefix = (unsigned)prefix;
    backend->network.s_addr &= htonl(UINT32_MAX << (32 - prefix));
    return true;
}

static bool
read_network(json_t *value, void *target, const EnginePlace *place,
             GError **error)
{
    if (parse_network(json_string_value(value), target))
        return true;
    return engine_place_refuse(
        place, VIR_ERR_INVALID_ARG,
        _("must be an IPv4 network such as 10.0.2.0/24, of 8 to 27 bits"),
        error);
}

/* Returns: whether @text is six pairs of hexadecimal digits */
static bool
parse_mac(const char *text, uint8_t *mac)
{
    if (!text || strlen(text) != 3 * ENGINE_NET_MAC_BYTES - 1)
        return false;
    for (size_t i = 0; i < ENGINE_NET_MAC_BYTES; i++) {
        int high = g_ascii_xdigit_value(text[3 * i]);
        int low = g_ascii_xdigit_value(text[3 * i + 1]);

        if (high < 0 || low < 0 ||
            (i + 1 < ENGINE_NET_MAC_BYTES && text[3 * i + 2] != ':'))
            return false;
        mac[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool
read_mac(json_t *value, void *target, const EnginePlace *place, GError **error)
{
    uint8_t *mac = target;

    if (parse_mac(json_string_value(value), mac) && !(mac[0] & 1))
        return true;
    return engine_place_refuse(
        place, VIR_ERR_INVALID_ARG,
        _("must be a MAC address of one station, such as 52:54:00:12:34:56"),
        error);
}

static void
net_init(EngineDeviceConfig *device)
{
    EngineNetConfig *net = &device->net;

    net->queues = QUEUES_DEFAULT;
    net->queue_size = QUEUE_SIZE_DEFAULT;
    net->link = net->offload = true;
    net->backend.fd = -1;
    net->backend.network.s_addr = htonl(NETWORK_DEFAULT);
    net->backend.prefix = PREFIX_DEFAULT;
}

static bool
net_check(const EngineDeviceConfig *device, const EnginePlace *place,
          GError **error)
{
    const EngineNetConfig *net = &device->net;
    size_t pairs = net->backend.kind == ENGINE_NET_TAP ? net->backend.n_fds : 1;
    EnginePlace queues = engine_place_member(place, "queues");
    EnginePlace size = engine_place_member(place, "queue_size");
    EnginePlace mtu = engine_place_member(place, "mtu");

    if (net->queues != pairs)
        return engine_place_refuse(
            &queues, VIR_ERR_INVALID_ARG,
            net->backend.kind == ENGINE_NET_TAP
                ? _("must be as many as there are descriptors of the tap")
                : _("must be 1 with a backend that is no tap"),
            error);
    if ((net->queue_size & (net->queue_size - 1)) != 0)
        return engine_place_refuse(&size, VIR_ERR_INVALID_ARG,
                                   _("must be a power of two"), error);
    if (net->mtu > 0 && net->mtu < MTU_MIN)
        return engine_place_refuse(&mtu, VIR_ERR_INVALID_ARG,
                                   _("must be 0, or 68 or more"), error);
    return true;
}

static void
net_clear(EngineDeviceConfig *device)
{
    g_free(device->net.backend.hostname);
    g_free(device->net.backend.tftp_root);
    g_free(device->net.backend.boot_file);
    g_free(device->net.backend.forwards);
}

const EngineDeviceSchema engine_net_schema = {
    .type = "virtio-net",
    .members = net_members,
    .init = net_init,
    .check = net_check,
    .clear = net_clear,
};
