/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

/**
 * conf_xml_parse: read a document from a foreign hand
 *
 * No network, no DOCTYPE (so no entities beyond XML's own five), at most
 * CONF_XML_MAX_BYTES and CONF_XML_MAX_DEPTH.
 * @name: the document's name in messages: "domain_definition"
 * @error: XML_DETAIL with libvirt's form "(NAME):LINE: what" and the place
 */
xmlDoc *conf_xml_parse(const char *xml, const char *name, GError **error);

/** conf_xml_most_attrs: attributes of the element that has the most, and its
 * line (untouched where there are none) */
unsigned conf_xml_most_attrs(const char *xml, long *ret_line);

/**
 * conf_xml_parse_fragment: one element as conf_xml_append() wrote it; prefixes
 * may be declared outside. Returns: NULL if it is not well formed
 */
xmlDoc *conf_xml_parse_fragment(const char *xml);

/** How conf_xml_append() writes. */
typedef enum ConfXmlStyle {
    CONF_XML_SINGLE = 0,      /* attributes in single quotes, as libvirt's */
    CONF_XML_DOUBLE = 1 << 0, /* in double quotes, as in <metadata> */
    CONF_XML_STANDALONE = 1 << 1, /* declare every prefix in the element */
} ConfXmlStyle;

/**
 * conf_xml_append: write an element, comment, text or processing instruction
 * @level: the node's depth; two blanks a level from the second line on. No
 * line end after the node.
 */
void conf_xml_append(GString *out, const xmlNode *node, unsigned level,
                     unsigned style);

/** conf_xml_append_namespace: " xmlns:x='...'" */
void conf_xml_append_namespace(GString *out, const xmlNs *ns, char quote);

/** conf_xml_append_attr: " name='value'" of an attribute of a document */
void conf_xml_append_attr(GString *out, const xmlAttr *attr, char quote);

/** conf_xml_escape: append @text with XML's special characters replaced;
 * @attr: line ends and tabs too, which attribute values would lose */
void conf_xml_escape(GString *out, const char *text, bool attr);

/** conf_xml_indent: two blanks a level */
void conf_xml_indent(GString *out, unsigned level);

/**
 * conf_xml_text: the text and CDATA children of @node joined
 * @ret_owned: set where the result had to be made; the caller frees it
 * Returns: never NULL
 */
const char *conf_xml_text(const xmlNode *node, char **ret_owned);

/** conf_xml_attr: value of an attribute without namespace, or NULL; owned */
char *conf_xml_attr(const xmlNode *node, const char *name);

/** conf_xml_child: first child element of that name without namespace */
xmlNode *conf_xml_child(const xmlNode *node, const char *name);
