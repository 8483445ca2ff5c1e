/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * What the tables do not model: attributes, elements, comments and stray text,
 * kept as text with the place where they stood.
 *
 * A place is a path of table rows below the struct that owns the list: one byte
 * a level, row number + 1; with the reserved numbers below. `item` counts how
 * many elements of that row had come before.
 */
typedef enum ConfCarriedKind {
    CONF_CARRIED_ATTR,    /* text: " name='value'" */
    CONF_CARRIED_ELEMENT, /* text: as conf_xml_append() wrote it */
    CONF_CARRIED_UNKNOWN, /* the same, of a name that no table has */
    CONF_CARRIED_OTHER,   /* comment, text, processing instruction */
    CONF_CARRIED_MARK,    /* an element that was there but said nothing */
} ConfCarriedKind;

#define CONF_PLACE_HEAD 0x00 /* before the first row */
#define CONF_PLACE_TAIL 0xfe /* after the last row */
#define CONF_PLACE_ATTR 0xff /* after the attributes of the table */

typedef uint64_t ConfPath;

/** conf_path: the place of row number @row (or CONF_PLACE_*) below @parent */
static inline ConfPath
conf_path(ConfPath parent, unsigned row)
{
    return parent << 8 | row;
}

typedef struct ConfCarriedItem ConfCarriedItem;
struct ConfCarriedItem {
    ConfCarriedItem *next;
    ConfPath path;
    unsigned item;
    ConfCarriedKind kind;
    char text[];
};

/** A list in the order of the document. All zero is empty. */
typedef struct ConfCarried {
    ConfCarriedItem *first;
    ConfCarriedItem *last;
} ConfCarried;

void conf_carried_add(ConfCarried *carried, ConfCarriedKind kind, ConfPath path,
                      unsigned item, const char *text);
/** conf_carried_has: is there anything at @path of kind @kind? */
bool conf_carried_has(const ConfCarried *carried, ConfCarriedKind kind,
                      ConfPath path);
/** conf_carried_replace: give @item another text (NULL: remove it) */
void conf_carried_replace(ConfCarried *carried, ConfCarriedItem *item,
                          const char *text);
void conf_carried_copy(ConfCarried *to, const ConfCarried *from);
void conf_carried_clear(ConfCarried *carried);
