/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/frame.h"

#include <string.h>

#include "util/error.h"
#include "util/i18n.h"

void
rpc_framer_init(RpcFramer *framer, size_t max)
{
    *framer = (RpcFramer){ .max = max };
}

void
rpc_framer_clear(RpcFramer *framer)
{
    g_clear_pointer(&framer->bytes, g_byte_array_unref);
    framer->consumed = 0;
}

void
rpc_framer_feed(RpcFramer *framer, const void *data, size_t size)
{
    if (size == 0)
        return;
    if (!framer->bytes)
        framer->bytes = g_byte_array_new();
    g_byte_array_append(framer->bytes, data, (guint)size);
}

/* Gives the memory of what was consumed back: an idle client keeps none. */
static void
compact(RpcFramer *framer)
{
    if (framer->consumed == framer->bytes->len) {
        rpc_framer_clear(framer);
    } else if (framer->consumed > framer->bytes->len / 2) {
        g_byte_array_remove_range(framer->bytes, 0, (guint)framer->consumed);
        framer->consumed = 0;
    }
}

static RpcFrameResult
broken(GError **error, const char *why)
{
    error_set(error, VIR_ERR_RPC, "%s", why);
    return RPC_FRAME_BROKEN;
}

static void
read_header(RpcReader *reader, RpcHeader *header)
{
    uint32_t words[6] = { 0 };

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        (void)rpc_read_u32(reader, &words[i]);
    *header = (RpcHeader){ words[0], words[1], (int32_t)words[2],
                           words[3], words[4], words[5] };
}

/* The bytes that carry descriptors follow the message they belong to. */
static void
skip_descriptors(RpcFramer *framer)
{
    size_t left = framer->bytes ? framer->bytes->len - framer->consumed : 0;
    uint32_t now = (uint32_t)MIN(left, framer->skip);

    if (now == 0)
        return;
    framer->consumed += now;
    framer->skip -= now;
    compact(framer);
}

static RpcFrameResult
cut(RpcFramer *framer, RpcReader *reader, RpcFrame **ret_frame, GError **error)
{
    RpcHeader header;
    RpcFrame *frame;
    size_t size;

    read_header(reader, &header);
    if (header.type == RPC_CALL_WITH_FDS &&
        (!rpc_read_u32(reader, &framer->skip) ||
         framer->skip > RPC_DESCRIPTORS_MAX))
        return broken(error, _("the count of descriptors is wrong"));
    size = reader->size - reader->offset;
    frame = g_malloc(sizeof(*frame) + size);
    frame->header = header;
    frame->size = size;
    memcpy(frame->payload, reader->data + reader->offset, size);
    framer->consumed += reader->size;
    compact(framer);
    *ret_frame = frame;
    return RPC_FRAME_READY;
}

RpcFrameResult
rpc_framer_next(RpcFramer *framer, RpcFrame **ret_frame, GError **error)
{
    RpcReader reader = { 0 };
    uint32_t length;

    skip_descriptors(framer);
    if (!framer->bytes || framer->bytes->len == framer->consumed)
        return RPC_FRAME_NONE;
    reader.data = framer->bytes->data + framer->consumed;
    reader.size = framer->bytes->len - framer->consumed;
    if (!rpc_read_u32(&reader, &length))
        return RPC_FRAME_NONE;
    if (length < RPC_HEADER_SIZE)
        return broken(error, _("a message is shorter than its header"));
    if (length - sizeof(length) > framer->max)
        return broken(error, _("a message is longer than the limit"));
    if (length > reader.size)
        return RPC_FRAME_NONE;
    reader.size = length;
    return cut(framer, &reader, ret_frame, error);
}

GByteArray *
rpc_frame_begin(const RpcHeader *header)
{
    GByteArray *frame = g_byte_array_sized_new(256);

    rpc_write_u32(frame, 0);
    rpc_write_u32(frame, header->program);
    rpc_write_u32(frame, header->version);
    rpc_write_u32(frame, (uint32_t)header->procedure);
    rpc_write_u32(frame, header->type);
    rpc_write_u32(frame, header->serial);
    rpc_write_u32(frame, header->status);
    return frame;
}

void
rpc_frame_end(GByteArray *frame)
{
    rpc_put_u32(frame, 0, frame->len);
}

GByteArray *
rpc_frame_encode(const RpcHeader *header, const RpcMessage *type,
                 const void *data, GError **error)
{
    g_autoptr(GByteArray) frame = rpc_frame_begin(header);

    if (!rpc_message_encode(frame, type, data, error))
        return NULL;
    rpc_frame_end(frame);
    return g_steal_pointer(&frame);
}
