/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include "conf/table.h"

/* The kinds of values; the member's C type in brackets. */
extern const ConfType conf_type_string;  /* char *: as written; empty = NULL */
extern const ConfType conf_type_token;   /* char *: without outer blanks */
extern const ConfType conf_type_uint;    /* unsigned; 0 = absent */
extern const ConfType conf_type_number;  /* int; -1 = absent */
extern const ConfType conf_type_uint64;  /* uint64_t; 0 = absent */
extern const ConfType conf_type_enum;    /* int, ConfField.names */
extern const ConfType conf_type_onoff;   /* ConfOnOff: on, off */
extern const ConfType conf_type_yesno;   /* ConfOnOff: yes, no */
extern const ConfType conf_type_present; /* ConfOnOff: the bare element */
extern const ConfType conf_type_uuid;    /* unsigned char[VIR_UUID_BUFLEN] */
extern const ConfType conf_type_cpuset;  /* char *: "0-3,^2", normalised */

/* For kinds that are strings with a parse of their own. */
const char *conf_string_format(const ConfField *field, const void *member,
                               char *scratch);
void conf_string_clear(void *member);
void conf_string_copy(void *to, const void *from);

/** conf_value_error: libvirt's message for a value that cannot be, with the
 * line; code XML_ERROR. @field: an attribute or a leaf of @node */
void conf_value_error(GError **error, const ConfField *field,
                      const xmlNode *node, const char *text);

/** conf_number_parse: decimal digits only, blanks around allowed; @max >= 9
 * Returns: false where it is not a number or larger than @max */
bool conf_number_parse(const char *text, uint64_t max, uint64_t *ret_value);
