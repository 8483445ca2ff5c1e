/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <linux/virtio_scsi.h>
#include <string.h>

#include "engine/virtio/scsi.h"
#include "util/i18n.h"

/*
 * The control queue (virtio 1.2, 5.6.6.2). When a function is answered, the
 * commands that it is about have ended: those that the host has already are
 * waited for, the others are taken back.
 */
typedef union Request {
    uint32_t type;
    struct virtio_scsi_ctrl_tmf_req tmf;
    struct virtio_scsi_ctrl_an_req an;
} Request;

typedef union Response {
    struct virtio_scsi_ctrl_tmf_resp tmf;
    struct virtio_scsi_ctrl_an_resp an;
} Response;

static size_t
gather(const EngineChain *chain, void *to, size_t size)
{
    uint8_t *at = to;
    size_t left = size;

    for (unsigned i = 0; i < chain->n_read && left > 0; i++) {
        size_t part = MIN(left, chain->iov[i].iov_len);

        memcpy(at, chain->iov[i].iov_base, part);
        at += part;
        left -= part;
    }
    return size - left;
}

static void
scatter(const EngineChain *chain, const void *from, size_t size)
{
    const uint8_t *at = from;

    for (unsigned i = chain->n_read;
         i < chain->n_read + chain->n_write && size > 0; i++) {
        size_t part = MIN(size, chain->iov[i].iov_len);

        memcpy(chain->iov[i].iov_base, at, part);
        at += part;
        size -= part;
    }
}

/* --- task management (SAM-5, 7) --------------------------------------------
 */
static VscsiCommand *
find_task(const Vscsi *vscsi, const ScsiUnit *unit, uint64_t tag, bool any)
{
    for (VscsiCommand *command = vscsi->first; command; command = command->next)
        if (command->scsi.unit == unit && (any || command->tag == tag))
            return command;
    return NULL;
}

static uint8_t
abort_task(Vscsi *vscsi, ScsiUnit *unit, uint64_t tag)
{
    VscsiCommand *command = find_task(vscsi, unit, tag, false);

    vscsi->cancelled_as = VIRTIO_SCSI_S_ABORTED;
    if (command)
        engine_disk_cancel_one(&unit->disk, &command->scsi.disk, -ECANCELED);
    return VIRTIO_SCSI_S_OK;
}

static uint8_t
reset_units(Vscsi *vscsi, unsigned target, const ScsiUnit *only)
{
    for (unsigned i = 0; i < vscsi->n_units; i++) {
        ScsiUnit *unit = vscsi->units[i];

        if (unit->target != target || (only && unit != only))
            continue;
        vscsi_cancel(vscsi, unit, VIRTIO_SCSI_S_RESET);
        scsi_unit_reset(unit);
    }
    return VIRTIO_SCSI_S_OK;
}

static uint8_t
manage_unit(Vscsi *vscsi, ScsiUnit *unit,
            const struct virtio_scsi_ctrl_tmf_req *tmf)
{
    switch (tmf->subtype) {
    case VIRTIO_SCSI_T_TMF_ABORT_TASK:
        return abort_task(vscsi, unit, tmf->tag);
    case VIRTIO_SCSI_T_TMF_ABORT_TASK_SET:
    case VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET:
        vscsi_cancel(vscsi, unit, VIRTIO_SCSI_S_ABORTED);
        return VIRTIO_SCSI_S_OK;
    case VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET:
        return reset_units(vscsi, unit->target, unit);
    case VIRTIO_SCSI_T_TMF_QUERY_TASK:
    case VIRTIO_SCSI_T_TMF_QUERY_TASK_SET:
        return find_task(vscsi, unit, tmf->tag,
                         tmf->subtype == VIRTIO_SCSI_T_TMF_QUERY_TASK_SET)
                   ? VIRTIO_SCSI_S_FUNCTION_SUCCEEDED
                   : VIRTIO_SCSI_S_OK;
    default:
        return VIRTIO_SCSI_S_FUNCTION_REJECTED;
    }
}

static uint8_t
manage(Vscsi *vscsi, const struct virtio_scsi_ctrl_tmf_req *tmf)
{
    unsigned target, lun;
    ScsiUnit *unit;

    if (!vscsi_place(tmf->lun, &target, &lun) ||
        !vscsi_has_target(vscsi, target))
        return VIRTIO_SCSI_S_BAD_TARGET;
    if (tmf->subtype == VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET)
        return reset_units(vscsi, target, NULL);
    unit = vscsi_unit(vscsi, target, lun);
    return unit ? manage_unit(vscsi, unit, tmf) : VIRTIO_SCSI_S_INCORRECT_LUN;
}

/* Returns: bytes of the response; 0: the request makes no sense */
static size_t
answer(Vscsi *vscsi, const Request *request, size_t size, Response *response)
{
    memset(response, 0, sizeof(*response));
    if (size < sizeof(request->type))
        return 0;
    switch (request->type) {
    case VIRTIO_SCSI_T_TMF:
        if (size < sizeof(request->tmf))
            return 0;
        response->tmf.response = manage(vscsi, &request->tmf);
        return sizeof(response->tmf);
    case VIRTIO_SCSI_T_AN_QUERY:
    case VIRTIO_SCSI_T_AN_SUBSCRIBE: /* there is nothing to subscribe to */
        if (size < sizeof(request->an))
            return 0;
        response->an.response = VIRTIO_SCSI_S_OK;
        return sizeof(response->an);
    default:
        return 0;
    }
}

static bool
serve_one(Vscsi *vscsi)
{
    EngineChain chain = { .iov = vscsi->iov,
                          .capacity = vscsi->config->queue_size };
    Request request = { 0 };
    Response response;
    size_t size;

    if (!engine_virtio_pop(&vscsi->virtio, VSCSI_CONTROL, &chain))
        return false;
    size = gather(&chain, &request, sizeof(request));
    size = answer(vscsi, &request, size, &response);
    if (size == 0 || chain.write_size < size) {
        engine_virtio_fail(&vscsi->virtio,
                           N_("a request for control is not complete"));
        return false;
    }
    scatter(&chain, &response, size);
    engine_virtio_push(&vscsi->virtio, VSCSI_CONTROL, &chain, (uint32_t)size);
    vscsi_pushed(vscsi, VSCSI_CONTROL);
    return true;
}

void
vscsi_control(Vscsi *vscsi)
{
    EngineQueue *ring = &vscsi->virtio.queues[VSCSI_CONTROL].ring;

    do {
        engine_queue_mute(ring);
        while (serve_one(vscsi))
            continue;
    } while (engine_queue_listen(ring));
}
