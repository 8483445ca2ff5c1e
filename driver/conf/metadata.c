/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/domain.h"
#include "conf/element.h"
#include "conf/xml.h"
#include "util/error.h"
#include "util/i18n.h"

#include <string.h>

/* No rows: whatever stands in <metadata> is its owner's, and carried. */
static const ConfField metadata_fields[] = { CONF_END };
const ConfElement conf_metadata_element = { .name = "metadata",
                                            .fields = metadata_fields };

ConfPath
conf_metadata_place(void)
{
    int row = conf_table_find(&conf_domain_element, NULL, "metadata", false);

    return conf_path(0, (unsigned)row + 1);
}

/* Spares most elements the parsing: a namespace without special characters is
 * written as it is. */
static bool
may_name(const char *text, const char *uri)
{
    return strpbrk(uri, "<>&'\"") || strstr(text, uri);
}

static xmlDoc *
parse_of_namespace(const ConfCarriedItem *item, const char *uri)
{
    g_autoptr(xmlDoc) doc = NULL;
    const xmlNode *root;

    if (item->kind != CONF_CARRIED_UNKNOWN ||
        item->path >> 8 != conf_metadata_place() || !may_name(item->text, uri))
        return NULL;
    doc = conf_xml_parse_fragment(item->text);
    root = doc ? xmlDocGetRootElement(doc) : NULL;
    if (!root || !root->ns || !xmlStrEqual(root->ns->href, BAD_CAST uri))
        return NULL;
    return g_steal_pointer(&doc);
}

static ConfCarriedItem *
find(const ConfDomain *domain, const char *uri, xmlDoc **ret_doc)
{
    for (ConfCarriedItem *item = domain->carried.first; item;
         item = item->next) {
        xmlDoc *doc = parse_of_namespace(item, uri);

        if (!doc)
            continue;
        *ret_doc = doc;
        return item;
    }
    return NULL;
}

/* Whoever asks for his namespace's element gets it without the namespace, as
 * libvirt gives it: @uri's declarations and prefixes are taken out. */
static void
strip_namespace(xmlNode *node, const char *uri)
{
    for (xmlNs **link = &node->nsDef; *link;) {
        xmlNs *ns = *link;

        if (xmlStrEqual(ns->href, BAD_CAST uri)) {
            *link = ns->next;
            xmlFreeNs(ns);
        } else {
            link = &ns->next;
        }
    }
}

static void
strip_prefixes(xmlNode *node, const char *uri)
{
    if (node->type != XML_ELEMENT_NODE)
        return;
    if (node->ns && xmlStrEqual(node->ns->href, BAD_CAST uri))
        node->ns = NULL;
    for (xmlAttr *attr = node->properties; attr; attr = attr->next)
        if (attr->ns && xmlStrEqual(attr->ns->href, BAD_CAST uri))
            attr->ns = NULL;
    for (xmlNode *child = node->children; child; child = child->next)
        strip_prefixes(child, uri);
    strip_namespace(node, uri);
}

static char *
text_of(xmlNode *root)
{
    GString *out = g_string_new(NULL);

    conf_xml_append(out, root, 0, CONF_XML_DOUBLE | CONF_XML_STANDALONE);
    return g_string_free(out, FALSE);
}

char *
conf_domain_metadata_get(const ConfDomain *domain, const char *uri)
{
    g_autoptr(xmlDoc) doc = NULL;

    if (!find(domain, uri, &doc))
        return NULL;
    strip_prefixes(xmlDocGetRootElement(doc), uri);
    return text_of(xmlDocGetRootElement(doc));
}

char *
conf_metadata_text(const ConfDomain *domain, const char *uri)
{
    g_autoptr(xmlDoc) doc = NULL;

    return find(domain, uri, &doc) ? text_of(xmlDocGetRootElement(doc)) : NULL;
}

/* What has no namespace in it gets @ns. */
static void
set_namespace(xmlNode *node, xmlNs *ns)
{
    if (node->type != XML_ELEMENT_NODE)
        return;
    if (!node->ns)
        xmlSetNs(node, ns);
    for (xmlNode *child = node->children; child; child = child->next)
        set_namespace(child, ns);
}

/* The element that a client gave, in namespace @uri under the prefix @key. */
static char *
text_to_carry(const char *xml, const char *key, const char *uri, GError **error)
{
    g_autoptr(xmlDoc) doc = conf_xml_parse(xml, "metadata_xml", error);
    xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    GString *out;
    xmlNs *ns;

    if (!root)
        return NULL;
    ns = xmlSearchNsByHref(doc, root, BAD_CAST uri);
    if (!root->ns || !ns || root->ns != ns) {
        ns = xmlNewNs(root, BAD_CAST uri, BAD_CAST key);
        if (!ns) {
            error_set(error, VIR_ERR_INVALID_ARG,
                      _("the prefix '%s' is used for another namespace in the "
                        "metadata element"),
                      key);
            return NULL;
        }
        xmlSetNs(root, ns);
    }
    set_namespace(root, ns);
    out = g_string_new(NULL);
    conf_xml_append(out, root, 2, CONF_XML_DOUBLE | CONF_XML_STANDALONE);
    return g_string_free(out, FALSE);
}

static void
put(ConfDomain *domain, ConfCarriedItem *old, const char *text)
{
    if (old)
        conf_carried_replace(&domain->carried, old, text);
    else if (text)
        conf_carried_add(&domain->carried, CONF_CARRIED_UNKNOWN,
                         conf_path(conf_metadata_place(), CONF_PLACE_TAIL), 0,
                         text);
}

static bool
check_key(const char *key, GError **error)
{
    if (key && xmlValidateNCName(BAD_CAST key, 0) == 0)
        return true;
    error_set(error, VIR_ERR_INVALID_ARG,
              _("'%s' cannot be the prefix of a namespace"), key ? key : "");
    return false;
}

bool
conf_domain_metadata_set(ConfDomain *domain, const char *uri, const char *key,
                         const char *xml, GError **error)
{
    ConfCarried before = { 0 };
    g_autoptr(xmlDoc) doc = NULL;
    g_autofree char *text = NULL;
    ConfCarriedItem *old = find(domain, uri, &doc);

    if (xml) {
        text =
            check_key(key, error) ? text_to_carry(xml, key, uri, error) : NULL;
        if (!text)
            return false;
    }
    conf_carried_copy(&before, &domain->carried);
    put(domain, old, text);
    if (conf_virtkvm_read(domain, error) &&
        conf_domain_check_return(domain, error)) {
        conf_carried_clear(&before);
        return true;
    }
    conf_carried_clear(&domain->carried);
    domain->carried = before;
    (void)conf_virtkvm_read(domain, NULL);
    return false;
}
