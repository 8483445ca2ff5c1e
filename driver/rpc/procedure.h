/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "rpc/xdr.h"

typedef struct RpcCall RpcCall;

/**
 * The body of a procedure
 * @args: struct of the procedure's `args`   @ret: zeroed struct of its `ret`,
 * cleared by the caller in any case
 * Thread: worker; may block. Returns: false with @error set
 */
typedef bool (*RpcHandler)(RpcCall *call, const void *args, void *ret,
                           GError **error);

typedef enum RpcProcedureFlags {
    RPC_URGENT = 1 << 0,      /* libvirt's high priority */
    RPC_BEFORE_OPEN = 1 << 1, /* allowed before CONNECT_OPEN */
} RpcProcedureFlags;

/** A row of the list of procedures; its number is its place there. */
typedef struct RpcProcedure {
    const char *name;   /* in libvirt's remote_procedure, without prefix */
    const char *access; /* libvirt's access classes, blank separated */
    unsigned flags;     /* RpcProcedureFlags */
    const RpcMessage *args;
    const RpcMessage *ret;
    RpcHandler handler; /* NULL: answers NO_SUPPORT */
    /* Bits of the argument `flags` that make it more than a question; denied
     * to read-only clients. */
    uint32_t secured;
} RpcProcedure;

/** rpc_procedure_find: NULL when the protocol has no such call */
const RpcProcedure *rpc_procedure_find(int32_t number);

/** rpc_procedure_count: highest number plus one */
size_t rpc_procedure_count(void);

/** rpc_procedure_function: libvirt's function behind it: "virDomainCreate" */
char *rpc_procedure_function(const RpcProcedure *procedure);

/** rpc_procedure_is_change: whether read-only clients may not call it */
bool rpc_procedure_is_change(const RpcProcedure *procedure);
