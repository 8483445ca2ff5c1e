/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "util/i18n.h"

#include <glib.h>

void
i18n_init(void)
{
    const char *dir = g_getenv("VIRTKVM_LOCALEDIR");

    setlocale(LC_ALL, "");
    bindtextdomain(PACKAGE, dir ? dir : LOCALEDIR);
    bind_textdomain_codeset(PACKAGE, "UTF-8");
    textdomain(PACKAGE);
}
