/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/carried-device.h"

#include "conf/domain.h"
#include "conf/xml.h"

/* A user's own alias begins so; any other belongs to a running domain. */
#define USER_ALIAS "ua-"

static bool
is_live_alias(const xmlNode *node)
{
    g_autofree char *name = NULL;

    if (node->type != XML_ELEMENT_NODE || node->ns ||
        !xmlStrEqual(node->name, BAD_CAST "alias"))
        return false;
    name = conf_xml_attr(node, "name");
    return !name || !g_str_has_prefix(name, USER_ALIAS);
}

/* What libvirt assigns when a domain starts does not belong in a definition. */
void
conf_device_prepare(xmlNode *node, unsigned flags)
{
    if (!(flags & CONF_PARSE_INACTIVE))
        return;
    for (xmlNode *next, *child = node->children; child; child = next) {
        next = child->next;
        if (!is_live_alias(child))
            continue;
        xmlUnlinkNode(child);
        xmlFreeNode(child);
    }
}

/* Before <address>, which libvirt writes last. */
static void
insert_alias(xmlNode *device, const char *name)
{
    xmlNode *alias = xmlNewDocNode(device->doc, NULL, BAD_CAST "alias", NULL);
    xmlNode *address = conf_xml_child(device, "address");

    xmlNewProp(alias, BAD_CAST "name", BAD_CAST name);
    if (address)
        xmlAddPrevSibling(address, alias);
    else
        xmlAddChild(device, alias);
}

char *
conf_device_with_alias(const char *text, const char *prefix, unsigned index,
                       unsigned level)
{
    g_autoptr(xmlDoc) doc = conf_xml_parse_fragment(text);
    xmlNode *device = doc ? xmlDocGetRootElement(doc) : NULL;
    g_autofree char *name = NULL;
    GString *out;

    if (!device || conf_xml_child(device, "alias"))
        return NULL;
    name = g_strdup_printf("%s%u", prefix, index);
    insert_alias(device, name);
    out = g_string_new(NULL);
    conf_xml_append(out, device, level, CONF_XML_SINGLE);
    return g_string_free(out, FALSE);
}
