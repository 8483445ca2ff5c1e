/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include "conf/schema.h"

#include <string.h>

#include "conf/element.h"
#include "conf/network-element.h"

/* No choice of a variant has been made above this element. */
#define NO_VARIANT (-1)

/* Which rows of an element are written. */
typedef enum Part {
    PART_ALL,
    PART_COMMON,  /* those that all variants have alike */
    PART_VARYING, /* the others */
} Part;

typedef struct Schema {
    GString *out;
    unsigned level;
    GPtrArray *recursive; /* ConfElement: to be defined by name */
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

/* Does it depend on the variant, itself or what is in it? */
static bool
is_varying(const ConfField *field)
{
    if (field->when_mask)
        return true;
    if (field->kind != CONF_KIND_CHILD || (field->flags & CONF_ANY))
        return false;
    for (const ConfField *inner = field->element->fields;
         inner->kind != CONF_KIND_END; inner++)
        if (is_varying(inner))
            return true;
    return false;
}

static bool
is_wanted(const ConfField *field, int variant, Part part)
{
    return is_active(field, variant) &&
           (part == PART_ALL || is_varying(field) == (part == PART_VARYING));
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
    if (field->kind == CONF_KIND_LIST && field->element->recursive) {
        line(schema, "<ref name=\"%s\"/>", field->name);
        if (!g_ptr_array_find(schema->recursive, field->element, NULL))
            g_ptr_array_add(schema->recursive, (void *)field->element);
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
    bool many = field->kind == CONF_KIND_LIST ? !(field->flags & CONF_ONE)
                                              : field->flags & CONF_MANY;
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
has_children(const ConfElement *of, int variant, Part part)
{
    for (const ConfField *field = of->fields; field->kind != CONF_KIND_END;
         field++) {
        if (is_child(field) && is_wanted(field, variant, part))
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
children(Schema *schema, const ConfElement *of, int variant, Part part)
{
    if (!has_children(of, variant, part))
        return;
    begin(schema, "interleave");
    for (const ConfField *field = of->fields; field->kind != CONF_KIND_END;
         field++) {
        if (is_child(field) && is_wanted(field, variant, part))
            child(schema, field, variant);
        else if (field->kind == CONF_KIND_TEXT)
            line(schema, "<text/>");
    }
    if (is_document(of))
        line(schema, "<ref name=\"foreign\"/>");
    end(schema, "interleave");
}

static void
content(Schema *schema, const ConfElement *of, int variant, Part part)
{
    bool empty = true;

    for (const ConfField *field = of->fields; field->kind != CONF_KIND_END;
         field++) {
        bool attr = field->kind == CONF_KIND_ATTR ||
                    field->kind == CONF_KIND_CARRY_ATTR;

        if (!is_wanted(field, variant, part))
            continue;
        empty = false;
        if (attr &&
            !(of->variant && strcmp(field->name, of->variant->name) == 0))
            attribute(schema, field);
        else if (field->kind == CONF_KIND_TEXT &&
                 !has_children(of, NO_VARIANT, PART_ALL))
            value(schema, field);
    }
    children(schema, of, variant, part);
    if (empty)
        line(schema, "<empty/>");
}

/* What an element may have with some values of the attribute that WHEN looks
 * at. */
typedef struct Alternative {
    char *content;
    GString *names; /* <value>s */
    bool absent;    /* also without the attribute */
} Alternative;

static void
alternative_free(void *data)
{
    Alternative *alternative = data;

    g_free(alternative->content);
    g_string_free(alternative->names, TRUE);
    g_free(alternative);
}

static char *
content_with(const Schema *schema, const ConfElement *of, unsigned value)
{
    Schema inner = { .out = g_string_new(NULL),
                     .level = schema->level + 3,
                     .recursive = schema->recursive };

    content(&inner, of, (int)value, PART_VARYING);
    return g_string_free(inner.out, FALSE);
}

/* The one of @alternatives that has @content, which it takes. */
static Alternative *
alternative_of(GPtrArray *alternatives, char *content)
{
    Alternative *added;

    for (guint i = 0; i < alternatives->len; i++) {
        Alternative *known = g_ptr_array_index(alternatives, i);

        if (strcmp(known->content, content) != 0)
            continue;
        g_free(content);
        return known;
    }
    added = g_new0(Alternative, 1);
    added->content = content;
    added->names = g_string_new(NULL);
    g_ptr_array_add(alternatives, added);
    return added;
}

static void
append_names(const ConfVariant *variant, unsigned value, GString *out)
{
    if (variant->append)
        variant->append(value, out);
    else if (variant->names[value])
        g_string_append_printf(out, "<value>%s</value>", variant->names[value]);
}

static void
write_alternative(Schema *schema, const Alternative *alternative,
                  const char *name)
{
    bool optional = alternative->absent && alternative->names->len > 0;

    begin(schema, "group");
    if (optional)
        begin(schema, "optional");
    if (alternative->names->len > 0) {
        begin(schema, "attribute name=\"%s\"", name);
        line(schema, "<choice>%s</choice>", alternative->names->str);
        end(schema, "attribute");
    }
    if (optional)
        end(schema, "optional");
    g_string_append(schema->out, alternative->content);
    end(schema, "group");
}

static void
variants(Schema *schema, const ConfElement *of)
{
    const ConfVariant *variant = of->variant;
    g_autoptr(GPtrArray) alternatives =
        g_ptr_array_new_with_free_func(alternative_free);

    for (unsigned i = 0; i < variant->count; i++) {
        Alternative *alternative =
            alternative_of(alternatives, content_with(schema, of, i));
        gsize before = alternative->names->len;

        append_names(variant, i, alternative->names);
        alternative->absent |= alternative->names->len == before;
    }
    begin(schema, "interleave");
    content(schema, of, NO_VARIANT, PART_COMMON);
    begin(schema, "choice");
    for (guint i = 0; i < alternatives->len; i++)
        write_alternative(schema, g_ptr_array_index(alternatives, i),
                          variant->name);
    end(schema, "choice");
    end(schema, "interleave");
}

static void
element(Schema *schema, const ConfElement *of, const char *name, int variant)
{
    begin(schema, "element name=\"%s\"", name);
    if (of->variant)
        variants(schema, of);
    else
        content(schema, of, variant, PART_ALL);
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

/* Those that have themselves among their children */
static void
define_recursive(Schema *schema)
{
    for (guint i = 0; i < schema->recursive->len; i++) {
        const ConfElement *of = g_ptr_array_index(schema->recursive, i);

        begin(schema, "define name=\"%s\"", of->name);
        element(schema, of, of->name, NO_VARIANT);
        end(schema, "define");
    }
}

static char *
grammar(const ConfElement *root, const char *name)
{
    g_autoptr(GPtrArray) recursive = g_ptr_array_new();
    Schema schema = { .out = g_string_new(NULL), .recursive = recursive };

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
    define_recursive(&schema);
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
