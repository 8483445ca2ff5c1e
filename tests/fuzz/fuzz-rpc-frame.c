/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
/*
 * What a client sends: the input is a stream of messages. First it is cut into
 * frames and each is decoded as the arguments and as the results of the call
 * it names; what decodes must encode and decode to the same bytes again. Then
 * the same bytes are sent to a whole session, opened beforehand if the first
 * byte is odd, over a driver that answers a little.
 */
#include <config.h>

#include <glib.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/dispatch.h"
#include "rpc/frame.h"
#include "rpc/procedure.h"
#include "rpc/service.h"
#include "util/error.h"
#include "util/fd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- codec -----------------------------------------------------------------
 */

static void
there_and_back(const RpcMessage *type, const uint8_t *data, size_t size)
{
    RpcReader reader = { data, size, 0 };
    g_autofree void *first = g_malloc0(type ? type->size : 1);
    g_autofree void *second = g_malloc0(type ? type->size : 1);
    g_autoptr(GByteArray) wire = g_byte_array_new();
    g_autoptr(GByteArray) again = g_byte_array_new();

    if (!type || !rpc_message_decode(&reader, type, first, NULL))
        return;
    g_assert(rpc_message_encode(wire, type, first, NULL));
    reader = (RpcReader){ wire->data, wire->len, 0 };
    g_assert(rpc_message_decode(&reader, type, second, NULL));
    g_assert(reader.offset == wire->len);
    g_assert(rpc_message_encode(again, type, second, NULL));
    g_assert(again->len == wire->len &&
             memcmp(again->data, wire->data, wire->len) == 0);
    rpc_message_clear(type, first);
    rpc_message_clear(type, second);
}

static void
try_codec(const uint8_t *data, size_t size)
{
    RpcFramer framer;
    RpcFrame *frame;

    rpc_framer_init(&framer, RPC_MESSAGE_MAX);
    rpc_framer_feed(&framer, data, size);
    while (rpc_framer_next(&framer, &frame, NULL) == RPC_FRAME_READY) {
        const RpcProcedure *procedure =
            rpc_procedure_find(frame->header.procedure);

        if (procedure) {
            there_and_back(procedure->args, frame->payload, frame->size);
            there_and_back(procedure->ret, frame->payload, frame->size);
        }
        g_free(frame);
    }
    rpc_framer_clear(&framer);
}

/* --- a driver that knows one domain ------------------------------------------
 */

static bool
lookup_by_name(VirtkvmState *state, const VirtkvmCaller *who, const char *name,
               VirtkvmDomainRef *ret_domain, GError **error)
{
    ret_domain->name = g_strdup(name);
    ret_domain->id = -1;
    return true;
}

static bool
lookup_by_uuid(VirtkvmState *state, const VirtkvmCaller *who,
               const unsigned char *uuid, VirtkvmDomainRef *ret_domain,
               GError **error)
{
    if (uuid[0]) {
        error_set(error, VIR_ERR_NO_DOMAIN, "none");
        return false;
    }
    return lookup_by_name(state, who, "one", ret_domain, error);
}

static void
release(VirtkvmConsole *console)
{
    close(console->fd);
    g_free(console);
}

/* The far end is closed at once, or is the descriptor itself. */
static VirtkvmConsole *
open_console(VirtkvmState *state, const VirtkvmCaller *who,
             const VirtkvmDomainRef *dom, const char *devname, unsigned flags,
             GError **error)
{
    VirtkvmConsole *console = g_new0(VirtkvmConsole, 1);
    int ends[2];

    g_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                        ends) == 0);
    *console = (VirtkvmConsole){ ends[0], -1, release, NULL };
    if (flags & 1)
        (void)fd_write_all(ends[1], "words", 5);
    close(ends[1]);
    return console;
}

static char *
get_xml(VirtkvmState *state, const VirtkvmCaller *who,
        const VirtkvmDomainRef *dom, unsigned flags, GError **error)
{
    return g_strdup(dom->name);
}

/* --- its devices
 * --------------------------------------------------------------
 */

/* A number and a text, of which the daemon answers what was asked for. */
static bool
get_params(VirtkvmState *state, const VirtkvmCaller *who,
           const VirtkvmDomainRef *dom, const char *device, unsigned flags,
           VirtkvmParams *ret_params, GError **error)
{
    ret_params->items = g_new0(virTypedParameter, 2);
    ret_params->count = 2;
    strcpy(ret_params->items[0].field, "number");
    ret_params->items[0].type = VIR_TYPED_PARAM_ULLONG;
    strcpy(ret_params->items[1].field, "text");
    ret_params->items[1].type = VIR_TYPED_PARAM_STRING;
    ret_params->items[1].value.s = g_strdup(device);
    return true;
}

static bool
get_cpu_stats(VirtkvmState *state, const VirtkvmCaller *who,
              const VirtkvmDomainRef *dom, unsigned flags,
              VirtkvmParams *ret_params, GError **error)
{
    return get_params(state, who, dom, "", flags, ret_params, error);
}

/* Looks at every byte that it was given. */
static bool
set_params(VirtkvmState *state, const VirtkvmCaller *who,
           const VirtkvmDomainRef *dom, const char *device,
           const VirtkvmParams *params, unsigned flags, GError **error)
{
    for (size_t i = 0; i < params->count; i++) {
        const virTypedParameter *item = &params->items[i];

        g_assert(strlen(item->field) < sizeof(item->field));
        if (item->type == VIR_TYPED_PARAM_STRING)
            g_assert(strlen(item->value.s) < RPC_MESSAGE_MAX);
    }
    return true;
}

static bool
get_memory_stats(VirtkvmState *state, const VirtkvmCaller *who,
                 const VirtkvmDomainRef *dom, unsigned flags,
                 GArray **ret_stats, GError **error)
{
    *ret_stats = g_array_new(FALSE, TRUE, sizeof(VirtkvmMemoryStat));
    g_array_set_size(*ret_stats, 3);
    return true;
}

static void
clear_error(gpointer error)
{
    g_free(((VirtkvmDiskError *)error)->disk);
}

static bool
get_disk_errors(VirtkvmState *state, const VirtkvmCaller *who,
                const VirtkvmDomainRef *dom, unsigned flags,
                GArray **ret_errors, unsigned *ret_disks, GError **error)
{
    *ret_errors = g_array_new(FALSE, TRUE, sizeof(VirtkvmDiskError));
    g_array_set_clear_func(*ret_errors, clear_error);
    for (*ret_disks = 0; *ret_disks < 3; (*ret_disks)++) {
        VirtkvmDiskError item = { g_strdup("vda"), 1 };

        g_array_append_val(*ret_errors, item);
    }
    return true;
}

static bool
peek(VirtkvmState *state, const VirtkvmCaller *who, const VirtkvmDomainRef *dom,
     const char *disk, uint64_t offset, size_t size, GByteArray **ret_bytes,
     GError **error)
{
    *ret_bytes = g_byte_array_new();
    g_byte_array_set_size(*ret_bytes, (guint)size);
    if (size > 0)
        memset((*ret_bytes)->data, 0, size);
    return true;
}

static const VirtkvmDriver driver = {
    .name = "fuzz",
    .type = "FUZZ",
    .schemes = (const char *const[]){ "fuzz", NULL },
    .domainLookupByName = lookup_by_name,
    .domainLookupByUUID = lookup_by_uuid,
    .domainGetXMLDesc = get_xml,
    .domainOpenConsole = open_console,
    .domainOpenChannel = open_console,
    .domainBlockStatsFlags = get_params,
    .domainGetBlockIoTune = get_params,
    .domainGetInterfaceParameters = get_params,
    .domainSetBlockIoTune = set_params,
    .domainSetInterfaceParameters = set_params,
    .domainGetCPUStats = get_cpu_stats,
    .domainMemoryStats = get_memory_stats,
    .domainGetDiskErrors = get_disk_errors,
    .domainBlockPeek = peek,
};

/* --- a session
 * ------------------------------------------------------------------ */

static const RpcRoute *
route(void *opaque, const char *uri, GError **error)
{
    static const RpcRoute only = { &driver, NULL };

    return &only;
}

static void
clients_changed(void *opaque, int change)
{
    if (change < 0)
        rpc_loop_quit(opaque);
}

static const RpcServiceCalls calls = { route, clients_changed };

static void
send_open(int fd)
{
    RpcHeader header = { RPC_PROGRAM_REMOTE, 1, 1, RPC_CALL, 0, RPC_OK };
    g_autoptr(GByteArray) frame = rpc_frame_begin(&header);

    rpc_write_u32(frame, 0);
    rpc_write_u32(frame, 0);
    rpc_frame_end(frame);
    g_assert(fd_write_all(fd, frame->data, frame->len));
}

static void
try_session(const uint8_t *data, size_t size)
{
    RpcLoop *loop = rpc_loop_new(NULL);
    RpcPool *pool = rpc_pool_new(2, 1);
    RpcService service = {
        .limits = { .max_clients = 1, .max_client_requests = 2 },
    };
    int ends[2];

    g_assert(loop);
    g_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    rpc_service_init(&service, loop, pool, &calls, loop);
    rpc_pool_open(pool);
    if (data[0] & 1)
        send_open(ends[1]);
    (void)!send(ends[1], data + 1, size - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(ends[1], SHUT_WR);
    rpc_service_accept(&service, ends[0], data[0] & 2);
    rpc_loop_run(loop);
    rpc_pool_free(pool);
    rpc_service_clear(&service);
    rpc_loop_free(loop);
    close(ends[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    try_codec(data + 1, size - 1);
    try_session(data, size);
    return 0;
}
