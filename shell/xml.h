/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <stdbool.h>

/**
 * vsh_xml_strings: the texts of all nodes that @xpath selects in @xml
 * Returns: NULL-terminated; NULL if either is malformed
 */
char **vsh_xml_strings(const char *xml, const char *xpath);

/**
 * vsh_xml_select: the nodes that @xpath selects, as XML, each on its line
 * @wrap: within one element <nodes>
 * Returns: NULL with DOCUMENT if the document, USAGE if @xpath is malformed
 */
char *vsh_xml_select(const char *xml, const char *xpath, bool wrap,
                     GError **error);

/** Called for each node: its XML, and the texts of its fields (NULL: none). */
typedef void (*VshXmlVisit)(const char *xml, char *const *texts, void *data);

/**
 * vsh_xml_each: visit the nodes that @xpath selects
 * @fields: paths from the node, NULL-terminated; of each the first text is
 * taken, and an empty one counts as none
 * Returns: false if the document is malformed
 */
bool vsh_xml_each(const char *xml, const char *xpath, const char *const *fields,
                  VshXmlVisit visit, void *data);

/**
 * vsh_xml_with_source: the element @xml with another <source>
 * @type: of the element from now on, if there is a source
 * @attribute, @value: of <source>; NULL: there is none any more
 * Returns: NULL if @xml is malformed
 */
char *vsh_xml_with_source(const char *xml, const char *type,
                          const char *attribute, const char *value);

/**
 * vsh_xml_with: the element @xml with an attribute of a child set; the child
 * is made if it has none
 * Returns: NULL if @xml is malformed
 */
char *vsh_xml_with(const char *xml, const char *child, const char *attribute,
                   const char *value);
