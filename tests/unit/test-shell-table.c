/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shell/state.h"
#include "shell/table.h"
#include "shell/wrap.h"
#include "util/fd.h"

/* What @print writes to standard output. */
static char *
captured(void (*print)(void *data), void *data)
{
    g_auto(Fd) before = dup(STDOUT_FILENO);
    char *text = g_malloc0(8192);
    FILE *temporary = tmpfile();

    assert_non_null(temporary);
    fflush(stdout);
    dup2(fileno(temporary), STDOUT_FILENO);
    print(data);
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    assert_true(fd_pread_all(fileno(temporary), text, 8191, 0) >= 0);
    fclose(temporary);
    return text;
}

typedef struct Printed {
    VshTable *table;
    const VshRecord *record;
    VshOutput out;
} Printed;

static void
print_it(void *data)
{
    Printed *printed = data;

    if (printed->table)
        vsh_table_print(printed->table, &printed->out);
    else
        vsh_record_print(printed->record, &printed->out);
}

static const VshColumn columns[] = {
    { "id", "Id" },
    { "name", "Name" },
    { "uuid", NULL },
    { "state", "State" },
};

static VshTable *
sample(void)
{
    VshTable *table = vsh_table_new(columns, G_N_ELEMENTS(columns));

    vsh_table_add(table, "1", json_integer(1));
    vsh_table_add(table, "\xe8\x99\x9a\xe6\x8b\x9f", NULL); /* two wide ones */
    vsh_table_add(table, "u-1", NULL);
    vsh_table_add(table, "running", NULL);
    vsh_table_add(table, "-", json_null());
    vsh_table_add(table, "tab\there", NULL);
    vsh_table_add(table, "u-2", NULL);
    vsh_table_add_colored(table, "shut off", VSH_COLOR_DIM);
    return table;
}

static void
test_width(void **state)
{
    assert_int_equal(vsh_text_width(""), 0);
    assert_int_equal(vsh_text_width("abc"), 3);
    assert_int_equal(vsh_text_width("\xc3\xa4"), 1);
    assert_int_equal(vsh_text_width("\xe8\x99\x9a\xe6\x8b\x9f"), 4);
    assert_int_equal(vsh_text_width("a\xcc\x88"), 1); /* combining diaeresis */
}

static void
test_safe(void **state)
{
    g_autofree char *control = vsh_text_safe("a\tb\033[31m\n");
    g_autofree char *broken = vsh_text_safe("x\xff\xfey");
    g_autofree char *fine = vsh_text_safe("\xe8\x99\x9a ok");

    assert_string_equal(control, "a\\x09b\\x1b[31m\\x0a");
    assert_string_equal(broken, "x\\xff\\xfey");
    assert_string_equal(fine, "\xe8\x99\x9a ok");
}

static void
test_table_text(void **state)
{
    g_autoptr(VshTable) table = sample();
    Printed printed = { .table = table };
    g_autofree char *text = captured(print_it, &printed);

    assert_string_equal(text, " Id   Name          State\n"
                              "------------------------------\n"
                              " 1    \xe8\x99\x9a\xe6\x8b\x9f          "
                              "running\n"
                              " -    tab\\x09here   shut off\n");
}

/* Only a long last column is left out of it: the others stand in columns. */
static void
test_rule_is_no_longer_than_a_screen(void **state)
{
    g_autoptr(VshTable) table = sample();
    Printed printed = { .table = table };
    g_autofree char *note = g_strnfill(150, 'x');
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    vsh_table_add(table, "2", NULL);
    vsh_table_add(table, "b", NULL);
    vsh_table_add(table, "u-3", NULL);
    vsh_table_add(table, note, NULL);
    text = captured(print_it, &printed);
    lines = g_strsplit(text, "\n", 3);
    assert_int_equal(strlen(lines[1]), 100);
    assert_non_null(strstr(text, note));
}

static void
test_columns_have_a_least_width(void **state)
{
    static const VshColumn wide[] = {
        { .key = "a", .header = "A", .width = 4 },
        { .key = "b", .header = "B", .width = 3 },
    };
    g_autoptr(VshTable) table = vsh_table_new(wide, G_N_ELEMENTS(wide));
    Printed printed = { .table = table };
    g_autofree char *text = NULL;

    vsh_table_add(table, "x", NULL);
    vsh_table_add(table, "y", NULL);
    assert_int_equal(vsh_table_rows(table), 1);
    text = captured(print_it, &printed);
    assert_string_equal(text, " A      B\n"
                              "-------------\n"
                              " x      y\n");
}

static void
test_wrap(void **state)
{
    static const struct {
        const char *text;
        unsigned columns, first, indent;
        const char *lines;
    } cases[] = {
        { "one two three", 0, 0, 2, "one two three" },
        { "one two three", 13, 0, 2, "one two three" },
        { "one two three", 12, 0, 2, "one two\n  three" },
        { "one two three", 7, 0, 0, "one two\nthree" },
        { "one two three", 7, 4, 2, "one\n  two\n  three" },
        { "x [--a b] [--c d]", 10, 0, 1, "x [--a b]\n [--c d]" },
        { "x [--a b] [--c d]", 8, 0, 1, "x\n [--a b]\n [--c d]" },
        { "longer than that", 4, 0, 0, "longer\nthan\nthat" },
        { "\xe8\x99\x9a\xe6\x8b\x9f\xe6\x9c\xba", 4, 0, 1,
          "\xe8\x99\x9a\xe6\x8b\x9f\n \xe6\x9c\xba" },
        { "bad\xff text here", 5, 0, 0, "bad\xff text here" },
        { "", 5, 0, 0, "" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *lines = vsh_wrap(cases[i].text, cases[i].columns,
                                          cases[i].first, cases[i].indent);

        assert_string_equal(lines, cases[i].lines);
    }
}

static void
test_table_quiet_has_no_header(void **state)
{
    g_autoptr(VshTable) table = sample();
    Printed printed = { .table = table, .out = { .quiet = true } };
    g_autofree char *text = captured(print_it, &printed);

    assert_true(g_str_has_prefix(text, " 1   \xe8"));
}

static void
test_table_json_has_the_same_rows(void **state)
{
    g_autoptr(VshTable) table = sample();
    Printed printed = { .table = table, .out = { .format = VSH_FORMAT_JSON } };
    g_autofree char *text = captured(print_it, &printed);
    json_t *root = json_loads(text, 0, NULL);
    json_t *second;

    assert_int_equal(json_array_size(root), 2);
    second = json_array_get(root, 1);
    assert_true(json_is_null(json_object_get(second, "id")));
    assert_string_equal(json_string_value(json_object_get(second, "name")),
                        "tab\there");
    assert_string_equal(json_string_value(json_object_get(second, "uuid")),
                        "u-2");
    assert_string_equal(json_string_value(json_object_get(second, "state")),
                        "shut off");
    json_decref(root);
}

static void
test_color_does_not_move_columns(void **state)
{
    g_autoptr(VshTable) table = sample();
    Printed printed = { .table = table, .out = { .color_out = true } };
    g_autofree char *text = captured(print_it, &printed);

    assert_non_null(strstr(text, "here   \033[2mshut off\033[0m\n"));
}

static void
test_record(void **state)
{
    g_autoptr(VshRecord) record = vsh_record_new(16);
    Printed printed = { .record = record };
    g_autofree char *text = NULL;
    g_autofree char *json_text = NULL;
    json_t *root;

    vsh_record_add(record, "name", "Name:", "x", NULL);
    vsh_record_add(record, "hidden", NULL, NULL, json_integer(5));
    vsh_record_add(record, "value", "", "alone", NULL);
    text = captured(print_it, &printed);
    assert_string_equal(text, "Name:           x\nalone\n");
    printed.out.format = VSH_FORMAT_JSON;
    json_text = captured(print_it, &printed);
    root = json_loads(json_text, 0, NULL);
    assert_int_equal(json_object_size(root), 3);
    assert_int_equal(json_integer_value(json_object_get(root, "hidden")), 5);
    json_decref(root);
}

static void
test_json_takes_any_bytes(void **state)
{
    g_autoptr(VshRecord) record = vsh_record_new(0);
    json_t *root;

    vsh_record_add(record, "name", "", "x\xff", NULL);
    root = vsh_record_json(record);
    assert_string_equal(json_string_value(json_object_get(root, "name")),
                        "x\\xff");
    json_decref(root);
}

static void
test_states_have_names(void **state)
{
    assert_string_equal(vsh_state_name(5), "shut off");
    assert_string_equal(vsh_state_name(99), "no state");
    assert_string_equal(vsh_state_name(-1), "no state");
    assert_string_equal(vsh_state_reason(5, 2), "destroyed");
    assert_string_equal(vsh_state_reason(5, 1000), "unknown");
    assert_string_equal(vsh_state_reason(1000, 0), "unknown");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_safe),
        cmocka_unit_test(test_table_text),
        cmocka_unit_test(test_rule_is_no_longer_than_a_screen),
        cmocka_unit_test(test_columns_have_a_least_width),
        cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_table_quiet_has_no_header),
        cmocka_unit_test(test_table_json_has_the_same_rows),
        cmocka_unit_test(test_color_does_not_move_columns),
        cmocka_unit_test(test_record),
        cmocka_unit_test(test_json_takes_any_bytes),
        cmocka_unit_test(test_states_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
