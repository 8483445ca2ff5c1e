/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/carried.h"

#include <string.h>

void
conf_carried_add(ConfCarried *carried, ConfCarriedKind kind, ConfPath path,
                 unsigned item, const char *text)
{
    size_t size = strlen(text) + 1;
    ConfCarriedItem *added = g_malloc(sizeof(*added) + size);

    added->next = NULL;
    added->path = path;
    added->item = item;
    added->kind = kind;
    memcpy(added->text, text, size);
    if (carried->last)
        carried->last->next = added;
    else
        carried->first = added;
    carried->last = added;
}

bool
conf_carried_has(const ConfCarried *carried, ConfCarriedKind kind,
                 ConfPath path)
{
    for (const ConfCarriedItem *item = carried->first; item;
         item = item->next) {
        if (item->kind == kind && item->path == path)
            return true;
    }
    return false;
}

void
conf_carried_replace(ConfCarried *carried, ConfCarriedItem *item,
                     const char *text)
{
    ConfCarried old = *carried;

    *carried = (ConfCarried){ 0 };
    for (ConfCarriedItem *next, *at = old.first; at; at = next) {
        next = at->next;
        if (at != item)
            conf_carried_add(carried, at->kind, at->path, at->item, at->text);
        else if (text)
            conf_carried_add(carried, at->kind, at->path, at->item, text);
        g_free(at);
    }
}

void
conf_carried_copy(ConfCarried *to, const ConfCarried *from)
{
    for (const ConfCarriedItem *item = from->first; item; item = item->next)
        conf_carried_add(to, item->kind, item->path, item->item, item->text);
}

void
conf_carried_clear(ConfCarried *carried)
{
    for (ConfCarriedItem *next, *item = carried->first; item; item = next) {
        next = item->next;
        g_free(item);
    }
    *carried = (ConfCarried){ 0 };
}
