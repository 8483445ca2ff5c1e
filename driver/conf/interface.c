/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/interface.h"

#include <string.h>

#include "conf/device-rows.h"
#include "conf/domain.h"
#include "conf/element.h"
#include "conf/inet.h"
#include "conf/type.h"
#include "util/i18n.h"

#define BIT(TYPE)   (1u << CONF_INTERFACE_##TYPE)
#define WHEN(TYPES) CONF_WHEN(ConfInterface, type, TYPES)
#define SLIRP       (BIT(ABSENT) | BIT(USER))
#define MODELLED    (SLIRP | BIT(NETWORK) | BIT(BRIDGE) | BIT(ETHERNET))

static const char *const type_names[] = {
    NULL,        "user",   "network", "bridge", "ethernet", "direct",
    "vhostuser", "server", "client",  "mcast",  "internal", "hostdev",
    "udp",       "vdpa",   "null",    "vds",    ""
};
static const ConfVariant type_variant = { .name = "type",
                                          .count = CONF_INTERFACE_VDS + 1,
                                          .names = type_names };
static const char *const link_names[] = { NULL, "up", "down", "" };
static const char *const protocol_names[] = { NULL, "tcp", "udp", "" };
static const char *const backend_names[] = { NULL, "passt", "" };

/* --- what the start thinks of it -------------------------------------------
 */
static ConfPolicy
judge_type(const char *text, const void *base)
{
    const ConfInterface *net = base;

    return net->type <= CONF_INTERFACE_ETHERNET ? CONF_HONOURED : CONF_REFUSED;
}

static ConfPolicy
judge_model(const char *text, const void *base)
{
    return conf_model_policy(((const ConfInterface *)base)->model);
}

static ConfPolicy
judge_driver(const char *text, const void *base)
{
    return strcmp(((const ConfInterface *)base)->driver, "qemu") == 0
               ? CONF_HONOURED
               : CONF_HARMLESS;
}

static ConfPolicy
judge_tx_queue_size(const char *text, const void *base)
{
    const ConfInterface *net = base;

    return net->rx_queue_size && net->rx_queue_size != net->tx_queue_size
               ? CONF_HARMLESS
               : CONF_HONOURED;
}

static ConfPolicy
judge_backend(const char *text, const void *base)
{
    const ConfInterface *net = base;

    return net->type == CONF_INTERFACE_USER ? CONF_HONOURED : CONF_REFUSED;
}

/* The host's interface that user mode goes out by */
static ConfPolicy
judge_source_dev(const char *text, const void *base)
{
    const ConfInterface *net = base;

    return net->backend == CONF_NET_BACKEND_PASST ? CONF_HONOURED
                                                  : CONF_REFUSED;
}

/* --- parts ------------------------------------------------------------------
 */
static const ConfField mac_fields[] = {
    CONF_ATTR("address", ConfInterface, mac, mac, .flags = CONF_REQUIRED),
    CONF_CARRY_ATTR("type", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("check", .policy = CONF_QUIET), CONF_END
};
static const ConfElement mac_element = { .name = "mac", .fields = mac_fields };

static const ConfField source_fields[] = {
    CONF_ATTR("network", ConfInterface, network, token, WHEN(BIT(NETWORK))),
    CONF_ATTR("portgroup", ConfInterface, portgroup, token, WHEN(BIT(NETWORK))),
    CONF_CARRY_ATTR("portid", WHEN(BIT(NETWORK)), .policy = CONF_QUIET),
    CONF_ATTR("bridge", ConfInterface, bridge, ifname, WHEN(BIT(BRIDGE))),
    CONF_ATTR("bridge", ConfInterface, bridge, ifname, WHEN(BIT(NETWORK)),
              .flags = CONF_LIVE),
    CONF_ATTR("dev", ConfInterface, source_dev, ifname, WHEN(SLIRP),
              .judge = judge_source_dev,
              .advice = N_("only <backend type='passt'/> goes out by a "
                           "device that one chooses")),
    CONF_CARRY("ip", .flags = CONF_MANY, .policy = CONF_REFUSED,
               .advice = N_("addresses of the host's side are not set: "
                            "remove it")),
    CONF_CARRY("route", .flags = CONF_MANY, .policy = CONF_REFUSED,
               .advice = N_("routes of the host's side are not set: remove "
                            "it")),
    CONF_END
};
static const ConfElement source_element = { .name = "source",
                                            .fields = source_fields };

static void
ip_init(void *base)
{
    ((ConfIp *)base)->prefix = -1;
}

static const ConfField ip_fields[] = {
    CONF_ATTR("address", ConfIp, address, ip, .flags = CONF_REQUIRED),
    CONF_ATTR("family", ConfIp, family, token),
    CONF_ATTR("prefix", ConfIp, prefix, number),
    CONF_CARRY_ATTR("peer", .policy = CONF_REFUSED), CONF_END
};
static const ConfElement ip_element = { .name = "ip",
                                        .fields = ip_fields,
                                        .size = sizeof(ConfIp),
                                        .carried = offsetof(ConfIp, carried),
                                        .init = ip_init,
                                        .check = conf_ip_check };

static const ConfField range_fields[] = {
    CONF_ATTR("start", ConfPortRange, start, uint, .flags = CONF_REQUIRED),
    CONF_ATTR("end", ConfPortRange, end, uint),
    CONF_ATTR("to", ConfPortRange, to, uint),
    CONF_ATTR("exclude", ConfPortRange, exclude, yesno), CONF_END
};
static const ConfElement range_element = { .name = "range",
                                           .fields = range_fields,
                                           .size = sizeof(ConfPortRange),
                                           .carried =
                                               offsetof(ConfPortRange, carried),
                                           .check = conf_port_range_check };

static const ConfField forward_fields[] = {
    CONF_ATTR("proto", ConfPortForward, protocol, enum, .names = protocol_names,
              .flags = CONF_REQUIRED),
    CONF_ATTR("address", ConfPortForward, address, ip),
    CONF_ATTR("dev", ConfPortForward, dev, ifname),
    CONF_LIST("range", ConfPortForward, ranges, range_element), CONF_END
};
static const ConfElement forward_element = { .name = "portForward",
                                             .fields = forward_fields,
                                             .size = sizeof(ConfPortForward),
                                             .carried = offsetof(
                                                 ConfPortForward, carried),
                                             .check = conf_port_forward_check };

static const ConfField target_fields[] = {
    CONF_ATTR("dev", ConfInterface, target, ifname,
              .flags = CONF_LIVE | CONF_TAP),
    CONF_ATTR("managed", ConfInterface, managed, yesno), CONF_END
};
static const ConfElement target_element = { .name = "target",
                                            .fields = target_fields };

static const ConfField model_fields[] = {
    CONF_ATTR("type", ConfInterface, model, token, .flags = CONF_REQUIRED,
              .judge = judge_model,
              .advice = N_("the network devices are of type='virtio'")),
    CONF_END
};
static const ConfElement model_element = { .name = "model",
                                           .fields = model_fields };

static const ConfField driver_fields[] = {
    CONF_ATTR("name", ConfInterface, driver, token, .judge = judge_driver,
              .advice = N_("the engine itself moves the packets")),
    CONF_CARRY_ATTR("txmode", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("ioeventfd", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("event_idx", .policy = CONF_QUIET),
    CONF_ATTR("queues", ConfInterface, queues, uint),
    CONF_ATTR("rx_queue_size", ConfInterface, rx_queue_size, uint),
    CONF_ATTR("tx_queue_size", ConfInterface, tx_queue_size, uint,
              .judge = judge_tx_queue_size,
              .advice = N_("all queues have the size that rx_queue_size "
                           "says")),
    CONF_CARRY_ATTR("rss", .judge = conf_judge_off,
                    .advice = N_("packets are spread over queues by flow")),
    CONF_CARRY_ATTR("rss_hash_report", .judge = conf_judge_off,
                    .advice = N_("packets are spread over queues by flow")),
    CONF_VIRTIO_ROWS(ConfInterface),
    CONF_CARRY("host", .policy = CONF_HARMLESS,
               .advice = N_("the guest chooses among all offloads")),
    CONF_CARRY("guest", .policy = CONF_HARMLESS,
               .advice = N_("the guest chooses among all offloads")),
    CONF_END
};
static const ConfElement driver_element = { .name = "driver",
                                            .fields = driver_fields };

static const ConfField backend_fields[] = {
    CONF_ATTR("type", ConfInterface, backend, enum, .names = backend_names,
              .judge = judge_backend,
              .advice = N_("it goes with <interface type='user'>")),
    CONF_CARRY_ATTR("tap", .policy = CONF_HARMLESS),
    CONF_CARRY_ATTR("vhost", .policy = CONF_HARMLESS),
    CONF_ATTR("logFile", ConfInterface, log_file, string), CONF_END
};
static const ConfElement backend_element = { .name = "backend",
                                             .fields = backend_fields };

static const ConfField link_fields[] = { CONF_ATTR("state", ConfInterface, link,
                                                   enum, .names = link_names,
                                                   .flags = CONF_REQUIRED),
                                         CONF_END };
static const ConfElement link_element = { .name = "link",
                                          .fields = link_fields };

static const ConfField mtu_fields[] = { CONF_ATTR("size", ConfInterface, mtu,
                                                  uint, .flags = CONF_REQUIRED),
                                        CONF_END };
static const ConfElement mtu_element = { .name = "mtu", .fields = mtu_fields };

/* --- <interface> ------------------------------------------------------------
 */
#define SCRIPT_ADVICE \
    N_("no script is run: name the tap device, or use type='bridge'")

static const ConfField interface_fields[] = {
    CONF_ATTR("type", ConfInterface, type, enum, .names = type_names,
              .judge = judge_type,
              .advice = N_("the types user, network, bridge and ethernet are "
                           "possible")),
    CONF_CARRY_ATTR("managed", .policy = CONF_QUIET),
    CONF_CARRY_ATTR("trustGuestRxFilters", .policy = CONF_QUIET),
    CONF_GROUP("mac", mac_element),
    CONF_GROUP("source", source_element, WHEN(MODELLED)),
    CONF_CARRY("source", WHEN(~MODELLED), .policy = CONF_QUIET),
    CONF_CARRY("local", .policy = CONF_QUIET),
    CONF_CARRY("vlan", .policy = CONF_REFUSED,
               .advice = N_("frames are not tagged: use a bridge of the VLAN")),
    CONF_CARRY("virtualport", .policy = CONF_REFUSED,
               .advice = N_("only bridges of the Linux kernel are possible")),
    CONF_CHILD("bandwidth", ConfInterface, bandwidth, conf_bandwidth_element),
    CONF_CARRY("port", .judge = conf_judge_off),
    CONF_LIST("ip", ConfInterface, ips, ip_element),
    CONF_CARRY("route", .flags = CONF_MANY, .policy = CONF_REFUSED,
               .advice = N_("routes are the guest's own affair: remove it")),
    CONF_LIST("portForward", ConfInterface, forwards, forward_element),
    CONF_CARRY("script", .policy = CONF_REFUSED, .advice = SCRIPT_ADVICE),
    CONF_CARRY("downscript", .policy = CONF_REFUSED, .advice = SCRIPT_ADVICE),
    CONF_CARRY("backenddomain", .policy = CONF_REFUSED),
    CONF_GROUP("target", target_element),
    CONF_CARRY("guest", .policy = CONF_QUIET),
    CONF_GROUP("model", model_element),
    CONF_GROUP("driver", driver_element),
    CONF_CARRY("teaming", .policy = CONF_REFUSED),
    CONF_GROUP("backend", backend_element),
    CONF_CARRY("filterref", .policy = CONF_REFUSED,
               .advice = N_("packets are not filtered by libvirt's nwfilter: "
                            "remove it, and filter on the bridge")),
    CONF_CARRY("tune", .policy = CONF_HARMLESS),
    CONF_GROUP("link", link_element),
    CONF_GROUP("mtu", mtu_element),
    CONF_CARRY("coalesce", .policy = CONF_REFUSED,
               .advice = N_("interrupts are as many as the guest asks for: "
                            "remove it")),
    CONF_CHILD("boot", ConfInterface, boot_order, conf_boot_element),
    CONF_DEVICE_ROM_ROWS(
        ConfInterface, CONF_CHILD("rom", ConfInterface, rom, conf_rom_element)),
    CONF_END
};
const ConfElement conf_interface_element = { .name = "interface",
                                             .fields = interface_fields,
                                             .size = sizeof(ConfInterface),
                                             .carried = offsetof(ConfInterface,
                                                                 carried),
                                             .variant = &type_variant,
                                             .check = conf_interface_check };
