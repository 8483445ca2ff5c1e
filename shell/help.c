/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/help.h"

#include <string.h>

#include "shell/wrap.h"
#include "util/i18n.h"

static const char *
kind_word(const VshOption *option)
{
    return vsh_option_is_number(option) ? "<number>" : "<string>";
}

static bool
is_positional(const VshOption *option)
{
    return option->kind != VSH_OPTION_FLAG &&
           !(option->flags & VSH_OPTION_NAMED) &&
           (option->flags & VSH_OPTION_REQUIRED ||
            option->kind == VSH_OPTION_MANY);
}

/* "<domain>...", "[--mode <string>]", "[--all]" */
static void
append_usage(GString *text, const VshOption *option)
{
    bool required = option->flags & VSH_OPTION_REQUIRED;
    const char *more = option->kind == VSH_OPTION_MANY ? "..." : "";

    if (is_positional(option))
        g_string_append_printf(text, required ? " <%s>%s" : " [<%s>]%s",
                               option->name, more);
    else if (option->kind == VSH_OPTION_FLAG)
        g_string_append_printf(text, " [--%s]", option->name);
    else
        g_string_append_printf(text, required ? " --%s %s" : " [--%s %s]",
                               option->name, kind_word(option));
}

char *
vsh_help_synopsis(const VshCommand *command)
{
    g_autoptr(GPtrArray) options = vsh_command_options(command);
    GString *text = g_string_new(command->name);

    for (guint i = 0; i < options->len; i++) {
        const VshOption *option = options->pdata[i];

        if (strcmp(option->name, "help") != 0)
            append_usage(text, option);
    }
    return g_string_free(text, FALSE);
}

static char *
option_label(const VshOption *option)
{
    if (option->kind == VSH_OPTION_FLAG)
        return g_strdup_printf("--%s", option->name);
    return g_strdup_printf(is_positional(option) ? "[--%s] %s" : "--%s %s",
                           option->name, kind_word(option));
}

#define INDENT 4

/* The column of the summaries in lists of commands. */
#define NAME_WIDTH 26

/* The widest label that the texts of options stand beside. */
#define LABEL_MAX 28

static void
print_paragraph(VshOutput *out, const char *text)
{
    g_autofree char *lines = vsh_wrap(text, vsh_wrap_columns(), INDENT, INDENT);

    vsh_print(out, "%*s%s\n", INDENT, "", lines);
}

/* In the synopsis what goes on is indented once more. */
static void
print_synopsis(const VshCommand *command, VshOutput *out)
{
    g_autofree char *synopsis = vsh_help_synopsis(command);
    g_autofree char *lines =
        vsh_wrap(synopsis, vsh_wrap_columns(), INDENT, 2 * INDENT);

    vsh_print(out, "%*s%s\n", INDENT, "", lines);
}

/* The column of the texts: behind the labels that are not too long. */
static unsigned
label_width(GPtrArray *options)
{
    size_t width = 0;

    for (guint i = 0; i < options->len; i++) {
        g_autofree char *label = option_label(options->pdata[i]);

        if (strlen(label) <= LABEL_MAX)
            width = MAX(width, strlen(label));
    }
    return (unsigned)width;
}

static void
print_option(const VshOption *option, unsigned width, VshOutput *out)
{
    g_autofree char *label = option_label(option);
    unsigned indent = INDENT + width + 2;
    g_autofree char *lines =
        vsh_wrap(_(option->help), vsh_wrap_columns(), indent, indent);

    vsh_print(out, "%*s%-*s", INDENT, "", (int)width + 2, label);
    if (strlen(label) > width)
        vsh_print(out, "\n%*s", (int)indent, "");
    vsh_print(out, "%s\n", lines);
}

void
vsh_help_command(const VshCommand *command, VshOutput *out)
{
    g_autoptr(GPtrArray) options = vsh_command_options(command);
    unsigned width = label_width(options);

    vsh_print(out, _("  NAME\n"));
    vsh_print(out, "    %s - %s\n", command->name, _(command->summary));
    vsh_print(out, _("\n  SYNOPSIS\n"));
    print_synopsis(command, out);
    vsh_print(out, _("\n  DESCRIPTION\n"));
    print_paragraph(out, _(command->details));
    vsh_print(out, _("\n  OPTIONS\n"));
    for (guint i = 0; i < options->len; i++)
        print_option(options->pdata[i], width, out);
}

static void
print_commands(const VshGroup *group, VshOutput *out)
{
    g_autoptr(GPtrArray) commands = vsh_command_list(group->keyword);

    for (guint i = 0; i < commands->len; i++) {
        const VshCommand *command = commands->pdata[i];

        g_autofree char *lines = vsh_wrap(
            _(command->summary), vsh_wrap_columns(), NAME_WIDTH, NAME_WIDTH);

        vsh_print(out, "%*s%-*s%s\n", INDENT, "", NAME_WIDTH - INDENT,
                  command->name, lines);
    }
}

void
vsh_help_group(const VshGroup *group, VshOutput *out)
{
    vsh_print(out, _(" %s (help keyword '%s'):\n"), _(group->title),
              group->keyword);
    print_commands(group, out);
}

void
vsh_help_all(VshOutput *out)
{
    vsh_print(out, _("Grouped commands:\n\n"));
    for (const VshGroup *group = vsh_groups; group->keyword; group++) {
        vsh_help_group(group, out);
        vsh_print(out, "\n");
    }
}

static json_t *
option_json(const VshOption *option)
{
    static const char *const kinds[] = {
        [VSH_OPTION_FLAG] = "flag",     [VSH_OPTION_STRING] = "string",
        [VSH_OPTION_NUMBER] = "number", [VSH_OPTION_SIZE] = "size",
        [VSH_OPTION_MANY] = "strings",
    };

    return json_pack("{s:s, s:s, s:b, s:s}", "name", option->name, "kind",
                     kinds[option->kind], "required",
                     (option->flags & VSH_OPTION_REQUIRED) != 0, "help",
                     _(option->help));
}

json_t *
vsh_help_json(const char *topic)
{
    g_autoptr(GPtrArray) commands = vsh_command_list(NULL);
    json_t *list = json_array();

    for (guint i = 0; i < commands->len; i++) {
        const VshCommand *command = commands->pdata[i];
        g_autoptr(GPtrArray) options = vsh_command_options(command);
        json_t *described;

        if (topic && strcmp(topic, command->name) != 0 &&
            strcmp(topic, command->group) != 0)
            continue;
        described = json_array();
        for (guint j = 0; j < options->len; j++)
            json_array_append_new(described, option_json(options->pdata[j]));
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:o}", "name", command->name,
                            "group", command->group, "summary",
                            _(command->summary), "description",
                            _(command->details), "options", described));
    }
    return list;
}

/* Prints @text with what pod would read as markup escaped. */
static void
print_pod_text(VshOutput *out, const char *text)
{
    g_autoptr(GString) escaped = g_string_new(NULL);

    for (const char *c = text; *c; c++) {
        if (*c == '<')
            g_string_append(escaped, "E<lt>");
        else if (*c == '>')
            g_string_append(escaped, "E<gt>");
        else
            g_string_append_c(escaped, *c);
    }
    vsh_print(out, "%s", escaped->str);
}

static void
print_pod_command(const VshCommand *command, VshOutput *out)
{
    g_autoptr(GPtrArray) options = vsh_command_options(command);
    g_autofree char *synopsis = vsh_help_synopsis(command);

    vsh_print(out, "=head3 %s\n\n", command->name);
    vsh_print(out, "    %s\n\n", synopsis);
    print_pod_text(out, command->details);
    vsh_print(out, "\n\n");
    /* the last one is --help, which all of them have */
    if (options->len > 1)
        vsh_print(out, "=over 4\n\n");
    for (guint i = 0; i + 1 < options->len; i++) {
        const VshOption *option = options->pdata[i];
        g_autofree char *label = option_label(option);

        vsh_print(out, "=item B<< %s >>\n\n", label);
        print_pod_text(out, option->help);
        vsh_print(out, "\n\n");
    }
    if (options->len > 1)
        vsh_print(out, "=back\n\n");
}

void
vsh_help_pod(VshOutput *out)
{
    for (const VshGroup *group = vsh_groups; group->keyword; group++) {
        g_autoptr(GPtrArray) commands = vsh_command_list(group->keyword);

        vsh_print(out, "=head2 %s\n\n", group->title);
        for (guint i = 0; i < commands->len; i++)
            print_pod_command(commands->pdata[i], out);
    }
}
