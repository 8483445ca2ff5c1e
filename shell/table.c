/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/table.h"

#include <string.h>

#include "shell/wrap.h"

typedef struct VshCell {
    char *text;    /* as it was given */
    json_t *value; /* NULL: the text */
    VshColor color;
} VshCell;

struct VshTable {
    const VshColumn *columns;
    size_t count;
    GArray *cells; /* VshCell, row after row */
};

typedef struct VshField {
    char *key;
    char *label; /* NULL: JSON only */
    char *text;
    json_t *value;
} VshField;

struct VshRecord {
    unsigned label_width;
    GArray *fields; /* VshField */
};

/* Most texts are: then nothing needs to be looked up in Unicode's tables. */
static bool
is_plain_ascii(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c < ' ' || *c > '~')
            return false;
    return true;
}

size_t
vsh_text_width(const char *text)
{
    size_t width = 0;

    if (is_plain_ascii(text))
        return strlen(text);
    for (const char *c = text; *c; c = g_utf8_next_char(c)) {
        gunichar u = g_utf8_get_char(c);

        if (!g_unichar_iszerowidth(u))
            width += g_unichar_iswide(u) ? 2 : 1;
    }
    return width;
}

char *
vsh_text_safe(const char *text)
{
    GString *safe = g_string_new(NULL);

    while (*text) {
        gunichar u = g_utf8_get_char_validated(text, -1);
        bool valid = u != (gunichar)-1 && u != (gunichar)-2;
        size_t length = valid ? (size_t)(g_utf8_next_char(text) - text) : 1;

        if (valid && !g_unichar_iscntrl(u))
            g_string_append_len(safe, text, (gssize)length);
        else
            for (size_t i = 0; i < length; i++)
                g_string_append_printf(safe, "\\x%02x", (guchar)text[i]);
        text += length;
    }
    return g_string_free(safe, FALSE);
}

/* JSON text must be UTF-8; what is not comes escaped as in the table. */
static json_t *
json_text(const char *text)
{
    g_autofree char *safe = NULL;

    if (g_utf8_validate(text, -1, NULL))
        return json_string(text);
    safe = vsh_text_safe(text);
    return json_string(safe);
}

static void
cell_clear(void *data)
{
    VshCell *cell = data;

    g_free(cell->text);
    json_decref(cell->value);
}

static void
field_clear(void *data)
{
    VshField *field = data;

    g_free(field->key);
    g_free(field->label);
    g_free(field->text);
    json_decref(field->value);
}

VshTable *
vsh_table_new(const VshColumn *columns, size_t count)
{
    VshTable *table = g_new0(VshTable, 1);

    table->columns = columns;
    table->count = count;
    table->cells = g_array_new(FALSE, FALSE, sizeof(VshCell));
    g_array_set_clear_func(table->cells, cell_clear);
    return table;
}

void
vsh_table_free(VshTable *table)
{
    if (!table)
        return;
    g_array_unref(table->cells);
    g_free(table);
}

static void
table_append(VshTable *table, const char *text, json_t *value, VshColor color)
{
    VshCell cell = { .text = g_strdup(text), .value = value, .color = color };

    g_array_append_val(table->cells, cell);
}

void
vsh_table_add(VshTable *table, const char *text, json_t *value)
{
    table_append(table, text, value, VSH_COLOR_NONE);
}

void
vsh_table_add_colored(VshTable *table, const char *text, VshColor color)
{
    table_append(table, text, NULL, color);
}

static VshCell *
table_cell(const VshTable *table, size_t row, size_t column)
{
    return &g_array_index(table->cells, VshCell, row * table->count + column);
}

size_t
vsh_table_rows(const VshTable *table)
{
    return table->cells->len / table->count;
}

/* The columns that the table shows, by index. */
static GArray *
shown_columns(const VshTable *table)
{
    GArray *shown = g_array_new(FALSE, FALSE, sizeof(size_t));

    for (size_t i = 0; i < table->count; i++)
        if (table->columns[i].header)
            g_array_append_val(shown, i);
    return shown;
}

/* As in virsh, a header that is not printed takes no room. */
static size_t
column_width(const VshTable *table, size_t column, bool with_header)
{
    size_t width =
        with_header ? vsh_text_width(table->columns[column].header) : 0;

    width = MAX(width, table->columns[column].width);
    for (size_t row = 0; row < vsh_table_rows(table); row++)
        width =
            MAX(width, vsh_text_width(table_cell(table, row, column)->text));
    return width;
}

/* Appends one cell, filled up to @width columns; 0 for the last of a row. */
static void
append_cell(GString *line, const VshOutput *out, const char *text,
            VshColor color, size_t width)
{
    size_t taken = width > 0 ? vsh_text_width(text) : 0;

    g_string_append_c(line, ' ');
    g_string_append(line, vsh_color_on(out, color));
    g_string_append(line, text);
    g_string_append(line, vsh_color_off(out, color));
    for (size_t i = taken; width > 0 && i < width + 2; i++)
        g_string_append_c(line, ' ');
}

/* The rule under the header is as long as the rows, but a last column of long
 * notes does not make it longer than this, or than the terminal is wide. */
#define RULE_MAX 100

static size_t
rule_max(void)
{
    unsigned columns = vsh_wrap_columns();

    return columns > 0 ? MIN(columns, RULE_MAX) : RULE_MAX;
}

static void
append_rule(GString *text, const VshTable *table, const GArray *shown,
            const size_t *widths)
{
    size_t total = 0, most = rule_max();

    for (guint i = 0; i < shown->len; i++) {
        size_t column = g_array_index(shown, size_t, i);
        size_t width = widths[column] + 3;
        size_t header = vsh_text_width(table->columns[column].header) + 3;

        if (i + 1 == shown->len && total + width > most)
            width = MAX(header, most - MIN(total, most));
        total += width;
    }
    while (total-- > 0)
        g_string_append_c(text, '-');
    g_string_append_c(text, '\n');
}

static void
append_header(GString *text, const VshTable *table, const VshOutput *out,
              const GArray *shown, const size_t *widths)
{
    for (guint i = 0; i < shown->len; i++) {
        size_t column = g_array_index(shown, size_t, i);

        append_cell(text, out, table->columns[column].header, VSH_COLOR_NONE,
                    i + 1 < shown->len ? widths[column] : 0);
    }
    g_string_append_c(text, '\n');
    append_rule(text, table, shown, widths);
}

/* The texts that are shown become safe to print. */
static void
make_safe(VshTable *table, size_t column)
{
    for (size_t row = 0; row < vsh_table_rows(table); row++) {
        VshCell *cell = table_cell(table, row, column);
        char *safe;

        if (is_plain_ascii(cell->text))
            continue;
        safe = vsh_text_safe(cell->text);
        g_free(cell->text);
        cell->text = safe;
    }
}

/* Notes go on in their column where the terminal is too narrow for them. */
static void
append_last(GString *text, const VshOutput *out, const VshCell *cell,
            size_t start)
{
    g_autofree char *lines = vsh_wrap(cell->text, vsh_wrap_columns(),
                                      (unsigned)start, (unsigned)start);

    append_cell(text, out, lines, cell->color, 0);
}

static void
append_rows(GString *text, const VshTable *table, const VshOutput *out,
            const GArray *shown, const size_t *widths)
{
    for (size_t row = 0; row < vsh_table_rows(table); row++) {
        size_t start = 1;

        for (guint i = 0; i < shown->len; i++) {
            size_t column = g_array_index(shown, size_t, i);
            const VshCell *cell = table_cell(table, row, column);

            if (i + 1 == shown->len)
                append_last(text, out, cell, start);
            else
                append_cell(text, out, cell->text, cell->color, widths[column]);
            start += widths[column] + 3;
        }
        g_string_append_c(text, '\n');
    }
}

static void
table_print_text(VshTable *table, VshOutput *out)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GArray) shown = shown_columns(table);
    g_autofree size_t *widths = g_new0(size_t, table->count);

    for (guint i = 0; i < shown->len; i++) {
        size_t column = g_array_index(shown, size_t, i);

        make_safe(table, column);
        widths[column] = column_width(table, column, !out->quiet);
    }
    if (!out->quiet)
        append_header(text, table, out, shown, widths);
    append_rows(text, table, out, shown, widths);
    vsh_print(out, "%s", text->str);
}

static json_t *
cell_json(const VshCell *cell)
{
    return cell->value ? json_incref(cell->value) : json_text(cell->text);
}

void
vsh_table_print(VshTable *table, VshOutput *out)
{
    json_t *rows;

    if (out->format != VSH_FORMAT_JSON) {
        table_print_text(table, out);
        return;
    }
    rows = json_array();
    for (size_t row = 0; row < vsh_table_rows(table); row++) {
        json_t *object = json_object();

        for (size_t i = 0; i < table->count; i++)
            json_object_set_new(object, table->columns[i].key,
                                cell_json(table_cell(table, row, i)));
        json_array_append_new(rows, object);
    }
    vsh_print_json(out, rows);
}

VshRecord *
vsh_record_new(unsigned label_width)
{
    VshRecord *record = g_new0(VshRecord, 1);

    record->label_width = label_width;
    record->fields = g_array_new(FALSE, FALSE, sizeof(VshField));
    g_array_set_clear_func(record->fields, field_clear);
    return record;
}

void
vsh_record_free(VshRecord *record)
{
    if (!record)
        return;
    g_array_unref(record->fields);
    g_free(record);
}

void
vsh_record_add(VshRecord *record, const char *key, const char *label,
               const char *text, json_t *value)
{
    VshField field = { .key = g_strdup(key),
                       .label = g_strdup(label),
                       .text = g_strdup(text ? text : ""),
                       .value = value ? value : json_text(text ? text : "") };

    g_array_append_val(record->fields, field);
}

json_t *
vsh_record_json(const VshRecord *record)
{
    json_t *object = json_object();

    for (guint i = 0; i < record->fields->len; i++) {
        const VshField *field = &g_array_index(record->fields, VshField, i);

        if (field->key)
            json_object_set(object, field->key, field->value);
    }
    return object;
}

static void
field_print(const VshRecord *record, const VshField *field, VshOutput *out)
{
    size_t width = vsh_text_width(field->label);
    int fill = (int)record->label_width - (int)width;

    if (width == 0)
        vsh_print(out, "%s\n", field->text);
    else
        vsh_print(out, "%s%*s%s\n", field->label, MAX(fill, 1), "",
                  field->text);
}

void
vsh_record_print(const VshRecord *record, VshOutput *out)
{
    if (out->format == VSH_FORMAT_JSON) {
        vsh_print_json(out, vsh_record_json(record));
        return;
    }
    for (guint i = 0; i < record->fields->len; i++) {
        const VshField *field = &g_array_index(record->fields, VshField, i);

        if (field->label)
            field_print(record, field, out);
    }
}
