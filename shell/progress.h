/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * A line on standard error that says what is being waited for, from one
 * second on, until something is printed or the wait ends. It appears only on
 * a terminal. A thread of its own draws it, so that a call into libvirt that
 * blocks needs no care.
 */
typedef struct VshProgress VshProgress;

/** A wait is shown when it has lasted this long. */
#define VSH_PROGRESS_DELAY_MS 1000

/** vsh_progress_new: the thread starts with the first wait */
VshProgress *vsh_progress_new(bool terminal);

/** vsh_progress_free: ends the thread; NULL is fine */
void vsh_progress_free(VshProgress *progress);

/** vsh_progress_begin: a wait begins; @what: "start", copied */
void vsh_progress_begin(VshProgress *progress, const char *what);

/** vsh_progress_detail: what is waited for now, or NULL; copied */
void vsh_progress_detail(VshProgress *progress, const char *detail);

/** vsh_progress_end: the wait is over; the line vanishes */
void vsh_progress_end(VshProgress *progress);

/**
 * vsh_progress_erase: take the line away because something is printed; it
 * comes back with the next tick. NULL is fine.
 */
void vsh_progress_erase(VshProgress *progress);
