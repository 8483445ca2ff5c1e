/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>

typedef enum VshVerdict {
    VSH_VERDICT_PASS,
    VSH_VERDICT_WARN, /* works, but slower or with less */
    VSH_VERDICT_FAIL, /* domains cannot run */
} VshVerdict;

/** A check of this host: what it found, and what to do about it. */
typedef struct VshCheck {
    const char *key;  /* in JSON */
    const char *what; /* N_() "KVM device" */
    /* Sets *ret_note (translated, to g_free(), may stay NULL). */
    VshVerdict (*run)(char **ret_note);
} VshCheck;

/** All checks in the order of need; ends with a NULL key. */
extern const VshCheck vsh_checks[];
