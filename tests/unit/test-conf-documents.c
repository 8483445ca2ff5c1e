/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The virtkvm authors */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "conf/domain.h"
#include "conf/xml.h"
#include "util/error.h"

/*
 * Every tests/data/xml/NAME.xml, as a client would define it, must come back as
 * NAME.out.xml or, where there is none, as itself; and whatever comes back must
 * come back unchanged from then on. NAME-invalid.xml must fail validation, the
 * others pass it.
 */

#define FLAGS (CONF_FORMAT_INACTIVE | CONF_FORMAT_SECURE)

static char *
folder_of_data(void)
{
    const char *top = g_getenv("abs_top_srcdir");

    return g_build_filename(top ? top : ".", "tests", "data", "xml", NULL);
}

static char *
read_file(const char *folder, const char *name, const char *ending)
{
    g_autofree char *file = g_strconcat(name, ending, NULL);
    g_autofree char *path = g_build_filename(folder, file, NULL);
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

static ConfDomain *
parse(const char *name, const char *xml, unsigned flags)
{
    g_autoptr(GError) error = NULL;
    ConfDomain *domain =
        conf_domain_parse(xml, CONF_PARSE_INACTIVE | flags, &error);

    if (!domain && !flags)
        fail_msg("%s: %s", name, error->message);
    return domain;
}

static void
assert_same(const char *name, const char *what, const char *found,
            const char *expected)
{
    size_t i = 0;

    if (strcmp(found, expected) == 0)
        return;
    while (found[i] && found[i] == expected[i])
        i++;
    fail_msg("%s: %s differs at byte %zu: '%.80s' instead of '%.80s'", name,
             what, i, found + i, expected + i);
}

typedef void (*DocumentFn)(const char *folder, const char *name);

static void
for_each(DocumentFn fn)
{
    g_autofree char *folder = folder_of_data();
    GDir *dir = g_dir_open(folder, 0, NULL);
    unsigned count = 0;
    const char *file;

    assert_non_null(dir);
    while ((file = g_dir_read_name(dir))) {
        g_autofree char *name = NULL;

        if (!g_str_has_suffix(file, ".xml") ||
            g_str_has_suffix(file, ".out.xml"))
            continue;
        name = g_strndup(file, strlen(file) - strlen(".xml"));
        fn(folder, name);
        count++;
    }
    g_dir_close(dir);
    assert_true(count >= 40);
}

static void
check_out(const char *folder, const char *name)
{
    g_autofree char *in = read_file(folder, name, ".xml");
    g_autofree char *out = read_file(folder, name, ".out.xml");
    g_autoptr(ConfDomain) domain = parse(name, in, 0);
    g_autofree char *found = conf_domain_format(domain, FLAGS);

    assert_same(name, "the output", found, out ? out : in);
}

static void
test_documents_come_back(void **state)
{
    for_each(check_out);
}

static void
check_stable(const char *folder, const char *name)
{
    g_autofree char *in = read_file(folder, name, ".xml");
    g_autoptr(ConfDomain) domain = parse(name, in, 0);
    g_autofree char *first = conf_domain_format(domain, FLAGS);
    g_autoptr(ConfDomain) again = parse(name, first, 0);
    g_autofree char *second = conf_domain_format(again, FLAGS);
    g_autoptr(ConfDomain) copy = conf_domain_copy(domain);
    g_autofree char *copied = conf_domain_format(copy, FLAGS);

    assert_same(name, "the second output", second, first);
    assert_same(name, "the copy", copied, first);
}

static void
test_output_is_stable(void **state)
{
    for_each(check_stable);
}

static void
check_valid(const char *folder, const char *name)
{
    g_autofree char *in = read_file(folder, name, ".xml");
    g_autoptr(ConfDomain) domain = parse(name, in, CONF_PARSE_VALIDATE);
    bool expected = !g_str_has_suffix(name, "-invalid");

    if ((domain != NULL) != expected)
        fail_msg("%s: %s validation", name, domain ? "passes" : "fails");
}

static void
test_schema_knows_them(void **state)
{
    for_each(check_valid);
}

/* --- nothing is lost ---------------------------------------------------------
 * All that an element says must be said by an element of its name at its place
 * in the output; what is normalised or live is excepted by name. */

static bool
one_of(const char *text, const char *const *list)
{
    return g_strv_contains(list, text);
}

static bool
is_live(const xmlNode *node)
{
    g_autofree char *name = conf_xml_attr(node, "name");
    g_autofree char *path = conf_xml_attr(node, "path");
    g_autofree char *dev = conf_xml_attr(node, "dev");

    return (strcmp((const char *)node->name, "alias") == 0 &&
            !g_str_has_prefix(name, "ua-")) ||
           (strcmp((const char *)node->name, "source") == 0 && path &&
            (g_str_has_prefix(path, "/dev/pts/") ||
             strstr(path, CONF_CHANNEL_FOLDER))) ||
           (strcmp((const char *)node->name, "target") == 0 && dev &&
            g_str_has_prefix(dev, "vnet"));
}

/* Numbers and sets that are written in another way. */
static bool
is_normalised(const xmlNode *node, const char *attr)
{
    static const char *const texts[] = { "memory", "currentMemory", "maxMemory",
                                         "uuid", NULL };
    static const char *const attrs[] = {
        "unit", "cpuset", "id", "tty", "state", "adjustment", "offset", NULL
    };

    if (!attr)
        return one_of((const char *)node->name, texts);
    return one_of(attr, attrs) || (strcmp(attr, "path") == 0 && is_live(node));
}

static bool
has_attrs(const xmlNode *out, const xmlNode *in)
{
    for (const xmlAttr *attr = in->properties; attr; attr = attr->next) {
        g_autofree char *want = (char *)xmlGetNsProp(
            in, attr->name, attr->ns ? attr->ns->href : NULL);
        g_autofree char *have = (char *)xmlGetNsProp(
            out, attr->name, attr->ns ? attr->ns->href : NULL);

        if (!is_normalised(in, (const char *)attr->name) &&
            g_strcmp0(want, have) != 0)
            return false;
    }
    return true;
}

static bool
has_text(const xmlNode *out, const xmlNode *in)
{
    g_autofree char *own_in = NULL, *own_out = NULL;
    g_autofree char *want = g_strdup(conf_xml_text(in, &own_in));
    g_autofree char *have = g_strdup(conf_xml_text(out, &own_out));

    return is_normalised(in, NULL) ||
           strcmp(g_strstrip(want), g_strstrip(have)) == 0;
}

static const char *
namespace_of(const xmlNode *node)
{
    return node->ns ? (const char *)node->ns->href : "";
}

static bool contains(const xmlNode *out, const xmlNode *in, char **ret_lost);

static bool
has_child(const xmlNode *out, const xmlNode *wanted, char **ret_lost)
{
    for (const xmlNode *child = out->children; child; child = child->next) {
        bool same = child->type == wanted->type;

        if (same && wanted->type != XML_ELEMENT_NODE)
            same = strstr((const char *)child->content,
                          g_strstrip((char *)wanted->content)) != NULL;
        else if (same)
            same = xmlStrEqual(child->name, wanted->name) &&
                   strcmp(namespace_of(child), namespace_of(wanted)) == 0 &&
                   contains(child, wanted, ret_lost);
        if (same)
            return true;
    }
    return false;
}

static bool
contains(const xmlNode *out, const xmlNode *in, char **ret_lost)
{
    for (xmlNode *child = in->children; child; child = child->next) {
        bool counts = child->type == XML_ELEMENT_NODE ||
                      child->type == XML_COMMENT_NODE ||
                      child->type == XML_PI_NODE;

        if (!counts || (child->type == XML_ELEMENT_NODE && is_live(child)) ||
            has_child(out, child, ret_lost))
            continue;
        g_free(*ret_lost);
        *ret_lost = g_strdup_printf("line %ld, below <%s>", xmlGetLineNo(child),
                                    (const char *)in->name);
        return false;
    }
    return has_attrs(out, in) && has_text(out, in);
}

static void
check_nothing_lost(const char *folder, const char *name)
{
    g_autofree char *in = read_file(folder, name, ".xml");
    g_autoptr(ConfDomain) domain = parse(name, in, 0);
    g_autofree char *out = conf_domain_format(domain, FLAGS);
    g_autoptr(xmlDoc) in_doc = conf_xml_parse(in, name, NULL);
    g_autoptr(xmlDoc) out_doc = conf_xml_parse(out, name, NULL);
    g_autofree char *lost = NULL;

    if (!contains(xmlDocGetRootElement(out_doc), xmlDocGetRootElement(in_doc),
                  &lost))
        fail_msg("%s loses %s", name, lost ? lost : "attributes or text");
}

static void
test_nothing_is_lost(void **state)
{
    for_each(check_nothing_lost);
}

/* --- live
 * --------------------------------------------------------------------- */

/* libvirt's own document of a running domain: its definition, started by us,
 * gives the same ids, aliases and paths. */
static void
test_live_document_is_libvirts(void **state)
{
    g_autofree char *folder = folder_of_data();
    g_autofree char *live = read_file(folder, "libvirt-live", ".xml");
    g_autoptr(ConfDomain) domain = parse("libvirt-live", live, 0);
    ConfChardev *serial = g_ptr_array_index(domain->serials, 0);
    ConfChardev *channel = g_ptr_array_index(domain->channels, 0);
    g_autofree char *shown = NULL;

    assert_null(serial->path);
    assert_null(channel->path);
    channel->path = g_strdup("/home/user/.config/libvirt/qemu/channel/target/"
                             "domain-1-demo/org.qemu.guest_agent.0");
    channel->state = CONF_CHANNEL_DISCONNECTED;
    domain->live.id = 1;
    serial->path = g_strdup("/dev/pts/0");
    conf_domain_assign_live(domain);
    shown = conf_domain_format(domain, 0);
    assert_same("libvirt-live", "the live document", shown, live);
}

/* --- every unit of memory
 * ------------------------------------------------------ */

static void
test_units(void **state)
{
    static const struct {
        const char *unit;
        const char *number;
        uint64_t kib;
    } cases[] = {
        { "", "7", 7 },
        { "b", "1025", 2 },
        { "byte", "1024", 1 },
        { "bytes", "1", 1 },
        { "k", "3", 3 },
        { "K", "3", 3 },
        { "KB", "1000", 977 },
        { "KiB", "3", 3 },
        { "m", "1", 1024 },
        { "M", "1", 1024 },
        { "MB", "1", 977 },
        { "MiB", "1", 1024 },
        { "G", "1", 1048576 },
        { "GB", "1", 976563 },
        { "GiB", "1", 1048576 },
        { "T", "1", 1073741824 },
        { "TB", "1", 976562500 },
        { "TiB", "1", 1073741824 },
        { "PiB", "1", 1099511627776 },
        { "PB", "1", 976562500000 },
        { "EiB", "1", 1125899906842624 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strdup_printf(
            "<domain type='kvm'><name>a</name><memory unit='%s'>%s</memory><os>"
            "<type>hvm</type></os></domain>",
            cases[i].unit, cases[i].number);
        g_autoptr(ConfDomain) domain = parse(cases[i].unit, xml, 0);

        if (domain->memory.memory_kib != cases[i].kib)
            fail_msg("%s %s is %" G_GUINT64_FORMAT " KiB", cases[i].number,
                     cases[i].unit, domain->memory.memory_kib);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents_come_back),
        cmocka_unit_test(test_output_is_stable),
        cmocka_unit_test(test_schema_knows_them),
        cmocka_unit_test(test_nothing_is_lost),
        cmocka_unit_test(test_live_document_is_libvirts),
        cmocka_unit_test(test_units),
    };
    g_autofree char *schemas = g_build_filename(
        g_getenv("abs_top_srcdir") ? g_getenv("abs_top_srcdir") : ".",
        "schemas", NULL);

    g_setenv("VIRTKVM_SCHEMA_DIR", schemas, true);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
