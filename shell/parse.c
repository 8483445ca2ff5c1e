/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/parse.h"

#include <string.h>

#include "shell/exit.h"
#include "util/i18n.h"

typedef struct VshScanner {
    const char *text;
    const char *next;
    const char *quote_start; /* of the open quote, for the message */
    GString *word;
    size_t word_offset;
    char quote; /* '\'', '"' or 0 */
    bool in_word;
    bool dangling;
} VshScanner;

static void
word_free(void *data)
{
    VshWord *word = data;

    g_free(word->text);
    g_free(word);
}

static void
statement_free(void *data)
{
    g_ptr_array_unref(data);
}

VshWord *
vsh_word_new(const char *text)
{
    VshWord *word = g_new0(VshWord, 1);

    word->text = g_strdup(text);
    return word;
}

VshStatement *
vsh_statement_new(void)
{
    return g_ptr_array_new_with_free_func(word_free);
}

static void
word_begin(VshScanner *scan)
{
    if (scan->in_word)
        return;
    scan->in_word = true;
    scan->word_offset = (size_t)(scan->next - scan->text);
}

static void
word_end(VshScanner *scan, VshStatement *statement)
{
    VshWord *word;

    if (!scan->in_word)
        return;
    word = vsh_word_new(scan->word->str);
    word->offset = scan->word_offset;
    g_ptr_array_add(statement, word);
    g_string_truncate(scan->word, 0);
    scan->in_word = false;
}

static void
statement_end(GPtrArray *statements, VshStatement **statement)
{
    if ((*statement)->len == 0)
        return;
    g_ptr_array_add(statements, *statement);
    *statement = vsh_statement_new();
}

/* Takes the backslash at scan->next and what it escapes. */
static void
scan_escape(VshScanner *scan)
{
    if (scan->next[1] == '\n') {
        scan->next += 2;
        return;
    }
    word_begin(scan);
    if (scan->next[1] == '\0') {
        scan->dangling = true;
        scan->next++;
        return;
    }
    g_string_append_c(scan->word, scan->next[1]);
    scan->next += 2;
}

/* Takes one character inside a quote. */
static void
scan_quoted(VshScanner *scan)
{
    if (*scan->next == scan->quote) {
        scan->quote = 0;
        scan->next++;
    } else if (*scan->next == '\\' && scan->quote == '"') {
        scan_escape(scan);
    } else {
        g_string_append_c(scan->word, *scan->next++);
    }
}

static void
scan_comment(VshScanner *scan)
{
    while (*scan->next && *scan->next != '\n')
        scan->next++;
}

/* Takes one character outside quotes that is no separator. */
static void
scan_plain(VshScanner *scan)
{
    if (*scan->next == '\'' || *scan->next == '"') {
        word_begin(scan);
        scan->quote_start = scan->next;
        scan->quote = *scan->next++;
    } else if (*scan->next == '\\') {
        scan_escape(scan);
    } else {
        word_begin(scan);
        g_string_append_c(scan->word, *scan->next++);
    }
}

static void
scan_all(VshScanner *scan, GPtrArray *statements, VshStatement **statement)
{
    while (*scan->next) {
        char c = *scan->next;

        if (scan->quote) {
            scan_quoted(scan);
        } else if (c == ' ' || c == '\t' || c == '\r') {
            word_end(scan, *statement);
            scan->next++;
        } else if (c == ';' || c == '\n') {
            word_end(scan, *statement);
            statement_end(statements, statement);
            scan->next++;
        } else if (c == '#' && !scan->in_word) {
            scan_comment(scan);
        } else {
            scan_plain(scan);
        }
    }
}

VshPosition
vsh_parse_position(const char *text, size_t offset)
{
    VshPosition position = { 1, 1 };

    for (size_t i = 0; i < offset && text[i]; i++) {
        if (text[i] == '\n') {
            position.line++;
            position.column = 1;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) {
            position.column++;
        }
    }
    return position;
}

static VshParseWant
parse_check(const VshScanner *scan, GError **error)
{
    VshPosition at;

    if (scan->quote) {
        at = vsh_parse_position(scan->text,
                                (size_t)(scan->quote_start - scan->text));
        vsh_error_set(
            error, VSH_EXIT_USAGE,
            _("missing %c for the quote opened at line %u, column %u"),
            scan->quote, at.line, at.column);
        return VSH_PARSE_WANT_QUOTE;
    }
    if (scan->dangling) {
        at = vsh_parse_position(scan->text,
                                (size_t)(scan->next - scan->text) - 1);
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("dangling \\ at line %u, column %u"), at.line,
                      at.column);
        return VSH_PARSE_WANT_LINE;
    }
    return VSH_PARSE_DONE;
}

GPtrArray *
vsh_parse(const char *text, VshParseWant *ret_want, GError **error)
{
    g_autoptr(GPtrArray) statements =
        g_ptr_array_new_with_free_func(statement_free);
    g_autoptr(GPtrArray) statement = vsh_statement_new();
    VshScanner scan = { .text = text,
                        .next = text,
                        .word = g_string_new(NULL) };
    VshParseWant want;

    scan_all(&scan, statements, &statement);
    want = parse_check(&scan, error);
    if (ret_want)
        *ret_want = want;
    if (want == VSH_PARSE_DONE) {
        word_end(&scan, statement);
        statement_end(statements, &statement);
    }
    g_string_free(scan.word, TRUE);
    return want == VSH_PARSE_DONE ? g_steal_pointer(&statements) : NULL;
}

VshStatement *
vsh_parse_tail(const char *text, char **ret_partial, char *ret_quote)
{
    g_autoptr(GPtrArray) statements =
        g_ptr_array_new_with_free_func(statement_free);
    GPtrArray *statement = vsh_statement_new();
    VshScanner scan = { .text = text,
                        .next = text,
                        .word = g_string_new(NULL) };

    scan_all(&scan, statements, &statement);
    *ret_quote = scan.quote;
    *ret_partial = g_string_free(scan.word, FALSE);
    return statement;
}

char *
vsh_quote(const char *text)
{
    GString *quoted = g_string_new(NULL);
    /* an escaped newline would vanish, so that one needs real quotes */
    bool wrap = text[0] == '\0' || strchr(text, '\n');
    const char *special = wrap ? "\"\\" : " \t\r;'\"\\";

    if (wrap)
        g_string_append_c(quoted, '"');
    else if (text[0] == '#')
        g_string_append_c(quoted, '\\');
    for (const char *c = text; *c; c++) {
        if (strchr(special, *c))
            g_string_append_c(quoted, '\\');
        g_string_append_c(quoted, *c);
    }
    if (wrap)
        g_string_append_c(quoted, '"');
    return g_string_free(quoted, FALSE);
}
