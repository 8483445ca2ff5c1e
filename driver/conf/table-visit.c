/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/table.h"

#include "conf/domain.h"

static bool
visit_carried(const ConfFrame *frame, const ConfField *field, unsigned row,
              ConfVisitFn fn, void *opaque, GError **error)
{
    ConfPath path = conf_path(frame->path, row);
    const char *owner = frame->element->name;

    for (const ConfCarriedItem *item = frame->carried->first; item;
         item = item->next) {
        ConfVisit visit = { .field = field,
                            .text = item->text,
                            .kind = item->kind,
                            .base = frame->base,
                            .owner = owner };

        if (item->kind == CONF_CARRIED_UNKNOWN)
            visit.field = NULL;
        if (item->path == path && item->kind != CONF_CARRIED_OTHER &&
            item->kind != CONF_CARRIED_MARK && !fn(&visit, opaque, error))
            return false;
    }
    return true;
}

static bool
visit_value(const ConfFrame *frame, const ConfField *field, ConfVisitFn fn,
            void *opaque, GError **error)
{
    ConfVisit visit = { .field = field,
                        .base = frame->base,
                        .owner = frame->element->name };
    char scratch[CONF_SCRATCH];

    return !field->type->format(field, frame->base + field->offset, scratch) ||
           fn(&visit, opaque, error);
}

static bool
visit_list(const ConfFrame *frame, unsigned row, ConfVisitFn fn, void *opaque,
           GError **error)
{
    GPtrArray *list = conf_frame_list(frame, row);

    for (guint i = 0; i < list->len; i++) {
        ConfFrame item =
            conf_frame_item(frame, row, g_ptr_array_index(list, i));
        ConfVisit visit = { .field = &frame->element->fields[row],
                            .base = item.base,
                            .owner = frame->element->name };

        if (!fn(&visit, opaque, error) ||
            !conf_table_visit(&item, fn, opaque, error))
            return false;
    }
    return true;
}

/* Attributes and nodes that stood in an element of text. */
static bool
visit_leaf(const ConfFrame *frame, unsigned row, ConfVisitFn fn, void *opaque,
           GError **error)
{
    ConfFrame inner = conf_frame_leaf(frame, row);

    return visit_value(frame, &frame->element->fields[row], fn, opaque,
                       error) &&
           visit_carried(&inner, NULL, CONF_PLACE_ATTR, fn, opaque, error) &&
           visit_carried(&inner, NULL, CONF_PLACE_TAIL, fn, opaque, error);
}

static bool
visit_row(const ConfFrame *frame, unsigned row, ConfVisitFn fn, void *opaque,
          GError **error)
{
    const ConfField *field = &frame->element->fields[row];
    ConfFrame inner;

    if (!visit_carried(frame, field, row + 1, fn, opaque, error))
        return false;
    if (!conf_field_active(field, frame->base))
        return true;
    switch (field->kind) {
    case CONF_KIND_ATTR:
    case CONF_KIND_TEXT:
        return visit_value(frame, field, fn, opaque, error);
    case CONF_KIND_LEAF:
        return visit_leaf(frame, row, fn, opaque, error);
    case CONF_KIND_CHILD:
        inner = conf_frame_child(frame, row);
        return (field->flags & CONF_ANY) ||
               conf_table_visit(&inner, fn, opaque, error);
    case CONF_KIND_LIST:
        return visit_list(frame, row, fn, opaque, error);
    case CONF_KIND_CARRY:
    case CONF_KIND_CARRY_ATTR:
    case CONF_KIND_END:
        break;
    }
    return true;
}

bool
conf_table_visit(const ConfFrame *frame, ConfVisitFn fn, void *opaque,
                 GError **error)
{
    const ConfField *fields = frame->element->fields;

    if (!visit_carried(frame, NULL, CONF_PLACE_HEAD, fn, opaque, error) ||
        !visit_carried(frame, NULL, CONF_PLACE_ATTR, fn, opaque, error))
        return false;
    for (unsigned row = 0; fields[row].kind != CONF_KIND_END; row++) {
        if (!visit_row(frame, row, fn, opaque, error))
            return false;
    }
    return visit_carried(frame, NULL, CONF_PLACE_TAIL, fn, opaque, error);
}
