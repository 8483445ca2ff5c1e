/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "core/console.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#include "core/api.h"
#include "core/calls.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

/**
 * Consoles: one client a device. The table run->consoles holds those in use;
 * each is the daemon's until it releases it, and keeps the engine's record with
 * it, so that what a guest wrote last can be read after its end.
 */
typedef struct Console {
    VirtkvmConsole base;
    CoreDomain *domain;
    CoreEngine *engine;
    char *key; /* in run->consoles */
} Console;

static void
tell(const Console *console, VirtkvmConsoleEnd end)
{
    (void)eventfd_write(console->base.cancel_fd, (eventfd_t)end);
}

static void
console_free(Console *console)
{
    fd_clear(&console->base.fd);
    fd_clear(&console->base.cancel_fd);
    core_engine_unref(console->engine);
    core_domain_unref(console->domain);
    g_free(console->key);
    g_free(console);
}

static void
release(VirtkvmConsole *base)
{
    Console *console = (Console *)base;
    CoreDomain *domain = console->domain;

    core_domain_lock(domain);
    if (domain->run && domain->run->consoles &&
        g_hash_table_lookup(domain->run->consoles, console->key) == console)
        g_hash_table_remove(domain->run->consoles, console->key);
    core_domain_unlock(domain);
    console_free(console);
}

void
core_console_end_all(CoreRun *run)
{
    GHashTableIter iter;
    gpointer console;

    if (!run->consoles)
        return;
    g_hash_table_iter_init(&iter, run->consoles);
    while (g_hash_table_iter_next(&iter, NULL, &console))
        tell(console, VIRTKVM_CONSOLE_ENDED);
}

/* One that somebody has is refused, or taken from him. */
static bool
make_room(CoreRun *run, const char *key, bool force, const char *busy,
          GError **error)
{
    const Console *other;

    if (!run->consoles)
        run->consoles = g_hash_table_new(g_str_hash, g_str_equal);
    other = g_hash_table_lookup(run->consoles, key);
    if (!other)
        return true;
    if (!force) {
        error_set(error, VIR_ERR_OPERATION_FAILED, "%s", _(busy));
        return false;
    }
    tell(other, VIRTKVM_CONSOLE_TAKEN);
    g_hash_table_remove(run->consoles, key);
    return true;
}

static Console *
console_new(CoreDomain *domain, const ConfChardev *device,
            const CoreConsoleKind *kind, GError **error)
{
    CoreEngine *engine = domain->run->engine;
    int fd = engine->ops->console ? engine->ops->console(engine, error)
                                  : kind->open(device, error);
    Console *console;

    if (fd < 0)
        return NULL;
    console = g_new0(Console, 1);
    console->base.fd = fd;
    console->base.cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    console->base.release = release;
    console->domain = core_domain_ref(domain);
    console->engine = core_engine_ref(engine);
    console->key = g_strdup(device->alias ? device->alias : "");
    if (console->base.cancel_fd >= 0)
        return console;
    error_set_errno(error, errno, _("cannot make an event descriptor"));
    console_free(console);
    return NULL;
}

bool
core_console_act(CoreCall *call, GError **error)
{
    CoreDomain *domain = call->domain;
    CoreConsoleCall *args = call->data;
    const CoreConsoleKind *kind = args->kind;
    g_autoptr(ConfDomain) conf = NULL;
    const ConfChardev *device;
    Console *console;

    if (!domain->run->engine) {
        core_api_set_invalid(error, _("domain is not running"));
        return false;
    }
    conf = core_def_open(domain->def, error);
    device = conf ? kind->find(conf, args->name, error) : NULL;
    if (!device || !make_room(domain->run, device->alias ? device->alias : "",
                              call->flags & kind->force, kind->busy, error))
        return false;
    console = console_new(domain, device, kind, error);
    if (!console)
        return false;
    g_hash_table_insert(domain->run->consoles, console->key, console);
    args->console = &console->base;
    return true;
}

/* --- domainOpenConsole
 * ---------------------------------------------------- */

/* The slave side, as the guest's bytes are: no echo, no line editing. */
static int
open_pty(const ConfChardev *device, GError **error)
{
    const char *path = device->path;
    g_auto(Fd) fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    struct termios settings;

    if (fd < 0 || tcgetattr(fd, &settings) != 0) {
        error_set_errno(error, errno, _("cannot open the terminal '%s'"), path);
        return -1;
    }
    cfmakeraw(&settings);
    if (tcsetattr(fd, TCSANOW, &settings) != 0) {
        error_set_errno(error, errno, _("cannot set up the terminal '%s'"),
                        path);
        return -1;
    }
    return fd_steal(&fd);
}

static const ConfChardev *
find_device(const ConfDomain *conf, const char *devname, GError **error)
{
    const ConfChardev *device = conf_domain_console(conf, devname);
    const char *name;

    if (!device) {
        error_set(error, VIR_ERR_INTERNAL_ERROR,
                  _("cannot find character device '%s'"),
                  devname ? devname : _("default"));
        return NULL;
    }
    if (device->type == CONF_CHARDEV_PTY)
        return device;
    name = device->alias ? device->alias : devname;
    error_set(error, VIR_ERR_INTERNAL_ERROR,
              _("character device '%s' is not using a PTY"), name ? name : "");
    return NULL;
}

static const CoreConsoleKind console_kind = {
    .find = find_device,
    .open = open_pty,
    .force = VIR_DOMAIN_CONSOLE_FORCE,
    .busy = N_("Active console session exists for this domain"),
};

static const CoreOperation open_operation = {
    .name = "domainOpenConsole",
    .needs = CORE_ACTIVE,
    .flags = VIR_DOMAIN_CONSOLE_FORCE | VIR_DOMAIN_CONSOLE_SAFE,
    .act = core_console_act,
};

VirtkvmConsole *
core_call_console(VirtkvmState *state, const VirtkvmCaller *who,
                  const VirtkvmDomainRef *dom, const char *devname,
                  unsigned flags, GError **error)
{
    CoreConsoleCall args = { .kind = &console_kind, .name = devname };
    CoreCall call = {
        .state = state, .who = who, .flags = flags, .data = &args
    };

    return core_api_call(&open_operation, &call, dom, error) ? args.console
                                                             : NULL;
}
