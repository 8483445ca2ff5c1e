/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/connection.h"

#include <libvirt/virterror.h>
#include <string.h>
#include <unistd.h>

#include "shell/daemon.h"
#include "shell/eventloop.h"
#include "shell/exit.h"
#include "util/i18n.h"

#define KEEPALIVE_INTERVAL_S 5
#define KEEPALIVE_COUNT      6

void
vsh_connection_init(VshConnection *connection)
{
    *connection = (VshConnection){ .start_daemon = true,
                                   .keepalive_interval_s = KEEPALIVE_INTERVAL_S,
                                   .keepalive_count = KEEPALIVE_COUNT };
}

/* Runs in the event loop's thread. */
static void
closed(virConnectPtr conn, int reason, void *opaque)
{
    VshConnection *connection = opaque;

    g_atomic_int_set(&connection->lost, 1);
}

void
vsh_connection_close(VshConnection *connection)
{
    if (connection->conn) {
        virConnectUnregisterCloseCallback(connection->conn, closed);
        virConnectClose(connection->conn);
        connection->conn = NULL;
    }
    vsh_target_clear(&connection->target);
    g_atomic_int_set(&connection->lost, 0);
}

void
vsh_connection_clear(VshConnection *connection)
{
    vsh_connection_close(connection);
    g_clear_pointer(&connection->loop, vsh_event_loop_stop);
    g_clear_pointer(&connection->uri, g_free);
}

const char *
vsh_connection_wanted(const VshConnection *connection)
{
    return connection->uri ? connection->uri : vsh_uri_default();
}

bool
vsh_connection_alive(VshConnection *connection)
{
    return connection->conn && !g_atomic_int_get(&connection->lost) &&
           virConnectIsAlive(connection->conn) == 1;
}

/* Makes a daemon listen where the target is one of ours. */
static bool
prepare_daemon(const VshConnection *connection, const VshTarget *target,
               GError **error)
{
    if (!target->socket || vsh_daemon_listens(target->socket))
        return true;
    if (!target->session && geteuid() != 0) {
        vsh_error_set(error, VSH_EXIT_CONNECT,
                      _("no daemon listens on '%s', and only root can start "
                        "the system's"),
                      target->socket);
        vsh_error_hint(error, _("kvm:///session is the place of your own "
                                "domains"));
        return false;
    }
    if (connection->start_daemon)
        return vsh_daemon_start(target, error);
    vsh_error_set(error, VSH_EXIT_CONNECT, _("no daemon listens on '%s'"),
                  target->socket);
    return false;
}

static bool
open_target(VshConnection *connection, VshTarget *target, GError **error)
{
    unsigned flags = connection->read_only ? VIR_CONNECT_RO : 0;

    if (!connection->loop)
        connection->loop = vsh_event_loop_start();
    connection->conn =
        virConnectOpenAuth(target->uri, virConnectAuthPtrDefault, flags);
    if (!connection->conn) {
        vsh_error_virt(error, _("failed to connect to the hypervisor"));
        if (error && vsh_error_exit(*error) != VSH_EXIT_DENIED)
            (*error)->code = VSH_EXIT_CONNECT;
        return false;
    }
    connection->target = *target;
    *target = (VshTarget){ 0 };
    virConnectRegisterCloseCallback(connection->conn, closed, connection, NULL);
    if (connection->keepalive_interval_s > 0)
        virConnectSetKeepAlive(connection->conn,
                               (int)connection->keepalive_interval_s,
                               connection->keepalive_count);
    virResetLastError();
    return true;
}

/* A daemon that is about to end, for want of clients, may still have accepted
 * us: then there is a second try. */
static bool
open_or_start(VshConnection *connection, VshTarget *target, GError **error)
{
    GError *failure = NULL;

    if (!prepare_daemon(connection, target, error))
        return false;
    if (open_target(connection, target, &failure))
        return true;
    if (!target->socket || vsh_daemon_listens(target->socket)) {
        g_propagate_error(error, failure);
        return false;
    }
    g_error_free(failure);
    return prepare_daemon(connection, target, error) &&
           open_target(connection, target, error);
}

VshConnectResult
vsh_connection_ensure(VshConnection *connection, GError **error)
{
    g_auto(VshTarget) target = { 0 };

    if (vsh_connection_alive(connection))
        return VSH_CONNECT_KEPT;
    vsh_connection_close(connection);
    if (!vsh_uri_resolve(vsh_connection_wanted(connection),
                         connection->read_only, &target, error) ||
        !open_or_start(connection, &target, error))
        return VSH_CONNECT_FAILED;
    if (connection->was_open)
        return VSH_CONNECT_AGAIN;
    connection->was_open = true;
    return VSH_CONNECT_OPENED;
}
