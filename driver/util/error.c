/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "util/error.h"

#include <stdarg.h>

G_DEFINE_QUARK(virtkvm-error, error)

void
error_set(GError **error, virErrorNumber code, const char *format, ...)
{
    va_list args;

    if (!error)
        return;
    va_start(args, format);
    g_propagate_error(error,
                      g_error_new_valist(VIRTKVM_ERROR, code, format, args));
    va_end(args);
}

void
error_set_errno(GError **error, int errnum, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    if (!error)
        return;
    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, VIRTKVM_ERROR, VIR_ERR_SYSTEM_ERROR, "%s: %s", text,
                g_strerror(errnum));
}

virErrorNumber
error_code(const GError *error)
{
    if (!error)
        return VIR_ERR_OK;
    if (error->domain != VIRTKVM_ERROR)
        return VIR_ERR_INTERNAL_ERROR;
    return (virErrorNumber)error->code;
}
