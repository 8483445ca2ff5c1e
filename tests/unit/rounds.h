/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>

/** test_rounds: how often to do it: @usual, or $VIRTKVM_ROUNDS */
static inline unsigned
test_rounds(unsigned usual)
{
    const char *text = g_getenv("VIRTKVM_ROUNDS");

    return text ? (unsigned)g_ascii_strtoull(text, NULL, 10) : usual;
}
