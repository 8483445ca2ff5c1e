/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shell/completer.h"
#include "shell/help.h"

/* The walk over the table that every command has to pass. */

static void
check_text(const VshCommand *command, const char *text)
{
    if (!text || !*text)
        fail_msg("command '%s' lacks a text", command->name);
}

/* What is named after something that exists can be completed. @command: NULL
 * for all commands that have the option. */
static const struct {
    const char *command;
    const char *option;
    VshCompleter complete;
} completed[] = {
    { NULL, "domain", vsh_complete_domain },
    { NULL, "file", vsh_complete_file },
    { NULL, "device", vsh_complete_disk },
    { NULL, "interface", vsh_complete_interface },
    { NULL, "network", vsh_complete_network },
    { "attach-disk", "source", vsh_complete_file },
    { "attach-disk", "target", vsh_complete_free_target },
    { "attach-interface", "source", vsh_complete_interface_source },
    { "blockresize", "path", vsh_complete_disk },
    { "console", "devname", vsh_complete_chardev },
    { "detach-device-alias", "alias", vsh_complete_alias },
    { "detach-disk", "target", vsh_complete_disk },
    { "detach-interface", "mac", vsh_complete_mac },
    { "detach-interface", "type", vsh_complete_interface_type },
};

static void
check_completer(const VshCommand *command, const VshOption *option)
{
    for (size_t i = 0; i < G_N_ELEMENTS(completed); i++) {
        if (option->kind == VSH_OPTION_FLAG ||
            strcmp(option->name, completed[i].option) != 0 ||
            g_strcmp0(completed[i].command ? completed[i].command
                                           : command->name,
                      command->name) != 0)
            continue;
        if (option->complete != completed[i].complete)
            fail_msg("%s --%s is not completed", command->name, option->name);
    }
    if (option->words && !option->complete)
        fail_msg("%s --%s has words, but no completer", command->name,
                 option->name);
}

static void
check_option(const VshCommand *command, const VshOption *option)
{
    bool many = option->kind == VSH_OPTION_MANY;

    check_text(command, option->help);
    if (option->kind == VSH_OPTION_FLAG && option->flags)
        fail_msg("%s --%s: a flag cannot be required", command->name,
                 option->name);
    if (many && (option->flags & VSH_OPTION_NAMED))
        fail_msg("%s --%s: many values come by position", command->name,
                 option->name);
    if (option->unit && option->kind != VSH_OPTION_SIZE)
        fail_msg("%s --%s has a unit, but no size", command->name,
                 option->name);
    check_completer(command, option);
}

/* Required options come first, and nothing after one that takes all. */
static void
check_order(const VshCommand *command, GPtrArray *options)
{
    bool optional = false, many = false;

    for (guint i = 0; i < options->len; i++) {
        const VshOption *option = options->pdata[i];

        if (option->kind == VSH_OPTION_FLAG ||
            (option->flags & VSH_OPTION_NAMED))
            continue;
        if (many)
            fail_msg("%s --%s can never be reached by position", command->name,
                     option->name);
        if (!(option->flags & VSH_OPTION_REQUIRED))
            optional = true;
        else if (optional)
            fail_msg("%s --%s is required after an optional one", command->name,
                     option->name);
        many = option->kind == VSH_OPTION_MANY;
    }
}

static void
check_unique(const VshCommand *command, GPtrArray *options)
{
    for (guint i = 0; i < options->len; i++)
        for (guint j = 0; j < i; j++)
            if (strcmp(((const VshOption *)options->pdata[i])->name,
                       ((const VshOption *)options->pdata[j])->name) == 0)
                fail_msg("%s has --%s twice", command->name,
                         ((const VshOption *)options->pdata[i])->name);
}

static void
test_table(void **state)
{
    g_autoptr(GPtrArray) commands = vsh_command_list(NULL);

    assert_true(commands->len > 40);
    for (guint i = 0; i < commands->len; i++) {
        const VshCommand *command = commands->pdata[i];
        g_autoptr(GPtrArray) options = vsh_command_options(command);

        check_text(command, command->name);
        check_text(command, command->summary);
        check_text(command, command->details);
        assert_non_null(command->run);
        assert_non_null(vsh_group_find(command->group));
        if (g_str_has_suffix(command->summary, "."))
            fail_msg("the summary of '%s' ends in a full stop", command->name);
        if (!g_str_has_suffix(command->details, "."))
            fail_msg("the details of '%s' lack a full stop", command->name);
        for (guint j = 0; j < options->len; j++)
            check_option(command, options->pdata[j]);
        check_order(command, options);
        check_unique(command, options);
    }
}

/* The rules above are about options that there are. */
static void
test_completed_options_exist(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(completed); i++) {
        const VshCommand *command = completed[i].command
                                        ? vsh_command_find(completed[i].command)
                                        : NULL;
        bool found = !completed[i].command;

        for (const VshOption *o = command ? command->options : NULL;
             o && o->name; o++)
            found = found || strcmp(o->name, completed[i].option) == 0;
        if (!found)
            fail_msg("there is no %s --%s", completed[i].command,
                     completed[i].option);
    }
}

static void
test_names_are_unique_and_found(void **state)
{
    g_autoptr(GPtrArray) commands = vsh_command_list(NULL);

    for (guint i = 0; i < commands->len; i++) {
        const VshCommand *command = commands->pdata[i];

        assert_ptr_equal(vsh_command_find(command->name), command);
        assert_null(vsh_group_find(command->name));
        /* the list is sorted, so that twins would be neighbours */
        if (i > 0)
            assert_true(
                strcmp(((const VshCommand *)commands->pdata[i - 1])->name,
                       command->name) < 0);
    }
    assert_null(vsh_command_find("no-such-command"));
}

static void
test_every_command_is_in_a_group(void **state)
{
    g_autoptr(GPtrArray) all = vsh_command_list(NULL);
    guint grouped = 0;

    for (const VshGroup *group = vsh_groups; group->keyword; group++) {
        g_autoptr(GPtrArray) commands = vsh_command_list(group->keyword);

        assert_true(commands->len > 0);
        grouped += commands->len;
    }
    assert_int_equal(grouped, all->len);
}

static void
test_hidden_commands_are_not_listed(void **state)
{
    g_autoptr(GPtrArray) commands = vsh_command_list(NULL);

    assert_non_null(vsh_command_find("complete"));
    for (guint i = 0; i < commands->len; i++)
        assert_string_not_equal(((const VshCommand *)commands->pdata[i])->name,
                                "complete");
}

static void
test_nearest(void **state)
{
    static const struct {
        const char *typed;
        const char *meant;
    } cases[] = {
        { "strat", "start" },
        { "lst", "list" },
        { "dominf", "dominfo" },
        { "dumpxm", "dumpxml" },
        { "shutdonw", "shutdown" },
        { "destory", "destroy" },
        { "xyzzy", NULL },
        { "frobnicate", NULL },
        { "", NULL },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *nearest = vsh_nearest_command(cases[i].typed);

        if (!cases[i].meant)
            assert_null(nearest);
        else
            assert_string_equal(nearest, cases[i].meant);
    }
}

static void
test_nearest_bounds_its_words(void **state)
{
    g_autofree char *huge = g_strnfill(100000, 'x');
    g_autofree char *other = g_strnfill(100000, 'y');
    const char *const candidates[] = { "x", other, NULL };

    assert_null(vsh_nearest(huge, candidates));
}

static void
test_synopsis(void **state)
{
    g_autofree char *start = vsh_help_synopsis(vsh_command_find("start"));
    g_autofree char *state_usage =
        vsh_help_synopsis(vsh_command_find("domstate"));
    g_autofree char *name = vsh_help_synopsis(vsh_command_find("domrename"));
    g_autofree char *size = vsh_help_synopsis(vsh_command_find("blockresize"));

    assert_true(g_str_has_prefix(start, "start <domain>... [--console]"));
    assert_string_equal(state_usage, "domstate <domain>... [--reason] "
                                     "[--format <string>]");
    assert_string_equal(name, "domrename <domain> <new-name>");
    assert_string_equal(size, "blockresize <domain> <path> <size>");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_completed_options_exist),
        cmocka_unit_test(test_names_are_unique_and_found),
        cmocka_unit_test(test_every_command_is_in_a_group),
        cmocka_unit_test(test_hidden_commands_are_not_listed),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_nearest_bounds_its_words),
        cmocka_unit_test(test_synopsis),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
