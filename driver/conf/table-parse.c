/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/table.h"

#include <string.h>

#include "conf/domain.h"
#include "conf/type.h"
#include "conf/xml.h"
#include "util/error.h"
#include "util/i18n.h"

/* The children of one element, while they are read. */
typedef struct Children {
    const ConfFrame *frame;
    unsigned flags;
    unsigned seen[CONF_ROWS_MAX]; /* elements of each row so far */
    int last;                     /* row of the last known element, or -1 */
    xmlNode *pending;             /* first comment not yet placed */
    unsigned carried;             /* how many, against CONF_CARRIED_MAX */
    bool known;                   /* the element being carried has a row */
} Children;

static bool
unknown_error(const xmlNode *node, const char *attr, GError **error)
{
    if (attr)
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("unknown attribute '%s' in element <%s> (line %ld)"), attr,
                  (const char *)node->name, xmlGetLineNo(node));
    else
        error_set(error, VIR_ERR_CONFIG_UNSUPPORTED,
                  _("unknown element <%s> (line %ld)"),
                  (const char *)node->name, xmlGetLineNo(node));
    return false;
}

static void
carry_attr(const ConfFrame *frame, const xmlAttr *attr, unsigned row)
{
    g_autoptr(GString) text = g_string_new(NULL);

    conf_xml_append_attr(text, attr, '\'');
    conf_carried_add(frame->carried, CONF_CARRIED_ATTR,
                     conf_path(frame->path, row), 0, text->str);
}

static void
carry_namespaces(const ConfFrame *frame, const xmlNode *node)
{
    for (const xmlNs *ns = node->nsDef; frame->carried && ns; ns = ns->next) {
        g_autoptr(GString) text = g_string_new(NULL);

        conf_xml_append_namespace(text, ns, '\'');
        conf_carried_add(frame->carried, CONF_CARRIED_ATTR,
                         conf_path(frame->path, CONF_PLACE_ATTR), 0, text->str);
    }
}

static bool
parse_value(const ConfField *field, const ConfFrame *frame, const xmlNode *node,
            const char *text, GError **error)
{
    return field->type->parse(field, node, text, frame->base + field->offset,
                              error);
}

static bool
parse_attr(const ConfFrame *frame, const xmlNode *node, const xmlAttr *attr,
           unsigned flags, GError **error)
{
    int row = attr->ns ? -1
                       : conf_table_find(frame->element, frame->base,
                                         (const char *)attr->name, true);
    const ConfField *field = row < 0 ? NULL : &frame->element->fields[row];
    g_autofree char *owned = NULL;
    const char *text;

    if (field && field->kind == CONF_KIND_ATTR) {
        text = conf_xml_text((const xmlNode *)attr, &owned);
        if (!conf_field_shown(field, flags & CONF_PARSE_INACTIVE, text))
            return true;
        return parse_value(field, frame, node, text, error);
    }
    if (!frame->carried)
        return unknown_error(node, (const char *)attr->name, error);
    carry_attr(frame, attr, row < 0 ? CONF_PLACE_ATTR : (unsigned)row + 1);
    return true;
}

static bool
parse_attrs(const ConfFrame *frame, const xmlNode *node, unsigned flags,
            GError **error)
{
    carry_namespaces(frame, node);
    for (const xmlAttr *attr = node->properties; attr; attr = attr->next) {
        if (!parse_attr(frame, node, attr, flags, error))
            return false;
    }
    return true;
}

static bool
is_blank(const xmlNode *node)
{
    return node->type == XML_TEXT_NODE && xmlIsBlankNode(node);
}

/* Where the next node beside row @row stands: what is carried is in order
 * already. */
static unsigned
count_of(const Children *children, unsigned row)
{
    const ConfField *field = &children->frame->element->fields[row];

    return field->kind == CONF_KIND_CARRY ? 0 : children->seen[row];
}

/* Keep one node that no row reads, at @path after @item elements. */
static bool
carry_node(Children *children, xmlNode *node, ConfPath path, unsigned item,
           GError **error)
{
    const ConfFrame *frame = children->frame;
    bool any = frame->element->fields[0].kind == CONF_KIND_END;
    bool known = children->known;
    ConfCarriedKind kind = node->type != XML_ELEMENT_NODE ? CONF_CARRIED_OTHER
                           : known                        ? CONF_CARRIED_ELEMENT
                                   : CONF_CARRIED_UNKNOWN;
    g_autoptr(GString) text = NULL;

    if (is_blank(node) || (!frame->carried && kind == CONF_CARRIED_OTHER))
        return true;
    if (!frame->carried)
        return unknown_error(node, NULL, error);
    if (++children->carried > CONF_CARRIED_MAX) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("element <%s> has more than %d children (line %ld)"),
                  (const char *)node->parent->name, CONF_CARRIED_MAX,
                  xmlGetLineNo(node->parent));
        return false;
    }
    text = g_string_new(NULL);
    conf_xml_append(text, node, frame->level + 1,
                    any ? CONF_XML_DOUBLE | CONF_XML_STANDALONE
                        : CONF_XML_SINGLE);
    if (node->type == XML_TEXT_NODE)
        g_strstrip(text->str);
    conf_carried_add(frame->carried, kind, path, item, text->str);
    return true;
}

/* Comments belong to the element that follows them. */
static bool
flush_pending(Children *children, const xmlNode *until, unsigned row,
              unsigned item, GError **error)
{
    ConfPath path = conf_path(children->frame->path, row);
    xmlNode *node = children->pending;

    children->pending = NULL;
    for (; node && node != until; node = node->next) {
        if (!carry_node(children, node, path, item, error))
            return false;
    }
    return true;
}

static bool
parse_unknown(Children *children, xmlNode *node, GError **error)
{
    unsigned row =
        children->last < 0 ? CONF_PLACE_HEAD : (unsigned)children->last + 1;
    unsigned item =
        children->last < 0 ? 0 : count_of(children, (unsigned)children->last);

    /* another namespace's element stands last, as libvirt's own do */
    if (node->ns && children->frame->level == 0)
        row = CONF_PLACE_TAIL;
    return flush_pending(children, node, row, item, error) &&
           carry_node(children, node, conf_path(children->frame->path, row),
                      item, error);
}

/* An element that says nothing leaves no trace in the struct: mark it. */
static void
mark_if_empty(const ConfFrame *frame, const xmlNode *node)
{
    if (frame->carried && !node->properties && !node->children && !node->nsDef)
        conf_carried_add(frame->carried, CONF_CARRIED_MARK, frame->path, 0, "");
}

static bool
parse_leaf(const ConfFrame *frame, unsigned row, xmlNode *node, unsigned flags,
           GError **error)
{
    const ConfField *field = &frame->element->fields[row];
    ConfFrame inner = conf_frame_leaf(frame, row);
    Children children = { .frame = &inner, .last = -1 };
    g_autofree char *owned = NULL;
    const char *text = conf_xml_text(node, &owned);

    if (!conf_field_shown(field, flags & CONF_PARSE_INACTIVE, text))
        return true;
    if (!parse_value(field, frame, node, text, error) ||
        !parse_attrs(&inner, node, flags, error))
        return false;
    for (xmlNode *child = node->children; child; child = child->next) {
        bool said = child->type == XML_TEXT_NODE ||
                    child->type == XML_CDATA_SECTION_NODE;

        if (!said &&
            !carry_node(&children, child,
                        conf_path(inner.path, CONF_PLACE_TAIL), 0, error))
            return false;
    }
    mark_if_empty(&inner, node);
    return true;
}

static bool
parse_item(const ConfFrame *frame, unsigned row, xmlNode *node, unsigned flags,
           GError **error)
{
    GPtrArray *list = conf_frame_list(frame, row);
    void *item = conf_table_new(frame->element->fields[row].element);
    ConfFrame inner = conf_frame_item(frame, row, item);

    g_ptr_array_add(list, item);
    if (list->len > CONF_LIST_MAX) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("more than %d elements <%s> (line %ld)"), CONF_LIST_MAX,
                  (const char *)node->name, xmlGetLineNo(node));
        return false;
    }
    mark_if_empty(&inner, node);
    return conf_table_parse(&inner, node, flags, error);
}

static bool
parse_child(const ConfFrame *frame, unsigned row, xmlNode *node, unsigned flags,
            GError **error)
{
    ConfFrame inner = conf_frame_child(frame, row);

    mark_if_empty(&inner, node);
    return conf_table_parse(&inner, node, flags, error);
}

static bool
carry_known(Children *children, unsigned row, xmlNode *node, GError **error)
{
    const ConfFrame *frame = children->frame;
    const ConfField *field = &frame->element->fields[row];
    bool kept;

    if (field->prepare)
        field->prepare(node, children->flags);
    children->known = true;
    kept =
        carry_node(children, node, conf_path(frame->path, row + 1), 0, error);
    children->known = false;
    return kept;
}

static bool
parse_known(Children *children, unsigned row, xmlNode *node, GError **error)
{
    const ConfFrame *frame = children->frame;
    const ConfField *field = &frame->element->fields[row];
    bool many = field->kind == CONF_KIND_LIST ? !(field->flags & CONF_ONE)
                                              : field->flags & CONF_MANY;

    if (!flush_pending(children, node, row + 1, count_of(children, row), error))
        return false;
    if (children->seen[row]++ > 0 && !many) {
        error_set(error, VIR_ERR_XML_ERROR,
                  _("element <%s> stands more than once in <%s> (line %ld)"),
                  field->name, (const char *)node->parent->name,
                  xmlGetLineNo(node));
        return false;
    }
    children->last = (int)row;
    if (field->kind == CONF_KIND_LEAF)
        return parse_leaf(frame, row, node, children->flags, error);
    if (field->kind == CONF_KIND_CHILD)
        return parse_child(frame, row, node, children->flags, error);
    if (field->kind == CONF_KIND_LIST)
        return parse_item(frame, row, node, children->flags, error);
    return carry_known(children, row, node, error);
}

static bool
same_namespace(const xmlNode *node, const ConfElement *element)
{
    if (!element->uri)
        return !node->ns;
    return node->ns && xmlStrEqual(node->ns->href, BAD_CAST element->uri);
}

static bool
parse_children(const ConfFrame *frame, xmlNode *node, bool has_text,
               unsigned flags, GError **error)
{
    Children children = { .frame = frame, .flags = flags, .last = -1 };

    for (xmlNode *child = node->children; child; child = child->next) {
        int row = -1;

        if (has_text && (child->type == XML_TEXT_NODE ||
                         child->type == XML_CDATA_SECTION_NODE))
            continue;
        if (child->type != XML_ELEMENT_NODE) {
            if (!children.pending)
                children.pending = child;
            continue;
        }
        if (same_namespace(child, frame->element))
            row = conf_table_find(frame->element, frame->base,
                                  (const char *)child->name, false);
        if (!(row < 0 ? parse_unknown(&children, child, error)
                      : parse_known(&children, (unsigned)row, child, error)))
            return false;
    }
    return flush_pending(&children, NULL, CONF_PLACE_TAIL, 0, error);
}

static bool
parse_own_text(const ConfFrame *frame, const xmlNode *node, bool *ret_has_text,
               GError **error)
{
    for (const ConfField *field = frame->element->fields;
         field->kind != CONF_KIND_END; field++) {
        g_autofree char *owned = NULL;

        if (field->kind != CONF_KIND_TEXT ||
            !conf_field_active(field, frame->base))
            continue;
        *ret_has_text = true;
        return parse_value(field, frame, node, conf_xml_text(node, &owned),
                           error);
    }
    return true;
}

bool
conf_table_parse(const ConfFrame *frame, xmlNode *node, unsigned flags,
                 GError **error)
{
    bool has_text = false;

    if (!parse_attrs(frame, node, flags, error) ||
        !parse_own_text(frame, node, &has_text, error) ||
        !parse_children(frame, node, has_text, flags, error))
        return false;
    return !frame->element->check ||
           frame->element->check(frame->base, node, flags, error);
}
