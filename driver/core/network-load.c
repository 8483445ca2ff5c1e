/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <string.h>
#include <sys/stat.h>

#include "core/network.h"
#include "util/error.h"
#include "util/file.h"
#include "util/i18n.h"
#include "util/log.h"

typedef bool (*FileFn)(VirtkvmState *state, const char *file, GError **error);

/* Call @load for each document of @folder; a bad one is logged and skipped. */
static bool
each_file(VirtkvmState *state, const char *folder, FileFn load, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &failure);
    const char *file;

    if (!dir) {
        error_set(error, VIR_ERR_SYSTEM_ERROR, "%s", failure->message);
        return false;
    }
    while ((file = g_dir_read_name(dir))) {
        g_autoptr(GError) bad = NULL;

        if (g_str_has_suffix(file, ".xml") && !load(state, file, &bad))
            log_error("network '%s/%s' is skipped: %s", folder, file,
                      bad->message);
    }
    return true;
}

/* --- definitions --------------------------------------------------------- */

static CoreNetwork *
place_for(VirtkvmState *state, const ConfNetwork *conf, GError **error)
{
    CoreNetwork *network = core_network_by_uuid(state, conf->uuid);

    if (network == core_network_by_name(state, conf->name)) {
        if (network)
            return network;
        g_mutex_lock(&state->networks->lock);
        network = core_network_add(state, conf);
        g_mutex_unlock(&state->networks->lock);
        return network;
    }
    error_set(error, VIR_ERR_OPERATION_FAILED,
              _("another network has the name or the uuid of network '%s'"),
              conf->name);
    return NULL;
}

static bool
load_config(VirtkvmState *state, const char *file, GError **error)
{
    g_autoptr(ConfNetwork) conf = core_network_read_config(state, file, error);
    CoreNetwork *network = conf ? place_for(state, conf, error) : NULL;

    if (!network)
        return false;
    if (!core_network_name_bridge(state, conf, error)) {
        core_network_retire(state, network);
        return false;
    }
    core_network_set_config(state, network, g_steal_pointer(&conf));
    core_network_set_autostart(state, network,
                               core_network_is_marked(state, network->name));
    return true;
}

bool
core_networks_reload(VirtkvmState *state, GError **error)
{
    bool loaded;

    g_mutex_lock(&state->networks->change);
    loaded = each_file(state, state->networks->config_dir, load_config, error);
    g_mutex_unlock(&state->networks->change);
    return loaded;
}

/* --- what runs ----------------------------------------------------------- */

static bool
find_again(VirtkvmState *state, CoreNetwork *network, const ConfNetwork *live,
           GError **error)
{
    const CoreNetworkOps *ops = state->profile->networks;

    if (!ops || core_network_user_mode(state))
        return true;
    network->run = ops->find(state, live, error);
    if (network->run && state->host->hold)
        state->host->hold(state->host, 1);
    return network->run != NULL;
}

static bool
load_status(VirtkvmState *state, const char *file, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(ConfNetwork) live =
        core_network_read_status(state, file, &failure);
    g_autofree char *name = g_strndup(file, strlen(file) - strlen(".xml"));
    CoreNetwork *network = NULL;

    if (live)
        network = place_for(state, live, &failure);
    if (network && find_again(state, network, live, &failure)) {
        core_network_set_live(state, network, g_steal_pointer(&live));
        return true;
    }
    core_network_remove_status(state, name);
    if (network)
        core_network_retire(state, network);
    if (!failure)
        return true; /* the host was booted since */
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* --- autostart ----------------------------------------------------------- */

#define AUTOSTART_MARK "autostarted"

static char *
mark_path(VirtkvmState *state)
{
    return g_build_filename(state->networks->status_dir, AUTOSTART_MARK, NULL);
}

static bool
is_done(VirtkvmState *state)
{
    g_autofree char *path = mark_path(state);
    g_autofree char *text = file_read(path, 128, NULL, NULL);

    return text && strcmp(text, state->boot_id) == 0;
}

static void
start_marked(VirtkvmState *state)
{
    g_autofree char *path = mark_path(state);

    for (guint i = 0; i < state->networks->all->len; i++) {
        CoreNetwork *network = g_ptr_array_index(state->networks->all, i);
        g_autoptr(GError) error = NULL;

        if (network->autostart && network->config && !network->live &&
            !core_network_start(state, network,
                                conf_network_copy(network->config), &error))
            log_error("network '%s' was not started: %s", network->name,
                      error->message);
    }
    (void)file_replace_volatile(path, state->boot_id, strlen(state->boot_id),
                                0600, NULL);
}

static bool
make_dirs(const CoreNetworks *networks, GError **error)
{
    return file_make_dirs(networks->config_dir, 0700, error) &&
           file_make_dirs(networks->autostart_dir, 0700, error) &&
           file_make_dirs(networks->status_dir, 0700, error) &&
           file_make_dirs(networks->run_dir, 0700, error) &&
           file_make_dirs(networks->lease_dir, 0700, error);
}

bool
core_networks_load(VirtkvmState *state, bool autostart, GError **error)
{
    CoreNetworks *networks = state->networks;
    bool first = !g_file_test(networks->config_dir, G_FILE_TEST_IS_DIR);
    bool loaded;

    if (!make_dirs(networks, error))
        return false;
    if (first && state->profile->networks)
        core_network_install_default(state);
    g_mutex_lock(&networks->change);
    loaded = each_file(state, networks->config_dir, load_config, error) &&
             each_file(state, networks->status_dir, load_status, error);
    if (loaded && autostart && !is_done(state))
        start_marked(state);
    g_mutex_unlock(&networks->change);
    return loaded;
}
