/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "shell/affect.h"

/**
 * A running guest is asked to let go of a device, which takes as long as it
 * likes: what was asked for, and the wait until the device has gone.
 */
typedef struct VshRelease VshRelease;

/** The options of commands that detach. */
#define VSH_RELEASE_OPTIONS                                                \
    VSH_FLAG("wait", N_("return when the guest has released the device")), \
    {                                                                      \
        .name = "timeout", .kind = VSH_OPTION_NUMBER,                      \
        .flags = VSH_OPTION_NAMED,                                         \
        .help = N_("as --wait, but at most this many seconds; 0: no "      \
                   "limit")                                                \
    }

/**
 * vsh_release_new: before the device is detached
 * @name: of the device, for people   @alias: of the device; NULL if it is not
 * of a running domain: then there is nothing to wait for
 */
VshRelease *vsh_release_new(VshShell *shell, const VshArgs *args,
                            virDomainPtr domain, const char *name,
                            const char *alias);
void vsh_release_free(VshRelease *release);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VshRelease, vsh_release_free)

/** vsh_release_waits: do the options ask to wait? */
bool vsh_release_waits(const VshRelease *release);

/**
 * vsh_release_finish: after the driver has taken the request: wait as the
 * options say, else remark on a device that is still there
 * Returns: false with STATE if the guest refuses, TIMEOUT, INTERRUPTED
 */
bool vsh_release_finish(VshRelease *release, GError **error);
