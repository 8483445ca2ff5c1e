/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "shell/affect.h"

/** Attaching, changing and detaching one device of a domain. */

/** What is done with a device's XML; the same result as in libvirt. */
typedef enum VshApplyKind {
    VSH_APPLY_ATTACH,
    VSH_APPLY_DETACH,
    VSH_APPLY_UPDATE,
} VshApplyKind;

/**
 * vsh_apply: hand @xml to the driver
 *
 * Where none of --live, --config, --current and --persistent is given, it is
 * the running domain's device that is attached or detached.
 * @flags: virDomainModificationImpact, or more for UPDATE
 * Returns: false if the driver refuses; libvirt's last error says why
 */
bool vsh_apply(VshApplyKind kind, const VshArgs *args, virDomainPtr domain,
               const char *xml, unsigned flags);

/**
 * vsh_apply_error: libvirt's last error with @context, and what to try
 * @context: as vsh_error_virt(), translated, without arguments
 */
void vsh_apply_error(const VshArgs *args, virDomainPtr domain,
                     const char *context, GError **error);
