/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/xdr.h"

/** Programs on the wire; all of version 1. */
#define RPC_PROGRAM_REMOTE    0x20008086u
#define RPC_PROGRAM_KEEPALIVE 0x6b656570u
#define RPC_PROGRAM_VERSION   1u

#define RPC_KEEPALIVE_PING 1
#define RPC_KEEPALIVE_PONG 2

/** Length word and six header words. */
#define RPC_HEADER_SIZE 28u
/** Descriptors that may travel beside one message. */
#define RPC_DESCRIPTORS_MAX 32u

typedef enum RpcType {
    RPC_CALL = 0,
    RPC_REPLY = 1,
    RPC_EVENT = 2, /* libvirt: MESSAGE */
    RPC_STREAM = 3,
    RPC_CALL_WITH_FDS = 4,
    RPC_REPLY_WITH_FDS = 5,
    RPC_STREAM_HOLE = 6,
} RpcType;

typedef enum RpcStatus {
    RPC_OK = 0,
    RPC_ERROR = 1,
    RPC_CONTINUE = 2,
} RpcStatus;

typedef struct RpcHeader {
    uint32_t program;
    uint32_t version;
    int32_t procedure;
    uint32_t type; /* RpcType, or whatever a client sent */
    uint32_t serial;
    uint32_t status; /* RpcStatus */
} RpcHeader;

/** One received message. */
typedef struct RpcFrame {
    RpcHeader header;
    size_t size;
    uint8_t payload[];
} RpcFrame;

/**
 * Cuts a byte stream into messages. Memory grows with the bytes that have
 * come, not with the length that a peer announces.
 */
typedef struct RpcFramer {
    GByteArray *bytes; /* NULL when nothing is kept */
    size_t consumed;   /* of bytes */
    size_t max;        /* bytes of the largest message let in */
    uint32_t skip;     /* bytes that carry descriptors, still to come */
} RpcFramer;

typedef enum RpcFrameResult {
    RPC_FRAME_NONE, /* more bytes are needed */
    RPC_FRAME_READY,
    RPC_FRAME_BROKEN, /* the peer cannot be understood any more */
} RpcFrameResult;

void rpc_framer_init(RpcFramer *framer, size_t max);
void rpc_framer_clear(RpcFramer *framer);

void rpc_framer_feed(RpcFramer *framer, const void *data, size_t size);

/**
 * rpc_framer_next: the next whole message
 * @ret_frame: g_free(); set with RPC_FRAME_READY. The count of descriptors of
 * a CALL_WITH_FDS is taken off its payload, and the bytes that carry them are
 * skipped: no procedure here takes descriptors, and a socket that is read
 * without room for them makes the kernel close them.
 * @error: VIR_ERR_RPC, with RPC_FRAME_BROKEN
 */
RpcFrameResult rpc_framer_next(RpcFramer *framer, RpcFrame **ret_frame,
                               GError **error);

/** rpc_frame_begin: a message with its header, the length word still 0 */
GByteArray *rpc_frame_begin(const RpcHeader *header);

/** rpc_frame_end: write the length word */
void rpc_frame_end(GByteArray *frame);

/**
 * rpc_frame_encode: a whole message around struct @data of @type
 * @error: VIR_ERR_RPC, too large
 */
GByteArray *rpc_frame_encode(const RpcHeader *header, const RpcMessage *type,
                             const void *data, GError **error);
