/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/exit.h"

#include <libvirt/virterror.h>
#include <stdarg.h>
#include <stdbool.h>

#include "util/error.h"
#include "util/i18n.h"

typedef struct VshErrorPrivate {
    char *context;
    char *hint;
} VshErrorPrivate;

static void
vsh_error_private_init(VshErrorPrivate *private)
{
}

static void
vsh_error_private_copy(const VshErrorPrivate *from, VshErrorPrivate *to)
{
    /* never NULL, which the compiler cannot know */
    if (!from || !to)
        return;
    to->context = g_strdup(from->context);
    to->hint = g_strdup(from->hint);
}

static void
vsh_error_private_clear(VshErrorPrivate *private)
{
    if (!private)
        return;
    g_free(private->context);
    g_free(private->hint);
}

G_DEFINE_EXTENDED_ERROR(VshError, vsh_error)

static const struct {
    virErrorNumber code;
    VshExit exit;
} classes[] = {
    { VIR_ERR_NO_DOMAIN, VSH_EXIT_NOT_FOUND },
    { VIR_ERR_NO_DOMAIN_METADATA, VSH_EXIT_NOT_FOUND },
    { VIR_ERR_NO_DOMAIN_SNAPSHOT, VSH_EXIT_NOT_FOUND },
    { VIR_ERR_NO_DOMAIN_CHECKPOINT, VSH_EXIT_NOT_FOUND },
    { VIR_ERR_NO_NETWORK, VSH_EXIT_NOT_FOUND },
    { VIR_ERR_NO_STORAGE_POOL, VSH_EXIT_NOT_FOUND },
    { VIR_ERR_NO_STORAGE_VOL, VSH_EXIT_NOT_FOUND },
    { VIR_ERR_DEVICE_MISSING, VSH_EXIT_NOT_FOUND },
    { VIR_ERR_OPERATION_INVALID, VSH_EXIT_STATE },
    { VIR_ERR_RESOURCE_BUSY, VSH_EXIT_STATE },
    { VIR_ERR_NO_CONNECT, VSH_EXIT_CONNECT },
    { VIR_ERR_INVALID_CONN, VSH_EXIT_CONNECT },
    { VIR_ERR_RPC, VSH_EXIT_CONNECT },
    { VIR_ERR_NO_SERVER, VSH_EXIT_CONNECT },
    { VIR_ERR_OPERATION_DENIED, VSH_EXIT_DENIED },
    { VIR_ERR_ACCESS_DENIED, VSH_EXIT_DENIED },
    { VIR_ERR_AUTH_FAILED, VSH_EXIT_DENIED },
    { VIR_ERR_AUTH_CANCELLED, VSH_EXIT_DENIED },
    { VIR_ERR_AUTH_UNAVAILABLE, VSH_EXIT_DENIED },
    { VIR_ERR_OPERATION_TIMEOUT, VSH_EXIT_TIMEOUT },
    { VIR_ERR_AGENT_UNRESPONSIVE, VSH_EXIT_TIMEOUT },
    { VIR_ERR_NO_SUPPORT, VSH_EXIT_UNSUPPORTED },
    { VIR_ERR_CONFIG_UNSUPPORTED, VSH_EXIT_UNSUPPORTED },
    { VIR_ERR_ARGUMENT_UNSUPPORTED, VSH_EXIT_UNSUPPORTED },
    { VIR_ERR_OPERATION_UNSUPPORTED, VSH_EXIT_UNSUPPORTED },
    { VIR_ERR_XML_ERROR, VSH_EXIT_DOCUMENT },
    { VIR_ERR_XML_DETAIL, VSH_EXIT_DOCUMENT },
    { VIR_ERR_XML_INVALID_SCHEMA, VSH_EXIT_DOCUMENT },
};

VshExit
vsh_exit_from_virt(int code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++)
        if ((int)classes[i].code == code)
            return classes[i].exit;
    return code == VIR_ERR_OK ? VSH_EXIT_OK : VSH_EXIT_FAILED;
}

void
vsh_error_set(GError **error, VshExit code, const char *format, ...)
{
    va_list args;

    if (!error)
        return;
    va_start(args, format);
    g_propagate_error(error,
                      g_error_new_valist(VSH_ERROR, (int)code, format, args));
    va_end(args);
}

void
vsh_error_virt(GError **error, const char *context, ...)
{
    const virError *last = virGetLastError();
    bool known = last && last->code != VIR_ERR_OK && last->message;
    VshExit code = last ? vsh_exit_from_virt(last->code) : VSH_EXIT_FAILED;
    VshErrorPrivate *private;
    va_list args;

    if (!error)
        return;
    g_set_error_literal(error, VSH_ERROR, code ? (int)code : VSH_EXIT_FAILED,
                        known ? last->message : _("an unknown error occurred"));
    private = vsh_error_get_private(*error);
    va_start(args, context);
    if (private)
    private->context = g_strdup_vprintf(context, args);
    va_end(args);
}

void
vsh_error_hint(GError **error, const char *format, ...)
{
    VshErrorPrivate *private;
    va_list args;

    if (!error || !*error || (*error)->domain != VSH_ERROR)
        return;
    private = vsh_error_get_private(*error);
    if (!private)
        return;
    g_free(private->hint);
    va_start(args, format);
    private->hint = g_strdup_vprintf(format, args);
    va_end(args);
}

VshExit
vsh_error_exit(const GError *error)
{
    if (error && error->domain == VSH_ERROR)
        return (VshExit)error->code;
    return error ? vsh_exit_from_virt(error_code(error)) : VSH_EXIT_OK;
}

static const VshErrorPrivate *
private_of(const GError *error)
{
    return error->domain == VSH_ERROR ? vsh_error_get_private(error) : NULL;
}

const char *
vsh_error_context(const GError *error)
{
    const VshErrorPrivate *private = private_of(error);

    return private ? private->context : NULL;
}

const char *
vsh_error_get_hint(const GError *error)
{
    const VshErrorPrivate *private = private_of(error);

    return private ? private->hint : NULL;
}
