/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "daemon/server.h"

#include <errno.h>
#include <glib-unix.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/modules.h"
#include "daemon/notify.h"
#include "daemon/sockets.h"
#include "rpc/service.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/file.h"
#include "util/i18n.h"
#include "util/log.h"

/* Without descriptors to spare, clients are looked for again so much later. */
#define ACCEPT_RETRY_MS 1000

struct DaemonServer {
    const DaemonOptions *options;
    const DaemonPaths *paths;
    DaemonConfig *config;
    VirtkvmHost host;
    DaemonModules *modules; /* NULL before they run, and after */

    RpcLoop *loop;
    RpcPool *pool;
    RpcService service;
    pthread_t io_thread;
    bool io_running;
    GArray *sockets;    /* of DaemonSocket */
    GPtrArray *watches; /* of RpcWatch, beside sockets; I/O thread */

    GMainLoop *main;
    Fd signals; /* signalfd */
    guint signal_source;
    guint idle_source; /* main thread: runs while nobody needs the daemon */
    bool serving;      /* main thread */

    GMutex lock; /* guards what follows */
    GCond clients_gone;
    unsigned clients;
    bool full; /* nobody is accepted until a client leaves */
    int holds; /* running domains and the like */
};

/* --- who needs the daemon ------------------------------------------------ */

static gboolean update_idle(void *data);

/* Adds to one of the counts; the main thread looks when none is left, and when
 * the first comes. */
static void
count(DaemonServer *server, int clients, int holds)
{
    bool was_needed, needed;

    g_mutex_lock(&server->lock);
    was_needed = server->clients > 0 || server->holds > 0;
    server->clients = (unsigned)((int)server->clients + clients);
    server->holds += holds;
    needed = server->clients > 0 || server->holds > 0;
    if (server->clients == 0)
        g_cond_broadcast(&server->clients_gone);
    g_mutex_unlock(&server->lock);
    if (needed != was_needed && server->options->timeout_s > 0)
        g_main_context_invoke(NULL, update_idle, server);
}

static bool
is_needed(DaemonServer *server)
{
    bool needed;

    g_mutex_lock(&server->lock);
    needed = server->clients > 0 || server->holds > 0;
    g_mutex_unlock(&server->lock);
    return needed;
}

/* --- accepting ----------------------------------------------------------- */

static bool
is_full(DaemonServer *server)
{
    bool full;

    g_mutex_lock(&server->lock);
    full = server->full = server->clients >= server->config->max_clients;
    g_mutex_unlock(&server->lock);
    return full;
}

/* Returns: whether this is the first to leave a full daemon */
static bool
make_room(DaemonServer *server)
{
    bool was_full;

    g_mutex_lock(&server->lock);
    was_full = server->full;
    server->full = false;
    g_mutex_unlock(&server->lock);
    return was_full;
}

static void
listen_again(DaemonServer *server, bool listen)
{
    for (guint i = 0; server->watches && i < server->watches->len; i++)
        rpc_watch_set(g_ptr_array_index(server->watches, i),
                      listen ? EPOLLIN : 0);
}

static void accept_everywhere(DaemonServer *server);

static void
accept_later(void *data)
{
    DaemonServer *server = data;

    listen_again(server, true);
    accept_everywhere(server);
}

/* Takes the clients that wait at @item; when there are too many, the others
 * stay in the kernel's queue until one has left. */
static void
accept_all(DaemonServer *server, const DaemonSocket *item)
{
    int fd = -1;

    while (!is_full(server) &&
           (fd = accept4(item->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        rpc_service_accept(&server->service, fd, item->read_only);
    if (is_full(server)) {
        listen_again(server, false);
    } else if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
        log_error(_("cannot accept a client: %s"), g_strerror(errno));
        listen_again(server, false);
        rpc_loop_timer(server->loop, ACCEPT_RETRY_MS, accept_later, server);
    }
}

static void
accept_everywhere(DaemonServer *server)
{
    for (guint i = 0; server->watches && i < server->sockets->len; i++)
        accept_all(server, &g_array_index(server->sockets, DaemonSocket, i));
}

static void
on_connection(uint32_t events, void *data)
{
    accept_everywhere(data);
}

static bool
watch_sockets(DaemonServer *server, GError **error)
{
    server->watches = g_ptr_array_new();
    for (guint i = 0; i < server->sockets->len; i++) {
        int fd = g_array_index(server->sockets, DaemonSocket, i).fd;
        RpcWatch *watch = rpc_loop_watch(server->loop, fd, EPOLLIN,
                                         on_connection, server, error);

        if (!watch)
            return false;
        g_ptr_array_add(server->watches, watch);
    }
    return true;
}

/* I/O thread. */
static void
stop_listening(DaemonServer *server)
{
    for (guint i = 0; server->watches && i < server->watches->len; i++)
        rpc_watch_free(g_ptr_array_index(server->watches, i));
    g_clear_pointer(&server->watches, g_ptr_array_unref);
    g_clear_pointer(&server->sockets, daemon_sockets_close);
}

/* --- idle ---------------------------------------------------------------- */

/* The time is over; but who has connected meanwhile is served. I/O thread. */
static void
end_if_idle(void *data)
{
    DaemonServer *server = data;

    accept_everywhere(server);
    if (is_needed(server))
        return; /* leaving starts the time anew */
    stop_listening(server);
    g_main_loop_quit(server->main);
}

static gboolean
on_idle(void *data)
{
    DaemonServer *server = data;

    server->idle_source = 0;
    rpc_loop_invoke(server->loop, end_if_idle, server);
    return G_SOURCE_REMOVE;
}

static gboolean
update_idle(void *data)
{
    DaemonServer *server = data;

    if (server->idle_source > 0)
        g_source_remove(server->idle_source);
    server->idle_source = 0;
    if (server->serving && server->options->timeout_s > 0 && !is_needed(server))
        server->idle_source = g_timeout_add(
            (guint)server->options->timeout_s * 1000, on_idle, server);
    return G_SOURCE_REMOVE;
}

/* --- what rpc and the drivers call --------------------------------------- */

static const RpcRoute *
route(void *opaque, const char *uri, GError **error)
{
    DaemonServer *server = opaque;

    if (server->modules)
        return daemon_modules_route(server->modules, uri, error);
    error_set(error, VIR_ERR_NO_CONNECT, "%s", uri);
    return NULL;
}

static void
clients_changed(void *opaque, int change)
{
    DaemonServer *server = opaque;

    count(server, change, 0);
    if (change < 0 && make_room(server))
        rpc_loop_invoke(server->loop, accept_later, server);
}

static const RpcServiceCalls service_calls = {
    .route = route,
    .clients = clients_changed,
};

static void
host_event(const VirtkvmHost *host, const VirtkvmEvent *event)
{
    DaemonServer *server = host->opaque;

    rpc_event_emit(&server->service.events, event);
}

static void
host_network_event(const VirtkvmHost *host, const VirtkvmNetworkEvent *event)
{
    DaemonServer *server = host->opaque;

    rpc_event_emit_network(&server->service.events, event);
}

static void
host_hold(const VirtkvmHost *host, int change)
{
    count(host->opaque, 0, change);
}

static const char *
host_config(const VirtkvmHost *host, const char *key)
{
    DaemonServer *server = host->opaque;

    return g_hash_table_lookup(server->config->values, key);
}

/* Differs after each start of the host. */
static unsigned
boot_generation(void)
{
    g_autofree char *id =
        file_read("/proc/sys/kernel/random/boot_id", 64, NULL, NULL);

    return id ? (unsigned)strtoul(id, NULL, 16) : 0;
}

static const char *
engine_path(const DaemonConfig *config)
{
    const char *given = g_getenv("VIRTKVM_ENGINE");

    if (given && given[0])
        return given;
    return config->engine ? config->engine : PKGLIBEXECDIR "/virtkvm-engine";
}

static const char *
driver_dir(const DaemonConfig *config)
{
    const char *given = g_getenv("VIRTKVM_DRIVER_DIR");

    if (given && given[0])
        return given;
    return config->driver_dir ? config->driver_dir : DRIVERDIR;
}

static void
fill_host(DaemonServer *server, int log_fd)
{
    const DaemonPaths *paths = server->paths;

    server->host = (VirtkvmHost){
        .opaque = server,
        .privileged = paths->privileged,
        .config_dir = paths->config_dir,
        .run_dir = paths->run_dir,
        .lib_dir = paths->lib_dir,
        .log_dir = paths->log_dir,
        .cache_dir = paths->cache_dir,
        .engine_path = engine_path(server->config),
        .log_program = "virtkvmd",
        .log_level = (int)server->config->log_level,
        .log_fd = log_fd,
        .generation = boot_generation(),
        .event = host_event,
        .network_event = host_network_event,
        .hold = host_hold,
        .config = host_config,
    };
}

/* --- signals ------------------------------------------------------------- */

/* Only what may change while domains run: the log level, and what the drivers
 * read for themselves. */
static void
reload(DaemonServer *server)
{
    const char *path = server->options->config_file
                           ? server->options->config_file
                           : server->paths->config_file;
    g_autoptr(DaemonConfig) fresh = daemon_config_new(server->paths->system);
    g_autoptr(GError) error = NULL;

    daemon_notify("RELOADING=1");
    if (!daemon_config_load(fresh, path, false, &error)) {
        log_error(_("the configuration stays as it was: %s"), error->message);
    } else if (!server->options->verbose) {
        server->host.log_level = (int)fresh->log_level;
        log_init(server->host.log_program, fresh->log_level,
                 server->host.log_fd);
    }
    daemon_modules_reload(server->modules);
    daemon_notify("READY=1");
}

static gboolean
on_signal(int fd, GIOCondition condition, void *data)
{
    DaemonServer *server = data;
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof(info)) != sizeof(info))
        return G_SOURCE_CONTINUE;
    if (info.ssi_signo == SIGHUP)
        reload(server);
    else
        g_main_loop_quit(server->main);
    return G_SOURCE_CONTINUE;
}

static bool
watch_signals(DaemonServer *server, GError **error)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    server->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (server->signals < 0) {
        error_set_errno(error, errno, "%s", _("cannot wait for signals"));
        return false;
    }
    server->signal_source =
        g_unix_fd_add(server->signals, G_IO_IN, on_signal, server);
    return true;
}

/* --- life ---------------------------------------------------------------- */

static void
start_service(DaemonServer *server)
{
    const DaemonConfig *config = server->config;

    server->pool = rpc_pool_new(config->max_workers, config->prio_workers);
    server->service.privileged = server->paths->privileged;
    server->service.limits = (RpcLimits){
        .max_clients = config->max_clients,
        .max_client_requests = config->max_client_requests,
        .keepalive_interval_s = config->keepalive_interval_s,
        .keepalive_count = config->keepalive_count,
    };
    rpc_service_init(&server->service, server->loop, server->pool,
                     &service_calls, server);
}

DaemonServer *
daemon_server_new(const DaemonOptions *options, const DaemonPaths *paths,
                  DaemonConfig *config, int log_fd, GError **error)
{
    g_autoptr(DaemonServer) server = g_new0(DaemonServer, 1);

    g_mutex_init(&server->lock);
    g_cond_init(&server->clients_gone);
    server->options = options;
    server->paths = paths;
    server->config = config;
    server->signals = -1;
    server->main = g_main_loop_new(NULL, FALSE);
    fill_host(server, log_fd);
    server->loop = rpc_loop_new(error);
    if (!server->loop)
        return NULL;
    start_service(server);
    server->sockets = daemon_sockets_open(paths, config, error);
    if (!server->sockets || !watch_sockets(server, error) ||
        !watch_signals(server, error))
        return NULL;
    return g_steal_pointer(&server);
}

static void *
run_io(void *data)
{
    rpc_loop_run(data);
    return NULL;
}

static bool
start_io(DaemonServer *server, GError **error)
{
    int failed = pthread_create(&server->io_thread, NULL, run_io, server->loop);

    server->io_running = failed == 0;
    if (failed)
        error_set_errno(error, failed, "%s", _("cannot start the I/O thread"));
    return !failed;
}

static bool
start_modules(DaemonServer *server, GError **error)
{
    g_autoptr(DaemonModules) modules =
        daemon_modules_load(driver_dir(server->config), error);

    if (!modules || !daemon_modules_start(modules, &server->host, error))
        return false;
    server->modules = g_steal_pointer(&modules);
    return true;
}

bool
daemon_server_start(DaemonServer *server, GError **error)
{
    if (!start_io(server, error) || !start_modules(server, error))
        return false;
    rpc_pool_open(server->pool);
    return true;
}

void
daemon_server_run(DaemonServer *server)
{
    server->serving = true;
    update_idle(server);
    daemon_notify("READY=1");
    g_main_loop_run(server->main);
    daemon_notify("STOPPING=1");
    server->serving = false;
    update_idle(server);
}

static void
close_everything(void *data)
{
    DaemonServer *server = data;

    stop_listening(server);
    rpc_service_close_all(&server->service);
}

/* A second signal ends a daemon at once whose calls do not come to an end. */
static void
release_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* The I/O thread and the workers go on until the last session is gone. */
static void
stop_io(DaemonServer *server)
{
    release_signals();
    rpc_loop_invoke(server->loop, close_everything, server);
    rpc_pool_open(server->pool);
    g_mutex_lock(&server->lock);
    while (server->clients > 0)
        g_cond_wait(&server->clients_gone, &server->lock);
    g_mutex_unlock(&server->lock);
}

static void
stop_service(DaemonServer *server)
{
    if (server->io_running)
        stop_io(server);
    else
        close_everything(server);
    rpc_pool_free(server->pool);
    if (server->io_running) {
        rpc_loop_quit(server->loop);
        pthread_join(server->io_thread, NULL);
    }
}

void
daemon_server_free(DaemonServer *server)
{
    if (!server)
        return;
    if (server->pool)
        stop_service(server);
    daemon_modules_free(server->modules);
    if (server->pool)
        rpc_service_clear(&server->service);
    if (server->signal_source > 0)
        g_source_remove(server->signal_source);
    fd_clear(&server->signals);
    rpc_loop_free(server->loop);
    g_main_loop_unref(server->main);
    daemon_config_free(server->config);
    g_cond_clear(&server->clients_gone);
    g_mutex_clear(&server->lock);
    g_free(server);
}
