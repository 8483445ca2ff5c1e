/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>

/**
 * module_symbol: load a module of the engine's, from $VIRTKVM_MODULE_DIR
 * or $(pkglibdir), for as long as the process lives
 *
 * What few domains need stands in modules, so that the others do not pay for
 * the libraries that it links.
 *
 * @file: its name   @error: INTERNAL_ERROR, with the path
 * Returns: what the module calls @symbol, or NULL
 */
void *module_symbol(const char *file, const char *symbol, GError **error);
