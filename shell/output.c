/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/output.h"

#include <libvirt/libvirt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shell/exit.h"
#include "shell/progress.h"
#include "util/error.h"
#include "util/i18n.h"

static const char *const color_codes[] = {
    [VSH_COLOR_NONE] = "",
    [VSH_COLOR_GOOD] = "\033[32m",
    [VSH_COLOR_WARNING] = "\033[33m",
    [VSH_COLOR_BAD] = "\033[31m",
    [VSH_COLOR_DIM] = "\033[2m",
};

static bool
color_wanted(int fd)
{
    const char *no_color = g_getenv("NO_COLOR");
    const char *term = g_getenv("TERM");

    return !(no_color && *no_color) && term && strcmp(term, "dumb") != 0 &&
           isatty(fd);
}

void
vsh_output_init(VshOutput *out)
{
    *out = (VshOutput){ .debug = VSH_DEBUG_NONE,
                        .color_out = color_wanted(STDOUT_FILENO),
                        .color_err = color_wanted(STDERR_FILENO) };
}

bool
vsh_output_log_open(VshOutput *out, const char *path, GError **error)
{
    FILE *log = fopen(path, "ae");

    if (!log) {
        error_set_errno(error, errno, _("failed to open the log file '%s'"),
                        path);
        return false;
    }
    setlinebuf(log);
    if (out->log)
        fclose(out->log);
    out->log = log;
    return true;
}

void
vsh_output_clear(VshOutput *out)
{
    g_clear_pointer(&out->log, fclose);
}

static void
log_line(VshOutput *out, const char *kind, const char *text)
{
    struct timespec now;
    struct tm parts;
    char stamp[32];

    if (!out->log)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S", &parts);
    fprintf(out->log, "%s.%03ld+0000 %s: %s\n", stamp, now.tv_nsec / 1000000,
            kind, text);
}

void
vsh_print(VshOutput *out, const char *format, ...)
{
    va_list args;

    vsh_progress_erase(out->progress);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
}

void
vsh_print_extra(VshOutput *out, const char *format, ...)
{
    va_list args;

    if (out->quiet || out->format == VSH_FORMAT_JSON)
        return;
    vsh_progress_erase(out->progress);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
}

void
vsh_message(VshOutput *out, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    if (out->quiet)
        return;
    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    if (out->format == VSH_FORMAT_JSON)
        vsh_print_json(out, json_pack("{s:s}", "message", text));
    else
        vsh_print(out, "%s\n", text);
}

void
vsh_note(VshOutput *out, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    log_line(out, "note", text);
    if (out->quiet)
        return;
    vsh_progress_erase(out->progress);
    fflush(stdout);
    fprintf(stderr, "%s\n", text);
}

void
vsh_debug(VshOutput *out, unsigned level, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    if (level < out->debug || (!out->log && out->debug >= VSH_DEBUG_NONE))
        return;
    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    log_line(out, "debug", text);
    if (out->debug >= VSH_DEBUG_NONE)
        return;
    vsh_progress_erase(out->progress);
    fflush(stdout);
    fprintf(stderr, "%s\n", text);
}

void
vsh_print_json(VshOutput *out, json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY |
                                       JSON_PRESERVE_ORDER);

    vsh_print(out, "%s\n", text ? text : "null");
    free(text);
    json_decref(value);
}

void
vsh_print_document(VshOutput *out, const char *xml)
{
    bool ends = g_str_has_suffix(xml, "\n");

    if (out->format == VSH_FORMAT_JSON)
        vsh_print_json(out, json_pack("{s:s}", "xml", xml));
    else
        vsh_print(out, "%s%s", xml,
                  !ends && (out->quiet || out->timing) ? "\n" : "");
}

static void
print_labelled(VshOutput *out, const char *label, const char *text,
               VshColor color)
{
    bool colored = out->color_err;

    log_line(out, label, text);
    fprintf(stderr, "%s%s:%s %s\n", colored ? color_codes[color] : "", label,
            colored ? "\033[0m" : "", text);
}

void
vsh_print_error(VshOutput *out, const GError *error)
{
    const char *context = vsh_error_context(error);
    const char *hint = vsh_error_get_hint(error);

    vsh_progress_erase(out->progress);
    fflush(stdout);
    if (context)
        print_labelled(out, _("error"), context, VSH_COLOR_BAD);
    print_labelled(out, _("error"), error->message, VSH_COLOR_BAD);
    if (hint && !out->quiet)
        print_labelled(out, _("hint"), hint, VSH_COLOR_DIM);
}

const char *
vsh_color_on(const VshOutput *out, VshColor color)
{
    return out->color_out ? color_codes[color] : "";
}

const char *
vsh_color_off(const VshOutput *out, VshColor color)
{
    return out->color_out && color != VSH_COLOR_NONE ? "\033[0m" : "";
}

VshColor
vsh_state_color(int state)
{
    switch (state) {
    case VIR_DOMAIN_RUNNING:
        return VSH_COLOR_GOOD;
    case VIR_DOMAIN_PAUSED:
    case VIR_DOMAIN_PMSUSPENDED:
    case VIR_DOMAIN_SHUTDOWN:
        return VSH_COLOR_WARNING;
    case VIR_DOMAIN_CRASHED:
        return VSH_COLOR_BAD;
    case VIR_DOMAIN_SHUTOFF:
        return VSH_COLOR_DIM;
    default:
        return VSH_COLOR_NONE;
    }
}
