/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <virtkvm/driver.h>

/** A growing list of typed parameters; items of VirtkvmParams. */
typedef struct CoreParams {
    GArray *items; /* virTypedParameter */
} CoreParams;

CoreParams core_params_new(void);
void core_params_int(CoreParams *params, const char *name, int value);
void core_params_uint(CoreParams *params, const char *name, unsigned value);
void core_params_llong(CoreParams *params, const char *name, int64_t value);
void core_params_ullong(CoreParams *params, const char *name, uint64_t value);
void core_params_bool(CoreParams *params, const char *name, bool value);
void core_params_string(CoreParams *params, const char *name,
                        const char *value);
/** core_params_append: all of @list, which is taken over */
void core_params_append(CoreParams *params, VirtkvmParams *list);
/** core_params_end: the list, the caller's own; @params is empty after it */
VirtkvmParams core_params_end(CoreParams *params);

/** core_params_clear: what core_params_end() returned */
void core_params_clear(VirtkvmParams *params);

/** A parameter that a client may give. */
typedef struct CoreParamKind {
    const char *name;
    int type; /* virTypedParameterType */
} CoreParamKind;

/** core_params_check: each of @params is one of @kinds, of its type, and there
 * once; else INVALID_ARG with libvirt's words */
bool core_params_check(const VirtkvmParams *params, const CoreParamKind *kinds,
                       size_t count, GError **error);

/** core_params_find: the parameter @name, or NULL */
const virTypedParameter *core_params_find(const VirtkvmParams *params,
                                          const char *name);
