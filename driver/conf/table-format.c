/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/table.h"

#include <string.h>

#include "conf/carried-device.h"
#include "conf/domain.h"
#include "conf/xml.h"

static void
append_attr(GString *out, const char *name, const char *value)
{
    g_string_append_c(out, ' ');
    g_string_append(out, name);
    g_string_append_len(out, "='", 2);
    conf_xml_escape(out, value, true);
    g_string_append_c(out, '\'');
}

static void
append_carried_attrs(GString *out, const ConfFrame *frame, unsigned row)
{
    ConfPath path = conf_path(frame->path, row);

    if (!frame->carried)
        return;
    for (const ConfCarriedItem *item = frame->carried->first; item;
         item = item->next) {
        if (item->kind == CONF_CARRIED_ATTR && item->path == path)
            g_string_append(out, item->text);
    }
}

static void
append_attrs(GString *out, const ConfFrame *frame, unsigned flags)
{
    const ConfField *fields = frame->element->fields;

    for (unsigned row = 0; fields[row].kind != CONF_KIND_END; row++) {
        const ConfField *field = &fields[row];
        char scratch[CONF_SCRATCH];
        const char *value;

        if (field->kind == CONF_KIND_CARRY_ATTR)
            append_carried_attrs(out, frame, row + 1);
        if (field->kind != CONF_KIND_ATTR ||
            !conf_field_active(field, frame->base))
            continue;
        value =
            field->type->format(field, frame->base + field->offset, scratch);
        if (value &&
            conf_field_shown(field, flags & CONF_FORMAT_INACTIVE, value))
            append_attr(out, field->name, value);
    }
    append_carried_attrs(out, frame, CONF_PLACE_ATTR);
}

/* A carried element as those may see it who may not see passwords. */
static char *
without_passwords(const char *text, unsigned level)
{
    g_autoptr(xmlDoc) doc = conf_xml_parse_fragment(text);
    xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    GString *out = g_string_new(NULL);

    if (root) {
        xmlUnsetProp(root, BAD_CAST "passwd");
        conf_xml_append(out, root, level, CONF_XML_SINGLE);
    }
    return g_string_free(out, FALSE);
}

/* A carried element of row @field as @flags want it: NULL: as it is.
 * @index: how many of the row came before */
static char *
shown_as(const ConfField *field, const char *text, unsigned index,
         unsigned level, unsigned flags)
{
    if ((field->flags & CONF_SECRET) &&
        !(flags & (CONF_FORMAT_SECURE | CONF_FORMAT_STATUS)) &&
        strstr(text, "passwd"))
        return without_passwords(text, level);
    if ((flags & CONF_FORMAT_ALIASES) && field->alias_prefix)
        return conf_device_with_alias(text, field->alias_prefix, index, level);
    return NULL;
}

static void
append_carried_item(GString *out, const ConfFrame *frame, const char *text)
{
    conf_xml_indent(out, frame->level + 1);
    g_string_append(out, text);
    g_string_append_c(out, '\n');
}

/* What is carried at @row after @from and up to @to elements of it. */
static void
append_carried(GString *out, const ConfFrame *frame, unsigned row,
               unsigned from, unsigned to, unsigned flags)
{
    ConfPath path = conf_path(frame->path, row);
    const ConfField *field = row > 0 && row < CONF_PLACE_TAIL
                                 ? &frame->element->fields[row - 1]
                                 : NULL;
    unsigned index = 0;

    if (!frame->carried)
        return;
    for (const ConfCarriedItem *item = frame->carried->first; item;
         item = item->next) {
        g_autofree char *shown = NULL;

        if (item->path != path || item->item < from || item->item > to ||
            item->kind == CONF_CARRIED_ATTR || item->kind == CONF_CARRIED_MARK)
            continue;
        if (field && item->kind == CONF_CARRIED_ELEMENT)
            shown =
                shown_as(field, item->text, index++, frame->level + 1, flags);
        append_carried_item(out, frame, shown ? shown : item->text);
    }
}

/* End an element without content, whose tag starts at @start and whose
 * attributes end at @attrs: as an empty tag, or not at all where it says
 * nothing and was not in the document either. */
static void
close_element(GString *out, const ConfFrame *inner, const char *name,
              gsize start, gsize attrs)
{
    bool marked =
        inner->carried &&
        conf_carried_has(inner->carried, CONF_CARRIED_MARK, inner->path);

    if (!marked && attrs == start + 2 * inner->level + 1 + strlen(name)) {
        g_string_truncate(out, start);
        return;
    }
    g_string_append(out, "/>\n");
}

static void
append_end_tag(GString *out, const char *name)
{
    g_string_append_len(out, "</", 2);
    g_string_append(out, name);
    g_string_append_len(out, ">\n", 2);
}

static gsize
append_start_tag(GString *out, unsigned level, const char *name)
{
    gsize start = out->len;

    conf_xml_indent(out, level);
    g_string_append_c(out, '<');
    g_string_append(out, name);
    return start;
}

/* Nodes that stood inside an element of text come after the text. */
static void
append_inline(GString *out, const ConfFrame *frame)
{
    ConfPath head = conf_path(frame->path, CONF_PLACE_HEAD);
    ConfPath tail = conf_path(frame->path, CONF_PLACE_TAIL);

    if (!frame->carried)
        return;
    for (const ConfCarriedItem *item = frame->carried->first; item;
         item = item->next) {
        if (item->path == head || item->path == tail)
            g_string_append(out, item->text);
    }
}

static void
append_text_element(GString *out, const ConfFrame *inner, const char *name,
                    const char *text, unsigned flags)
{
    gsize start = append_start_tag(out, inner->level, name);
    gsize attrs, body;

    append_attrs(out, inner, flags);
    attrs = out->len;
    g_string_append_c(out, '>');
    body = out->len;
    conf_xml_escape(out, text ? text : "", false);
    append_inline(out, inner);
    if (out->len > body) {
        append_end_tag(out, name);
        return;
    }
    g_string_truncate(out, attrs);
    if (text)
        g_string_append(out, "/>\n");
    else
        close_element(out, inner, name, start, attrs);
}

static void
append_leaf(GString *out, const ConfFrame *frame, unsigned row, unsigned flags)
{
    const ConfField *field = &frame->element->fields[row];
    ConfFrame inner = conf_frame_leaf(frame, row);
    char scratch[CONF_SCRATCH];
    const char *text =
        field->type->format(field, frame->base + field->offset, scratch);

    if (conf_field_shown(field, flags & CONF_FORMAT_INACTIVE, text))
        append_text_element(out, &inner, field->name, text, flags);
}

static void
append_list(GString *out, const ConfFrame *frame, unsigned row, unsigned flags)
{
    GPtrArray *list = conf_frame_list(frame, row);

    for (guint i = 0; i < list->len; i++) {
        ConfFrame item =
            conf_frame_item(frame, row, g_ptr_array_index(list, i));

        if (i > 0)
            append_carried(out, frame, row + 1, i, i, flags);
        conf_table_format(out, &item, frame->element->fields[row].name, flags);
    }
}

static void
append_row(GString *out, const ConfFrame *frame, unsigned row, unsigned flags)
{
    const ConfField *field = &frame->element->fields[row];
    ConfFrame inner;

    if (!conf_field_active(field, frame->base))
        return;
    if (field->kind == CONF_KIND_LEAF) {
        append_leaf(out, frame, row, flags);
    } else if (field->kind == CONF_KIND_CHILD) {
        inner = conf_frame_child(frame, row);
        conf_table_format(out, &inner, field->name, flags);
    } else if (field->kind == CONF_KIND_LIST) {
        append_list(out, frame, row, flags);
    }
}

static void
append_children(GString *out, const ConfFrame *frame, unsigned flags)
{
    const ConfField *fields = frame->element->fields;

    append_carried(out, frame, CONF_PLACE_HEAD, 0, UINT_MAX, flags);
    for (unsigned row = 0; fields[row].kind != CONF_KIND_END; row++) {
        guint count = fields[row].kind == CONF_KIND_LIST
                          ? conf_frame_list(frame, row)->len
                          : 0;

        append_carried(out, frame, row + 1, 0, 0, flags);
        append_row(out, frame, row, flags);
        append_carried(out, frame, row + 1, MAX(count, 1), UINT_MAX, flags);
    }
    append_carried(out, frame, CONF_PLACE_TAIL, 0, UINT_MAX, flags);
}

static const ConfField *
own_text(const ConfFrame *frame)
{
    for (const ConfField *field = frame->element->fields;
         field->kind != CONF_KIND_END; field++) {
        if (field->kind == CONF_KIND_TEXT &&
            conf_field_active(field, frame->base))
            return field;
    }
    return NULL;
}

void
conf_table_format(GString *out, const ConfFrame *frame, const char *name,
                  unsigned flags)
{
    const ConfField *text = own_text(frame);
    char scratch[CONF_SCRATCH];
    gsize start, attrs, body;

    if (text) {
        append_text_element(
            out, frame, name,
            text->type->format(text, frame->base + text->offset, scratch),
            flags);
        return;
    }
    start = append_start_tag(out, frame->level, name);
    append_attrs(out, frame, flags);
    attrs = out->len;
    g_string_append_len(out, ">\n", 2);
    body = out->len;
    append_children(out, frame, flags);
    if (out->len > body) {
        conf_xml_indent(out, frame->level);
        append_end_tag(out, name);
        return;
    }
    g_string_truncate(out, attrs);
    close_element(out, frame, name, start, attrs);
}
