/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

/** vsh_wrap_columns: of the terminal that is standard output; 0: it is none */
unsigned vsh_wrap_columns(void);

/**
 * vsh_wrap: @text in lines of at most @columns
 *
 * Lines end between words, or beside a wide (CJK) character, but not within
 * [brackets]: those of a synopsis stay together. What is longer than a line
 * sticks out.
 * @columns: 0: all in one line   @first: columns taken in the first line
 * already   @indent: blanks before the other lines
 */
char *vsh_wrap(const char *text, unsigned columns, unsigned first,
               unsigned indent);
