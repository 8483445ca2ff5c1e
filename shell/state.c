/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/state.h"

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "util/i18n.h"

static const char *const state_names[VIR_DOMAIN_LAST] = {
    [VIR_DOMAIN_NOSTATE] = N_("no state"),
    [VIR_DOMAIN_RUNNING] = N_("running"),
    [VIR_DOMAIN_BLOCKED] = N_("idle"),
    [VIR_DOMAIN_PAUSED] = N_("paused"),
    [VIR_DOMAIN_SHUTDOWN] = N_("in shutdown"),
    [VIR_DOMAIN_SHUTOFF] = N_("shut off"),
    [VIR_DOMAIN_CRASHED] = N_("crashed"),
    [VIR_DOMAIN_PMSUSPENDED] = N_("pmsuspended"),
};

static const char *const running_reasons[VIR_DOMAIN_RUNNING_LAST] = {
    [VIR_DOMAIN_RUNNING_UNKNOWN] = N_("unknown"),
    [VIR_DOMAIN_RUNNING_BOOTED] = N_("booted"),
    [VIR_DOMAIN_RUNNING_MIGRATED] = N_("migrated"),
    [VIR_DOMAIN_RUNNING_RESTORED] = N_("restored"),
    [VIR_DOMAIN_RUNNING_FROM_SNAPSHOT] = N_("from snapshot"),
    [VIR_DOMAIN_RUNNING_UNPAUSED] = N_("unpaused"),
    [VIR_DOMAIN_RUNNING_MIGRATION_CANCELED] = N_("migration canceled"),
    [VIR_DOMAIN_RUNNING_SAVE_CANCELED] = N_("save canceled"),
    [VIR_DOMAIN_RUNNING_WAKEUP] = N_("event wakeup"),
    [VIR_DOMAIN_RUNNING_CRASHED] = N_("crashed"),
    [VIR_DOMAIN_RUNNING_POSTCOPY] = N_("post-copy"),
    [VIR_DOMAIN_RUNNING_POSTCOPY_FAILED] = N_("post-copy failed"),
};

static const char *const paused_reasons[VIR_DOMAIN_PAUSED_LAST] = {
    [VIR_DOMAIN_PAUSED_UNKNOWN] = N_("unknown"),
    [VIR_DOMAIN_PAUSED_USER] = N_("user"),
    [VIR_DOMAIN_PAUSED_MIGRATION] = N_("migrating"),
    [VIR_DOMAIN_PAUSED_SAVE] = N_("saving"),
    [VIR_DOMAIN_PAUSED_DUMP] = N_("dumping"),
    [VIR_DOMAIN_PAUSED_IOERROR] = N_("I/O error"),
    [VIR_DOMAIN_PAUSED_WATCHDOG] = N_("watchdog"),
    [VIR_DOMAIN_PAUSED_FROM_SNAPSHOT] = N_("from snapshot"),
    [VIR_DOMAIN_PAUSED_SHUTTING_DOWN] = N_("shutting down"),
    [VIR_DOMAIN_PAUSED_SNAPSHOT] = N_("creating snapshot"),
    [VIR_DOMAIN_PAUSED_CRASHED] = N_("crashed"),
    [VIR_DOMAIN_PAUSED_STARTING_UP] = N_("starting up"),
    [VIR_DOMAIN_PAUSED_POSTCOPY] = N_("post-copy"),
    [VIR_DOMAIN_PAUSED_POSTCOPY_FAILED] = N_("post-copy failed"),
#if LIBVIR_VERSION_NUMBER >= 9002000
    [VIR_DOMAIN_PAUSED_API_ERROR] = N_("API error"),
#endif
};

static const char *const shutdown_reasons[VIR_DOMAIN_SHUTDOWN_LAST] = {
    [VIR_DOMAIN_SHUTDOWN_UNKNOWN] = N_("unknown"),
    [VIR_DOMAIN_SHUTDOWN_USER] = N_("user"),
};

static const char *const shutoff_reasons[VIR_DOMAIN_SHUTOFF_LAST] = {
    [VIR_DOMAIN_SHUTOFF_UNKNOWN] = N_("unknown"),
    [VIR_DOMAIN_SHUTOFF_SHUTDOWN] = N_("shutdown"),
    [VIR_DOMAIN_SHUTOFF_DESTROYED] = N_("destroyed"),
    [VIR_DOMAIN_SHUTOFF_CRASHED] = N_("crashed"),
    [VIR_DOMAIN_SHUTOFF_MIGRATED] = N_("migrated"),
    [VIR_DOMAIN_SHUTOFF_SAVED] = N_("saved"),
    [VIR_DOMAIN_SHUTOFF_FAILED] = N_("failed"),
    [VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT] = N_("from snapshot"),
    [VIR_DOMAIN_SHUTOFF_DAEMON] = N_("daemon"),
};

static const char *const crashed_reasons[VIR_DOMAIN_CRASHED_LAST] = {
    [VIR_DOMAIN_CRASHED_UNKNOWN] = N_("unknown"),
    [VIR_DOMAIN_CRASHED_PANICKED] = N_("panicked"),
};

static const struct {
    const char *const *names;
    int count;
} reasons[VIR_DOMAIN_LAST] = {
    [VIR_DOMAIN_RUNNING] = { running_reasons, VIR_DOMAIN_RUNNING_LAST },
    [VIR_DOMAIN_PAUSED] = { paused_reasons, VIR_DOMAIN_PAUSED_LAST },
    [VIR_DOMAIN_SHUTDOWN] = { shutdown_reasons, VIR_DOMAIN_SHUTDOWN_LAST },
    [VIR_DOMAIN_SHUTOFF] = { shutoff_reasons, VIR_DOMAIN_SHUTOFF_LAST },
    [VIR_DOMAIN_CRASHED] = { crashed_reasons, VIR_DOMAIN_CRASHED_LAST },
};

const char *
vsh_state_name(int state)
{
    bool known = state >= 0 && state < VIR_DOMAIN_LAST;

    return _(state_names[known ? state : VIR_DOMAIN_NOSTATE]);
}

const char *
vsh_state_reason(int state, int reason)
{
    if (state < 0 || state >= VIR_DOMAIN_LAST || reason < 0 ||
        reason >= reasons[state].count)
        return _("unknown");
    return _(reasons[state].names[reason]);
}
