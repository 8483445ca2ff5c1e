/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>

/**
 * core_echo_new: a stream that answers with what it is sent
 *
 * The null driver's guest. One end is returned; the other lives on @io until
 * the first is closed.
 * Returns: descriptor, non-blocking; -1 with @error set
 */
int core_echo_new(GMainContext *io, GError **error);
