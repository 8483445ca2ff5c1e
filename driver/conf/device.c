/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/device.h"

#include <string.h>
#include <sys/random.h>

#include "conf/domain.h"
#include "conf/type.h"
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

/* <mac>: libvirt makes one up, in KVM's range, where there is none. */
void
conf_device_prepare_interface(xmlNode *node, unsigned flags)
{
    unsigned char random[3];
    char address[18];
    xmlNode *mac;

    conf_device_prepare(node, flags);
    if (conf_xml_child(node, "mac") ||
        getrandom(random, sizeof(random), 0) != sizeof(random))
        return;
    g_snprintf(address, sizeof(address), "52:54:00:%02x:%02x:%02x", random[0],
               random[1], random[2]);
    mac = xmlNewDocNode(node->doc, NULL, BAD_CAST "mac", NULL);
    xmlNewProp(mac, BAD_CAST "address", BAD_CAST address);
    if (node->children)
        xmlAddPrevSibling(node->children, mac);
    else
        xmlAddChild(node, mac);
}

/* Devices before it that a controller is numbered by; who has more numbers
 * them himself. */
#define SIBLINGS_MAX 128

static bool
is_controller(const xmlNode *node, const char *type)
{
    g_autofree char *own = NULL;

    if (node->type != XML_ELEMENT_NODE || node->ns ||
        !xmlStrEqual(node->name, BAD_CAST "controller"))
        return false;
    own = conf_xml_attr(node, "type");
    return g_strcmp0(own, type) == 0;
}

/* The next index of @type: the companion of a USB controller shares its. */
static int
next_index(const xmlNode *node, const char *type)
{
    bool companion = conf_xml_child(node, "master") != NULL;
    int highest = -1, seen = 0;

    for (const xmlNode *other = node->prev; other; other = other->prev) {
        g_autofree char *text = NULL;
        uint64_t index;

        if (++seen > SIBLINGS_MAX)
            return -1;
        if (!is_controller(other, type))
            continue;
        text = conf_xml_attr(other, "index");
        if (text && conf_number_parse(text, INT_MAX - 1, &index))
            highest = MAX(highest, (int)index);
    }
    return companion && highest >= 0 ? highest : highest + 1;
}

/* Attributes are written as they stand: index comes second, after type. */
static void
put_second(xmlNode *node, xmlAttr *attr)
{
    xmlAttr *first = node->properties;

    if (attr == first || first->next == attr)
        return;
    attr->prev->next = attr->next;
    if (attr->next)
        attr->next->prev = attr->prev;
    attr->next = first->next;
    attr->prev = first;
    first->next->prev = attr;
    first->next = attr;
}

void
conf_device_prepare_controller(xmlNode *node, unsigned flags)
{
    g_autofree char *type = conf_xml_attr(node, "type");
    char text[12];
    int index;

    conf_device_prepare(node, flags);
    if (!type || xmlHasNsProp(node, BAD_CAST "index", NULL))
        return;
    index = next_index(node, type);
    if (index < 0)
        return;
    g_snprintf(text, sizeof(text), "%d", index);
    put_second(node, xmlNewProp(node, BAD_CAST "index", BAD_CAST text));
}

char *
conf_device_alias_controller(const xmlNode *node)
{
    g_autofree char *type = conf_xml_attr(node, "type");
    g_autofree char *index = conf_xml_attr(node, "index");
    g_autofree char *model = conf_xml_attr(node, "model");
    bool first = g_strcmp0(index, "0") == 0;

    if (!type || !index)
        return NULL;
    if (strcmp(type, "pci") == 0)
        return g_strdup_printf(
            "%s.%s",
            first && g_strcmp0(model, "pcie-root") == 0 ? "pcie" : "pci",
            index);
    if (first && (strcmp(type, "sata") == 0 || strcmp(type, "ide") == 0))
        return g_strdup("ide");
    if (first && strcmp(type, "usb") == 0)
        return g_strdup("usb");
    return g_strconcat(type, index, NULL);
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
                       char *(*name_of)(const xmlNode *), unsigned level)
{
    g_autoptr(xmlDoc) doc = conf_xml_parse_fragment(text);
    xmlNode *device = doc ? xmlDocGetRootElement(doc) : NULL;
    g_autofree char *name = NULL;
    GString *out;

    if (!device || conf_xml_child(device, "alias"))
        return NULL;
    name = name_of ? name_of(device) : g_strdup_printf("%s%u", prefix, index);
    if (!name)
        return NULL;
    insert_alias(device, name);
    out = g_string_new(NULL);
    conf_xml_append(out, device, level, CONF_XML_SINGLE);
    return g_string_free(out, FALSE);
}
