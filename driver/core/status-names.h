/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

/** Suffixes of an active domain's files ID.SUFFIX in the run folder. */
#define CORE_RUN_CONTROL "control"
#define CORE_RUN_EXIT    "exit"

/** core_status_state_name: of a virDomainState, as in a status file */
const char *core_status_state_name(int state);

/** core_status_state_from_name: virDomainState, or -1 */
int core_status_state_from_name(const char *name);
