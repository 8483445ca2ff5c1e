/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/** A word of a command line, quotes and escapes resolved. */
typedef struct VshWord {
    char *text;
    size_t offset; /* bytes, of its first character in the text parsed */
} VshWord;

/** VshStatement: one command and its arguments: GPtrArray of VshWord */
typedef GPtrArray VshStatement;

/** A position for people: both count from 1, the column in characters. */
typedef struct VshPosition {
    unsigned line;
    unsigned column;
} VshPosition;

/** Why vsh_parse() cannot finish, if reading more text could help. */
typedef enum VshParseWant {
    VSH_PARSE_DONE,
    VSH_PARSE_WANT_LINE,  /* the text ends in a backslash */
    VSH_PARSE_WANT_QUOTE, /* a quote is open */
} VshParseWant;

/** The longest command line that is read, in bytes. */
#define VSH_PARSE_MAX (1024 * 1024)

/**
 * vsh_parse: split @text into statements and words
 *
 * Blanks part words; ';' and newline end a statement; '#' at the start of a
 * word begins a comment up to the end of the line. Within '..' all is
 * literal, within ".." and outside quotes a backslash makes the next
 * character literal, and backslash-newline vanishes.
 *
 * @ret_want: why it failed; may be NULL
 * Returns: statements, none of them empty; NULL with USAGE and a message that
 * tells the position
 */
GPtrArray *vsh_parse(const char *text, VshParseWant *ret_want, GError **error);

/** vsh_word_new: a word from elsewhere (the program's arguments) */
VshWord *vsh_word_new(const char *text);

/** vsh_statement_new: an empty statement that owns its words */
VshStatement *vsh_statement_new(void);

/** vsh_parse_position: where byte @offset of @text is */
VshPosition vsh_parse_position(const char *text, size_t offset);

/**
 * vsh_parse_tail: the unfinished statement at the end of @text, for completion
 * @ret_partial: the last word so far ("" after a blank), quotes resolved;
 * free with g_free()   @ret_quote: '\'', '"' or 0, the quote it stands in
 * Never fails: what is wrong is taken as far as it goes.
 * Returns: the words before it
 */
VshStatement *vsh_parse_tail(const char *text, char **ret_partial,
                             char *ret_quote);

/** vsh_quote: @text as one word for this parser, escaped only if needed */
char *vsh_quote(const char *text);
