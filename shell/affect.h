/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "shell/domain.h"

/** Whether a change is of the running domain, its definition, or both. */

/** The options of commands that change something. */
#define VSH_AFFECT_OPTIONS                             \
    VSH_FLAG("config", N_("affect next boot")),        \
        VSH_FLAG("live", N_("affect running domain")), \
        VSH_FLAG("current", N_("affect current domain"))

/** Beside them: both, if the domain runs. */
#define VSH_PERSISTENT_OPTION \
    VSH_FLAG("persistent", N_("make live change persistent"))

/**
 * vsh_affect_flags: the virDomainModificationImpact of --live, --config and
 * --current, which stands alone
 */
bool vsh_affect_flags(const VshArgs *args, unsigned *ret_flags, GError **error);

/** vsh_affect_domain_flags: the same, with --persistent if @args has it */
bool vsh_affect_domain_flags(const VshArgs *args, virDomainPtr domain,
                             unsigned *ret_flags, GError **error);

/** vsh_affect_given: is there any of these options? */
bool vsh_affect_given(const VshArgs *args);

/** vsh_affect_reaches_live: do the @flags mean the domain that runs, if so? */
bool vsh_affect_reaches_live(unsigned flags);
