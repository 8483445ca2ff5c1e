/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/xml.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <string.h>

#include "conf/domain.h"
#include "util/error.h"
#include "util/i18n.h"

#define PARSE_OPTIONS                                           \
    (XML_PARSE_NONET | XML_PARSE_NOBLANKS | XML_PARSE_NOERROR | \
     XML_PARSE_NOWARNING | XML_PARSE_BIG_LINES)
/* Bytes of the offending line that a message shows. */
#define CONTEXT_MAX 160

/* What ended a parse of our own accord. */
typedef enum Refusal {
    REFUSAL_NONE = 0,
    REFUSAL_DOCTYPE,
    REFUSAL_DEPTH,
} Refusal;

/* A DOCTYPE is the door to entities and to other files: refuse it unread. */
static void
on_doctype(void *ctx, const xmlChar *name, const xmlChar *external_id,
           const xmlChar *system_id)
{
    xmlParserCtxt *parser = ctx;

    parser->_private = GINT_TO_POINTER(REFUSAL_DOCTYPE);
    xmlStopParser(parser);
}

static void
on_start_element(void *ctx, const xmlChar *name, const xmlChar *prefix,
                 const xmlChar *uri, int n_namespaces,
                 const xmlChar **namespaces, int n_attributes, int n_defaulted,
                 const xmlChar **attributes)
{
    xmlParserCtxt *parser = ctx;

    if (parser->nodeNr >= CONF_XML_MAX_DEPTH) {
        parser->_private = GINT_TO_POINTER(REFUSAL_DEPTH);
        xmlStopParser(parser);
        return;
    }
    xmlSAX2StartElementNs(ctx, name, prefix, uri, n_namespaces, namespaces,
                          n_attributes, n_defaulted, attributes);
}

/* The line of @xml with number @line, cut to CONTEXT_MAX, and a mark below
 * column @column: as libvirt shows a syntax error. */
static char *
context_of(const char *xml, int line, int column)
{
    const char *start = xml;
    size_t length, mark;

    for (int i = 1; i < line; i++) {
        const char *next = strchr(start, '\n');

        if (!next)
            break;
        start = next + 1;
    }
    length = MIN(strcspn(start, "\n"), CONTEXT_MAX);
    mark = MIN((size_t)MAX(column - 1, 0), length);
    g_autofree char *dashes = g_strnfill(mark, '-');
    g_autofree char *text = g_strndup(start, length);
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    return g_strdup_printf("%s\n%s^", valid, dashes);
}

static void
set_parse_error(GError **error, xmlParserCtxt *parser, const char *xml,
                const char *name)
{
    const xmlError *last = xmlCtxtGetLastError(parser);
    g_autofree char *context = NULL;
    g_autofree char *message = NULL;
    int line = last ? last->line : 1;

    switch ((Refusal)GPOINTER_TO_INT(parser->_private)) {
    case REFUSAL_DOCTYPE:
        error_set(error, VIR_ERR_XML_ERROR,
                  _("line %d: a document type declaration is not allowed"),
                  parser->input ? parser->input->line : 1);
        return;
    case REFUSAL_DEPTH:
        error_set(error, VIR_ERR_XML_ERROR,
                  _("line %d: elements are nested more than %d deep"),
                  parser->input ? parser->input->line : 1, CONF_XML_MAX_DEPTH);
        return;
    case REFUSAL_NONE:
        break;
    }
    message = g_strdup(last && last->message ? last->message
                                             : _("the document is not XML"));
    context = context_of(xml, line, last ? last->int2 : 0);
    error_set(error, VIR_ERR_XML_DETAIL, "(%s):%d: %s\n%s", name, line,
              g_strchomp(message), context);
}

static xmlDoc *
parse(const char *xml, size_t size, const char *name, GError **error)
{
    xmlParserCtxt *parser = xmlNewParserCtxt();
    xmlDoc *doc;

    if (!parser)
        g_error("out of memory");
    parser->sax->internalSubset = on_doctype;
    parser->sax->startElementNs = on_start_element;
    doc = xmlCtxtReadMemory(parser, xml, (int)size, NULL, NULL, PARSE_OPTIONS);
    if (!doc || parser->_private || !xmlDocGetRootElement(doc)) {
        set_parse_error(error, parser, xml, name);
        xmlFreeDoc(doc);
        doc = NULL;
    }
    xmlFreeParserCtxt(parser);
    return doc;
}

/* A raw '<' cannot stand inside an attribute, so each one starts afresh;
 * whatever this reads in another way is not well formed. */
unsigned
conf_xml_most_attrs(const char *xml, long *ret_line)
{
    unsigned most = 0, count = 0;
    bool in_tag = false;
    long line = 1;
    char quote = 0;

    for (const char *p = xml; *p; p++) {
        if (*p == '\n')
            line++;
        if (*p == '<') {
            in_tag = p[1] != '!';
            quote = 0;
            count = 0;
        } else if (!in_tag) {
            continue;
        } else if (quote) {
            quote = *p == quote ? 0 : quote;
        } else if (*p == '>') {
            in_tag = false;
        } else if (*p == '\'' || *p == '"') {
            quote = *p;
            if (++count > most) {
                most = count;
                *ret_line = line;
            }
        }
    }
    return most;
}

xmlDoc *
conf_xml_parse(const char *xml, const char *name, GError **error)
{
    size_t size = strlen(xml);
    long line = 1;

    if (size > CONF_XML_MAX_BYTES) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("the document is larger than %u bytes"),
                  CONF_XML_MAX_BYTES);
        return NULL;
    }
    /* libxml2 compares each attribute of a tag with all before it */
    if (conf_xml_most_attrs(xml, &line) > CONF_XML_MAX_ATTRS) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("line %ld: an element has more than %d attributes"), line,
                  CONF_XML_MAX_ATTRS);
        return NULL;
    }
    return parse(xml, size, name, error);
}

xmlDoc *
conf_xml_parse_fragment(const char *xml)
{
    return parse(xml, strlen(xml), "", NULL);
}

void
conf_xml_indent(GString *out, unsigned level)
{
    for (unsigned i = 0; i < level; i++)
        g_string_append_len(out, "  ", 2);
}

/* Where a text goes: each place can bear other characters. */
typedef enum Place {
    PLACE_TEXT,          /* libvirt's own elements: both quotes replaced */
    PLACE_ATTR,          /* the same, and what attributes would lose */
    PLACE_METADATA_TEXT, /* as libxml2 writes: only what must be */
    PLACE_METADATA_ATTR,
} Place;

static const char *
replacement(char c, Place place)
{
    bool attr = place == PLACE_ATTR || place == PLACE_METADATA_ATTR;

    switch (c) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '\'':
        return place == PLACE_TEXT || place == PLACE_ATTR ? "&apos;" : NULL;
    case '"':
        return place == PLACE_METADATA_TEXT ? NULL : "&quot;";
    case '\r':
        return "&#13;";
    case '\n':
        return attr ? "&#10;" : NULL;
    case '\t':
        return attr ? "&#9;" : NULL;
    default:
        return NULL;
    }
}

static void
escape(GString *out, const char *text, Place place)
{
    const char *from = text;

    for (const char *p = text; *p; p++) {
        const char *other = replacement(*p, place);

        if (!other)
            continue;
        g_string_append_len(out, from, p - from);
        g_string_append(out, other);
        from = p + 1;
    }
    g_string_append(out, from);
}

void
conf_xml_escape(GString *out, const char *text, bool attr)
{
    escape(out, text, attr ? PLACE_ATTR : PLACE_TEXT);
}

/* An attribute's value in @quote, which says whose style it is. */
static void
append_quoted(GString *out, const char *text, char quote)
{
    g_string_append_c(out, quote);
    escape(out, text, quote == '"' ? PLACE_METADATA_ATTR : PLACE_ATTR);
    g_string_append_c(out, quote);
}

void
conf_xml_append_namespace(GString *out, const xmlNs *ns, char quote)
{
    g_string_append(out, " xmlns");
    if (ns->prefix) {
        g_string_append_c(out, ':');
        g_string_append(out, (const char *)ns->prefix);
    }
    g_string_append_c(out, '=');
    append_quoted(out, ns->href ? (const char *)ns->href : "", quote);
}

static void
append_name(GString *out, const xmlNs *ns, const xmlChar *name)
{
    if (ns && ns->prefix) {
        g_string_append(out, (const char *)ns->prefix);
        g_string_append_c(out, ':');
    }
    g_string_append(out, (const char *)name);
}

void
conf_xml_append_attr(GString *out, const xmlAttr *attr, char quote)
{
    g_autofree char *owned = NULL;
    const char *value = conf_xml_text((const xmlNode *)attr, &owned);

    g_string_append_c(out, ' ');
    append_name(out, attr->ns, attr->name);
    g_string_append_c(out, '=');
    append_quoted(out, value, quote);
}

/* Is @ns declared by an element from @node up to @root? */
static bool
declared_within(const xmlNode *root, const xmlNode *node, const xmlNs *ns)
{
    for (;; node = node->parent) {
        for (const xmlNs *have = node->nsDef; have; have = have->next) {
            if (xmlStrEqual(have->prefix, ns->prefix))
                return true;
        }
        if (node == root || !node->parent)
            return false;
    }
}

static void
need_namespace(GPtrArray *needed, const xmlNode *root, const xmlNode *node,
               xmlNs *ns)
{
    if (!ns || xmlStrEqual(ns->prefix, BAD_CAST "xml") ||
        declared_within(root, node, ns) || g_ptr_array_find(needed, ns, NULL))
        return;
    g_ptr_array_add(needed, ns);
}

static void
collect_namespaces(GPtrArray *needed, const xmlNode *root, const xmlNode *node)
{
    need_namespace(needed, root, node, node->ns);
    for (const xmlAttr *attr = node->properties; attr; attr = attr->next)
        need_namespace(needed, root, node, attr->ns);
    for (const xmlNode *child = node->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE)
            collect_namespaces(needed, root, child);
    }
}

static void
append_outer_namespaces(GString *out, const xmlNode *node, char quote)
{
    g_autoptr(GPtrArray) needed = g_ptr_array_new();

    collect_namespaces(needed, node, node);
    for (guint i = 0; i < needed->len; i++)
        conf_xml_append_namespace(out, g_ptr_array_index(needed, i), quote);
}

static bool
has_text(const xmlNode *node)
{
    for (const xmlNode *child = node->children; child; child = child->next) {
        if (child->type == XML_TEXT_NODE ||
            child->type == XML_CDATA_SECTION_NODE ||
            child->type == XML_ENTITY_REF_NODE)
            return true;
    }
    return false;
}

static void
append_element(GString *out, const xmlNode *node, unsigned level,
               unsigned style)
{
    char quote = style & CONF_XML_DOUBLE ? '"' : '\'';
    bool inline_content = has_text(node);

    g_string_append_c(out, '<');
    append_name(out, node->ns, node->name);
    for (const xmlNs *ns = node->nsDef; ns; ns = ns->next)
        conf_xml_append_namespace(out, ns, quote);
    if (style & CONF_XML_STANDALONE)
        append_outer_namespaces(out, node, quote);
    for (const xmlAttr *attr = node->properties; attr; attr = attr->next)
        conf_xml_append_attr(out, attr, quote);
    if (!node->children) {
        g_string_append(out, "/>");
        return;
    }
    g_string_append_c(out, '>');
    for (const xmlNode *child = node->children; child; child = child->next) {
        if (!inline_content) {
            g_string_append_c(out, '\n');
            conf_xml_indent(out, level + 1);
        }
        conf_xml_append(out, child, level + 1, style & ~CONF_XML_STANDALONE);
    }
    if (!inline_content) {
        g_string_append_c(out, '\n');
        conf_xml_indent(out, level);
    }
    g_string_append(out, "</");
    append_name(out, node->ns, node->name);
    g_string_append_c(out, '>');
}

void
conf_xml_append(GString *out, const xmlNode *node, unsigned level,
                unsigned style)
{
    const char *content = node->type == XML_ELEMENT_NODE || !node->content
                              ? ""
                              : (const char *)node->content;

    if (node->type == XML_ELEMENT_NODE)
        append_element(out, node, level, style);
    else if (node->type == XML_TEXT_NODE)
        escape(out, content,
               style & CONF_XML_DOUBLE ? PLACE_METADATA_TEXT : PLACE_TEXT);
    else if (node->type == XML_CDATA_SECTION_NODE)
        g_string_append_printf(out, "<![CDATA[%s]]>", content);
    else if (node->type == XML_COMMENT_NODE)
        g_string_append_printf(out, "<!--%s-->", content);
    else if (node->type == XML_PI_NODE)
        g_string_append_printf(out, "<?%s %s?>", (const char *)node->name,
                               content);
}

const char *
conf_xml_text(const xmlNode *node, char **ret_owned)
{
    const xmlNode *child = node->children;
    GString *joined;

    if (!child)
        return "";
    if (!child->next && child->type == XML_TEXT_NODE)
        return (const char *)child->content;
    joined = g_string_new(NULL);
    for (; child; child = child->next) {
        if ((child->type == XML_TEXT_NODE ||
             child->type == XML_CDATA_SECTION_NODE) &&
            child->content)
            g_string_append(joined, (const char *)child->content);
    }
    return *ret_owned = g_string_free(joined, FALSE);
}

char *
conf_xml_attr(const xmlNode *node, const char *name)
{
    const xmlAttr *attr = xmlHasNsProp(node, BAD_CAST name, NULL);
    g_autofree char *owned = NULL;
    const char *value;

    if (!attr)
        return NULL;
    value = conf_xml_text((const xmlNode *)attr, &owned);
    return owned ? g_steal_pointer(&owned) : g_strdup(value);
}

xmlNode *
conf_xml_child(const xmlNode *node, const char *name)
{
    for (xmlNode *child = node->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE && !child->ns &&
            xmlStrEqual(child->name, BAD_CAST name))
            return child;
    }
    return NULL;
}
