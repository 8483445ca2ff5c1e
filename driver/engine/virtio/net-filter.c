/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <linux/if_ether.h>
#include <string.h>

#include "engine/virtio/net.h"

#define TYPE_AT 12 /* the Ethernet type, with the most significant byte first \
                    */
#define VLAN_AT   14
#define VLAN_MASK 0x0fff
#define IS_GROUP  0x01 /* of the first byte of an address */

void
engine_net_filter_reset(EngineNetFilter *filter)
{
    memset(filter, 0, sizeof(*filter));
    /* Without the commands, a device takes what comes (5.1.6.5.1). */
    filter->promiscuous = true;
}

static bool
is_listed(const struct EngineNetAddresses *addresses, const uint8_t *mac)
{
    if (addresses->overflow)
        return true;
    for (unsigned i = 0; i < addresses->count; i++)
        if (memcmp(addresses->of[i], mac, ENGINE_NET_MAC_BYTES) == 0)
            return true;
    return false;
}

static bool
wants_vlan(const EngineNetFilter *filter, const uint8_t *frame)
{
    unsigned type = (unsigned)frame[TYPE_AT] << 8 | frame[TYPE_AT + 1];
    unsigned vlan = (unsigned)frame[VLAN_AT] << 8 | frame[VLAN_AT + 1];

    if (!filter->by_vlan || type != ETH_P_8021Q)
        return true;
    vlan &= VLAN_MASK;
    return filter->vlans[vlan / 8] & 1u << vlan % 8;
}

bool
engine_net_filter_wants(const EngineNetFilter *filter, const uint8_t *frame,
                        const uint8_t *mac)
{
    static const uint8_t broadcast[ENGINE_NET_MAC_BYTES] = { 0xff, 0xff, 0xff,
                                                             0xff, 0xff, 0xff };

    if (filter->promiscuous)
        return true;
    if (!wants_vlan(filter, frame))
        return false;
    if (memcmp(frame, broadcast, ENGINE_NET_MAC_BYTES) == 0)
        return !filter->no_broadcast;
    if (frame[0] & IS_GROUP)
        return !filter->no_multicast &&
               (filter->all_multicast || is_listed(&filter->multicast, frame));
    return !filter->no_unicast &&
           (filter->all_unicast ||
            memcmp(frame, mac, ENGINE_NET_MAC_BYTES) == 0 ||
            is_listed(&filter->unicast, frame));
}
