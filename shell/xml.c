/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "shell/xml.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <string.h>

#include "shell/exit.h"
#include "util/i18n.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlBuffer, xmlBufferFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlXPathContext, xmlXPathFreeContext)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlXPathObject, xmlXPathFreeObject)

static xmlDoc *
parse(const char *xml)
{
    size_t length = strlen(xml);

    if (length > G_MAXINT)
        return NULL;
    return xmlReadMemory(xml, (int)length, "domain.xml", NULL,
                         XML_PARSE_NONET | XML_PARSE_NOERROR |
                             XML_PARSE_NOWARNING);
}

static void
ignore_error(void *data, xmlError *error)
{
}

/* NULL if @xpath is malformed or selects no nodes at all (a number, say). */
static xmlXPathObject *
evaluate(xmlDoc *doc, const char *xpath)
{
    g_autoptr(xmlXPathContext) context = xmlXPathNewContext(doc);
    g_autoptr(xmlXPathObject) object = NULL;

    if (!context)
        return NULL;
    context->error = (xmlStructuredErrorFunc)ignore_error;
    context->node = xmlDocGetRootElement(doc);
    object = xmlXPathEval((const xmlChar *)xpath, context);
    if (!object || object->type != XPATH_NODESET)
        return NULL;
    return g_steal_pointer(&object);
}

static int
count(const xmlXPathObject *object)
{
    return object->nodesetval ? object->nodesetval->nodeNr : 0;
}

char **
vsh_xml_strings(const char *xml, const char *xpath)
{
    g_autoptr(xmlDoc) doc = parse(xml);
    g_autoptr(xmlXPathObject) object = doc ? evaluate(doc, xpath) : NULL;
    GPtrArray *list;

    if (!object)
        return NULL;
    list = g_ptr_array_new();
    for (int i = 0; i < count(object); i++) {
        xmlChar *text = xmlNodeGetContent(object->nodesetval->nodeTab[i]);

        g_ptr_array_add(list, g_strdup(text ? (const char *)text : ""));
        xmlFree(text);
    }
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(list, FALSE);
}

static char *
node_xml(xmlDoc *doc, xmlNode *node)
{
    g_autoptr(xmlBuffer) buffer = xmlBufferCreate();

    xmlNodeDump(buffer, doc, node, 0, 1);
    return g_strdup((const char *)xmlBufferContent(buffer));
}

static char *
dump_wrapped(xmlDoc *doc, const xmlXPathObject *object)
{
    g_autoptr(xmlDoc) wrapped = xmlNewDoc((const xmlChar *)"1.0");
    g_autoptr(xmlBuffer) buffer = xmlBufferCreate();
    xmlNode *root = xmlNewNode(NULL, (const xmlChar *)"nodes");

    xmlDocSetRootElement(wrapped, root);
    for (int i = 0; i < count(object); i++) {
        xmlNode *copy =
            xmlDocCopyNode(object->nodesetval->nodeTab[i], wrapped, 1);

        xmlAddChild(root, copy);
    }
    xmlNodeDump(buffer, wrapped, root, 0, 1);
    return g_strdup_printf("%s\n", (const char *)xmlBufferContent(buffer));
}

static char *
dump_each(xmlDoc *doc, const xmlXPathObject *object)
{
    GString *text = g_string_new(NULL);

    for (int i = 0; i < count(object); i++) {
        g_autofree char *xml = node_xml(doc, object->nodesetval->nodeTab[i]);

        g_string_append_printf(text, "%s\n", xml);
    }
    return g_string_free(text, FALSE);
}

char *
vsh_xml_select(const char *xml, const char *xpath, bool wrap, GError **error)
{
    g_autoptr(xmlDoc) doc = parse(xml);
    g_autoptr(xmlXPathObject) object = NULL;

    if (!doc) {
        vsh_error_set(error, VSH_EXIT_DOCUMENT,
                      _("the hypervisor's XML is malformed"));
        return NULL;
    }
    object = evaluate(doc, xpath);
    if (!object) {
        vsh_error_set(error, VSH_EXIT_USAGE,
                      _("xpath '%s' is malformed or selects no nodes"), xpath);
        return NULL;
    }
    return wrap ? dump_wrapped(doc, object) : dump_each(doc, object);
}

/* The first text that @path selects from the node of @context, or NULL. */
static char *
field_text(xmlXPathContext *context, const char *path)
{
    g_autoptr(xmlXPathObject) object =
        xmlXPathEval((const xmlChar *)path, context);
    xmlChar *content;
    char *text = NULL;

    if (!object || object->type != XPATH_NODESET || count(object) == 0)
        return NULL;
    content = xmlNodeGetContent(object->nodesetval->nodeTab[0]);
    if (content && *content)
        text = g_strdup((const char *)content);
    xmlFree(content);
    return text;
}

static void
visit_node(xmlXPathContext *context, const char *const *fields,
           VshXmlVisit visit, void *data)
{
    guint length = g_strv_length((char **)fields);
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *xml = node_xml(context->doc, context->node);

    for (guint i = 0; i < length; i++)
        g_ptr_array_add(texts, field_text(context, fields[i]));
    visit(xml, (char *const *)texts->pdata, data);
}

bool
vsh_xml_each(const char *xml, const char *xpath, const char *const *fields,
             VshXmlVisit visit, void *data)
{
    g_autoptr(xmlDoc) doc = parse(xml);
    g_autoptr(xmlXPathObject) object = doc ? evaluate(doc, xpath) : NULL;
    g_autoptr(xmlXPathContext) context = NULL;

    if (!object)
        return false;
    context = xmlXPathNewContext(doc);
    for (int i = 0; context && i < count(object); i++) {
        context->node = object->nodesetval->nodeTab[i];
        visit_node(context, fields, visit, data);
    }
    return context != NULL;
}

static xmlNode *
find_child(xmlNode *parent, const char *name)
{
    for (xmlNode *node = parent->children; node; node = node->next)
        if (node->type == XML_ELEMENT_NODE &&
            strcmp((const char *)node->name, name) == 0)
            return node;
    return NULL;
}

char *
vsh_xml_with(const char *xml, const char *child, const char *attribute,
             const char *value)
{
    g_autoptr(xmlDoc) doc = parse(xml);
    xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    xmlNode *node;

    if (!root)
        return NULL;
    node = find_child(root, child);
    if (!node)
        node = xmlNewChild(root, NULL, (const xmlChar *)child, NULL);
    xmlSetProp(node, (const xmlChar *)attribute, (const xmlChar *)value);
    return node_xml(doc, root);
}

static void
remove_child(xmlNode *root, const char *name)
{
    xmlNode *node = find_child(root, name);

    if (!node)
        return;
    xmlUnlinkNode(node);
    xmlFreeNode(node);
}

/* In the place of the old one, or before <target>, on a line of its own. */
static void
put_source(xmlNode *root, xmlNode *node)
{
    xmlNode *old = find_child(root, "source");
    xmlNode *target = find_child(root, "target");

    if (old) {
        xmlReplaceNode(old, node);
        xmlFreeNode(old);
    } else if (target) {
        xmlAddPrevSibling(target, node);
        if (node->prev && node->prev->type == XML_TEXT_NODE)
            xmlAddNextSibling(node, xmlCopyNode(node->prev, 1));
    } else {
        xmlAddChild(root, node);
    }
}

char *
vsh_xml_with_source(const char *xml, const char *type, const char *attribute,
                    const char *value)
{
    g_autoptr(xmlDoc) doc = parse(xml);
    xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    xmlNode *node;

    if (!root)
        return NULL;
    remove_child(root, "backingStore");
    if (!value) {
        remove_child(root, "source");
        return node_xml(doc, root);
    }
    xmlSetProp(root, (const xmlChar *)"type", (const xmlChar *)type);
    node = xmlNewNode(NULL, (const xmlChar *)"source");
    xmlSetProp(node, (const xmlChar *)attribute, (const xmlChar *)value);
    put_source(root, node);
    return node_xml(doc, root);
}
