/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "engine/options.h"

#include <stddef.h>
#include <string.h>

#include "util/error.h"
#include "util/i18n.h"

#define FD_MAX ((1 << 20) - 1)

typedef enum OptionKind {
    OPTION_FLAG, /* bool */
    OPTION_FD,   /* int */
    OPTION_PATH, /* const char * */
} OptionKind;

typedef struct Option {
    const char *name;
    OptionKind kind;
    size_t offset;
    const char *help;
} Option;

#define AT(member) offsetof(EngineOptions, member)

static const Option options[] = {
    { "--machine", OPTION_PATH, AT(machine),
      N_("file with the machine document") },
    { "--machine-fd", OPTION_FD, AT(machine_fd),
      N_("open descriptor with the machine document") },
    { "--xml", OPTION_PATH, AT(xml),
      N_("file with a domain's XML, to run it by hand") },
    { "--control", OPTION_PATH, AT(control),
      N_("make the control socket here") },
    { "--control-fd", OPTION_FD, AT(control_fd),
      N_("open descriptor that listens for control clients") },
    { "--exit-fd", OPTION_FD, AT(exit_fd),
      N_("open descriptor of a file that gets the reason of the end") },
    { "--log-fd", OPTION_FD, AT(log_fd),
      N_("open descriptor for messages instead of standard error") },
    { "--version", OPTION_FLAG, AT(version), N_("print the version") },
    { "--help", OPTION_FLAG, AT(help), N_("print this help") },
};

static const Option *
find(const char *name, size_t length)
{
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++)
        if (strlen(options[i].name) == length &&
            strncmp(options[i].name, name, length) == 0)
            return &options[i];
    return NULL;
}

static bool
store_fd(const char *name, const char *value, int *target, GError **error)
{
    guint64 number;

    if (!g_ascii_string_to_unsigned(value, 10, 0, FD_MAX, &number, NULL)) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("option '%s' needs the number of a descriptor, not '%s'"),
                  name, value);
        return false;
    }
    *target = (int)number;
    return true;
}

static bool
store(const Option *option, const char *value, EngineOptions *target,
      GError **error)
{
    void *member = (char *)target + option->offset;

    if (option->kind == OPTION_FD)
        return store_fd(option->name, value, member, error);
    if (option->kind == OPTION_PATH)
        *(const char **)member = value;
    else
        *(bool *)member = true;
    return true;
}

/* One option, at argv[*index]; a value may follow it or stand behind "=". */
static bool
parse_one(int argc, char **argv, int *index, EngineOptions *target,
          GError **error)
{
    const char *text = argv[*index];
    const char *equals = strchr(text, '=');
    const Option *option =
        find(text, equals ? (size_t)(equals - text) : strlen(text));
    const char *value = equals ? equals + 1 : NULL;

    if (!option) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("'%s' is not an option of this program; see --help"), text);
        return false;
    }
    if ((option->kind == OPTION_FLAG) && value) {
        error_set(error, VIR_ERR_INVALID_ARG, _("option '%s' takes no value"),
                  option->name);
        return false;
    }
    if (option->kind != OPTION_FLAG && !value && *index + 1 < argc)
        value = argv[++*index];
    if (option->kind != OPTION_FLAG && !value) {
        error_set(error, VIR_ERR_INVALID_ARG, _("option '%s' needs a value"),
                  option->name);
        return false;
    }
    return store(option, value, target, error);
}

static bool
check(const EngineOptions *parsed, GError **error)
{
    int sources = (parsed->machine != NULL) + (parsed->machine_fd >= 0) +
                  (parsed->xml != NULL);

    if (parsed->help || parsed->version)
        return true;
    if (sources != 1) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("give one of --machine, --machine-fd and --xml"));
        return false;
    }
    if (parsed->control && parsed->control_fd >= 0) {
        error_set(error, VIR_ERR_INVALID_ARG,
                  _("give only one of --control and --control-fd"));
        return false;
    }
    return true;
}

bool
engine_options_parse(int argc, char **argv, EngineOptions *ret_options,
                     GError **error)
{
    *ret_options = (EngineOptions){
        .machine_fd = -1, .control_fd = -1, .exit_fd = -1, .log_fd = -1
    };
    for (int i = 1; i < argc; i++)
        if (!parse_one(argc, argv, &i, ret_options, error))
            return false;
    return check(ret_options, error);
}

char *
engine_options_help(void)
{
    static const char *const values[] = {
        [OPTION_FLAG] = "", [OPTION_FD] = " N", [OPTION_PATH] = " PATH"
    };
    GString *text = g_string_new(
        _("usage: virtkvm-engine --machine FILE | --machine-fd N | --xml FILE "
          "[option ...]\nRuns one domain.\n\n"));

    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        g_autofree char *left =
            g_strconcat(options[i].name, values[options[i].kind], NULL);

        g_string_append_printf(text, "  %-18s %s\n", left, _(options[i].help));
    }
    return g_string_free(text, FALSE);
}
