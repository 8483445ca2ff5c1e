/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "rpc/dispatch.h"

#include <string.h>

#include "rpc/error.h"
#include "rpc/stream.h"
#include "util/error.h"
#include "util/i18n.h"
#include "util/log.h"

/* --- from frame to call -------------------------------------------------- */

static bool
is_call(const RpcHeader *header)
{
    return header->type == RPC_CALL || header->type == RPC_CALL_WITH_FDS;
}

/* A text that programs read: libvirt's client recognises "unknown procedure"
 * and turns it into "not supported". It is the same in every language. */
#define PROTOCOL_TEXT(text) text

static const RpcProcedure *
find_procedure(const RpcHeader *header, GError **error)
{
    const RpcProcedure *procedure = rpc_procedure_find(header->procedure);

    if (header->program != RPC_PROGRAM_REMOTE ||
        header->version != RPC_PROGRAM_VERSION) {
        error_set(error, VIR_ERR_RPC,
                  PROTOCOL_TEXT("Cannot find program %d version %d"),
                  (int)header->program, (int)header->version);
        return NULL;
    }
    if (header->status != RPC_OK) {
        error_set(error, VIR_ERR_RPC,
                  PROTOCOL_TEXT("Unexpected message status %u"),
                  header->status);
        return NULL;
    }
    if (!procedure)
        error_set(error, VIR_ERR_RPC, PROTOCOL_TEXT("unknown procedure: %d"),
                  header->procedure);
    return procedure;
}

static RpcHeader
answer_header(const RpcHeader *request)
{
    RpcHeader header = *request;

    header.type = RPC_REPLY;
    header.status = RPC_OK;
    return header;
}

static void
send_error(RpcSession *session, const RpcHeader *request, const GError *error)
{
    RpcHeader header = answer_header(request);

    rpc_session_send(session, rpc_error_frame(&header, error));
}

RpcCall *
rpc_dispatch_call(RpcSession *session, RpcFrame *frame)
{
    g_autofree RpcFrame *owned = frame;
    g_autoptr(GError) error = NULL;
    const RpcProcedure *procedure;
    RpcCall *call;

    if (!is_call(&frame->header)) {
        log_debug("client %" G_GUINT64_FORMAT
                  " sent a message of type %u, which is ignored",
                  session->caller.client_id, frame->header.type);
        return NULL;
    }
    procedure = find_procedure(&frame->header, &error);
    if (!procedure) {
        send_error(session, &frame->header, error);
        return NULL;
    }
    call = g_new0(RpcCall, 1);
    call->session = rpc_session_ref(session);
    call->procedure = procedure;
    call->frame = g_steal_pointer(&owned);
    call->who = &session->caller;
    return call;
}

size_t
rpc_call_size(const RpcCall *call)
{
    return sizeof(*call) + sizeof(*call->frame) + call->frame->size;
}

void
rpc_call_free(RpcCall *call)
{
    if (!call)
        return;
    rpc_session_unref(call->session);
    g_free(call->frame);
    g_free(call);
}

/* --- a call on its worker ------------------------------------------------ */

bool
rpc_call_supported(const RpcCall *call, bool has, GError **error)
{
    g_autofree char *function = NULL;

    if (has)
        return true;
    function = rpc_procedure_function(call->procedure);
    error_set(error, VIR_ERR_NO_SUPPORT, "%s", function);
    return false;
}

static bool
bind_driver(RpcCall *call, GError **error)
{
    const RpcRoute *route;

    g_mutex_lock(&call->session->lock);
    route = call->session->route;
    g_mutex_unlock(&call->session->lock);
    if (route) {
        call->driver = route->driver;
        call->state = route->state;
    }
    if (route || call->procedure->flags & RPC_BEFORE_OPEN)
        return true;
    error_set(error, VIR_ERR_INTERNAL_ERROR, "%s",
              _("hypervisor connection not open"));
    return false;
}

static bool
check_procedure(const RpcCall *call, GError **error)
{
    g_autofree char *function = NULL;

    if (!call->who->read_only || !rpc_procedure_is_change(call->procedure))
        return rpc_call_supported(call, call->procedure->handler != NULL,
                                  error);
    function = rpc_procedure_function(call->procedure);
    error_set(error, VIR_ERR_OPERATION_DENIED,
              _("read only access prevents %s"), function);
    return false;
}

/* The value of the argument named `flags`, 0 where there is none. */
static uint32_t
flags_of(const RpcMessage *type, const void *args)
{
    for (size_t i = 0; type && i < type->count; i++) {
        if (strcmp(type->fields[i].name, "flags") == 0)
            return *(const uint32_t *)((const char *)args +
                                       type->fields[i].offset);
    }
    return 0;
}

static bool
check_flags(const RpcCall *call, const void *args, GError **error)
{
    uint32_t secured =
        flags_of(call->procedure->args, args) & call->procedure->secured;

    g_autofree char *function = NULL;

    if (!call->who->read_only || !secured)
        return true;
    function = rpc_procedure_function(call->procedure);
    error_set(error, VIR_ERR_OPERATION_DENIED, _("%s with secure flag"),
              function);
    return false;
}

static void *
new_struct(const RpcMessage *type)
{
    return g_malloc0(type ? type->size : 1);
}

void
rpc_call_answer(RpcCall *call, const void *ret)
{
    RpcHeader header = answer_header(&call->frame->header);
    g_autoptr(GError) error = NULL;
    GByteArray *frame =
        rpc_frame_encode(&header, call->procedure->ret, ret, &error);

    if (!frame)
        frame = rpc_error_frame(&header, error);
    rpc_session_send(call->session, frame);
    call->answered = true;
}

static bool
run_handler(RpcCall *call, const void *args, GError **error)
{
    g_autofree void *ret = new_struct(call->procedure->ret);
    GError *reason = NULL;
    bool done = call->procedure->handler(call, args, ret, &reason);

    if (!done && !reason)
        error_set(&reason, VIR_ERR_INTERNAL_ERROR, "%s",
                  _("the driver failed and gave no reason"));
    if (!done)
        g_propagate_error(error, reason);
    else if (!call->answered && !call->console)
        rpc_call_answer(call, ret);
    rpc_message_clear(call->procedure->ret, ret);
    return done;
}

static bool
run(RpcCall *call, GError **error)
{
    RpcReader reader = { call->frame->payload, call->frame->size, 0 };
    g_autofree void *args = NULL;
    bool done;

    if (!bind_driver(call, error) || !check_procedure(call, error))
        return false;
    args = new_struct(call->procedure->args);
    if (!rpc_message_decode(&reader, call->procedure->args, args, error))
        return false;
    done = check_flags(call, args, error) && run_handler(call, args, error);
    rpc_message_clear(call->procedure->args, args);
    return done;
}

static void
work(void *data)
{
    g_autoptr(RpcCall) call = data;
    g_autoptr(GError) error = NULL;

    if (!run(call, &error))
        send_error(call->session, &call->frame->header, error);
    else if (call->console)
        rpc_stream_open(call->session, &call->frame->header, call->console);
    rpc_session_call_done(call->session);
}

void
rpc_call_start(RpcCall *call)
{
    rpc_pool_submit(call->session->service->pool,
                    call->procedure->flags & RPC_URGENT, work, call);
}
