/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "rpc/xdr.h"

/**
 * How the files message*.c write their tables: DEFINE(variable, Type,
 * fields...) is a message that handlers know, DEFINE_OWN a piece of the file's
 * own.
 */

/* The fields of `Type`, in wire order. */
#define PLAIN(Type, member, kind)             \
    {                                         \
#member, kind, offsetof(Type, member) \
    }
#define STRING(Type, member)   PLAIN(Type, member, RPC_STRING)
#define OPTIONAL(Type, member) PLAIN(Type, member, RPC_OPTIONAL_STRING)
#define INT(Type, member)      PLAIN(Type, member, RPC_INT)
#define HYPER(Type, member)    PLAIN(Type, member, RPC_HYPER)
#define COUNTED(Type, member, kind, max)           \
    {                                              \
#member, kind, offsetof(Type, member), max \
    }
#define STRUCT(Type, member, type)                           \
    {                                                        \
#member, RPC_STRUCT, offsetof(Type, member), 0, type \
    }
#define LIST(Type, member, type, max)                        \
    {                                                        \
#member, RPC_LIST, offsetof(Type, member), max, type \
    }

#define DEFINE(variable, Type, ...)                                           \
    static const RpcField variable##_fields[] = { __VA_ARGS__ };              \
    const RpcMessage variable = { #variable, sizeof(Type), variable##_fields, \
                                  G_N_ELEMENTS(variable##_fields) }

#define DEFINE_OWN(variable, Type, ...)                           \
    static const RpcField variable##_fields[] = { __VA_ARGS__ };  \
    static const RpcMessage variable = { #variable, sizeof(Type), \
                                         variable##_fields,       \
                                         G_N_ELEMENTS(variable##_fields) }
