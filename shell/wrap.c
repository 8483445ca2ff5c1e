/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/wrap.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Narrower terminals are not worth the trouble. */
#define COLUMNS_MIN 40

unsigned
vsh_wrap_columns(void)
{
    struct winsize size = { 0 };

    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 ||
        size.ws_col < COLUMNS_MIN)
        return 0;
    return size.ws_col;
}

/* A text that is being laid out. */
typedef struct VshWrap {
    GString *lines;
    unsigned columns;
    unsigned indent;
    unsigned column;       /* where the next character goes */
    bool breakable;        /* is there a place in this line to end it? */
    size_t break_at;       /* the place, in lines */
    unsigned break_column; /* the column behind it */
    int depth;             /* of brackets */
} VshWrap;

static void
note_break(VshWrap *wrap)
{
    /* a line of nothing but its indentation is not ended */
    if (wrap->depth > 0 || wrap->column <= wrap->indent)
        return;
    wrap->breakable = true;
    wrap->break_at = wrap->lines->len;
    wrap->break_column = wrap->column;
}

static void
end_line(VshWrap *wrap)
{
    g_autofree char *start = g_strnfill(wrap->indent, ' ');
    size_t at = wrap->break_at;

    g_string_insert(wrap->lines, (gssize)at, start);
    if (at > 0 && wrap->lines->str[at - 1] == ' ')
        wrap->lines->str[at - 1] = '\n';
    else
        g_string_insert_c(wrap->lines, (gssize)at, '\n');
    wrap->column = wrap->indent + wrap->column - wrap->break_column;
    wrap->breakable = false;
}

static void
append(VshWrap *wrap, gunichar c)
{
    bool wide = g_unichar_iswide(c);

    if (wide)
        note_break(wrap);
    g_string_append_unichar(wrap->lines, c);
    wrap->column += g_unichar_iszerowidth(c) ? 0 : wide ? 2 : 1;
    if (c == '[' || c == ']')
        wrap->depth += c == '[' ? 1 : -1;
    /* a blank that ends the line needs no room */
    if (c == ' ')
        note_break(wrap);
    else if (wrap->column > wrap->columns && wrap->breakable)
        end_line(wrap);
}

char *
vsh_wrap(const char *text, unsigned columns, unsigned first, unsigned indent)
{
    VshWrap wrap = { .lines = g_string_new(NULL),
                     .columns = columns,
                     .indent = indent,
                     .column = first };

    if (columns == 0 || !g_utf8_validate(text, -1, NULL)) {
        g_string_append(wrap.lines, text);
        return g_string_free(wrap.lines, FALSE);
    }
    for (const char *c = text; *c; c = g_utf8_next_char(c))
        append(&wrap, g_utf8_get_char(c));
    return g_string_free(wrap.lines, FALSE);
}
