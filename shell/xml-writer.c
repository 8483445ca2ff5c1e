/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/xml-writer.h"

#define INDENT 2

struct VshXmlWriter {
    GString *text;
    GPtrArray *open;     /* names of the elements that are open */
    bool tag_unfinished; /* the last one may still get attributes */
};

VshXmlWriter *
vsh_xml_writer_new(void)
{
    VshXmlWriter *writer = g_new0(VshXmlWriter, 1);

    writer->text = g_string_new(NULL);
    writer->open = g_ptr_array_new();
    return writer;
}

void
vsh_xml_writer_free(VshXmlWriter *writer)
{
    if (!writer)
        return;
    g_string_free(writer->text, TRUE);
    g_ptr_array_unref(writer->open);
    g_free(writer);
}

static void
indent(VshXmlWriter *writer)
{
    g_string_append_printf(writer->text, "%*s",
                           (int)(writer->open->len * INDENT), "");
}

/* The element that is open gets content: its tag ends. */
static void
finish_tag(VshXmlWriter *writer)
{
    if (writer->tag_unfinished)
        g_string_append(writer->text, ">\n");
    writer->tag_unfinished = false;
}

void
vsh_xml_begin(VshXmlWriter *writer, const char *name)
{
    finish_tag(writer);
    indent(writer);
    g_string_append_printf(writer->text, "<%s", name);
    g_ptr_array_add(writer->open, (void *)name);
    writer->tag_unfinished = true;
}

void
vsh_xml_attribute(VshXmlWriter *writer, const char *name, const char *value)
{
    g_autofree char *escaped = value ? g_markup_escape_text(value, -1) : NULL;

    g_assert(writer->tag_unfinished);
    if (value)
        g_string_append_printf(writer->text, " %s='%s'", name, escaped);
}

void
vsh_xml_attribute_number(VshXmlWriter *writer, const char *name, unsigned value)
{
    g_autofree char *text = g_strdup_printf("%u", value);

    vsh_xml_attribute(writer, name, value > 0 ? text : NULL);
}

void
vsh_xml_end(VshXmlWriter *writer)
{
    const char *name = writer->open->pdata[writer->open->len - 1];

    g_ptr_array_set_size(writer->open, (int)writer->open->len - 1);
    if (writer->tag_unfinished) {
        g_string_append(writer->text, "/>\n");
        writer->tag_unfinished = false;
        return;
    }
    indent(writer);
    g_string_append_printf(writer->text, "</%s>\n", name);
}

void
vsh_xml_leaf(VshXmlWriter *writer, const char *element, const char *attribute,
             const char *value)
{
    if (!value)
        return;
    vsh_xml_begin(writer, element);
    vsh_xml_attribute(writer, attribute, value);
    vsh_xml_end(writer);
}

void
vsh_xml_text(VshXmlWriter *writer, const char *element, const char *text)
{
    g_autofree char *escaped = text ? g_markup_escape_text(text, -1) : NULL;

    if (!text)
        return;
    finish_tag(writer);
    indent(writer);
    g_string_append_printf(writer->text, "<%s>%s</%s>\n", element, escaped,
                           element);
}

char *
vsh_xml_finish(VshXmlWriter *writer)
{
    g_assert(writer->open->len == 0);
    return g_strdup(writer->text->str);
}
