/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "daemon/options.h"

#include "util/error.h"
#include "util/i18n.h"

#define TIMEOUT_UNSET G_MININT

static bool
check(const DaemonOptions *options, int left, char **argv, GError **error)
{
    if (left > 1) {
        error_set(error, VIR_ERR_INVALID_ARG, _("unexpected argument '%s'"),
                  argv[1]);
        return false;
    }
    if (options->timeout_s <= 0 && options->timeout_s != TIMEOUT_UNSET) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("'%d' is not a number of seconds above 0"),
                  options->timeout_s);
        return false;
    }
    return true;
}

bool
daemon_options_parse(DaemonOptions *options, int argc, char **argv,
                     GError **error)
{
    const GOptionEntry entries[] = {
        { "daemon", 'd', 0, G_OPTION_ARG_NONE, &options->background,
          N_("run in the background; return when clients can connect"), NULL },
        { "config", 'f', 0, G_OPTION_ARG_FILENAME, &options->config_file,
          N_("the configuration file"), N_("FILE") },
        { "timeout", 't', 0, G_OPTION_ARG_INT, &options->timeout_s,
          N_("end after so long without clients and running domains"),
          N_("SECONDS") },
        { "pid-file", 'p', 0, G_OPTION_ARG_FILENAME, &options->pid_file,
          N_("write the process number to this file"), N_("FILE") },
        { "root", 0, 0, G_OPTION_ARG_FILENAME, &options->root,
          N_("a private daemon: all state and the sockets below this folder"),
          N_("FOLDER") },
        { "session", 0, 0, G_OPTION_ARG_NONE, &options->session,
          N_("the user's own daemon, also for root"), NULL },
        { "verbose", 'v', 0, G_OPTION_ARG_NONE, &options->verbose,
          N_("say more"), NULL },
        { "version", 'V', 0, G_OPTION_ARG_NONE, &options->version,
          N_("print the version and end"), NULL },
        { 0 },
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) reason = NULL;

    *options = (DaemonOptions){ .timeout_s = TIMEOUT_UNSET };
    g_option_context_set_summary(
        context, _("The daemon of virtkvm: it runs domains for libvirt's "
                   "clients."));
    g_option_context_add_main_entries(context, entries, PACKAGE);
    if (!g_option_context_parse(context, &argc, &argv, &reason)) {
        error_set(error, VIR_ERR_INVALID_ARG, "%s", reason->message);
        return false;
    }
    if (!check(options, argc, argv, error))
        return false;
    options->timeout_s = MAX(options->timeout_s, 0);
    return true;
}

void
daemon_options_clear(DaemonOptions *options)
{
    g_free(options->config_file);
    g_free(options->pid_file);
    g_free(options->root);
}
