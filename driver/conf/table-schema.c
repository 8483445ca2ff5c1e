/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/schema.h"

#include <string.h>

#include "conf/element.h"
#include "conf/network-element.h"

/* No choice of a variant has been made above this element. */
#define NO_VARIANT (-1)

typedef struct Schema {
    GString *out;
    unsigned level;
} Schema;

static void G_GNUC_PRINTF(2, 3) line(Schema *schema, const char *format, ...)
{
    va_list args;

    for (unsigned i = 0; i < schema->level; i++)
        g_string_append(schema->out, "  ");
    va_start(args, format);
    g_string_append_vprintf(schema->out, format, args);
    va_end(args);
    g_string_append_c(schema->out, '\n');
}

static void G_GNUC_PRINTF(2, 3) begin(Schema *schema, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    line(schema, "<%s>", text);
    schema->level++;
}

static void
end(Schema *schema, const char *name)
{
    schema->level--;
    line(schema, "</%s>", name);
}

static void
value(Schema *schema, const ConfField *field)
{
    g_autoptr(GString) pattern = g_string_new(NULL);

    field->type->schema(field, pattern);
    line(schema, "%s", pattern->str);
}

static void element(Schema *schema, const ConfElement *element,
                    const char *name, int variant);

static bool
is_active(const ConfField *field, int variant)
{
    return !field->when_mask || variant == NO_VARIANT ||
           (field->when_mask & (1u << variant));
}

static void
attribute(Schema *schema, const ConfField *field)
{
    bool optional = !(field->flags & CONF_REQUIRED);

    if (optional)
        begin(schema, "optional");
    begin(schema, "attribute name=\"%s\"", field->name);
    if (field->type)
        value(schema, field);
    else
        line(schema, "<text/>");
    end(schema, "attribute");
    if (optional)
        end(schema, "optional");
}

static void
sub_element(Schema *schema, const ConfField *field, int variant)
{
    if (field->kind == CONF_KIND_CHILD && !(field->flags & CONF_ANY)) {
        element(schema, field->element, field->name, variant);
        return;
    }
    if (field->kind == CONF_KIND_LIST) {
        element(schema, field->element, field->name, NO_VARIANT);
        return;
    }
    begin(schema, "element name=\"%s\"", field->name);
    if (field->kind == CONF_KIND_LEAF)
        value(schema, field);
    else
        line(schema, "<ref name=\"anything\"/>");
    end(schema, "element");
}

static void
child(Schema *schema, const ConfField *field, int variant)
{
    bool many = field->kind == CONF_KIND_LIST || (field->flags & CONF_MANY);
    bool optional = !(field->flags & CONF_REQUIRED);

    if (many)
        begin(schema, "zeroOrMore");
    else if (optional)
        begin(schema, "optional");
    sub_element(schema, field, variant);
    if (many)
        end(schema, "zeroOrMore");
    else if (optional)
        end(schema, "optional");
}

static bool
is_child(const ConfField *field)
{
    return field->kind == CONF_KIND_LEAF || field->kind == CONF_KIND_CHILD ||
           field->kind == CONF_KIND_LIST || field->kind == CONF_KIND_CARRY;
}

static bool
has_children(const ConfElement *of)
{
    for (const ConfField *field = of->fields; field->kind != CONF_KIND_END;
         field++) {
        if (is_child(field))
            return true;
    }
    return false;
}

/* Roots in which libvirt takes other namespaces' elements. */
static bool
is_document(const ConfElement *of)
{
    return of == &conf_domain_element || of == &conf_network_element;
}

/* The children in any order, as libvirt takes them. */
static void
children(Schema *schema, const ConfElement *of, int variant)
{
    if (!has_children(of))
        return;
    begin(schema, "interleave");
    for (const ConfField *field = of->fields; field->kind != CONF_KIND_END;
         field++) {
        if (is_child(field) && is_active(field, variant))
            child(schema, field, variant);
        else if (field->kind == CONF_KIND_TEXT)
            line(schema, "<text/>");
    }
    if (is_document(of))
        line(schema, "<ref name=\"foreign\"/>");
    end(schema, "interleave");
}

static void
content(Schema *schema, const ConfElement *of, int variant)
{
    bool empty = true;

    for (const ConfField *field = of->fields; field->kind != CONF_KIND_END;
         field++) {
        bool attr = field->kind == CONF_KIND_ATTR ||
                    field->kind == CONF_KIND_CARRY_ATTR;

        if (!is_active(field, variant))
            continue;
        empty = false;
        if (attr && !(of->variant && field->type == of->variant->type))
            attribute(schema, field);
        else if (field->kind == CONF_KIND_TEXT && !has_children(of))
            value(schema, field);
    }
    children(schema, of, variant);
    if (empty)
        line(schema, "<empty/>");
}

/* One alternative for each value of the attribute that WHEN looks at. */
static void
variants(Schema *schema, const ConfElement *of)
{
    const ConfVariant *variant = of->variant;

    begin(schema, "choice");
    for (unsigned i = 0; i < variant->count; i++) {
        g_autoptr(GString) names = g_string_new(NULL);

        variant->names(i, names);
        begin(schema, "group");
        if (names->len > 0) {
            begin(schema, "attribute name=\"%s\"", variant->name);
            line(schema, "<choice>%s</choice>", names->str);
            end(schema, "attribute");
        }
        content(schema, of, (int)i);
        end(schema, "group");
    }
    end(schema, "choice");
}

static void
element(Schema *schema, const ConfElement *of, const char *name, int variant)
{
    begin(schema, "element name=\"%s\"", name);
    if (of->variant)
        variants(schema, of);
    else
        content(schema, of, variant);
    end(schema, "element");
}

static void
define_anything(Schema *schema)
{
    begin(schema, "define name=\"anything\"");
    begin(schema, "zeroOrMore");
    begin(schema, "choice");
    line(schema, "<attribute><anyName/></attribute>");
    line(schema, "<text/>");
    line(schema, "<element><anyName/><ref name=\"anything\"/></element>");
    end(schema, "choice");
    end(schema, "zeroOrMore");
    end(schema, "define");
}

/* Another namespace's elements, such as libvirt's own for qemu. */
static void
define_foreign(Schema *schema)
{
    begin(schema, "define name=\"foreign\"");
    begin(schema, "zeroOrMore");
    begin(schema, "element");
    line(schema, "<anyName><except><nsName ns=\"\"/></except></anyName>");
    line(schema, "<ref name=\"anything\"/>");
    end(schema, "element");
    end(schema, "zeroOrMore");
    end(schema, "define");
}

static char *
grammar(const ConfElement *root, const char *name)
{
    Schema schema = { .out = g_string_new(NULL) };

    line(&schema, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    line(&schema, "<!-- Made from the tables in driver/conf by conf-schema; "
                  "run make update-schemas -->");
    line(&schema, "<grammar xmlns=\"http://relaxng.org/ns/structure/1.0\"");
    line(&schema, "         ns=\"%s\"", root->uri ? root->uri : "");
    line(&schema, "         datatypeLibrary=\"http://www.w3.org/2001/"
                  "XMLSchema-datatypes\">");
    schema.level++;
    begin(&schema, "start");
    element(&schema, root, name, NO_VARIANT);
    end(&schema, "start");
    if (is_document(root)) {
        define_anything(&schema);
        define_foreign(&schema);
    }
    end(&schema, "grammar");
    return g_string_free(schema.out, FALSE);
}

char *
conf_schema_domain(void)
{
    return grammar(&conf_domain_element, "domain");
}

char *
conf_schema_network(void)
{
    return grammar(&conf_network_element, "network");
}

char *
conf_schema_virtkvm(void)
{
    return grammar(&conf_virtkvm_element, "config");
}
