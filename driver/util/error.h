/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <libvirt/virterror.h>

/**
 * Errors are GErrors of one domain; their codes are libvirt's virErrorNumber
 * (VIR_ERR_*). A message is lower case, a whole sentence without a full stop,
 * translated by the caller of error_set(). libvirt's prefix text for the code
 * ("Requested operation is not valid: ...") is added at the edge, in rpc.
 */
#define VIRTKVM_ERROR (error_quark())

GQuark error_quark(void);

/**
 * error_set: set @error, if the caller wants one
 * @code: virErrorNumber   @format: printf-like, already translated
 */
void error_set(GError **error, virErrorNumber code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/**
 * error_set_errno: as error_set() with ": " and strerror(@errnum) appended
 * and code VIR_ERR_SYSTEM_ERROR
 */
void error_set_errno(GError **error, int errnum, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/**
 * error_code: the virErrorNumber of @error; VIR_ERR_INTERNAL_ERROR for a
 * GError of another domain, VIR_ERR_OK for NULL
 */
virErrorNumber error_code(const GError *error);
