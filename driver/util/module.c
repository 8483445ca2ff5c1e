/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "util/module.h"

#include <dlfcn.h>

#include "util/error.h"
#include "util/i18n.h"

void *
module_symbol(const char *file, const char *symbol, GError **error)
{
    const char *folder = g_getenv("VIRTKVM_MODULE_DIR");
    g_autofree char *path =
        g_build_filename(folder ? folder : PKGLIBDIR, file, NULL);
    void *module = dlopen(path, RTLD_NOW);
    void *found = module ? dlsym(module, symbol) : NULL;

    if (!found)
        error_set(error, VIR_ERR_INTERNAL_ERROR, _("cannot load '%s': %s"),
                  path, dlerror());
    return found;
}
