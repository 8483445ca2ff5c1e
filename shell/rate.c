/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/rate.h"

#include <string.h>

#include "shell/exit.h"
#include "util/i18n.h"

static const struct {
    const char *name;
    size_t offset;
} parts[] = {
    { "average", offsetof(VshRate, average_kib_s) },
    { "peak", offsetof(VshRate, peak_kib_s) },
    { "burst", offsetof(VshRate, burst_kib) },
    { "floor", offsetof(VshRate, floor_kib_s) },
};

static bool
parse_part(const char *direction, const char *word, size_t part, VshRate *rate,
           GError **error)
{
    g_autoptr(GError) cause = NULL;
    guint64 number;

    if (!*word)
        return true;
    if (g_ascii_string_to_unsigned(word, 10, 0, G_MAXUINT, &number, &cause)) {
        G_STRUCT_MEMBER(unsigned, rate, parts[part].offset) = (unsigned)number;
        return true;
    }
    if (cause->code == G_NUMBER_PARSER_ERROR_OUT_OF_BOUNDS)
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("%s rate larger than maximum %u"), direction,
                      G_MAXUINT);
    else
        vsh_error_set(error, VSH_EXIT_USAGE, _("field '%s' is malformed"),
                      parts[part].name);
    vsh_error_hint(error, _("expecting average[,peak[,burst[,floor]]] in KiB "
                            "and KiB per second"));
    return false;
}

bool
vsh_rate_parse(const char *direction, const char *text, VshRate *ret_rate,
               GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    VshRate rate = { 0 };

    if (g_strv_length(words) > G_N_ELEMENTS(parts)) {
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("Rate string '%s' has too many fields"), text);
        return false;
    }
    for (size_t i = 0; words[i]; i++)
        if (!parse_part(direction, words[i], i, &rate, error))
            return false;
    if (rate.floor_kib_s > 0 && strcmp(direction, "outbound") == 0) {
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("outbound floor is unsupported yet"));
        return false;
    }
    *ret_rate = rate;
    return true;
}

bool
vsh_rate_check(const char *direction, const VshRate *rate, GError **error)
{
    if (rate->average_kib_s > 0 || rate->floor_kib_s > 0)
        return true;
    vsh_error_set(error, VSH_EXIT_USAGE, "%s",
                  strcmp(direction, "inbound") == 0
                      ? _("either inbound average or floor is mandatory")
                      : _("outbound average is mandatory"));
    return false;
}
