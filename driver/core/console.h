/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "core/api.h"

/** core_console_end_all: ask the streams of all of a run's consoles to end;
 * with the domain's lock held */
void core_console_end_all(CoreRun *run);

/** What tells a console from a channel: how it is found and opened. */
typedef struct CoreConsoleKind {
    const ConfChardev *(*find)(const ConfDomain *conf, const char *name,
                               GError **error);
    /** the host's end of a device that is no engine's own */
    int (*open)(const ConfChardev *device, GError **error);
    unsigned force;   /* flag: take it from who has it */
    const char *busy; /* N_(): somebody has it */
} CoreConsoleKind;

/** What a call that opens one is about: its data. */
typedef struct CoreConsoleCall {
    const CoreConsoleKind *kind;
    const char *name;        /* or NULL */
    VirtkvmConsole *console; /* result */
} CoreConsoleCall;

/** core_console_act: the middle of such a call */
bool core_console_act(CoreCall *call, GError **error);
