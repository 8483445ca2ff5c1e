/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * XDR (RFC 4506) from tables: a message is a C struct and an RpcMessage that
 * lists its fields in wire order; the same table encodes, decodes and frees.
 */

/** Bytes of one string, of one message with its header (libvirt's limits). */
#define RPC_STRING_MAX  (4u * 1024 * 1024)
#define RPC_MESSAGE_MAX (32u * 1024 * 1024)

typedef enum RpcKind {
    RPC_CHAR,             /* unsigned char; 4 bytes on the wire */
    RPC_SHORT,            /* uint16_t; 4 bytes on the wire */
    RPC_INT,              /* int32_t or uint32_t */
    RPC_HYPER,            /* int64_t or uint64_t */
    RPC_STRING,           /* char *, never NULL on the wire */
    RPC_OPTIONAL_STRING,  /* char * or NULL */
    RPC_UUID,             /* unsigned char[16], raw */
    RPC_OPAQUE,           /* RpcList of bytes, at most `max` */
    RPC_CHARS,            /* unsigned char[max], 4 bytes each on the wire */
    RPC_STRUCT,           /* embedded struct `type` */
    RPC_OPTIONAL_STRUCT,  /* pointer to struct `type`, or NULL */
    RPC_LIST,             /* RpcList of struct `type`, at most `max` */
    RPC_TYPED_PARAMETERS, /* RpcList of virTypedParameter, at most `max` */
} RpcKind;

typedef struct RpcMessage RpcMessage;

typedef struct RpcField {
    const char *name;
    RpcKind kind;
    uint32_t offset; /* of the member */
    uint32_t max;    /* elements or bytes of what is counted */
    const RpcMessage *type;
} RpcField;

struct RpcMessage {
    const char *name;
    size_t size; /* of the struct */
    const RpcField *fields;
    size_t count;
};

/** A counted array; items by g_malloc(). */
typedef struct RpcList {
    void *items;
    size_t count;
} RpcList;

typedef struct RpcReader {
    const uint8_t *data;
    size_t size;
    size_t offset;
} RpcReader;

/** rpc_read_u32, rpc_read_u64: false when fewer bytes are left */
bool rpc_read_u32(RpcReader *reader, uint32_t *ret_value);
bool rpc_read_u64(RpcReader *reader, uint64_t *ret_value);

void rpc_write_u32(GByteArray *out, uint32_t value);
void rpc_write_u64(GByteArray *out, uint64_t value);

/** rpc_put_u32: overwrite 4 bytes that are there already, at @offset */
void rpc_put_u32(GByteArray *out, size_t offset, uint32_t value);

/**
 * rpc_message_decode: fill the zeroed struct @ret from @reader
 * @type: NULL is the empty message
 * @error: VIR_ERR_RPC, names the field
 * Bytes behind the last field are left unread, as libvirt does. Booleans and
 * optional flags are true when not zero: some clients write 01 00 00 00.
 * On false what had been decoded is cleared again.
 */
bool rpc_message_decode(RpcReader *reader, const RpcMessage *type, void *ret,
                        GError **error);

/**
 * rpc_message_encode: append struct @data to @out
 * @error: VIR_ERR_RPC if a limit of the protocol is exceeded; @out then holds
 * a part of the message
 */
bool rpc_message_encode(GByteArray *out, const RpcMessage *type,
                        const void *data, GError **error);

/** rpc_message_clear: free what the fields own and zero the struct */
void rpc_message_clear(const RpcMessage *type, void *data);
