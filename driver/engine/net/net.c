/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/net/net.h"

static const EngineNetType *const types[] = {
    [ENGINE_NET_TAP] = &engine_net_tap_type,
    [ENGINE_NET_USER] = &engine_net_user_type,
    [ENGINE_NET_STREAM] = &engine_net_stream_type,
};

/* A call of engine_net_open() on its way to the I/O thread. */
typedef struct Opening {
    const EngineNetBackendConfig *config;
    EngineIo *io;
    const EngineNetPeer *peer;
    EngineNet *net;
    GError *error;
} Opening;

static void
open_there(void *opaque)
{
    Opening *opening = opaque;
    const EngineNetType *type = types[opening->config->kind];
    EngineNet *net = type->open(opening->config, opening->io, &opening->error);

    if (!net)
        return;
    net->type = type;
    net->io = opening->io;
    net->peer = opening->peer;
    opening->net = net;
}

EngineNet *
engine_net_open(const EngineNetBackendConfig *config, EngineIo *io,
                const EngineNetPeer *peer, GError **error)
{
    Opening opening = { .config = config, .io = io, .peer = peer };

    engine_io_call(io, open_there, &opening);
    if (!opening.net)
        g_propagate_error(error, opening.error);
    return opening.net;
}

void
engine_net_close(EngineNet *net)
{
    if (net)
        net->type->close(net);
}
