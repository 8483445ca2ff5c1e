/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <libintl.h>
#include <locale.h>

#define _(text) gettext(text)
#define N_(text) (text)

/**
 * i18n_init: choose the locale of the environment and the catalogue
 *
 * A program calls it once, first thing in main(). VIRTKVM_LOCALEDIR in the
 * environment names another folder of catalogues (for uninstalled runs).
 */
void i18n_init(void);
