/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/calls.h"
#include "core/console.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/i18n.h"

/** domainOpenChannel: a stream to a guest's channel, by its socket. */

static bool
is_called(const ConfChardev *channel, const char *name)
{
    return !name || g_strcmp0(channel->name, name) == 0 ||
           g_strcmp0(channel->alias, name) == 0;
}

static const ConfChardev *
find_channel(const ConfDomain *conf, const char *name, GError **error)
{
    const ConfChardev *found = NULL;

    for (guint i = 0; i < conf->channels->len && !found; i++)
        if (is_called(conf->channels->pdata[i], name))
            found = conf->channels->pdata[i];
    if (!found) {
        error_set(error, VIR_ERR_INTERNAL_ERROR, _("cannot find channel %s"),
                  name ? name : _("default"));
        return NULL;
    }
    if (found->type == CONF_CHARDEV_UNIX)
        return found;
    error_set(error, VIR_ERR_INTERNAL_ERROR,
              _("channel %s is not using a UNIX socket"),
              name ? name : _("default"));
    return NULL;
}

/* Not to wait for an engine whose backlog is full. */
static int
open_socket(const ConfChardev *channel, GError **error)
{
    g_auto(Fd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *path = channel->path ? channel->path : "";

    if (strlen(path) >= sizeof(address.sun_path)) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("the path of the socket '%s' is too long"), path);
        return -1;
    }
    strcpy(address.sun_path, path);
    if (fd >= 0 && fd_set_nonblocking(fd, true) &&
        connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd_steal(&fd);
    error_set_errno(error, errno, _("cannot connect to the socket '%s'"), path);
    return -1;
}

static const CoreConsoleKind channel_kind = {
    .find = find_channel,
    .open = open_socket,
    .force = VIR_DOMAIN_CHANNEL_FORCE,
    .busy = N_("Active channel stream exists for this domain"),
};

static const CoreOperation channel_operation = {
    .name = "domainOpenChannel",
    .needs = CORE_ACTIVE,
    .flags = VIR_DOMAIN_CHANNEL_FORCE,
    .act = core_console_act,
};

VirtkvmConsole *
core_call_channel(VirtkvmState *state, const VirtkvmCaller *who,
                  const VirtkvmDomainRef *dom, const char *name, unsigned flags,
                  GError **error)
{
    CoreConsoleCall args = { .kind = &channel_kind, .name = name };
    CoreCall call = {
        .state = state, .who = who, .flags = flags, .data = &args
    };

    return core_api_call(&channel_operation, &call, dom, error) ? args.console
                                                                : NULL;
}
