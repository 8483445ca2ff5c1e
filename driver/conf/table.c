/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/table.h"

#include <string.h>

#include "conf/domain.h"

bool
conf_field_active(const ConfField *field, const void *base)
{
    int value;

    if (!field->when_mask)
        return true;
    memcpy(&value, (const char *)base + field->when_offset, sizeof(value));
    return value >= 0 && value < 32 && (field->when_mask & (1u << value));
}

bool
conf_field_shown(const ConfField *field, bool inactive, const char *value)
{
    if (!(field->flags & CONF_LIVE) || !inactive)
        return true;
    if (field->flags & CONF_TAP)
        return value && !g_str_has_prefix(value, "vnet");
    if (field->flags & CONF_CHOSEN)
        return value && !strstr(value, CONF_CHANNEL_FOLDER);
    return (field->flags & CONF_USER) && value &&
           g_str_has_prefix(value, "ua-");
}

static bool
is_attr(const ConfField *field)
{
    return field->kind == CONF_KIND_ATTR || field->kind == CONF_KIND_CARRY_ATTR;
}

int
conf_table_find(const ConfElement *element, const void *base, const char *name,
                bool attr)
{
    const ConfField *field = element->fields;

    for (; field->kind != CONF_KIND_END; field++) {
        if (field->name && is_attr(field) == attr &&
            strcmp(field->name, name) == 0 && conf_field_active(field, base))
            return (int)(field - element->fields);
    }
    return -1;
}

ConfFrame
conf_frame_child(const ConfFrame *frame, unsigned row)
{
    const ConfField *field = &frame->element->fields[row];

    return (ConfFrame){ .element = field->element,
                        .base = frame->base + field->offset,
                        .carried = frame->carried,
                        .path = conf_path(frame->path, row + 1),
                        .level = frame->level + 1 };
}

ConfFrame
conf_frame_leaf(const ConfFrame *frame, unsigned row)
{
    static const ConfField no_fields[] = { CONF_END };
    static const ConfElement bare = { .fields = no_fields };

    return (ConfFrame){ .element = &bare,
                        .base = frame->base,
                        .carried = frame->carried,
                        .path = conf_path(frame->path, row + 1),
                        .level = frame->level + 1 };
}

ConfFrame
conf_frame_item(const ConfFrame *frame, unsigned row, void *item)
{
    const ConfElement *element = frame->element->fields[row].element;
    void *carried = (char *)item + element->carried;

    return (ConfFrame){ .element = element,
                        .base = item,
                        .carried = carried,
                        .level = frame->level + 1 };
}

GPtrArray *
conf_frame_list(const ConfFrame *frame, unsigned row)
{
    void *member = frame->base + frame->element->fields[row].offset;

    return *(GPtrArray **)member;
}

void
conf_table_init(const ConfElement *element, void *base)
{
    for (const ConfField *field = element->fields; field->kind != CONF_KIND_END;
         field++) {
        void *member = (char *)base + field->offset;

        if (field->kind == CONF_KIND_LIST)
            *(GPtrArray **)member = g_ptr_array_new();
        else if (field->kind == CONF_KIND_CHILD)
            conf_table_init(field->element, member);
    }
    if (element->init)
        element->init(base);
}

void *
conf_table_new(const ConfElement *element)
{
    void *item = g_malloc0(element->size);

    conf_table_init(element, item);
    return item;
}

void
conf_table_clear(const ConfElement *element, void *base)
{
    for (const ConfField *field = element->fields; field->kind != CONF_KIND_END;
         field++) {
        void *member = (char *)base + field->offset;

        if (field->kind == CONF_KIND_LIST) {
            GPtrArray *list = *(GPtrArray **)member;

            for (guint i = 0; list && i < list->len; i++) {
                char *item = g_ptr_array_index(list, i);
                void *carried = item + field->element->carried;

                conf_table_clear(field->element, item);
                conf_carried_clear(carried);
                g_free(item);
            }
            g_clear_pointer((GPtrArray **)member, g_ptr_array_unref);
        } else if (field->kind == CONF_KIND_CHILD) {
            conf_table_clear(field->element, member);
        } else if (field->type && field->type->clear) {
            field->type->clear(member);
        }
    }
}

static void
copy_list(const ConfElement *element, GPtrArray *to, const GPtrArray *from)
{
    for (guint i = 0; i < from->len; i++) {
        const char *item = g_ptr_array_index(from, i);
        char *copy = g_malloc0(element->size);
        void *carried = copy + element->carried;
        const void *other = item + element->carried;

        conf_table_copy(element, copy, item);
        conf_carried_copy(carried, other);
        g_ptr_array_add(to, copy);
    }
}

/* Two rows may name one member (WHEN): copied twice would leak, so what holds
 * memory is copied once, by the first row that names it. */
static bool
is_repeated(const ConfElement *element, const ConfField *field)
{
    for (const ConfField *other = element->fields; other < field; other++) {
        if (other->type == field->type && other->offset == field->offset)
            return true;
    }
    return false;
}

static void
copy_deep(const ConfElement *element, void *to, const void *from)
{
    for (const ConfField *field = element->fields; field->kind != CONF_KIND_END;
         field++) {
        void *member = (char *)to + field->offset;
        const void *other = (const char *)from + field->offset;

        if (field->kind == CONF_KIND_LIST) {
            *(GPtrArray **)member = g_ptr_array_new();
            copy_list(field->element, *(GPtrArray **)member,
                      *(GPtrArray *const *)other);
        } else if (field->kind == CONF_KIND_CHILD) {
            copy_deep(field->element, member, other);
        } else if (field->type && field->type->copy &&
                   !is_repeated(element, field)) {
            field->type->copy(member, other);
        }
    }
}

void
conf_table_copy(const ConfElement *element, void *to, const void *from)
{
    memcpy(to, from, element->size);
    if (element->carried < element->size)
        memset((char *)to + element->carried, 0, sizeof(ConfCarried));
    copy_deep(element, to, from);
}
