/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <jansson.h>
#include <libvirt/libvirt.h>

#include "shell/table.h"

/** vsh_param_text: the value in words, to g_free() */
char *vsh_param_text(const virTypedParameter *param);

/** vsh_param_json: the value as data */
json_t *vsh_param_json(const virTypedParameter *param);

/** vsh_params_json: an object with all of them */
json_t *vsh_params_json(const virTypedParameter *params, int count);

/** vsh_params_add: "field: value" in the order of @params, as @record's */
void vsh_params_add(VshRecord *record, const virTypedParameter *params,
                    int count);
