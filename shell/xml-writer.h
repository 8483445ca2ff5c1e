/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * Writes a document element by element, laid out and escaped as libvirt does.
 * Values are those of a user: any text is safe.
 */
typedef struct VshXmlWriter VshXmlWriter;

VshXmlWriter *vsh_xml_writer_new(void);
void vsh_xml_writer_free(VshXmlWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VshXmlWriter, vsh_xml_writer_free)

/** vsh_xml_begin: open an element within the one that is open; @name: static */
void vsh_xml_begin(VshXmlWriter *writer, const char *name);

/** vsh_xml_attribute: of the element just begun; nothing if @value is NULL */
void vsh_xml_attribute(VshXmlWriter *writer, const char *name,
                       const char *value);

/** vsh_xml_attribute_number: the same; nothing if @value is 0 */
void vsh_xml_attribute_number(VshXmlWriter *writer, const char *name,
                              unsigned value);

/** vsh_xml_end: close the element */
void vsh_xml_end(VshXmlWriter *writer);

/** vsh_xml_leaf: an element with one attribute; nothing if @value is NULL */
void vsh_xml_leaf(VshXmlWriter *writer, const char *element,
                  const char *attribute, const char *value);

/** vsh_xml_text: an element with text; nothing if @text is NULL */
void vsh_xml_text(VshXmlWriter *writer, const char *element, const char *text);

/** vsh_xml_finish: the document, with a newline at its end */
char *vsh_xml_finish(VshXmlWriter *writer);
