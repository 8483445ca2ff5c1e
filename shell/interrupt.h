/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <stdbool.h>

/**
 * Ctrl-C. A command that waits (event, shutdown --wait, console) begins a
 * scope in which the signal is only noted: it polls vsh_interrupt_fd() or
 * asks vsh_interrupted(). In the interactive shell the signal is always
 * noted, and a second one during the same command ends the program, because
 * a call into libvirt cannot be taken back. Elsewhere it ends the program.
 * Thread: main.
 */

/** vsh_interrupt_init: @interactive: note the signal outside scopes as well */
void vsh_interrupt_init(bool interactive);

/** vsh_interrupt_reset: forget what was noted; at the start of a command */
void vsh_interrupt_reset(void);

void vsh_interrupt_begin(void);
void vsh_interrupt_end(void);

/** vsh_interrupted: was there a signal since the last reset? */
bool vsh_interrupted(void);

/** vsh_interrupt_fd: readable once there was one; for poll() only */
int vsh_interrupt_fd(void);

/**
 * vsh_interrupt_sleep: wait, but not longer than for a signal
 * Returns: false if there was one
 */
bool vsh_interrupt_sleep(unsigned milliseconds);
