/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/cputime.h"
#include "core/domain-log.h"
#include "core/engine-process.h"
#include "core/network-use.h"
#include "core/spawn.h"
#include "core/status-names.h"
#include "engine/resolve/resolve.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

/* The engine's descriptors; what the machine document names comes after. */
enum { FD_IN, FD_OUT, FD_ERR, FD_CONTROL, FD_EXIT, FD_MACHINE, FD_FIRST };

#define CONTROL_BACKLOG 16

G_STATIC_ASSERT(CORE_SPAWN_FD_MIN <= ENGINE_RESOLVE_FD_MIN);

/* What a spawn needs open, in the order of the enum. */
typedef struct Files {
    int fds[FD_FIRST];
    int machine_write;
} Files;

static void
files_clear(Files *files)
{
    for (int i = 0; i < FD_FIRST; i++)
        fd_clear(&files->fds[i]);
    fd_clear(&files->machine_write);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Files, files_clear)

ProcessEngine *
core_process_new(VirtkvmState *state, int id, const char *name)
{
    ProcessEngine *engine = g_new0(ProcessEngine, 1);

    g_atomic_ref_count_init(&engine->engine.refs);
    engine->engine.ops = &core_engine_process_ops;
    engine->state = state;
    engine->id = id;
    engine->name = g_strdup(name);
    engine->masters = g_array_new(FALSE, FALSE, sizeof(int));
    g_array_set_clear_func(engine->masters, (GDestroyNotify)fd_clear);
    engine->pidfd = engine->machine_fd = engine->control_fd = -1;
    g_mutex_init(&engine->lock);
    g_cond_init(&engine->changed);
    return engine;
}

void
core_process_free(CoreEngine *base)
{
    ProcessEngine *engine = (ProcessEngine *)base;

    fd_clear(&engine->pidfd);
    fd_clear(&engine->machine_fd);
    fd_clear(&engine->control_fd);
    g_array_unref(engine->masters);
    g_clear_pointer(&engine->threads, g_array_unref);
    g_clear_pointer(&engine->exit_source, g_source_unref);
    g_free(engine->document);
    g_free(engine->end.reason);
    g_free(engine->end.text);
    g_free(engine->name);
    g_cond_clear(&engine->changed);
    g_mutex_clear(&engine->lock);
    g_free(engine);
}

/* --- the control socket
 * -------------------------------------------------------- */

/* Through the run folder's descriptor: a path of any length fits. */
static socklen_t
control_address(VirtkvmState *state, int id, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    snprintf(address->sun_path, sizeof(address->sun_path),
             "/proc/self/fd/%d/%d." CORE_RUN_CONTROL, state->run_dir_fd, id);
    return sizeof(*address);
}

int
core_process_connect(VirtkvmState *state, int id, GError **error)
{
    g_auto(Fd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address;
    socklen_t size = control_address(state, id, &address);

    /* Not to wait for an engine whose backlog is full. */
    if (fd >= 0 && fd_set_nonblocking(fd, true) &&
        connect(fd, (struct sockaddr *)&address, size) == 0)
        return fd_steal(&fd);
    error_set_errno(error, errno, _("cannot connect to the engine"));
    return -1;
}

static int
control_listen(VirtkvmState *state, int id, GError **error)
{
    g_auto(Fd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address;
    socklen_t size = control_address(state, id, &address);

    (void)unlink(address.sun_path);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 &&
        listen(fd, CONTROL_BACKLOG) == 0)
        return fd_steal(&fd);
    error_set_errno(error, errno, _("cannot make the engine's control socket"));
    return -1;
}

/* --- files
 * ------------------------------------------------------------------------ */

static int
open_exit_file(VirtkvmState *state, int id, GError **error)
{
    char name[32];
    int fd;

    snprintf(name, sizeof(name), "%d." CORE_RUN_EXIT, id);
    fd = openat(state->run_dir_fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
                0600);
    if (fd < 0)
        error_set_errno(error, errno, _("cannot create '%s/%s'"),
                        state->run_dir, name);
    return fd;
}

/* Holds the whole document, so that writing it does not wait for a reader. */
static bool
open_pipe(Files *files, size_t size, GError **error)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0) {
        error_set_errno(error, errno, _("cannot make a pipe"));
        return false;
    }
    files->fds[FD_MACHINE] = ends[0];
    files->machine_write = ends[1];
    if (fcntl(ends[1], F_GETPIPE_SZ) >= (int)size ||
        fcntl(ends[1], F_SETPIPE_SZ, (int)size) >= 0)
        return true;
    error_set_errno(error, errno, _("the machine document is too large"));
    return false;
}

static bool
open_null(Files *files, GError **error)
{
    files->fds[FD_IN] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (files->fds[FD_IN] < 0)
        error_set_errno(error, errno, _("cannot open '%s'"), "/dev/null");
    return files->fds[FD_IN] >= 0;
}

/* Standard output and error are the log. */
static bool
open_log(ProcessEngine *engine, Files *files, GError **error)
{
    int fd = core_domain_log_open(engine->state, engine->name, error);

    files->fds[FD_OUT] = fd;
    if (fd < 0)
        return false;
    files->fds[FD_ERR] = fcntl(fd, F_DUPFD_CLOEXEC, CORE_SPAWN_FD_MIN);
    if (files->fds[FD_ERR] < 0)
        error_set_errno(error, errno, _("cannot duplicate a descriptor"));
    return files->fds[FD_ERR] >= 0;
}

static bool
open_files(ProcessEngine *engine, Files *files, GError **error)
{
    if (!open_null(files, error) || !open_log(engine, files, error) ||
        (files->fds[FD_CONTROL] =
             control_listen(engine->state, engine->id, error)) < 0 ||
        (files->fds[FD_EXIT] =
             open_exit_file(engine->state, engine->id, error)) < 0 ||
        (engine->control_fd =
             core_process_connect(engine->state, engine->id, error)) < 0 ||
        !open_pipe(files, strlen(engine->document), error))
        return false;
    for (int i = 0; i < FD_FIRST; i++)
        if (!core_spawn_raise(&files->fds[i], error))
            return false;
    return true;
}

/* A pty loses what its reader has not read when the last master closes: one
 * is kept here until the consoles have been read to their end. */
static void
keep_masters(ProcessEngine *engine, const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned number;
        int fd;

        if (ioctl(fds[i], TIOCGPTN, &number) != 0)
            continue;
        fd = fcntl(fds[i], F_DUPFD_CLOEXEC, CORE_SPAWN_FD_MIN);
        if (fd >= 0)
            g_array_append_val(engine->masters, fd);
    }
}

/* --- spawn
 * ------------------------------------------------------------------------ */

static char **
command_line(VirtkvmState *state)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();

    g_ptr_array_add(argv, g_strdup(state->host->engine_path));
    g_ptr_array_add(argv, g_strdup_printf("--machine-fd=%d", FD_MACHINE));
    g_ptr_array_add(argv, g_strdup_printf("--control-fd=%d", FD_CONTROL));
    g_ptr_array_add(argv, g_strdup_printf("--exit-fd=%d", FD_EXIT));
    g_ptr_array_add(argv, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&argv), FALSE);
}

static bool
run(ProcessEngine *engine, const Files *files, const EngineResolved *resolved,
    char **argv, GError **error)
{
    g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));
    CoreSpawn spawn = { .path = argv[0], .argv = argv };
    CoreCpuTime time;
    const int *named;
    size_t count;

    named = engine_resolved_fds(resolved, &count);
    g_array_append_vals(fds, files->fds, FD_FIRST);
    g_array_append_vals(fds, named, (guint)count);
    spawn.fds = (const int *)(void *)fds->data;
    spawn.n_fds = fds->len;
    engine->pid = core_spawn(&spawn, &engine->pidfd, error);
    if (engine->pid < 0)
        return false;
    if (core_cputime_process(engine->pid, &time))
        engine->start_time = time.start_time;
    keep_masters(engine, named, count);
    return true;
}

static bool
launch_files(ProcessEngine *engine, const CoreEngineLaunch *launch,
             const EngineResolved *resolved, GError **error)
{
    g_auto(Files) files = { { -1, -1, -1, -1, -1, -1 }, -1 };
    g_auto(GStrv) argv = command_line(engine->state);

    engine->document = engine_resolved_document(resolved, FD_FIRST);
    if (!open_files(engine, &files, error))
        return false;
    core_domain_log_start(files.fds[FD_ERR], argv, launch->warnings);
    if (!run(engine, &files, resolved, argv, error))
        return false;
    engine->machine_fd = fd_steal(&files.machine_write);
    return true;
}

static bool
find_network(const ConfInterface *net, void *opaque, EngineNetwork *ret_network,
             GError **error)
{
    CoreNetworkUse use = { 0 };

    if (!core_network_use(opaque, net->network, net->portgroup, &use, error))
        return false;
    ret_network->bridge = g_steal_pointer(&use.bridge);
    ret_network->mtu = use.mtu;
    ret_network->bandwidth = use.bandwidth;
    core_network_use_clear(&use);
    return true;
}

EngineResolveContext
core_process_context(VirtkvmState *state)
{
    return (EngineResolveContext){ .cache_dir = state->host->cache_dir,
                                   .run_dir = state->run_dir,
                                   .network = find_network,
                                   .opaque = state };
}

CoreEngine *
core_process_spawn(const CoreEngineLaunch *launch, GError **error)
{
    VirtkvmState *state = launch->state;
    EngineResolveContext context = core_process_context(state);
    g_autoptr(EngineResolved) resolved = NULL;
    ProcessEngine *engine;

    context.flags = launch->paused ? ENGINE_RESOLVE_PAUSED : 0;
    context.warnings = launch->warnings;
    resolved = engine_resolve(launch->live, &context, error);
    if (!resolved)
        return NULL;
    engine = core_process_new(state, launch->id, launch->live->name);
    if (launch_files(engine, launch, resolved, error))
        return &engine->engine;
    core_engine_unref(&engine->engine);
    engine_resolve_cleanup(launch->live);
    return NULL;
}
