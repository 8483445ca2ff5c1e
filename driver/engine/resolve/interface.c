/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/resolve/document.h"

#include <string.h>

#include "conf/inet.h"
#include "engine/resolve/net.h"
#include "util/error.h"
#include "util/i18n.h"

/* Forwarded ports of one interface in user mode */
#define FORWARDS_MAX 1024
#define USER_NETWORK "10.0.2.0/24"

static void
set(json_t *object, const char *key, json_t *value)
{
    json_object_set_new(object, key, value);
}

static void
set_string(json_t *object, const char *key, const char *value)
{
    if (value)
        set(object, key, json_string(value));
}

static void
set_number(json_t *object, const char *key, uint64_t value)
{
    if (value > 0)
        set(object, key,
            json_integer((json_int_t)MIN(value, (uint64_t)INT64_MAX)));
}

/* --- user mode --------------------------------------------------------------
 */
static bool
add_range(json_t *forwards, const ConfPortForward *forward,
          const ConfPortRange *range, GError **error)
{
    unsigned last = range->end ? range->end : range->start;
    unsigned guest = range->to ? range->to : range->start;

    if (range->exclude == CONF_ONOFF_ON) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("<range exclude='yes'> needs <backend type='passt'/>"));
        return false;
    }
    if (json_array_size(forwards) + (last - range->start) >= FORWARDS_MAX) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("more than %d ports of <portForward> need <backend "
                    "type='passt'/>"),
                  FORWARDS_MAX);
        return false;
    }
    for (unsigned port = range->start; port <= last; port++) {
        json_t *item = json_pack(
            "{s:s,s:i,s:i}", "protocol",
            forward->protocol == CONF_PROTOCOL_TCP ? "tcp" : "udp", "host_port",
            (int)port, "guest_port", (int)(guest + port - range->start));

        if (forward->address)
            set(item, "host", json_string(forward->address));
        json_array_append_new(forwards, item);
    }
    return true;
}

static bool
add_forward(json_t *forwards, const ConfPortForward *forward, GError **error)
{
    if (forward->ranges->len == 0 || forward->dev) {
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("<portForward> with a device, or of all ports, needs "
                    "<backend type='passt'/>"));
        return false;
    }
    for (guint i = 0; i < forward->ranges->len; i++)
        if (!add_range(forwards, forward, g_ptr_array_index(forward->ranges, i),
                       error))
            return false;
    return true;
}

/* The guest's network is that of the first IPv4 address that is given. */
static char *
user_network(const ConfInterface *net)
{
    for (guint i = 0; i < net->ips->len; i++) {
        const ConfIp *ip = g_ptr_array_index(net->ips, i);
        int prefix = ip->prefix >= 0 ? ip->prefix : 24;
        g_autofree char *text = NULL;
        ConfInet address;

        if (!conf_inet_parse(ip->address, &address) ||
            conf_inet_bits(&address) != 32)
            continue;
        conf_inet_mask(&address, (unsigned)prefix, false);
        text = conf_inet_format(&address);
        return g_strdup_printf("%s/%d", text, prefix);
    }
    return g_strdup(USER_NETWORK);
}

static bool
fill_user(EngineResolved *resolved, json_t *backend, const ConfInterface *net,
          GError **error)
{
    json_t *forwards = json_array();
    g_autofree char *network = user_network(net);

    set(backend, "type", json_string("user"));
    set(backend, "address", json_string(network));
    set(backend, "hostname", json_string(resolved->domain->name));
    set_string(backend, "tftp_root", resolved->domain->virtkvm.tftp_root);
    set_string(backend, "boot_file", resolved->domain->virtkvm.tftp_file);
    set(backend, "forwards", forwards);
    for (guint i = 0; i < net->forwards->len; i++)
        if (!add_forward(forwards, g_ptr_array_index(net->forwards, i), error))
            return false;
    return true;
}

static bool
fill_passt(EngineResolved *resolved, json_t *backend, const ConfInterface *net,
           GError **error)
{
    int fd = engine_passt_open(net, error);

    if (fd < 0)
        return false;
    set(backend, "type", json_string("stream"));
    engine_document_add_fd(resolved, backend, "fd", fd);
    return true;
}

/* --- taps -------------------------------------------------------------------
 */
static bool
fill_tap(EngineResolved *resolved, json_t *backend, ConfInterface *net,
         const char *bridge, GError **error)
{
    int fds[CONF_INTERFACE_QUEUES_MAX];
    unsigned count = MAX(net->queues, 1);
    json_t *list = json_array();

    set(backend, "type", json_string("tap"));
    set(backend, "fds", list);
    if (!engine_tap_open(net, bridge, fds, count, error))
        return false;
    for (unsigned i = 0; i < count; i++)
        engine_document_append_fd(resolved, list, fds[i]);
    return true;
}

/* What the interface leaves open is as its network has it. */
static void
inherit(ConfInterface *net, EngineNetwork *network)
{
    const ConfRate *in = &net->bandwidth.inbound,
                   *out = &net->bandwidth.outbound;

    g_free(net->bridge);
    net->bridge = g_steal_pointer(&network->bridge);
    if (net->mtu == 0)
        net->mtu = network->mtu;
    if (in->average_kib == 0 && out->average_kib == 0)
        net->bandwidth = network->bandwidth;
}

/* Where there are no virtual networks, as for a user's own daemon, the guest
 * reaches the world in user mode. */
static bool
fill_network(EngineResolved *resolved, json_t *backend, ConfInterface *net,
             GError **error)
{
    const EngineResolveContext *context = resolved->context;
    EngineNetwork network = { 0 };

    if (context->network &&
        !context->network(net, context->opaque, &network, error))
        return false;
    if (network.bridge) {
        inherit(net, &network);
        return fill_tap(resolved, backend, net, net->bridge, error);
    }
    engine_document_warn(
        resolved,
        g_strdup_printf(_("the network '%s' is not to be had here: the "
                          "interface %s is in user mode"),
                        net->network, net->mac));
    return fill_user(resolved, backend, net, error);
}

static bool
fill_backend(EngineResolved *resolved, json_t *backend, ConfInterface *net,
             GError **error)
{
    switch (net->type) {
    case CONF_INTERFACE_ABSENT:
    case CONF_INTERFACE_USER:
        return net->backend == CONF_NET_BACKEND_PASST
                   ? fill_passt(resolved, backend, net, error)
                   : fill_user(resolved, backend, net, error);
    case CONF_INTERFACE_NETWORK:
        return fill_network(resolved, backend, net, error);
    case CONF_INTERFACE_BRIDGE:
        return fill_tap(resolved, backend, net, net->bridge, error);
    case CONF_INTERFACE_ETHERNET:
        return fill_tap(resolved, backend, net, NULL, error);
    case CONF_INTERFACE_DIRECT:
    case CONF_INTERFACE_VHOSTUSER:
    case CONF_INTERFACE_SERVER:
    case CONF_INTERFACE_CLIENT:
    case CONF_INTERFACE_MCAST:
    case CONF_INTERFACE_INTERNAL:
    case CONF_INTERFACE_HOSTDEV:
    case CONF_INTERFACE_UDP:
    case CONF_INTERFACE_VDPA:
    case CONF_INTERFACE_NULL:
    case CONF_INTERFACE_VDS:
        break;
    }
    error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
              _("the type of this <interface> is not supported"));
    return false;
}

/* --- the device -------------------------------------------------------------
 */
static void
set_rate(json_t *bandwidth, const char *key, const ConfRate *rate)
{
    json_t *object;

    if (!rate->average_kib)
        return;
    object = json_object();
    set_number(object, "average", rate->average_kib);
    set_number(object, "peak", rate->peak_kib);
    set_number(object, "burst", rate->burst_kib);
    set(bandwidth, key, object);
}

json_t *
engine_document_bandwidth(const ConfBandwidth *bandwidth)
{
    json_t *object = json_object();

    set_rate(object, "inbound", &bandwidth->inbound);
    set_rate(object, "outbound", &bandwidth->outbound);
    return object;
}

/* Backends in user mode have one queue. */
static unsigned
queues_of(const json_t *backend, const ConfInterface *net)
{
    size_t fds = json_array_size(json_object_get(backend, "fds"));

    return fds > 0 ? (unsigned)fds : MIN(net->queues, 1);
}

static void
fill_device(json_t *device, const ConfInterface *net)
{
    json_t *bandwidth = engine_document_bandwidth(&net->bandwidth);

    set(device, "mac", json_string(net->mac));
    set(device, "packed", json_boolean(net->packed == CONF_ONOFF_ON));
    set(device, "link", json_boolean(net->link != CONF_LINK_DOWN));
    set_number(device, "mtu", net->mtu);
    set_number(device, "queue_size",
               net->rx_queue_size ? net->rx_queue_size : net->tx_queue_size);
    if (json_object_size(bandwidth) > 0)
        set(device, "bandwidth", bandwidth);
    else
        json_decref(bandwidth);
}

bool
engine_document_interface(EngineResolved *resolved, ConfInterface *net,
                          GError **error)
{
    json_t *device = engine_document_add(resolved, "virtio-net", net->alias,
                                         &net->address, error);
    json_t *backend = json_object();

    if (!device) {
        json_decref(backend);
        return false;
    }
    set(device, "backend", backend);
    if (!fill_backend(resolved, backend, net, error)) {
        g_prefix_error(error, _("interface %s: "), net->mac);
        return false;
    }
    fill_device(device, net);
    set_number(device, "queues", queues_of(backend, net));
    return true;
}

/* --- of a running guest -----------------------------------------------------
 */
static bool
find_bridge(ConfInterface *net, const EngineResolveContext *context,
            GError **error)
{
    EngineNetwork network = { 0 };

    if (net->type != CONF_INTERFACE_NETWORK)
        return true;
    if (context->network &&
        !context->network(net, context->opaque, &network, error))
        return false;
    g_free(net->bridge);
    net->bridge = network.bridge;
    return true;
}

bool
engine_resolve_connect(const ConfInterface *before, ConfInterface *net,
                       const EngineResolveContext *context, GError **error)
{
    if (!find_bridge(net, context, error))
        return false;
    if (before->bridge && net->bridge && net->target)
        return engine_tap_move(net->target, before->bridge, net->bridge, error);
    error_set(error, VIR_ERR_OPERATION_UNSUPPORTED,
              _("the interface %s is in user mode: its network cannot be "
                "changed while the guest runs"),
              net->mac);
    return false;
}
