/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <virtkvm/driver.h>

#include "rpc/service.h"

/** The driver that serves connections which name none, and foreign names of
 * its kind (qemu:///system). */
#define DAEMON_DEFAULT_DRIVER "kvm"

/** The hypervisor drivers that were loaded, the default one first. */
typedef struct DaemonModules DaemonModules;

/**
 * daemon_modules_load: load every module of @folder
 *
 * One that is broken or was built for another ABI is logged and left out.
 * @error: when none is left; OPERATION_FAILED
 */
DaemonModules *daemon_modules_load(const char *folder, GError **error);

/**
 * daemon_modules_start: stateInitialize of each; one that fails is logged and
 * left out. Thread: main. @error: when none is left
 */
bool daemon_modules_start(DaemonModules *modules, const VirtkvmHost *host,
                          GError **error);

/** daemon_modules_reload: stateReload of each; failures are logged */
void daemon_modules_reload(DaemonModules *modules);

/**
 * daemon_modules_route: the driver for the URI @uri, by its scheme
 * @error: NO_CONNECT. Thread: any, after daemon_modules_start().
 */
const RpcRoute *daemon_modules_route(DaemonModules *modules, const char *uri,
                                     GError **error);

/** daemon_modules_free: stateCleanup of each that was started */
void daemon_modules_free(DaemonModules *modules);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DaemonModules, daemon_modules_free)
