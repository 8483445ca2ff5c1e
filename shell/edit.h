/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct VshShell VshShell;
typedef struct VshEdit VshEdit;

/** What an edit ends in; %s of each text is the object's name. */
typedef enum VshEditEnd {
    VSH_EDIT_UNCHANGED, /* the user left it as it was */
    VSH_EDIT_EDITED,
    VSH_EDIT_THROWN_AWAY, /* refused, and the user gave up */
} VshEditEnd;

/** A kind of object whose definition can be edited. */
typedef struct VshEditType {
    /** Returns: the definition as it stands, to g_free() */
    char *(*fetch)(const VshEdit *edit, GError **error);
    /** Defines edit->after; may give up edit->validate */
    bool (*define)(VshEdit *edit, GError **error);
    /** Returns: a translated sentence, to g_free() */
    char *(*text)(const VshEdit *edit, VshEditEnd end);
} VshEditType;

/** One `edit`: the texts, and whether the schema is to be checked. */
struct VshEdit {
    VshShell *shell;
    const VshEditType *type;
    void *object;
    char *before; /* the definition as it was */
    char *after;  /* as the user left it */
    bool validate;
};

/**
 * vsh_edit_run: fetch, edit, define, and again as long as the user wants
 * @edit: without texts, which are freed at the end
 */
bool vsh_edit_run(VshEdit *edit, GError **error);
