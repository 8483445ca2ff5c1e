/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <linux/virtio_scsi.h>
#include <string.h>

#include "engine/virtio/scsi.h"
#include "util/i18n.h"

/* The event queue (virtio 1.2, 5.6.6.3): what the driver has no buffer for is
 * lost, and it is told that something was. */

static void
fill(struct virtio_scsi_event *event, const ScsiUnit *unit)
{
    if (!unit)
        return;
    event->lun[0] = 1;
    event->lun[1] = (uint8_t)unit->target;
    /* flat addressing only where it must be: drivers know no other */
    event->lun[2] = (uint8_t)(unit->lun < 256 ? 0 : 0x40 | unit->lun >> 8);
    event->lun[3] = (uint8_t)unit->lun;
}

static void
put(const EngineChain *chain, const struct virtio_scsi_event *event)
{
    const uint8_t *at = (const uint8_t *)event;
    size_t left = sizeof(*event);

    for (unsigned i = chain->n_read;
         i < chain->n_read + chain->n_write && left > 0; i++) {
        size_t part = MIN(left, chain->iov[i].iov_len);

        memcpy(chain->iov[i].iov_base, at, part);
        at += part;
        left -= part;
    }
}

/* Returns: whether there was a buffer */
static bool
put_event(Vscsi *vscsi, struct virtio_scsi_event *event)
{
    EngineChain chain = { .iov = vscsi->iov,
                          .capacity = vscsi->config->queue_size };

    if (vscsi->virtio.queues[VSCSI_EVENTS].ring.size == 0 ||
        !engine_virtio_pop(&vscsi->virtio, VSCSI_EVENTS, &chain))
        return false;
    if (chain.write_size < sizeof(*event)) {
        engine_virtio_fail(&vscsi->virtio,
                           N_("a buffer for events is too small"));
        return false;
    }
    if (vscsi->missed)
        event->event |= VIRTIO_SCSI_T_EVENTS_MISSED;
    vscsi->missed = false;
    put(&chain, event);
    engine_virtio_push(&vscsi->virtio, VSCSI_EVENTS, &chain, sizeof(*event));
    vscsi_pushed(vscsi, VSCSI_EVENTS);
    return true;
}

void
vscsi_tell(Vscsi *vscsi, const ScsiUnit *unit, uint32_t event, uint32_t reason)
{
    unsigned feature = event == VIRTIO_SCSI_T_TRANSPORT_RESET
                           ? VIRTIO_SCSI_F_HOTPLUG
                           : VIRTIO_SCSI_F_CHANGE;
    struct virtio_scsi_event news = { .event = event, .reason = reason };

    if (!vscsi->virtio.live || !(vscsi->virtio.accepted & 1ull << feature))
        return;
    fill(&news, unit);
    if (!put_event(vscsi, &news))
        vscsi->missed = true;
}

void
vscsi_events(Vscsi *vscsi)
{
    struct virtio_scsi_event news = { .event = VIRTIO_SCSI_T_NO_EVENT };

    if (vscsi->missed)
        (void)put_event(vscsi, &news);
}
