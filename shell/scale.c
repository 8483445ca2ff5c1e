/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/scale.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

/* The letters of units, each the next power. */
static const char letters[] = "kmgtpe";

static bool
is_bytes(const char *suffix)
{
    return g_ascii_strcasecmp(suffix, "b") == 0 ||
           g_ascii_strcasecmp(suffix, "byte") == 0 ||
           g_ascii_strcasecmp(suffix, "bytes") == 0;
}

/* The bytes that a number with @suffix counts; 0 for an unknown suffix. */
static uint64_t
suffix_bytes(const char *suffix, uint64_t unit)
{
    const char *letter;
    uint64_t base = 1024, bytes = 1;

    if (!*suffix)
        return unit;
    if (is_bytes(suffix))
        return 1;
    letter = strchr(letters, g_ascii_tolower(*suffix));
    if (!letter)
        return 0;
    if (g_ascii_strcasecmp(suffix + 1, "b") == 0)
        base = 1000;
    else if (suffix[1] && g_ascii_strcasecmp(suffix + 1, "ib") != 0)
        return 0;
    for (const char *l = letters; l <= letter; l++)
        bytes *= base;
    return bytes;
}

bool
vsh_scale_parse(const char *text, uint64_t unit, uint64_t *ret_bytes)
{
    char *end = NULL;
    uint64_t number, bytes;

    /* the function would take blanks and a sign */
    if (!g_ascii_isdigit(*text))
        return false;
    errno = 0;
    number = g_ascii_strtoull(text, &end, 10);
    if (errno != 0)
        return false;
    bytes = suffix_bytes(end, unit);
    if (bytes == 0 || number > G_MAXUINT64 / bytes)
        return false;
    *ret_bytes = number * bytes;
    return true;
}

char *
vsh_scale_text(uint64_t bytes)
{
    static const char *const units[] = { "B",   "KiB", "MiB", "GiB",
                                         "TiB", "PiB", "EiB" };
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1024 && unit + 1 < G_N_ELEMENTS(units)) {
        value /= 1024;
        unit++;
    }
    return g_strdup_printf("%.3f %s", value, units[unit]);
}
