/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <virtkvm/driver.h>

#include "conf/network.h"
#include "core/state.h"

/** What a built network has on the host; the builder's own. */
typedef struct CoreNetworkRun CoreNetworkRun;

/**
 * Who builds networks on the host. A driver without is one that keeps networks
 * as records: they are defined and started, and nothing happens.
 * Thread: any, one call at a time (CoreNetworks.change is held); may block.
 */
typedef struct CoreNetworkOps {
    /** Bridge, addresses, rules, dnsmasq; on false nothing is left. */
    CoreNetworkRun *(*start)(VirtkvmState *state, const ConfNetwork *conf,
                             GError **error);
    /** A network that another daemon built; what is missing is made again. On
     * false nothing is left. */
    CoreNetworkRun *(*find)(VirtkvmState *state, const ConfNetwork *conf,
                            GError **error);
    /** The definition has changed: serve it. */
    bool (*update)(CoreNetworkRun *run, const ConfNetwork *conf,
                   GError **error);
    /** Remove all that start() made, and free @run. */
    void (*stop)(CoreNetworkRun *run);
    /** Free @run and leave the network as it is. */
    void (*detach)(CoreNetworkRun *run);
} CoreNetworkOps;

/** A network. Fields are changed with both locks of CoreNetworks held, and read
 * with either. */
typedef struct CoreNetwork {
    unsigned char uuid[VIR_UUID_BUFLEN]; /* constant, as the name */
    char *name;
    ConfNetwork *config; /* persistent; NULL of a transient one */
    ConfNetwork *live;   /* active: as it was started; else NULL */
    CoreNetworkRun *run; /* what was built; NULL: a record only. For who holds
                            `change` */
    bool autostart;
} CoreNetwork;

/**
 * All networks of a driver. Lock order: change, lock. `change` is held by the
 * one call that changes a network, as long as it takes; `lock` for moments.
 */
typedef struct CoreNetworks {
    GMutex change;
    GMutex lock;
    GPtrArray *all; /* CoreNetwork, owned, in the order of definition */
    /* constant: */
    char *config_dir;    /* NAME.xml */
    char *autostart_dir; /* NAME.xml, links into config_dir */
    char *status_dir;    /* NAME.xml of active networks; volatile */
    char *run_dir;       /* dnsmasq's own files; volatile */
    char *lease_dir;     /* NAME.leases */
} CoreNetworks;

/** core_networks_new: no network yet; @state: its folders are known */
CoreNetworks *core_networks_new(VirtkvmState *state);
/** core_networks_free: networks that were built stay as they are */
void core_networks_free(VirtkvmState *state);

/**
 * core_networks_load: read definitions, find running networks again
 * @autostart: start those that are marked, if that was not done in this boot
 * Thread: main, before clients
 */
bool core_networks_load(VirtkvmState *state, bool autostart, GError **error);
/** core_networks_reload: read definitions again */
bool core_networks_reload(VirtkvmState *state, GError **error);

/** core_network_to_ref: what goes over the wire */
void core_network_to_ref(const CoreNetwork *network,
                         VirtkvmNetworkRef *ret_network);

/* With either lock held; NULL if there is none. */
CoreNetwork *core_network_by_name(VirtkvmState *state, const char *name);
CoreNetwork *core_network_by_uuid(VirtkvmState *state,
                                  const unsigned char *uuid);

/** core_network_find: by uuid as a client names it; NO_NETWORK */
CoreNetwork *core_network_find(VirtkvmState *state,
                               const VirtkvmNetworkRef *net, GError **error);

/** core_network_active: has it been started? */
static inline bool
core_network_active(const CoreNetwork *network)
{
    return network->live != NULL;
}

/** core_network_def: of the running network, else the persistent one */
static inline ConfNetwork *
core_network_def(const CoreNetwork *network)
{
    return network->live ? network->live : network->config;
}

/** core_network_add: a new one, with both locks held; keeps nothing of @conf */
CoreNetwork *core_network_add(VirtkvmState *state, const ConfNetwork *conf);
/** core_network_retire: take it out if it is neither persistent nor active;
 * with `change` held */
void core_network_retire(VirtkvmState *state, CoreNetwork *network);

/** core_network_set_config/_set_live/_set_autostart: with `change` held; @conf
 * (owned, may be NULL) becomes the definition */
void core_network_set_config(VirtkvmState *state, CoreNetwork *network,
                             ConfNetwork *conf);
void core_network_set_live(VirtkvmState *state, CoreNetwork *network,
                           ConfNetwork *conf);

void core_network_set_autostart(VirtkvmState *state, CoreNetwork *network,
                                bool autostart);

/** core_network_event: @event: virNetworkEventLifecycleType */
void core_network_event(VirtkvmState *state, const CoreNetwork *network,
                        int event);

/** core_network_start: with `change` held, of an inactive network; the
 * definition that it runs with is @conf (owned) */
bool core_network_start(VirtkvmState *state, CoreNetwork *network,
                        ConfNetwork *conf, GError **error);
/** core_network_stop: with `change` held, of an active one; retires it */
void core_network_stop(VirtkvmState *state, CoreNetwork *network);

/** core_network_user_mode: does this driver only stand in for networks, with
 * user mode in their place? */
bool core_network_user_mode(const VirtkvmState *state);

/** core_network_name_bridge: give @conf a bridge's name that no other network
 * and no interface of the host has, or check the one it has; with `change` held
 * @error: INTERNAL_ERROR */
bool core_network_name_bridge(VirtkvmState *state, ConfNetwork *conf,
                              GError **error);

/* --- files (network-persist.c): with `change` held ----------------------- */

bool core_network_save(VirtkvmState *state, const ConfNetwork *conf,
                       GError **error);
/** core_network_remove_files: definition, autostart mark and leases */
bool core_network_remove_files(VirtkvmState *state, const char *name,
                               GError **error);
bool core_network_mark(VirtkvmState *state, const char *name, bool autostart,
                       GError **error);
bool core_network_is_marked(VirtkvmState *state, const char *name);
/** core_network_save_status: before the network is built, and when it has
 * changed */
bool core_network_save_status(VirtkvmState *state, const ConfNetwork *live,
                              GError **error);
void core_network_remove_status(VirtkvmState *state, const char *name);
/** core_network_lease_path: dnsmasq's own list of leases */
char *core_network_lease_path(VirtkvmState *state, const char *name);
/** core_network_read_config: the definition in a file of config_dir */
ConfNetwork *core_network_read_config(VirtkvmState *state, const char *file,
                                      GError **error);
/** core_network_read_status: of a file of status_dir; NULL without @error set:
 * of another boot */
ConfNetwork *core_network_read_status(VirtkvmState *state, const char *file,
                                      GError **error);
/** core_network_install_default: where there never was a definition: the
 * packaged ones, in addresses that the host does not use */
void core_network_install_default(VirtkvmState *state);

/** core_network_route_clash: the interface that a network of @conf's addresses
 * is reached by already; NULL: none. @except: an interface that may */
char *core_network_route_clash(const ConfNetwork *conf, const char *except);
