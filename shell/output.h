/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

typedef enum VshFormat {
    VSH_FORMAT_TABLE,
    VSH_FORMAT_JSON,
} VshFormat;

typedef enum VshColor {
    VSH_COLOR_NONE,
    VSH_COLOR_GOOD,
    VSH_COLOR_WARNING,
    VSH_COLOR_BAD,
    VSH_COLOR_DIM,
} VshColor;

typedef struct VshProgress VshProgress;

/** Where and how everything is printed. */
typedef struct VshOutput {
    VshFormat format;
    bool quiet;
    bool timing;
    bool color_out; /* standard output takes colour */
    bool color_err;
    unsigned debug; /* 0: all messages ... 4: errors only */
    FILE *log;      /* of --log; NULL: none */
    VshProgress *progress;
} VshOutput;

/** The level of --debug at which only errors are logged: the default. */
#define VSH_DEBUG_NONE 4

/** vsh_output_init: defaults, colours by the terminal and NO_COLOR */
void vsh_output_init(VshOutput *out);

/** vsh_output_log_open: append messages to @path from now on */
bool vsh_output_log_open(VshOutput *out, const char *path, GError **error);

void vsh_output_clear(VshOutput *out);

/** vsh_print: data, to standard output; in every format */
void vsh_print(VshOutput *out, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** vsh_print_extra: as vsh_print(), but not with --quiet and not as JSON */
void vsh_print_extra(VshOutput *out, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/**
 * vsh_message: what an action did ("Domain 'x' started"), a line of its own;
 * nothing with --quiet, an object with the key "message" as JSON
 */
void vsh_message(VshOutput *out, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** vsh_note: a remark to people, on standard error; not with --quiet */
void vsh_note(VshOutput *out, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** vsh_debug: to the log, and to standard error if --debug wants @level */
void vsh_debug(VshOutput *out, unsigned level, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/**
 * vsh_print_document: XML that was asked for instead of an action; where the
 * command's end adds a newline, one that it lacks is not added
 */
void vsh_print_document(VshOutput *out, const char *xml);

/** vsh_print_json: @value, which is taken over, as one indented document */
void vsh_print_json(VshOutput *out, json_t *value);

/** vsh_print_error: context, message and hint to standard error and log */
void vsh_print_error(VshOutput *out, const GError *error);

/** vsh_color_on, vsh_color_off: escape sequences, "" where there is no colour
 */
const char *vsh_color_on(const VshOutput *out, VshColor color);
const char *vsh_color_off(const VshOutput *out, VshColor color);

/** vsh_state_color: how a virDomainState is shown */
VshColor vsh_state_color(int state);
