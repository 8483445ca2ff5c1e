/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <linux/virtio_scsi.h>
#include <string.h>

#include "engine/virtio/scsi.h"
#include "util/i18n.h"

/*
 * Commands (virtio 1.2, 5.6.6.1). Where one buffer ends and the next begins
 * means nothing: a request is its header and what the device reads, then the
 * response with room for the sense, and what the device writes.
 */
#define HEADER_BYTES   offsetof(struct virtio_scsi_cmd_req, cdb)
#define RESPONSE_BYTES offsetof(struct virtio_scsi_cmd_resp, sense)
#define CDB_BYTES_MAX  255
#define REPORT_LUNS    0xa0

/* Part of a request's buffers. */
typedef struct Span {
    struct iovec *iov;
    unsigned count;
    uint64_t size;
} Span;

/* Takes @size bytes, which it has, off the span's start.
 * @parts: where they are; there is room for as many as the span has
 * Returns: how many parts */
static unsigned
span_take(Span *span, size_t size, struct iovec *parts)
{
    unsigned n = 0;

    span->size -= size;
    while (size > 0) {
        size_t part = MIN(size, span->iov->iov_len);

        parts[n++] = (struct iovec){ span->iov->iov_base, part };
        size -= part;
        span->iov->iov_base = (uint8_t *)span->iov->iov_base + part;
        span->iov->iov_len -= part;
        if (span->iov->iov_len == 0) {
            span->iov++;
            span->count--;
        }
    }
    return n;
}

static void
gather(const struct iovec *parts, unsigned count, void *to)
{
    uint8_t *at = to;

    for (unsigned i = 0; i < count; i++) {
        memcpy(at, parts[i].iov_base, parts[i].iov_len);
        at += parts[i].iov_len;
    }
}

static void
scatter(const struct iovec *parts, unsigned count, const void *from,
        size_t size)
{
    const uint8_t *at = from;

    for (unsigned i = 0; i < count && size > 0; i++) {
        size_t part = MIN(size, parts[i].iov_len);

        memcpy(parts[i].iov_base, at, part);
        at += part;
        size -= part;
    }
}

bool
vscsi_place(const uint8_t *address, unsigned *ret_target, unsigned *ret_lun)
{
    static const uint8_t zeroes[4];
    unsigned method = address[2] >> 6;

    *ret_target = address[1];
    *ret_lun = (address[2] & 0x3fu) << 8 | address[3];
    /* peripheral or flat addressing, one level */
    return address[0] == 1 && method <= 1 && (method == 1 || address[2] == 0) &&
           memcmp(address + 4, zeroes, sizeof(zeroes)) == 0;
}

/* --- back to the guest ---------------------------------------------------- */
static void
forget(VscsiCommand *command)
{
    Vscsi *vscsi = command->vscsi;

    if (command->prev)
        command->prev->next = command->next;
    else
        vscsi->first = command->next;
    if (command->next)
        command->next->prev = command->prev;
    vscsi->in_flight--;
    g_free(command);
}

/* After a mistake or a reset the buffers are the driver's again. */
static void
finish(VscsiCommand *command, uint8_t response)
{
    Vscsi *vscsi = command->vscsi;
    const ScsiRequest *scsi = &command->scsi;
    struct virtio_scsi_cmd_resp answer = { .response = response };
    uint64_t size = scsi->in_size > 0 ? scsi->in_size : scsi->out_size;
    uint32_t written = (uint32_t)RESPONSE_BYTES + command->sense_size;

    if (!vscsi->virtio.live) {
        forget(command);
        return;
    }
    if (response == VIRTIO_SCSI_S_OK) {
        answer.status = scsi->status;
        answer.resid = (uint32_t)(size - scsi->transferred);
        if (scsi->in_size > 0)
            written += (uint32_t)scsi->transferred;
        if (scsi->status == SCSI_CHECK) {
            answer.sense_len = MIN(SCSI_SENSE, command->sense_size);
            memcpy(answer.sense, scsi->sense, answer.sense_len);
        }
    }
    scatter(command->response, command->n_response, &answer,
            RESPONSE_BYTES + answer.sense_len);
    engine_virtio_push(&vscsi->virtio, command->queue, &command->chain,
                       written);
    vscsi_pushed(vscsi, command->queue);
    forget(command);
}

static void
on_done(ScsiRequest *scsi)
{
    VscsiCommand *command = (VscsiCommand *)scsi;

    if (scsi->cancelled)
        finish(command, command->vscsi->cancelled_as);
    else
        finish(command,
               scsi->overrun ? VIRTIO_SCSI_S_OVERRUN : VIRTIO_SCSI_S_OK);
}

void
vscsi_cancel(Vscsi *vscsi, ScsiUnit *unit, uint8_t response)
{
    vscsi->cancelled_as = response;
    engine_disk_cancel(&unit->disk, -ECANCELED);
}

/* --- out of the ring ------------------------------------------------------ */
/* Returns: NULL if the driver made a mistake, which has been dealt with */
static VscsiCommand *
command_new(Vscsi *vscsi, unsigned queue, const EngineChain *chain,
            uint8_t *ret_address)
{
    uint32_t cdb_size = __atomic_load_n(&vscsi->cdb_size, __ATOMIC_RELAXED);
    uint32_t sense_size = __atomic_load_n(&vscsi->sense_size, __ATOMIC_RELAXED);
    unsigned count = chain->n_read + chain->n_write;
    uint8_t raw[HEADER_BYTES + CDB_BYTES_MAX];
    VscsiCommand *command;
    Span to_read, to_write;

    if (chain->read_size < HEADER_BYTES + cdb_size ||
        chain->write_size < RESPONSE_BYTES + sense_size) {
        engine_virtio_fail(&vscsi->virtio,
                           N_("a request has no room for its header or its "
                              "response"));
        return NULL;
    }
    /* one more of each part, for where a buffer is divided */
    command = g_malloc0(sizeof(*command) +
                        2 * (size_t)count * sizeof(command->iov[0]));
    memcpy(command->iov, chain->iov, count * sizeof(command->iov[0]));
    to_read = (Span){ command->iov, chain->n_read, chain->read_size };
    to_write = (Span){ command->iov + chain->n_read, chain->n_write,
                       chain->write_size };
    command->response = command->iov + count;
    gather(command->response,
           span_take(&to_read, HEADER_BYTES + cdb_size, command->response),
           raw);
    command->n_response =
        span_take(&to_write, RESPONSE_BYTES + sense_size, command->response);
    memcpy(ret_address, raw, 8);
    memcpy(&command->tag, raw + offsetof(struct virtio_scsi_cmd_req, tag),
           sizeof(command->tag));
    memcpy(command->scsi.cdb, raw + HEADER_BYTES,
           MIN(cdb_size, sizeof(command->scsi.cdb)));
    command->vscsi = vscsi;
    command->queue = queue;
    command->chain = *chain;
    command->sense_size = sense_size;
    command->scsi.out = to_read.iov;
    command->scsi.n_out = to_read.count;
    command->scsi.out_size = to_read.size;
    command->scsi.in = to_write.iov;
    command->scsi.n_in = to_write.count;
    command->scsi.in_size = to_write.size;
    command->scsi.done = on_done;
    return command;
}

static void
add(Vscsi *vscsi, VscsiCommand *command)
{
    command->next = vscsi->first;
    if (vscsi->first)
        vscsi->first->prev = command;
    vscsi->first = command;
    vscsi->in_flight++;
}

static void
submit_to_target(Vscsi *vscsi, VscsiCommand *command)
{
    unsigned luns[VSCSI_UNITS_MAX], count = 0;

    for (unsigned i = 0; i < vscsi->n_units; i++)
        if (vscsi->units[i]->target == command->target)
            luns[count++] = vscsi->units[i]->lun;
    scsi_target_submit(&command->scsi, luns, count);
}

static void
submit(Vscsi *vscsi, VscsiCommand *command, const uint8_t *address)
{
    ScsiUnit *unit;

    if (command->scsi.in_size > 0 && command->scsi.out_size > 0) {
        finish(command, VIRTIO_SCSI_S_FAILURE); /* 5.6.3: not offered */
        return;
    }
    if (!vscsi_place(address, &command->target, &command->lun) ||
        !vscsi_has_target(vscsi, command->target)) {
        finish(command, VIRTIO_SCSI_S_BAD_TARGET);
        return;
    }
    unit = vscsi_unit(vscsi, command->target, command->lun);
    if (unit && command->scsi.cdb[0] != REPORT_LUNS)
        scsi_submit(unit, &command->scsi);
    else
        submit_to_target(vscsi, command);
}

/* Returns: whether there may be more */
static bool
serve_one(Vscsi *vscsi, unsigned queue)
{
    EngineChain chain = { .iov = vscsi->iov,
                          .capacity = vscsi->config->queue_size };
    VscsiCommand *command;
    uint8_t address[8];

    if (!engine_virtio_pop(&vscsi->virtio, queue, &chain))
        return false;
    command = command_new(vscsi, queue, &chain, address);
    if (!command)
        return false;
    add(vscsi, command);
    submit(vscsi, command, address);
    return true;
}

/* Kicks are asked for only while there is room for more. */
void
vscsi_serve(Vscsi *vscsi, unsigned queue)
{
    EngineQueue *ring = &vscsi->virtio.queues[queue].ring;

    vscsi->hungry &= ~(1u << queue);
    do {
        engine_queue_mute(ring);
        while (vscsi->in_flight < VSCSI_FLIGHT_MAX && serve_one(vscsi, queue))
            continue;
        if (vscsi->in_flight >= VSCSI_FLIGHT_MAX) {
            vscsi->hungry |= 1u << queue;
            return;
        }
    } while (engine_queue_listen(ring));
}
