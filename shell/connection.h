/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "shell/uri.h"

typedef struct VshEventLoop VshEventLoop;

/** The connection to a hypervisor and how it is to be made. */
typedef struct VshConnection {
    char *uri; /* as the user gave it; NULL: vsh_uri_default() */
    bool read_only;
    bool start_daemon; /* virtkvmd may be started where none listens */
    unsigned keepalive_interval_s; /* 0: none */
    unsigned keepalive_count;
    virConnectPtr conn; /* NULL: not connected */
    VshTarget target;   /* what conn leads to */
    VshEventLoop *loop; /* NULL until the first connection */
    bool was_open;      /* some connection was made before */
    gint lost;          /* atomic: the close callback was called */
} VshConnection;

typedef enum VshConnectResult {
    VSH_CONNECT_FAILED,
    VSH_CONNECT_KEPT,   /* it is the connection of before */
    VSH_CONNECT_OPENED, /* it is the first one */
    VSH_CONNECT_AGAIN,  /* the one of before was lost */
} VshConnectResult;

void vsh_connection_init(VshConnection *connection);
void vsh_connection_clear(VshConnection *connection);

/** vsh_connection_wanted: the URI in words of the user; never NULL */
const char *vsh_connection_wanted(const VshConnection *connection);

/** vsh_connection_alive: is there a connection that works? */
bool vsh_connection_alive(VshConnection *connection);

/** vsh_connection_ensure: connect, or connect again if it was lost */
VshConnectResult vsh_connection_ensure(VshConnection *connection,
                                       GError **error);

/** vsh_connection_close: forget the connection; the next one is a new one */
void vsh_connection_close(VshConnection *connection);
