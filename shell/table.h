/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <jansson.h>

#include "shell/output.h"

/**
 * Tables and records: each cell has a text for people and a value for
 * programs, and every query prints through here, so that the table and the
 * JSON of a command cannot differ in what they tell.
 */

/** vsh_text_width: columns that @text takes on a terminal (CJK: two each) */
size_t vsh_text_width(const char *text);

/** vsh_text_safe: @text with control characters and bad UTF-8 as \xNN */
char *vsh_text_safe(const char *text);

typedef struct VshColumn {
    const char *key;    /* in JSON */
    const char *header; /* translated; NULL: only in JSON */
    unsigned width;     /* at least so wide */
} VshColumn;

typedef struct VshTable VshTable;

/** vsh_table_new: @columns must outlive the table */
VshTable *vsh_table_new(const VshColumn *columns, size_t count);
void vsh_table_free(VshTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VshTable, vsh_table_free)

/**
 * vsh_table_add: the next cell; rows fill from left to right
 * @text: for people   @value: for programs, taken over; NULL: @text
 */
void vsh_table_add(VshTable *table, const char *text, json_t *value);

/** vsh_table_add_colored: a text in the colour of its meaning */
void vsh_table_add_colored(VshTable *table, const char *text, VshColor color);

/** vsh_table_rows: how many there are */
size_t vsh_table_rows(const VshTable *table);

/** vsh_table_print: a table, or an array of objects as JSON */
void vsh_table_print(VshTable *table, VshOutput *out);

/** A thing's properties, "Label: value" in lines. */
typedef struct VshRecord VshRecord;

/** vsh_record_new: @label_width: columns from the line's start to the values */
VshRecord *vsh_record_new(unsigned label_width);
void vsh_record_free(VshRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VshRecord, vsh_record_free)

/**
 * vsh_record_add: a property
 * @label: translated, with its colon; "" prints @text alone; NULL: JSON only
 * @text: may be NULL with a NULL @label   @value: taken over; NULL: @text
 */
void vsh_record_add(VshRecord *record, const char *key, const char *label,
                    const char *text, json_t *value);

/** vsh_record_print: lines, or an object as JSON */
void vsh_record_print(const VshRecord *record, VshOutput *out);

/** vsh_record_json: the object */
json_t *vsh_record_json(const VshRecord *record);
